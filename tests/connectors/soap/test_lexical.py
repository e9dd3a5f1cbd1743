"""What dates, times and names look like, and which moment comes first."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.fitting import Unfit
from connectors.soap.lexical import SHAPES, moment_of, month_length, shaped

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
SECONDS = st.integers(-(2**31), 2**32) | st.floats(0, 2**32)
TIMES = st.builds(datetime.fromtimestamp, SECONDS, ZONES)


@given(TIMES, TIMES)
def test_moments_are_compared_as_python_compares_them(one: datetime, other: datetime) -> None:
    """Whatever their zones, and down to the fraction of a second."""
    moment = moment_of("dateTime")
    found = moment(one.isoformat()), moment(other.isoformat())
    assert (found[0] < found[1], found[0] == found[1]) == (one < other, one == other)


@given(TIMES)
def test_a_date_and_time_that_is_one_has_the_form(one: datetime) -> None:
    """With its zone and without."""
    fits, _ = SHAPES["dateTime"]
    assert fits(one.isoformat())
    assert fits(one.replace(tzinfo=None).isoformat())


@pytest.mark.parametrize(
    ("year", "month", "days"),
    [(2023, 2, 28), (2024, 2, 29), (1900, 2, 28), (2000, 2, 29), (2024, 4, 30), (2024, 12, 31)],
)
def test_months_have_their_length(year: int, month: int, days: int) -> None:
    """Centuries are leap years only every fourth time."""
    assert month_length(year, month) == days


def test_a_shape_forgives_the_space_around() -> None:
    """The space goes; a text that has not the form even then is refused in words that show the form."""
    tidy = shaped(*SHAPES["date"])
    assert tidy(" 2024-02-29\n") == "2024-02-29"
    with pytest.raises(Unfit, match="is not a date"):
        tidy("2023-02-29")
