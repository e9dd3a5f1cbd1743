"""Values that tests need whole, though they are about one of their fields."""

from typing import Any

from gateway.core.model import Observation

ORDINARY = Observation(
    at=1_800_000_000.25,
    route="repairs",
    side="legacy",
    role="live",
    backend="old",
    outcome="ok",
    acted="yes",
    method=b"GET",
    status=200,
    error="",
    bytes_in=0,
    bytes_out=250,
    connect=0.0,
    first_byte=0.0102,
    duration=0.0123,
    revision=3,
    request_id=b"request-1",
    trace=b"4bf92f3577b34da6a3ce929d0e0e4736",
    path=b"/repairs/17",
)


def observed(**fields: Any) -> Observation:
    """An ordinary request, except for these fields."""
    return ORDINARY._replace(**fields)
