from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.fields import field_lines
from gateway.core.forwarding import (
    Introduction,
    Peer,
    answer_head,
    client_address,
    forwarding_lines,
    ids_of,
    is_trusted,
    public_fields,
    public_origin,
    request_head,
    status_line,
    untrusted_lines,
)
from gateway.core.headers import AnswerHead
from gateway.core.model import LEGACY, NEW, Backend, HeaderEdit, Placeholder, Request, Target
from gateway.core.planning import Plan
from tests.support.values import OFFICE, REPAIRS, fields, plan_of, request, route

CLIENT = Peer(b"192.0.2.7", b"http", False)
PROXY = Peer(b"10.0.0.1", b"https", True)
INSIDE = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
FRESH = b"0" * 31 + b"1", b"0" * 15 + b"2"


def lines_of(head: bytes) -> list[str]:
    """A head's lines, checked to end as heads do."""
    assert head.endswith(b"\r\n")
    return head.decode("latin-1").removesuffix("\r\n").split("\r\n")


# ------------------------------------------------------------------------------------------------ identity


def test_an_exchange_without_ids_gets_them() -> None:
    """A request id and a trace begin where the client brought none, and both are passed on."""
    request_id, trace_id, lines = ids_of(request(), FRESH)
    assert (request_id, trace_id) == (FRESH[0], FRESH[0])
    assert lines_of(lines) == [
        "X-Request-ID: " + "0" * 31 + "1",
        "traceparent: 00-" + "0" * 31 + "1-" + "0" * 15 + "2-00",
    ]


def test_valid_ids_are_continued() -> None:
    """A client's own request id and trace go on as they came."""
    request_id, trace_id, lines = ids_of(request("GET /", "x-request-id: order/42", f"TraceParent: {TRACE}"), FRESH)
    assert (request_id, trace_id) == (b"order/42", b"4bf92f3577b34da6a3ce929d0e0e4736")
    assert lines_of(lines) == ["X-Request-ID: order/42", f"traceparent: {TRACE}"]


@pytest.mark.parametrize(
    "lines",
    [
        ("X-Request-ID: two words", "traceparent: 00-0-0-00"),
        ("X-Request-ID:", f"traceparent: {TRACE}", f"traceparent: {TRACE}"),
        ("X-Request-ID: " + "x" * 129, f"traceparent: 00-{'0' * 32}-00f067aa0ba902b7-01"),
        ("X-Request-ID: é", f"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01"),
        ("X-Banyan-Serve: new", f"traceparent: {TRACE}-x"),
    ],
)
def test_ids_that_are_none_are_replaced(lines: tuple[str, ...]) -> None:
    """What is not a plain id, or not exactly one valid trace (W3C Trace Context, section 3.2), is begun anew."""
    assert ids_of(request("GET /", *lines), FRESH) == ids_of(request(), FRESH)


# ------------------------------------------------------------------------------------------------ forwarding fields


def test_a_backend_learns_who_asked() -> None:
    """Address, scheme and host of the client are told in both ways, and that a gateway stands between."""
    assert lines_of(forwarding_lines(CLIENT, request(host="api.example:8080"))) == [
        "X-Forwarded-For: 192.0.2.7",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: api.example:8080",
        'Forwarded: for=192.0.2.7;host="api.example:8080";proto=http',
        "Via: 1.1 banyan",
    ]


def test_addresses_are_written_as_rfc_7239_wants() -> None:
    """An IPv6 address stands in brackets and quotes; a client without an address (a Unix socket) is unknown."""
    six = untrusted_lines(Peer(b"2001:db8::7", b"https", False), b"api.example")
    assert b'Forwarded: for="[2001:db8::7]";host="api.example";proto=https\r\n' in six
    assert b"X-Forwarded-For: 2001:db8::7\r\n" in six
    assert b"Forwarded: for=unknown;" in untrusted_lines(Peer(b"", b"http", False), b"api.example")


def test_a_stranger_s_claims_are_dropped() -> None:
    """What a client says about itself never reaches a backend."""
    lying = request("GET /", "X-Forwarded-For: 10.9.9.9", "Forwarded: for=x", "X-Real-IP: x", "X-Forwarded-Prefix: /x")
    assert forwarding_lines(CLIENT, lying) == forwarding_lines(CLIENT, request())


def test_a_trusted_proxy_s_claims_are_continued() -> None:
    """The proxy's own address is added to the chain it gave; scheme, host and the rest stay as it said."""
    lines = ["X-Forwarded-For: 192.0.2.7", "x-forwarded-for: 10.0.0.2", "X-Forwarded-Proto: http", "Forwarded: for=x"]
    found = lines_of(forwarding_lines(PROXY, request("GET /", *lines, "X-Real-IP: 192.0.2.7")))
    assert sorted(found) == [
        'forwarded: for=x, for=10.0.0.1;host="api.example";proto=https',
        "via: 1.1 banyan",
        "x-forwarded-for: 192.0.2.7, 10.0.0.2, 10.0.0.1",
        "x-forwarded-host: api.example",
        "x-forwarded-proto: http",
        "x-real-ip: 192.0.2.7",
    ]


def test_a_trusted_proxy_may_claim_nothing() -> None:
    """A proxy that says nothing is told of like any client; one that gives no chain begins it."""
    assert forwarding_lines(PROXY, request()) == untrusted_lines(PROXY, b"api.example")
    found = lines_of(forwarding_lines(PROXY, request("GET /", "X-Forwarded-Proto: http")))
    assert "x-forwarded-for: 10.0.0.1" in found
    assert "x-forwarded-proto: http" in found


def test_a_connection_s_requests_are_introduced_one_by_one() -> None:
    """What is remembered of a peer is right for each request: another host, another claim, the first host again."""
    asked = [
        request(host="a.example"),
        request(host="b.example"),
        request("GET /", "X-Forwarded-For: 192.0.2.7", host="b.example"),
        request(host="b.example"),
        request(host="a.example"),
    ]
    for peer in (CLIENT, PROXY):
        introduction = Introduction(peer)
        assert [introduction.lines(each) for each in asked] == [forwarding_lines(peer, each) for each in asked]


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ((), b"10.0.0.1"),
        (("X-Forwarded-For: 192.0.2.7",), b"192.0.2.7"),
        (("X-Forwarded-For: 203.0.113.9, 192.0.2.7, 10.0.0.3",), b"192.0.2.7"),
        (("X-Forwarded-For: 192.0.2.7", "Forwarded: for=x", "X-Forwarded-For: fd00::1"), b"192.0.2.7"),
        (("X-Forwarded-For: 10.0.0.2, 10.0.0.3",), b"10.0.0.1"),
        (("X-Forwarded-For: 192.0.2.7, unknown",), b"10.0.0.1"),
        (("X-Forwarded-For: 192.0.2.7,",), b"10.0.0.1"),
        (("X-Forwarded-For: 2001:db8::7",), b"2001:db8::7"),
        (("X-Forwarded-For: fe80::1%\xe9",), "fe80::1%é".encode()),
    ],
)
def test_the_client_s_address_comes_from_those_trusted(lines: tuple[str, ...], address: bytes) -> None:
    """The client is the last in the chain that is not a trusted proxy; a chain that breaks names nobody."""
    assert client_address(PROXY, request("GET /", *lines), INSIDE) == address
    assert client_address(CLIENT, request("GET /", *lines), INSIDE) == b"192.0.2.7"


@given(st.binary(max_size=20))
def test_any_bytes_may_stand_for_an_address(text: bytes) -> None:
    """No bytes in a forwarding field make the gateway fail."""
    asked = request("GET /", b"X-Forwarded-For: 192.0.2.7, " + text)
    assert isinstance(client_address(PROXY, asked, INSIDE), bytes)
    assert isinstance(is_trusted(b"fd00::1%" + text, INSIDE), bool)


def test_trust_is_by_network() -> None:
    """An address is trusted when one of the networks holds it; without networks nobody is."""
    assert is_trusted(b"10.1.2.3", INSIDE)
    assert is_trusted(b"fd00::1", INSIDE)
    assert not is_trusted(b"192.0.2.7", INSIDE)
    assert not is_trusted(b"", INSIDE)
    assert not is_trusted(b"10.1.2.3", ())


# ------------------------------------------------------------------------------------------------ request heads


def head_for(asked: Request, target: Target | None = None, backend: Backend = OFFICE) -> list[str]:
    """The lines that a backend gets."""
    plan = plan_of(route(legacy=target or Target("office")), (backend, REPAIRS)).plans[LEGACY]
    return lines_of(request_head(plan, asked, b"/sent", b"X-Own: 1\r\n"))


def test_a_head_is_sent_as_it_came() -> None:
    """Method, target, the backend's Host, the fields in order, then the gateway's own."""
    assert head_for(request("GET /received", "B: 2", b"a: \xe9")) == [
        "GET /sent HTTP/1.1",
        "Host: office.internal:8080",
        "B: 2",
        "a: é",
        "X-Own: 1",
        "",
    ]
    assert head_for(request("GET /received")) == ["GET /sent HTTP/1.1", "Host: office.internal:8080", "X-Own: 1", ""]


@pytest.mark.parametrize(
    ("asked", "framing"),
    [
        (request("POST /", "Content-Length: 5"), ["Content-Length: 5"]),
        (request("POST /", "Transfer-Encoding: chunked"), ["Transfer-Encoding: chunked"]),
        (request("POST /"), ["Content-Length: 0"]),
        (request("PUT /", "Content-Length: 0"), ["Content-Length: 0"]),
        (request("DELETE /", "Content-Length: 0"), []),
        (request("GET /"), []),
        (
            request("PUT /", "Expect: 100-continue", "Content-Length: 5"),
            ["Content-Length: 5", "Expect: 100-continue"],
        ),
        (
            request("GET /", "Upgrade: WebSocket", "Connection: upgrade", "TE: trailers"),
            ["Connection: Upgrade", "Upgrade: websocket"],
        ),
        (request("GET /", "TE: trailers"), ["Connection: TE", "TE: trailers"]),
    ],
)
def test_a_head_frames_its_body_anew(asked: Request, framing: list[str]) -> None:
    """Length, expectation, upgrade and trailers are the gateway's own words to the backend."""
    assert head_for(asked)[2:] == [*framing, "X-Own: 1", ""]


def test_a_target_has_its_own_method_and_fields() -> None:
    """A target's method and edits are what the backend sees; a method with a body always says how long."""
    target = Target("office", method=b"POST", request=HeaderEdit(((b"B", b"9"),), (b"c",)))
    assert head_for(request("GET /", "A: 1", "b: 2", "C: 3"), target) == [
        "POST /sent HTTP/1.1",
        "Host: office.internal:8080",
        "A: 1",
        "B: 9",
        "Content-Length: 0",
        "X-Own: 1",
        "",
    ]


@pytest.mark.parametrize(
    ("host_header", "host"),
    [("own", "office.internal:8080"), ("public", "api.example"), ("vhost.example", "vhost.example")],
)
def test_a_backend_sees_the_host_it_was_promised(host_header: str, host: str) -> None:
    """Its own name by default, the client's when the route says `public`, or one that was written down."""
    assert head_for(request(), backend=OFFICE._replace(host_header=host_header))[1] == f"Host: {host}"


def test_a_public_host_that_is_missing_becomes_the_backend_s() -> None:
    """An HTTP/1.0 client without a Host never makes a request without one."""
    assert head_for(request(host="", old=True), backend=OFFICE._replace(host_header="public"))[1] == (
        "Host: office.internal:8080"
    )


# ------------------------------------------------------------------------------------------------ answer heads

PLAIN = plan_of(route(name="a")).plans[NEW]
OURS = ["X-Request-ID: r-1", "Via: 1.1 banyan", "X-Banyan-Served-By: new; repairs; a"]


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [
        (200, b"Fine", b"HTTP/1.1 200 Fine\r\n"),
        (404, b"", b"HTTP/1.1 404 Not Found\r\n"),
        (599, b"", b"HTTP/1.1 599 Status\r\n"),
    ],
)
def test_a_status_line(status: int, reason: bytes, line: bytes) -> None:
    """A reason goes on as it came, and one that is missing is filled in."""
    assert status_line(status, reason) == line


@pytest.mark.parametrize(
    ("status", "length", "chunked", "framing"),
    [
        (200, 5, False, ["Content-Length: 5"]),
        (200, 0, False, ["Content-Length: 0"]),
        (200, -1, True, ["Transfer-Encoding: chunked"]),
        (200, -2, True, ["Transfer-Encoding: chunked"]),
        (200, -2, False, []),
        (304, 5, False, ["Content-Length: 5"]),
        (204, 0, False, []),
        (204, 5, False, []),
    ],
)
def test_an_answer_is_framed_for_its_client(status: int, length: int, chunked: bool, framing: list[str]) -> None:
    """A known length is told, also where HEAD asked for it alone; 204 never has one; chunks are the caller's choice."""
    head = AnswerHead(status, b"Fine", field_lines(fields("A: 1")), length, False, False)
    found = lines_of(answer_head(head, PLAIN, b"r-1", b"X-Own: 1\r\n", chunked, False))
    assert found == [f"HTTP/1.1 {status} Fine", "A: 1", *framing, *OURS, "X-Own: 1", ""]


def test_an_answer_is_edited_and_may_be_the_last() -> None:
    """A target's edits are what the client sees, and a connection that ends says so."""
    edit = HeaderEdit(((b"B", b"9"),), (b"a",))
    plan = plan_of(route(name="a", new=Target("repairs", answer=edit))).plans[NEW]
    head = AnswerHead(200, b"", field_lines(fields("A: 1", "C: 3")), 0, False, False)
    assert lines_of(answer_head(head, plan, b"r-1", b"", False, True)) == [
        "HTTP/1.1 200 OK",
        "C: 3",
        "B: 9",
        "Content-Length: 0",
        *OURS,
        "Connection: close",
        "",
    ]


# ------------------------------------------------------------------------------------------------ public addresses


def mapped(base: bytes = b"", path: bytes | None = None, pattern: str = "ANY /a/**", **backend: object) -> Plan:
    """A plan whose backend has paths of its own: a base, or a target's path before the rest."""
    office = OFFICE._replace(base=base, **backend)  # type: ignore[arg-type]
    target = Target("office", None if path is None else (path, Placeholder("rest", b"")))
    return plan_of(route(pattern, legacy=target), (office, REPAIRS)).plans[LEGACY]


def public(line: str | bytes, plan: Plan, asked: Request | None = None, public_url: str | None = None) -> str:
    """The value of one field of an answer, made public."""
    head = AnswerHead(201, b"", field_lines(fields("A: http://office.internal:8080/", line)), 0, True, False)
    found = public_fields(head, plan, asked or request(), b"https", public_url)
    assert found.fields[0] == head.fields[0]
    assert replace(found, lines=head.lines) == head
    return found.fields[1][1].decode("latin-1")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://office.internal:8080/x?y#z", "https://api.example/x?y#z"),
        ("HTTP://Office.Internal:8080/X", "https://api.example/X"),
        ("http://office.internal/x", "https://api.example/x"),
        ("//office.internal:8080/x", "https://api.example/x"),
        ("http://office.internal:8080", "https://api.example/"),
        ("http://office.internal:8080?x", "https://api.example/?x"),
        ("/x", "/x"),
        ("x/y", "x/y"),
        ("", ""),
        ("http://other.example/x", "http://other.example/x"),
        ("http://office.internal:9999/x", "http://office.internal:9999/x"),
        ("http://office.internal.evil.example/", "http://office.internal.evil.example/"),
        ("ftp://office.internal:8080/x", "ftp://office.internal:8080/x"),
        ("http://[::1/x", "http://[::1/x"),
    ],
)
def test_a_backend_s_own_address_becomes_the_public_one(value: str, expected: str) -> None:
    """Front ends never see a monolith's host name in Location or Content-Location; any other address is left alone."""
    assert public(f"Location: {value}", mapped()) == expected
    assert public(f"content-LOCATION: {value}", mapped()) == expected


def test_an_address_with_letters_of_its_own_is_made_public_too() -> None:
    """Old systems send raw bytes in Location: the host name is hidden all the same."""
    raw = b"Location: http://office.internal:8080/stra\xdfe"
    assert public(raw, mapped()) == "https://api.example/straße"


@pytest.mark.parametrize(
    ("backend", "own"),
    [
        (Backend("office", "::1", 9001, authority=b"[::1]:9001"), "http://[::1]:9001/x"),
        (Backend("office", "::1", 80, authority=b"[::1]"), "http://[::1]:80/x"),
        (Backend("office", "office.internal", 80, authority=b"office.internal"), "http://office.internal:80/x"),
        (Backend("office", "10.0.0.5", 80, authority=b"10.0.0.5", host_header="V.example"), "http://v.example/x"),
        (Backend("office", "localhost", 0, unix="/run/x", authority=b"localhost"), "http://localhost/x"),
    ],
)
def test_every_name_of_a_backend_is_its_own(backend: Backend, own: str) -> None:
    """With and without the usual port, in brackets, by the Host it was given, or behind a Unix socket."""
    plan = plan_of(route(), (backend, REPAIRS)).plans[LEGACY]
    assert public(f"Location: {own}", plan) == "https://api.example/x"


def test_the_public_address_may_be_configured() -> None:
    """`public_url` goes before the Host the client used; without either the path alone is right."""
    location = "Location: http://office.internal:8080/x"
    assert public(location, mapped(), public_url="https://www.example/") == "https://www.example/x"
    assert public(location, mapped(), request(host="", old=True)) == "/x"


@pytest.mark.parametrize(
    ("plan", "private", "expected"),
    [
        (mapped(base=b"/app"), "/app/x", "/x"),
        (mapped(base=b"/app"), "/app", "/"),
        (mapped(base=b"/app"), "/app?x", "/?x"),
        (mapped(base=b"/app"), "/app#x", "/#x"),
        (mapped(base=b"/app"), "/application", "/application"),
        (mapped(base=b"/app"), "http://office.internal:8080/app/x", "https://api.example/x"),
        (mapped(path=b"/v2/"), "/v2/x", "/a/x"),
        (mapped(path=b"/v2/"), "/v2", "/a"),
        (mapped(path=b"/v2/"), "/v3", "/v3"),
        (mapped(path=b"/"), "/x", "/a/x"),
        (mapped(path=b"/v2/", pattern="ANY /my app/**"), "/v2/x", "/my%20app/x"),
        (mapped(base=b"/app", path=b"/v2/"), "http://office.internal:8080/app/v2/x?y", "https://api.example/a/x?y"),
    ],
)
def test_a_backend_s_own_path_becomes_the_public_one(plan: Plan, private: str, expected: str) -> None:
    """Where paths differ only in front, addresses lead back to the public path."""
    assert public(f"Location: {private}", plan) == expected


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        ("a=1; Domain=office.internal; Secure", "a=1; Secure"),
        ("a=1;domain=.Internal", "a=1"),
        ("a=1; Domain=other.example", "a=1; Domain=other.example"),
        ("a=1; Path=/app/x; HttpOnly", "a=1; Path=/x; HttpOnly"),
        ("a=1; path=/app", "a=1; path=/"),
        ("a=1; Path=/other", "a=1; Path=/other"),
        ("domain=internal; Secure", "domain=internal; Secure"),
        ("path=/app", "path=/app"),
        ("a=1", "a=1"),
    ],
)
def test_a_cookie_comes_back_to_the_gateway(cookie: str, expected: str) -> None:
    """A cookie's Domain that names the backend goes, and its Path is made public; its value is never touched."""
    assert public(f"Set-Cookie: {cookie}", mapped(base=b"/app")) == expected


def test_a_cookie_of_a_backend_with_another_host() -> None:
    """The Host that a backend was given counts as its name; without paths of its own the Path stays."""
    plan = mapped(host_header="vhost.example")
    assert public("Set-Cookie: a=1; Domain=vhost.example; Path=/x", plan) == "a=1; Path=/x"
    assert public("Set-Cookie: a=1; Domain=vhost.example", mapped(host_header="public")) == "a=1; Domain=vhost.example"


@pytest.mark.parametrize(
    ("peer", "lines", "expected"),
    [
        (CLIENT, (), b"http://api.example"),
        (CLIENT, ("X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example"), b"http://api.example"),
        (PROXY, (), b"https://api.example"),
        (PROXY, ("X-Forwarded-Proto: HTTP", "X-Forwarded-Host: a.example:8080"), b"http://a.example:8080"),
        (PROXY, ("X-Forwarded-Host: a.example, b.example", "X-Forwarded-Host: c.example"), b"https://a.example"),
        (PROXY, ("X-Forwarded-Host: [2001:db8::7]:81",), b"https://[2001:db8::7]:81"),
        (PROXY, ('Forwarded: for=1;Host="a.example:8080";proto=http, host=b.example',), b"http://a.example:8080"),
        (PROXY, ("Forwarded: for=1; xhost=b.example",), b"https://api.example"),
        (PROXY, ("Forwarded: host=b.example", "X-Forwarded-Host: a.example"), b"https://a.example"),
        (PROXY, ("X-Forwarded-Proto: gopher", 'X-Forwarded-Host: a"><b'), b"https://api.example"),
    ],
)
def test_clients_call_what_a_trusted_proxy_says(peer: Peer, lines: tuple[str, ...], expected: bytes) -> None:
    """The nearest to the client is believed; what is no scheme and no host is not."""
    assert public_origin(peer, request("GET /a", *lines), None) == expected


def test_clients_call_what_is_configured() -> None:
    """Whoever says what; without any host there is none."""
    asked = request("GET /a", "X-Forwarded-Host: a.example")
    assert public_origin(PROXY, asked, "https://public.example/") == b"https://public.example"
    assert public_origin(CLIENT, request("GET /a", host="", old=True), None) == b""
