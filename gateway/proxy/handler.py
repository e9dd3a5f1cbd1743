"""One request, from top to bottom. Everything is decided before anything is sent, and recorded once it is over."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import ceil
from random import SystemRandom, getrandbits
from time import perf_counter

from gateway.core import matching, published, soap
from gateway.core.caching import METHODS
from gateway.core.crosswalk import OTHER, Pairs, side_for, translated
from gateway.core.fields import field_lines
from gateway.core.forwarding import client_address, public_origin
from gateway.core.headers import read_request
from gateway.core.matching import NotFound
from gateway.core.model import BUCKETS, LEGACY, NEW, Observation, Observed, Outcome, Request
from gateway.core.paths import needs_raw, problem_of
from gateway.core.planning import SHARED, Choice, Plan, PlannedRoute, client_key, settling, side_of
from gateway.core.problems import Refusal, soap_fault
from gateway.core.tracing import again, unfinished
from gateway.errors import BackendError, ClientError, ClientGone, NotAdmitted
from gateway.proxy.answers import refuse, relay, write_own
from gateway.proxy.attempts import REFUSED, Attempt
from gateway.proxy.caching import Cache, Look
from gateway.proxy.chance import fresh_digits
from gateway.proxy.courses import Course
from gateway.proxy.durable import Durable
from gateway.proxy.insisting import called, first_answer, holds_bodies
from gateway.proxy.live import Live
from gateway.proxy.receipts import PLACE, answer_receipt
from gateway.proxy.recorder import Recorder
from gateway.proxy.settling import Settling
from gateway.proxy.shedding import Shedding, too_busy
from gateway.proxy.watching import Watch, Watched
from gateway.proxy.writing import kept_write
from gateway.wire.body import too_large, whole
from gateway.wire.client import Abandoned
from gateway.wire.exchange import CONTINUE, Exchange
from gateway.wire.pool import Judged

ALLOWED = ((b"Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),)
_SOON = ((b"Retry-After", b"1"),)
NOTHING_READ = read_request(b"GET", b"/", (), (), True)
"""Stands for a request whose head could not be read: it brings no ids."""
_OWN_METHODS = frozenset({b"OPTIONS", b"TRACE"})
_system = SystemRandom()


class Handler:
    """Serves requests from the live table. `live` is replaced by a reload; a request stays on the one it began with."""

    def __init__(self, live: Live, recorder: Recorder, watch: Watch, durable: Durable, pairs: Pairs) -> None:
        self.live = live
        self.durable = durable
        self.settling = Settling()
        self.shedding = Shedding()
        self.cache = Cache(live.gateway.cache)
        self.pairs = pairs
        self._recorder = recorder
        self._watch = watch

    async def serve(self, exchange: Exchange) -> None:
        """Serve one request, whatever becomes of it."""
        live = self.live
        route: PlannedRoute | None = None
        attempt: Attempt | None = None
        watched: Watched | None = None
        course: Course | None = None
        try:
            request = _readable(exchange, live)
            if request.odd and request.path.startswith(PLACE):
                await answer_receipt(exchange, request.path, request.method, self.durable)
                return
            if not live.table.has_operations or request.method != b"POST":
                route = live.table.take(request)
                if route is None or request.odd:
                    route = _by_path(live, exchange, request, route)
            else:
                request, route = await _by_body(live, exchange, request)
            if route.priority < self.shedding.least:
                raise too_busy()
            choice, cookie = _choose(live, exchange, route, request)
            if self.settling.until and choice.why in SHARED:
                choice = self._settled(choice, live, exchange, route, request)
            asked, asked_body = request, None
            if route.crosswalk is not None and route.crosswalk.at:
                choice, request, asked_body = await self._exchanged(live, exchange, route, choice, request)
            plan, caller, pool, _ = route.ready[choice.side]
            if request.length:
                _bound_body(exchange, plan, request)
            if request.expect and (plan.target.call is not None or holds_bodies(route, pool)):
                request = _continued(exchange, request)  # the body is read before anything is sent
            lines = exchange.connection.introduction.lines(request) + exchange.ids[2]
            attempt = exchange.attempt = Attempt(exchange, request, route, plan, lines, pool)
            if request is not asked and route.crosswalk is not None:
                attempt.asked, attempt.asked_body = replace(asked, expect=False), asked_body
            if choice.why == "tester":
                attempt.role = "tester"
            elif route.watched:
                watched = self._watch.of(live, attempt)
            if route.plain:
                if pool.guard is None:
                    answer = await caller.call(attempt, attempt.send)
                else:
                    answer = await called(attempt, caller, pool, live.gateway)
            else:
                course = Course(exchange, live, attempt, caller, pool, watched)
                promised = await self._promised(course)
                if promised is None:
                    return
                attempt, watched, answer = course.taken, course.watched, promised
            exchange.first_byte = perf_counter() - exchange.began
            if route.settle and request.method not in route.safe:
                self.settling.wrote(route, request, _address_of(live, exchange, request))
            head, body, attempt.outcome, attempt.acted = answer
            if watched is not None:
                watched.answered(head, body)
            if (rest := relay(attempt, head, body, live.gateway, cookie)) is not None:
                await rest
        except BackendError as error:
            _backend_failed(exchange, route, attempt if course is None else course.attempt, error)
        except _Answered:
            pass
        except ClientGone:
            exchange.error = "client_gone"
        except ClientError as fault:
            exchange.error = "refused"
            _refuse(exchange, route, fault)
        finally:
            if course is not None:
                attempt, watched = course.attempt, course.watched
                if course.looked is not None:
                    course.looked.over()  # first of all: others may wait for it
            if self.cache.used and attempt is not None and attempt.acted != "no":
                self._written(attempt)
            if attempt is not None:
                exchange.attempt = None  # they know each other: left so, each request would be work for the collector
                if attempt.connection is not None:
                    attempt.end()
            if watched is not None:
                watched.over()
            self._recorder.record(_observation(exchange, route, attempt, live.table.revision))

    def _settled(self, choice: Choice, live: Live, exchange: Exchange, route: PlannedRoute, request: Request) -> Choice:
        """The record for a read of a client that has just written, and otherwise what was chosen."""
        if self.settling.holds(route, request, _address_of(live, exchange, request)):
            return settling(route)
        return choice

    # -------------------------------------------------------------------------------------------- more than passed on

    async def _promised(self, course: Course) -> Judged | None:
        """The answer to a request whose route promises something: that a write is kept, that an answer is, or that one
        side answers for the other. None when the client has been answered already."""
        attempt, gateway = course.taken, course.live.gateway
        route, request = attempt.route, attempt.request
        method, attempt.trusted = request.method, course.live.trusted
        if method in route.safe:
            if route.cache is None or method not in METHODS or attempt.pinned or request.upgrade or request.length:
                return await self._asked(course)
            origin = public_origin(course.exchange.connection.peer, request, gateway.public_url)
            course.looked = Look(self.cache, route.cache, attempt, origin, partial(self._failed_unnoticed, course))
            _, answer = await course.looked.answer(attempt, partial(self._brought, course), gateway.capture)
            if attempt.role == "cached":
                course.give_up("cached")
            return answer
        if route.owed:
            kept = await kept_write(attempt, course.caller, course.pool, gateway, self.durable, self.pairs)
            if kept is None:
                course.attempt = None  # nobody was asked
            return kept
        return await self._asked(course)

    async def _brought(self, course: Course) -> tuple[Attempt, Judged]:
        """A backend's answer, and the attempt that brought it."""
        answer = await self._asked(course)
        return course.taken, answer

    async def _asked(self, course: Course) -> Judged:
        """The answer of the side that serves, or else of the other one, where that may be."""
        live, attempt = course.live, course.taken
        elsewhere = self._elsewhere(attempt) if attempt.route.fallback else None
        if elsewhere is None:
            return await called(attempt, course.caller, course.pool, live.gateway)
        first = await first_answer(attempt, course.caller, course.pool, live.gateway)
        if first is not None:
            return first
        self._fall_back(course, elsewhere)
        return await called(course.taken, course.caller, course.pool, live.gateway)

    def _elsewhere(self, attempt: Attempt) -> Request | None:
        """The request as the other side knows it; None where that cannot be said."""
        route, asked = attempt.route, attempt.asked
        if route.crosswalk is None or not route.crosswalk.at:
            return asked
        if asked.length and any(way.source == "body" for way in route.crosswalk.at):
            return None
        exchanged = translated(self.pairs, route, asked, b"", OTHER[attempt.plan.side])
        return None if exchanged is None else exchanged[0]

    def _fall_back(self, course: Course, elsewhere: Request) -> None:
        """The same request, to be asked of the side that does not serve it. What failed counts as it did."""
        course.give_up("fallback")
        exchange, failed = course.exchange, course.taken
        route = failed.route
        self._recorder.record(unfinished(_observation(exchange, route, failed, course.live.table.revision)))
        failed.end()
        exchange.body.replay()
        ids, exchange.ids = exchange.ids, again(exchange.ids, fresh_digits()[1])
        lines = failed.lines.removesuffix(ids[2]) + exchange.ids[2]
        ready = route.ready[LEGACY if failed.plan.side == NEW else NEW]
        rescue = Attempt(exchange, elsewhere, route, ready.plan, lines, ready.pool)
        rescue.role, rescue.asked = "fallback", failed.asked
        course.attempt, course.caller, course.pool = rescue, ready.caller, ready.pool
        exchange.attempt = rescue

    def _failed_unnoticed(self, course: Course, failed: Attempt) -> None:
        """The last attempt failed, and a kept answer stands in: it counts as it did."""
        last = course.taken
        last.outcome, last.acted, last.error, last.status = failed.outcome, failed.acted, failed.error, failed.status
        self._recorder.record(unfinished(_observation(course.exchange, last.route, last, course.live.table.revision)))
        if last is not failed:
            last.end()
        course.attempt = failed

    def _written(self, attempt: Attempt) -> None:
        """What was kept of an address says nothing any more, if something may have been written there."""
        asked = attempt.asked
        if asked.method not in attempt.route.safe:
            self.cache.written(asked.path)

    async def _exchanged(
        self, live: Live, exchange: Exchange, route: PlannedRoute, choice: Choice, request: Request
    ) -> tuple[Choice, Request, bytes | None]:
        """A request with the identifiers that its side knows, and its body as it came if that is another one now. A
        read of what that side does not have yet goes to the one that has it.

        Raises ClientError for a body that is larger than is decoded, and for what its side does not know.
        """
        if not self.pairs.complete:
            raise ClientError(503, "What this names is not known yet. Try again later.", headers=_SOON)
        crosswalk, data = route.crosswalk, b""
        if request.length and crosswalk is not None and any(way.source == "body" for way in crosswalk.at):
            if request.expect:
                request = _continued(exchange, request)
            _bound_body(exchange, route.plans[choice.side], request)
            held = await exchange.body.capture(live.gateway.decode)
            if held is None:
                raise too_large(live.gateway.decode)
            data = held
        if request.method in route.safe:
            side = side_for(self.pairs, route, request, data, choice.side)
            choice = choice if side == choice.side else Choice(side, "crosswalk")
        exchanged = translated(self.pairs, route, request, data, choice.side)
        if exchanged is None:  # by its own name it might be something else there
            raise ClientError(503, "What this names is not there yet. Try again later.", headers=_SOON)
        request, changed = exchanged
        if changed == data:
            return choice, request, None
        exchange.body = whole(changed)
        return choice, request, data


class _Answered(Exception):
    pass


# ------------------------------------------------------------------------------------------------ finding the route


def _readable(exchange: Exchange, live: Live) -> Request:
    """The request, with ids. Raises ClientError for what must not be routed at all."""
    request = exchange.request
    if request is None:
        exchange.ids = live.identify(NOTHING_READ, fresh_digits())
        raise exchange.fault or ClientError(400, "The request cannot be read.", close=True)
    exchange.ids = live.identify(request, fresh_digits())
    if request.method in _OWN_METHODS:
        request = _own_method(exchange, request)
    if request.odd and (problem := problem_of(request.path)) is not None:
        raise ClientError(400, problem)
    return request


def _own_method(exchange: Exchange, request: Request) -> Request:
    """OPTIONS may ask about the gateway itself, and is answered here then; TRACE would show what was stripped."""
    if request.method == b"TRACE":
        raise ClientError(405, "TRACE is not served.", headers=ALLOWED)
    hops = next((value.strip() for name, value in request.reserved if name.lower() == b"max-forwards"), b"")
    if request.path == b"*" or hops == b"0":
        refuse(exchange, 204, "", headers=ALLOWED)
        raise _Answered
    if hops.isdigit():  # one hop fewer for whoever comes next (RFC 9110, section 7.6.2)
        fewer = (b"Max-Forwards", b"%d" % (int(hops[:9]) - 1))
        return replace(request, lines=request.lines + field_lines([fewer]))
    return request


def _by_path(live: Live, exchange: Exchange, request: Request, route: PlannedRoute | None) -> PlannedRoute:
    """The route that was found by the path, if there is one and it takes the path as it is spelt."""
    if route is None:
        if request.query:
            _publish(live, exchange, request)
        raise _not_found(matching.not_found(live.table, request))
    if not route.raw_path and needs_raw(request.path):
        raise ClientError(400, "The path has an empty segment or an encoded slash, which this route does not take.")
    return route


async def _by_body(live: Live, exchange: Exchange, request: Request) -> tuple[Request, PlannedRoute]:
    """The route of the SOAP operation that the body calls, or the path's plain route; and the request as it goes on."""
    routes = matching.operations(live.table, request)
    if not routes or not soap.is_soap(request):
        return request, _by_path(live, exchange, request, live.table.take(request))
    if request.expect:  # the body decides the route, so it is asked for here, and not again
        request = _continued(exchange, request)
    start = await exchange.body.peek(soap.READ_AHEAD)
    call = soap.called(request, start, exchange.body.ended and exchange.body.received == len(start))
    known = [route.route.match.soap for route in routes if route.route.match.soap is not None]
    wanted = call if isinstance(call, soap.SoapProblem) else soap.operation_for(call, known)
    if isinstance(wanted, soap.SoapProblem):
        exchange.error = "refused"
        fault = soap_fault(wanted.envelope, wanted.reason, exchange.ids[0].decode("latin-1"))
        write_own(exchange, fault)
        raise _Answered
    if wanted is None:
        return request, _by_path(live, exchange, request, live.table.take(request))
    route = next(route for route in routes if route.route.match.soap == wanted)
    return request, _by_path(live, exchange, request, route)


def _continued(exchange: Exchange, request: Request) -> Request:
    """The request, once its body has been asked for."""
    exchange.connection.write(CONTINUE)
    return replace(request, expect=False)


def _publish(live: Live, exchange: Exchange, request: Request) -> None:
    """Answer a request for a file of the WSDL that SOAP routes here go by. Raises _Answered when it is one."""
    wsdl = matching.published(live.table, request)
    page = published.page_for(request.query, wsdl) if wsdl is not None else None
    if page is None:
        return
    origin = public_origin(exchange.connection.peer, request, live.gateway.public_url)
    tag = published.etag(page, origin, request.path)
    known = [value for name, value in request.fields if name.lower() == b"if-none-match"]
    headers = ((b"ETag", tag), (b"Cache-Control", b"no-cache"))
    if published.is_known(tag, known):
        write_own(exchange, Refusal(304, b"", b""), headers)
    else:
        content_type = b"text/xml; charset=" + page.charset.encode()
        write_own(exchange, Refusal(200, content_type, published.content(page, origin, request.path)), headers)
    raise _Answered


def _not_found(result: NotFound) -> ClientError:
    if not result.allow:
        return ClientError(404, "Nothing is served at this address.")
    allow = b", ".join(result.allow)
    return ClientError(405, "This address does not take this method.", headers=((b"Allow", allow),))


# ------------------------------------------------------------------------------------------------ deciding


def _choose(live: Live, exchange: Exchange, route: PlannedRoute, request: Request) -> tuple[Choice, bytes]:
    """The side and why, and a Set-Cookie value when the route gives its clients a key of their own."""
    if route.retired:
        _refuse(exchange, route, ClientError(410, "This service has been retired."), route.route.successor)
        raise _Answered
    sticky, address, cookie = route.sticky, b"", b""
    if sticky is not None:
        if sticky.source == "address":
            address = _address_of(live, exchange, request)()
        elif sticky.issue and not client_key(sticky, request, b""):
            key = b"%b=%032x" % (sticky.name, getrandbits(128))
            request, cookie = replace(request, cookie=key), key + b"; Path=/; HttpOnly; SameSite=Lax"
    return side_of(route, request, address, _draw), cookie


def _address_of(live: Live, exchange: Exchange, request: Request) -> Callable[[], bytes]:
    """The client's address, worked out once it is asked for."""
    return partial(client_address, exchange.connection.peer, request, live.trusted)


def _draw() -> int:
    return _system.randrange(BUCKETS)


def _bound_body(exchange: Exchange, plan: Plan, request: Request) -> None:
    """Hold a body to the route's size and pace; one that is too large by its own word is refused at once."""
    if plan.max_body:
        if request.length > plan.max_body:
            raise too_large(plan.max_body)
        exchange.body.bound(plan.max_body)
    if not exchange.body.ended:
        exchange.connection.let_body_idle(plan.timeouts.body_idle)


# ------------------------------------------------------------------------------------------------ ending


def _refuse(exchange: Exchange, route: PlannedRoute | None, fault: ClientError, successor: str | None = None) -> None:
    """Say no in the client's own language: a client of SOAP that has found its route understands faults alone."""
    envelope = None
    if route is not None and exchange.request is not None:
        envelope = soap.spoken(exchange.request, route.route.match.soap)
    if envelope is None:
        refuse(exchange, fault.status, fault.detail, headers=fault.headers, close=fault.close, successor=successor)
        return
    ours = exchange.ids[0].decode("latin-1")
    refusal = soap_fault(envelope, fault.detail, ours, sender=fault.status < 500)
    write_own(exchange, refusal, fault.headers, close=fault.close)


def _backend_failed(
    exchange: Exchange, route: PlannedRoute | None, attempt: Attempt | None, error: BackendError
) -> None:
    """Answer for a backend that failed. What is half out is cut, so that it cannot pass for a whole answer."""
    assert attempt is not None, "only an attempt can fail on a backend"
    if isinstance(error, Abandoned):
        attempt.acted = "maybe"
        if isinstance(error.reason, ClientGone):
            exchange.error = "client_gone"
        elif isinstance(error.reason, ClientError):
            exchange.error = "refused"
            _refuse(exchange, route, ClientError(error.reason.status, error.reason.detail, close=True))
        return
    attempt.failed(error)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if isinstance(error, NotAdmitted):
        headers = ((b"Retry-After", b"%d" % ceil(error.retry_after)),)
    _refuse(exchange, route, ClientError(error.status, error.public_detail, headers=headers))


def _observation(exchange: Exchange, route: PlannedRoute | None, attempt: Attempt | None, revision: int) -> Observed:
    if attempt is None or route is None:
        return _own_observation(exchange, route, revision)
    plan, request = attempt.plan, attempt.request
    request_id, trace, _ = exchange.ids
    return (  # in the order of an Observation
        exchange.at,
        route.name,
        plan.side,
        attempt.role,
        plan.name,
        attempt.outcome,
        attempt.acted,
        request.method,
        attempt.status or exchange.status,
        exchange.error or attempt.error,
        exchange.body.received,
        exchange.bytes_out,
        attempt.connect,
        exchange.first_byte,
        perf_counter() - exchange.began,
        revision,
        request_id,
        trace,
        request.path,
    )


def _own_observation(exchange: Exchange, route: PlannedRoute | None, revision: int) -> Observed:
    """What is noted of a request that no backend was asked about."""
    request = exchange.request or NOTHING_READ
    return tuple(
        Observation(
            at=exchange.at,
            route=route.name if route is not None else "",
            side="",
            role="live",
            backend="",
            outcome=Outcome.OK
            if 0 < exchange.status < 400
            else REFUSED,  # it may have been answered here: a WSDL, OPTIONS
            acted="no",
            method=request.method if exchange.request is not None else b"",
            status=exchange.status,
            error=exchange.error,
            bytes_in=exchange.body.received,
            bytes_out=exchange.bytes_out,
            connect=-1.0,
            first_byte=-1.0,
            duration=perf_counter() - exchange.began,
            revision=revision,
            request_id=exchange.ids[0],
            trace=exchange.ids[1],
            path=request.path if exchange.request is not None else b"",
        )
    )
