"""One request of which no client waits for the answer: asked of one side, and captured whole, whatever comes of it."""

from collections.abc import Sequence, Set
from functools import partial
from hashlib import blake2b
from time import perf_counter, time
from typing import NamedTuple

from connectors.base import Call
from gateway.core.captured import CapturedAnswer, CapturedRequest
from gateway.core.fields import Fields, fields_of
from gateway.core.forwarding import NO_IDS, Ids, public_fields
from gateway.core.headers import AnswerHead
from gateway.core.model import Gateway, Outcome, Request, Side
from gateway.core.planning import Plan, PlannedRoute, edited
from gateway.core.soapfaults import blames_client
from gateway.errors import BackendError, ClientError
from gateway.proxy.live import Live, Ready
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
    client's; `source` tells whose request it was; `number` is what it may be asked again by, `again` that it is being.
    """

    __slots__ = (
        "again",
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
        self.again = False

    @property
    def size(self) -> int:
        """Bytes held, roughly."""
        held = self.control.body if self.control is not None else b""
        return len(self.body) + len(held or b"") + 1_024

    def recorded(self) -> CapturedRequest:
        """The request, to be kept by somebody else."""
        request = self.request
        return CapturedRequest(request.method, request.target, request.host, request.fields, self.body)

    def digest(self) -> bytes:
        """A hash that tells this request from others."""
        request = self.request
        told = b"\n".join((request.method, request.host, request.target, self.body))
        return blake2b(told, digest_size=8).digest()


class Kept(NamedTuple):
    """A request that may be asked again: few values, and only plain ones, since thousands are kept at a time and each
    value that refers to others is work for the collector. `fields` are the request's, as lines."""

    at: float
    live: Live
    route: PlannedRoute
    side: Side
    method: bytes
    target: bytes
    host: bytes
    fields: bytes
    body: bytes
    lines: bytes
    scheme: bytes
    source: str

    @property
    def size(self) -> int:
        """Bytes held, roughly."""
        return len(self.fields) + len(self.body) + 512

    def pair(self) -> Pair:
        """The request, to be sent once more."""
        request = CapturedRequest(self.method, self.target, self.host, fields_of(self.fields), self.body).request()
        pair = Pair(self.live, self.route, request, self.body, self.side, self.lines, NO_IDS)
        pair.scheme, pair.source = self.scheme, self.source
        return pair


def kept_of(pair: Pair) -> Kept:
    """A request as it is kept."""
    request = pair.request
    return Kept(
        pair.at,
        pair.live,
        pair.route,
        pair.side,
        request.method,
        request.target,
        request.host,
        request.lines,
        pair.body,
        pair.lines,
        pair.scheme,
        pair.source,
    )


async def ask(pair: Pair, ready: Ready) -> CapturedAnswer:
    """One side's answer to a copy. Never raises for what the backend does."""
    began = perf_counter()
    call = Copy(pair.request, pair.route, ready.copy_plan or ready.plan, pair.lines + SHADOW_LINE, whole(pair.body))
    limit = pair.live.gateway.capture
    try:
        head, body, outcome, _ = await ready.caller.call(call, partial(ready.pool.send, call))
        if call.request.method == b"HEAD":
            data: bytes | None = b""
        elif head.length > limit:
            data = None
        else:
            data = await _taken(body, limit)
    except BackendError as error:
        return CapturedAnswer(0, error=error.kind, seconds=perf_counter() - began)
    except ClientError:  # the request does not fit this side's mapping
        return CapturedAnswer(0, error="unmapped", seconds=perf_counter() - began)
    finally:
        connection, call.connection = call.connection, None
        if connection is not None:
            ready.pool.release(connection)
    business = outcome is Outcome.BUSINESS_FAULT or is_passing_fault(call, head, data)
    fields = seen_fields(pair.live.gateway, call, pair.scheme, head, pair.route.compared)
    return CapturedAnswer(head.status, fields, data, "", business, perf_counter() - began)


async def _taken(body: Body, limit: int) -> bytes | None:
    """A whole answer; None when it has more than `limit` bytes: the rest of it is not waited for."""
    first = body.take()
    if body.ended:
        return first if len(first) <= limit else None
    pieces, size = [first], len(first)
    while size <= limit and (piece := await body.next()):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces) if size <= limit else None


def seen_fields(
    gateway: Gateway, call: Call, scheme: bytes, head: AnswerHead, names: Set[bytes] | None = None
) -> tuple[tuple[bytes, bytes], ...]:
    """An answer's fields as the client sees them, or would; of these lower-case names, or all of them."""
    if head.addresses:
        head = public_fields(head, call.plan, call.request, scheme, gateway.public_url)
    fields: Sequence[tuple[bytes, bytes]] = head.fields
    if call.plan.edits_answer:
        fields = edited(fields, call.plan.target.answer)
    return tuple(fields if names is None else [field for field in fields if field[0].lower() in names])


def is_passing_fault(call: Call, head: AnswerHead, body: bytes | None) -> bool:
    """Whether this is a fault of a SOAP route that no codec has judged, and that blames the client."""
    passes = call.plan.target.call is None and call.route.route.match.soap is not None
    return passes and head.status >= 500 and body is not None and blames_client(body)
