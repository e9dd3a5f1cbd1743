from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.matching import NotFound, RoutingTable, compiled, find, fits, host_name, operations, published
from gateway.core.model import Estate, Gateway, Predicate, Request, Route, Segment, Serve, SoapOperation, Target
from gateway.core.paths import decoded_segments
from gateway.core.planning import PlannedRoute
from gateway.core.policies import NO_STANDING, Standing
from gateway.core.published import Published
from tests.support.values import BOTH, match, request, route, table


def taken(routes: RoutingTable, start: str, *lines: str, host: str = "api.example") -> str | None:
    """The name of the route that takes a request; None when none does."""
    found = find(routes, request(start, *lines, host=host))
    return None if isinstance(found, NotFound) else found.name


# ------------------------------------------------------------------------------------------------ against a reference


def specificity(given: Route, asked: Request) -> tuple[Any, ...] | None:
    """How specific a route is for a request, None when it does not take it: the rule, told without any cleverness."""
    wanted = given.match
    host = _host(wanted.host, host_name(asked.host))
    path = _path(wanted.segments, decoded_segments(asked.path)[1:])
    method = _method(wanted.methods, asked.method)
    if host is None or path is None or method is None or not fits(wanted, asked):
        return None
    return host, path, method, len(wanted.headers) + len(wanted.query)


def _host(wanted: bytes | None, name: bytes) -> tuple[int, int] | None:
    if wanted is None:
        return 0, 0
    if wanted.startswith(b"*."):
        below = name.endswith(wanted[1:]) and name != wanted[1:]
        return (1, len(wanted)) if below else None
    return (2, 0) if wanted == name else None


def _path(wanted: Sequence[Segment], segments: list[bytes]) -> tuple[int, ...] | None:
    ranks: list[int] = []
    for at, each in enumerate(wanted):
        if each.kind == "rest":
            return (*ranks, 0)
        if at == len(segments) or (each.kind == "literal" and each.text != segments[at]) or not segments[at]:
            return None
        ranks.append(1 if each.kind == "one" else 2)
    return (*ranks, 1) if len(wanted) == len(segments) else None


def _method(wanted: tuple[bytes, ...], method: bytes) -> int | None:
    if method in wanted:
        return 3
    if method == b"HEAD" and b"GET" in wanted:
        return 2
    return None if wanted else 1


PATHS = ["/a", "/b", "/a/b", "/{x}", "/{x}/b", "/a/{y}", "/{x}/{y}", "/**", "/a/**", "/{x}/**", "/a/b/**", "/a/{x}/**"]
VERBS = ["GET", "POST", "HEAD", "GET,POST", "ANY"]
HOSTS = [None, b"api.example", b"*.example", b"*.api.example"]
HEADERS = [
    (),
    (Predicate(b"x-a", None),),
    (Predicate(b"x-a", b"1"),),
    (Predicate(b"x-a", None), Predicate(b"x-b", b"2")),
]
QUERIES = [(), (Predicate(b"v", b"2"),)]


@st.composite
def some_routes(draw: st.DrawFn) -> list[Route]:
    """Routes of which no two are equal for any request: ties are refused before a table is built."""
    parts = st.tuples(*(st.sampled_from(each) for each in (VERBS, PATHS, HOSTS, HEADERS, QUERIES)))
    found: dict[tuple[Any, ...], Route] = {}
    for number, (verb, path, host, headers, query) in enumerate(draw(st.lists(parts, max_size=12))):
        made = route(
            f"{verb} {path}", name=f"r{number}", where={"host": host, "headers": headers, "query": query}, legacy=None
        )
        shape = tuple(each.text if each.kind == "literal" else each.kind for each in made.match.segments)
        places = [(host, shape, each, len(headers) + len(query)) for each in made.match.methods or (b"",)]
        if not any(place in found for place in places):
            found.update(dict.fromkeys(places, made))
    return list({id(each): each for each in found.values()}.values())


some_requests = st.builds(
    lambda verb, path, query, host, lines: request(f"{verb} {path}{query}", *lines, host=host),
    st.sampled_from(["GET", "HEAD", "POST", "PUT"]),
    st.sampled_from(["/", "/a", "/b", "/%61", "/a/b", "/a/c", "/c/b", "/a/b/c", "/c", "/a/", "/a//b", "/c/d/e"]),
    st.sampled_from(["", "?v=2", "?v=1&v=2"]),
    st.sampled_from(["api.example", "API.example:80", "x.example", "x.api.example.", "example", "other", "[::1]:80"]),
    st.sampled_from([(), ("X-A: 1",), ("X-A: 2", "x-b: 2")]),
)


@given(some_routes(), st.lists(some_requests, min_size=1, max_size=6))
@settings(max_examples=120)
def test_the_most_specific_route_wins(routes: list[Route], asked: list[Request]) -> None:
    """The route found is the one that a plain comparison of all routes finds, for every request."""
    compiled = table(*routes)
    for each in asked:
        ranked = [(rank, one) for one in routes if (rank := specificity(one, each)) is not None]
        best = max(ranked, key=lambda pair: pair[0])[1].name if ranked else None
        found = find(compiled, each)
        assert (None if isinstance(found, NotFound) else found.name) == best


@given(some_routes(), st.data(), st.lists(some_requests, min_size=1, max_size=6))
@settings(max_examples=50)
def test_the_order_of_the_file_never_matters(routes: list[Route], data: st.DataObject, asked: list[Request]) -> None:
    """The same routes in another order take the same requests, with the same values, and refuse the others alike."""
    ordered, shuffled = table(*routes), table(*data.draw(st.permutations(routes)))
    for each in asked:
        assert _told(find(ordered, each)) == _told(find(shuffled, each))


def _told(result: PlannedRoute | NotFound) -> NotFound | str:
    return result if isinstance(result, NotFound) else result.name


# ------------------------------------------------------------------------------------------------ path and host


def test_a_literal_is_found_however_it_is_spelt() -> None:
    """Escaped or not; one that has a % or a slash in it only as its own escape, and never by another path."""
    plain = route("GET /a/b")
    odd = [
        plain._replace(
            name=name, match=plain.match._replace(segments=tuple(Segment("literal", each) for each in texts))
        )
        for name, texts in (("GET /%", (b"50%", b"a")), ("GET /", (b"a/b",)))
    ]
    routes = table(plain, *odd)
    assert taken(routes, "GET /a/b") == taken(routes, "GET /%61/b") == "GET /a/b"
    assert (taken(routes, "GET /50%25/a"), taken(routes, "GET /a%2Fb")) == ("GET /%", "GET /")
    assert routes._exact.keys() == {b"/a/b"}


def test_a_literal_comes_before_a_name_and_a_name_before_the_rest() -> None:
    """At each segment the most exact way is tried first, and the next when nothing there takes the request."""
    routes = table(route("GET /a/b/x"), route("GET /a/{y}"), route("GET /{x}/b"), route("ANY /a/**"), route("ANY /**"))
    assert taken(routes, "GET /a/b/x") == "GET /a/b/x"
    assert taken(routes, "GET /a/b") == "GET /a/{y}"
    assert taken(routes, "GET /c/b") == "GET /{x}/b"
    assert taken(routes, "PUT /a/b") == "ANY /a/**"
    assert taken(routes, "GET /a") == "ANY /a/**"
    assert taken(routes, "GET /") == "ANY /**"


def test_a_name_stands_for_one_segment_that_is_there() -> None:
    """`{name}` never stands for nothing, so that an address without an id is not taken for one with it."""
    routes = table(route("GET /a/{id}"))
    assert taken(routes, "GET /a/1") == "GET /a/{id}"
    assert taken(routes, "GET /a/%2E1") == "GET /a/{id}"
    assert taken(routes, "GET /a/") is None
    assert taken(routes, "GET /a/1/") is None


@pytest.mark.parametrize(
    ("pattern", "path", "places"),
    [
        ("GET /a/b", "/a/b", ()),
        ("GET /a/{x}/b/{y}", "/a/1/b/2", (1, 3)),
        ("GET /a/**", "/a/1/b", (1,)),
        ("GET /a/**", "/a", (1,)),
        ("GET /{x}/**", "/1/2/3", (0, 1)),
    ],
)
def test_it_is_known_where_the_names_stand(pattern: str, path: str, places: tuple[int, ...]) -> None:
    """The places of `{name}` segments are told, and that where the rest begins."""
    found = find(table(route(pattern)), request(f"GET {path}"))
    assert isinstance(found, PlannedRoute)
    assert found.places == places


def test_ways_that_lead_nowhere_are_given_up() -> None:
    """A more specific way that takes the path and not the method leaves the request to a less specific one."""
    routes = table(route("POST /{x}/{y}"), route("POST /{x}/**"), route("GET /a/**"), route("GET /**"))
    assert taken(routes, "GET /b/c") == "GET /**"


def test_the_host_comes_first() -> None:
    """A route for the host wins over one for its domain, and that over one for any host, whatever their paths."""
    routes = table(
        route("GET /a", name="any"),
        route("ANY /**", name="shop", where={"host": b"shop.example"}),
        route("GET /a", name="domain", where={"host": b"*.example"}),
        route("GET /a", name="deep", where={"host": b"*.eu.example"}),
    )
    assert taken(routes, "GET /a", host="shop.example:8080") == "shop"
    assert taken(routes, "GET /a", host="SHOP.example.") == "shop"
    assert taken(routes, "GET /a", host="x.example") == "domain"
    assert taken(routes, "GET /a", host="x.eu.example") == "deep"
    assert taken(routes, "GET /a", host="example") == "any"
    assert taken(routes, "GET /b", host="x.example") is None
    assert taken(table(route("GET /a", where={"host": b"shop.example"})), "GET /a", host="x.example") is None


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (b"Api.Example", b"api.example"),
        (b"api.example:8080", b"api.example"),
        (b"api.example.:80", b"api.example"),
        (b"[::1]:8080", b"[::1]"),
        (b"[::1]", b"[::1]"),
        (b"[::1", b"[::1"),
        (b"", b""),
    ],
)
def test_a_host_is_a_name(field: bytes, name: bytes) -> None:
    """Case, port and a final dot make no other host."""
    assert host_name(field) == name


# ------------------------------------------------------------------------------------------------ method and predicates


def test_get_takes_head() -> None:
    """HEAD goes to its own route, else to GET's, else to one for any method."""
    assert taken(table(route("HEAD /a"), route("GET /a"), route("ANY /a")), "HEAD /a") == "HEAD /a"
    assert taken(table(route("GET /a"), route("ANY /a")), "HEAD /a") == "GET /a"
    assert taken(table(route("POST /a"), route("ANY /a")), "HEAD /a") == "ANY /a"


def test_predicates_hold_all_together() -> None:
    """A route with conditions takes only requests that fulfil every one; more conditions win."""
    one = route("GET /a", name="one", where={"headers": (Predicate(b"x-a", b"1"),)})
    two = route(
        "GET /a", name="two", where={"headers": (Predicate(b"x-a", None),), "query": (Predicate(b"v", b"\xc3\xa9"),)}
    )
    routes = table(route("GET /a", name="none"), one, two)
    assert taken(routes, "GET /a") == "none"
    assert taken(routes, "GET /a?v=%C3%A9") == "none"
    assert taken(routes, "GET /a", "X-A: 1") == "one"
    assert taken(routes, "GET /a?v=%ff", "X-A: 1") == "one"
    assert taken(routes, "GET /a?v=x&v=%C3%A9", "x-a: 2", "x-a: 1") == "two"
    assert taken(routes, "GET /a?v", "x-a: 2") == "none"


def test_a_parameter_may_just_be_there() -> None:
    """A query condition without a value asks only whether the name is given."""
    asked = match("GET /a", query=(Predicate(b"wsdl", None),))
    assert fits(asked, request("GET /a?WSDL&wsdl"))
    assert not fits(asked, request("GET /a?WSDL"))
    assert not fits(asked, request("GET /a"))


def test_an_unfit_head_request_goes_on() -> None:
    """Conditions count for HEAD and for any method as they do for GET."""
    wanted = {"headers": (Predicate(b"x-a", None),)}
    routes = table(route("GET /a", where=wanted), route("ANY /a", where=wanted), route("ANY /**"))
    assert taken(routes, "HEAD /a") == "ANY /**"
    assert taken(routes, "HEAD /a", "X-A: 1") == "GET /a"
    assert taken(routes, "PUT /a", "X-A: 1") == "ANY /a"


def test_what_would_be_taken_is_told() -> None:
    """Where only the method is wrong, all that any route at the path takes are listed: GET brings HEAD, SOAP POST."""
    routes = table(route("GET /a"), route("PUT /{x}"), route("SOAP /**#Op"), route("DELETE /b"))
    assert find(routes, request("PATCH /a")) == NotFound((b"GET", b"HEAD", b"POST", b"PUT"))
    assert find(routes, request("GET /c/d")) == NotFound((b"POST",))
    assert find(table(route("GET /a")), request("GET /b")) == NotFound(())


def test_a_method_that_is_taken_is_never_called_wrong() -> None:
    """Where a condition or the SOAP operation is what fails, the answer is not that the method is."""
    flagged = route("GET /a", where={"headers": (Predicate(b"x-a", None),)})
    assert find(table(flagged, route("SOAP /a#Op")), request("GET /a")) == NotFound(())
    assert find(table(flagged, route("SOAP /a#Op")), request("POST /a")) == NotFound(())
    assert find(table(flagged), request("POST /a")) == NotFound((b"GET", b"HEAD"))


# ------------------------------------------------------------------------------------------------ SOAP operations


def offered(routes: RoutingTable, start: str, *lines: str) -> list[str]:
    return [each.name for each in operations(routes, request(start, *lines))]


def test_operations_are_offered_to_posts() -> None:
    """The operations at an address are for POST; other methods are the path's plain route's."""
    routes = table(route("SOAP /s#A"), route("SOAP /s#B"), route("GET /s"))
    assert offered(routes, "POST /s") == ["SOAP /s#A", "SOAP /s#B"]
    assert offered(routes, "GET /s") == []
    assert offered(routes, "POST /t") == []
    assert offered(table(route("POST /s")), "POST /s") == []
    assert taken(routes, "GET /s") == "GET /s"


def test_operations_of_a_more_specific_path_come_first() -> None:
    """Path comes before conditions for operations too; what a plain route takes is not offered to those behind it."""
    flag = {"headers": (Predicate(b"x-a", None),)}
    routes = table(
        route("SOAP /**#A", where=flag),
        route("SOAP /s#A", name="plain"),
        route("SOAP /s#A", name="flagged", where=flag),
    )
    assert offered(routes, "POST /s") == ["plain"]
    assert offered(routes, "POST /s", "X-A: 1") == ["flagged", "plain", "SOAP /**#A"]
    hidden = table(route("SOAP /**#A"), route("POST /s", where=flag))
    assert offered(hidden, "POST /s", "X-A: 1") == []
    assert offered(hidden, "POST /s") == ["SOAP /**#A"]


def test_the_names_in_an_operation_s_path_are_known() -> None:
    """An operation's path may have names too, and it is known where they stand."""
    routes = table(route("SOAP /{x}/s/**#B"), route("SOAP /{x}/{y}#A"), route("POST /a/{y}"))
    asked = request("POST /b/s")
    assert [(each.name, each.places) for each in operations(routes, asked)] == [
        ("SOAP /{x}/s/**#B", (0, 2)),
        ("SOAP /{x}/{y}#A", (0, 1)),
    ]


def test_operations_share_an_address() -> None:
    """A plain route at the same path does not hide the operations there."""
    operation = SoapOperation("Balance", "BalanceRequest", "urn:rents", "urn:rents#Balance")
    routes = table(route("ANY /s"), route("SOAP /s#Balance", where={"soap": operation}))
    assert [each.route.match.soap for each in operations(routes, request("POST /s"))] == [operation]


# ------------------------------------------------------------------------------------------------ the table


def test_a_table_knows_its_routes() -> None:
    """Routes are kept by name, and a path's by its leaves, each once."""
    routes = table(route("GET,POST /a"), route("SOAP /a#Op"), route("ANY /**"), route("ANY /b", where={"host": b"h"}))
    assert list(routes.routes) == ["GET,POST /a", "SOAP /a#Op", "ANY /**", "ANY /b"]
    assert (routes.revision, routes.digest) == (3, "d1ge57")
    reached = [[each.name for each in leaf.routes()] for leaf in routes.leaves(request("PUT /a"))]
    assert reached == [["SOAP /a#Op", "GET,POST /a"], ["ANY /**"]]


def test_a_table_is_freed_in_small_steps() -> None:
    """Taking an old table apart never frees more than a hundred routes at once, and leaves nothing."""
    patterns = [f"GET /{kind}{number}/{{id}}/x" for kind in "ab" for number in range(400)]
    routes = table(*map(route, patterns), route("ANY /**"), route("ANY /c", where={"host": b"*.example"}))
    left = [len(routes.routes)]
    left += [len(routes.routes) for _ in routes.dismantle()]
    assert max(before - after for before, after in pairwise(left)) <= 100
    assert left[-1] == 0
    plain = table(*(route(f"GET /{number}") for number in range(400)))
    left = [400, *(len(plain._exact) for _ in plain.dismantle())]
    assert max(before - after for before, after in pairwise(left)) == 100
    assert left[-1] == 0
    assert find(routes, request("GET /a1/2/x")) == NotFound(())


# ------------------------------------------------------------------------------------------------ WSDLs


WSDL = Published("office.wsdl", ())
OTHER = Published("repairs.wsdl", ())


def described(start: str, *routes: Route, **wsdls: Published | None) -> Published | None:
    """The WSDL for a request; `office` and `repairs` are the backends'."""
    backends = tuple(each._replace(published=wsdls.get(each.name)) for each in BOTH)
    return published(compiled(Estate(Gateway(), backends, routes, "d1ge57"), 3), request(start))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_operation_s_address_has_its_wsdl(method: str) -> None:
    """That of its legacy side, or of the new one where only that has any; for requests that read."""
    here = route("SOAP /s#A")
    assert described(f"{method} /s?wsdl", here, office=WSDL, repairs=OTHER) == WSDL
    assert described(f"{method} /s?wsdl", here, repairs=OTHER) == OTHER
    assert described(f"{method} /s?wsdl", here) is None
    assert described(f"{method} /t?wsdl", here, office=WSDL) is None
    assert described(f"{method} /s?wsdl", route("POST /s"), office=WSDL) is None


def test_the_contract_of_a_route_is_its_wsdl() -> None:
    """Of a backend that is no side of it: the old system may be gone."""
    here = route("SOAP /s#A", legacy=None, new=Target("office"), contract="repairs")
    assert described("GET /s?wsdl", here, office=WSDL, repairs=OTHER) == OTHER
    assert described("GET /s?wsdl", here, repairs=OTHER) == OTHER


def test_a_wsdl_is_read_only() -> None:
    """Other methods get none."""
    assert described("PUT /s?wsdl", route("SOAP /s#A"), office=WSDL) is None


def test_the_first_wsdl_at_an_address_is_its_wsdl() -> None:
    """Routes without one, and one that does not take such a path, are passed over."""
    none = route("SOAP /s/{x}#A", legacy=Target("repairs"), new=None)
    assert described("GET /s/a?wsdl", none, route("SOAP /s/**#B"), office=WSDL) == WSDL
    assert described("GET /s/a%2Fb?wsdl", route("SOAP /s/**#B"), office=WSDL) is None
    assert described("GET /s/a%2Fb?wsdl", route("SOAP /s/**#B", raw_path=True), office=WSDL) == WSDL


# ------------------------------------------------------------------------------------------------ beside the file


def test_routes_stand_where_they_are_told_until_they_are_told_otherwise() -> None:
    """Standings are whole: a route that is in them no more goes by the file again, one that is not there is nobody."""
    routes = table(route("GET /a", Serve.RAMP, name="a"), route("GET /b", Serve.LEGACY, name="b"))
    back = Standing(ramp=0, why="rolled_back")
    routes.stand({"a": Standing(ramp=500, why="climbing"), "b": Standing(override=10_000), "gone": back})
    assert [(each.share, each.override) for each in routes.routes.values()] == [(500, None), (0, 10_000)]
    routes.stand({"a": back})
    assert [(each.share, each.override) for each in routes.routes.values()] == [(0, None), (0, None)]
    routes.stand({})
    assert [each.standing for each in routes.routes.values()] == [NO_STANDING, NO_STANDING]
