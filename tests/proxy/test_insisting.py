"""Requests that are sent once more: what the backend sees, and what the client gets."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from gateway.core.model import Gateway, Timeouts
from gateway.core.policies import Protect, RetryPolicy
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, hang
from tests.support.serving import Serving, until
from tests.support.values import route
from tests.wire.test_guarded import seen

BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"
LIMIT = 1_000
POLICY = RetryPolicy(attempts=3, on=("connect", "reset", "503"), backoff=0.01)


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as found:
        yield found


@asynccontextmanager
async def insisting(origin: Origin, policy: RetryPolicy = POLICY, **more: Any) -> AsyncIterator[Serving]:
    """A gateway that sends what failed once more, and has saved up some retries."""
    gateway = Gateway(served_by=False, capture=LIMIT, timeout=Timeouts(response=0.3))
    serving = Serving({"office": origin}, route("ANY /**", new=None), gateway=gateway, retry={"office": policy}, **more)
    await serving.open()
    guard = serving.live.pools["office"].guard
    assert guard is not None
    for _ in range(50):
        guard.budget.earn()
    try:
        yield serving
    finally:
        await serving.close()


def at_last(count: int, first: bytes | Any = BUSY) -> Any:
    """A script that answers well when it is asked for the so-manieth time."""
    asked = [0]

    def talk(talk: Talk) -> None:
        talk.body()
        asked[0] += 1
        if asked[0] >= count:
            talk.send(answer(b"well"))
        elif isinstance(first, bytes):
            talk.send(first)
        else:
            first(talk)

    return talk


def retries(serving: Serving) -> int:
    guard = serving.live.pools["office"].guard
    assert guard is not None
    return guard.retries


async def test_a_busy_backend_is_asked_again(origin: Origin) -> None:
    """The client sees the answer of the last try, and no other."""
    origin.on("/a", at_last(3))
    async with insisting(origin) as serving:
        await serving.get("/a", until=b"well")
        assert (len(origin.seen("/a")), retries(serving)) == (3, 2)
        assert [each.status for each in seen(serving)] == [200]


async def test_a_connection_that_broke_is_no_answer(origin: Origin) -> None:
    """A safe request goes again when it ended before one byte came."""
    origin.on("/a", at_last(2, Talk.close))
    async with insisting(origin) as serving:
        await serving.get("/a", until=b"well")
        assert len(origin.seen("/a")) == 2


async def test_what_may_have_been_done_is_not_done_twice(origin: Origin) -> None:
    """A POST that may have arrived is answered for as it is; one that was not sent could go again."""
    origin.on("/a", at_last(2))
    async with insisting(origin) as serving:
        await serving.ask(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", b"busy")
        assert len(origin.seen("/a")) == 1


async def test_what_was_not_sent_goes_again_whatever_it_is(origin: Origin) -> None:
    """A backend that cannot be reached has done nothing."""
    origin.stop()
    async with insisting(origin) as serving:
        await serving.ask(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", b"502 ")
        assert retries(serving) == 2


async def test_a_body_goes_again_whole(origin: Origin) -> None:
    """PUT does no more when it comes twice; its body is held for that."""
    origin.on("/a", at_last(2))
    async with insisting(origin) as serving:
        await serving.ask(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", b"well")
        assert [each.body for each in origin.seen("/a")] == [b"hello", b"hello"]


async def test_a_large_body_is_sent_once(origin: Origin) -> None:
    """What is not held cannot go again."""
    origin.on("/a", at_last(2))
    async with insisting(origin) as serving:
        await serving.ask(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1_001, b"busy")
        assert len(origin.seen("/a")) == 1


async def test_an_outage_is_not_multiplied(origin: Origin) -> None:
    """Retries come out of a budget."""
    origin.on("/a", BUSY)
    async with insisting(origin) as serving:
        for _ in range(50):
            await serving.get("/a", until=b"busy")
        assert len(origin.seen("/a")) <= 50 + 10 + 10


async def test_what_the_backend_asks_for_is_obeyed(origin: Origin) -> None:
    """A Retry-After that is too long is passed on with its answer."""
    origin.on("/a", at_last(2, b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy"))
    origin.on("/b", b"HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 4\r\n\r\nbusy")
    async with insisting(origin) as serving:
        began = asyncio.get_running_loop().time()
        await serving.get("/a", until=b"well")
        assert asyncio.get_running_loop().time() - began >= 1.0
        await serving.get("/b", until=b"busy")
        assert len(origin.seen("/b")) == 1


async def test_nobody_tries_for_a_client_that_left(origin: Origin) -> None:
    """It went while the gateway waited for its second try."""
    origin.on("/a", BUSY)
    async with insisting(origin, POLICY._replace(backoff=1.5, attempts=2)) as serving:
        serving._writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: retries(serving) == 1)
        serving._writer.transport.abort()
        await until(lambda: bool(seen(serving)))
        assert (seen(serving)[0].error, len(origin.seen("/a"))) == ("client_gone", 1)


async def test_a_late_answer_is_asked_for_again_where_that_is_said(origin: Origin) -> None:
    """Not otherwise."""
    origin.on("/a", at_last(2, hang))
    origin.on("/b", at_last(2, hang))
    async with insisting(origin) as serving:
        await serving.get("/a", until=b"504 ")
    async with insisting(origin, POLICY._replace(on=("timeout",))) as serving:
        await serving.get("/b", until=b"well")


async def test_each_try_takes_a_slot(origin: Origin) -> None:
    """And gives it back."""
    origin.on("/a", at_last(3))
    async with insisting(origin, protect={"office": Protect(max_concurrent=1, queue=1)}) as serving:
        await serving.get("/a", until=b"well")
        guard = serving.live.pools["office"].guard
        assert guard is not None
        await until(lambda: guard.gate.under_way == 0)


async def test_all_tries_have_one_time_together(origin: Origin) -> None:
    """Each is told what is left of it; when it is over there is no other try."""

    def refuse(talk: Talk) -> None:
        talk.body()
        time.sleep(0.2)
        talk.send(answer(b"", status=503))

    origin.on("/a", refuse)
    policy = RetryPolicy(attempts=10, on=("503",), backoff=0.001, budget=1.0)
    timeout = (("total", 0.5),)
    async with insisting(origin, policy, timeout=timeout) as serving:
        await serving.get("/a", until=b"\r\n\r\n")
        told = [float(each.get("X-Request-Timeout") or 0) for each in origin.requests]
        assert 2 <= len(told) <= 4
        assert 0.4 < told[0] <= 0.5
        assert all(later < earlier - 0.15 for earlier, later in pairwise(told))
