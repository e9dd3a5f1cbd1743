"""HTTP to HTTP: the request goes on as it came, to the path, method and fields the target names."""

from collections.abc import Awaitable

from connectors.base import Call, Kept, Send
from gateway.core.forwarding import request_head
from gateway.core.model import Outcome
from gateway.core.planning import PathProblem, Plan, target_path
from gateway.core.soapfaults import blames_client
from gateway.errors import ClientError
from gateway.wire.pool import Judged

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
        sent = request_head(plan, request, target, call.lines)
        return send((sent, call.body, plan.timeouts, request.length < 0, head_only, resend, upgrade != b""))


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
