"""The channel between control and data: plain values, pickled, each with its length before it.

It is a Unix socket in the data folder (mode 0600), so both ends belong to one user. Frames are handled one per turn of
the loop, so that a long table never holds up traffic.
"""

import asyncio
import os
import pickle
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

PROTOCOL = 6
SOCKET = "data.sock"
CONTROL_SOCKET = "control.sock"
SLICE = 25
"""Routes per message: about 2 ms of work for the data process."""
CONGESTED = 4_194_304
CAN_WAIT = 1_048_576
"""Bytes on their way beyond which only what matters most is sent."""
_LENGTH = struct.Struct(">I")
_PAUSE = 1_048_576

Message = tuple[Any, ...]


class Channel(asyncio.Protocol):
    """One end. `received` is called with each message, `lost` once when the other end is gone."""

    def __init__(self, received: Callable[["Channel", Message], None], lost: Callable[["Channel"], None]) -> None:
        self._received = received
        self._lost = lost
        self._buffer = bytearray()
        self._scheduled = False
        self._paused = False
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > _PAUSE and self._frame_size() is not None and not self._paused and self._transport:
            self._paused = True  # only with a whole frame in hand: a longer one could never end otherwise
            self._transport.pause_reading()
        self._schedule()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._writable.set()
        self._lost(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def writable(self) -> None:
        """Until the other end has taken most of what was sent, or is gone."""
        await self._writable.wait()

    @property
    def open(self) -> bool:
        return self._transport is not None

    def send(self, message: Message, most: int = CONGESTED) -> bool:
        """Send a message; False when the other end is gone or more than `most` bytes behind."""
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() > most:
            return False
        data = pickle.dumps(message, protocol=5)
        transport.write(_LENGTH.pack(len(data)) + data)
        return True

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _schedule(self) -> None:
        if not self._scheduled and self._frame_size() is not None:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._next)

    def _frame_size(self) -> int | None:
        """Bytes of the next whole frame; None while it is not all here."""
        if len(self._buffer) < _LENGTH.size:
            return None
        size = _LENGTH.size + int(_LENGTH.unpack_from(self._buffer)[0])
        return size if len(self._buffer) >= size else None

    def _next(self) -> None:
        self._scheduled = False
        size = self._frame_size()
        if size is None:
            return
        with memoryview(self._buffer) as view:
            message = pickle.loads(view[_LENGTH.size : size])
        del self._buffer[:size]
        few = len(self._buffer) < _PAUSE // 2 or self._frame_size() is None
        if self._paused and few and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        self._received(self, message)
        self._schedule()


# ------------------------------------------------------------------------------------------------ Unix sockets


class ShortPath:
    """A socket's path that is never too long for the kernel (108 bytes): through the folder's descriptor."""

    def __init__(self, path: Path) -> None:
        self._folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        self.path = f"/proc/self/fd/{self._folder}/{path.name}"

    def __enter__(self) -> str:
        return self.path

    def __exit__(self, *_: object) -> None:
        os.close(self._folder)


def listen_unix(path: Path) -> socket.socket:
    """A listening Unix socket, mode 0600, that takes the place of whatever had its name."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        with ShortPath(temporary) as short:
            listener.bind(short)
    finally:
        os.umask(before)
    listener.listen(16)
    temporary.rename(path)
    return listener


def connect_unix(path: Path) -> socket.socket:
    """A connection to a Unix socket. Raises OSError when nobody listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with ShortPath(path) as short:
            connection.connect(short)
    except OSError:
        connection.close()
        raise
    return connection
