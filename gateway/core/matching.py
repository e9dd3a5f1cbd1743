"""The routing table: which route takes a request.

A table is a tree per host, one level per path segment. A search goes down the most specific way first (a literal, then
`{name}`, then `**`) and comes back when nothing there takes the request; at a leaf the method decides, then the number
of header and query predicates. So the file's order never matters, and the cost does not grow with the number of routes.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl

from gateway.core.model import Estate, Match, Predicate, Request
from gateway.core.paths import decoded_segments
from gateway.core.planning import PlannedRoute, planned

GET, HEAD = b"GET", b"HEAD"
FREED_AT_ONCE = 100


class Found(NamedTuple):
    """The route that takes a request, and the received (still encoded) text of its `{name}` segments and `**`."""

    route: PlannedRoute
    values: tuple[bytes, ...]


class NotFound(NamedTuple):
    """No route takes the request; `allow` lists the methods that routes at this path do take (empty: no such path)."""

    allow: tuple[bytes, ...]


class Leaf:
    """The routes of one path template, by method; most predicates first."""

    __slots__ = ("any", "by_method", "soap")

    def __init__(self) -> None:
        self.by_method: dict[bytes, list[PlannedRoute]] = {}
        self.any: list[PlannedRoute] = []
        self.soap: list[PlannedRoute] = []

    def add(self, route: PlannedRoute) -> None:
        match = route.route.match
        if match.soap is not None:
            self.soap.append(route)
            return
        for routes in [self.by_method.setdefault(method, []) for method in match.methods] or [self.any]:
            routes.append(route)
            routes.sort(key=lambda each: -each.predicates)

    def candidates(self, method: bytes) -> Iterator[PlannedRoute]:
        """The routes that take a method, most specific first: its own, GET's for HEAD, then ANY's."""
        yield from self.by_method.get(method, ())
        if method == HEAD:
            yield from self.by_method.get(GET, ())
        yield from self.any

    def allowed(self) -> set[bytes]:
        allowed = set(self.by_method)
        if GET in allowed:
            allowed.add(HEAD)
        if self.soap:
            allowed.add(b"POST")
        return allowed

    def routes(self) -> Iterator[PlannedRoute]:
        yield from self.soap
        seen: set[int] = set()
        for routes in [*self.by_method.values(), self.any]:
            for route in routes:
                if id(route) not in seen:
                    seen.add(id(route))
                    yield route


class Node:
    """One place in the tree of path segments."""

    __slots__ = ("leaf", "literals", "one", "rest")

    def __init__(self) -> None:
        self.literals: dict[bytes, Node] = {}
        self.one: Node | None = None
        self.leaf: Leaf | None = None
        self.rest: Leaf | None = None

    def place(self, match: Match) -> Leaf:
        """The leaf of a template, made when it is missing."""
        node = self
        for segment in match.segments:
            if segment.kind == "rest":
                node.rest = node.rest or Leaf()
                return node.rest
            if segment.kind == "one":
                node.one = node.one or Node()
                node = node.one
            else:
                node = node.literals.setdefault(segment.text, Node())
        node.leaf = node.leaf or Leaf()
        return node.leaf

    def leaves(self, segments: list[bytes], depth: int) -> Iterator[tuple[Leaf, tuple[int, ...]]]:
        """The leaves that a path reaches, most specific first, each with the places of its `{name}` segments.

        A leaf of `**` has the place where the rest begins as its last number.
        """
        if depth == len(segments):
            if self.leaf is not None:
                yield self.leaf, ()
        else:
            segment = segments[depth]
            below = self.literals.get(segment)
            if below is not None:
                yield from below.leaves(segments, depth + 1)
            if self.one is not None and segment:
                for leaf, places in self.one.leaves(segments, depth + 1):
                    yield leaf, (depth, *places)
        if self.rest is not None:
            yield self.rest, (depth,)


class RoutingTable:
    """All routes, compiled; built once by `add`, then only read. `revision` counts tables, `digest` names the file."""

    __slots__ = ("_hosts", "_wild", "digest", "revision", "routes")

    def __init__(self, revision: int, digest: str) -> None:
        self.revision = revision
        self.digest = digest
        self.routes: dict[str, PlannedRoute] = {}
        self._hosts: dict[bytes | None, Node] = {}
        self._wild: list[tuple[bytes, Node]] = []

    def add(self, route: PlannedRoute) -> None:
        match = route.route.match
        if match.host not in self._hosts:
            self._hosts[match.host] = Node()
            if match.host is not None and match.host.startswith(b"*."):
                self._wild.append((match.host[1:], self._hosts[match.host]))
                self._wild.sort(key=lambda each: -len(each[0]))
        self.routes[route.name] = route
        self._hosts[match.host].place(match).add(route)

    def dismantle(self) -> Iterator[None]:
        """Free the table in small steps: a caller that pauses between them never frees much at once."""
        nodes = list(self._hosts.values())
        self._hosts.clear()
        self._wild.clear()
        while nodes:
            node = nodes.pop()
            while node.literals:
                nodes.append(node.literals.popitem()[1])
                if len(nodes) % FREED_AT_ONCE == 0:
                    yield
            if node.one is not None:
                nodes.append(node.one)
        while self.routes:
            for _ in range(min(FREED_AT_ONCE, len(self.routes))):
                self.routes.popitem()
            yield

    def leaves(self, host: bytes, path: bytes) -> Iterator[tuple[Leaf, tuple[int, ...]]]:
        """The leaves that a host and path reach, most specific first."""
        segments = decoded_segments(path)
        for node in self._nodes(host):
            yield from node.leaves(segments, 0)

    def _nodes(self, host: bytes) -> Iterator[Node]:
        if len(self._hosts) > 1 or None not in self._hosts:
            name = host_name(host)
            exact = self._hosts.get(name)
            if exact is not None:
                yield exact
            for suffix, node in self._wild:
                if name.endswith(suffix) and len(name) > len(suffix):
                    yield node
        everywhere = self._hosts.get(None)
        if everywhere is not None:
            yield everywhere


def compiled(estate: Estate, revision: int = 0) -> RoutingTable:
    """The table of an estate, in one go."""
    table = RoutingTable(revision, estate.digest)
    backends = {backend.name: backend for backend in estate.backends}
    for route in estate.routes:
        table.add(planned(route, backends, estate.gateway))
    return table


def find(table: RoutingTable, request: Request) -> Found | NotFound:
    """The route that takes a request. SOAP operations are left to `find_operation`, which must have read the body."""
    allow: set[bytes] = set()
    for leaf, places in table.leaves(request.host, request.path):
        for route in leaf.candidates(request.method):
            if not route.predicates or fits(route.route.match, request):
                return Found(route, _values(request.path, places, route.ends_in_rest))
        allow |= leaf.allowed()
    return NotFound(tuple(sorted(allow)))


def operations(table: RoutingTable, request: Request) -> list[PlannedRoute]:
    """The SOAP operations that have routes of their own at this address; empty unless the request is a POST."""
    if request.method != b"POST":
        return []
    found: list[PlannedRoute] = []
    for leaf, _ in table.leaves(request.host, request.path):
        found += [route for route in leaf.soap if not route.predicates or fits(route.route.match, request)]
        if leaf.by_method.get(b"POST") or leaf.any:
            break
    found.sort(key=lambda route: -route.predicates)
    return found


def fits(match: Match, request: Request) -> bool:
    """Whether all header and query predicates of a match hold."""
    return all(_header_holds(each, request.fields) for each in match.headers) and (
        not match.query or _query_holds(match.query, request.query)
    )


def _header_holds(wanted: Predicate, fields: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(
        name.lower() == wanted.name and (wanted.value is None or value == wanted.value) for name, value in fields
    )


def _query_holds(wanted: tuple[Predicate, ...], query: bytes) -> bool:
    given = parse_qsl(query[1:], keep_blank_values=True)
    return all(
        any(name == each.name and (each.value is None or value == each.value) for name, value in given)
        for each in wanted
    )


def host_name(host: bytes) -> bytes:
    """A Host field without its port, in lower case and without a final dot."""
    name = host.lower()
    if not name.startswith(b"["):
        name = name.partition(b":")[0]
    elif b"]" in name:
        name = name[: name.index(b"]") + 1]
    return name.rstrip(b".")


def _values(path: bytes, places: tuple[int, ...], ends_in_rest: bool) -> tuple[bytes, ...]:
    if not places:
        return ()
    segments = path[1:].split(b"/")
    if not ends_in_rest:
        return tuple(segments[place] for place in places)
    return (*(segments[place] for place in places[:-1]), b"/".join(segments[places[-1] :]))
