"""Figures are told so that nobody is misled by a rounding, and times in the viewer's zone."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admin.pages import wording
from gateway.admin.pages.wording import Clock, area_of, percentile, zone_of
from gateway.telemetry.metrics import BOUNDS

NOW = 1_764_412_926.0  # 29 November 2025, 10:42:06 UTC


@given(st.floats(0, 1))
def test_a_share_is_whole_only_where_it_is(part: float) -> None:
    """What is not all is not told as 100%, and what is something never as 0%."""
    told = str(wording.share(part))
    assert (told == "100%") == (part == 1)
    assert (told == "0%") == (part == 0)


@given(st.floats(0, 1), st.integers(0, 10_000))
def test_a_guard_never_looks_met_when_it_is_not(rate: float, needed: int) -> None:
    """A parity below what is needed is told as less than it, errors above what is allowed as more."""
    bound = needed / 10_000
    if rate < bound - 1e-9:
        assert float(str(wording.percent(rate))[:-1]) < bound * 100
    if rate > bound + 1e-9:
        assert float(str(wording.errors(rate))[:-1]) > bound * 100


def test_what_was_not_measured_is_a_dash() -> None:
    """And is spoken as what it is; nought was measured."""
    for told in (wording.count, wording.share, wording.percent, wording.errors, wording.seconds):
        assert "not measured" in str(told(None))
    assert (wording.count(0), wording.errors(0)) == ("0", "0.00%")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.142, "142 ms"),
        (1.34, "1.3 s"),
        (47 * 60, "47 min"),
        (3 * 3600 + 35 * 60, "3 h 35 min"),
        (3 * 86_400, "3 days"),
    ],
)
def test_times_are_told_as_people_say_them(value: float, told: str) -> None:
    """With one unit, or two."""
    assert wording.seconds(value) == told


def test_a_clock_tells_the_viewers_time() -> None:
    """Today by the hour, other days with the day; the zone is named."""
    clock = Clock(ZoneInfo("Europe/London"), NOW)
    assert (clock.brief(NOW), clock.brief(NOW - 86_400)) == ("10:42", "28 Nov 10:42")
    assert (clock.exact(NOW), clock.zone_name) == ("10:42:06 GMT", "GMT (Europe/London)")
    assert Clock(ZoneInfo("Asia/Kolkata"), NOW).time(NOW) == "16:12"
    assert clock.ago(NOW - 17 * 60) == "17 min ago"


@pytest.mark.parametrize("name", [None, "", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "x" * 100])
def test_a_zone_that_is_none_is_the_usual_one(name: str | None) -> None:
    """A cookie may say anything."""
    usual = ZoneInfo("UTC")
    assert zone_of(name, usual) is usual
    assert str(zone_of("Europe/London", usual)) == "Europe/London"


@given(st.lists(st.integers(0, 50), min_size=len(BOUNDS) + 1, max_size=len(BOUNDS) + 1))
def test_a_percentile_lies_between_its_bounds(counts: list[int]) -> None:
    """The bucket in which the 95th of a hundred is, tells between what; without any there is none."""
    found = percentile(counts)
    if not sum(counts):
        assert found is None
        return
    assert found is not None
    below = 0
    for at, counted in enumerate(counts):
        if counted and below + counted >= 0.95 * sum(counts):
            assert found <= (BOUNDS[at] if at < len(BOUNDS) else BOUNDS[-1]) + 1e-9
            assert at == 0 or found >= BOUNDS[at - 1] - 1e-9
            return
        below += counted


@pytest.mark.parametrize(
    ("pattern", "area"),
    [
        ("GET /council-tax/accounts/{ref}", "Council tax"),
        ("ANY /housing/**", "Housing"),
        ("SOAP /services/Rents.asmx#GetBalance", "Services"),
        ("ANY /**", "All paths"),
        ("GET /{tenant}/x", "All paths"),
        ("GET /", "All paths"),
    ],
)
def test_an_area_is_the_first_part_of_the_path(pattern: str, area: str) -> None:
    """As a person would say it."""
    assert area_of(pattern) == area
