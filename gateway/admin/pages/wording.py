"""Figures and times as the pages write them: never rounded so that a bound looks kept when it is not.

`0` is measured, a dash is "not measured". Rates are by the minute: councils are small. Times are in the viewer's zone.
"""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from math import ceil, floor
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from gateway.telemetry.metrics import BOUNDS

NOT_MEASURED = Markup('<span aria-hidden="true">–</span><span class="govuk-visually-hidden">not measured</span>')
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def count(number: float | None) -> str | Markup:
    """`3,698`; less than ten with a decimal where it is no whole number."""
    if number is None:
        return NOT_MEASURED
    return f"{number:,.1f}" if number and number < 10 and number % 1 else f"{number:,.0f}"


def share(part: float | None) -> str | Markup:
    """A part of a whole in whole per cent; what is not all is never told as 100%, and what is some never as 0%."""
    if part is None:
        return NOT_MEASURED
    whole = round(part * 100)
    if whole == 100 and part < 1:
        return "over 99%"
    return "under 1%" if whole == 0 and part > 0 else f"{whole}%"


def percent(part: float | None) -> str | Markup:
    """Errors and parity, with two decimals: a parity is rounded down, so that it never reaches a bound by that."""
    if part is None:
        return NOT_MEASURED
    return f"{floor(part * 10_000 + 1e-9) / 100:.2f}%"


def errors(part: float | None) -> str | Markup:
    """A rate of errors, with two decimals, rounded up."""
    return NOT_MEASURED if part is None else f"{ceil(part * 10_000 - 1e-9) / 100:.2f}%"


def seconds(value: float | None) -> str | Markup:
    """`142 ms`, `1.3 s`, `47 min`."""
    if value is None:
        return NOT_MEASURED
    if value < 1:
        return f"{value * 1_000:.0f} ms"
    return f"{value:.1f} s" if value < MINUTE else lasting(value)


def lasting(value: float) -> str:
    """How long something lasts or lasted: `40 s`, `47 min`, `3 h 35 min`, `12 days`."""
    if value < MINUTE:
        return f"{value:.0f} s"
    if value < HOUR:
        return f"{value // MINUTE:.0f} min"
    if value < DAY:
        minutes = value % HOUR // MINUTE
        return f"{value // HOUR:.0f} h" + (f" {minutes:.0f} min" if minutes else "")
    days = int(value // DAY)
    return f"{days} day" + ("" if days == 1 else "s")


def percentile(latencies: Sequence[int], part: float = 0.95) -> float | None:
    """The seconds within which `part` of what was counted between BOUNDS was done; None where nothing was.

    Within its pair of bounds the place is told by the logarithm, so it is an estimate.
    """
    total = sum(latencies)
    if not total:
        return None
    rank, below = part * total, 0
    for at, counted in enumerate(latencies):
        if counted and below + counted >= rank:
            if at >= len(BOUNDS):
                return BOUNDS[-1]
            low, high = (BOUNDS[at - 1] if at else BOUNDS[0] / 5), BOUNDS[at]
            return float(low * (high / low) ** ((rank - below) / counted))
        below += counted
    return BOUNDS[-1]


def zone_of(name: str | None, usual: tzinfo) -> tzinfo:
    """A time zone that a browser told, where there is such a one."""
    if not name or len(name) > 64 or name.startswith(("/", ".")) or ".." in name:
        return usual
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return usual


class Clock:
    """Times as one viewer reads them, at one moment."""

    def __init__(self, zone: tzinfo, now: float) -> None:
        self.zone = zone
        self.now = now
        self.today = self._moment(now).date()

    def _moment(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, self.zone)

    @property
    def zone_name(self) -> str:
        """`GMT (Europe/London)`"""
        short, key = self._moment(self.now).tzname() or "", getattr(self.zone, "key", "")
        return f"{short} ({key})" if key and key != short else short

    def time(self, at: float) -> str:
        """`10:42`"""
        return f"{self._moment(at):%H:%M}"

    def exact(self, at: float) -> str:
        """`10:42:06 GMT`"""
        return f"{self._moment(at):%H:%M:%S %Z}"

    def brief(self, at: float) -> str:
        """`10:42`, or with the day where that is another: `18 Nov 10:42`."""
        moment = self._moment(at)
        if moment.date() == self.today:
            return f"{moment:%H:%M}"
        year = "" if moment.year == self.today.year else f" {moment.year}"
        return f"{moment.day} {moment:%b}{year} {moment:%H:%M}"

    def day(self, at: float) -> str:
        """`19 Nov 2026`"""
        moment = self._moment(at)
        return f"{moment.day} {moment:%b %Y}"

    def full(self, at: float) -> str:
        """`19 Nov 2026 10:42`"""
        return f"{self.day(at)} {self.time(at)}"

    def ago(self, at: float) -> str:
        """`17 min ago`"""
        return f"{lasting(max(0.0, self.now - at))} ago"


def unix(text: str | None) -> float | None:
    """A time as documents have it (ISO 8601), as Unix seconds."""
    return None if not text else datetime.fromisoformat(text).timestamp()


def area_of(pattern: str) -> str:
    """What a route belongs to: the first part of its path, as a person would say it. `Council tax`, `All paths`."""
    path = pattern.split(" ", 1)[-1]
    path = path[path.find("/") :] if "/" in path else "/"
    first = path.strip("/").split("/", 1)[0].split("#", 1)[0]
    if not first or first.startswith(("{", "*")):
        return "All paths"
    words = first.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
