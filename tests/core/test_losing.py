"""Each route that lost a request is told the first thing that spoke against it."""

from gateway.core.losing import NEAREST, others
from gateway.core.matching import NotFound, RoutingTable, find
from gateway.core.model import Request
from tests.core.estates import request, route, table

ENVELOPE = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><%b xmlns="urn:r"/></e:Body></e:Envelope>'
)


def lost(routes: RoutingTable, asked: Request, body: bytes = b"") -> dict[str, str]:
    """Why each route lost to the one that the table finds."""
    found = find(routes, asked)
    chosen = None if isinstance(found, NotFound) else found
    return {each.route: each.why for each in others(routes, asked, chosen, body)}


def test_the_winner_is_not_among_the_losers() -> None:
    """A route that stands alone has nobody to be compared with."""
    assert lost(table(route("only", "GET /a")), request(target="/a")) == {}


def test_a_less_specific_path_loses() -> None:
    """`{name}` loses against a literal, and `**` against both; the nearest is told first."""
    routes = table(route("rest", "ANY /**"), route("one", "GET /{x}"), route("literal", "GET /a"))
    why = "its path is less specific"
    assert list(lost(routes, request(target="/a")).items()) == [("one", why), ("rest", why)]


def test_a_method_is_not_taken() -> None:
    """The methods that a route does take are listed."""
    routes = table(route("read", "GET /a"), route("write", "POST,PUT /a"))
    assert lost(routes, request(target="/a")) == {"write": "it takes POST, PUT, not GET"}
    assert lost(routes, request("DELETE", "/a")) == {
        "read": "it takes GET, not DELETE",
        "write": "it takes POST, PUT, not DELETE",
    }


def test_head_may_be_taken_by_get() -> None:
    """GET takes HEAD, though less directly than a route for HEAD itself."""
    routes = table(route("get", "GET /a"), route("head", "HEAD /a"))
    assert lost(routes, request("HEAD", "/a")) == {"get": "it takes the method less directly"}


def test_any_loses_against_a_named_method() -> None:
    """A route that names the method comes before one that takes all."""
    routes = table(route("any", "ANY /a"), route("get", "GET /a"))
    assert lost(routes, request(target="/a")) == {"any": "it takes any method, and the other names this one"}


def test_a_condition_that_does_not_hold_is_named() -> None:
    """Header and query conditions are named; the values wanted may be secrets and are not."""
    routes = table(
        route("flag", "GET /a", headers="x-flag=s3cret"),
        route("there", "GET /a", headers="x-there"),
        route("query", "GET /a", query="v=2 w"),
        route("plain", "GET /a"),
    )
    assert lost(routes, request(target="/a?v=2", x_flag="other")) == {
        "flag": "the header `x-flag` is missing or has another value",
        "there": "the header `x-there` is missing",
        "query": "the query parameter `w` is missing",
    }
    assert lost(routes, request(target="/a?v=1&w"))["query"] == (
        "the query parameter `v` is missing or has another value"
    )


def test_fewer_conditions_lose() -> None:
    """Of two routes whose conditions hold, the one with more takes the request."""
    routes = table(route("plain", "GET /a"), route("flag", "GET /a", headers="x-flag"))
    assert lost(routes, request(target="/a", x_flag="1")) == {"plain": "it has fewer conditions"}


def test_a_less_specific_host_loses() -> None:
    """A route of this very host comes before those of any host, whatever their paths."""
    routes = table(route("any", "GET /a"), route("ours", "GET /**", host="a.example"))
    assert lost(routes, request(target="/a", host="a.example")) == {"any": "its host is less specific"}


def test_another_host_is_told() -> None:
    """A route that would take the request on another host says which."""
    routes = table(route("theirs", "GET /a", host="b.example"), route("ours", "GET /a", host="a.example"))
    why = "the host differs: it wants b.example, and the request has a.example"
    assert lost(routes, request(target="/a", host="A.example:8080")) == {"theirs": why}


def test_soap_routes_lose_for_their_own_reasons() -> None:
    """A SOAP operation wants a POST, SOAP's content type, its conditions, and a body that calls it."""
    routes = table(route("balance", "SOAP /s#Balance", headers="x-flag"), route("plain", "ANY /s"))
    assert lost(routes, request("GET", "/s")) == {"balance": "it takes a SOAP call, which is a POST"}
    assert lost(routes, request("POST", "/s")) == {"balance": "the header `x-flag` is missing"}
    assert lost(routes, request("POST", "/s", x_flag="1")) == {
        "balance": "it takes a SOAP call, and the content type is not one of SOAP's"
    }
    soap = request("POST", "/s", x_flag="1", content_type="text/xml")
    assert lost(routes, soap, ENVELOPE % b"Other") == {"balance": "the body calls Other"}
    assert lost(routes, soap) == {"balance": "the body calls no operation"}


def test_plain_routes_lose_against_operations() -> None:
    """Operations with a route of their own come before the path's plain route."""
    routes = table(route("balance", "SOAP /s#Balance"), route("plain", "ANY /s"))
    soap = request("POST", "/s", content_type="text/xml")
    told = others(routes, soap, routes.routes["balance"], ENVELOPE % b"Balance")
    assert [(each.route, each.match, each.why) for each in told] == [
        ("plain", "ANY /s", "SOAP operations with a route of their own come first")
    ]


def test_operations_below_a_more_specific_path_are_not_asked() -> None:
    """A more specific path that takes the call hides the operations of a less specific one, and only then."""
    routes = table(route("balance", "SOAP /**#Balance"), route("plain", "POST /s", headers="x-flag"))
    taken = request("POST", "/s", content_type="text/xml", x_flag="1")
    told = others(routes, taken, routes.routes["plain"], ENVELOPE % b"Balance")
    assert [(each.route, each.why) for each in told] == [("balance", "its path is less specific")]
    soap = request("POST", "/s", content_type="text/xml")
    told = others(routes, soap, routes.routes["balance"], ENVELOPE % b"Balance")
    assert [(each.route, each.why) for each in told] == [("plain", "the header `x-flag` is missing")]


def test_what_the_gateway_never_serves_no_route_takes() -> None:
    """TRACE is refused before routes are looked up: a route that takes any method is no answer to it."""
    routes = table(route("all", "ANY /s"))
    told = others(routes, request("TRACE", "/s"), None, b"")
    assert [each.why for each in told] == ["it would take it, and the gateway serves no such request"]


def test_a_mistyped_path_shows_what_is_near() -> None:
    """Where no path fits, the nearest are shown, the most alike first, with what differs."""
    routes = table(
        route("balance", "GET /rents/{account}/balance"),
        route("rents", "GET /rents"),
        route("letters", "GET /letters/{id}"),
        route("all", "GET /rents/{account}/all/**"),
    )
    why = "its path has `rents` where the request has `rent`"
    assert list(lost(routes, request(target="/rent/1/balance")).items()) == [("balance", why), ("all", why)]
    assert lost(routes, request(target="/rents/")) == {
        "rents": "its path ends where the request goes on with `/`",
        "balance": "its path has `{account}` where the request has nothing",
        "all": "its path has `{account}` where the request has nothing",
    }
    assert lost(routes, request(target="/rents/1")) == {
        "rents": "its path ends where the request goes on with `/1`",
        "balance": "its path goes on with `/balance`",
        "all": "its path goes on with `/all/**`",
    }
    assert lost(routes, request(target="/nothing/like/it")) == {}


def test_only_the_nearest_are_told() -> None:
    """However many routes there are, a person reads ten."""
    routes = table(*(route(f"r{number}", f"GET /a/{number}") for number in range(50)))
    assert len(lost(routes, request(target="/a/x"))) == NEAREST
