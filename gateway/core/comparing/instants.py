"""Moments in time, however they are written: ISO 8601, RFC 3339, xsd:dateTime and xsd:date, and the dates of HTTP."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_DATE_WITH_ZONE = re.compile(r"(\d{4}-\d\d-\d\d)(Z|[+-]\d\d:\d\d)", re.ASCII)
_MIDNIGHT = re.compile(r"(.*T)24(:00(?::00(?:\.0+)?)?(?:Z|[+-]\d\d:\d\d)?)", re.ASCII)
"""The end of a day (XML Schema, part 2, section 3.2.7)."""


def instant(value: object) -> datetime | None:
    """The moment that a text names, to the microsecond; None where it names none.

    A time without a zone is taken for UTC, and a date for its first moment: so a local time is not the same as one with
    an offset, which is the mistake that migrations make.
    """
    if not isinstance(value, str):
        return None
    text, more = _DATE_WITH_ZONE.sub(r"\1T00:00:00\2", value.strip()), timedelta()
    if late := _MIDNIGHT.fullmatch(text):
        text, more = f"{late[1]}00{late[2]}", timedelta(days=1)
    try:
        found = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC) + more
    except (ValueError, OverflowError):
        return None
