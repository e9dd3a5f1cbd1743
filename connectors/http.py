"""HTTP to HTTP: the request goes on as it came, to the path, method and fields the target names."""

from connectors.base import Answer, Call, Send
from gateway.core.forwarding import request_head
from gateway.core.model import Outcome
from gateway.core.planning import PathProblem, Plan, target_path
from gateway.errors import ClientError
from gateway.wire.pool import Outgoing


class HttpCaller:
    """Calls an HTTP backend. It holds nothing: everything is in the plan."""

    async def call(self, call: Call, send: Send) -> Answer:
        """Raises ClientError (422) when the target's path cannot be filled, BackendError when the backend fails."""
        request, route, plan, values, lines, body = call
        target = target_path(plan, route, request, values)
        if isinstance(target, PathProblem):
            raise ClientError(422, target.detail)
        method = plan.target.method or request.method
        head, answer = await send(
            Outgoing(
                request_head(plan, request, target, lines, upgrade=request.upgrade),
                body,
                plan.timeouts,
                chunked=request.length < 0,
                head_only=method == b"HEAD",
                resend=route.is_idempotent(request.method),
                upgrade=bool(request.upgrade),
            )
        )
        if head.status >= 500:
            return Answer(head, answer, Outcome.BACKEND_ERROR, "maybe")
        return Answer(head, answer, Outcome.OK, "yes")


class HttpConnector:
    """Speaks HTTP/1.1."""

    async def prepare(self, plan: Plan) -> HttpCaller:
        return HttpCaller()
