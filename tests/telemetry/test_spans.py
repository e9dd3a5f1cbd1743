"""What is told of a request is what OpenTelemetry's conventions for HTTP have names for, and never its path."""

from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.semconv._incubating.attributes import url_attributes
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import SpanKind, StatusCode

from gateway.core.model import Backend, Estate, Gateway, ListenerTls, Placeholder, Target, Tls
from gateway.core.tracing import above
from gateway.telemetry.spans import SCHEMA, Spans
from tests.support.observations import observed
from tests.support.values import route

TRACE, PARENT, FIRST, SECOND = b"a" * 32, b"b" * 16, b"1" * 16, b"2" * 16
TRACED = TRACE + PARENT + FIRST
BACKENDS = (
    Backend("old", "old.internal", 8080, tls=Tls()),
    Backend("socket", "localhost", 0, unix="/run/old.sock"),
    Backend("many", "a.internal", 80, others=(("b.internal", 80),)),
)
NEW = Target("new", (b"/v2/", Placeholder("path", b"id"), b"/", Placeholder("rest", b"")), b"POST")
ROUTES = (
    route("GET /repairs/{id}/**", name="repairs", legacy=Target("old"), new=NEW),
    route("SOAP /Rents.asmx#GetBalance", name="soap", legacy=Target("old", call=object())),
)
GATEWAY = Gateway()


def spans_of(gateway: Gateway = GATEWAY, **fields: Any) -> list[ReadableSpan]:
    spans = Spans(Resource({}), Estate(gateway, BACKENDS, ROUTES, "d"))
    return list(spans.of(observed(**{"trace": TRACED, "backend": "old", **fields})))


def both(gateway: Gateway = GATEWAY, **fields: Any) -> tuple[ReadableSpan, ReadableSpan]:
    """The request, and the attempt."""
    attempt, request = spans_of(gateway=gateway, **fields)
    assert (attempt.kind, request.kind) == (SpanKind.CLIENT, SpanKind.SERVER)
    return request, attempt


def attribute(span: ReadableSpan, name: str) -> object:
    return (span.attributes or {}).get(name)


def failed(span: ReadableSpan) -> bool:
    return span.status.status_code is StatusCode.ERROR


# ------------------------------------------------------------------------------------------------ names


def test_names_are_those_of_the_conventions() -> None:
    """Of the version that is claimed."""
    request, attempt = both(status=503, gateway=Gateway(public_url="https://api.example"))
    ours = {name for span in (request, attempt) for name in span.attributes or {} if not name.startswith("banyan.")}
    assert ours == {
        http_attributes.HTTP_REQUEST_METHOD,
        http_attributes.HTTP_RESPONSE_STATUS_CODE,
        http_attributes.HTTP_ROUTE,
        error_attributes.ERROR_TYPE,
        server_attributes.SERVER_ADDRESS,
        server_attributes.SERVER_PORT,
        url_attributes.URL_SCHEME,
        url_attributes.URL_TEMPLATE,
    }
    assert Schemas.V1_44_0.value == SCHEMA
    assert request.instrumentation_scope is not None
    assert request.instrumentation_scope.schema_url == SCHEMA


def test_what_is_not_traced_makes_no_spans() -> None:
    """Its observation says nothing of any."""
    assert spans_of(trace=TRACE) == []
    assert spans_of(trace=b"") == []


@pytest.mark.parametrize(
    ("side", "name"), [("legacy", "GET /repairs/{id}/**"), ("new", "POST /v2/{id}/**"), ("", "GET")]
)
def test_an_attempt_is_named_by_how_its_side_is_asked(side: str, name: str) -> None:
    """By its own method and path, as they are written; by the method alone where neither is known."""
    fields: dict[str, Any] = {"side": side} if side else {"route": "gone"}
    request, attempt = both(**fields)
    assert attempt.name == name
    assert request.name == ("GET /repairs/{id}/**" if side else "GET")


def test_what_speaks_soap_is_posted() -> None:
    """To one address, whatever the operation; the route's name tells which that is."""
    request, attempt = both(route="soap", method=b"GET")
    assert (request.name, attempt.name) == ("GET /Rents.asmx", "POST")


def test_a_method_that_nobody_knows_has_no_name_of_its_own() -> None:
    """Else a client could make up series without end."""
    request, _ = both(method=b"BREW")
    assert (request.name, attribute(request, "http.request.method")) == ("HTTP /repairs/{id}/**", "_OTHER")


# ------------------------------------------------------------------------------------------------ who is whose parent


def test_spans_are_linked() -> None:
    """The attempt is the request's, the request the client's, who is remote."""
    request, attempt = both()
    assert request.context is not None
    assert attempt.context is not None
    assert request.parent is not None
    assert attempt.parent is not None
    assert {span.trace_id for span in (request.context, request.parent, attempt.context, attempt.parent)} == {
        int(TRACE, 16)
    }
    assert (request.parent.span_id, request.parent.is_remote) == (int(PARENT, 16), True)
    assert (attempt.parent.span_id, attempt.parent.is_remote) == (request.context.span_id, False)
    assert (attempt.context.span_id, request.context.span_id) == (int(FIRST, 16), int(above(FIRST), 16))


def test_a_trace_that_began_here_has_no_parent() -> None:
    """There is nobody before us."""
    request, _ = both(trace=TRACE + b"0" * 16 + FIRST)
    assert request.parent is None


def test_a_second_attempt_begins_where_the_first_failed() -> None:
    """The first tells nothing of the request yet; of both the request is the same."""
    spans = Spans(Resource({}), Estate(GATEWAY, BACKENDS, ROUTES, "d"))
    (first,) = spans.of(observed(trace=TRACED + b"+", at=1_000.0, duration=0.25, outcome="timeout", status=0))
    second, request = spans.of(observed(trace=TRACED + SECOND, at=1_000.0, duration=1.0, role="fallback"))
    assert second.parent == first.parent
    assert (first.start_time, first.end_time) == (1_000 * 10**9, 1_000_250_000_000)
    assert (second.start_time, second.end_time) == (1_000_250_000_000, 1_001 * 10**9)
    assert (request.start_time, request.end_time) == (1_000 * 10**9, 1_001 * 10**9)
    (later, _) = spans.of(observed(trace=TRACED + SECOND, at=1_000.0))
    assert later.start_time == 1_000 * 10**9


def test_a_copy_begins_when_it_was_sent() -> None:
    """It follows nothing, and nothing follows it."""
    spans = Spans(Resource({}), Estate(GATEWAY, BACKENDS, ROUTES, "d"))
    for role in ("shadow", "probe"):
        (copy,) = spans.of(observed(trace=TRACED + SECOND + b"+", role=role, at=1_000.0, duration=1.0))
        assert (copy.kind, copy.start_time) == (SpanKind.CLIENT, 1_000 * 10**9)


def test_ends_that_never_come_are_not_waited_for_for_ever() -> None:
    """They are forgotten, the oldest first."""
    spans = Spans(Resource({}), Estate(GATEWAY, BACKENDS, ROUTES, "d"))
    for number in range(10_001):
        list(spans.of(observed(trace=b"%032x" % number + PARENT + FIRST + b"+", at=1.0, duration=1.0)))
    starts = [
        next(spans.of(observed(trace=b"%032x" % number + PARENT + FIRST, at=1.0))).start_time for number in (0, 1)
    ]
    assert starts == [10**9, 2 * 10**9]


# ------------------------------------------------------------------------------------------------ what became of it


@pytest.mark.parametrize(
    ("fields", "request_failed", "attempt_failed", "error"),
    [
        ({"status": 200}, False, False, (None, None)),
        ({"status": 404}, False, True, (None, "404")),
        ({"status": 500, "outcome": "backend_error"}, True, True, ("500", "500")),
        ({"status": 504, "outcome": "timeout", "error": "timeout"}, True, True, ("timeout", "timeout")),
        ({"status": 200, "error": "answer_truncated"}, True, True, ("answer_truncated", "answer_truncated")),
        ({"status": 0, "error": "client_gone"}, False, False, ("client_gone", "client_gone")),
        ({"status": 413, "error": "refused", "acted": "maybe"}, False, True, (None, "refused")),
    ],
)
def test_what_failed_is_told(
    fields: dict[str, Any], request_failed: bool, attempt_failed: bool, error: tuple[str | None, str | None]
) -> None:
    """To a client every 4xx is a failure, to a server none; a client that leaves is nobody's."""
    request, attempt = both(**fields)
    assert (failed(request), failed(attempt)) == (request_failed, attempt_failed)
    assert (attribute(request, "error.type"), attribute(attempt, "error.type")) == error


@pytest.mark.parametrize(
    ("fields", "statuses"),
    [
        ({"status": 404}, (404, 404)),
        ({"status": 502, "error": "connect_failed"}, (502, None)),
        ({"status": 0, "error": "client_gone"}, (None, None)),
    ],
)
def test_a_status_is_that_of_who_gave_it(fields: dict[str, Any], statuses: tuple[int | None, int | None]) -> None:
    """A 502 is the gateway's own: the backend has not said anything."""
    request, attempt = both(**fields)
    found = attribute(request, "http.response.status_code"), attribute(attempt, "http.response.status_code")
    assert found == statuses


@pytest.mark.parametrize(
    "fields",
    [
        {"backend": "", "side": "", "status": 404, "outcome": "refused", "acted": "no"},
        {"role": "cached"},
        {"outcome": "refused", "acted": "no", "error": "breaker_open", "status": 503},
    ],
)
def test_without_a_call_there_is_no_attempt(fields: dict[str, Any]) -> None:
    """The gateway answered by itself, out of what it kept, or let nothing through."""
    (request,) = spans_of(**fields)
    assert request.kind is SpanKind.SERVER


def test_times_within_an_attempt_are_told() -> None:
    """Seconds, as far as it came."""
    _, attempt = both(connect=0.002, first_byte=0.01)
    assert (attribute(attempt, "banyan.connect"), attribute(attempt, "banyan.first_byte")) == (0.002, 0.01)
    _, cut = both(connect=-1.0, first_byte=-1.0)
    assert (attribute(cut, "banyan.connect"), attribute(cut, "banyan.first_byte")) == (None, None)


# ------------------------------------------------------------------------------------------------ where


@pytest.mark.parametrize(
    ("backend", "where"),
    [
        ("old", ("old.internal", 8080, "https")),
        ("socket", ("/run/old.sock", None, None)),
        ("many", (None, None, None)),
        ("gone", (None, None, None)),
    ],
)
def test_a_backend_s_address_is_told(backend: str, where: tuple[object, ...]) -> None:
    """Where it is one: which of several was asked is not known here."""
    _, attempt = both(backend=backend)
    assert tuple(attribute(attempt, name) for name in ("server.address", "server.port", "url.scheme")) == where


@pytest.mark.parametrize(
    ("gateway", "where"),
    [
        (Gateway(), ("http", None, None)),
        (Gateway(tls=ListenerTls("c", "k")), ("https", None, None)),
        (Gateway(public_url="https://api.example"), ("https", "api.example", 443)),
        (Gateway(public_url="http://api.example:8080"), ("http", "api.example", 8080)),
    ],
)
def test_the_gateway_s_own_address_is_the_public_one(gateway: Gateway, where: tuple[object, ...]) -> None:
    """As far as the configuration tells it: Host is the client's word."""
    request, _ = both(gateway)
    assert tuple(attribute(request, name) for name in ("url.scheme", "server.address", "server.port")) == where


def test_another_table_is_another_template() -> None:
    """What was made of the old one is not told any more."""
    spans = Spans(Resource({}), Estate(GATEWAY, BACKENDS, ROUTES, "d"))
    before = [span.name for span in spans.of(observed(trace=TRACED))]
    spans.follow(Estate(GATEWAY, BACKENDS, (route("GET /jobs", name="repairs", legacy=Target("old")),), "e"))
    after = [span.name for span in spans.of(observed(trace=TRACED))]
    assert (before[-1], after[-1]) == ("GET /repairs/{id}/**", "GET /jobs")


def test_ways_are_bounded() -> None:
    """Statuses and errors that backends make up cannot fill the memory."""
    spans = Spans(Resource({}), Estate(GATEWAY, BACKENDS, ROUTES, "d"))
    for number in range(10_001):
        list(spans.of(observed(trace=TRACED, error=str(number))))
    assert len(spans._ways) == 1
