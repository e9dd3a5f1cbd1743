"""A backend that is closed for maintenance is left alone: writes wait or are refused, reads fall back if they may."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.core.model import Serve
from gateway.core.policies import Closed, Maintenance, Writes
from gateway.core.writing import Intent
from tests.support.origin import Origin
from tests.support.serving import Serving
from tests.support.values import route
from tests.wire.test_guarded import seen

ALWAYS = Maintenance((Closed(0, 1_440),))
NEVER = Maintenance((Closed(0, 1, ()),))


@pytest.fixture
def legacy() -> Iterator[Origin]:
    with Origin() as found:
        yield found


@asynccontextmanager
async def closed(legacy: Origin, maintenance: Maintenance = ALWAYS, **more: Any) -> AsyncIterator[Serving]:
    with Origin() as new:
        given = route("ANY /**", **({"serve": Serve.LEGACY} | more))
        found = Serving({"office": legacy, "repairs": new}, given, maintained={"office": maintenance})
        await found.open()
        try:
            yield found
        finally:
            await found.close()


async def test_nothing_is_sent_to_what_is_closed(legacy: Origin) -> None:
    """Whoever asks is told so, and when it will be open."""
    async with closed(legacy) as found:
        await found.get("/a", until=b"The service behind this address is closed for maintenance.")
        [mine] = seen(found)
        assert (mine.status, mine.outcome, mine.error) == (503, "refused", "maintenance")
        assert legacy.requests == []
        await found.get("/a", until=b"Retry-After: ")
        [guard] = found.live.guards
        assert guard.told[4] > time.time() + 86_400


async def test_what_is_open_serves(legacy: Origin) -> None:
    """Windows that are not on change nothing."""
    async with closed(legacy, NEVER) as found:
        await found.get("/a", until=b"ok")
        [guard] = found.live.guards
        assert guard.told[4] == 0


async def test_reads_fall_back(legacy: Origin) -> None:
    """Nothing was sent, so the other side may answer."""
    async with closed(legacy, fallback=True) as found:
        await found.get("/a", until=b"ok")
        assert [(each.side, each.status) for each in seen(found)] == [("legacy", 0), ("new", 200)]


async def test_writes_wait_for_the_end(legacy: Origin) -> None:
    """Where the route says so: they are stored at once."""
    async with closed(legacy, writes=Writes(queue=True)) as found:
        await found.ask(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", b'"state": "accepted"')
        [intent] = found.asked
        assert isinstance(intent, Intent)
        assert intent.queue == "now"


async def test_it_is_looked_at_once_a_minute(legacy: Origin) -> None:
    """And anew where the file or the clock was changed."""
    async with closed(legacy, NEVER) as found:
        [guard] = found.live.guards
        now = 1_000_000.0
        assert guard.closed_until(now) is None
        guard.follow(None, None, ALWAYS)
        until = guard.closed_until(now)
        assert until is not None
        guard.maintenance = NEVER
        assert guard.closed_until(now + 1) == until
        assert guard.closed_until(now + 60) is None
        guard.maintenance = ALWAYS
        assert guard.closed_until(now - 100) == until
