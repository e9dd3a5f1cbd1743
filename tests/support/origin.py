"""A backend that does what a test tells it to, and remembers exactly what it was sent.

It speaks through plain sockets in threads of its own, so that it can break every rule: answer early, late, in pieces,
twice, not at all, or with a reset.
"""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

from tests.support.messages import Incomplete, Message, Reader, answer

PATIENCE = 15.0


class Talk:
    """One request that an origin is answering. `connection` counts the origin's connections from 0."""

    def __init__(self, sock: socket.socket, reader: Reader, head: Message, connection: int) -> None:
        self.sock = sock
        self.reader = reader
        self.request = head
        self.connection = connection
        self.body_read = False

    def body(self) -> bytes:
        """The request's body; waits until all of it has come."""
        if not self.body_read:
            self.body_read = True
            self.request = self.reader.with_body(self.request)
        return self.request.body

    def skip_body(self, size: int) -> int:
        """Read this much of the body and keep none of it."""
        self.body_read = True
        return self.reader.count(size)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def close(self) -> None:
        """End the connection in an orderly way; what was sent still arrives."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = bytes | Callable[[Talk], None]


class Origin:
    """A listening backend. Scripts are chosen by the path of the request; others get a plain 200 answer."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", unix: Path | None = None) -> None:
        self.requests: list[Message] = []
        self.readers: list[Reader] = []
        self.cut_off: list[str] = []
        self._running: list[str] = []
        self._scripts: dict[str, Script] = {}
        self._tls = tls
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._stopping = False
        if unix is not None:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(unix))
            self._listener.listen(128)
            self.port = 0
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listener = socket.create_server((host, 0), family=family, backlog=512)
            self.port = int(self._listener.getsockname()[1])
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self._stopping = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(5)
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    # -------------------------------------------------------------------------------------------- what a test uses

    def on(self, path: str, script: Script) -> None:
        """From now on, answer requests for this path (without its query) so."""
        self._scripts[path] = script

    def seen(self, path: str) -> list[Message]:
        """The requests for this path, in the order in which they were finished; those under way may still finish."""
        eventually(lambda: path not in self._running, 0.5)
        return [each for each in list(self.requests) if _path(each) == path]

    @property
    def busy(self) -> int:
        """How many requests are being answered."""
        return len(self._running)

    def received(self) -> bytes:
        """Every byte that came, one connection after the other (the first megabyte of each)."""
        return b"".join(bytes(reader.log) for reader in self.readers)

    def was_cut_off(self, path: str, within: float = 3.0) -> bool:
        """Whether the gateway ends the connection while a request for this path is being answered."""
        return eventually(lambda: path in self.cut_off, within)

    # -------------------------------------------------------------------------------------------- serving

    def _accept(self) -> None:
        while not self._stopping:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(PATIENCE)
            self._sockets.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        path = ""
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
            reader = Reader(sock)
            number = len(self.readers)
            self.readers.append(reader)
            while True:
                path = ""
                talk = Talk(sock, reader, reader.head(), number)
                path = _path(talk.request)
                self._converse(talk, path)
        except (OSError, EOFError, Incomplete):
            if path and not self._stopping:
                self.cut_off.append(path)
        finally:
            sock.close()

    def _converse(self, talk: Talk, path: str) -> None:
        script = self._scripts.get(path, answer())
        self._running.append(path)
        try:
            if isinstance(script, bytes):
                talk.body()
                self.requests.append(talk.request)
                talk.send(script)
                return
            script(talk)
            if not talk.body_read and talk.sock.fileno() >= 0:
                talk.body()
        finally:
            if not isinstance(script, bytes):
                self.requests.append(talk.request)
            self._running.remove(path)


def hang(talk: Talk) -> None:
    """A script that never answers: it waits until the connection ends."""
    talk.skip_body(1)


def _path(message: Message) -> str:
    return message.target.partition("?")[0]


def eventually(holds: Callable[[], bool], within: float = 3.0) -> bool:
    """Whether something becomes true in time."""
    deadline = monotonic() + within
    while not holds():
        if monotonic() > deadline:
            return False
        sleep(0.02)
    return True
