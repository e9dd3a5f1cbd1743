"""One request, from top to bottom. Everything is decided before anything is sent, and recorded once it is over."""

from random import SystemRandom, getrandbits
from time import perf_counter

from gateway.core import matching, soap
from gateway.core.forwarding import client_address, forwarding_lines, ids_of
from gateway.core.matching import Found, NotFound
from gateway.core.model import BUCKETS, Observation, Outcome, Request, Serve
from gateway.core.paths import is_plain, needs_raw, problem_of
from gateway.core.planning import Choice, Plan, PlannedRoute, client_key, side_of
from gateway.core.problems import client_fault
from gateway.errors import BackendError, ClientError, ClientGone
from gateway.proxy.answers import refuse, relay, write_own
from gateway.proxy.attempts import Attempt
from gateway.proxy.live import Live
from gateway.proxy.recorder import Recorder
from gateway.wire.body import too_large
from gateway.wire.client import Abandoned
from gateway.wire.server import CONTINUE, Exchange

ALLOWED = ((b"Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),)
_system = SystemRandom()


class Handler:
    """Serves requests from the live table. `live` is replaced by a reload; a request stays on the one it began with."""

    def __init__(self, live: Live, recorder: Recorder) -> None:
        self.live = live
        self._recorder = recorder

    async def __call__(self, exchange: Exchange) -> None:
        """Serve one request, whatever becomes of it."""
        live = self.live
        live.users += 1
        route: PlannedRoute | None = None
        attempt: Attempt | None = None
        try:
            request = _readable(exchange)
            found = _by_head(live, request) or await _by_body(live, exchange, request)
            route = found.route
            choice, cookie = _choose(live, exchange, route, request)
            plan = route.plan(choice.side)
            _bound_body(exchange, plan, request)
            lines = forwarding_lines(exchange.connection.peer, request) + exchange.ids.lines
            attempt = Attempt(exchange, request, route, plan, found.places, lines, live.pools[plan.backend.name])
            answer = await live.callers[plan.route, plan.side].call(attempt, attempt.send)
            attempt.outcome, attempt.acted = answer.outcome, answer.acted
            await relay(attempt, answer, live.gateway, cookie)
        except BackendError as error:
            _backend_failed(exchange, attempt, error)
        except _Answered:
            pass
        except ClientGone:
            exchange.error = "client_gone"
        except ClientError as fault:
            exchange.error = "refused"
            refuse(exchange, fault.status, fault.detail, headers=fault.headers, close=fault.close)
        finally:
            live.users -= 1
            if attempt is not None:
                attempt.end()
            self._recorder.record(_observation(exchange, route, attempt, live.table.revision))


class _Answered(Exception):  # noqa: N818 - not an error: the gateway has answered by itself, and nothing is left to do
    pass


# ------------------------------------------------------------------------------------------------ finding the route


def _readable(exchange: Exchange) -> Request:
    """The request, with ids. Raises ClientError for what must not be routed at all."""
    request = exchange.request
    if request is None:
        raise exchange.fault or ClientError(400, "The request cannot be read.", close=True)
    exchange.ids = ids_of(request, getrandbits)
    if not is_plain(request.path) and (problem := problem_of(request.path)) is not None:
        raise ClientError(400, problem)
    if request.method == b"TRACE":  # it would show the fields that were stripped (RFC 9110, section 9.3.8)
        raise ClientError(405, "TRACE is not served.", headers=ALLOWED)
    if request.method == b"OPTIONS" and (request.path == b"*" or _hops_are_spent(request)):
        refuse(exchange, 204, "", headers=ALLOWED)
        raise _Answered
    return request


def _hops_are_spent(request: Request) -> bool:
    return any(name.lower() == b"max-forwards" and value.strip() == b"0" for name, value in request.reserved)


def _by_head(live: Live, request: Request) -> Found | None:
    """The route, when the head alone decides it; None when SOAP operations have routes of their own at this address."""
    if live.table.has_operations and request.method == b"POST" and matching.operations(live.table, request):
        return None
    found = matching.find(live.table, request)
    if isinstance(found, NotFound):
        raise _not_found(found)
    if not is_plain(request.path) and needs_raw(request.path) and not found.route.route.raw_path:
        raise ClientError(400, "The path has an empty segment or an encoded slash, which this route does not take.")
    return found


async def _by_body(live: Live, exchange: Exchange, request: Request) -> Found:
    """The route of the SOAP operation that the request's body calls; the path's plain route for any other body."""
    routes = matching.operations(live.table, request)
    if soap.is_soap(request):
        if request.expect:  # the body decides, so it has to be asked for here
            exchange.connection.write(CONTINUE)
            exchange.request = request._replace(expect=False)
        start = await exchange.body.peek(soap.READ_AHEAD)
        call = soap.called(request, start, exchange.body.ended)
        known = [route.route.match.soap for route in routes if route.route.match.soap is not None]
        wanted = call if isinstance(call, soap.SoapProblem) else soap.operation_for(call, known)
        if isinstance(wanted, soap.SoapProblem):
            exchange.error = "refused"
            fault = client_fault(wanted.envelope, wanted.reason, exchange.ids.request_id.decode("latin-1"))
            write_own(exchange, fault)
            raise _Answered
        if wanted is not None:
            return Found(next(route for route in routes if route.route.match.soap == wanted), ())
    found = matching.find(live.table, request)
    if isinstance(found, NotFound):
        raise _not_found(found)
    return found


def _not_found(result: NotFound) -> ClientError:
    if not result.allow:
        return ClientError(404, "Nothing is served at this address.")
    allow = b", ".join(result.allow)
    return ClientError(405, "This address does not take this method.", headers=((b"Allow", allow),))


# ------------------------------------------------------------------------------------------------ deciding


def _choose(live: Live, exchange: Exchange, route: PlannedRoute, request: Request) -> tuple[Choice, bytes]:
    """The side, and a Set-Cookie value when the route gives its clients a key of their own."""
    configured = route.route
    if configured.serve is Serve.RETIRED:
        refuse(exchange, 410, "This service has been retired.", successor=configured.successor)
        raise _Answered
    sticky = configured.sticky
    if sticky is None or configured.serve is not Serve.SPLIT:
        return side_of(route, request, b"", _draw), b""
    address = client_address(exchange.connection.peer, request, live.trusted)
    if sticky.issue and not client_key(sticky, request, address):
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


# ------------------------------------------------------------------------------------------------ ending


def _backend_failed(exchange: Exchange, attempt: Attempt | None, error: BackendError) -> None:
    """Answer for a backend that failed. What is half out is cut, so that it cannot pass for a whole answer."""
    assert attempt is not None, "only an attempt can fail on a backend"
    if isinstance(error, Abandoned):
        attempt.acted = "maybe"
        if isinstance(error.reason, ClientGone):
            exchange.error = "client_gone"
        elif isinstance(error.reason, ClientError):
            exchange.error = "refused"
            refuse(exchange, error.reason.status, error.reason.detail, close=True)
        return
    attempt.failed(error)
    refuse(exchange, error.status, error.public_detail)


def _observation(exchange: Exchange, route: PlannedRoute | None, attempt: Attempt | None, revision: int) -> Observation:
    request, ids = exchange.request, exchange.ids
    plan = attempt.plan if attempt is not None else None
    return Observation(
        exchange.at,
        route.name if route is not None else "",
        plan.side if plan is not None else "",
        "live",
        plan.backend.name if plan is not None else "",
        attempt.outcome if attempt is not None else Outcome.REFUSED,
        attempt.acted if attempt is not None else "no",
        request.method if request is not None else b"",
        exchange.status,
        exchange.body.received,
        exchange.bytes_out,
        attempt.connected if attempt is not None else -1.0,
        attempt.first_byte if attempt is not None else -1.0,
        perf_counter() - exchange.began,
        revision,
        ids.request_id,
        ids.trace_id,
        exchange.error or (attempt.error if attempt is not None else ""),
        request.path if request is not None else b"",
    )
