"""The backend's side of the wire: one HTTP/1.1 connection, one answer at a time.

llhttp reads the answer and calls back; here it is judged whether the answer is whole, because the parser is never told
that a connection closed, does not know which answers have no body, and takes what follows a HEAD answer for its body.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

import httptools

from gateway.core.fields import Fields, field_lines
from gateway.core.headers import AnswerHead, read_answer
from gateway.core.model import Timeouts
from gateway.errors import AnswerInvalid, AnswerTimeout, AnswerTruncated, BackendError, StaleConnection
from gateway.wire.body import EMPTY, Body
from gateway.wire.clock import NEVER, Clock
from gateway.wire.driver import Signal
from gateway.wire.guard import Turn
from gateway.wire.tunnel import TunnelEnd

ANSWER_MARK = 1_048_576
HEAD_BYTES = 131_072
SLICE = 65_536


class Carried(Protocol):
    """Whoever has something sent.

    `connection` is the one that carries it: set by the sender when it must be that one, by the pool otherwise;
    `connect` the seconds it took to make it (0 for a kept one); `interim` is told 1xx answers. `turn` is its turn
    at the backend, where that is protected; `exposed` is set where a try was sent, and another one is made.
    """

    connection: "BackendConnection | None"
    connect: float
    turn: Turn | None
    exposed: bool

    def interim(self, status: int, reason: bytes, raw: Fields) -> None: ...


class BackendConnection(asyncio.Protocol):
    """One connection to a backend, to `endpoint` if that has several addresses. `used` counts the requests sent on it;
    `idle_since` is when it was last put by.

    While an answer is awaited, `answered` wakes whoever waits: then `head` is here, or `error` says why it never will.
    """

    __slots__ = (
        "_began",
        "_body",
        "_carried",
        "_clock",
        "_dirty",
        "_head_only",
        "_informational",
        "_keep_alive",
        "_names",
        "_no_body",
        "_on_lost",
        "_parser",
        "_reason",
        "_since",
        "_timeouts",
        "_total",
        "_tunnel",
        "_upgrade",
        "_upgraded",
        "_uploading",
        "_values",
        "_waiting",
        "_writable",
        "_write_paused",
        "answered",
        "busy",
        "deadline",
        "endpoint",
        "error",
        "head",
        "idle_since",
        "lost",
        "transport",
        "used",
        "write",
    )

    def __init__(self, clock: Clock, on_lost: "Callable[[BackendConnection], None]") -> None:
        self._clock = clock
        self._on_lost = on_lost
        self.endpoint: Any = None
        self._parser: Any = None
        self.answered = Signal()
        self._writable = Signal()
        self._write_paused = False
        self._tunnel: TunnelEnd | None = None
        self.error: BackendError | None = None
        self.deadline = NEVER
        self.idle_since = 0.0
        self.lost = False
        self.used = 0
        self._waiting = False
        self.busy = False
        self.head: AnswerHead | None = None
        self._body: Body = EMPTY
        self._names: list[bytes] = []
        self._values: list[bytes] = []
        self._reason = b""
        self._since = 0
        self._head_only = False
        self._upgrade = False
        self._upgraded = b""
        self._informational = False
        self._no_body = False
        self._keep_alive = False
        self._dirty = False
        self._began = False
        self._carried: Carried | None = None
        self._uploading = False

    @property
    def began(self) -> bool:
        """Whether a byte of an answer has come."""
        return self._began

    # -------------------------------------------------------------------------------------------- transport events

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.write = self.transport.write
        self._clock.watch(self)

    def data_received(self, data: bytes) -> None:
        if not self._waiting:
            self._unasked(data)
            return
        self._began = True
        if len(data) <= SLICE:
            self._parse(data)
        else:
            for at in range(0, len(data), SLICE):
                self._parse(data[at : at + SLICE])
        body = self._body
        if not body.ended and self.head is not None and self.deadline != NEVER:
            self._wait(self._timeouts.answer_idle)
        if self.answered.waiter is not None:
            self.answered.wake()
        else:
            body.notify()

    def _unasked(self, data: bytes) -> None:
        """Bytes of a tunnel; or nothing was asked, and whatever this is, it must not become somebody's answer."""
        if self._tunnel is not None:
            self._tunnel.forward(data)
        else:
            self.close()

    def eof_received(self) -> bool:
        if self._tunnel is not None:
            return self._tunnel.end()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        self.deadline = NEVER
        self._clock.forget(self)
        self._parser = None
        if self._tunnel is not None:
            self._tunnel.close()
        self._judge_end(error)
        self._writable.wake()
        self._on_lost(self)

    def _judge_end(self, error: Exception | None) -> None:
        """The connection is over: is the answer whole, cut short, or not begun?"""
        if self.head is None:
            stale = self.used > 1 and not self._began
            kind = StaleConnection if stale else AnswerInvalid
            self._fail(kind("the connection closed before an answer came"))
        elif self.head.length == -2 and error is None and self.error is None:
            self._body.finish()
            self._body.notify()
        else:
            self._fail(AnswerTruncated("the connection closed in the middle of the answer"))

    def pause_writing(self) -> None:
        self._write_paused = True
        if self._tunnel is not None:
            self._tunnel.pause_other()

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._tunnel is not None:
            self._tunnel.resume_other()
        self._writable.wake()

    def expire(self) -> None:
        """A deadline has passed: of an idle connection, of the answer's head, or of its next bytes."""
        if not self._waiting:
            self.close()
        elif self.head is None:
            self.abort(AnswerTimeout("no answer came in time"))
        else:
            self.abort(AnswerTimeout("the answer stopped coming"))

    # -------------------------------------------------------------------------------------------- parsing

    def _parse(self, data: bytes) -> None:
        if self._parser is None or self.error is not None:
            return
        self._since += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgraded = data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            self._break(AnswerInvalid(f"the answer is not valid HTTP/1.1: {type(error).__name__}"))
        if self._since > HEAD_BYTES:
            self._break(AnswerInvalid("the answer's head, a chunk line or the trailers are too large"))

    def _break(self, error: BackendError) -> None:
        self._fail(error)
        self.close()

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self._names.append(name)
        self._values.append(value)

    def on_headers_complete(self) -> None:
        self._since = 0
        names, values = self._names, self._values
        self._names, self._values = [], []
        if self.head is not None or self.error is not None:
            self._dirty = True
            return
        status = self._parser.get_status_code()
        reason, self._reason = self._reason, b""
        if status < 200:
            self._interim_answer(status, reason, list(zip(names, values, strict=True)))
            return
        head = self.head = read_answer(status, reason, names, values) if status <= 599 else None
        if head is None:
            self._fail(AnswerInvalid("the answer's status or framing is not valid"))
        elif self._head_only or status == 204 or status == 304:
            self._no_body = True
            self._keep_alive = self._head_only and _stays_open(names, values)
        else:
            self._no_body = False
            self._body = Body(self, ANSWER_MARK)

    def _interim_answer(self, status: int, reason: bytes, raw: Fields) -> None:
        self._informational = True
        if status == 101:
            if not self._upgrade:
                self._fail(AnswerInvalid("the backend switched protocols without being asked"))
                return
            self.head = AnswerHead(101, reason, field_lines(raw), 0, False, False)
        elif status < 100:
            self._fail(AnswerInvalid("the answer's status is not valid"))
        elif self._carried is not None:
            self._carried.interim(status, reason, raw)

    def on_body(self, data: bytes) -> None:
        self._since = 0
        if self._no_body or self._dirty or self.head is None:
            self._dirty = True
        else:
            self._body.feed(data)

    def on_chunk_header(self) -> None:
        self._since = 0

    def on_message_complete(self) -> None:
        self._since = 0
        if self._informational:
            self._informational = False
            return
        if self.head is None or self._dirty:
            self._dirty = True
            return
        if not self._head_only:
            self._keep_alive = self._parser.should_keep_alive()
        if not self._no_body:
            if self._names:
                self._body.finish(list(zip(self._names, self._values, strict=True)))
                self._names, self._values = [], []
            else:
                self._body.finish()
            self.deadline = NEVER

    # -------------------------------------------------------------------------------------------- one exchange

    def begin(self, carried: Carried, timeouts: Timeouts, head_only: bool, upgrade: bool) -> None:
        """Make ready for one request; what comes next is its answer.

        A connection that was left in any other state than after a whole answer is never used again.
        """
        if self._parser is None or self._head_only:
            self._parser = httptools.HttpResponseParser(self)
        self.used += 1
        self.head = None
        self._body = EMPTY
        self._began = False
        self._head_only = head_only
        self._upgrade = upgrade
        self._carried = carried
        self._timeouts = timeouts
        self._waiting = True
        if timeouts.total:
            self._total = self._clock.after(timeouts.total)
            self._wait(timeouts.response)
        else:
            self._total = NEVER
            self.deadline = self._clock.soon + timeouts.response

    def _wait(self, seconds: float) -> None:
        self.deadline = min(self._clock.after(seconds), self._total)

    def sending(self) -> None:
        """The request is not all here yet: the answer's deadline counts from its last byte, and until that is sent the
        connection can carry no other."""
        self._uploading = True
        self.deadline = self._total

    def sent(self) -> None:
        """The request has been sent whole."""
        self._uploading = False
        if self.head is None and self.error is None:
            self._wait(self._timeouts.response)

    async def writable(self) -> None:
        """Wait until the backend has taken enough of what was written. Raises when the connection failed."""
        if self._write_paused:
            self._wait(self._timeouts.response)
            while self._is_stuck():
                await self._writable
            self.deadline = self._total
        if self.error is not None:
            raise self.error

    def _is_stuck(self) -> bool:
        return self._write_paused and self.error is None and not self.lost

    def answer_body(self) -> Body:
        """The body of the answer whose head is here."""
        body = self._body
        if body.ended:
            self.deadline = NEVER
        else:
            self._wait(self._timeouts.answer_idle)
        return body

    def put_by(self, idle: float) -> bool:
        """The exchange is over. Whether the connection may carry another, within `idle` seconds.

        Only if request and answer were whole, and nothing came after.
        """
        self._waiting = False
        self._carried = None
        if (
            not idle
            or self._uploading
            or not self._keep_alive
            or not self._body.ended
            or self._dirty
            or self.lost
            or self.error is not None
        ):
            return False
        self._keep_alive = False
        self.idle_since = self._clock.now
        self.deadline = self._clock.soon + idle
        return True

    def become_tunnel(self, end: TunnelEnd) -> None:
        self._tunnel = end
        self._waiting = False
        self.deadline = NEVER
        early, self._upgraded = self._upgraded, b""
        end.forward(early)

    def pause_body(self) -> None:
        self.deadline = self._total
        if not self.lost:
            self.transport.pause_reading()

    def resume_body(self) -> None:
        if not self.lost:
            self._wait(self._timeouts.answer_idle)
            self.transport.resume_reading()

    # -------------------------------------------------------------------------------------------- the end

    def _fail(self, error: BackendError) -> None:
        if self.error is None:
            self.error = error
        self._body.fail(self.error)
        self.answered.wake()
        if self._body is not EMPTY:
            self._body.notify()

    def abort(self, error: Exception) -> None:
        """Give the exchange up: whoever waits for it gets `error`, and the backend sees the connection end."""
        self._fail(error if isinstance(error, BackendError) else Abandoned(error))
        self._writable.wake()
        self.transport.abort()

    def close(self) -> None:
        self.transport.close()


class Abandoned(BackendError):
    """The exchange was given up for a reason that lies on the client's side, kept as `reason`."""

    kind = "abandoned"

    def __init__(self, reason: Exception) -> None:
        self.reason = reason
        super().__init__(str(reason))


def _stays_open(names: list[bytes], values: list[bytes]) -> bool:
    """Whether an answer without a body leaves the connection open (the parser cannot tell before its end)."""
    return not any(
        name.lower() == b"connection" and b"close" in value.lower() for name, value in zip(names, values, strict=True)
    )
