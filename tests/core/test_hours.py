"""Office hours are those on the office's own clock, on the two odd days of the year as well."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.hours import is_open
from gateway.core.policies import Hours

OFFICE = Hours(begin=9 * 60, end=17 * 60, timezone="Europe/London")
NIGHT = Hours(days=(4,), begin=22 * 60, end=6 * 60, timezone="Europe/London")


def at(text: str, timezone: str = "Europe/London") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone)).timestamp()


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_without_hours_it_is_always_open() -> None:
    """A ramp without `only` goes on at any time."""
    assert is_open(None, 0.0)


def test_from_the_first_minute_to_before_the_last() -> None:
    """From 09:00 until before 17:00, Monday to Friday."""
    assert not is_open(OFFICE, at("2026-01-05 08:59:59"))
    assert is_open(OFFICE, at("2026-01-05 09:00:00"))
    assert is_open(OFFICE, at("2026-01-09 16:59:59"))
    assert not is_open(OFFICE, at("2026-01-09 17:00:00"))
    assert not is_open(OFFICE, at("2026-01-10 12:00:00"))


def test_the_clock_is_the_offices() -> None:
    """In summer London's nine o'clock is eight in UTC; in Tokyo it is already evening."""
    assert is_open(OFFICE, utc("2026-07-06 08:00:00"))
    assert not is_open(OFFICE, utc("2026-07-06 16:00:00"))
    assert not is_open(OFFICE._replace(timezone="Asia/Tokyo"), utc("2026-07-06 08:00:00"))


def test_when_clocks_change() -> None:
    """The hour that comes twice is open twice, and the one that is missing does not shift what follows."""
    early = Hours(days=(6,), begin=60, end=120, timezone="Europe/London")
    assert is_open(early, utc("2026-10-25 00:30:00"))
    assert is_open(early, utc("2026-10-25 01:30:00"))
    assert not is_open(early, utc("2026-10-25 02:00:00"))
    assert not is_open(early, utc("2026-03-29 00:59:59"))
    assert not is_open(early, utc("2026-03-29 01:00:00"))


def test_hours_past_midnight_belong_to_the_day_they_begin() -> None:
    """Friday from 22:00 to 06:00 ends on Saturday morning, and nothing is open on Friday morning."""
    assert is_open(NIGHT, at("2026-01-09 22:00"))
    assert is_open(NIGHT, at("2026-01-10 05:59"))
    assert not is_open(NIGHT, at("2026-01-10 06:00"))
    assert not is_open(NIGHT, at("2026-01-09 05:00"))
    assert not is_open(NIGHT, at("2026-01-10 23:00"))


@given(st.floats(0, 4e9), st.integers(0, 1_439))
def test_the_whole_week_is_open_all_the_time(instant: float, begin: int) -> None:
    """Every day around the clock leaves no second out, wherever the day is cut."""
    every_day = Hours(days=tuple(range(7)), begin=begin, end=begin, timezone="Europe/London")
    assert is_open(every_day, instant)
    assert is_open(every_day._replace(begin=0, end=1_440), instant)
