"""The two sides of ramps, in the benchmark's own process: origins that can be told to turn bad, and that note when.

An answer is the account that was asked for. A bad one names another balance (`wrong`) or is a 500 (`fails`). A place is
the first part of a path, so that routes turn bad one by one; live requests are told apart from copies.
"""

import asyncio
import threading
from collections import Counter
from functools import partial
from time import time
from types import TracebackType
from typing import Literal, Self, cast

Bad = Literal["wrong", "fails"]


class Side:
    """One side: what it was told to do, and what it noted, by place. Instants are Unix seconds.

    `live` is when the last live request came, `count` how many did, `bad` when each account first got a bad answer.
    """

    def __init__(self) -> None:
        self.port = 0
        self.live: dict[str, float] = {}
        self.count: Counter[str] = Counter()
        self.bad: dict[str, dict[str, float]] = {}
        self._turned: dict[str, Bad] = {}

    def turn(self, place: str, how: Bad) -> None:
        """From now on, whatever is asked there gets a bad answer."""
        self._turned[place] = how

    def answer(self, path: str, copied: bool) -> bytes:
        """What a request is answered, and noted."""
        place, _, account = path.removeprefix("/").partition("/")
        if not copied:
            self.live[place] = time()
            self.count[place] += 1
        how = self._turned.get(place)
        if how is not None:
            self.bad.setdefault(place, {}).setdefault(account, time())
        status = "500 Internal Server Error" if how == "fails" else "200 OK"
        balance = "123.46" if how == "wrong" else "123.45"
        body = f'{{"account":"{account}","balance":"{balance}","currency":"GBP"}}'
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return (head + body).encode()


class _Connection(asyncio.Protocol):
    """A kept connection, one GET after the other."""

    def __init__(self, side: Side, open_ones: set[asyncio.Transport]) -> None:
        self._side = side
        self._open = open_ones
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._open.add(self._transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode("ascii")
            self._transport.write(self._side.answer(path, b"\r\nx-banyan-shadow:" in head.lower()))


class Sides:
    """Both sides, listening for as long as the `with` block runs, on a thread of their own."""

    def __init__(self) -> None:
        self.legacy, self.new = Side(), Side()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.Transport] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        for side in (self.legacy, self.new):
            server = await self._loop.create_server(partial(_Connection, side, self._open), "127.0.0.1", backlog=1_024)
            side.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for transport in self._open:
            transport.abort()
        await asyncio.sleep(0)  # the sockets are closed in the next turn
