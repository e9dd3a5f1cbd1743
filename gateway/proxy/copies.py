"""One request of which no client waits for the answer: asked of one side, and captured whole, whatever comes of it."""

from dataclasses import replace
from functools import partial
from time import perf_counter

from connectors.base import Call
from gateway.core.captured import CapturedAnswer
from gateway.core.fields import Fields, Finder, field_lines, fields_of
from gateway.core.forwarding import public_fields
from gateway.core.headers import AnswerHead
from gateway.core.model import Gateway, Outcome, Request
from gateway.core.planning import Plan, PlannedRoute, edited
from gateway.core.writing import Kept
from gateway.errors import BackendError, ClientError, NotAdmitted
from gateway.proxy.live import Ready
from gateway.proxy.protecting import guarded
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


async def ask(
    request: Request, data: bytes, route: PlannedRoute, ready: Ready, lines: bytes, scheme: bytes, gateway: Gateway
) -> CapturedAnswer:
    """One side's answer to a copy of a request, whose body is `data`; `lines` are the gateway's own fields, `scheme`
    the client's. Never raises for what the backend does; raises NotAdmitted where it may not be asked."""
    call = Copy(request, route, ready.copy_plan or ready.plan, lines + SHADOW_LINE, whole(data))
    return await _asked(call, ready, scheme, gateway, route.compared)


_OF_THE_CLIENT = frozenset({b"idempotency-key", b"accept-encoding", b"x-request-timeout"})
"""What was between a client and the gateway, and is nothing to who gets a write later."""


def without(request: Request, names: frozenset[bytes]) -> Request:
    """A request without some fields (names in lower case)."""
    fields = [each for each in request.fields if each[0].lower() not in names]
    return replace(request, lines=field_lines(fields))


async def deliver(
    request: Request, data: bytes, kept: Kept, route: PlannedRoute, ready: Ready, key: str, gateway: Gateway
) -> CapturedAnswer:
    """One side's answer to a write that it is owed, which names things as that side does. It can tell by the
    `Idempotency-Key` if it has had it before (draft-ietf-httpapi-idempotency-key-header). Raises NotAdmitted where it
    may not be asked."""
    line = b'Idempotency-Key: "%b"\r\n' % key.encode()
    call = Copy(without(request, _OF_THE_CLIENT), route, ready.plan, kept.lines + line, whole(data))
    return await _asked(call, ready, kept.scheme, gateway, None)


async def _asked(call: Copy, ready: Ready, scheme: bytes, gateway: Gateway, find: Finder | None) -> CapturedAnswer:
    began, request = perf_counter(), call.request
    try:
        send, guard = partial(ready.pool.send, call), ready.pool.guard
        if guard is None:
            head, body, outcome, _ = await ready.caller.call(call, send)
        else:
            head, body, outcome, _ = await guarded(call, ready.caller, send, guard)
        if request.method == b"HEAD":
            found: bytes | None = b""
        elif head.length > gateway.capture:
            found = None
        else:
            found = await _taken(body, gateway.capture)
    except NotAdmitted:
        raise
    except BackendError as error:
        return CapturedAnswer(0, error=error.kind, seconds=perf_counter() - began)
    except ClientError:  # the request does not fit this side's mapping
        return CapturedAnswer(0, error="unmapped", seconds=perf_counter() - began)
    finally:
        connection, call.connection = call.connection, None
        if connection is not None:
            ready.pool.release(connection)
    business = outcome is Outcome.BUSINESS_FAULT
    fields = seen_fields(gateway, call, scheme, head, find)
    return CapturedAnswer(head.status, fields, found, "", business, perf_counter() - began)


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
    gateway: Gateway, call: Call, scheme: bytes, head: AnswerHead, find: Finder | None = None
) -> tuple[tuple[bytes, bytes], ...]:
    """An answer's fields as the client sees them, or would; those that `find` finds, or all of them."""
    if head.addresses:
        head = public_fields(head, call.plan, call.request, scheme, gateway.public_url)
    lines = head.lines
    if call.plan.edits_answer:
        lines = field_lines(edited(head.fields, call.plan.target.answer))
    return fields_of(lines) if find is None else tuple(find(lines))
