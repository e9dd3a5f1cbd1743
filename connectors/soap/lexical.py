"""Lexical forms: what dates, times, durations and names look like, by the local name of the built-in type.

A day must exist, not only look like one. Moments in time can be compared, where both or neither have a zone.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from connectors.soap.fitting import Tidy, Unfit, collapse

_ZONE = "(?P<zone>Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_YEAR, _MONTH = "(?P<year>-?(?!0000)(?:[1-9][0-9]{4,8}|[0-9]{4}))", "(?P<month>0[1-9]|1[0-2])"
_DAY = "(?P<day>0[1-9]|[12][0-9]|3[01])"
_TIME = (
    r"(?:(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9](?:\.[0-9]{1,50})?)"
    r"|(?P<midnight>24:00:00(?:\.0{1,50})?))"
)
CALENDAR = {
    "dateTime": (re.compile(f"{_YEAR}-{_MONTH}-{_DAY}T{_TIME}{_ZONE}"), "a date and time (2024-02-29T12:30:00Z)"),
    "date": (re.compile(f"{_YEAR}-{_MONTH}-{_DAY}{_ZONE}"), "a date (2024-02-29)"),
    "time": (re.compile(f"{_TIME}{_ZONE}"), "a time of day (12:30:00)"),
    "gYear": (re.compile(f"{_YEAR}{_ZONE}"), "a year (2024)"),
    "gYearMonth": (re.compile(f"{_YEAR}-{_MONTH}{_ZONE}"), "a month of a year (2024-02)"),
    "gMonthDay": (re.compile(f"--{_MONTH}-{_DAY}{_ZONE}"), "a day of the year (--02-29)"),
    "gMonth": (re.compile(f"--{_MONTH}{_ZONE}"), "a month (--02)"),
    "gDay": (re.compile(f"---{_DAY}{_ZONE}"), "a day of the month (---29)"),
}
_FIRST = (
    ":A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_LATER = f"{_FIRST}0-9.\xb7\u0300-\u036f\u203f\u2040-"
_NAME = f"[{_FIRST[1:]}][{_LATER[1:]}]*"
_DURATION = (
    r"-?P(?=[0-9T])(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+D)?(?:T(?=[0-9])(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+(?:\.[0-9]+)?S)?)?"
)


def month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


_ORDINARY_DAY = "(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
"""Days that every month has: most of those that come. They are told apart for speed alone."""
_ORDINARY_TIME = "T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"


def calendar_fits(pattern: re.Pattern[str]) -> Callable[[str], object]:
    """Whether a text has the form, and its day exists. Where there is no year, it may be a leap year."""
    match, groups = pattern.fullmatch, pattern.groupindex
    if "day" not in groups or "month" not in groups:
        return match
    ordinary = re.compile(_ORDINARY_DAY + (_ORDINARY_TIME if "hour" in groups else "") + "Z?").fullmatch
    has_year = "year" in groups

    def fits(text: str) -> bool:
        if has_year and ordinary(text):
            return True
        found = match(text)
        if found is None:
            return False
        year = int(found["year"]) if has_year else 2000
        return found["day"] < "29" or int(found["day"]) <= month_length(year, int(found["month"]))

    return fits


class Moment(NamedTuple):
    """A point in time, in seconds from any beginning. One with a zone cannot be compared to one without."""

    zoned: bool
    seconds: Fraction


def moment_of(base: str) -> Callable[[str], Moment]:
    match = CALENDAR[base][0].fullmatch

    def moment(text: str) -> Moment:
        found = match(text)
        parts = {name: part for name, part in (found.groupdict() if found else {}).items() if part}
        year, month, day = (int(parts.get(name, start)) for name, start in (("year", 2000), ("month", 1), ("day", 1)))
        past = year - 1
        days = past * 365 + past // 4 - past // 100 + past // 400 + day + ("midnight" in parts)
        hours = 24 * (days + sum(month_length(year, before) for before in range(1, month))) + int(parts.get("hour", 0))
        seconds = 60 * (60 * hours + int(parts.get("minute", 0))) + Fraction(parts.get("second", 0))
        zone = parts.get("zone", "Z")
        if zone != "Z":
            offset = 60 * int(zone[1:3]) + int(zone[4:])
            seconds -= 60 * (offset if zone[0] == "+" else -offset)
        return Moment("zone" in parts, seconds)

    return moment


SHAPES: dict[str, tuple[Callable[[str], object], str]] = {
    **{base: (calendar_fits(pattern), what) for base, (pattern, what) in CALENDAR.items()},
    "duration": (re.compile(_DURATION).fullmatch, "a duration (P1DT12H)"),
    "qname": (re.compile(f"(?:{_NAME}:)?{_NAME}").fullmatch, "a qualified name"),
    "language": (re.compile("[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*").fullmatch, "a language (en-GB)"),
    "NMTOKEN": (re.compile(f"[{_LATER}]+").fullmatch, "a name token"),
    "Name": (re.compile(f"[{_FIRST}][{_LATER}]*").fullmatch, "a name"),
    **dict.fromkeys(("NCName", "ID", "IDREF", "ENTITY"), (re.compile(_NAME).fullmatch, "a name without colon")),
}


def shaped(fits: Callable[[str], object], what: str, space: Tidy = collapse) -> Tidy:
    def tidy(text: str) -> str:
        if not fits(text):
            text = space(text)
            if not fits(text):
                raise Unfit(f"is not {what}")
        return text

    return tidy
