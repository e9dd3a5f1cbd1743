"""When a backend is closed, as routes.yaml says it: `maintenance`."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import Discriminator, Field, PlainValidator, Tag

from gateway.config import measures, words
from gateway.config.kinds import Maybe, Spec, text
from gateway.config.problems import Problem, Unreadable
from gateway.config.wording import Entry
from gateway.core.policies import Closed, Maintenance

_DATES = re.compile(r"([0-9-]{10})(?: ([0-9:]{5}))?(?: to ([0-9-]{10})(?: ([0-9:]{5}))?)?")


def daily(value: object) -> Closed:
    """`01:00-03:00`; `23:00-01:00` runs over midnight."""
    begin, end = measures.hours(value)
    return Closed(begin, end)


def weekly(value: object) -> Closed:
    """`Sun 02:00-06:00`, `Mon-Fri 22:00-05:00`, or whole days: `Sun`."""
    days, space, hours = words.text_of(value).partition(" ")
    begin, end = measures.hours(hours) if space else (0, measures.MIDNIGHT)
    return Closed(begin, end, measures.days(days))


def dates(value: object) -> Closed:
    """`2026-12-25`, or `2026-12-24 18:00 to 2026-12-27 08:00`: days without a time are whole."""
    found = _DATES.fullmatch(str(value)) if isinstance(value, str | date) else None
    message = "{written} are not dates; write 2026-12-25, or 2026-12-24 18:00 to 2026-12-27 08:00"
    if found is None:
        raise Unreadable(message)
    try:
        first, last = date.fromisoformat(found[1]), date.fromisoformat(found[3] or found[1])
        begin = measures.time_of_day(found[2]) if found[2] else 0
        end = measures.time_of_day(found[4]) if found[4] else measures.MIDNIGHT
    except ValueError as error:
        raise Unreadable(message) from error
    if (first, begin) >= (last, end):
        raise Unreadable("{written} ends before it begins")
    return Closed(begin, end, (), first, last)


def _some(kind: Any) -> Any:
    """One of a kind, or a list."""
    return Annotated[
        Annotated[kind, Tag("<one>")] | Annotated[list[kind], Field(min_length=1), Tag("<list>")],
        Discriminator(lambda value: "<list>" if isinstance(value, list) else "<one>"),
    ]


Daily = Annotated[Closed, PlainValidator(daily), text("01:00-03:00")]
Weekly = Annotated[Closed, PlainValidator(weekly), text("Sun 02:00-06:00")]
Dates = Annotated[Closed, PlainValidator(dates), text("2026-12-25, or 2026-12-24 18:00 to 2026-12-27 08:00")]


class MaintenanceSpec(Spec):
    """When the backend is closed: nothing is sent to it then."""

    daily: Maybe[_some(Daily)] = None  # type: ignore[valid-type]
    """Every day: 01:00-03:00, or a list."""
    weekly: Maybe[_some(Weekly)] = None  # type: ignore[valid-type]
    """On days of the week: Sun 02:00-06:00, or a list."""
    dates: Maybe[_some(Dates)] = None  # type: ignore[valid-type]
    """Once: 2026-12-25, or 2026-12-24 18:00 to 2026-12-27 08:00, or a list."""
    timezone: Annotated[str, PlainValidator(words.time_zone), text("Europe/London")] = "UTC"
    """By whose clock. Default: UTC."""


def maintenance_of(spec: MaintenanceSpec | None, entry: Entry, problems: list[Problem]) -> Maintenance | None:
    if spec is None:
        return None
    windows: list[Closed] = []
    for given in (spec.daily, spec.weekly, spec.dates):
        windows += given if isinstance(given, list) else [] if given is None else [given]
    if not windows:
        message = '`maintenance` closes nothing; write `daily: "01:00-03:00"`, `weekly`, or `dates`, or leave it out'
        problems.append(entry.key_problem(("maintenance",), message))
    return Maintenance(tuple(windows), spec.timezone)
