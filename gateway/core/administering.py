"""Settings of the admin room."""

from typing import NamedTuple


class Administration(NamedTuple):
    """`name` is what the pages call this gateway; `timezone` of those who do not tell theirs (IANA); `idle` and
    `lasts` how long a browser stays signed in without a request, and at all (seconds); `secure` tells that browsers
    come by https, so that their cookie never goes another way."""

    name: str = ""
    timezone: str = "UTC"
    idle: float = 30 * 60.0
    lasts: float = 12 * 3_600.0
    secure: bool = False


class Cost(NamedTuple):
    """What a backend costs: for each call, and by the month whether it is called or not (in `currency`)."""

    per_call: float = 0.0
    per_month: float = 0.0
    currency: str = "£"
