"""A backend for benchmarks: quick, on loopback, HTTP/1.1 with kept connections and bodies that have a length.

    python -m benchmarks.origin --name legacy --port 9100

GET /bytes/N answers N bytes at the reader's pace; anything else 250 bytes of JSON. `X-Origin` says who answered,
`X-Got` how long the request's body was. A body over 1 MiB is met by a pause, so that a proxy which keeps bodies shows.
"""

import asyncio
import signal
from collections.abc import Sequence
from typing import cast

import uvloop

from benchmarks.common import parser, run

SMALL = b'{"account":"12345","balance":"123.45","currency":"GBP","note":"' + b"n" * 185 + b'"}'
BLOCK = b"b" * 65_536
LARGE = 1_048_576
REST = 0.5


class Origin(asyncio.Protocol):
    """One connection."""

    def __init__(self, name: bytes, delay: float) -> None:
        self._name = name
        self._delay = delay
        self._buffer = b""
        self._missing = 0
        self._length = 0
        self._path = b""
        self._to_send = 0
        self._paused = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._missing:
            taken = min(self._missing, len(data))
            self._missing -= taken
            data = data[taken:]
            if not self._missing:
                self._read_whole()
        if data:
            self._buffer += data
        while not self._missing and b"\r\n\r\n" in self._buffer:
            self._read_head()

    def _read_head(self) -> None:
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        self._path = head.split(b" ", 2)[1]
        length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        self._length = int(length or 0)
        self._missing = max(0, self._length - len(rest))
        self._buffer = rest[self._length :]
        if not self._missing:
            self._read_whole()
        elif self._length > LARGE:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(REST, self._transport.resume_reading)

    def _read_whole(self) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        size = int(self._path[7:]) if self._path.startswith(b"/bytes/") else len(SMALL)
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
            b"X-Origin: %b\r\nX-Got: %d\r\n\r\n" % (size, self._name, self._length)
        )
        if not self._path.startswith(b"/bytes/"):
            self._transport.write(head + SMALL)
            return
        self._transport.write(head)
        self._to_send = size
        self._send()

    def _send(self) -> None:
        while self._to_send and not self._paused and not self._transport.is_closing():
            block = BLOCK[: self._to_send]
            self._to_send -= len(block)
            self._transport.write(block)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._send()


async def serve(name: str, port: int, delay: float) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    told_to_end = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told_to_end.set)
    await loop.create_server(lambda: Origin(name.encode(), delay), "127.0.0.1", port, backlog=4_096)
    await told_to_end.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "origin")
    made.add_argument("--name", default="legacy", help="what X-Origin says")
    made.add_argument("--port", type=int, required=True)
    made.add_argument("--delay-ms", type=float, default=0, help="how long an answer takes")
    options = made.parse_args(arguments)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(options.name, options.port, options.delay_ms / 1e3))
    return 0


if __name__ == "__main__":
    run(main)
