"""Which side answers, what it is sent and what the client is told: routes.yaml, kept word for word."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support.gateway import Gateway
from tests.support.messages import answer
from tests.support.origin import Origin

HEX32 = r"[0-9a-f]{32}"


class Estate(NamedTuple):
    gateway: Gateway
    legacy: Origin
    new: Origin


def routes_yaml(legacy: Origin, new: Origin, *, share: int = 50, trusted: str = "") -> str:
    return f"""version: 1
gateway: {{access_log: {{to: "off"}}, trusted_proxies: [{trusted}]}}
backends:
  old: {{url: "{legacy.url}"}}
  new: {{url: "{new.url}"}}
  based: {{url: "{new.url}/base", host: monolith.internal}}
  public: {{url: "{new.url}", host: public}}
routes:
  - {{name: everything, match: ANY /all/**, legacy: old}}
  - {{name: split, match: ANY /split, legacy: old, new: new, serve: {share}% new, sticky: {{cookie: who}}}}
  - name: tested
    match: ANY /tested
    legacy: old
    new: new
    serve: legacy
    tester: {{header: x-banyan-serve, secret: "let me in"}}
  - {{name: moved, match: ANY /moved, legacy: old, new: new, serve: new}}
  - {{name: gone, match: ANY /gone, legacy: old, serve: retired, successor: "https://new.example/gone"}}
  - name: fading
    match: GET /fading
    legacy: old
    deprecated: {{since: 2026-01-31, sunset: 2027-03-31, link: "https://docs.example/fading"}}
    successor: "https://new.example/fading"
  - {{name: issued, match: GET /issued, legacy: old, new: new, serve: 50% new, sticky: {{cookie: ours, issue: true}}}}
  - {{name: based, match: ANY /based/**, legacy: {{backend: based, path: "/inner/{{**}}"}}}}
  - {{name: public-host, match: GET /public-host, legacy: public}}
  - name: shaped
    match: GET /accounts/{{account}}/lines/{{line}}
    legacy:
      backend: old
      path: "/v2/{{line}}/of/{{account}}/{{query.date}}"
      headers: {{add: {{X-Added: "yes"}}, remove: [X-Removed]}}
      answer_headers: {{add: {{X-Answer-Added: "yes"}}, remove: [Server]}}
  - {{name: only-get, match: GET /only, legacy: old}}
  - {{name: only-put, match: PUT /only, legacy: old}}
  - {{name: raw, match: GET /raw/**, legacy: old, path: raw}}
"""


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Origin() as legacy, Origin() as new:
        for path in ("/split", "/tested", "/moved", "/issued"):
            legacy.on(path, answer(b"legacy"))
            new.on(path, answer(b"new"))
        with Gateway(tmp_path_factory.mktemp("gateway"), routes_yaml(legacy, new)) as gateway:
            yield Estate(gateway, legacy, new)


def sides(gateway: Gateway, path: str = "/split", clients: int = 60) -> list[bytes]:
    with gateway.client() as client:
        return [client.get(path, f"Cookie: x=1; who=client-{number}").body for number in range(clients)]


# ------------------------------------------------------------------------------------------------ which side


def test_clients_keep_their_side_across_restarts(estate: Estate) -> None:
    """The same client meets the same side again, also after the gateway was started anew."""
    first = sides(estate.gateway)
    assert {b"legacy", b"new"} == set(first)
    assert sides(estate.gateway) == first
    estate.gateway.terminate()
    assert estate.gateway.wait() == 0
    estate.gateway.start()
    assert sides(estate.gateway) == first


def test_raising_the_share_moves_no_client_back(estate: Estate) -> None:
    """From 20 to 50 to 90 per cent: whoever is on the new side stays there."""
    on_new: list[set[int]] = []
    for share in (20, 50, 90):
        if share != 50:
            estate.gateway.edit(routes_yaml(estate.legacy, estate.new, share=share))
        else:
            estate.gateway.edit(routes_yaml(estate.legacy, estate.new))
        served = sides(estate.gateway, clients=100)
        on_new.append({number for number, side in enumerate(served) if side == b"new"})
    estate.gateway.edit(routes_yaml(estate.legacy, estate.new))
    assert on_new[0] < on_new[1] < on_new[2]
    assert 8 <= len(on_new[0]) <= 34
    assert len(on_new[2]) >= 78


def test_unsafe_requests_are_never_split(estate: Estate) -> None:
    """Writes go whole to the record: legacy while the route is split, new once it serves everything."""
    with estate.gateway.client() as client:
        split = {client.post("/split", b"w", f"Cookie: who=client-{number}").body for number in range(40)}
        moved = client.post("/moved", b"w").body
    assert (split, moved) == ({b"legacy"}, b"new")


def test_a_tester_chooses_the_side_with_the_secret_only(estate: Estate) -> None:
    """With the secret the tester gets the side asked for; without it, what everybody gets. It is never forwarded."""
    gateway = estate.gateway
    assert gateway.get("/tested").body == b"legacy"
    assert gateway.get("/tested", "X-Banyan-Serve: new let me in").body == b"new"
    assert gateway.get("/tested", "X-Banyan-Serve: new").body == b"legacy"
    assert gateway.get("/tested", "X-Banyan-Serve: new let me out").body == b"legacy"
    assert gateway.call("POST", "/tested", "X-Banyan-Serve: new let me in", body=b"w").body == b"legacy"
    assert b"banyan-serve" not in (estate.legacy.received() + estate.new.received()).lower()


def test_a_cookie_of_its_own_keeps_a_client_on_its_side(estate: Estate) -> None:
    """`issue: true`: a client without the cookie gets one, and with it meets the same side again."""
    with estate.gateway.client() as client:
        for _ in range(10):
            first = client.get("/issued")
            cookie = (first.get("Set-Cookie") or "").partition(";")[0]
            assert re.fullmatch(f"ours={HEX32}", cookie)
            again = client.get("/issued", f"Cookie: {cookie}")
            assert (again.body, again.get("Set-Cookie")) == (first.body, None)


def test_answers_say_who_served_them(estate: Estate) -> None:
    """`X-Banyan-Served-By: side; backend; route`, and where the time went."""
    reply = estate.gateway.get("/moved")
    assert reply.get("X-Banyan-Served-By") == "new; new; moved"
    assert re.fullmatch(r"gateway;dur=[\d.]+, backend;dur=[\d.]+", reply.get("Server-Timing") or "")


# ------------------------------------------------------------------------------------------------ leaving


def test_a_retired_route_is_410_with_its_successor(estate: Estate) -> None:
    """Nobody is called; the client is told where to go."""
    reply = estate.gateway.get("/gone")
    document = json.loads(reply.body)
    assert reply.status == 410
    assert reply.get("Link") == '<https://new.example/gone>; rel="successor-version"'
    assert (document["status"], document["successor"]) == (410, "https://new.example/gone")
    assert estate.legacy.seen("/gone") == []


def test_a_deprecated_route_says_so(estate: Estate) -> None:
    """Deprecation (RFC 9745), Sunset (RFC 8594) and links to read more, on every answer."""
    reply = estate.gateway.get("/fading")
    assert reply.get("Deprecation") == "@1769817600"
    assert reply.get("Sunset") == "Wed, 31 Mar 2027 00:00:00 GMT"
    assert reply.all("Link") == [
        '<https://docs.example/fading>; rel="deprecation"',
        '<https://new.example/fading>; rel="successor-version"',
    ]


# ------------------------------------------------------------------------------------------------ the public side


def test_a_backends_own_address_never_reaches_the_front_end(estate: Estate) -> None:
    """Location, Content-Location and cookies are rewritten to the address that front ends use."""
    estate.new.on(
        "/base/inner/form",
        answer(
            b"",
            f"Location: {estate.new.url}/base/inner/done?x=1",
            "Content-Location: /base/inner/form.en",
            "Set-Cookie: s=1; Path=/base/inner; Domain=monolith.internal; HttpOnly",
            status=303,
        ),
    )
    reply = estate.gateway.get("/based/form")
    assert reply.get("Location") == "http://front.example/based/done?x=1"
    assert reply.get("Content-Location") == "/based/form.en"
    assert reply.get("Set-Cookie") == "s=1; Path=/based; HttpOnly"
    assert estate.new.seen("/base/inner/form")[-1].get("Host") == "monolith.internal"


def test_addresses_elsewhere_stay_as_they_are(estate: Estate) -> None:
    """A redirect to another system is not ours to change."""
    estate.new.on("/base/inner/away", answer(b"", "Location: https://pay.example/x?back=/base/inner", status=302))
    assert estate.gateway.get("/based/away").get("Location") == "https://pay.example/x?back=/base/inner"


def test_the_host_that_a_backend_sees_is_configured(estate: Estate) -> None:
    """Its own by default, the client's with `public`, or a name."""
    estate.gateway.get("/public-host")
    estate.gateway.get("/moved")
    assert estate.new.seen("/public-host")[-1].get("Host") == "front.example"
    assert estate.new.seen("/moved")[-1].get("Host") == estate.new.url.removeprefix("http://")


def test_a_target_shapes_path_and_headers(estate: Estate) -> None:
    """Placeholders are filled and encoded as one segment each, headers removed and added, on both ways."""
    estate.legacy.on("/v2/a%2Fb/of/7%20up/2026", answer(b"", "Server: IIS/6.0"))
    reply = estate.gateway.get("/accounts/7%20up/lines/a%20b?date=2026", "X-Removed: 1", "X-Added: no", "X-Kept: 1")
    sent = estate.legacy.requests[-1]
    assert sent.target == "/v2/a%20b/of/7%20up/2026?date=2026"
    assert (sent.get("X-Removed"), sent.get("X-Added"), sent.get("X-Kept")) == (None, "yes", "1")
    assert (reply.get("X-Answer-Added"), reply.get("Server")) == ("yes", None)


@pytest.mark.parametrize("query", ["", "?date=..", "?date=%2e%2e", "?date="])
def test_a_placeholder_that_cannot_be_filled_is_422(estate: Estate, query: str) -> None:
    """A missing value, or one that would climb out of the path, is the client's mistake."""
    assert estate.gateway.get(f"/accounts/7/lines/1{query}").status == 422


# ------------------------------------------------------------------------------------------------ refusals


def test_unknown_routes_methods_and_words_are_told_apart(estate: Estate) -> None:
    """404 for no route, 405 with Allow for another method, 501 for a method nobody knows."""
    gateway = estate.gateway
    assert gateway.get("/nowhere").status == 404
    wrong = gateway.call("DELETE", "/only")
    allowed = {each.strip() for each in (wrong.get("Allow") or "").split(",")}
    assert (wrong.status, allowed) == (405, {"GET", "HEAD", "PUT"})
    assert gateway.call("FROBNICATE", "/only").status == 501
    assert gateway.call("HEAD", "/only").status == 200


def test_refusals_are_problem_documents_or_pages(estate: Estate) -> None:
    """Programs get application/problem+json, browsers a page; both carry the request id, and neither any detail."""
    plain = estate.gateway.get("/nowhere", "X-Request-ID: my-own-id", "Accept: application/json")
    page = estate.gateway.get("/nowhere", "X-Request-ID: my-own-id", "Accept: text/html,application/xhtml+xml")
    document = json.loads(plain.body)
    assert plain.get("Content-Type") == "application/problem+json"
    assert (document["status"], document["request_id"], plain.get("X-Request-ID")) == (404, "my-own-id", "my-own-id")
    assert page.get("Content-Type") == "text/html; charset=utf-8"
    assert b"<code>my-own-id</code>" in page.body


@pytest.mark.parametrize(
    "path", ["/raw/../x", "/raw/%2e%2e/x", "/raw/a\\b", "/raw/%00", "/raw/%c0%ae", "/all/a//b", "/all/a%2Fb"]
)
def test_ambiguous_paths_are_refused(estate: Estate, path: str) -> None:
    """What two parties could read differently is 400, and reaches nobody."""
    before = len(estate.legacy.requests)
    assert estate.gateway.get(path).status == 400
    assert len(estate.legacy.requests) == before


def test_a_raw_route_takes_paths_as_they_came(estate: Estate) -> None:
    """`path: raw` lets `//` and `%2F` through, byte for byte."""
    assert estate.gateway.get("/raw/a//b%2Fc").status == 200
    assert estate.legacy.requests[-1].target == "/raw/a//b%2Fc"


# ------------------------------------------------------------------------------------------------ who is who


def test_request_ids_and_traces_are_begun_or_continued(estate: Estate) -> None:
    """A valid id or traceparent of the client's goes on; otherwise new ones begin. Backend and client see the same."""
    gateway, legacy = estate.gateway, estate.legacy
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    given = gateway.get("/all/ids", "X-Request-ID: abc-1", f"traceparent: {trace}")
    assert given.get("X-Request-ID") == "abc-1"
    seen = legacy.seen("/all/ids")[-1]
    assert seen.get("X-Request-ID") == "abc-1"
    assert (seen.get("traceparent") or "").startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    made = gateway.get("/all/ids", "X-Request-ID: not valid!", "traceparent: 00-zz-1-01")
    seen = legacy.seen("/all/ids")[-1]
    assert re.fullmatch(HEX32, made.get("X-Request-ID") or "")
    assert seen.get("X-Request-ID") == made.get("X-Request-ID")
    assert re.fullmatch(rf"00-{HEX32}-[0-9a-f]{{16}}-0[01]", seen.get("traceparent") or "")


def test_what_only_the_gateway_may_say_is_stripped(estate: Estate) -> None:
    """`X-Banyan-*`, forwarding fields and their like from clients are not believed, however spelled."""
    estate.gateway.get(
        "/all/lies",
        "X-Banyan-Anything: 1",
        "X_Banyan_Other: 1",
        "X-Gateway-User: root",
        "X-Forwarded-For: 6.6.6.6",
        "X-Forwarded-Host: evil.example",
        "Forwarded: for=6.6.6.6",
        "X-Real-IP: 6.6.6.6",
        "X-Original-URL: /admin",
        "X-HTTP-Method-Override: DELETE",
        "Proxy: evil",
        "Connection: X-Named",
        "X-Named: dropped",
    )
    sent = estate.legacy.seen("/all/lies")[-1]
    text = b"\n".join(name + b": " + value for name, value in sent.fields).lower()
    for lie in (b"banyan-any", b"banyan_other", b"6.6.6.6", b"evil", b"/admin", b"root", b"override", b"x-named"):
        assert lie not in text
    assert (sent.get("X-Forwarded-For"), sent.get("X-Forwarded-Proto")) == ("127.0.0.1", "http")
    assert (sent.get("X-Forwarded-Host"), sent.get("Via")) == ("front.example", "1.1 banyan")
    assert sent.get("Forwarded") == 'for=127.0.0.1;host="front.example";proto=http'


def test_a_trusted_proxy_is_believed(estate: Estate) -> None:
    """A peer in `trusted_proxies` may name the client; its chain is continued, not replaced. A reload is enough."""
    estate.gateway.edit(routes_yaml(estate.legacy, estate.new, trusted="127.0.0.0/8"))
    try:
        estate.gateway.get(
            "/all/chain", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https", "Forwarded: for=192.0.2.7"
        )
        sent = estate.legacy.seen("/all/chain")[-1]
        assert sent.get("X-Forwarded-For") == "192.0.2.7, 127.0.0.1"
        assert sent.get("X-Forwarded-Proto") == "https"
        assert (sent.get("Forwarded") or "").startswith("for=192.0.2.7, for=127.0.0.1")
    finally:
        estate.gateway.edit(routes_yaml(estate.legacy, estate.new))
