"""Multipart messages (RFC 2046, section 5.1), read from pieces as they come and written part by part.

The reader is a small machine that never waits and never holds more than a part's head or what may be the beginning of a
boundary: how the bytes were cut on their way changes nothing about what it finds. Lines may end with LF alone, and a
line that merely begins like a boundary is data. What is inside a part is nobody's business here.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

LONGEST_HEAD = 16_384
"""Bytes of one part's head."""
MOST_PARTS = 1_000
_LONGEST_BOUNDARY = 70
_PADDING = 64
"""White space that may stand behind a boundary in its line."""
_CLOSE = rb"(?:(--|[ \t]{0,%d}\r?\n)|(?:-|[ \t]{0,%d}\r?)\Z)" % (_PADDING, _PADDING)
"""What follows a boundary in its line; or what may become that, at the end of what has come."""
_LONGEST_VALUE = 1_000
"""Bytes of a field that are looked into for parameters."""
_HEAD_END = re.compile(rb"(?:\A|\n)\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:(.*)$", re.MULTILINE)
_PARAMETER = re.compile(rb'[ \t]*;[ \t]*([^=;\s"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))')
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)


class MultipartRefused(Exception):
    """A multipart message that is not taken; says why in words for its author."""


class MediaType(NamedTuple):
    """A content type in lower case, and its parameters, whose names are in lower case too."""

    name: str
    parameters: dict[str, str]


class Head(NamedTuple):
    """A part's head: fields by their names in lower case, of several alike the first."""

    fields: dict[str, bytes]

    @property
    def id(self) -> str:
        """The Content-ID without its brackets."""
        return bare_id(self.fields.get("content-id", b"").decode("latin-1"))

    @property
    def location(self) -> str:
        return self.fields.get("content-location", b"").decode("latin-1")

    @property
    def name(self) -> str:
        """What a part of form-data, or of some old stacks' attachments, is called."""
        of_form = media_type(self.fields.get("content-disposition", b"")).parameters.get("name")
        return of_form or media_type(self.fields.get("content-type", b"")).parameters.get("name", "")

    @property
    def is_file(self) -> bool:
        """Whether a part of form-data is a file."""
        parameters = media_type(self.fields.get("content-disposition", b"")).parameters
        return "filename" in parameters or "filename*" in parameters

    @property
    def encoding(self) -> str:
        return self.fields.get("content-transfer-encoding", b"binary").decode("latin-1").strip().lower()


class End(NamedTuple):
    """A part has come to its end."""


END = End()
Event = Head | bytes | End
"""What is found, in order: a part's head, its data in pieces, its end."""


class Reader:
    """Finds the parts in a message. Raises MultipartRefused for what is none, or has too much of anything."""

    def __init__(self, boundary: str) -> None:
        mark = boundary.encode("latin-1", "replace")
        if not 0 < len(mark) <= _LONGEST_BOUNDARY:
            raise MultipartRefused("The message does not say which boundary is between its parts.")
        self._line = b"\n--" + mark
        self._kept = len(self._line) + 1
        self._boundary = re.compile(re.escape(self._line) + _CLOSE)
        self._buffer = b"\n"  # so that a boundary in the very first line is like any other
        self._skip = 1
        self._read: Callable[[list[Event]], bool] = self._preamble
        self._parts = 0
        self.ended = False

    def feed(self, data: bytes) -> list[Event]:
        """What these bytes bring to light."""
        self._buffer += data
        found: list[Event] = []
        while not self.ended and self._read(found):
            pass
        if self.ended:
            self._buffer = b""
        return found

    def finish(self) -> None:
        """No more bytes will come."""
        if not self.ended:
            raise MultipartRefused("The message ends before its last part does.")

    # Each state takes what it can from the buffer, and tells whether another may go on.

    def _preamble(self, _found: list[Event]) -> bool:
        return self._part([])

    def _part(self, found: list[Event]) -> bool:
        """Data until the next boundary; as long as none is there, all but what may be the beginning of one."""
        buffer, at = self._buffer, self._buffer.find(self._line)
        boundary = None if at < 0 else self._boundary.search(buffer, at)
        if boundary is None:
            self._give(found, max(len(buffer) - self._kept, 0))
            return False
        at = boundary.start()
        if boundary[1] is None:  # whether it is one is still to come
            self._give(found, max(at - 1, 0))
            return False
        self._give(found, at - 1 if buffer[at - 1 : at] == b"\r" and at > self._skip else at)
        self._begin(boundary, found)
        return True

    def _give(self, found: list[Event], to: int) -> None:
        """Hand on the buffer's bytes before `to`."""
        if to > self._skip:
            found.append(self._buffer[self._skip : to])
        self._buffer, self._skip = self._buffer[to:], max(self._skip - to, 0)

    def _begin(self, boundary: "re.Match[bytes]", found: list[Event]) -> None:
        """Behind a boundary: another part's head, or nothing that matters."""
        if self._read == self._part:
            found.append(END)
        self._buffer, self._skip = boundary.string[boundary.end() :], 0
        self.ended = boundary[1] == b"--"
        self._read = self._head
        self._parts += 1
        if self._parts > MOST_PARTS and not self.ended:
            raise MultipartRefused(f"The message has more than {MOST_PARTS} parts.")

    def _head(self, found: list[Event]) -> bool:
        blank = _HEAD_END.search(self._buffer, 0, LONGEST_HEAD)
        if blank is None:
            if len(self._buffer) >= LONGEST_HEAD:
                raise MultipartRefused("The head of one of the message's parts is too long.")
            return False
        lines = _FOLD.sub(b" ", self._buffer[: blank.start() + 1])
        found.append(Head({name.decode().lower(): value.strip() for name, value in reversed(_FIELD.findall(lines))}))
        self._buffer, self._skip = self._buffer[blank.end() - 1 :], 1  # its line's end may be that before a boundary
        self._read = self._part
        return True


# ------------------------------------------------------------------------------------------------ fields


def media_type(value: bytes) -> MediaType:
    """A Content-Type, or another field that is a word with parameters."""
    value = value[:_LONGEST_VALUE]
    name, _, _ = value.partition(b";")
    parameters: dict[str, str] = {}
    for key, quoted, token in _PARAMETER.findall(value[len(name) :]):
        text = _ESCAPE.sub(rb"\1", quoted) if quoted else token
        parameters.setdefault(key.decode("latin-1").lower(), text.decode("latin-1"))
    return MediaType(name.strip().lower().decode("latin-1"), parameters)


def bare_id(text: str) -> str:
    """A Content-ID without its brackets (RFC 2392, section 2)."""
    text = text.strip()
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


# ------------------------------------------------------------------------------------------------ writing


def begun(boundary: str, fields: Sequence[tuple[str, str]]) -> bytes:
    """What stands before a part's data. The first part's has a line's end too much, which is an empty preamble."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"\r\n--{boundary}\r\n{lines}\r\n".encode("latin-1")


def ended(boundary: str) -> bytes:
    """What stands behind the last part's data."""
    return f"\r\n--{boundary}--\r\n".encode("latin-1")
