"""When a backend is closed for maintenance, by the clock on its own wall.

Windows are written in local time and become instants here. Where clocks change, a window is never shorter than what may
have been meant: an hour that comes twice belongs to it whole, and one that does not come at all begins when the clocks
jump.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.core.policies import Closed, Maintenance

MINUTE, DAY = 60.0, timedelta(days=1)
MOST_JOINED = 1_000


def closed_until(maintenance: Maintenance, at: float) -> float | None:
    """When the maintenance that is on at an instant ends (Unix seconds); None where it is open.

    Windows that follow one another without a gap are one.
    """
    zone, until = ZoneInfo(maintenance.timezone), None
    for _ in range(MOST_JOINED):
        moment = at if until is None else until
        ends = [end for begin, end in _near(maintenance, moment, zone) if begin <= moment < end]
        if not ends:
            break
        until = max(ends)
    return until


def _near(maintenance: Maintenance, at: float, zone: ZoneInfo) -> Iterator[tuple[float, float]]:
    """The windows, as instants, that may be on at one."""
    today = datetime.fromtimestamp(at, UTC).astimezone(zone).date()
    for window in maintenance.windows:
        if window.first is not None:
            yield _instants(window, window.first, zone)
            continue
        for day in (today - DAY, today):
            if day.weekday() in window.days:
                yield _instants(window, day, zone)


def _instants(window: Closed, day: date, zone: ZoneInfo) -> tuple[float, float]:
    """A window that begins on a day: its first instant, and the first after it."""
    last = window.last or (day if window.begin < window.end else day + DAY)
    return _earliest(_local(day, window.begin), zone), _latest(_local(last, window.end), zone)


def _local(day: date, minute: int) -> datetime:
    """A time of day as a clock shows it; 24:00 is the next day's midnight."""
    return datetime(day.year, day.month, day.day, tzinfo=None) + timedelta(minutes=minute)  # noqa: DTZ001


def _earliest(local: datetime, zone: ZoneInfo) -> float:
    """The first instant at which a clock shows a time, or has passed it."""
    one, other = (local.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if one <= other:  # it comes once, or twice
        return one
    while one - other > MINUTE:  # it does not come: find when the clocks jump over it
        middle = (one + other) // 2
        shown = datetime.fromtimestamp(middle, UTC).astimezone(zone).replace(tzinfo=None)
        one, other = (middle, other) if shown > local else (one, middle)
    return one // MINUTE * MINUTE


def _latest(local: datetime, zone: ZoneInfo) -> float:
    """The last instant at which a clock shows a time; of one that it jumps over, that it would be if it did not."""
    return max(local.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
