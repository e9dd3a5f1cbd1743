from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.fields import field_lines, names_and_values
from gateway.core.headers import (
    AnswerHead,
    Kind,
    kind_of,
    read_answer,
    read_request,
    trailer_lines,
)
from gateway.errors import ClientError
from tests.support.values import fields, request

HOP_BY_HOP = ["keep-alive", "proxy-connection", "proxy-authorization", "http2-settings", "te", "upgrade", "connection"]
GATEWAY_ONLY = [
    *(
        "x-banyan-serve",
        "x-banyan-",
        "x-gateway-user",
        "x-forwarded-for",
        "x-forwarded-anything",
        "forwarded",
        "x-real-ip",
    ),
    *(
        "x-original-url",
        "x-rewrite-url",
        "x-http-method-override",
        "proxy",
        "x-request-id",
        "traceparent",
        "max-forwards",
    ),
]
DISGUISED = ["x_banyan_serve", "x-banyan_serve", "x_gateway-user", "x_forwarded_for", "x_real_ip", "x_original-url"]
FRAMING_IN_DISGUISE = ["content_length", "transfer_encoding"]
tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12)
values = st.text("abc 123=;\"'é", max_size=12).map(lambda text: text.strip().encode())


def in_any_spelling(names: list[str]) -> st.SearchStrategy[str]:
    """A name with each letter in either case."""
    return st.sampled_from(names).flatmap(
        lambda name: st.tuples(*(st.sampled_from([each.lower(), each.upper()]) for each in name)).map("".join)
    )


ordinary = st.tuples(tokens.filter(lambda name: kind_of(name.encode()) is Kind.PASS).map(str.encode), values)


def refusal(*given_fields: Any, **more: Any) -> ClientError:
    """Why a request is refused."""
    with pytest.raises(ClientError) as caught:
        request(*given_fields, **more)
    return caught.value


# ------------------------------------------------------------------------------------------------ what crosses


@settings(max_examples=60)
@given(
    st.lists(st.tuples(in_any_spelling(HOP_BY_HOP + GATEWAY_ONLY + DISGUISED).map(str.encode), values), max_size=6),
    st.lists(ordinary, max_size=6),
    st.randoms(use_true_random=False),
)
def test_only_end_to_end_fields_cross(
    special: list[tuple[bytes, bytes]], others: list[tuple[bytes, bytes]], random: Any
) -> None:
    """Nothing hop-by-hop and nothing that only the gateway may say crosses, however it is spelt; the rest does."""
    special = [field for field in special if field[0].lower() != b"connection"]
    raw = [*special, *others, (b"Host", b"api.example")]
    random.shuffle(raw)
    found = read_request(b"GET", b"/", *names_and_values(raw), False)
    assert list(found.fields) == [field for field in raw if field in others]


@given(st.lists(ordinary, min_size=1, max_size=8), st.data())
def test_what_connection_names_stays_behind(others: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    """A field that Connection names is for this connection, in either direction and however it is spelt."""
    named = data.draw(st.lists(st.sampled_from([name for name, _ in others]), max_size=3))
    options = [each for name in named for each in (data.draw(st.sampled_from([name, name.upper(), b" %b" % name])),)]
    raw = [(b"Host", b"api.example"), *others, (b"coNNection", b",".join([b"close", *options]))]
    gone = {name.lower() for name in named} - {b"close", b"keep-alive", b"upgrade", b"te"}
    expected = [field for field in others if field[0].lower() not in gone]
    assert list(read_request(b"GET", b"/", *names_and_values(raw), False).fields) == expected
    answer = read_answer(200, b"OK", *names_and_values(raw[1:]))
    assert answer is not None
    assert list(answer.fields) == [field for field in others if field[0].lower() not in gone]


def test_fields_cross_in_order_byte_for_byte() -> None:
    """Fields keep their order, their spelling and their bytes, and two of a name stay two."""
    lines = [
        b"aCCept: */*",
        b"Authorization: Basic x",
        b"Cookie: a=1",
        b"X-A: \xe9\xff",
        b"cookie: b=2",
        b"Location: /x",
    ]
    found = request("GET /", *lines)
    assert list(found.fields) == fields(*lines)
    assert found.cookie == b"a=1; b=2"
    after = request("GET /", "Expect: 100-continue", "Authorization: Basic x", "A: 1")
    assert list(after.fields) == fields("Authorization: Basic x", "A: 1")


def test_a_nominated_cookie_identifies_nobody() -> None:
    """A cookie that stays behind is not used for the split either."""
    assert request("GET /", "Cookie: a=1", "Connection: cookie").cookie == b""
    assert request("GET /", "Cookie: a=1", "Connection: close, x").cookie == b"a=1"


@pytest.mark.parametrize("name", [*FRAMING_IN_DISGUISE, "HOST_", "x_http_method_override"])
def test_no_disguise_reaches_a_backend_that_reads_underscores_as_dashes(name: str) -> None:
    """`Content_Length` and the like never cross: CGI-like backends would take them for the real thing."""
    crossed = [] if name != "HOST_" else [(b"HOST_", b"5")]
    assert list(request("GET /", f"{name}: 5").fields) == crossed


def test_claims_about_the_client_are_set_aside() -> None:
    """Forwarding fields are kept apart for trusted proxies, and what only the gateway may say for the gateway."""
    found = request("GET /", "X-Forwarded-For: 192.0.2.1", "forwarded: for=x", "X_Forwarded_For: y", "X-Request-ID: r")
    assert list(found.forwarding) == fields("X-Forwarded-For: 192.0.2.1", "forwarded: for=x")
    assert list(found.reserved) == fields("X_Forwarded_For: y", "X-Request-ID: r")


@pytest.mark.parametrize(
    ("line", "conditional"),
    [
        ('If-None-Match: "1"', True),
        ("IF-MODIFIED-SINCE: x", True),
        ("range: bytes=1-", True),
        ("Range-Unit: x", False),
        ("Iffy: x", False),
    ],
)
def test_a_request_may_depend_on_what_the_client_has(line: str, conditional: bool) -> None:
    """Conditions and ranges are about one answer (RFC 9110, sections 13 and 14); they cross like any field."""
    found = request("GET /", "Accept: x", line)
    assert (found.conditional, list(found.fields)) == (conditional, fields("Accept: x", line))


def test_names_beyond_what_is_remembered_are_still_known() -> None:
    """However many names have come, and however long they are, a field is treated as what it is."""
    for number in range(5_000):
        kind_of(b"x-%d" % number)
    assert kind_of(b"X-bAnYaN-sErVe") is Kind.RESERVED
    assert kind_of(b"X-Banyan-" + b"y" * 70) is Kind.RESERVED
    assert kind_of(b"x" * 70) is Kind.PASS


def test_a_head_of_any_size_is_read() -> None:
    """Heads too large to be remembered are read like any other, again and again."""
    lines = [f"X-{number}-{'y' * 40}: {number}" for number in range(30)]
    for _ in range(2):
        assert list(request("GET /", *lines, "Keep-Alive: x").fields) == fields(*lines)


# ------------------------------------------------------------------------------------------------ target and host


@pytest.mark.parametrize(
    ("start", "host", "path", "query"),
    [
        ("GET /a?b?c", b"api.example", b"/a", b"?b?c"),
        ("GET /a?", b"api.example", b"/a", b"?"),
        ("GET //a", b"api.example", b"//a", b""),
        ("GET http://other.example:81/a?b", b"other.example:81", b"/a", b"?b"),
        ("GET HTTPS://other.example?b", b"other.example", b"/", b"?b"),
        ("GET http://other.example", b"other.example", b"/", b""),
        ("OPTIONS *", b"api.example", b"*", b""),
    ],
)
def test_the_target_is_read(start: str, host: bytes, path: bytes, query: bytes) -> None:
    """A target is a path, or an address whose host counts in place of the Host field (RFC 9112, section 3.2)."""
    found = request(start)
    assert (found.host, found.path, found.query) == (host, path, query)
    assert found.target == start.partition(" ")[2].encode()


@pytest.mark.parametrize(
    "start",
    ["GET *", "GET a", "GET ftp://x/", "GET http:///a", "GET http://me@x/", "GET http://a b/", "GET /a#b", "GET "],
)
def test_a_target_that_is_none_is_refused(start: str) -> None:
    """Anything that is neither a path nor an http address is 400, and the connection is closed."""
    fault = refusal(start)
    assert (fault.status, fault.close) == (400, True)


def test_connect_is_not_served() -> None:
    """The gateway is no forward proxy, whatever form the target has."""
    for target in ("api.example:443", "/a", "http://api.example/a"):
        fault = refusal(f"CONNECT {target}")
        assert (fault.status, fault.close) == (501, True)


@pytest.mark.parametrize(
    "host",
    ["api.example", "API.example:8080", "127.0.0.1", "[::1]", "[::1]:80", "a:", "a_b", "%41", "x" * 255 + ":65535"],
)
def test_a_host_is_taken_as_it_came(host: str) -> None:
    """Names, addresses and ports in any valid form are hosts, and are so again the next time."""
    assert request("GET /", host=host).host == request("GET /", host=host).host == host.encode()


@pytest.mark.parametrize(
    "host", ["a b", "a,b:x", "a/b", "a@b", "[::1", "[::1]x", "a:123456", "%4", "a\x7f", "x" * 259 + ":80", 'a"b', "ä"]
)
def test_a_host_that_is_none_is_refused(host: str) -> None:
    """A Host that backends could read differently, or that is longer than any name, is refused."""
    assert (refusal("GET /", host=host).status, refusal("GET /", host=host).close) == (400, True)


def test_there_is_one_host() -> None:
    """HTTP/1.1 has exactly one Host field, not an empty one; HTTP/1.0 may have none, which never counts as good."""
    assert request("GET /", host="", old=True).host == b""
    assert refusal("GET /", host="").status == 400
    assert refusal("GET /", "Host: again").status == 400
    assert refusal("GET /", "Host: again", old=True).status == 400
    assert refusal("GET /", "Host:", host="").status == 400
    assert request("GET /", "Host:", host="", old=True).host == b""


# ------------------------------------------------------------------------------------------------ body and protocol


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        ((), 0),
        (("Content-Length: 0",), 0),
        (("content-length: 12",), 12),
        (("Transfer-Encoding: Chunked",), -1),
        (("Transfer-Encoding: chunked", "Connection: transfer-encoding"), -1),
        (("Content-Length: 5", "Connection: content-length"), 5),
    ],
)
def test_the_length_of_a_body(lines: tuple[str, ...], length: int) -> None:
    """A body has the length it announces, or comes in chunks; nothing that Connection says changes that."""
    assert request("POST /", *lines).length == length


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("Content-Length: 5", "Transfer-Encoding: chunked"), 400),
        (("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 400),
        (("Transfer-Encoding: gzip, chunked",), 501),
        (("Transfer-Encoding: xchunked",), 501),
        (("Content-Length: 5", "Content-Length: 5"), 400),
        (("Content-Length: +5",), 400),
        (("Content-Length: 5, 5",), 400),
        (("Content-Length:",), 400),
        (("Content-Length: " + "9" * 19,), 400),
    ],
)
def test_an_ambiguous_length_is_refused(lines: tuple[str, ...], status: int) -> None:
    """A body that two parties could end at different places is how requests are smuggled: refused, and closed."""
    fault = refusal("POST /", *lines)
    assert (fault.status, fault.close) == (status, True)


def test_http_1_0_has_no_chunks() -> None:
    """A transfer coding in an HTTP/1.0 request is refused (RFC 9112, section 6.1)."""
    assert refusal("POST /", "Transfer-Encoding: chunked", old=True).status == 400


def test_an_expectation() -> None:
    """100-continue is met, HTTP/1.0 clients cannot expect it, and any other expectation is 417."""
    assert request("POST /", "Expect: 100-Continue").expect
    assert not request("POST /", "Expect: 100-continue", old=True).expect
    assert refusal("POST /", "Expect: 200-ok").status == 417


def test_trailers_are_asked_for() -> None:
    """A client takes trailers when it says so in TE."""
    assert request("GET /", "TE: gzip, Trailers", "TE: deflate").trailers
    assert not request("GET /", "TE: gzip").trailers


@pytest.mark.parametrize(
    ("lines", "protocol"),
    [
        (("Upgrade: WebSocket", "Connection: keep-alive, Upgrade"), b"websocket"),
        (("Upgrade: websocket", "Connection: keep-alive", "connection: upgrade"), b"websocket"),
        (("Upgrade: websocket",), b""),
        (("Upgrade: websocket", "Connection: keep-alive"), b""),
        (("Upgrade: h2c", "Connection: upgrade"), b""),
        (("Upgrade: websocket", "Upgrade: h2c", "Connection: upgrade"), b""),
        (("Connection: upgrade",), b""),
    ],
)
def test_only_a_proper_websocket_is_tunnelled(lines: tuple[str, ...], protocol: bytes) -> None:
    """An upgrade counts when Connection names it and the protocol is one that may be tunnelled."""
    assert request("GET /", *lines).upgrade == protocol


# ------------------------------------------------------------------------------------------------ answers


def answer(*lines: str) -> AnswerHead | None:
    return read_answer(200, b"OK", *names_and_values(fields(*lines)))


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        (("Content-Length: 5",), 5),
        (("Transfer-Encoding: CHUNKED",), -1),
        (("Content-Length: 5", "Transfer-Encoding: chunked"), -1),
        ((), -2),
    ],
)
def test_the_length_of_an_answer(lines: tuple[str, ...], length: int) -> None:
    """An answer has a length, or comes in chunks, or ends with the connection; its framing fields stay behind."""
    assert answer(*lines, "A: 1") == AnswerHead(200, b"OK", b"A: 1\r\n", length, False, False)


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5", "Content-Length: 5"),
        ("Content-Length: x",),
        ("Content-Length: " + "9" * 19,),
        ("Transfer-Encoding: gzip",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    ],
)
def test_an_answer_whose_end_is_unclear_is_not_used(lines: tuple[str, ...]) -> None:
    """An answer that could be cut short or run into the next one is not passed on."""
    assert answer(*lines) is None


@settings(max_examples=60)
@given(
    st.lists(st.tuples(in_any_spelling(HOP_BY_HOP).map(str.encode), values), max_size=5), st.lists(ordinary, max_size=5)
)
def test_only_end_to_end_fields_of_answers_cross(
    special: list[tuple[bytes, bytes]], others: list[tuple[bytes, bytes]]
) -> None:
    """Nothing hop-by-hop reaches the client; with it goes what only the gateway may say."""
    special = [field for field in special if field[0].lower() != b"connection"]
    raw = [
        *special,
        *others,
        *fields("X-Banyan-Served-By: x", "x_gateway_a: y", "X-Request-ID: z", "Connection: close"),
    ]
    found = read_answer(200, b"OK", *names_and_values(raw))
    assert found is not None
    assert list(found.fields) == others


def test_an_answer_s_fields_cross_in_order() -> None:
    """Two Set-Cookie stay two, in place, and it is noted that addresses are to be made public."""
    lines = [
        "Via: 1.1 x",
        "Set-Cookie: a=1",
        "Date: now",
        "Location: /a",
        "set-cookie: b=2",
        "Cookie: odd",
        "Host: odd",
    ]
    assert answer(*lines) == AnswerHead(200, b"OK", field_lines(fields(*lines)), -2, True, False)


@pytest.mark.parametrize(
    ("value", "connection"),
    [("Negotiate", True), ("nTLM TlRMTVNTUAAC", True), ("Basic realm=x", False), ("Bearer ntlm", False)],
)
def test_authentication_of_a_connection_is_noticed(value: str, connection: bool) -> None:
    """NTLM and Negotiate belong to one client's connection; it is known which answers and requests carry them."""
    found = answer(f"WWW-Authenticate: {value}", "WWW-Authenticate: Basic realm=y")
    assert found is not None
    assert found.pinned == connection
    assert request("GET /", f"aUthorization: {value}").pinned == connection


def test_trailers_that_matter_before_the_body_stay_behind() -> None:
    """Trailers cross, except those that would frame, route, authenticate or speak for the gateway."""
    lines = ["X-Sum: 1", "Content-Length: 5", "Set-Cookie: a", "X-Banyan-A: 1", "TE: x", "Cache-Control: x", "x-sum: 2"]
    assert trailer_lines(fields(*lines)) == b"X-Sum: 1\r\nx-sum: 2\r\n"
    assert trailer_lines([]) == b""
