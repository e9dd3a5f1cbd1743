"""A client that has written reads where it wrote, for a while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.core.model import LEGACY, NEW, Serve, Sticky
from gateway.core.policies import Writes
from gateway.proxy import settling
from tests.support.origin import Origin
from tests.support.serving import Serving
from tests.support.values import route
from tests.wire.test_guarded import seen

COOKIE = Sticky("cookie", b"c")


@asynccontextmanager
async def serving(settle: float, sticky: Sticky = COOKIE) -> AsyncIterator[Serving]:
    """New serves the reads and legacy takes the writes of one journey with two routes."""
    with Origin() as legacy, Origin() as new:
        common: dict[str, Any] = {"serve": Serve.NEW, "journey": "rents", "sticky": sticky}
        write = route("POST /a", name="write", writes=Writes(LEGACY, settle), **common)
        read = route("GET /**", name="read", writes=Writes(LEGACY), **common)
        found = Serving({"office": legacy, "repairs": new}, write, read)
        await found.open()
        try:
            yield found
        finally:
            await found.close()


async def write(serving: Serving, *lines: str) -> None:
    fields = "".join(f"{line}\r\n" for line in ("Host: api.example", "Content-Length: 2", *lines))
    await serving.ask(f"POST /a HTTP/1.1\r\n{fields}\r\nhi".encode(), b"ok")


def sides(serving: Serving) -> list[str]:
    return [each.side for each in seen(serving)]


async def test_a_writer_reads_on_the_record() -> None:
    """On every route of the journey; nobody else does, and neither does whoever has only read."""
    async with serving(30) as found:
        await found.get("/b", "Cookie: c=1", until=b"ok")
        await write(found, "Cookie: c=1")
        await found.get("/b", "Cookie: c=1", until=b"ok")
        await found.get("/b", "Cookie: c=2", until=b"ok")
        await found.get("/b", until=b"ok")
        assert sides(found) == [NEW, LEGACY, LEGACY, NEW, NEW]


async def test_clients_may_be_known_by_their_address() -> None:
    """The key is whatever the route splits its clients by."""
    async with serving(30, Sticky("address")) as found:
        await write(found)
        await found.get("/b", until=b"ok")
        assert sides(found) == [LEGACY, LEGACY]


async def test_a_while_has_an_end() -> None:
    """Then the reads go where `serve` has them, and nothing is remembered of it."""
    async with serving(0.05) as found:
        await write(found, "Cookie: c=1")
        await asyncio.sleep(0.1)
        await found.get("/b", "Cookie: c=1", until=b"ok")
        assert sides(found) == [LEGACY, NEW]
        assert found.handler.settling.until == {}


async def test_what_is_over_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of clients that never come back; and of too many the oldest are."""
    async with serving(0.05) as found:
        monkeypatch.setattr(settling, "MOST", 2)
        for client in range(3):
            await write(found, f"Cookie: c={client}")
        assert [key for _, key in found.handler.settling.until] == [b"1", b"2"]
        await asyncio.sleep(0.1)
        found.handler.settling.tick()
        assert found.handler.settling.until == {}


async def test_a_writer_without_a_key_is_not_remembered() -> None:
    """There is nothing to know it by."""
    async with serving(30) as found:
        await write(found)
        assert found.handler.settling.until == {}
