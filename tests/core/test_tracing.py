"""What is traced is told on the wire and in the observation alike, and nothing else changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.forwarding import ids_of
from gateway.core.model import BUCKETS
from gateway.core.policies import Otlp
from gateway.core.tracing import above, again, belated, identify, least_of, of_copy, traced_of, unfinished
from tests.support.observations import observed
from tests.support.values import request

TRACE, PARENT, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "1" * 15 + "2"
OWN = "e" * 15 + "d"
FRESH = TRACE[::-1].encode(), SPAN.encode()
ALL, NONE = Otlp("http://collector", traces=BUCKETS), Otlp("http://collector", traces=0)
BROUGHT = request("GET /", f"traceparent: 00-{TRACE}-{PARENT}-01")
HEX = st.text("0123456789abcdef", min_size=16, max_size=16).filter(lambda text: set(text) - {"0"})


def traceparent(lines: bytes) -> str:
    """The last of the lines."""
    name, _, value = lines.decode().removesuffix("\r\n").rpartition("\r\n")[2].partition(": ")
    assert name == "traceparent"
    return value


# ------------------------------------------------------------------------------------------------ what is traced


@pytest.mark.parametrize("otlp", [None, Otlp("http://collector", traces=None)])
def test_without_traces_nothing_changes(otlp: Otlp | None) -> None:
    """A trace that a client brought passes as it came: a span that nobody sees would cut it in two."""
    assert identify(otlp) is ids_of


def test_a_client_s_trace_is_continued() -> None:
    """The backend's parent is the attempt, the attempt's the request, and the request's the client's span."""
    request_id, trace, lines = identify(NONE)(BROUGHT, FRESH)
    assert (request_id, traceparent(lines)) == (FRESH[0], f"00-{TRACE}-{SPAN}-01")
    traced = traced_of(trace)
    assert traced is not None
    assert [each.decode() for each in traced[:4]] == [TRACE, PARENT, OWN, SPAN]
    assert traced.finished


def test_a_client_s_request_id_and_flags_go_on() -> None:
    """Only the parent is another: flags that mean nothing here may mean something to others."""
    brought = request("GET /", "X-Request-ID: order/42", f"traceparent: 00-{TRACE}-{PARENT}-03")
    request_id, trace, lines = identify(NONE)(brought, FRESH)
    assert (request_id, lines[:25]) == (b"order/42", b"X-Request-ID: order/42\r\nt")
    assert (trace[:32].decode(), traceparent(lines)) == (TRACE, f"00-{TRACE}-{SPAN}-03")


def test_a_trace_that_is_not_recorded_passes_as_it_came() -> None:
    """The client has decided, for all who take part."""
    unrecorded = request("GET /", f"traceparent: 00-{TRACE}-{PARENT}-00")
    assert identify(ALL)(unrecorded, FRESH) == ids_of(unrecorded, FRESH)


def test_a_trace_begins_here_where_the_client_brings_none() -> None:
    """It has no parent, and the backend is told that it is recorded."""
    _, trace, lines = identify(ALL)(request(), FRESH)
    traced = traced_of(trace)
    assert traced is not None
    assert (traced.trace, traced.parent, traced.attempt) == (FRESH[0], b"", FRESH[1])
    assert traceparent(lines) == f"00-{FRESH[0].decode()}-{SPAN}-01"


def test_of_no_share_none_begins() -> None:
    """Whatever its id, and as if there were no traces at all."""
    most = b"f" * 32, FRESH[1]
    for asked in (request(), request("GET /", "X-Request-ID: order/42")):
        assert identify(NONE)(asked, most) == ids_of(asked, most)
        assert traced_of(identify(NONE)(asked, most)[1]) is None


@pytest.mark.parametrize(
    ("share", "least"), [(BUCKETS, b"0" * 14), (2_500, b"c" + b"0" * 13), (1, b"fff972474538ef"), (0, b"g")]
)
def test_a_share_goes_by_the_trace_s_id(share: int, least: bytes) -> None:
    """By its last 56 bits, as OpenTelemetry has it: 25 % are those that begin with c, d, e or f."""
    assert least_of(share) == least
    decided = identify(Otlp("http://collector", traces=share))
    for digits, recorded in ((least, True), (b"%014x" % (int(least, 16) - 1), False)) if 0 < share < BUCKETS else ():
        _, trace, _ = decided(request(), (b"0" * 18 + digits, FRESH[1]))
        assert (traced_of(trace) is not None) is recorded


# ------------------------------------------------------------------------------------------------ several attempts


def test_another_attempt_is_another_span_of_the_same_request() -> None:
    """What the second backend is told is the second attempt; the request's own span stays."""
    first = identify(ALL)(BROUGHT, FRESH)
    second = again(first, b"3" * 16)
    traced = traced_of(second[1])
    assert traced is not None
    assert [each.decode() for each in traced[:4]] == [TRACE, PARENT, OWN, "3" * 16]
    assert (second[0], traceparent(second[2])) == (first[0], f"00-{TRACE}-{'3' * 16}-01")


def test_an_attempt_that_others_follow_does_not_end_its_request() -> None:
    """It tells of itself, and everything else of it is as it was."""
    seen = observed(trace=identify(ALL)(BROUGHT, FRESH)[1])
    marked = unfinished(tuple(seen))
    before, after = traced_of(seen.trace), traced_of(marked[17])
    assert before is not None
    assert after == before._replace(finished=False)
    assert (*marked[:17], *marked[18:]) == (*seen[:17], *seen[18:])


def test_what_is_sent_later_belongs_to_the_request() -> None:
    """When a write is delivered no attempt is under way any more that it could be part of."""
    _, trace, lines = identify(ALL)(BROUGHT, FRESH)
    assert traceparent(belated(lines, trace)) == f"00-{TRACE}-{OWN}-01"


def test_a_copy_is_one_more_attempt() -> None:
    """Of the request that it is a copy of, of which it tells nothing else."""
    _, trace, lines = identify(ALL)(BROUGHT, FRESH)
    sent, told = of_copy(ALL, b"Via: x\r\n" + lines, b"3" * 16)
    assert (sent[:8], traceparent(sent)) == (b"Via: x\r\n", f"00-{TRACE}-{'3' * 16}-01")
    first, copy = traced_of(trace), traced_of(told)
    assert first is not None
    assert copy == first._replace(parent=b"", attempt=b"3" * 16, finished=False)


@pytest.mark.parametrize("otlp", [None, Otlp("http://collector", traces=None)])
def test_a_copy_goes_as_the_request_went_where_nothing_is_traced(otlp: Otlp | None) -> None:
    """A client's trace is not the gateway's to tell of then, and one that is not recorded never is."""
    lines = ids_of(BROUGHT, FRESH)[2]
    assert of_copy(otlp, lines, b"3" * 16) == (lines, b"")
    unrecorded = ids_of(request(), FRESH)[2]
    assert of_copy(ALL, unrecorded, b"3" * 16) == (unrecorded, b"")


def test_what_is_not_traced_is_left_alone() -> None:
    """In every one of these."""
    ids, seen = ids_of(BROUGHT, FRESH), tuple(observed())
    assert again(ids, b"3" * 16) == ids
    assert unfinished(seen) is seen
    assert belated(ids[2], ids[1]) == ids[2]


@given(HEX)
def test_a_request_s_span_is_never_its_attempt_s(first: str) -> None:
    """Each is known by the other."""
    own = above(first.encode())
    assert own != first.encode()
    assert above(own) == first.encode()
