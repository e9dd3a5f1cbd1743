"""The one type for all that comes: a request's body or an answer's, whole or still arriving.

The connection feeds it; whoever sends it on takes pieces out. It holds little: when it is fuller than its mark it asks
its source to stop reading, and to go on once it has been emptied. What was captured can be replayed from the start.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from gateway.errors import ClientError
from gateway.wire.driver import Signal

HIGH_MARK = 262_144
Fields = Sequence[tuple[bytes, bytes]]


class Source(Protocol):
    """Where a body comes from."""

    def pause_body(self) -> None: ...

    def resume_body(self) -> None: ...


class Body:
    """A body. `received` counts bytes that came, at most `limit` of them (0: no bound); `ended` that all did; `sent`
    whether any of it was handed on."""

    __slots__ = (
        "_arrived",
        "_buffered",
        "_captured",
        "_error",
        "_mark",
        "_paused",
        "_pieces",
        "_source",
        "ended",
        "limit",
        "received",
        "sent",
        "trailers",
    )

    def __init__(self, source: Source | None, *, mark: int = HIGH_MARK) -> None:
        self.received = 0
        self.limit = 0
        self.ended = False
        self.sent = False
        self.trailers: Fields = []
        self._source = source
        self._mark = mark
        self._pieces: list[bytes] = []
        self._buffered = 0
        self._arrived: Signal | None = None
        self._paused = False
        self._error: Exception | None = None
        self._captured: bytes | None = None

    # -------------------------------------------------------------------------------------------- the source's side

    def feed(self, data: bytes) -> None:
        """A piece arrived. Whoever waits is woken by `notify`, once per read."""
        self.received += len(data)
        self._buffered += len(data)
        self._pieces.append(data)
        if self.limit and self.received > self.limit:
            self.fail(too_large(self.limit))
        if self._buffered > self._mark and not self._paused and self._source is not None:
            self._paused = True
            self._source.pause_body()

    def finish(self, trailers: Fields | None = None) -> None:
        """All of it has come."""
        self.ended = True
        if trailers:
            self.trailers = trailers
        self._source = None

    def fail(self, error: Exception) -> None:
        """No more will come, and what came is not all."""
        if not self.ended and self._error is None:
            self._error = error
            self._source = None

    def notify(self) -> None:
        """Wake whoever waits for this body."""
        if self._arrived is not None:
            self._arrived.wake()

    def _arrival(self) -> Signal:
        """What to wait for; most bodies are whole before anyone has to."""
        if self._arrived is None:
            self._arrived = Signal()
        return self._arrived

    # -------------------------------------------------------------------------------------------- the taker's side

    @property
    def error(self) -> Exception | None:
        return self._error

    @property
    def whole(self) -> bool:
        """Whether all of it has come and none was taken yet, so that it can be sent in one write, and again."""
        return self.ended and not self.sent

    def take(self) -> bytes:
        """All that is here now; may be empty."""
        pieces = self._pieces
        if not pieces:
            return b""
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        self._buffered = 0
        self.sent = True
        self._resume()
        return data

    async def next(self) -> bytes:
        """The next bytes, as they came; empty at the end. Raises what the source failed with."""
        while not self._pieces:
            if self.ended:
                return b""
            if self._error is not None:
                raise self._error
            await self._arrival()
        if self.limit and self._error is not None:
            raise self._error
        return self.take()

    async def stream(self) -> AsyncIterator[bytes]:
        """Every piece until the end."""
        while piece := await self.next():
            yield piece

    async def peek(self, size: int) -> bytes:
        """The first `size` bytes (fewer only if there are no more), which stay here."""
        self._mark = max(self._mark, size)
        while self._buffered < size and not self.ended:
            if self._error is not None:
                raise self._error
            await self._arrival()
        if len(self._pieces) > 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0][:size] if self._pieces else b""

    async def capture(self, limit: int) -> bytes | None:
        """The whole body if it has at most `limit` bytes, kept for `replay`; None if it has more (all of it stays)."""
        data = await self.peek(limit + 1)
        if len(data) > limit:
            return None
        self._captured = data
        return data

    def replay(self) -> None:
        """Start again from the first byte of what was captured."""
        if self._captured is None:
            raise ValueError("only a captured body can be replayed")
        self._pieces = [self._captured] if self._captured else []
        self._buffered = len(self._captured)
        self.sent = False

    def discard(self) -> None:
        """Forget what is here; the rest will not be wanted either."""
        self._pieces = []
        self._buffered = 0
        self._mark = 1 << 62
        self._resume()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            if self._source is not None:
                self._source.resume_body()


def too_large(limit: int) -> ClientError:
    """The refusal of a request body over its bound."""
    return ClientError(413, f"The request body is larger than {limit} bytes.", close=True)


class Empty(Body):
    """No body at all: one value serves every message without one."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None)
        self.ended = True

    def take(self) -> bytes:
        return b""


EMPTY = Empty()
