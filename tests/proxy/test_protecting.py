"""What a backend's breaker is told of calls, and what it spares the backend."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from time import sleep
from typing import Any

import pytest

from gateway.core.breaker import Breaker
from gateway.core.model import BUCKETS, Target
from gateway.core.policies import BreakerPolicy, Protect, Shadow
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, hang
from tests.support.serving import Serving, until
from tests.support.values import route
from tests.wire.test_guarded import Held, seen

FAILS = b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"
SHORT = (("response", 0.3),)


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as found:
        yield found


@asynccontextmanager
async def guarded(origin: Origin, *served: Any, most: int = 0, **policy: Any) -> AsyncIterator[tuple[Serving, Breaker]]:
    """A gateway in front of one backend that is left alone after two failures; and its breaker."""
    protect = Protect(max_concurrent=most, breaker=BreakerPolicy(**{"open_after": 2, "retry_after": 30.0, **policy}))
    serving = Serving(
        {"office": origin}, *(served or (route("ANY /**", new=None),)), protect={"office": protect}, timeout=SHORT
    )
    await serving.open()
    guard = serving.live.pools["office"].guard
    assert guard is not None
    assert guard.breaker is not None
    try:
        yield serving, guard.breaker
    finally:
        await serving.close()


async def test_a_backend_that_fails_is_left_alone(origin: Origin) -> None:
    """It hears no more, and clients learn at once when to come back."""
    origin.on("/a", FAILS)
    async with guarded(origin) as (serving, breaker):
        for _ in range(2):
            await serving.get("/a", until=b"no")
        assert breaker.state == "open"
        await serving.get("/a", until=b"Retry-After: 30\r\n")
        await until(lambda: len(seen(serving)) == 3)
        assert [(each.status, each.error) for each in serving.seen] == [(500, ""), (500, ""), (503, "breaker_open")]
        assert len(origin.seen("/a")) == 2


async def test_silence_is_a_failure(origin: Origin) -> None:
    """A deadline that passed counts as much as a 500."""
    origin.on("/a", hang)
    async with guarded(origin) as (serving, breaker):
        for _ in range(2):
            await serving.get("/a", until=b"504 ")
        assert breaker.state == "open"


async def test_what_blames_the_client_is_an_answer(origin: Origin) -> None:
    """404s, however many, say that the backend works."""
    origin.on("/a", b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno")
    async with guarded(origin) as (serving, breaker):
        for _ in range(5):
            await serving.get("/a", until=b"no")
        assert breaker.state == "closed"


async def test_a_good_answer_closes_it(origin: Origin) -> None:
    """Once it has rested, one call is let through."""
    origin.on("/a", FAILS)
    async with guarded(origin, retry_after=0.2) as (serving, breaker):
        for _ in range(2):
            await serving.get("/a", until=b"no")
        origin.on("/a", answer(b"well"))
        await asyncio.sleep(0.25)
        await serving.get("/a", until=b"well")
        assert (breaker.state, breaker.opened) == ("closed", 1)


async def test_slow_answers_are_failures_where_that_is_said(origin: Origin) -> None:
    """However good they are."""

    def talk(talk: Talk) -> None:
        talk.body()
        sleep(0.15)
        talk.send(answer())

    origin.on("/a", talk)
    async with guarded(origin, slow=0.1) as (serving, breaker):
        await serving.get("/b", until=b"ok")
        for _ in range(2):
            await serving.get("/a", until=b"ok")
        assert breaker.state == "open"


async def test_waiting_for_a_slot_is_not_the_backends_slowness(origin: Origin) -> None:
    """The queue is the gateway's own."""
    held = Held()
    origin.on("/first", held)
    async with guarded(origin, most=1, slow=0.2, open_after=1) as (serving, breaker):
        guard = serving.live.pools["office"].guard
        assert guard is not None
        guard.follow(guard.gate.protect._replace(queue=3, wait=5.0), None)
        other_reader, other = await asyncio.open_connection(*serving._listening.sockets[0].getsockname())
        other.write(b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: origin.busy == 1)
        waiting = asyncio.create_task(serving.get("/second", until=b"ok"))
        await until(lambda: guard.gate.waiting == 1)
        await asyncio.sleep(0.1)
        held.go.set()
        await other_reader.readuntil(b"ok")
        await waiting
        assert breaker.state == "closed"
        other.close()


async def test_a_client_that_leaves_says_nothing(origin: Origin) -> None:
    """Neither well nor badly; and where it was the one that tries, another may."""
    origin.on("/a", hang)
    async with guarded(origin, retry_after=0.1) as (serving, breaker):
        origin.on("/b", FAILS)
        for _ in range(2):
            await serving.get("/b", until=b"no")
        await asyncio.sleep(0.15)
        serving._writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: origin.busy == 1)
        assert breaker.state == "half_open"
        serving._writer.transport.abort()
        await until(lambda: len(seen(serving)) == 3)
        assert breaker.state == "half_open"
        assert breaker.admit(asyncio.get_running_loop().time()) != 0


async def test_copies_go_by_it_too(origin: Origin) -> None:
    """They are skipped, with the reason, and count neither for nor against the candidate."""
    origin.on("/a", FAILS)
    with Origin() as legacy:
        shadowed = route("ANY /a", shadow=Shadow(BUCKETS), new=Target("repairs"))
        protect = Protect(breaker=BreakerPolicy(open_after=2, retry_after=30.0))
        serving = Serving({"office": legacy, "repairs": origin}, shadowed, protect={"repairs": protect})
        await serving.open()
        for count in range(1, 5):
            await serving.get("/a", until=b"ok")
            await serving.compared(count)
        assert [sample.candidate.status for sample in serving.samples] == [500, 500]
        assert serving.skipped == {("ANY /a", "breaker_open"): 2}
        await serving.close()
