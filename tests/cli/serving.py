"""A small server on a free port of the loopback, in a thread, for commands that fetch or call something."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextmanager
def served(handler: Handler) -> Iterator[str]:
    """The address of a server that answers everything by `handler`, while it is needed."""
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[int] = []

    async def serve() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        found.append(runner.addresses[0][1])
        ready.set()
        await stop.wait()
        server = runner.server
        assert server is not None
        connections = list(server.connections)
        await runner.cleanup()
        for connection in (*connections, *server.connections):  # also those that never asked, or do not read
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0.05)  # connections end in the turns after they were told to

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http://127.0.0.1:{found[0]}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
