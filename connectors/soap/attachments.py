"""Attachments on their way: the parts of a message that still arrives, put where they belong in one that is sent.

Nothing here holds an attachment. Its pieces are passed on as they come, at the pace of whoever takes them, because a
body of ours draws from the body it is made of only when somebody asks for more. What comes in another order than it is
needed is the exception: it is held, within a bound.
"""

from binascii import b2a_base64
from collections import Counter, deque
from collections.abc import AsyncIterator, Container, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from connectors.soap.marks import CID, Holed
from connectors.soap.multipart import Head, begun, ended
from connectors.soap.parts import Parts, Refuse
from gateway.wire.body import Body, too_large

OCTETS = "application/octet-stream"


class Drawn(Body):
    """A body that is made while it is taken, out of another one."""

    __slots__ = ("_source_pieces",)

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        super().__init__(None)
        self._source_pieces = pieces

    async def next(self) -> bytes:
        """The next piece that is not empty; empty at the end. Raises what the making of it raises."""
        async for piece in self._source_pieces:
            if piece:
                self.taken = self.received = self.taken + len(piece)
                return piece
        self.ended = True
        return b""


class Wanted(NamedTuple):
    """An attachment that is looked for by its `name`: its Content-ID, or in a form the field's.

    One that is `declared` is a part of the binding's, and the name is that part's.
    """

    name: str
    declared: bool = False


def referred(reference: str) -> Wanted:
    """What a reference means (RFC 2392: `cid:` and the Content-ID, percent-encoded)."""
    return Wanted(unquote(reference.strip().removeprefix(CID)))


class Finder:
    """Tells which of the attachments that are wanted a part is; each is found once."""

    def __init__(self, wanted: Mapping[int, Wanted], refuse: Refuse) -> None:
        self._missing = {each: number for number, each in wanted.items()}
        self._declared = deque(each for each in wanted.values() if each.declared)
        self._refuse = refuse

    def number_of(self, head: Head) -> int | None:
        """None for a part that nobody asked for. One that is declared need not say its name: then the order counts."""
        found = next((each for each in _meant(head) if each.name and each in self._missing), None)
        while found is None and self._declared:
            following = self._declared.popleft()
            found = following if following in self._missing else None
        return self._missing.pop(found) if found is not None else None

    def finish(self, needed: Container[int]) -> None:
        """No more parts will come. Raises what `refuse` makes if one of these numbers has not been found."""
        for each, number in self._missing.items():
            if number in needed:
                raise self.missing(each)

    def missing(self, wanted: Wanted) -> Exception:
        return self._refuse(f"The message has no part {wanted.name}.")


def _meant(head: Head) -> Iterator[Wanted]:
    """What a part may be, by all that it says (its id as in the WS-I Attachments Profile 1.0, section 3.8)."""
    yield from map(Wanted, (head.id, head.location))
    name = head.name
    yield Wanted(name)
    yield Wanted(unquote(head.id.partition("=")[0]), declared=True)
    yield Wanted(name, declared=True)


# ------------------------------------------------------------------------------------------------ into one text


async def filled(holed: Holed, wanted: Mapping[int, Wanted], parts: Parts, refuse: Refuse) -> AsyncIterator[bytes]:
    """A text, with the base64 of each attachment in its hole. `parts` stands behind the root.

    More may be `wanted` than there are holes for: it is known by its name then, and left out. What is mentioned again
    takes of the room for what is held each time, so that little cannot become very much.
    """
    uses = Counter(holed.holes)
    finder = Finder(wanted, refuse)
    held: dict[int, bytes] = {}
    for text, number in zip(holed.texts, holed.holes, strict=False):
        yield text
        uses[number] -= 1
        if number not in held:
            if not await _found(number, parts, finder, uses, held):
                raise finder.missing(wanted[number])
            if not uses[number]:
                async for piece in _base64(parts):
                    yield piece
                continue
            held[number] = await _held(parts)
        if uses[number]:
            parts.reserve(len(held[number]))
        yield held[number] if uses[number] else held.pop(number)
    yield holed.texts[-1]
    while await parts.next() is not None:
        pass


async def _found(number: int, parts: Parts, finder: Finder, uses: Mapping[int, int], held: dict[int, bytes]) -> bool:
    """Go to the part that is wanted now; those wanted later are held. Whether it is there."""
    while (head := await parts.next()) is not None:
        found = finder.number_of(head)
        if found == number:
            return True
        if found is not None and uses.get(found):
            held[found] = await _held(parts)
    return False


async def _held(parts: Parts) -> bytes:
    """The base64 of a part that cannot be passed on yet; made piece by piece, for a large one takes a while."""
    pieces = []
    async for piece in _base64(parts):
        parts.reserve(len(piece))
        pieces.append(piece)
    return b"".join(pieces)


async def _base64(parts: Parts) -> AsyncIterator[bytes]:
    """A part's bytes as base64, without line breaks."""
    rest = b""
    while piece := await parts.piece():
        piece = rest + piece
        even = len(piece) // 3 * 3
        rest = piece[even:]
        yield b2a_base64(memoryview(piece)[:even], newline=False)
    yield b2a_base64(rest, newline=False)


async def gathered(
    wanted: Mapping[int, Wanted], inside: Container[int], parts: Parts, most: int, refuse: Refuse
) -> dict[int, tuple[bytes, str]]:
    """All attachments that are wanted, with their types; those `inside` the envelope as base64.

    Raises ClientError for more than `most` bytes.
    """
    finder = Finder(wanted, refuse)
    found: dict[int, tuple[bytes, str]] = {}
    room = most
    while (head := await parts.next()) is not None:
        number = finder.number_of(head)
        if number is None:
            continue
        pieces = []
        async for piece in _base64(parts) if number in inside else _plain(parts):
            room -= len(piece)
            if room < 0:
                raise too_large(most)
            pieces.append(piece)
        found[number] = b"".join(pieces), _type_of(head)
    finder.finish(wanted)
    return found


async def _plain(parts: Parts) -> AsyncIterator[bytes]:
    while piece := await parts.piece():
        yield piece


# ------------------------------------------------------------------------------------------------ beside one text


class Piece(NamedTuple):
    """An attachment of a package that is here already: its Content-ID and what it is."""

    id: str
    data: bytes
    type: str = OCTETS


def begin(boundary: str, root: Sequence[tuple[str, str]], text: bytes, pieces: Sequence[Piece]) -> bytes:
    """A package up to its end, which may still get parts: the root, and the attachments that are here."""
    return b"".join(_opening(boundary, root, text, pieces))


def packed(boundary: str, root: Sequence[tuple[str, str]], text: bytes, pieces: Sequence[Piece]) -> list[bytes]:
    """A whole package, as texts that follow one another: each time that megabytes are joined takes milliseconds."""
    return [*_opening(boundary, root, text, pieces), ended(boundary)]


def _opening(boundary: str, root: Sequence[tuple[str, str]], text: bytes, pieces: Sequence[Piece]) -> list[bytes]:
    written = [begun(boundary, root)[2:], text]  # without the empty line in front
    for piece in pieces:
        written += (begun(boundary, _fields(piece.id, piece.type)), piece.data)
    return written


async def passed_on(
    start: bytes, boundary: str, wanted: Mapping[int, Wanted], ids: Mapping[int, str], parts: Parts, refuse: Refuse
) -> AsyncIterator[bytes]:
    """A package whose attachments arrive: `start` is what is here of it.

    `ids` are the Content-IDs that they get; what has none is left out.
    """
    finder = Finder(wanted, refuse)
    yield start
    while (head := await parts.next()) is not None:
        number = finder.number_of(head)
        if number is None or number not in ids:
            continue
        yield begun(boundary, _fields(ids[number], _type_of(head)))
        while piece := await parts.piece():
            yield piece
    finder.finish(ids)
    yield ended(boundary)


def _fields(content_id: str, content_type: str) -> Sequence[tuple[str, str]]:
    return (
        ("Content-Type", content_type),
        ("Content-Transfer-Encoding", "binary"),
        ("Content-ID", f"<{content_id}>"),
    )


def _type_of(head: Head) -> str:
    """A part's content type, if it is one line of plain characters."""
    given = head.fields.get("content-type", b"")
    return given.decode("ascii") if given.isascii() and given and given.decode("ascii").isprintable() else OCTETS
