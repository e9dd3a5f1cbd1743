"""One request, from top to bottom. Everything is decided before anything is sent, and recorded once it is over."""

from random import SystemRandom, getrandbits
from time import perf_counter, time
from urllib.parse import quote

from connectors.base import Call
from gateway.core import matching, soap
from gateway.core.forwarding import Ids, client_address, forwarding_lines, ids_of
from gateway.core.matching import Found, NotFound
from gateway.core.model import BUCKETS, Observation, Outcome, Request, Serve
from gateway.core.paths import needs_raw, problem_of
from gateway.core.planning import Choice, Plan, PlannedRoute, client_key, side_of
from gateway.core.problems import client_fault
from gateway.errors import BackendError, ClientError, ClientGone
from gateway.proxy.answers import Relay, refuse, refuse_with
from gateway.proxy.attempts import Attempt
from gateway.proxy.live import Live
from gateway.proxy.recorder import Recorder
from gateway.wire.body import too_large
from gateway.wire.client import Abandoned
from gateway.wire.server import Exchange

NO_IDS = Ids(b"-", b"", b"")
_system = SystemRandom()


class Visit:
    """What becomes known about one request while it is served; at the end it is one Observation."""

    __slots__ = ("at", "attempt", "began", "bytes_out", "error", "exchange", "ids", "plan", "route", "status")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.at = time()
        self.began = perf_counter()
        self.ids = NO_IDS
        self.route: PlannedRoute | None = None
        self.plan: Plan | None = None
        self.attempt: Attempt | None = None
        self.status = 0
        self.bytes_out = 0
        self.error = ""


class Handler:
    """Serves requests from the live table. `live` is replaced by a reload; a request stays on the one it began with."""

    def __init__(self, live: Live, recorder: Recorder) -> None:
        self.live = live
        self._recorder = recorder

    async def __call__(self, exchange: Exchange) -> None:
        visit = Visit(exchange)
        live = self.live
        live.users += 1
        try:
            if exchange.request is None:
                raise exchange.fault or ClientError(400, "The request cannot be read.")
            visit.ids = ids_of(exchange.request, getrandbits)
            await self._serve(live, visit, exchange.request)
        except ClientGone:
            visit.error = visit.error or "client_gone"
        except ClientError as fault:
            visit.error = visit.error or "refused"
            refuse(visit, fault)
        finally:
            live.users -= 1
            if visit.attempt is not None:
                visit.attempt.end()
            self._recorder.record(_observation(visit, live.table.revision))

    async def _serve(self, live: Live, visit: Visit, request: Request) -> None:
        problem = problem_of(request.path)
        if problem is not None:
            raise ClientError(400, problem)
        found = await self._route(live, visit, request)
        if found is None:
            return
        route = visit.route = found.route
        if needs_raw(request.path) and not route.route.raw_path:
            raise ClientError(400, "The path has an empty segment or an encoded slash, which this route does not take.")
        choice, cookie = _choose(live, route, request, visit)
        if choice.why == "retired":
            refuse_with(visit, 410, "This service has been retired.", successor=route.route.successor)
            return
        plan = visit.plan = route.plan(choice.side)
        _bound_body(visit.exchange, plan, request)
        call = Call(
            request,
            route,
            plan,
            found.values,
            forwarding_lines(visit.exchange.connection.peer, request) + visit.ids.lines,
            visit.exchange.body,
        )
        await self._attempt(live, visit, call, cookie)

    async def _route(self, live: Live, visit: Visit, request: Request) -> Found | None:
        """The request's route; None when a SOAP fault has been answered. Raises ClientError where there is none."""
        if request.path == b"*" or request.method == b"TRACE" or _hops_are_spent(request):
            _answer_itself(live, request)
        operations = matching.operations(live.table, request)
        if operations and soap.is_soap(request):
            found = await _operation(visit, request, operations)
            if isinstance(found, soap.SoapProblem):
                refuse_with(visit, 0, refusal=client_fault(found.envelope, found.reason, visit.ids.request_id.decode()))
                return None
            if found is not None:
                return Found(found, ())
        result = matching.find(live.table, request)
        if isinstance(result, NotFound):
            raise _not_found(result)
        return result

    async def _attempt(self, live: Live, visit: Visit, call: Call, cookie: bytes) -> None:
        plan, exchange = call.plan, visit.exchange
        relay = Relay(visit, call, live.gateway)
        safe = call.route.is_safe(call.request.method)
        attempt = visit.attempt = Attempt(live.pools[plan.backend.name], exchange, safe=safe, interim=relay.interim)
        try:
            answer = await attempt.run(live.callers[plan.route, plan.side], call)
            await relay.answer(answer, cookie)
        except Abandoned as abandoned:
            raise abandoned.reason from abandoned
        except BackendError as error:
            attempt.failed(error)
            if visit.status:
                exchange.connection.abort()  # part of the answer is out: the client must see that it is not whole
                exchange.close = True
            else:
                refuse_with(visit, error.status, error.public_detail)


# ------------------------------------------------------------------------------------------------ deciding


def _choose(live: Live, route: PlannedRoute, request: Request, visit: Visit) -> tuple[Choice, bytes]:
    """The side, and a Set-Cookie value when the route gives its clients a key of their own."""
    sticky = route.route.sticky
    peer = visit.exchange.connection.peer
    address = client_address(peer, request, live.trusted) if sticky and sticky.source == "address" else peer.address
    if sticky and sticky.issue and route.route.serve is Serve.SPLIT and not client_key(sticky, request, address):
        key = b"%032x" % getrandbits(128)
        choice = side_of(route, request._replace(cookie=b"%b=%b" % (sticky.name, key)), address, _draw)
        return choice, b"%b=%b; Path=/; HttpOnly; SameSite=Lax" % (sticky.name, key)
    return side_of(route, request, address, _draw), b""


def _draw() -> int:
    return _system.randrange(BUCKETS)


def _bound_body(exchange: Exchange, plan: Plan, request: Request) -> None:
    if not plan.max_body or not request.length:
        return
    if request.length > plan.max_body or exchange.body.received > plan.max_body:
        raise too_large(plan.max_body)
    exchange.body.limit = plan.max_body


async def _operation(
    visit: Visit, request: Request, operations: list[PlannedRoute]
) -> PlannedRoute | soap.SoapProblem | None:
    """Which of the SOAP routes at this address the request's body calls."""
    body = visit.exchange.body
    if request.expect:
        visit.exchange.connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request = visit.exchange.request = request._replace(expect=False)
    start = await body.peek(soap.READ_AHEAD)
    call = soap.called(request, start, body.ended)
    if isinstance(call, soap.SoapProblem):
        return call
    known = [route.route.match.soap for route in operations if route.route.match.soap is not None]
    wanted = soap.operation_for(call, known)
    if wanted is None or isinstance(wanted, soap.SoapProblem):
        return wanted
    return next(route for route in operations if route.route.match.soap == wanted)


def _not_found(result: NotFound) -> ClientError:
    if not result.allow:
        return ClientError(404, "Nothing is served at this address.")
    allow = b", ".join(result.allow)
    return ClientError(405, "This address does not take this method.", headers=((b"Allow", allow),))


def _hops_are_spent(request: Request) -> bool:
    return request.method == b"OPTIONS" and any(
        name.lower() == b"max-forwards" and value.strip() == b"0" for name, value in request.reserved
    )


def _answer_itself(live: Live, request: Request) -> None:
    """OPTIONS for the gateway itself, and TRACE, which would show fields that were stripped (RFC 9110, 9.3.7, 9.3.8)."""
    if request.method == b"TRACE":
        raise ClientError(405, "TRACE is not served.", headers=((b"Allow", b"GET, HEAD, POST, PUT, DELETE, OPTIONS"),))
    raise ClientError(204, "", headers=((b"Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),))


# ------------------------------------------------------------------------------------------------ recording


def _observation(visit: Visit, revision: int) -> Observation:
    exchange, plan, attempt = visit.exchange, visit.plan, visit.attempt
    request = exchange.request
    return Observation(
        visit.at,
        visit.route.name if visit.route is not None else "",
        plan.side if plan is not None else "",
        "live",
        plan.backend.name if plan is not None else "",
        attempt.outcome if attempt is not None else Outcome.REFUSED,
        attempt.acted if attempt is not None else "no",
        request.method.decode("latin-1") if request is not None else "",
        visit.status,
        exchange.body.received,
        visit.bytes_out,
        attempt.connected if attempt is not None else -1.0,
        attempt.first_byte if attempt is not None else -1.0,
        perf_counter() - visit.began,
        revision,
        visit.ids.request_id.decode("latin-1"),
        visit.ids.trace_id.decode("latin-1"),
        visit.error or (attempt.error if attempt is not None else ""),
        quote(request.path, safe="/%:@!$&'()*+,;=~") if request is not None else "",
    )
