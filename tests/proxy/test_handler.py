"""One request, from top to bottom: on real sockets, but within this process, to see what it leaves behind."""

import gc
from collections.abc import AsyncIterator

import pytest

from tests.support.origin import Origin
from tests.support.serving import Serving
from tests.support.values import route


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    with Origin() as origin:
        running = Serving({"office": origin, "repairs": origin}, route("ANY /a"))
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
