"""Whether it is office hours, by the clock on the wall of that office.

An instant is turned into local time, never the other way round: so no hour is missing or meant twice when
clocks change.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.core.policies import Hours


def is_open(hours: Hours | None, at: float) -> bool:
    """Whether an instant (Unix seconds) lies within the hours; None is always.

    Hours whose end is not after their begin go past midnight; they belong to the day on which they begin. The time zone
    must be one that `zoneinfo` knows.
    """
    if hours is None:
        return True
    local = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(hours.timezone))
    minute, today = local.hour * 60 + local.minute, local.weekday()
    if hours.begin < hours.end:
        return today in hours.days and hours.begin <= minute < hours.end
    yesterday = (local - timedelta(days=1)).weekday()
    return (today in hours.days and minute >= hours.begin) or (yesterday in hours.days and minute < hours.end)
