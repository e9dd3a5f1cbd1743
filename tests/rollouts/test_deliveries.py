"""When a delivery has succeeded, and when it is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rollouts.deliveries import (
    DELAYS,
    LONGEST_WAIT,
    Attempt,
    judged,
    seconds_asked,
    seconds_to_wait,
)

NEW_YEAR = 1_767_225_600.0


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success(status: int) -> None:
    """Any 2xx says that the receiver has it, whatever else it says."""
    assert judged(status, "60", NEW_YEAR) == Attempt(status)


@pytest.mark.parametrize("status", [199, 301, 302, 307, 400, 404, 410, 429, 500, 503])
def test_failure(status: int) -> None:
    """Redirects, refusals and errors are failures, and the pause that the receiver asks for is kept in mind."""
    assert judged(status, "60", NEW_YEAR) == Attempt(status, f"the receiver answered {status}", 60.0)


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        ("", 0.0),
        ("0", 0.0),
        ("120", 120.0),
        ("Thu, 01 Jan 2026 00:01:30 GMT", 90.0),
        ("Thu, 01 Jan 2026 00:01:30 -0000", 90.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("١٢", 0.0),
    ],
)
def test_retry_after(field: str, seconds: float) -> None:
    """A number of seconds or a date; a date gone by, or what is neither, asks for nothing."""
    assert seconds_asked(field, NEW_YEAR) == seconds


@given(st.text())
def test_any_retry_after_can_be_judged(field: str) -> None:
    """Whatever a receiver writes there, an attempt is judged."""
    assert seconds_asked(field, NEW_YEAR) >= 0.0


@pytest.mark.parametrize(
    ("attempts", "retry_after", "draw", "seconds"),
    [
        (1, 0.0, 0.0, 5.0),
        (2, 0.0, 0.5, 330.0),
        (9, 0.0, 0.0, 86_400.0),
        (10, 0.0, 0.0, 86_400.0),
        (1, 60.0, 0.0, 60.0),
        (2, 60.0, 0.0, 300.0),
        (1, 1e9, 1.0, LONGEST_WAIT),
    ],
)
def test_waits(attempts: int, retry_after: float, draw: float, seconds: float) -> None:
    """The plan and a little chance; Retry-After makes a wait longer, up to a day, and never shorter."""
    assert seconds_to_wait(attempts, retry_after, draw) == seconds


def test_the_plan_lasts_three_days() -> None:
    """A receiver that is away over a weekend still gets its events."""
    assert sum(DELAYS) == pytest.approx(75 * 3_600 + 35 * 60 + 5)
