"""What will be done with a request, decided before anything is sent.

Each route is compiled once into a `PlannedRoute` with a finished `Plan` per side, so that planning a request is only
the choice of a side: the first of these that applies: retired; unsafe -> the record; the tester's choice; the share.
"""

from collections.abc import Callable, Mapping
from email.utils import formatdate
from hmac import compare_digest
from typing import NamedTuple
from urllib.parse import quote_from_bytes

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
from gateway.core.splitting import bucket_of, choose

SAFE_METHODS = frozenset({b"GET", b"HEAD", b"OPTIONS"})
IDEMPOTENT_METHODS = frozenset({b"PUT", b"DELETE"})
"""Beside those that are safe, unless the route says that they are not."""


class Plan(NamedTuple):
    """How one side of a route is called. All of it is decided when the table is built."""

    route: str
    side: Side
    target: Target
    backend: Backend
    timeouts: Timeouts
    max_body: int
    public_prefix: tuple[bytes, bytes] | None
    answer_lines: bytes


class Choice(NamedTuple):
    """A side, and why, in a word that `explain` spells out."""

    side: Side
    why: str


class PlannedRoute:
    """A route ready to serve: its plans by side, and what the hot path asks of it."""

    __slots__ = (
        "ends_in_rest",
        "idempotent",
        "journey",
        "legacy",
        "name",
        "new",
        "param_names",
        "predicates",
        "route",
        "safe",
        "share",
    )

    def __init__(self, route: Route, legacy: Plan | None, new: Plan | None) -> None:
        match = route.match
        self.route = route
        self.name = route.name
        self.legacy = legacy
        self.new = new
        self.safe = route.safe
        self.idempotent = route.idempotent
        self.share = share_of(route)
        self.journey = (route.journey or route.id).encode()
        self.predicates = len(match.headers) + len(match.query)
        self.ends_in_rest = bool(match.segments) and match.segments[-1].kind == "rest"
        self.param_names = tuple(segment.text for segment in match.segments if segment.kind != "literal")

    def plan(self, side: Side) -> Plan:
        """The plan of a side that the configuration guarantees to exist."""
        plan = self.legacy if side == LEGACY else self.new
        assert plan is not None, f"route {self.name} has no {side} side"
        return plan

    def is_safe(self, method: bytes) -> bool:
        return method in SAFE_METHODS if self.safe is None else self.safe

    def is_idempotent(self, method: bytes) -> bool:
        """Whether a request may be sent twice; whatever is safe is idempotent."""
        if self.idempotent is None:
            return method in IDEMPOTENT_METHODS or self.is_safe(method)
        return self.idempotent


def share_of(route: Route) -> int:
    """The new side's part of BUCKETS for reads."""
    match route.serve:
        case Serve.LEGACY | Serve.RETIRED:
            return 0
        case Serve.NEW:
            return BUCKETS
        case Serve.SPLIT:
            return route.share


def planned(route: Route, backends: Mapping[str, Backend], gateway: Gateway) -> PlannedRoute:
    """Compile a route against its backends and the gateway's settings."""
    plans = [
        _plan_of(route, side, target, backends[target.backend], gateway) if target else None
        for side, target in ((LEGACY, route.legacy), (NEW, route.new))
    ]
    return PlannedRoute(route, plans[0], plans[1])


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
        answer_lines=(served_by + announcement(route)).encode(),
    )


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
_SERVES = {LEGACY: Choice(LEGACY, "serves"), NEW: Choice(NEW, "serves")}
_STICKY = {LEGACY: Choice(LEGACY, "bucket"), NEW: Choice(NEW, "bucket")}
_DRAWN = {LEGACY: Choice(LEGACY, "drawn"), NEW: Choice(NEW, "drawn")}


def side_of(planned: PlannedRoute, request: Request, address: bytes, draw: Callable[[], int]) -> Choice:
    """Which side takes a request. `address` is the client's; `draw` gives a bucket where the client has no key."""
    route = planned.route
    if route.serve is Serve.RETIRED:
        return _RETIRED
    if not planned.is_safe(request.method):
        return _RECORD[record_of(route)]
    if request.reserved and route.tester is not None:
        asked = tester_side(route.tester, request)
        if asked is not None and (route.legacy if asked == LEGACY else route.new) is not None:
            return _TESTER[asked]
    share = planned.share
    if share == 0:
        return _SERVES[LEGACY]
    if share == BUCKETS:
        return _SERVES[NEW]
    key = client_key(route.sticky, request, address) if route.sticky else b""
    if key:
        return _STICKY[choose(bucket_of(planned.journey, key), share)]
    return _DRAWN[choose(draw(), share)]


def record_of(route: Route) -> Side:
    """The side that takes the writes: new once it serves everything, legacy until then (or where there is no other)."""
    if route.legacy is None:
        return NEW
    return NEW if route.serve is Serve.NEW else LEGACY


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
        case "address":
            return address


def cookie_value(cookie: bytes, name: bytes) -> bytes:
    """A cookie's value out of a Cookie field (RFC 6265, section 4.2.1); empty when it is not there."""
    for pair in cookie.split(b";"):
        key, _, value = pair.strip().partition(b"=")
        if key == name:
            return value.strip(b'"')
    return b""


# ------------------------------------------------------------------------------------------------ what is sent


class PathProblem(NamedTuple):
    """A target's path cannot be filled from this request (422)."""

    detail: str


def target_path(plan: Plan, planned: PlannedRoute, request: Request, places: tuple[int, ...]) -> bytes | PathProblem:
    """The request target to send: path and query, as received or filled into the target's template.

    `places` tells where in the path the route's `{name}` segments stand.
    """
    base = plan.backend.base
    if plan.target.path is None:
        return base + request.path + request.query
    values = path_values(request.path, places, planned.ends_in_rest)
    parts = [base]
    for part in plan.target.path:
        if isinstance(part, bytes):
            parts.append(part)
            continue
        value = _placeholder_value(part, planned, request, values)
        if value is None:
            return PathProblem(f"The request has no {part.source} {part.name.decode(errors='replace')}.")
        if part.source != "rest" and (not value or problem_of(b"/" + value)):
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
    return None if found is None else quote_from_bytes(found, safe="").encode()


def edited(fields: list[tuple[bytes, bytes]], edit: HeaderEdit) -> list[tuple[bytes, bytes]]:
    """Fields after an edit: those removed are gone, those added replace any of their name."""
    gone = {*edit.remove, *(name.lower() for name, _ in edit.add)}
    return [field for field in fields if field[0].lower() not in gone] + list(edit.add)
