"""The routing table: which route takes a request.

A table is a tree per host, one level per path segment. A search goes down the most specific way first (a literal, then
`{name}`, then `**`) and comes back when nothing there takes the request; at a leaf the method decides, then the number
of header and query predicates. So the file's order never matters, and the cost does not grow with the number of routes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import NamedTuple

from gateway.core.model import Estate, Match, Predicate, Request
from gateway.core.paths import PERCENT, decoded_segments, needs_raw, query_pairs
from gateway.core.planning import PlannedRoute, planned
from gateway.core.policies import NO_STANDING, Standing
from gateway.core.published import Published

GET, HEAD = b"GET", b"HEAD"
FREED_AT_ONCE = 100


class NotFound(NamedTuple):
    """No route takes the request; `allow` lists the methods that would be taken here (empty: it is not the method)."""

    allow: tuple[bytes, ...]


class Leaf:
    """The routes of one path template, by method; most predicates first."""

    __slots__ = ("any", "soap", "takes")

    def __init__(self) -> None:
        self.takes: dict[bytes, list[PlannedRoute]] = {}
        self.any: list[PlannedRoute] = []
        self.soap: list[PlannedRoute] = []

    def add(self, route: PlannedRoute) -> None:
        match = route.route.match
        if match.soap is not None:
            places = [self.soap]
        else:
            places = [self.takes.setdefault(method, []) for method in match.methods] or [self.any]
        for routes in places:
            routes.append(route)
            routes.sort(key=lambda each: -each.predicates)

    def take(self, request: Request) -> PlannedRoute | None:
        """The route for a request, most specific first: its own method's, GET's for HEAD, then ANY's."""
        method = request.method
        for route in self.takes.get(method, ()):
            if not route.predicates or fits(route.route.match, request):
                return route
        if method == HEAD:
            for route in self.takes.get(GET, ()):
                if not route.predicates or fits(route.route.match, request):
                    return route
        for route in self.any:
            if not route.predicates or fits(route.route.match, request):
                return route
        return None

    def allowed(self) -> set[bytes]:
        allowed = set(self.takes)
        if GET in allowed:
            allowed.add(HEAD)
        if self.soap:
            allowed.add(b"POST")
        return allowed

    def routes(self) -> list[PlannedRoute]:
        """All of them, each once."""
        every = [*self.soap, *(route for routes in self.takes.values() for route in routes), *self.any]
        return list(dict.fromkeys(every))


Look = Callable[[Leaf, Request], PlannedRoute | None]


class Node:
    """One place in the tree of path segments."""

    __slots__ = ("branches", "leaf", "literals", "one", "rest")

    def __init__(self) -> None:
        self.literals: dict[bytes, Node] = {}
        self.one: Node | None = None
        self.leaf: Leaf | None = None
        self.rest: Leaf | None = None
        self.branches = False

    def place(self, match: Match) -> Leaf:
        """The leaf of a template, made when it is missing."""
        node = self
        for segment in match.segments:
            if segment.kind != "literal":
                node.branches = True
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

    def search(self, segments: list[bytes], depth: int, look: Look, request: Request) -> PlannedRoute | None:
        """Show `look` the leaves that a path reaches, most specific first, until it returns a route."""
        node, last = self, len(segments)
        while depth < last:
            segment = segments[depth]
            below = node.literals.get(segment)
            if node.branches and (below is not None or node.rest is not None):
                return node._search_all(segments, depth, look, request)
            if below is None:
                below = node.one
                if below is None or not segment:
                    return None
            node = below  # the only way there is: no need to come back
            depth += 1
        if node.leaf is not None and (route := look(node.leaf, request)) is not None:
            return route
        return look(node.rest, request) if node.rest is not None else None

    def _search_all(self, segments: list[bytes], depth: int, look: Look, request: Request) -> PlannedRoute | None:
        """The same from a place where several ways go on."""
        segment = segments[depth]
        below = self.literals.get(segment)
        if below is not None and (route := below.search(segments, depth + 1, look, request)) is not None:
            return route
        if self.one is not None and segment:
            route = self.one.search(segments, depth + 1, look, request)
            if route is not None:
                return route
        return look(self.rest, request) if self.rest is not None else None


class RoutingTable:
    """All routes, compiled; built once by `add`, then only read, but for where they stand beside the file (`stand`).

    `revision` counts tables, `digest` names the file.
    """

    __slots__ = ("_exact", "_hosts", "_only", "_standing", "_wild", "digest", "has_operations", "revision", "routes")

    def __init__(self, revision: int, digest: str) -> None:
        self.revision = revision
        self.digest = digest
        self.routes: dict[str, PlannedRoute] = {}
        self._hosts: dict[bytes | None, Node] = {}
        self._wild: list[tuple[bytes, Node]] = []
        self._only: Node | None = None
        self._exact: dict[bytes, Leaf] = {}
        self._standing: Set[str] = frozenset()
        self.has_operations = False

    def add(self, route: PlannedRoute) -> None:
        match = route.route.match
        if match.host not in self._hosts:
            self._hosts[match.host] = Node()
            if match.host is not None and match.host.startswith(b"*."):
                self._wild.append((match.host[1:], self._hosts[match.host]))
                self._wild.sort(key=lambda each: -len(each[0]))
        self._only = self._hosts.get(None) if len(self._hosts) == 1 else None
        self.has_operations = self.has_operations or match.soap is not None
        self.routes[route.name] = route
        leaf = self._hosts[match.host].place(match)
        leaf.add(route)
        if match.host is None and all(segment.kind == "literal" for segment in match.segments):
            path = b"/" + b"/".join(segment.text for segment in match.segments)
            if PERCENT not in path and path.count(b"/") == max(1, len(match.segments)):  # as it is received
                self._exact[path] = leaf

    def stand(self, standings: Mapping[str, Standing]) -> None:
        """Go by these overrides and positions of ramps from the next request on, and by no others."""
        known = standings.keys() & self.routes.keys()
        for name in self._standing - known:
            self.routes[name].stand(NO_STANDING)
        for name in known:
            self.routes[name].stand(standings[name])
        self._standing = known

    def dismantle(self) -> Iterator[None]:
        """Free the table in small steps: a caller that pauses between them never frees much at once."""
        nodes = list(self._hosts.values())
        self._hosts.clear()
        self._wild.clear()
        self._only = None
        while self._exact:
            for _ in range(min(FREED_AT_ONCE, len(self._exact))):
                self._exact.popitem()
            yield
        while nodes:
            node = nodes.pop()
            if len(nodes) % FREED_AT_ONCE == 0:
                yield
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

    def search(self, look: Look, request: Request) -> PlannedRoute | None:
        """Show `look` the leaves that a request reaches, most specific first, until it returns a route."""
        segments = decoded_segments(request.path)
        for node in self._nodes(request.host):
            if (route := node.search(segments, 1, look, request)) is not None:
                return route
        return None

    def take(self, request: Request) -> PlannedRoute | None:
        """The route that takes a request; none where only the SOAP operation in its body can tell."""
        only = self._only
        if only is None:
            return self.search(Leaf.take, request)
        path = request.path  # the usual table: no route names a host
        leaf = self._exact.get(path)
        if leaf is not None and (route := leaf.take(request)) is not None:
            return route  # the very path of its match: nothing is more specific, and no search is quicker
        segments = decoded_segments(path) if request.odd else path.split(b"/")
        return only.search(segments, 1, Leaf.take, request)

    def leaves(self, request: Request) -> list[Leaf]:
        """All leaves that a request reaches, most specific first."""
        found: list[Leaf] = []

        def note(leaf: Leaf, _: Request) -> None:
            found.append(leaf)

        self.search(note, request)
        return found

    def _nodes(self, host: bytes) -> Iterator[Node]:
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


def find(table: RoutingTable, request: Request) -> PlannedRoute | NotFound:
    """The route that takes a request; those of SOAP operations are found by `operations` and the body."""
    return table.take(request) or not_found(table, request)


def not_found(table: RoutingTable, request: Request) -> NotFound:
    """What is said of a request that no route takes."""
    allow: set[bytes] = set()
    for leaf in table.leaves(request):
        allow |= leaf.allowed()
    return NotFound(() if request.method in allow else tuple(sorted(allow)))


def operations(table: RoutingTable, request: Request) -> list[PlannedRoute]:
    """The SOAP operations that have routes of their own at this address; empty unless the request is a POST."""
    if not table.has_operations or request.method != b"POST":
        return []
    found: list[PlannedRoute] = []
    for leaf in table.leaves(request):
        found += [route for route in leaf.soap if not route.predicates or fits(route.route.match, request)]
        if leaf.take(request) is not None:
            break
    return found


def published(table: RoutingTable, request: Request) -> Published | None:
    """The WSDL that the SOAP routes at this address go by, for a request that no route takes and that reads."""
    if not table.has_operations or request.method not in (GET, HEAD):
        return None
    for leaf in table.leaves(request):
        for route in leaf.soap:
            if route.published is not None and (route.raw_path or not needs_raw(request.path)):
                return route.published
    return None


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
    given = query_pairs(query)
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
