"""A window is where the clock on the backend's wall says, whatever that clock does meanwhile."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.maintenance import closed_until
from gateway.core.policies import Closed, Maintenance

LONDON = "Europe/London"
NIGHT = Closed(60, 180)
"""01:00 to 03:00."""
LATE = Closed(1_410, 30)
"""23:30 to 00:30."""


def at(text: str) -> float:
    """An instant in UTC: `2026-03-29 00:59`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def until(windows: Closed | tuple[Closed, ...], zone: str, moment: str) -> str | None:
    """When what is closed at a moment opens again, both in UTC."""
    several = windows if type(windows) is tuple else (windows,)
    found = closed_until(Maintenance(several, zone), at(moment))  # type: ignore[arg-type]
    return None if found is None else datetime.fromtimestamp(found, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("windows", "zone", "moment", "ends"),
    [
        # every day, in winter and in summer
        (NIGHT, LONDON, "2026-01-10 00:59", None),
        (NIGHT, LONDON, "2026-01-10 01:00", "2026-01-10 03:00"),
        (NIGHT, LONDON, "2026-01-10 02:59", "2026-01-10 03:00"),
        (NIGHT, LONDON, "2026-01-10 03:00", None),
        (NIGHT, LONDON, "2026-07-10 00:00", "2026-07-10 02:00"),
        (NIGHT, LONDON, "2026-07-10 02:00", None),
        # clocks go forward on 29 March at 01:00 UTC: 01:00 to 02:00 do not come, and the night is an hour long
        (NIGHT, LONDON, "2026-03-29 00:59", None),
        (NIGHT, LONDON, "2026-03-29 01:00", "2026-03-29 02:00"),
        (NIGHT, LONDON, "2026-03-29 02:00", None),
        # one that begins in the hour that does not come begins when the clocks jump; one that ends in it is not cut
        (Closed(90, 180), LONDON, "2026-03-29 00:59", None),
        (Closed(90, 180), LONDON, "2026-03-29 01:00", "2026-03-29 02:00"),
        (Closed(30, 90), LONDON, "2026-03-29 00:30", "2026-03-29 01:30"),
        (Closed(75, 105), LONDON, "2026-03-29 01:00", "2026-03-29 01:45"),
        # clocks go back on 25 October at 01:00 UTC: 01:00 to 02:00 come twice, and both belong to the night
        (NIGHT, LONDON, "2026-10-24 23:59", None),
        (NIGHT, LONDON, "2026-10-25 00:00", "2026-10-25 03:00"),
        (NIGHT, LONDON, "2026-10-25 01:30", "2026-10-25 03:00"),
        (NIGHT, LONDON, "2026-10-25 03:00", None),
        (Closed(30, 90), LONDON, "2026-10-25 01:29", "2026-10-25 01:30"),
        (Closed(30, 90), LONDON, "2026-10-24 23:30", "2026-10-25 01:30"),
        (Closed(90, 150), LONDON, "2026-10-25 00:30", "2026-10-25 02:30"),
        # over midnight, at the ends of months and years, and on the leap day
        (LATE, "UTC", "2026-12-31 23:29", None),
        (LATE, "UTC", "2026-12-31 23:30", "2027-01-01 00:30"),
        (LATE, "UTC", "2027-01-01 00:29", "2027-01-01 00:30"),
        (LATE, "UTC", "2027-01-01 00:30", None),
        (LATE, "UTC", "2028-02-28 23:45", "2028-02-29 00:30"),
        (LATE, "UTC", "2028-02-29 23:45", "2028-03-01 00:30"),
        (NIGHT, "UTC", "2028-02-29 02:00", "2028-02-29 03:00"),
        (LATE, LONDON, "2026-03-28 23:45", "2026-03-29 00:30"),
        (LATE, LONDON, "2026-10-24 23:15", "2026-10-24 23:30"),
        # whole days, and windows that follow one another
        (Closed(0, 1_440, (6,)), LONDON, "2026-03-29 12:00", "2026-03-29 23:00"),
        (Closed(0, 1_440, (5, 6)), "UTC", "2026-01-10 12:00", "2026-01-12 00:00"),
        ((NIGHT, Closed(180, 240)), "UTC", "2026-01-10 01:30", "2026-01-10 04:00"),
        ((NIGHT, Closed(120, 240)), "UTC", "2026-01-10 01:30", "2026-01-10 04:00"),
        # on days of the week: a window belongs to the day on which it begins
        (Closed(1_410, 30, (4,)), "UTC", "2026-01-09 23:45", "2026-01-10 00:30"),
        (Closed(1_410, 30, (4,)), "UTC", "2026-01-10 00:15", "2026-01-10 00:30"),
        (Closed(1_410, 30, (4,)), "UTC", "2026-01-10 23:45", None),
        # where the day is another one than in Greenwich
        (NIGHT, "Pacific/Auckland", "2026-01-09 12:30", "2026-01-09 14:00"),
        (Closed(60, 180, (5,)), "Pacific/Auckland", "2026-01-09 12:30", "2026-01-09 14:00"),
        (NIGHT, "Asia/Kathmandu", "2026-01-09 19:15", "2026-01-09 21:15"),
        # once
        (Closed(0, 1_440, (), date(2026, 12, 25), date(2026, 12, 25)), LONDON, "2026-12-25 00:00", "2026-12-26 00:00"),
        (Closed(0, 1_440, (), date(2028, 2, 29), date(2028, 2, 29)), "UTC", "2028-02-29 12:00", "2028-03-01 00:00"),
        (Closed(0, 1_440, (), date(2028, 2, 29), date(2028, 2, 29)), "UTC", "2028-03-01 00:00", None),
        (Closed(1_080, 480, (), date(2026, 3, 27), date(2026, 3, 30)), LONDON, "2026-03-29 12:00", "2026-03-30 07:00"),
        (Closed(1_080, 480, (), date(2026, 3, 27), date(2026, 3, 30)), LONDON, "2026-03-27 17:59", None),
    ],
)
def test_the_clock_on_the_wall_says_when(
    windows: Closed | tuple[Closed, ...], zone: str, moment: str, ends: str | None
) -> None:
    """Clock changes either way, leap days, midnight, months' ends."""
    assert until(windows, zone, moment) == ends


def test_what_is_always_closed_has_some_end() -> None:
    """However many windows follow one another, an answer is given."""
    found = closed_until(Maintenance((Closed(0, 1_440),)), at("2026-01-01 00:00"))
    assert found is not None
    assert found > at("2028-01-01 00:00")


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
    st.integers(0, 1_439),
    st.integers(1, 1_440),
    st.sampled_from([LONDON, "UTC", "America/New_York", "Australia/Lord_Howe"]),
)
def test_an_end_is_an_end(moment: datetime, begin: int, end: int, zone: str) -> None:
    """Whoever comes back when it is told finds it open, and it was closed until then."""
    maintenance = Maintenance((Closed(begin, end),), zone)
    now = moment.replace(tzinfo=UTC).timestamp()
    found = closed_until(maintenance, now)
    if found is not None and (begin - end) % 1_440 > 60:
        assert now < found <= now + timedelta(days=2).total_seconds()
        assert closed_until(maintenance, found) is None
        assert closed_until(maintenance, found - 1) == found
