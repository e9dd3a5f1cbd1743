"""What will be done with a request, decided before anything is sent.

Each route is compiled once into a `PlannedRoute` with a finished `Plan` per side, so that planning a request is only
the choice of a side: the first of these that applies: retired; unsafe -> the record; a live override; the tester's
choice; the share, which is the ramp's or the file's.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes

from gateway.core.fields import finder
from gateway.core.model import (
    BUCKETS,
    LEGACY,
    NEW,
    Backend,
    Gateway,
    HeaderEdit,
    Placeholder,
    Request,
    Route,
    Serve,
    Side,
    Sticky,
    Target,
    Tester,
    Timeouts,
)
from gateway.core.paths import problem_of, query_pairs
from gateway.core.policies import NO_STANDING, Shadow, Standing
from gateway.core.published import Published
from gateway.core.splitting import bucket_of, choose

VIA = b"Via: 1.1 banyan\r\n"
SAFE_METHODS = frozenset({b"GET", b"HEAD", b"OPTIONS"})
IDEMPOTENT_METHODS = frozenset({b"PUT", b"DELETE"})
"""Beside those that are safe, unless the route says that they are not."""
KNOWN_METHODS = frozenset(
    b"GET HEAD OPTIONS PUT DELETE "
    b"POST PATCH TRACE CONNECT COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND REBIND UNBIND ACL REPORT "
    b"MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PURGE MKCALENDAR LINK UNLINK SOURCE QUERY".split()
)
"""Every method that the parser takes; it refuses others."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one side of a route is called. All of it is decided when the table is built.

    `host` is the Host field the backend sees and `method` what it is called with (None: the client's), `answer_lines`
    are the gateway's own fields on every answer, `public_prefix` maps the beginning of the backend's paths to public
    ones. `tag` tells what answers are kept by: the route, and how its side is called.
    """

    route: str
    side: Side
    target: Target
    backend: Backend
    timeouts: Timeouts
    max_body: int
    public_prefix: tuple[bytes, bytes] | None
    answer_lines: bytes
    name: str
    host: bytes | None
    method: bytes | None
    as_received: bool
    edits_request: bool
    edits_answer: bool
    tag: str = ""

    def within(self, shadow: Shadow) -> "Plan":
        """The same for a copy, which has less time."""
        most, timeouts = shadow.timeout, self.timeouts
        shorter = {name: min(getattr(timeouts, name), most) for name in ("connect", "response", "answer_idle")}
        return replace(self, timeouts=timeouts._replace(**shorter, total=most))


class Choice(NamedTuple):
    """A side, and why, in a word that `explain` spells out."""

    side: Side
    why: str


class PlannedRoute:
    """A route ready to serve: its plans by side, and what the hot path asks of it.

    `safe` and `idempotent` are the methods that are so on this route, by declaration or by themselves; `record` is the
    side that takes the others; `sticky` is there when the route is split; `places` is where its `{name}` segments stand
    in a path (for `**`: where the rest begins); `published` is the WSDL that its clients go by; `ready` is where
    whoever serves the route keeps what it needs per side; `fallback` tells that one side answers where the other fails;
    after a write a client's reads stay on the record for `settle` seconds, and `owed` tells that it has to be kept;
    `plain` that a request is only passed on;
    `crosswalk` says which identifiers are exchanged, `cache` which answers are kept;
    `shadow` is there when requests are copied, and `copied` are
    the methods of those that are; `watched` tells that somebody may want what passes: a shadow, or the `taker` that
    `capture` gave. What stands beside the file may change while the table serves: `stand` takes it.
    """

    __slots__ = (
        "cache",
        "compared",
        "copied",
        "crosswalk",
        "ends_in_rest",
        "fallback",
        "idempotent",
        "journey",
        "name",
        "override",
        "owed",
        "param_names",
        "places",
        "plain",
        "plans",
        "predicates",
        "priority",
        "published",
        "raw_path",
        "ready",
        "record",
        "retired",
        "route",
        "safe",
        "settle",
        "shadow",
        "share",
        "standing",
        "sticky",
        "taker",
        "tester",
        "watched",
    )

    def __init__(self, route: Route, plans: dict[Side, Plan], published: Published | None = None) -> None:
        match = route.match
        self.route = route
        self.name = route.name
        self.plans = plans
        self.published = published
        self.ready: dict[Side, Any] = {}
        self.safe = safe_methods(route)
        self.idempotent = _methods(route.idempotent, IDEMPOTENT_METHODS | self.safe)
        self.retired = route.serve is Serve.RETIRED
        self.tester = route.tester
        self.stand(NO_STANDING)
        self.shadow = route.shadow if len(plans) == 2 and not self.retired else None
        self.fallback = route.fallback and len(plans) == 2 and not self.retired
        self.settle = 0.0 if self.retired else route.writes.settle
        promised = route.writes.copy or route.writes.queue or route.idempotency is not None
        self.owed = promised and not self.retired
        self.crosswalk = route.crosswalk if len(plans) == 2 and not self.retired else None
        self.cache = None if self.retired else route.cache
        self.plain = not (self.owed or self.cache is not None or self.fallback)
        self.compared = finder({*route.compare.headers, b"content-type", b"content-encoding"})
        self.copied = KNOWN_METHODS if self.shadow is not None and self.shadow.sandbox else self.safe
        self.capture(None)
        self.raw_path = route.raw_path
        self.priority = route.priority
        self.journey = (route.journey or route.id).encode()
        self.predicates = len(match.headers) + len(match.query)
        self.ends_in_rest = bool(match.segments) and match.segments[-1].kind == "rest"
        self.places = tuple(at for at, segment in enumerate(match.segments) if segment.kind != "literal")
        self.param_names = tuple(segment.text for segment in match.segments if segment.kind != "literal")

    def capture(self, taker: Any) -> None:
        """Have whoever serves the route hand what passes to a taker, from the next request on; None ends that."""
        self.taker = taker
        self.watched = taker is not None or self.shadow is not None

    def stand(self, standing: Standing) -> None:
        """Go by an override or a ramp's position from the next request on."""
        route = self.route
        self.standing = standing
        self.override = None if self.retired else standing.override
        self.record = standing.record or record_of(route)
        self.share = share_of(route, standing)
        divided = any(0 < share < BUCKETS for share in (self.share, self.override or 0)) or route.serve is Serve.SPLIT
        self.sticky = route.sticky if divided else None


def may_fall_back(route: PlannedRoute, request: Request) -> bool:
    """Whether the other side may answer this request where the chosen one fails.

    Writes go to the record, whatever becomes of them. An upgrade cannot begin twice, and what proves whose its
    connection is proves nothing on another.
    """
    return route.fallback and request.method in route.safe and not (request.upgrade or request.pinned)


def safe_methods(route: Route) -> frozenset[bytes]:
    """The methods that change nothing on a route, by its declaration or by themselves: those that shares move."""
    return _methods(route.safe, SAFE_METHODS)


def only_reads(route: Route) -> bool:
    """Whether a route takes no request that may change anything."""
    safe = safe_methods(route)
    return bool(route.match.methods) and all(method in safe for method in route.match.methods)


def _methods(declared: bool | None, by_themselves: frozenset[bytes]) -> frozenset[bytes]:
    """The methods that have a property: what the route declares holds for all of them."""
    if declared is None:
        return by_themselves
    return KNOWN_METHODS if declared else frozenset()


def share_of(route: Route, standing: Standing = NO_STANDING) -> int:
    """The new side's part of BUCKETS for reads, but for overrides. A ramp that does not know its place is legacy's."""
    match route.serve:
        case Serve.LEGACY | Serve.RETIRED:
            return 0
        case Serve.NEW:
            return BUCKETS
        case Serve.RAMP:
            return standing.ramp or 0
        case Serve.SPLIT:  # pragma: no branch - mypy knows that there is no other
            return route.share


def planned(route: Route, backends: Mapping[str, Backend], gateway: Gateway) -> PlannedRoute:
    """Compile a route against its backends and the gateway's settings."""
    sides: tuple[tuple[Side, Target | None], ...] = ((LEGACY, route.legacy), (NEW, route.new))
    plans = {side: _plan_of(route, side, target, backends[target.backend], gateway) for side, target in sides if target}
    names = (route.contract or "", *(target.backend for _, target in sides if target))
    described = (backends[name].published for name in names if name in backends)
    return PlannedRoute(route, plans, next((each for each in described if each is not None), None))


def _plan_of(route: Route, side: Side, target: Target, backend: Backend, gateway: Gateway) -> Plan:
    timeouts = gateway.timeout._replace(**dict(backend.timeout))._replace(**dict(route.timeout))
    served_by = f"X-Banyan-Served-By: {side}; {backend.name}; {route.name}\r\n" if gateway.served_by else ""
    return Plan(
        route=route.name,
        side=side,
        target=target,
        backend=backend,
        timeouts=timeouts,
        max_body=route.max_body or gateway.max_body,
        public_prefix=_prefixes(route, target, backend),
        answer_lines=VIA + (served_by + announcement(route)).encode(),
        name=backend.name,
        host=_host_of(backend),
        method=target.method,
        as_received=target.path is None and not backend.base,
        edits_request=target.request != HeaderEdit(),
        edits_answer=target.answer != HeaderEdit(),
        tag="" if route.cache is None else _tag(route, target, backend),
    )


def _tag(route: Route, target: Target, backend: Backend) -> str:
    """What kept answers are kept by: another one where the side is called otherwise after a reload."""
    called = target._replace(call=None if target.call is None else type(target.call).__name__)
    told = repr((called, backend.host, backend.port, backend.unix, backend.base, backend.host_header))
    return f"{route.name} {blake2b(told.encode(), digest_size=8).hexdigest()}"


def _host_of(backend: Backend) -> bytes | None:
    """The Host field a backend sees; None for the client's own."""
    match backend.host_header:
        case "own":
            return backend.authority
        case "public":
            return None
        case literal:
            return literal.encode()


def announcement(route: Route) -> str:
    """The lines by which every answer of a deprecated route says so (RFC 9745, RFC 8594)."""
    if route.deprecated is None:
        return ""
    lines = f"Deprecation: @{route.deprecated.since}\r\n"
    if route.deprecated.sunset is not None:
        lines += f"Sunset: {formatdate(route.deprecated.sunset, usegmt=True)}\r\n"
    if route.deprecated.link is not None:
        lines += f'Link: <{route.deprecated.link}>; rel="deprecation"\r\n'
    if route.successor is not None:
        lines += f'Link: <{route.successor}>; rel="successor-version"\r\n'
    return lines


def _prefixes(route: Route, target: Target, backend: Backend) -> tuple[bytes, bytes] | None:
    """(prefix at the backend, prefix in public) when paths of one map onto the other by their beginning alone."""
    if target.path is None:
        return (backend.base, b"") if backend.base else None
    if not target.path:
        return None
    ends_in_rest = target.path[-1:] == (Placeholder("rest", b""),) and len(target.path) == 2
    literal = target.path[0]
    if not ends_in_rest or not isinstance(literal, bytes):
        return None
    if any(segment.kind == "one" for segment in route.match.segments):
        return None
    public = "".join("/" + quote_from_bytes(segment.text, _IN_SEGMENTS) for segment in route.match.segments[:-1])
    return (backend.base + literal.rstrip(b"/"), public.encode())


_IN_SEGMENTS = "!$&'()*+,;=:@"
"""What stands for itself in a path segment, beside letters, digits and `-._~` (RFC 3986, section 3.3)."""


# ------------------------------------------------------------------------------------------------ which side


_RETIRED = Choice(LEGACY, "retired")
_RECORD = {LEGACY: Choice(LEGACY, "record"), NEW: Choice(NEW, "record")}
_TESTER = {LEGACY: Choice(LEGACY, "tester"), NEW: Choice(NEW, "tester")}
_OVERRIDE = {LEGACY: Choice(LEGACY, "override"), NEW: Choice(NEW, "override")}
_SERVES = {LEGACY: Choice(LEGACY, "serves"), NEW: Choice(NEW, "serves")}
_STICKY = {LEGACY: Choice(LEGACY, "bucket"), NEW: Choice(NEW, "bucket")}
_DRAWN = {LEGACY: Choice(LEGACY, "drawn"), NEW: Choice(NEW, "drawn")}
_SETTLES = {LEGACY: Choice(LEGACY, "settles"), NEW: Choice(NEW, "settles")}
SHARED = frozenset({"serves", "bucket", "drawn"})
"""Why a side answers that was not chosen for this one request, or by a person."""


def side_of(planned: PlannedRoute, request: Request, address: bytes, draw: Callable[[], int]) -> Choice:
    """Which side takes a request. `address` is the client's; `draw` gives a bucket where the client has no key."""
    if planned.retired:
        return _RETIRED
    if request.method not in planned.safe:
        return _RECORD[planned.record]
    share, whole = planned.override, _OVERRIDE
    if share is None:
        if request.reserved and planned.tester is not None:
            asked = tester_side(planned.tester, request)
            if asked in planned.plans:
                return _TESTER[asked]
        share, whole = planned.share, _SERVES
    if share == 0:
        return whole[LEGACY]
    if share == BUCKETS:
        return whole[NEW]
    bucket = _bucket(planned, planned.sticky, request, address) if planned.sticky is not None else None
    if bucket is not None:
        return _STICKY[choose(bucket, share)]
    return _DRAWN[choose(draw(), share)]


def settling(planned: PlannedRoute) -> Choice:
    """Which side takes a read of a client that has just written."""
    return _SETTLES[planned.record]


def _bucket(planned: PlannedRoute, sticky: Sticky, request: Request, address: bytes) -> int | None:
    """The bucket of the client; None when the request does not tell who it is."""
    if sticky.source == "cookie" and len(request.cookie) <= _REMEMBERED:
        return _bucket_by_cookie(request.cookie, sticky.name, planned.journey)
    key = client_key(sticky, request, address)
    return _bucket_by_key(planned.journey, key) if key else None


_bucket_by_key = lru_cache(maxsize=4_096)(bucket_of)
_REMEMBERED = 256
"""Bytes that a Cookie field may have to be remembered: clients send the same again and again."""


def record_of(route: Route) -> Side:
    """The side that takes the writes: the one that the route names, or else new once it serves everything, and legacy
    until then (or where there is no other)."""
    if route.legacy is None:
        return NEW
    if route.writes.record is not None:
        return route.writes.record
    return NEW if route.serve is Serve.NEW else LEGACY


def reads_of(route: Route, standing: Standing) -> int:
    """New's share (of BUCKETS) of a route's reads now: by an override, or else by the ramp or the file."""
    return share_of(route, standing) if standing.override is None else standing.override


def most_of(serve: Serve, share: int) -> int:
    """New's share (of BUCKETS) of a route's reads that a file begins with, which for a ramp is some."""
    return {Serve.NEW: BUCKETS, Serve.SPLIT: share, Serve.RAMP: 1}.get(serve, 0)


def can_stand(route: Route, override: int, record: Side | None) -> bool:
    """Whether a route has the sides that an override names: `override` (of BUCKETS) is new's share of its reads."""
    needed = {side for side, named in ((LEGACY, override < BUCKETS), (NEW, override > 0)) if named} | {record}
    return not (route.legacy is None and LEGACY in needed) and not (route.new is None and NEW in needed)


def tester_side(tester: Tester, request: Request) -> Side | None:
    """The side a tester asked for with the right secret; None without its proof."""
    for name, value in request.reserved:
        if name.lower() == tester.header:
            side, _, secret = value.partition(b" ")
            if compare_digest(secret.strip(), tester.secret):
                return LEGACY if side == b"legacy" else NEW if side == b"new" else None
    return None


def client_key(sticky: Sticky, request: Request, address: bytes) -> bytes:
    """What identifies the client for the split; empty when the request does not tell."""
    match sticky.source:
        case "cookie":
            return cookie_value(request.cookie, sticky.name)
        case "header":
            return next((value for name, value in request.fields if name.lower() == sticky.name), b"")
        case "query":
            return next((value for name, value in query_pairs(request.query) if name == sticky.name), b"")
        case "address":  # pragma: no branch - mypy knows that there is no other
            return address


def cookie_value(cookie: bytes, name: bytes) -> bytes:
    """A cookie's value out of a Cookie field (RFC 6265, section 4.2.1); empty when it is not there."""
    wanted = name + b"="
    at = cookie.find(wanted)
    if at > 0 and cookie[at - 2 : at] != b"; ":  # part of something else, it seems
        found = _cookie_finder(name)(cookie)
        at = found.end() - len(wanted) if found is not None else -1
    return cookie[at + len(wanted) :].partition(b";")[0].rstrip().strip(b'"') if at >= 0 else b""


@lru_cache(maxsize=4_096)
def _bucket_by_cookie(cookie: bytes, name: bytes, journey: bytes) -> int | None:
    key = _value_of(cookie, name)  # one client, many journeys
    return bucket_of(journey, key) if key else None


_value_of = lru_cache(maxsize=4_096)(cookie_value)


@lru_cache(maxsize=1024)
def _cookie_finder(name: bytes) -> Callable[[bytes], re.Match[bytes] | None]:
    return re.compile(rb"(?:^|;)\s*" + re.escape(name) + rb"=").search


# ------------------------------------------------------------------------------------------------ what is sent


class PathProblem(NamedTuple):
    """A target's path cannot be filled from this request (422)."""

    detail: str


def target_path(plan: Plan, planned: PlannedRoute, request: Request) -> bytes | PathProblem:
    """The request target to send: path and query, as received or filled into the target's template."""
    if plan.as_received:
        return request.path + request.query
    base = plan.backend.base
    if plan.target.path is None:
        return base + request.path + request.query
    values = path_values(request.path, planned.places, planned.ends_in_rest)
    parts = [base]
    for part in plan.target.path:
        if isinstance(part, bytes):
            parts.append(part)
            continue
        value = _placeholder_value(part, planned, request, values)
        if value is None:
            return PathProblem(f"The request has no {part.source} {part.name.decode(errors='replace')}.")
        if part.source in ("query", "header") and (not value or problem_of(b"/" + value)):
            return PathProblem(f"The {part.source} {part.name.decode(errors='replace')} cannot be part of a path.")
        parts.append(value)
    parts.append(request.query)
    return b"".join(parts)


def path_values(path: bytes, places: tuple[int, ...], ends_in_rest: bool) -> tuple[bytes, ...]:
    """The text of the segments at these places, as received (so still percent-encoded)."""
    segments = path[1:].split(b"/")
    if not ends_in_rest:
        return tuple(segments[place] for place in places)
    return (*(segments[place] for place in places[:-1]), b"/".join(segments[places[-1] :]))


def _placeholder_value(
    place: Placeholder, planned: PlannedRoute, request: Request, values: tuple[bytes, ...]
) -> bytes | None:
    """The text for a placeholder, percent-encoded as one segment; path values already are, as received."""
    match place.source:
        case "path":
            return values[planned.param_names.index(place.name)]
        case "rest":
            return values[-1]
        case "query":
            found = next((value for name, value in query_pairs(request.query) if name == place.name), None)
        case "header":
            found = next((value for name, value in request.fields if name.lower() == place.name), None)
        case _:  # of the body: whoever decodes it fills these places before
            found = None
    return None if found is None else quote_from_bytes(found, safe="").encode()


def edited(fields: Sequence[tuple[bytes, bytes]], edit: HeaderEdit) -> list[tuple[bytes, bytes]]:
    """Fields after an edit: those removed are gone, those added replace any of their name."""
    gone = {*edit.remove, *(name.lower() for name, _ in edit.add)}
    return [field for field in fields if field[0].lower() not in gone] + list(edit.add)
