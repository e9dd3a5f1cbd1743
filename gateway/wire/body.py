"""The one type for all that comes: a request's body or an answer's, whole or still arriving.

The connection feeds it; whoever sends it on takes pieces out. It holds little: when it is fuller than its mark it asks
its source to stop reading, and to go on once it has been emptied. What was captured can be replayed from the start;
what passes can be kept, within bounds, by whoever needs it afterwards.
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
    """A body. `received` counts the bytes that came, `taken` those handed on; `ended` tells that all have come."""

    __slots__ = (
        "_arrived",
        "_captured",
        "_error",
        "_keep",
        "_keep_left",
        "_limit",
        "_look_at",
        "_mark",
        "_paused",
        "_pieces",
        "_source",
        "ended",
        "received",
        "taken",
        "trailers",
    )

    def __init__(self, source: Source | None, mark: int = HIGH_MARK) -> None:
        self.received = self.taken = self._limit = 0
        self.ended = self._paused = False
        self.trailers: Fields = ()
        self._source = source
        self._mark = self._look_at = mark
        self._pieces: list[bytes] = []
        self._arrived: Signal | None = None
        self._error: Exception | None = None
        self._captured: bytes | None = None
        self._keep: list[bytes] | None = None

    # -------------------------------------------------------------------------------------------- the source's side

    def feed(self, data: bytes) -> None:
        """A piece arrived. Whoever waits is woken by `notify`, once per read."""
        self._pieces.append(data)
        self.received += len(data)
        if self.received > self._look_at:
            self._too_much()

    def _too_much(self) -> None:
        """More has come than is allowed at all, or than should be held here."""
        if self._limit and self.received > self._limit:
            self.fail(too_large(self._limit))
        if self._source is not None and not self._paused and self.received - self.taken > self._mark:
            self._paused = True
            self._source.pause_body()

    def finish(self, trailers: Fields = ()) -> None:
        """All of it has come. A source that was asked to stop has to go on: what comes next is another message."""
        self.ended = True
        self.trailers = trailers
        if self._paused:
            self._resume()
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

    def bound(self, limit: int) -> None:
        """Let at most `limit` bytes come; beyond them the body fails."""
        self._limit = limit
        self._look_at = min(self._look_at, limit)
        if self.received > limit:
            self.fail(too_large(limit))

    # -------------------------------------------------------------------------------------------- the taker's side

    @property
    def sent(self) -> bool:
        """Whether any of it was handed on."""
        return self.taken > 0

    def take(self) -> bytes:
        """All that is here now; may be empty."""
        pieces = self._pieces
        if not pieces:
            return b""
        self._pieces = []
        self.taken = self.received
        if not self.ended:
            self._look_at = self.taken + self._mark if not self._limit else min(self.taken + self._mark, self._limit)
            if self._paused:
                self._resume()
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if self._keep is not None:
            self._remember(data)
        return data

    async def next(self) -> bytes:
        """The next bytes, as they came; empty at the end. Raises what the source failed with."""
        while not self._pieces or (self._limit and self._error is not None):
            if self.ended:
                return b""
            if self._error is not None:
                raise self._error
            await self._arrival()
        return self.take()

    def _arrival(self) -> Signal:
        """What to wait for; most bodies are whole before anyone has to."""
        if self._arrived is None:
            self._arrived = Signal()
        return self._arrived

    async def stream(self) -> AsyncIterator[bytes]:
        """Every piece until the end."""
        while piece := await self.next():
            yield piece

    async def peek(self, size: int) -> bytes:
        """The first `size` bytes (fewer only if there are no more), which stay here."""
        self._mark = max(self._mark, size)
        while self.received - self.taken < size and not self.ended:
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
        self.taken = 0
        if self._keep is not None:
            self._keep_left += sum(map(len, self._keep))
            self._keep = []

    def keep(self, limit: int) -> None:
        """Hold on to what is taken from now on, as long as it is at most `limit` bytes: `kept` gives it."""
        self._keep, self._keep_left = [], limit

    def _remember(self, data: bytes) -> None:
        self._keep_left -= len(data)
        if self._keep is not None and self._keep_left >= 0:
            self._keep.append(data)
        else:
            self._keep = None

    @property
    def kept(self) -> bytes | None:
        """The whole body, once all of it was taken; None when it is larger than asked for, or did not come whole."""
        if self._keep is None or not self.ended or self.taken != self.received:
            return None
        data = b"".join(self._keep)
        return data if len(data) == self.received else None

    def discard(self) -> None:
        """Forget what is here; the rest will not be wanted either."""
        self._pieces = []
        self.taken = self.received
        self._mark = self._look_at = 1 << 62
        if self._paused:
            self._resume()

    def _resume(self) -> None:
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

    def replay(self) -> None:
        """There is nothing to begin again."""

    def keep(self, limit: int) -> None:
        """There is nothing to hold on to."""

    @property
    def kept(self) -> bytes:
        return b""


def whole(data: bytes) -> Body:
    """A body that is here already."""
    if not data:
        return EMPTY
    body = Body(None)
    body.feed(data)
    body.finish()
    return body


EMPTY = Empty()
