"""The two sides of writes, in the benchmark's own process: each has a ledger of what it has done, and fails when told.

A write is `POST /PLACE/KEY?ref=NUMBER`. What a side does while it fails is a mood: `down` (nobody listens), `hangs`
(does nothing and says nothing), `cuts` (does it, and resets in the middle of the answer), `lies` (does it, and answers
500), `fails` (does nothing, and answers 500). An answer comes after a few milliseconds, in which much can be killed.
"""

import asyncio
import threading
from collections.abc import Coroutine
from functools import partial
from time import time
from types import TracebackType
from typing import Literal, NamedTuple, Self, cast

Mood = Literal["well", "down", "hangs", "cuts", "lies", "fails"]
TAKES = 0.003
"""Seconds from a request to its answer."""
Write = tuple[str, int]
"""A key and a number: each is written once."""


class Done(NamedTuple):
    """A write that a side has done: under which `Idempotency-Key`, and when (Unix seconds)."""

    write: Write
    token: str
    at: float


class Ledger:
    """What one side has done, in order, also what it did twice."""

    def __init__(self) -> None:
        self.port = 0
        self.mood: Mood = "well"
        self.done: list[Done] = []

    def has(self, write: Write) -> bool:
        return any(each.write == write for each in self.done)

    def made(self) -> dict[Write, int]:
        """Each write with its place in the order in which they were first done."""
        found: dict[Write, int] = {}
        for each in self.done:
            found.setdefault(each.write, len(found))
        return found


class _Connection(asyncio.Protocol):
    """A kept connection, one request after the other."""

    def __init__(self, ledger: Ledger, open_ones: "dict[asyncio.Transport, Ledger]") -> None:
        self._ledger = ledger
        self._open = open_ones
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._open[self._transport] = self._ledger
        if self._ledger.mood == "down":
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._open.pop(self._transport, None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            size = int(fields.get(b"content-length", b"0"))
            if len(rest) < size:
                return
            self._buffer = rest[size:]
            asyncio.get_running_loop().call_later(TAKES, self._answer, head, fields)

    def _answer(self, head: bytes, fields: dict[bytes, bytes]) -> None:
        mood = self._ledger.mood
        if mood in ("hangs", "down") or self._transport.is_closing():
            return
        if mood != "fails":
            path, _, number = head.split(b" ", 2)[1].decode("ascii").partition("?ref=")
            token = fields.get(b"idempotency-key", b"").decode("ascii")
            self._ledger.done.append(Done((path, int(number)), token, time()))
        if mood == "cuts":
            self._transport.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhalf")
            self._transport.abort()
            return
        status = b"201 Created" if mood == "well" else b"500 Failed"
        self._transport.write(b"HTTP/1.1 %b\r\nContent-Length: 4\r\n\r\ndone" % status)


class Ledgers:
    """Both sides, listening for as long as the `with` block runs, on a thread of their own."""

    def __init__(self) -> None:
        self.legacy, self.new = Ledger(), Ledger()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._servers: dict[Ledger, asyncio.Server] = {}
        self._open: dict[asyncio.Transport, Ledger] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        for ledger in (self.legacy, self.new):
            self._do(self._listen(ledger))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def feel(self, ledger: Ledger, mood: Mood) -> None:
        """Have a side be like that from now on."""
        self._do(self._turn(ledger, mood))

    def _do(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _turn(self, ledger: Ledger, mood: Mood) -> None:
        before, ledger.mood = ledger.mood, mood
        if mood == "down":
            self._servers.pop(ledger).close()
        if mood == "down" or before == "hangs":
            for transport in [each for each, whose in self._open.items() if whose is ledger]:
                transport.abort()
        if before == "down" and mood != "down":
            await self._listen(ledger)

    async def _listen(self, ledger: Ledger) -> None:
        made = partial(_Connection, ledger, self._open)
        server = await self._loop.create_server(made, "127.0.0.1", ledger.port, backlog=1_024)
        ledger.port = server.sockets[0].getsockname()[1]
        self._servers[ledger] = server

    async def _end(self) -> None:
        for server in self._servers.values():
            server.close()
        for transport in list(self._open):
            transport.abort()
        await asyncio.sleep(0)  # the sockets are closed in the next turn
