"""An explanation says what the gateway would do: it asks the same functions, so it cannot say otherwise."""

import json
from typing import NamedTuple

import pytest

from gateway.core import model
from gateway.core.asking import asked
from gateway.core.explaining import Explanation, explain
from gateway.core.forwarding import ids_of
from gateway.core.matching import RoutingTable
from gateway.core.model import (
    LEGACY,
    NEW,
    Backend,
    Gateway,
    HeaderEdit,
    ListenerTls,
    Placeholder,
    Serve,
    Sticky,
    Target,
    Tls,
)
from gateway.core.policies import CachePolicy, Idempotency, Shadow, Standing, Writes
from gateway.core.published import Page, Published
from gateway.core.splitting import bucket_of
from tests.core.estates import NEW as OTHER
from tests.core.estates import OLD, request, route, table

ENVELOPE = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><%b xmlns="urn:r"/></e:Body></e:Envelope>'
)
FRESH = b"1" * 32, b"2" * 16


def told(
    routes: RoutingTable, method: str, url: str, *headers: str, gateway: Gateway | None = None, body: bytes = b""
) -> Explanation:
    ask = asked(method, url, headers, body, "192.0.2.7")
    return explain(routes, gateway or Gateway(), ask, FRESH)


# ------------------------------------------------------------------------------------------------ the route


def test_the_route_and_what_is_sent_are_told() -> None:
    """The route, its place in the file, the side, and the exact head that its backend would receive."""
    routes = table(route("list", "GET /repairs"), route("all", "ANY /**"))
    explanation = told(routes, "GET", "http://council.example/repairs?open=1", "Accept: text/html")
    assert explanation[:8] == (
        "GET /repairs?open=1",
        0,
        "",
        "list",
        "GET /repairs",
        "routes.yaml:7:5",
        "legacy",
        "`serve: legacy`",
    )
    assert (explanation.revision, explanation.digest) == (3, "d1ge57")
    assert [each.route for each in explanation.others] == ["all"]
    (sending,) = explanation.sends
    assert sending[:4] == ("legacy", "old", "http://old.internal:8080/repairs?open=1", "old.internal:8080")
    assert sending.head == (
        "GET /repairs?open=1 HTTP/1.1",
        "Host: old.internal:8080",
        "Accept: text/html",
        "X-Forwarded-For: 192.0.2.7",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: council.example",
        'Forwarded: for=192.0.2.7;host="council.example";proto=http',
        "Via: 1.1 banyan",
        *ids_of(request(), FRESH)[2].decode().split("\r\n")[:-1],
    )
    assert sending.timeouts == model.Timeouts()._asdict()


def test_it_is_plain_json() -> None:
    """Everything that is told can be written as JSON and read back the same."""
    routes = table(route("list", "GET /repairs"), route("all", "ANY /**"))
    document = told(routes, "GET", "/repairs").document()
    assert json.loads(json.dumps(document)) == document
    assert list(document["others"][0]) == ["route", "match", "why"]


@pytest.mark.parametrize(
    ("method", "url", "headers", "status", "detail"),
    [
        ("GET", "/nothing", [], 404, "Nothing is served at this address."),
        ("DELETE", "/repairs", [], 405, "This address does not take this method. It takes GET, HEAD."),
        ("TRACE", "/repairs", [], 405, "TRACE is not served."),
        ("GET", "/a/../b", [], 400, "The path has a dot segment."),
        ("GET", "/repairs", ["Host: two words"], 400, "The Host field is not a host name with an optional port."),
        ("GET", "/raw//x", [], 400, "an empty segment or an encoded slash, which raw does not take. `path: raw`"),
        ("OPTIONS", "*", [], 204, "The gateway answers this itself"),
        ("OPTIONS", "/repairs", ["Max-Forwards: 0"], 204, "The gateway answers this itself"),
    ],
)
def test_what_the_gateway_answers_itself(method: str, url: str, headers: list[str], status: int, detail: str) -> None:
    """A request that no backend would see is explained with the gateway's own answer, and nothing is sent."""
    routes = table(route("list", "GET /repairs"), route("raw", "GET /raw/**"))
    explanation = told(routes, method, url, *headers)
    assert explanation.status == status
    assert detail in explanation.detail
    assert (explanation.route, explanation.side, explanation.sends) == ("", "", ())


def test_options_with_hops_left_is_routed() -> None:
    """OPTIONS is only answered by the gateway when it may go no further."""
    routes = table(route("all", "ANY /**"))
    assert told(routes, "OPTIONS", "/x", "Max-Forwards: 3").route == "all"


def test_raw_paths_are_taken_where_they_are_wanted() -> None:
    """`path: raw` lets an empty segment through."""
    routes = table(route("raw", "GET /raw/**", raw_path=True))
    assert told(routes, "GET", "/raw//x").sends[0].url == "http://old.internal:8080/raw//x"


def test_a_wrong_method_shows_who_lives_there() -> None:
    """405 comes with the routes of that path, and 404 with those nearby."""
    routes = table(route("list", "GET /repairs"))
    assert [each.why for each in told(routes, "PUT", "/repairs").others] == ["it takes GET, not PUT"]
    assert [each.why for each in told(routes, "GET", "/repair").others] == [
        "its path has `repairs` where the request has `repair`"
    ]


# ------------------------------------------------------------------------------------------------ the side


def test_a_retired_route_names_its_successor() -> None:
    """A retired route answers 410 itself; where there is a successor, it is named."""
    retired = route("gone", "GET /gone", Serve.RETIRED, successor="https://new.example/")
    explanation = told(table(retired), "GET", "/gone")
    assert (explanation.status, explanation.route, explanation.sends) == (410, "gone", ())
    assert explanation.detail == "This service has been retired. Its successor is https://new.example/."
    assert told(table(retired._replace(successor=None)), "GET", "/gone").detail == "This service has been retired."


def test_a_client_s_bucket_decides() -> None:
    """The side told for a client is the one that its bucket gives, at every share."""
    bucket = bucket_of(b"split", b"client-1")
    for share, side in ((bucket, LEGACY), (bucket + 1, NEW)):
        split = route("split", "GET /s", Serve.SPLIT, share=share, sticky=Sticky("cookie", b"tenancy"))
        explanation = told(table(split), "GET", "/s", "Cookie: tenancy=client-1")
        assert (explanation.side, [each.side for each in explanation.sends]) == (side, [side])
        assert f"bucket {bucket} of cookie `tenancy`" in explanation.why


def test_chance_shows_both_sides() -> None:
    """Where the side is drawn, both sendings are shown, and one sentence."""
    split = route("split", "GET /s", Serve.SPLIT, share=1000, sticky=Sticky("cookie", b"tenancy"))
    explanation = told(table(split), "GET", "/s")
    assert (explanation.side, [each.backend for each in explanation.sends]) == ("drawn", ["new", "old"])
    assert explanation.why == (
        "10 % go to new; the request has no cookie `tenancy`, so the side is drawn at random per request"
    )


def test_an_issued_cookie_is_announced() -> None:
    """A route that gives its clients a key says that the answer would set it."""
    split = route("split", "GET /s", Serve.SPLIT, share=1000, sticky=Sticky("cookie", b"banyan", issue=True))
    note = "The answer would set cookie `banyan`, which keeps the client on the side it was given."
    assert told(table(split), "GET", "/s").notes[0] == note
    assert note not in told(table(split), "GET", "/s", "Cookie: banyan=1").notes


def test_the_client_behind_a_trusted_proxy_counts() -> None:
    """An address key is the client's own when the peer is a trusted proxy, and the peer's otherwise."""
    split = route("split", "GET /s", Serve.SPLIT, share=5000, sticky=Sticky("address"))
    forwarded = "X-Forwarded-For: 198.51.100.9"
    trusting = Gateway(trusted_proxies=("192.0.2.0/24",))
    seen = told(table(split, gateway=trusting), "GET", "/s", forwarded, gateway=trusting)
    unseen = told(table(split), "GET", "/s", forwarded)
    assert f"bucket {bucket_of(b'split', b'198.51.100.9')} of the client's address" in seen.why
    assert f"bucket {bucket_of(b'split', b'192.0.2.7')} of the client's address" in unseen.why
    assert "Not passed on as received: X-Forwarded-For." not in seen.notes
    assert "Not passed on as received: X-Forwarded-For." in unseen.notes


def test_a_tester_chooses_or_learns_why_not() -> None:
    """The right secret chooses the side; a wrong one is ignored, and that is said."""
    tested = route("t", "GET /t", tester=model.Tester(b"x-banyan-serve", b"open"))
    chosen = told(table(tested), "GET", "/t", "X-Banyan-Serve: new open")
    ignored = told(table(tested), "GET", "/t", "X-Banyan-Serve: new shut")
    note = "A tester's choice was ignored: it needs the right secret, a side that exists, a safe request, no override."
    assert (chosen.side, note in chosen.notes) == (NEW, False)
    assert (ignored.side, note in ignored.notes) == (LEGACY, True)
    assert note not in told(table(tested), "GET", "/t").notes


def test_overrides_and_ramps_are_those_of_the_table() -> None:
    """What stands beside the file is told with the side that it gives."""
    routes = table(route("a", "GET /a", Serve.RAMP))
    assert told(routes, "GET", "/a").side == LEGACY
    assert "known to the running gateway alone" in told(routes, "GET", "/a").why
    routes.routes["a"].stand(Standing(ramp=2500, why="climbing"))
    climbing = told(routes, "GET", "/a")
    assert (climbing.side, len(climbing.sends)) == ("drawn", 2)
    assert climbing.why.startswith("by its ramp, which is climbing, 25 % go to new; ")
    routes.routes["a"].stand(Standing(override=10_000, ramp=2500))
    assert told(routes, "GET", "/a").why == "by an override new serves everyone, whatever the file says"


def test_an_override_goes_before_a_tester() -> None:
    """A tester who does not get the side that was asked for is told so."""
    routes = table(route("t", "GET /t", tester=model.Tester(b"x-banyan-serve", b"open")))
    routes.routes["t"].stand(Standing(override=0))
    explanation = told(routes, "GET", "/t", "X-Banyan-Serve: new open")
    assert (explanation.side, explanation.why) == (
        LEGACY,
        "by an override legacy serves everyone, whatever the file says",
    )


# ------------------------------------------------------------------------------------------------ the shadow


SHADOW = Shadow(2500)


def test_a_copy_goes_to_the_side_that_does_not_serve() -> None:
    """Either side may be copied to, and where chance decides, it is the other one."""
    for serve, where in ((Serve.LEGACY, "new"), (Serve.NEW, "old")):
        sentence = f"25 % of such requests are copied to {where}; answers are compared and dropped"
        assert told(table(route("a", "GET /a", serve, shadow=SHADOW)), "GET", "/a").shadow == sentence
    split = route("a", "GET /a", Serve.SPLIT, share=1000, shadow=SHADOW)
    assert "copied to the side that does not serve" in told(table(split), "GET", "/a").shadow


def test_writes_are_copied_to_sandboxes_only() -> None:
    """An unsafe request has no shadow until the route says that its shadow may write."""
    routes = table(route("a", "POST /a", shadow=SHADOW))
    assert told(routes, "POST", "/a").shadow == (
        "none: only safe requests are copied, unless the shadow says `sandbox: true`"
    )
    sandbox = table(route("a", "POST /a", shadow=SHADOW._replace(sandbox=True)))
    assert told(sandbox, "POST", "/a").shadow.startswith("25 % of such requests are copied to new")
    declared = table(route("a", "POST /a", shadow=SHADOW, safe=True))
    assert told(declared, "POST", "/a").shadow.startswith("25 % of such requests are copied to new")


def test_why_nothing_is_copied() -> None:
    """No shadow, a tester, a body that is too long: each is said; where there is no other side, nothing is."""
    assert told(table(route("a", "GET /a")), "GET", "/a").shadow == "none: the route has no `shadow`"
    assert told(table(route("a", "GET /a", new=None)), "GET", "/a").shadow == ""
    assert told(table(route("a", "GET /a", Serve.RETIRED)), "GET", "/a").shadow == ""
    tested = table(route("a", "GET /a", shadow=SHADOW, tester=model.Tester(b"x-banyan-serve", b"open")))
    assert told(tested, "GET", "/a", "X-Banyan-Serve: new open").shadow == (
        "none: what a tester asks for is no evidence"
    )
    small = Gateway(capture=3)
    searching = table(route("a", "POST /a", shadow=SHADOW, safe=True), gateway=small)
    assert told(searching, "POST", "/a", gateway=small, body=b"abcd").shadow == (
        "none: the body is longer than 3 bytes, the gateway's `capture`"
    )
    assert told(searching, "POST", "/a", gateway=small, body=b"abc").shadow.startswith("25 %")


# ------------------------------------------------------------------------------------------------ what is sent


def test_where_a_backend_is() -> None:
    """TLS and Unix sockets show in the address; the scheme of the listener shows in the head."""
    secure = Backend("old", "old.internal", 443, authority=b"old.internal", base=b"/base", tls=Tls())
    local = Backend("new", "localhost", 0, unix="/run/new.sock", authority=b"localhost")
    split = route("split", "GET /s", Serve.SPLIT, share=1000)
    tls = Gateway(tls=ListenerTls("chain.pem", "key.pem"))
    new, old = told(table(split, backends=(secure, local)), "GET", "/s", gateway=tls).sends
    assert (old.url, new.url) == ("https://old.internal/base/s", "unix:/run/new.sock:/s")
    assert "X-Forwarded-Proto: https" in old.head


def test_a_target_s_own_path_method_and_fields_are_shown() -> None:
    """What the target changes is shown as sent, but for values that may be secrets."""
    edit = HeaderEdit(add=((b"X-Api-Key", b"s3cret"), (b"X-Council", b"Fernshire")), remove=(b"accept",))
    target = Target("old", (b"/v2/", Placeholder("path", b"id")), b"POST", edit)
    explanation = told(table(route("a", "GET /a/{id}", legacy=target)), "GET", "/a/7", "Accept: */*")
    head = explanation.sends[0].head
    assert head[0] == "POST /v2/7 HTTP/1.1"
    assert {"X-Api-Key: ***", "X-Council: Fernshire", "Content-Length: 0"} <= set(head)
    assert "Not passed on as received: Accept." in explanation.notes


class Spoken(NamedTuple):
    """How a connector of another protocol would call."""

    told: str


def test_a_call_is_told_in_its_connectors_words() -> None:
    """What goes over the wire is not HTTP as it came, so no head is shown."""
    target = Target("old", call=Spoken("GetBalance of Rents, called in SOAP 1.1"))
    (sending,) = told(table(route("a", "POST /a", legacy=target)), "POST", "/a").sends
    assert (sending.side, sending.backend, sending.url) == ("legacy", "old", "http://old.internal:8080")
    assert (sending.head, sending.refused) == (("GetBalance of Rents, called in SOAP 1.1",), "")


def test_a_path_that_cannot_be_filled_is_told() -> None:
    """A target that needs what the request does not have would answer 422."""
    target = Target("old", (b"/v2/", Placeholder("query", b"id")))
    explanation = told(table(route("a", "GET /a", legacy=target)), "GET", "/a")
    assert explanation.sends[0].refused == "422: The request has no query id."
    assert (explanation.sends[0].head, explanation.notes) == ((), ())


def test_a_body_that_is_too_long_is_told() -> None:
    """A body beyond the route's bound would answer 413."""
    routes = table(route("a", "POST /a", max_body=3))
    assert told(routes, "POST", "/a", body=b"abc").sends[0].refused == ""
    assert told(routes, "POST", "/a", body=b"abcd").sends[0].refused == (
        "413: the body is longer than 3 bytes, this route's max_body."
    )


def test_what_stays_behind_is_listed() -> None:
    """Fields that are not passed on are listed once each, as they were written."""
    notes = told(table(route("a", "GET /a")), "GET", "/a", "X-Banyan-Side: new", "Connection: close", "X-BANYAN-x: 1")
    assert notes.notes[0] == "Not passed on as received: X-Banyan-Side, Connection, X-BANYAN-x."


def test_ids_of_the_client_are_continued() -> None:
    """Ids that the client sent are shown; drawn ones are marked as examples."""
    routes = table(route("a", "GET /a"))
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    own = told(routes, "GET", "/a", "X-Request-ID: mine", f"traceparent: {trace}")
    assert {"X-Request-ID: mine", f"traceparent: {trace}"} <= set(own.sends[0].head)
    assert own.notes == ()
    assert "are examples" in told(routes, "GET", "/a").notes[-1]


# ------------------------------------------------------------------------------------------------ SOAP


def test_the_body_chooses_the_operation() -> None:
    """A SOAP call goes to the route of the operation it calls, and any other call to the path's plain route."""
    routes = table(
        route("balance", "SOAP /s#Balance", Serve.NEW),
        route("charges", "SOAP /s#Charges"),
        route("plain", "ANY /s"),
    )
    assert told(routes, "POST", "/s", body=ENVELOPE % b"Balance").route == "balance"
    assert told(routes, "POST", "/s", body=ENVELOPE % b"Charges").route == "charges"
    assert told(routes, "POST", "/s", body=ENVELOPE % b"Other").route == "plain"


def test_a_body_that_was_not_given_is_asked_for() -> None:
    """Without its body a SOAP call has no operation: the note says how to give it."""
    routes = table(route("balance", "SOAP /s#Balance"), route("plain", "ANY /s"))
    note = "SOAP operations have routes of their own at this address; give the call's envelope with --data FILE."
    soap = told(routes, "POST", "/s", "Content-Type: text/xml")
    assert (soap.status, soap.detail) == (500, "SOAP fault: The envelope has no operation in its Body.")
    assert (soap.notes, soap.others) == ((note,), ())
    plain = told(routes, "POST", "/s")
    assert (plain.route, plain.notes[-1]) == ("plain", note)


def test_a_contradicting_action_is_a_fault() -> None:
    """An action that names another operation than the body is refused, and nothing is sent."""
    routes = table(route("balance", "SOAP /s#Balance"))
    contradicting = told(routes, "POST", "/s", "SOAPAction: urn:r/Other", body=ENVELOPE % b"Balance")
    assert contradicting.status == 500
    assert "names another operation than the body" in contradicting.detail


def test_the_gateway_s_own_wsdl_is_told() -> None:
    """Which file it is; a query that names none is explained as ever, and a plain route comes first."""
    page = Page((b"<a/>",))
    old = OLD._replace(published=Published("rents.wsdl", (("rents.wsdl", page), ("types.xsd", Page((b"<b/>",))))))
    only = table(route("balance", "SOAP /s#Balance"), backends=(old, OTHER))
    found = told(only, "GET", "/s?xsd=types.xsd")
    assert (found.status, found.detail.partition(",")[0], found.others) == (200, "types.xsd", ())
    assert told(only, "GET", "/s?disco").status == 405
    assert told(only, "GET", "/t?wsdl").status == 404
    plain = table(route("balance", "SOAP /s#Balance"), route("plain", "ANY /s"), backends=(old, OTHER))
    assert (told(plain, "GET", "/s?wsdl").status, told(plain, "GET", "/s?wsdl").route) == (0, "plain")


def test_who_answers_where_a_side_fails_is_told() -> None:
    """Of what may fall back, and where one side is chosen."""
    routes = table(route("list", "ANY /repairs", new=Target("new"), fallback=True))
    note = "If old fails, new answers (`fallback`)."
    assert note in told(routes, "GET", "/repairs").notes
    assert note not in told(routes, "POST", "/repairs").notes
    divided = table(route("list", "ANY /repairs", new=Target("new"), fallback=True, serve=Serve.SPLIT, share=500))
    assert not any("fallback" in each for each in told(divided, "GET", "/repairs").notes)


def test_what_writes_are_promised_is_told() -> None:
    """Who else gets it, and what becomes of it where its record is away; of a read that its answer may be kept."""
    promises = Writes(copy=True, queue=True)
    routes = table(
        route("kept", "ANY /a", writes=promises, idempotency=Idempotency(), cache=CachePolicy(60.0)),
        route("plain", "ANY /b"),
    )
    assert set(told(routes, "PUT", "/a").notes) >= {
        "It is stored before old is called, and new gets it, too (`writes.copy`).",
        "While that is away it is stored, and answered with a receipt (`writes.when_down`).",
        "Sent again under the same Idempotency-Key it is made once (`idempotency`).",
    }
    kept = "A kept answer may be given, and this one may be kept (`cache`)."
    assert kept in told(routes, "GET", "/a").notes
    assert kept not in told(routes, "OPTIONS", "/a").notes
    assert not [note for note in told(routes, "PUT", "/b").notes if "writes" in note]
