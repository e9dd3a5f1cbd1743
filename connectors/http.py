"""HTTP to HTTP: the request goes on as it came, to the path, method and fields the target names."""

from collections.abc import Awaitable
from dataclasses import replace

from connectors.base import Call, Kept, Send
from gateway.core.fields import field_lines
from gateway.core.forwarding import request_head
from gateway.core.model import Outcome, Request, Timeouts
from gateway.core.planning import PathProblem, Plan, target_path
from gateway.core.soapfaults import blames_client
from gateway.core.ways import field
from gateway.errors import ClientError
from gateway.wire.pool import Judged

DEADLINE = b"x-request-timeout"
LOOKED_AT = 65_536
"""Bytes of an answer in which a fault's code is looked for."""


class HttpCaller:
    """Calls an HTTP backend. It holds nothing: everything is in the plan."""

    def call(self, call: Call, send: Send) -> Awaitable[Judged]:
        """Raises ClientError (422) when the target's path cannot be filled, BackendError when the backend fails."""
        request, plan = call.request, call.plan
        target = target_path(plan, call.route, request)
        if isinstance(target, PathProblem):
            raise ClientError(422, target.detail)
        method, upgrade = request.method, request.upgrade
        resend = method in call.route.idempotent and not upgrade
        head_only = (plan.method or method) == b"HEAD"
        lines, timeouts = call.lines, plan.timeouts
        if timeouts.total:
            request, lines, timeouts = _hurried(call, request)
        sent = request_head(plan, request, target, lines)
        return send((sent, call.body, timeouts, request.length < 0, head_only, resend, upgrade != b""))


def _hurried(call: Call, request: Request) -> tuple[Request, bytes, Timeouts]:
    """A request that says how many seconds are left for it: of the route's `total`, or fewer by the client's own word.

    Raises ClientError (504) where there are none: what waited and failed before has taken them all, and says nothing of
    the backend.
    """
    left = call.left
    if left <= 0:
        raise ClientError(504, "No time is left to ask the service behind this address once more.")
    said, told = field(request.fields, DEADLINE), left
    if said:
        fields = [each for each in request.fields if each[0].lower() != DEADLINE]
        request = replace(request, lines=field_lines(fields))
        told = min(left, _seconds(said, left))  # its own word holds the backend, and not what is said of the backend
    line = b"X-Request-Timeout: %.3f\r\n" % told
    return request, call.lines + line, call.plan.timeouts._replace(total=left)


def _seconds(said: bytes, otherwise: float) -> float:
    try:
        found = float(said)
    except ValueError:
        return otherwise
    return found if found > 0 else otherwise


class EnvelopeCaller(HttpCaller):
    """Calls an HTTP backend whose messages are SOAP's, and only pass. Every fault has the status 500 in SOAP 1.1, so a
    fault that blames the client has to be told from a service that is broken."""

    async def call(self, call: Call, send: Send) -> Judged:
        """As HTTP, with a look at the beginning of what seems to be a failure."""
        answer = await super().call(call, send)
        head, body, outcome, _ = answer
        if outcome is Outcome.BACKEND_ERROR and blames_client(await body.peek(LOOKED_AT)):
            return head, body, Outcome.BUSINESS_FAULT, "yes"
        return answer


class HttpConnector:
    """Speaks HTTP/1.1. `envelopes` tells that what passes are SOAP's messages."""

    def __init__(self, *, envelopes: bool = False) -> None:
        self._caller = EnvelopeCaller() if envelopes else HttpCaller()

    async def prepare(self, plan: Plan, kept: Kept | None = None) -> HttpCaller:
        return self._caller
