"""The page of a route tells of each guard what it needs, what there is, and whether that is enough."""

from datetime import UTC
from typing import Any

import pytest

from gateway.admin.pages.route import Guard, guards_of
from gateway.admin.pages.wording import NOT_MEASURED, Clock

CLOCK = Clock(UTC, 1_000_000.0)
SINCE = "1970-01-12T13:06:40+00:00"  # 40 minutes before


def ramp(*missing: str, since: str | None = SINCE, **evidence: Any) -> dict[str, Any]:
    """What the API says of a ramp, with a sentence for each guard that is missing."""
    seen = {
        "parity": {"needed": 0.99, "rate": 0.98, "low": 0.97, "high": 0.985, "of": 2_000, "count": 1_960},
        "errors": {"allowed": 0.01, "low": -0.01, "high": 0.02},
        "latency": {"allowed": 1.5, "percentile": "p95", "ratio": 1.25, "low": 0.9, "high": None},
        "samples": {"needed": 500},
        "shapes": {"a list": 1_200, "an object": 3},
        "new": {"attempts": 200, "errors": 1},
        "legacy": {"attempts": 200, "errors": 3},
        **evidence,
    }
    return {"since": since, "missing": [{"guard": each, "sentence": f"{each}!"} for each in missing], "evidence": seen}


def test_every_guard_has_its_line() -> None:
    """With its need, its figure and where that lies; all are met where nothing is missing."""
    assert list(guards_of(ramp(), CLOCK)) == [
        Guard("Parity", "at least 99.00%", "98.00%", "97.00% to 98.50%, 40 of 2,000 differ", True),
        Guard("Errors", "legacy +1 points at most", "−1.00 points", "−1.00 to +2.00 points", True),
        Guard("95% answered within", "1.5 times legacy at most", "1.25×", "at least 0.90×", True),
        Guard("Samples", "at least 500", "2,000", "", True),
        Guard("Coverage", "answers with content, to different requests", "2", "1,200 × a list, 3 × an object", True),
        Guard("Time", "as long as the stage lasts at least", "40 min", "", True),
    ]


@pytest.mark.parametrize(
    ("missing", "name"),
    [
        ("parity", "Parity"),
        ("errors", "Errors"),
        ("latency", "95% answered within"),
        ("samples", "Samples"),
        ("coverage", "Coverage"),
        ("variety", "Coverage"),
        ("passed_over", "Coverage"),
        ("every", "Time"),
        ("only", "Time"),
        ("state", "Time"),
        ("approval", "Approval"),
    ],
)
def test_what_is_missing_stands_at_its_guard(missing: str, name: str) -> None:
    """And at no other."""
    lacking = {each.name: each.missing for each in guards_of(ramp(missing), CLOCK) if not each.met}
    assert lacking == {name: f"{missing}!"}


def test_all_that_is_missing_is_told() -> None:
    """Several reasons at one guard are all told."""
    (coverage,) = (each for each in guards_of(ramp("variety", "coverage"), CLOCK) if each.name == "Coverage")
    assert coverage.missing == "coverage!; variety!"


def test_a_guard_that_is_off_has_no_line() -> None:
    """A route need not ask for parity, errors or latency, and a ramp that has not begun has lasted no time."""
    off = {"parity": {"needed": None, "of": 7}, "errors": {"allowed": None}, "latency": {"allowed": None}}
    assert [each.name for each in guards_of(ramp(since=None, **off), CLOCK)] == ["Samples", "Coverage"]


def test_what_nobody_measured_is_no_nought() -> None:
    """Without an attempt there is no rate, and without a ratio none is told."""
    empty = {"attempts": 0, "errors": 0}
    latency = {"allowed": 1.5, "percentile": "p95", "ratio": None, "low": None, "high": None}
    lines = {each.name: each for each in guards_of(ramp("errors", "latency", new=empty, latency=latency), CLOCK)}
    assert lines["Errors"].now == NOT_MEASURED
    assert lines["95% answered within"] == Guard(
        "95% answered within", "1.5 times legacy at most", NOT_MEASURED, "", False, "latency!"
    )
