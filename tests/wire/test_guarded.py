"""A slot is taken before anything is sent, and is free when the backend has ended: not when we stop waiting for it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from threading import Event
from typing import Any

import pytest

from gateway.core.model import Observation
from gateway.core.policies import Protect
from gateway.wire.guard import Gate
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, hang
from tests.support.serving import Serving, until
from tests.support.values import route

SHORT = (("response", 0.3), ("answer_idle", 0.3))


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as found:
        yield found


@asynccontextmanager
async def protected(
    origin: Origin, most: int = 1, abandon_after: float = 30.0, **settings: Any
) -> AsyncIterator[Serving]:
    """A gateway in front of one backend that bears `most` requests at once."""
    protect = Protect(max_concurrent=most, queue=5, wait=5.0, abandon_after=abandon_after)
    serving = Serving({"office": origin}, route("ANY /**", new=None), protect={"office": protect}, **settings)
    await serving.open()
    try:
        yield serving
    finally:
        await serving.close()


def gate_of(serving: Serving) -> Gate:
    guard = serving.live.pools["office"].guard
    assert guard is not None
    return guard.gate


def seen(serving: Serving) -> list[Observation]:
    """What was recorded until now."""
    serving.recorder.flush()
    return serving.seen


class Held:
    """A script that answers when it is told to."""

    def __init__(self, head: bytes = b"", rest: bytes = answer()) -> None:
        self.go = Event()
        self._head = head
        self._rest = rest

    def __call__(self, talk: Talk) -> None:
        talk.body()
        talk.send(self._head)
        self.go.wait(5)
        talk.send(self._rest)


async def test_a_slot_is_free_once_the_answer_is_whole(origin: Origin) -> None:
    """And the connection is kept, and used again."""
    async with protected(origin) as serving:
        for _ in range(3):
            await serving.get("/a", until=b"ok")
            await until(lambda: gate_of(serving).under_way == 0)
        assert gate_of(serving).under_way == 0
        assert len(origin.readers) == 1


async def test_a_head_request_frees_its_slot(origin: Origin) -> None:
    """Its answer has a length and no body, which the parser never sees the end of."""
    origin.on("/a", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    async with protected(origin) as serving:
        await serving.ask(b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n\r\n")
        await until(lambda: gate_of(serving).under_way == 0)


async def test_an_answer_that_ends_with_its_connection_frees_its_slot(origin: Origin) -> None:
    """Not before."""

    def talk(talk: Talk) -> None:
        talk.body()
        talk.send(b"HTTP/1.1 200 OK\r\n\r\npart")
        talk.close()

    origin.on("/a", talk)
    async with protected(origin) as serving:
        await serving.get("/a", until=b"part")
        await until(lambda: gate_of(serving).under_way == 0)


async def test_after_a_deadline_the_slot_is_kept_until_the_answer_ends(origin: Origin) -> None:
    """The client has its 504 long before; the next one waits until the backend is done."""
    held = Held()
    origin.on("/slow", held)
    async with protected(origin, timeout=SHORT) as serving:
        await serving.get("/slow", until=b"504 ")
        assert gate_of(serving).under_way == 1
        waiting = asyncio.create_task(serving.get("/next", until=b"ok"))
        await until(lambda: gate_of(serving).waiting == 1)
        assert not origin.cut_off
        held.go.set()
        await waiting
        await until(lambda: gate_of(serving).under_way == 0)
        assert gate_of(serving).under_way == 0


async def test_what_was_begun_and_stopped_coming_keeps_its_slot(origin: Origin) -> None:
    """A head came, and half a body; the rest comes when nobody waits any more."""
    held = Held(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf", b"rest")
    origin.on("/half", held)
    async with protected(origin, timeout=SHORT) as serving:
        await serving.get("/half", until=b"half")
        await until(lambda: bool(seen(serving)))
        assert (serving.seen[0].error, gate_of(serving).under_way) == ("timeout", 1)
        held.go.set()
        await until(lambda: gate_of(serving).under_way == 0)


async def test_a_client_that_leaves_takes_no_slot_with_it(origin: Origin) -> None:
    """A safe request is given up for its client, and yet the backend is not asked for more than it bears."""
    held = Held()
    origin.on("/left", held)
    async with protected(origin) as serving:
        serving._writer.write(b"GET /left HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: origin.busy == 1)
        serving._writer.transport.abort()
        await until(lambda: bool(seen(serving)))
        assert (serving.seen[0].error, gate_of(serving).under_way) == ("client_gone", 1)
        assert not origin.cut_off
        held.go.set()
        await until(lambda: gate_of(serving).under_way == 0)


async def test_a_client_that_leaves_while_it_waits_is_forgotten(origin: Origin) -> None:
    """Nothing is sent for it."""
    held = Held()
    origin.on("/first", held)
    async with protected(origin) as serving:
        _, other = await asyncio.open_connection(*serving._listening.sockets[0].getsockname())
        other.write(b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: origin.busy == 1)
        serving._writer.write(b"POST /second HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        await until(lambda: gate_of(serving).waiting == 1)
        serving._writer.transport.abort()
        await until(lambda: gate_of(serving).waiting == 0)
        held.go.set()
        await until(lambda: gate_of(serving).under_way == 0)
        assert not origin.seen("/second")
        assert {each.error for each in seen(serving)} == {"client_gone", ""}
        other.close()


async def test_what_does_not_end_is_abandoned(origin: Origin) -> None:
    """After the longest time the connection is cut, and the slot is free."""
    origin.on("/never", hang)
    async with protected(origin, abandon_after=0.3, timeout=SHORT) as serving:
        await serving.get("/never", until=b"504 ")
        assert gate_of(serving).under_way == 1
        await until(lambda: gate_of(serving).under_way == 0)
        await until(lambda: origin.busy == 0)


async def test_what_pours_on_is_cut(origin: Origin) -> None:
    """An answer that nobody reads is dropped as it comes, but not for ever."""

    def talk(talk: Talk) -> None:
        talk.body()
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            talk.send(b"10000\r\n" + b"x" * 65_536 + b"\r\n")

    origin.on("/much", talk)
    async with protected(origin) as serving:
        serving._writer.write(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        await serving._reader.readexactly(1_000)
        serving._writer.transport.abort()
        await until(lambda: gate_of(serving).under_way == 0)
        await until(lambda: "/much" in origin.cut_off)


async def test_a_stale_connection_takes_its_slot_along(origin: Origin) -> None:
    """What is sent once more holds one slot, not two and not none."""

    held: list[int] = []

    def talk(talk: Talk) -> None:
        talk.body()
        held.append(gate_of(serving).under_way)
        if talk.connection:
            talk.send(answer(b"again"))
        else:
            talk.close()

    async with protected(origin) as serving:
        await serving.get("/a", until=b"ok")
        origin.on("/b", talk)
        await serving.get("/b", until=b"again")
        assert held == [1, 1]
        await until(lambda: gate_of(serving).under_way == 0)
        assert gate_of(serving).under_way == 0


async def test_no_connection_no_slot(origin: Origin) -> None:
    """A backend that cannot be reached has nothing under way."""
    origin.stop()
    async with protected(origin) as serving:
        for _ in range(3):
            await serving.get("/a", until=b"502 ")
        assert gate_of(serving).under_way == 0


async def test_a_tunnel_holds_no_slot(origin: Origin) -> None:
    """It may last for hours."""

    held: list[int] = []

    def talk(talk: Talk) -> None:
        held.append(gate_of(serving).under_way)
        talk.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        talk.skip_body(1)

    origin.on("/ws", talk)
    async with protected(origin) as serving:
        await serving.get("/ws", "Connection: Upgrade", "Upgrade: websocket", until=b"101 ")
        assert held == [1]
        await until(lambda: gate_of(serving).under_way == 0)


async def test_a_request_that_is_cut_short_ends_at_the_backend(origin: Origin) -> None:
    """It cannot act on half of a body: the connection is closed, and the slot is free."""
    async with protected(origin) as serving:
        serving._writer.write(b"POST /half HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b"x" * 100_000)
        await until(lambda: gate_of(serving).under_way == 1)
        serving._writer.transport.abort()
        await until(lambda: gate_of(serving).under_way == 0)
        assert not origin.seen("/half")


async def test_a_full_queue_is_told_with_when_to_come_back(origin: Origin) -> None:
    """503, and the backend hears nothing of it."""
    held = Held()
    origin.on("/first", held)
    protect = Protect(max_concurrent=1, queue=0)
    serving = Serving({"office": origin}, route("ANY /**", new=None), protect={"office": protect})
    await serving.open()
    _, other = await asyncio.open_connection(*serving._listening.sockets[0].getsockname())
    other.write(b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: origin.busy == 1)
    await serving.get("/second", until=b"Retry-After: ")
    (refused,) = seen(serving)
    assert (refused.status, refused.error, refused.outcome, refused.acted) == (503, "queue_full", "refused", "no")
    held.go.set()
    await until(lambda: gate_of(serving).under_way == 0)
    other.close()
    await serving.close()
    assert not origin.seen("/second")


async def test_what_nobody_waits_for_may_pour_after_its_deadline_and_is_cut(origin: Origin) -> None:
    """Also where its head came late; an answer that is merely idle is left to its end."""

    def pours(talk: Talk) -> None:
        talk.body()
        held.go.wait(5)
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            talk.send(b"10000\r\n" + b"x" * 65_536 + b"\r\n")

    held = Held(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf", b"rest")
    origin.on("/much", pours)
    origin.on("/idle", held)
    async with protected(origin, most=2, timeout=SHORT) as serving:
        await serving.get("/much", until=b"504 ")
        await serving.get("/idle", until=b"half")
        await asyncio.sleep(0.8)
        assert gate_of(serving).under_way == 2
        held.go.set()
        await until(lambda: gate_of(serving).under_way == 0)
        assert "/much" in origin.cut_off
        assert "/idle" not in origin.cut_off
