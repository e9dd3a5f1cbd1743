"""HTTP/1.1 messages read strictly, for tests: what is not exactly right is an error here, never guessed at.

Both the test's client and its origin read with this, so that nothing the gateway bends can slip through unseen.
"""

import re
import socket
from typing import NamedTuple

Fields = list[tuple[bytes, bytes]]
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?(.*)", re.DOTALL)


class Incomplete(Exception):
    """The other side ended the connection in the middle of a message. `got` is what had come of its body."""

    def __init__(self, got: bytes = b"") -> None:
        self.got = got
        super().__init__(f"the connection ended in the middle of a message, after {got[-60:]!r}")


class Message(NamedTuple):
    """A request or an answer: its first line, its fields as they came, its body and trailers."""

    start: bytes
    fields: Fields
    body: bytes
    trailers: Fields

    @property
    def status(self) -> int:
        return int(self.start.split(b" ")[1])

    @property
    def method(self) -> str:
        return self.start.split(b" ")[0].decode()

    @property
    def target(self) -> str:
        return self.start.split(b" ")[1].decode("latin-1")

    def all(self, name: str) -> list[str]:
        """Every value of a field, in order."""
        wanted = name.lower().encode()
        return [value.decode("latin-1") for each, value in self.fields if each.lower() == wanted]

    def get(self, name: str) -> str | None:
        """The value of a field that must not be there twice."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None


class Reader:
    """Reads messages from a socket; `log` keeps the first bytes that came, whatever they were."""

    def __init__(self, sock: socket.socket, keep: int = 1 << 20) -> None:
        self.sock = sock
        self.log = bytearray()
        self._keep = keep
        self._buffer = bytearray()

    def _more(self) -> bool:
        data = self.sock.recv(262_144)
        self._buffer += data
        if len(self.log) < self._keep:
            self.log += data
        return bool(data)

    def until(self, mark: bytes) -> bytes:
        """Everything up to and with `mark`."""
        while (at := self._buffer.find(mark)) < 0:
            if not self._more():
                raise Incomplete(bytes(self._buffer))
        return self._taken(at + len(mark))

    def exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self._more():
                raise Incomplete(bytes(self._buffer))
        return self._taken(size)

    def some(self) -> bytes:
        """What comes next, at least one byte; empty when the connection has ended."""
        if not self._buffer:
            self._more()
        return self._taken(len(self._buffer))

    def rest(self) -> bytes:
        """Everything until the connection ends."""
        while self._more():
            pass
        return self._taken(len(self._buffer))

    def count(self, size: int) -> int:
        """Read `size` bytes (-1: all until the end) and keep none; how many there were."""
        seen = 0
        while size < 0 or seen < size:
            if not self._buffer and not self._more():
                break
            seen += len(self._taken(min(len(self._buffer), size - seen) if size >= 0 else len(self._buffer)))
        return seen

    def _taken(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    # -------------------------------------------------------------------------------------------- messages

    def head(self) -> Message:
        """A first line and its fields. Raises EOFError when the connection ended before anything came."""
        if not self._buffer and not self._more():
            raise EOFError
        start, *lines = self.until(b"\r\n\r\n")[:-4].split(b"\r\n")
        return Message(start, [_field(line) for line in lines], b"", [])

    def with_body(self, head: Message, *, head_only: bool = False) -> Message:
        """The message whose head is here, whole."""
        length, coding = head.get("content-length"), head.get("transfer-encoding")
        answer = head.start.startswith(b"HTTP/")
        if head_only or (answer and (head.status < 200 or head.status in (204, 304))):
            return head
        if coding is not None:
            assert coding == "chunked", f"framed by {coding}"
            assert length is None, "framed twice"
            return self._chunked(head)
        if length is not None:
            return head._replace(body=self.exactly(int(length)))
        return head._replace(body=self.rest()) if answer else head

    def _chunked(self, head: Message) -> Message:
        body = bytearray()
        try:
            while size := int(self.until(b"\r\n"), 16):
                body += self.exactly(size)
                assert self.exactly(2) == b"\r\n", "a chunk does not end where it said"
            trailers = []
            while (line := self.until(b"\r\n")) != b"\r\n":
                trailers.append(_field(line[:-2]))
        except Incomplete as error:
            raise Incomplete(bytes(body)) from error
        return head._replace(body=bytes(body), trailers=trailers)


def _field(line: bytes) -> tuple[bytes, bytes]:
    found = _FIELD.fullmatch(line)
    assert found is not None, f"not a field: {line!r}"
    return found[1], found[2]


def answer(body: bytes = b"ok", *fields: str, status: int = 200) -> bytes:
    """An answer with a Content-Length."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
