"""Why the routes that did not take a request lost it: for each, the first thing that spoke against it.

Those whose path fits come first, the most specific before the rest, then those that only want another host. Where no
path fits, those that come closest stand instead: mistyped addresses are found that way.
"""

from collections.abc import Iterator
from itertools import islice, takewhile
from typing import NamedTuple

from gateway.core import soap
from gateway.core.matching import Leaf, Node, RoutingTable, fits, host_name, operations
from gateway.core.model import Match, Predicate, Request, Segment
from gateway.core.paths import decoded_segments
from gateway.core.planning import PlannedRoute

NEAREST = 10
ALIKE = 0.5
"""How alike a path must be to be worth mentioning; `rent` and `rents` are 0.8."""


class Lost(NamedTuple):
    """A route that did not take the request, its match as written, and why."""

    route: str
    match: str
    why: str


Reason = tuple[PlannedRoute, str]


def others(table: RoutingTable, request: Request, chosen: PlannedRoute | None, body: bytes) -> tuple[Lost, ...]:
    """The routes nearest to a request, except the one that takes it."""
    reasons = list(_reasons(table, request, chosen, body))
    if not reasons:
        reasons = list(_near_misses(table, request))
    nearest = islice(((route, why) for route, why in reasons if route is not chosen), NEAREST)
    return tuple(Lost(route.name, route.route.pattern, why) for route, why in nearest)


def _reasons(table: RoutingTable, request: Request, chosen: PlannedRoute | None, body: bytes) -> Iterator[Reason]:
    seen: set[str] = set()
    for leaf in table.leaves(request):
        for route in leaf.routes():
            yield route, _at_this_path(table, request, chosen, body, route)
            seen.add(route.name)
    for route in _fitting_but_for_host(table, request):
        if route.name not in seen:
            wanted = (route.route.match.host or b"").decode()
            yield route, f"the host differs: it wants {wanted}, and the request has {_text(host_name(request.host))}"


# ------------------------------------------------------------------------------------------------ the path fits


def _at_this_path(
    table: RoutingTable, request: Request, chosen: PlannedRoute | None, body: bytes, route: PlannedRoute
) -> str:
    match = route.route.match
    if match.soap is not None and request.method != b"POST":
        return "it takes a SOAP call, which is a POST"
    if not _takes_method(route, request.method):
        return f"it takes {', '.join(method.decode() for method in match.methods)}, not {request.method.decode()}"
    for unmet in _unmet(match, request):
        return unmet
    if match.soap is not None and not soap.is_soap(request):
        return "it takes a SOAP call, and the content type is not one of SOAP's"
    if match.soap is not None and route in operations(table, request):
        called = soap.called(request, body[: soap.READ_AHEAD], True)
        return f"the body calls {called.element}" if isinstance(called, soap.Called) else "the body calls no operation"
    if chosen is None:
        return "it would take it, and the gateway serves no such request"
    return _less_specific(match, chosen.route.match)


def _takes_method(route: PlannedRoute, method: bytes) -> bool:
    alone = Leaf()
    alone.add(route)
    return bool(alone.any) or method in alone.allowed()


def _unmet(match: Match, request: Request) -> Iterator[str]:
    """Each predicate that does not hold; values are not told, since they may be secrets."""
    for each in match.headers:
        if not fits(match._replace(headers=(each,), query=()), request):
            yield _unmet_text("header", each)
    for each in match.query:
        if not fits(match._replace(headers=(), query=(each,)), request):
            yield _unmet_text("query parameter", each)


def _unmet_text(kind: str, predicate: Predicate) -> str:
    wanted = "is missing" if predicate.value is None else "is missing or has another value"
    return f"the {kind} `{_text(predicate.name)}` {wanted}"


def _less_specific(match: Match, chosen: Match) -> str:
    if match.host != chosen.host:
        return "its host is less specific"
    if chosen.soap is not None and match.soap is None:
        return "SOAP operations with a route of their own come first"
    if [_shape(each) for each in match.segments] != [_shape(each) for each in chosen.segments]:
        return "its path is less specific"
    if bool(match.methods) != bool(chosen.methods):
        return "it takes any method, and the other names this one"
    if len(match.headers) + len(match.query) < len(chosen.headers) + len(chosen.query):
        return "it has fewer conditions"
    return "it takes the method less directly"


def _shape(segment: Segment) -> tuple[str, bytes]:
    return segment.kind, segment.text if segment.kind == "literal" else b""


# ------------------------------------------------------------------------------------------------ it does not


def _fitting_but_for_host(table: RoutingTable, request: Request) -> list[PlannedRoute]:
    """Routes of named hosts whose path fits: the same tree, grown without regard to hosts."""
    everywhere = Node()
    for route in table.routes.values():
        if route.route.match.host is not None:
            everywhere.place(route.route.match).add(route)
    found: list[PlannedRoute] = []

    def note(leaf: Leaf, _: Request) -> None:
        found.extend(leaf.routes())

    everywhere.search(decoded_segments(request.path), 1, note, request)
    return found


def _near_misses(table: RoutingTable, request: Request) -> Iterator[Reason]:
    segments = decoded_segments(request.path)[1:]
    scored = [(_likeness(route.route.match.segments, segments), route) for route in table.routes.values()]
    for likeness, route in sorted(scored, key=lambda each: -each[0]):
        if likeness >= ALIKE:
            yield route, _difference(route.route.match.segments, segments)


def _likeness(wanted: tuple[Segment, ...], segments: list[bytes]) -> float:
    """How alike a template and a path are: one for each literal that fits, less for what merely begins alike."""
    likeness = 0.0
    for each, text in zip(wanted, segments, strict=False):
        if each.kind == "literal":
            alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(each.text, text, strict=False)))
            likeness += alike / max(len(each.text), len(text), 1)
    return likeness - 0.25 * abs(len(wanted) - len(segments))


def _difference(wanted: tuple[Segment, ...], segments: list[bytes]) -> str:
    """The first segment that does not fit."""
    for each, text in zip(wanted, segments, strict=False):
        if each.kind == "literal" and each.text != text:
            return f"its path has `{_text(each.text)}` where the request has `{_text(text)}`"
        if not text:
            return f"its path has `{_part(each)}` where the request has nothing"
    if len(wanted) < len(segments):
        return f"its path ends where the request goes on with `/{_text(b'/'.join(segments[len(wanted) :]))}`"
    return f"its path goes on with `/{'/'.join(_part(each) for each in wanted[len(segments) :])}`"


def _part(segment: Segment) -> str:
    """A part of a template, as it is written."""
    text = _text(segment.text)
    return {"literal": text, "one": f"{{{text}}}", "rest": "**"}[segment.kind]


def _text(name: bytes) -> str:
    return name.decode(errors="replace")
