"""Which requests are traced, and the ids of their spans (W3C Trace Context).

A traced request is one span of the gateway's own, and one for each attempt on a backend, which is the parent that this
backend is told of. All of it is settled when the request's head has come, and travels in the observation's `trace`:
whoever makes spans of it afterwards is told what is traced and under which ids, and need not decide it again.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from gateway.core.forwarding import Ids, ids_of
from gateway.core.model import BUCKETS, Observed, Request
from gateway.core.policies import Otlp

Identify = Callable[[Request, tuple[bytes, bytes]], Ids]
"""Gives a request its ids, as `ids_of` does: out of 32 and 16 random hexadecimal digits."""

TRACE_DIGITS, SPAN_DIGITS = 32, 16
UNFINISHED = b"+"
_NO_PARENT = b"0" * SPAN_DIGITS
_EVERY_CHANCE = 16**14
_SAMPLED = b"13579bdf"
"""Digits with the lowest bit set: with it the last one of trace-flags says that a trace is recorded."""
_COMPLEMENT = bytes.maketrans(b"0123456789abcdef", b"fedcba9876543210")


def identify(otlp: Otlp | None) -> Identify:
    """What gives requests their ids: as ever where nothing is traced."""
    if otlp is None or otlp.traces is None:
        return ids_of
    return partial(_ids_of_traced, least_of(otlp.traces))


def least_of(share: int) -> bytes:
    """What the last 14 digits of a trace's id must be at least, so that this part of BUCKETS is recorded.

    Whoever else samples the same share by the trace's id chooses the same traces (OpenTelemetry, probability sampling).
    """
    if share <= 0:
        return b"g"  # no digit is as large
    return b"%014x" % ((BUCKETS - share) * _EVERY_CHANCE // BUCKETS)


def _ids_of_traced(least: bytes, request: Request, fresh: tuple[bytes, bytes]) -> Ids:
    """A trace that a client brought is recorded if the client says so; of the others a part is."""
    ids = request_id, trace_id, lines = ids_of(request, fresh)
    if not request.reserved and trace_id[18:] < least:  # most requests: so much can be told at once
        return ids
    parent, flags, span = lines[-21:-5], lines[-4:-2], fresh[1]  # the lines end with them
    if parent == span:
        if trace_id[18:] < least:
            return ids
        parent, flags = _NO_PARENT, b"01"
    elif flags[1] not in _SAMPLED:
        return ids
    return request_id, trace_id + parent + span, b"%b%b-%b\r\n" % (lines[:-21], span, flags)


# ------------------------------------------------------------------------------------------------ more attempts


def unfinished(observed: Observed) -> Observed:
    """An attempt after which others of the same request follow: of the request itself nothing is known yet."""
    trace = observed[17]
    if len(trace) <= TRACE_DIGITS:
        return observed
    return (*observed[:17], trace + UNFINISHED, *observed[18:])


def again(ids: Ids, span: bytes) -> Ids:
    """The ids with which a traced request is sent to another backend: a new span under the same request's."""
    request_id, trace, lines = ids
    if len(trace) <= TRACE_DIGITS:
        return ids
    return request_id, trace[: TRACE_DIGITS + 2 * SPAN_DIGITS] + span, lines[:-21] + span + lines[-5:]


def belated(lines: bytes, trace: bytes) -> bytes:
    """The lines of a traced request for whoever is sent it later, when there is no attempt any more to belong to."""
    traced = traced_of(trace)
    return lines if traced is None else lines[:-21] + traced.request + lines[-5:]


def of_copy(otlp: Otlp | None, lines: bytes, span: bytes) -> tuple[bytes, bytes]:
    """The lines that a copy of a request goes with, and the trace of its observation, b"" where it is not traced.

    It is one more attempt of the request that it is a copy of, whose first one stands in the lines.
    """
    if otlp is None or otlp.traces is None or lines[-3] not in _SAMPLED:
        return lines, b""
    trace, first = lines[-54:-22], lines[-21:-5]
    return lines[:-21] + span + lines[-5:], trace + _NO_PARENT + first + span + UNFINISHED


# ------------------------------------------------------------------------------------------------ what is traced


class Traced(NamedTuple):
    """The ids of an attempt and of its request, as hexadecimal digits; `parent` is the client's span, b"" where there
    is none. `finished` tells that the request ended with it."""

    trace: bytes
    parent: bytes
    request: bytes
    attempt: bytes
    finished: bool


def traced_of(trace: bytes) -> Traced | None:
    """What an observation's `trace` says; None where nothing is to be recorded."""
    if len(trace) <= TRACE_DIGITS:
        return None
    digits = trace.removesuffix(UNFINISHED)
    parent, first, attempt = digits[32:48], digits[48:64], digits[-SPAN_DIGITS:]
    given = b"" if parent == _NO_PARENT else parent
    return Traced(digits[:TRACE_DIGITS], given, above(first), attempt, digits is trace)


def above(first: bytes) -> bytes:
    """A request's own span, by that of its first attempt: neither has to be drawn nor carried besides the other."""
    return first.translate(_COMPLEMENT)
