"""A fragile backend: it does each request it was sent to its end, whoever still waits, and counts what it has to bear.

    python -m benchmarks.fragile --port 9100

GET /work/MS takes so many milliseconds. GET /told says how many requests there were, how many were under way at once at
most, and how many came within the busiest second. GET /busy is answered 503, and GET /reset not at all: its connection
ends.
"""

import asyncio
import json
import signal
from collections.abc import Sequence
from time import monotonic
from typing import cast

import uvloop

from benchmarks.common import parser, run


class Burden:
    """What the backend had to bear."""

    def __init__(self) -> None:
        self.under_way = 0
        self.most = 0
        self.came: list[float] = []
        self.copies = 0

    def begun(self, copied: bool) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.came.append(monotonic())
        self.copies += copied

    def done(self) -> None:
        self.under_way -= 1

    def told(self) -> dict[str, int]:
        return {
            "requests": len(self.came),
            "copies": self.copies,
            "most": self.most,
            "busiest_second": busiest(self.came, 1.0),
            "under_way": self.under_way,
        }


def busiest(instants: Sequence[float], seconds: float) -> int:
    """How many of these (in order) lie within the busiest window of so many seconds."""
    most = begin = 0
    for at, instant in enumerate(instants):
        while instant - instants[begin] >= seconds:
            begin += 1
        most = max(most, at + 1 - begin)
    return most


class Connection(asyncio.Protocol):
    """One connection. What was begun on it goes on when it is closed."""

    def __init__(self, burden: Burden) -> None:
        self._burden = burden
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1]
            if path == b"/told":
                self._answer(json.dumps(self._burden.told()).encode())
                continue
            self._burden.begun(b"\r\nx-banyan-shadow:" in head.lower())
            if path.startswith(b"/reset"):
                self._burden.done()
                self._transport.close()
                return
            if path.startswith(b"/busy"):
                self._burden.done()
                self._answer(b'{"done": false}', b"503 Service Unavailable")
                continue
            delay = int(path.rpartition(b"/")[2]) / 1e3 if path.startswith(b"/work/") else 0.0
            asyncio.get_running_loop().call_later(delay, self._done)

    def _done(self) -> None:
        self._burden.done()
        self._answer(b'{"done": true}')

    def _answer(self, body: bytes, status: bytes = b"200 OK") -> None:
        fields = b"Content-Type: application/json\r\nContent-Length: %d" % len(body)
        head = b"HTTP/1.1 %b\r\n%b\r\n\r\n" % (status, fields)
        if not self._transport.is_closing():
            self._transport.write(head + body)


async def serve(port: int) -> None:
    """Serve until told to end."""
    loop, burden, ended = asyncio.get_running_loop(), Burden(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = await loop.create_server(lambda: Connection(burden), "127.0.0.1", port, backlog=4_096)
    await ended.wait()
    server.close()


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "fragile")
    made.add_argument("--port", type=int, required=True)
    options = made.parse_args(arguments)
    uvloop.run(serve(options.port))
    return 0


if __name__ == "__main__":
    run(main)
