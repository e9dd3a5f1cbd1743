"""Each request goes to an address that is well and has little to do; what failed there goes to another if it may."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from benchmarks.ports import free_port
from gateway.core.policies import Health, Protect
from gateway.wire import endpoints
from gateway.wire.several import SeveralPool
from tests.support.messages import answer
from tests.support.origin import Origin, Talk
from tests.support.serving import Serving, until
from tests.support.values import route
from tests.wire.test_guarded import Held, seen

POST = b"POST /a HTTP/1.1\r\nHost: api.example\r\nContent-Length: 2\r\n\r\nhi"
CHECKED = Health(b"/well", every=0.1, timeout=0.2, after=2)


@pytest.fixture
def one() -> Iterator[Origin]:
    with Origin() as found:
        yield found


@pytest.fixture
def other() -> Iterator[Origin]:
    with Origin() as found:
        yield found


@asynccontextmanager
async def several(one: Origin, port: int, protect: Protect | None = None, **more: Any) -> AsyncIterator[Serving]:
    guards = {"office": protect} if protect is not None else {}
    given = route("ANY /**", new=None)
    found = Serving({"office": one}, given, protect=guards, others=(("127.0.0.1", port),), **more)
    await found.open()
    pool_of(found).start()
    try:
        yield found
    finally:
        await found.close()


def pool_of(serving: Serving) -> SeveralPool:
    pool = serving.live.pools["office"]
    assert isinstance(pool, SeveralPool)
    return pool


def counts(*origins: Origin) -> list[int]:
    return [len(each.seen("/a")) for each in origins]


async def test_each_has_its_part(one: Origin, other: Origin) -> None:
    """One after the other, as long as all have as little to do; connections are kept."""
    async with several(one, other.port) as found:
        for _ in range(10):
            await found.get("/a", until=b"ok")
        assert counts(one, other) == [5, 5]
        assert (len(one.readers), len(other.readers)) == (1, 1)
        assert pool_of(found).open == (0, 2)


async def test_the_one_with_less_to_do_is_asked(one: Origin, other: Origin) -> None:
    """However slow the other one is."""
    held = Held()
    one.on("/a", held)
    other.on("/a", held)
    async with several(one, other.port) as found:
        slow = asyncio.create_task(_get(found, "/a"))
        await until(lambda: one.busy + other.busy == 1)
        busy, free = (one, other) if one.busy else (other, one)
        for _ in range(4):
            await found.get("/b", until=b"ok")
        assert (len(busy.seen("/b")), len(free.seen("/b"))) == (0, 4)
        held.go.set()
        assert (await slow).endswith(b"ok")


async def _get(serving: Serving, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(*serving.address)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n".encode())
    data = await reader.read()
    writer.close()
    return data


@pytest.mark.parametrize("protect", [None, Protect(max_concurrent=1, queue=5, wait=5.0)])
async def test_what_was_not_sent_goes_to_another(one: Origin, protect: Protect | None) -> None:
    """Writes, too; and an address that cannot be reached is left out."""
    async with several(one, free_port(), protect) as found:
        for _ in range(2 * endpoints.AFTER + 4):
            await found.ask(POST, b"ok")
        assert [each.status for each in seen(found)] == [200] * (2 * endpoints.AFTER + 4)
        first, second = pool_of(found).told()
        assert (first.ejected, second.ejected) == (False, True)
        if protect is not None:
            await until(lambda: found.live.guards[0].gate.under_way == 0)


@pytest.mark.parametrize("protect", [None, Protect(max_concurrent=1, queue=5, wait=5.0)])
async def test_what_may_be_sent_twice_goes_to_another(one: Origin, other: Origin, protect: Protect | None) -> None:
    """If not a byte of an answer has come; a write is not sent twice."""

    def reset(talk: Talk) -> None:
        talk.body()
        talk.reset()

    def half(talk: Talk) -> None:
        talk.body()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-")
        talk.close()

    one.on("/a", reset)
    async with several(one, other.port, protect) as found:
        for _ in range(4):
            await found.get("/a", until=b"ok")
        one.on("/a", half)
        statuses = set()
        for _ in range(4):
            await found.get("/a", until=b"\r\n\r\n")
            statuses.add(seen(found)[-1].status)
        assert statuses == {200, 502}
        one.on("/a", reset)
        failed = 0
        for _ in range(4):
            await found.ask(POST, b"\r\n\r\n")
            failed += seen(found)[-1].status == 502
        assert 1 <= failed <= 2  # it may be left out by now


async def test_an_address_that_fails_is_left_out_for_a_while(
    one: Origin, other: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its answers, too; then it is asked again, and once it answers well it is as the others are."""
    monkeypatch.setattr(endpoints, "FOR", 0.5)
    one.on("/a", answer(b"no", status=503))
    async with several(one, other.port) as found:
        for _ in range(2 * endpoints.AFTER + 6):
            await found.get("/a", until=b"\r\n\r\n")
        assert len(one.seen("/a")) == endpoints.AFTER
        one.on("/a", answer(b"ok"))
        await until(lambda: not any(each.ejected for each in pool_of(found).told()))
        for _ in range(4):
            await found.get("/a", until=b"ok")
        await until(lambda: len(one.seen("/a")) == endpoints.AFTER + 2)


async def test_never_are_all_left_out(one: Origin, other: Origin) -> None:
    """Where all fail, all are asked."""
    for origin in (one, other):
        origin.on("/a", answer(b"no", status=503))
    async with several(one, other.port) as found:
        for _ in range(2 * endpoints.AFTER):
            await found.get("/a", until=b"no")
        assert [each.ejected for each in pool_of(found).told()] == [True, True]
        for origin in (one, other):
            origin.on("/a", answer(b"ok"))
        await found.get("/a", until=b"ok")


async def test_nobody_answers_where_nobody_is(one: Origin) -> None:
    """The client is told so."""
    one.stop()
    async with several(one, free_port()) as found:
        await found.get("/a", until=b"502 Bad Gateway")
        assert pool_of(found).open == (0, 0)


async def test_an_address_is_asked_whether_it_is_well(one: Origin, other: Origin) -> None:
    """Now and then; after a few bad answers it is left out, and a good one brings it back."""
    async with several(one, other.port, health=CHECKED) as found:
        await until(lambda: bool(one.seen("/well") and other.seen("/well")))
        one.on("/well", answer(b"no", status=503))
        await until(lambda: pool_of(found).told()[0].unwell)
        for _ in range(4):
            await found.get("/a", until=b"ok")
        assert counts(one, other) == [0, 4]
        one.on("/well", answer(b"", status=204))
        await until(lambda: not pool_of(found).told()[0].unwell)
        pool_of(found).retire()
        asked = len(one.seen("/well"))
        await asyncio.sleep(0.4)
        assert len(one.seen("/well")) <= asked + 1


async def test_an_address_that_does_not_answer_is_not_well(one: Origin, other: Origin) -> None:
    """Nor is one that says nothing that can be understood, or where nobody listens."""
    one.on("/well", lambda talk: talk.send(b"hello\r\n\r\n"))
    async with several(one, free_port(), health=CHECKED) as found:
        await until(lambda: all(each.unwell for each in pool_of(found).told()))
        await found.get("/a", until=b"ok")


async def test_a_kept_connection_that_is_stale_says_nothing_of_others(one: Origin, other: Origin) -> None:
    """Those to the other address stay."""

    def end(talk: Talk) -> None:
        talk.send(answer(b"ok"))
        talk.close()

    one.on("/end", end)
    other.on("/end", answer(b"ok"))
    async with several(one, other.port) as found:
        for _ in range(6):
            await found.get("/end", until=b"ok")
        assert len(other.readers) == 1
