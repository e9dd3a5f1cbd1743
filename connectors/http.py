"""HTTP to HTTP: the request goes on as it came, to the path, method and fields the target names."""

from collections.abc import Awaitable

from connectors.base import Call, Kept, Send
from gateway.core.forwarding import request_head
from gateway.core.planning import PathProblem, Plan, target_path
from gateway.errors import ClientError
from gateway.wire.pool import Judged


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


class HttpConnector:
    """Speaks HTTP/1.1."""

    async def prepare(self, plan: Plan, kept: Kept | None = None) -> HttpCaller:
        return HttpCaller()
