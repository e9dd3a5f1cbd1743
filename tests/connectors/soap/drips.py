"""Bodies that come in pieces, and that break off."""

from connectors.base import Answer
from gateway.wire.body import Body


class Dripping(Body):
    """A body whose pieces come one at a time; an error among them ends it."""

    __slots__ = ("_left", "asked")

    def __init__(self, *pieces: bytes | Exception) -> None:
        super().__init__(None)
        self._left = list(pieces)
        self.asked = 0

    async def next(self) -> bytes:
        self.asked += 1
        piece = self._left.pop(0) if self._left else b""
        if isinstance(piece, Exception):
            raise piece
        return piece

    async def peek(self, size: int) -> bytes:
        """As if all of it was here, but it still comes in its pieces."""
        return b"".join(piece for piece in self._left if isinstance(piece, bytes))[:size]


def in_pieces(data: bytes, size: int) -> Dripping:
    return Dripping(*(data[at : at + size] for at in range(0, len(data), size)))


async def all_of(body: Body) -> bytes:
    """A body, taken to its end."""
    data = b""
    while piece := await body.next():
        data += piece
    return data


async def content(answer: Answer) -> bytes:
    return await all_of(answer.body)


class Refusal(Exception):
    """What is raised for messages that are not taken."""
