"""One request of which no client waits for the answer: asked of one side, and captured whole, whatever comes of it."""

from collections.abc import Sequence
from functools import partial
from time import perf_counter, time
from typing import NamedTuple

from connectors.base import Call
from gateway.core.captured import CapturedAnswer, CapturedRequest
from gateway.core.forwarding import Ids, public_fields
from gateway.core.headers import AnswerHead, Fields
from gateway.core.model import Acted, Gateway, Observation, Outcome, Request, Role, Side
from gateway.core.planning import Plan, PlannedRoute, edited
from gateway.core.soapfaults import blames_client
from gateway.errors import AnswerTimeout, BackendError, ClientError, NotAcquired
from gateway.proxy.live import Live, Ready
from gateway.proxy.recorder import Recorder
from gateway.wire.body import Body, whole
from gateway.wire.client import BackendConnection

SHADOW_LINE = b"X-Banyan-Shadow: 1\r\n"


class Copy(Call):
    """A request on its way to one side."""

    __slots__ = ("connect", "connection")

    def __init__(self, request: Request, route: PlannedRoute, plan: Plan, lines: bytes, body: Body) -> None:
        super().__init__(request, route, plan, lines, body)
        self.connection: BackendConnection | None = None
        self.connect = 0.0

    def interim(self, status: int, reason: bytes, raw: Fields) -> None:
        """Nobody waits for a 1xx answer."""


class Pair:
    """A request and what its two sides answer. `side` serves; `control` is None until that side has been asked.

    `body` is all of the request's; `lines` and `ids` are those that the client's own request went with; `scheme` is the
    client's; `source` tells whose request it was; `number` is there when only `side` is asked, once more.
    """

    __slots__ = (
        "at",
        "body",
        "control",
        "ids",
        "lines",
        "live",
        "number",
        "request",
        "route",
        "scheme",
        "side",
        "source",
    )

    def __init__(
        self, live: Live, route: PlannedRoute, request: Request, body: bytes, side: Side, lines: bytes, ids: Ids
    ) -> None:
        self.at = time()
        self.live = live
        self.route = route
        self.request = request
        self.body = body
        self.side = side
        self.lines = lines
        self.ids = ids
        self.scheme = b"http"
        self.control: CapturedAnswer | None = None
        self.source = "shadow"
        self.number = 0

    @property
    def size(self) -> int:
        """Bytes held, roughly."""
        held = self.control.body if self.control is not None else b""
        return len(self.body) + len(held or b"") + 1_024

    def captured(self) -> CapturedRequest:
        request = self.request
        return CapturedRequest(
            request.method, request.target, request.host, tuple(request.fields), self.body, self.lines
        )


class Got(NamedTuple):
    """What came of asking: `body` None when there was more than is captured, or it did not come whole."""

    head: AnswerHead | None
    body: bytes | None
    outcome: Outcome
    acted: Acted
    error: str
    first_byte: float
    seconds: float


async def ask(pair: Pair, ready: Ready, role: Role, recorder: Recorder) -> CapturedAnswer:
    """One side's answer to a copy. Never raises for what the backend does."""
    at = time()
    plan = ready.copy_plan or ready.plan
    call = Copy(pair.request, pair.route, plan, pair.lines + SHADOW_LINE, whole(pair.body))
    got = await _got(call, ready, pair.live.gateway.capture)
    recorder.record(tuple(_observation(pair, call, role, at, got)))
    return captured(pair.live.gateway, call, pair.scheme, got)


async def _got(call: Copy, ready: Ready, limit: int) -> Got:
    began, first_byte = perf_counter(), -1.0
    try:
        head, body, outcome, acted = await ready.caller.call(call, partial(ready.pool.send, call))
        first_byte = perf_counter() - began
        if call.request.method == b"HEAD":
            data: bytes | None = b""
        else:
            data = None if head.length > limit else await _taken(body, limit)
        return Got(head, data, outcome, acted, "", first_byte, perf_counter() - began)
    except BackendError as error:
        late = isinstance(error, AnswerTimeout | NotAcquired)
        outcome = Outcome.TIMEOUT if late else Outcome.BACKEND_ERROR
        acted = "maybe" if error.request_sent else "no"
        return Got(None, None, outcome, acted, error.kind, first_byte, perf_counter() - began)
    except ClientError:  # the request does not fit this side's mapping
        return Got(None, None, Outcome.REFUSED, "no", "unmapped", first_byte, perf_counter() - began)
    finally:
        connection, call.connection = call.connection, None
        if connection is not None:
            ready.pool.release(connection)


async def _taken(body: Body, limit: int) -> bytes | None:
    """A whole answer; None when it has more than `limit` bytes: the rest of it is not waited for."""
    pieces, size = [], 0
    while piece := await body.next():
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            return None
    return b"".join(pieces)


def captured(gateway: Gateway, call: Call, scheme: bytes, got: Got) -> CapturedAnswer:
    """An answer as the client sees it, or would."""
    head = got.head
    if head is None:
        return CapturedAnswer(0, error=got.error or "no_answer", seconds=got.seconds)
    if head.addresses:
        head = public_fields(head, call.plan, call.request, scheme, gateway.public_url)
    fields: Sequence[tuple[bytes, bytes]] = head.fields
    if call.plan.edits_answer:
        fields = edited(fields, call.plan.target.answer)
    business = got.outcome is Outcome.BUSINESS_FAULT or _is_passing_fault(call, head, got.body)
    return CapturedAnswer(head.status, tuple(fields), got.body, got.error, business, got.seconds)


def _is_passing_fault(call: Call, head: AnswerHead, body: bytes | None) -> bool:
    """Whether this is a fault of a SOAP route that no codec has judged, and that blames the client."""
    passes = call.plan.target.call is None and call.route.route.match.soap is not None
    return passes and head.status >= 500 and body is not None and blames_client(body)


def _observation(pair: Pair, call: Copy, role: Role, at: float, got: Got) -> Observation:
    return Observation(
        at=at,
        route=pair.route.name,
        side=call.plan.side,
        role=role,
        backend=call.plan.name,
        outcome=got.outcome,
        acted=got.acted,
        method=pair.request.method,
        status=got.head.status if got.head is not None else 0,
        error=got.error,
        bytes_in=len(pair.body),
        bytes_out=len(got.body or b""),
        connect=call.connect,
        first_byte=got.first_byte,
        duration=got.seconds,
        revision=pair.live.table.revision,
        request_id=pair.ids.request_id,
        trace_id=pair.ids.trace_id,
        path=pair.request.path,
    )
