"""Dates and times without a zone, as they are where their system stands."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.plan import Simple
from connectors.soap.simple import Unfit, codec

LONDON = codec(Simple("dateTime", "dateTime", form="Europe/London"))
AUCKLAND = codec(Simple("dateTime", "dateTime", form="Pacific/Auckland"))


@pytest.mark.parametrize(
    ("local", "known"),
    [
        ("2026-07-01T10:00:00", "2026-07-01T10:00:00+01:00"),
        ("2026-01-01T10:00:00", "2026-01-01T10:00:00Z"),
        ("2026-01-01T10:00:00.1234567", "2026-01-01T10:00:00.1234567Z"),
        ("2026-06-30T24:00:00", "2026-07-01T00:00:00+01:00"),
        ("2026-10-25T01:30:00", "2026-10-25T01:30:00+01:00"),
        ("2026-07-01T10:00:00Z", "2026-07-01T10:00:00Z"),
        ("2026-07-01T10:00:00-05:00", "2026-07-01T10:00:00-05:00"),
        ("1840-01-01T00:00:00", "1840-01-01T00:00:00"),
        ("9999-12-31T24:00:00", "9999-12-31T24:00:00"),
        ("12026-01-01T00:00:00", "12026-01-01T00:00:00"),
        (" 2026-07-01T10:00:00 ", "2026-07-01T10:00:00+01:00"),
    ],
)
def test_a_local_time_gets_its_offset(local: str, known: str) -> None:
    """Summer and winter, fractions and midnight; what has a zone keeps it, and what no zone has stays as it is."""
    assert LONDON.decode(local) == known


@pytest.mark.parametrize(
    ("given", "local"),
    [
        ("2026-07-01T10:00:00Z", "2026-07-01T11:00:00"),
        ("2026-07-01T10:00:00.25+05:30", "2026-07-01T05:30:00.25"),
        ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00"),
        ("2026-10-25T01:30:00Z", "2026-10-25T01:30:00"),
        ("2026-07-01T10:00:00", "2026-07-01T10:00:00"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_time_is_written_as_the_clock_there_shows_it(given: str, local: str) -> None:
    """Both times that a clock shows twice are written alike; one without a zone is taken for local."""
    assert LONDON.encode(given) == local


@pytest.mark.parametrize("wrong", ["soon", "2026-02-30T10:00:00Z", "2026-02-30T10:00:00", 7, None])
def test_what_is_no_time_is_refused(wrong: object) -> None:
    """The type judges, as it does without a zone."""
    with pytest.raises(Unfit):
        LONDON.encode(wrong)  # type: ignore[arg-type]


def test_what_is_no_time_is_not_read() -> None:
    """Nor is a reply's."""
    with pytest.raises(Unfit):
        LONDON.decode("2026-02-30T10:00:00")


@given(st.integers(min_value=-(2**29), max_value=2**32))
def test_a_local_time_comes_back_as_it_was(second: int) -> None:
    """There and back; the hour in spring that no clock shows comes back as the one that follows, the same instant."""
    text = datetime.fromtimestamp(second, UTC).replace(tzinfo=None).isoformat()
    known = str(AUCKLAND.decode(text))
    assert known.startswith(text)
    back = AUCKLAND.encode(known)
    again = str(AUCKLAND.decode(back))
    assert back == text or datetime.fromisoformat(again) == datetime.fromisoformat(known)
