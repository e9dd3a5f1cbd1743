"""One request, from top to bottom: on real sockets, but within this process, to see what it leaves behind."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from gateway.core.model import Backend, Gateway, Observation, Observed, Route
from gateway.proxy.handler import Handler
from gateway.proxy.live import LiveBuilder
from gateway.proxy.recorder import Recorder
from gateway.wire.clock import Clock
from gateway.wire.server import Server, Settings
from tests.support.origin import Origin
from tests.support.values import route


class Serving:
    """A handler that serves one route from an origin, and a client's connection to it."""

    def __init__(self, origin: Origin, served: Route) -> None:
        self.seen: list[Observation] = []
        self._origin = origin
        self._served = served

    async def open(self) -> None:
        gateway, clock = Gateway(served_by=False), Clock()
        sides = (side for side in (self._served.legacy, self._served.new) if side is not None)
        backends = [
            Backend(side.backend, "127.0.0.1", self._origin.port, authority=b"127.0.0.1:%d" % self._origin.port)
            for side in sides
        ]
        builder = LiveBuilder(1, "d1ge57", gateway, backends, None, clock)
        await builder.add([self._served])
        self.recorder = Recorder(self._take)
        settings = Settings(gateway.limits, gateway.timeout, gateway.keep_alive, lambda _: False)
        self.server = Server(Handler(builder.live, self.recorder).serve, settings, clock)
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self.server.accept, "127.0.0.1", 0)
        port = self._listening.sockets[0].getsockname()[1]
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(self, head: bytes, answer: bytes) -> None:
        """Send a request, and read until what was to come has come."""
        self._writer.write(head)
        async with asyncio.timeout(10):
            await self._reader.readuntil(answer)

    async def close(self) -> None:
        self._writer.close()
        self._listening.close()
        self.server.abort_all()
        await asyncio.sleep(0.01)

    def _take(self, batch: list[Observed]) -> bool:
        self.seen += map(Observation._make, batch)
        return True


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    with Origin() as origin:
        running = Serving(origin, route("ANY /a"))
        await running.open()
        yield running
        await running.close()


@pytest.mark.parametrize("head", [b"GET /a HTTP/1.1\r\n", b"POST /a HTTP/1.1\r\nContent-Length: 0\r\n"])
async def test_a_request_leaves_nothing_to_collect(serving: Serving, head: bytes) -> None:
    """No object of it is part of a circle: the collector would have to find them, and traffic would wait for it."""
    asked = head + b"Host: api.example\r\nCookie: session=1\r\n\r\n"
    for _ in range(20):
        await serving.ask(asked, b"ok")
    gc.collect()
    gc.disable()
    try:
        for _ in range(200):
            await serving.ask(asked, b"ok")
        found = gc.collect()
    finally:
        gc.enable()
    assert found < 200


async def test_each_request_is_observed_once(serving: Serving) -> None:
    """With the side that answered, and what became of it; what no backend was asked about has no side."""
    await serving.ask(b"GET /a HTTP/1.1\r\nHost: api.example\r\n\r\n", b"ok")
    await serving.ask(b"GET /b HTTP/1.1\r\nHost: api.example\r\n\r\n", b"}")
    await serving.ask(b"OPTIONS * HTTP/1.1\r\nHost: api.example\r\n\r\n", b"\r\n\r\n")
    serving.recorder.flush()
    assert [(each.route, each.side, each.status, each.outcome, each.path) for each in serving.seen] == [
        ("ANY /a", "legacy", 200, "ok", b"/a"),
        ("", "", 404, "refused", b"/b"),
        ("", "", 204, "ok", b"*"),
    ]
