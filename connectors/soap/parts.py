"""The parts of a multipart body that still arrives, one after the other: read as somebody asks for them, and not held.

Coding for transport (base64, quoted-printable) is undone on the way.
"""

from asyncio import sleep
from binascii import a2b_base64, a2b_qp
from collections import deque
from collections.abc import Callable
from typing import Protocol

from connectors.soap.fitting import SPACE
from connectors.soap.multipart import End, Event, Head, MultipartRefused, Reader
from gateway.wire.body import Body

OUT_OF_ORDER = (
    "The message's attachments come in another order than they are needed in, or are needed several times, and are too "
    "large to be held."
)
LONGEST_EPILOGUE = 65_536
SLICE = 32_768
"""Bytes that are looked through at once."""
_LONGEST_LINE = 65_536
Refuse = Callable[[str], Exception]
"""Makes the error for a message that cannot be used, out of words for a person."""


class Parts:
    """The parts of a body. At most `room` bytes are held of those that come before they are wanted."""

    def __init__(self, body: Body, boundary: str, room: int, refuse: Refuse) -> None:
        """Raises what `refuse` makes, as everything here does."""
        self.room = room
        self._body = body
        self._refuse = refuse
        self._events: deque[Event] = deque()
        self._earlier: deque[tuple[Head, bytes]] = deque()
        self._kept = b""
        self._unread = memoryview(b"")
        self._inside = False
        self._undo: Undo = AsItIs()
        try:
            self._reader = Reader(boundary)
        except MultipartRefused as refused:
            raise refuse(str(refused)) from refused

    async def root(self, is_root: Callable[[Head], bool]) -> Head:
        """Go to the part that everything else hangs on; what comes before it is held, and comes after it."""
        earlier: list[tuple[Head, bytes]] = []
        while (head := await self.next()) is not None:
            if is_root(head):
                self._earlier.extend(earlier)
                return head
            earlier.append((head, await self.hold()))
        raise self._refuse("The message has no part that is its root.")

    async def next(self) -> Head | None:
        """The next part's head, whatever is left of the one before; None behind the last."""
        while self._inside and not isinstance(await self._event(), End):
            pass
        self._inside, self._kept = False, b""
        if self._earlier:
            head, self._kept = self._earlier.popleft()
            return head
        event = await self._event()
        if not isinstance(event, Head):
            return None
        self._inside, self._undo = True, self._undoing(event)
        return event

    async def piece(self) -> bytes:
        """The next bytes of the part; empty at its end."""
        if self._kept:
            kept, self._kept = self._kept, b""
            return kept
        while self._inside:
            event = await self._event()
            self._inside = isinstance(event, bytes)
            try:
                data = self._undo.feed(event) if isinstance(event, bytes) else self._undo.end()
            except ValueError as error:
                raise self._refuse("A part of the message is not coded as it says.") from error
            if data:
                return data
        return b""

    async def whole(self, most: int) -> bytes | None:
        """All of the part; None when that is more than `most` bytes."""
        pieces, size = [], 0
        while piece := await self.piece():
            size += len(piece)
            if size > most:
                return None
            pieces.append(piece)
        return b"".join(pieces)

    async def hold(self) -> bytes:
        """All of a part that comes before it is wanted."""
        pieces = []
        while piece := await self.piece():
            self.reserve(len(piece))
            pieces.append(piece)
        return b"".join(pieces)

    def reserve(self, size: int) -> None:
        """Take of the room that there is for what has to be held."""
        self.room -= size
        if self.room < 0:
            raise self._refuse(OUT_OF_ORDER)

    # -------------------------------------------------------------------------------------------- below

    async def _event(self) -> Event | None:
        """The next of what the reader finds; None when nothing can come any more."""
        while not self._events:
            data = b"" if self._reader.ended else await self._data()
            try:
                if not data:
                    self._reader.finish()
                    await self._epilogue()
                    return None
                self._events.extend(self._reader.feed(data))
            except MultipartRefused as refused:
                raise self._refuse(str(refused)) from refused
        return self._events.popleft()

    async def _data(self) -> bytes:
        """The next bytes of the body, little at a time: others are let in between, whatever is in them."""
        if self._unread:
            await sleep(0)
        else:
            self._unread = memoryview(await self._body.next())
        data, self._unread = self._unread[:SLICE], self._unread[SLICE:]
        return bytes(data)

    async def _epilogue(self) -> None:
        """Read the body to its end, where nothing matters but that there is one."""
        size = 0
        while piece := await self._body.next():
            size += len(piece)
            if size > LONGEST_EPILOGUE:
                raise self._refuse("The message goes on behind its last part.")

    def _undoing(self, head: Head) -> "Undo":
        made = UNDO.get(head.encoding)
        if made is None:
            raise self._refuse("A part of the message has a Content-Transfer-Encoding that is not understood.")
        return made()


# ------------------------------------------------------------------------------------------------ transport coding


class Undo(Protocol):
    """Undoes a Content-Transfer-Encoding, piece by piece. Raises ValueError."""

    def feed(self, data: bytes) -> bytes: ...

    def end(self) -> bytes: ...


class AsItIs:
    """No coding at all (RFC 2045, section 6.2: 7bit, 8bit, binary)."""

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> bytes:
        return b""


class Base64:
    """Base64 in lines (RFC 2045, section 6.8)."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        data = self._rest + data.translate(None, SPACE.encode())
        even = len(data) // 4 * 4
        self._rest = data[even:]
        return a2b_base64(data[:even], strict_mode=True) if even else b""

    def end(self) -> bytes:
        return a2b_base64(self._rest, strict_mode=True) if self._rest else b""


class QuotedPrintable:
    """Lines in which some bytes are `=XX` (RFC 2045, section 6.7)."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        data = self._rest + data
        lines = data.rfind(b"\n") + 1
        self._rest = data[lines:]
        if len(self._rest) > _LONGEST_LINE:
            raise ValueError("a line is too long")
        return a2b_qp(data[:lines])

    def end(self) -> bytes:
        return a2b_qp(self._rest)


UNDO: dict[str, Callable[[], Undo]] = {
    "": AsItIs,
    "binary": AsItIs,
    "8bit": AsItIs,
    "7bit": AsItIs,
    "base64": Base64,
    "quoted-printable": QuotedPrintable,
}
