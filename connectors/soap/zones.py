"""Dates and times without a zone, as they are where their system stands: with their offset in JSON, without in XML.

A time that the clocks show twice in autumn is taken for the first of the two, and written back as it was. What has no
offset in whole minutes (years before zones), or lies beyond the calendar, stays as it is.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.soap.fitting import JSON, Codec

_PARTS = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2})(:[0-9]{2}:[0-9]{2})(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")
_MIDNIGHT = "24"


def zoned(plain: Codec, zone: str) -> Codec:
    """The codec of dates and times in a zone, made of the one that keeps them as they are spelled."""
    there = ZoneInfo(zone)

    def decode(text: str) -> JSON:
        return _changed(str(plain.decode(text)), lambda moment, offset: _with_offset(moment, offset, there))

    def encode(value: JSON) -> str:
        given = (
            _changed(value, lambda moment, offset: _local(moment, offset, there)) if isinstance(value, str) else value
        )
        return plain.encode(given)

    return Codec(decode, encode)


Change = Callable[[datetime, str], str | None]
"""From a moment in whole seconds and its offset, as written, to its new text; None to leave it."""


def _changed(text: str, change: Change) -> str:
    """A date and time with its moment changed, and the fraction of its second kept, however long that is."""
    parts = _PARTS.fullmatch(text.strip())
    if parts is None:
        return text
    day, hour, rest, fraction, offset = parts.groups(default="")
    try:
        moment = datetime.fromisoformat(f"{day}T{'00' if hour == _MIDNIGHT else hour}{rest}")
        changed = change(moment + timedelta(days=hour == _MIDNIGHT), offset)
    except (ValueError, OverflowError):
        return text  # no such day, or beyond the calendar: that is for the type to judge
    if changed is None:
        return text
    return f"{changed[:19]}{fraction}{changed[19:]}"


def _with_offset(moment: datetime, offset: str, there: ZoneInfo) -> str | None:
    away = moment.replace(tzinfo=there).utcoffset()
    if offset or away is None or away.seconds % 60:
        return None
    return moment.replace(tzinfo=there).isoformat().replace("+00:00", "Z")


def _local(moment: datetime, offset: str, there: ZoneInfo) -> str | None:
    if not offset:
        return None
    given = datetime.fromisoformat(f"{moment.isoformat()}{offset}")
    return given.astimezone(UTC).astimezone(there).replace(tzinfo=None).isoformat()
