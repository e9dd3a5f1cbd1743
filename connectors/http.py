"""HTTP to HTTP: the request goes on as it came, to the path, method and fields the target names."""

from connectors.base import Answer, Call, Kept, Send
from gateway.core.forwarding import request_head
from gateway.core.model import Outcome
from gateway.core.planning import PathProblem, Plan, target_path
from gateway.errors import ClientError
from gateway.wire.pool import Outgoing


class HttpCaller:
    """Calls an HTTP backend. It holds nothing: everything is in the plan."""

    async def call(self, call: Call, send: Send) -> Answer:
        """Raises ClientError (422) when the target's path cannot be filled, BackendError when the backend fails."""
        request, plan = call.request, call.plan
        target = target_path(plan, call.route, request)
        if isinstance(target, PathProblem):
            raise ClientError(422, target.detail)
        method, upgrade = request.method, request.upgrade
        resend = method in call.route.idempotent and not upgrade
        head_only = (plan.method or method) == b"HEAD"
        sent = request_head(plan, request, target, call.lines)
        outgoing = (sent, call.body, plan.timeouts, request.length < 0, head_only, resend, upgrade != b"")
        head, body = await send(_make(Outgoing, outgoing))
        if head.status >= 500:
            return Answer(head, body, Outcome.BACKEND_ERROR, "maybe")
        return _make(Answer, (head, body, OK, "yes"))


OK = Outcome.OK
_make = tuple.__new__


class HttpConnector:
    """Speaks HTTP/1.1."""

    async def prepare(self, plan: Plan, kept: Kept | None = None) -> HttpCaller:
        return HttpCaller()
