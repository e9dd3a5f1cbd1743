"""The values that evidence is written in: places in a document, parts and multiples, days and times of day.

Each reader takes whatever the file held and gives the core's value, or raises Unreadable with what to write instead.
"""

import re
from base64 import b64decode
from decimal import Decimal

from gateway.config.problems import Unreadable
from gateway.config.words import share, text_of
from gateway.core.comparing.values import pointer_of
from gateway.core.policies import Pointer

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MIDNIGHT = 1_440
_BARE_TILDE = re.compile(r"~(?![01])")
_PARITY = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,4})?)%")
_MORE = re.compile(r"\+([0-9]{1,2}(?:\.[0-9]{1,4})?)%")
_TIMES = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)x")
_DECIMAL = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_SECRET_BYTES = range(24, 65)

# ------------------------------------------------------------------------------------------------ places


def pointer(value: object) -> Pointer:
    """A JSON pointer (RFC 6901) as its tokens, unescaped; `*` is any member or item, "" the whole document."""
    text = text_of(value)
    if text and not text.startswith("/"):
        raise Unreadable(
            '{written} is not a place in an answer; write /balance, /charges/*/amount, or "" for all of it'
        )
    if _BARE_TILDE.search(text):
        raise Unreadable("{written} has a `~` that stands for nothing; write ~0 for `~` and ~1 for `/` (RFC 6901)")
    return pointer_of(text)


def part_of(value: object) -> Pointer:
    """A JSON pointer to something within the document."""
    tokens = pointer(value)
    if not tokens:
        raise Unreadable("{written} is the whole answer, and nothing would be left to compare; write a place in it")
    return tokens


def tolerance(value: object) -> str:
    """The largest difference of two numbers, as a decimal number in text."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = format(Decimal(repr(value)), "f") if number else text_of(value)
    if not _DECIMAL.fullmatch(text) or not Decimal(text):
        raise Unreadable("{written} is not a difference; write a number above 0, such as 0.005")
    return text


def scalar(value: object) -> str:
    """A scalar in the text that JSON has for it: `1`, `true`, `null`; text stays as it is."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case _:
            return text_of(value)


# ------------------------------------------------------------------------------------------------ guards


def some_share(value: object) -> int:
    """A share of more than nothing, in parts of BUCKETS."""
    buckets = share(value)
    if not buckets:
        raise Unreadable("{written} is none at all; write 1%, or leave it out")
    return buckets


def parity(value: object) -> float | None:
    """`99.5%` as a part of 1; None for `off`."""
    if value == "off":
        return None
    found = _PARITY.fullmatch(value) if isinstance(value, str) else None
    if found is None or not Decimal(found[1]):
        raise Unreadable("{written} is not a parity; write 99.5% (below 100%, which no evidence can show) or off")
    return float(Decimal(found[1]) / 100)


def more_errors(value: object) -> float | None:
    """`+0.5%` as a part of 1; None for `off`."""
    if value == "off":
        return None
    found = _MORE.fullmatch(value) if isinstance(value, str) else None
    if found is None or not Decimal(found[1]):
        raise Unreadable("{written} does not say how many more errors; write +0.5% (above +0%) or off")
    return float(Decimal(found[1]) / 100)


def times(value: object) -> float:
    """`1.2x`: so many times as long."""
    found = _TIMES.fullmatch(value) if isinstance(value, str) else None
    if found is None or not Decimal(found[1]):
        raise Unreadable("{written} is not a multiple; write 1.2x, and `latency: off` where it does not count")
    return float(found[1])


def off(value: object) -> str:
    """`latency: off`; how much slower new may be stands under a percentile's name."""
    if value != "off":
        raise Unreadable("{written} needs a percentile; write `latency_p95: 1.2x`, or `latency: off`")
    return "off"


# ------------------------------------------------------------------------------------------------ days and times


def days(value: object) -> tuple[int, ...]:
    """`Mon-Fri`, `Sat` or a list of such, as numbers in order (0 is Monday); a range may run over Sunday."""
    if value == []:
        raise Unreadable("no day is left; write Mon-Fri, or leave it out")
    found: set[int] = set()
    for each in value if isinstance(value, list) else [value]:
        first, dash, last = text_of(each).partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise Unreadable("{written} are not days; write Mon-Fri, Sat, or a list such as [Mon, Wed-Fri]")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found |= {(begin + day) % 7 for day in range((end - begin) % 7 + 1)}
    return tuple(sorted(found))


def hours(value: object) -> tuple[int, int]:
    """`09:00-17:00` as minutes after midnight; `22:00-06:00` runs over midnight, `24:00` ends a day."""
    begin, dash, end = text_of(value).partition("-")
    start, stop = _minute(begin), MIDNIGHT if end == "24:00" else _minute(end)
    if not dash or start is None or stop is None:
        raise Unreadable("{written} are not hours; write 09:00-17:00")
    if start == stop:
        raise Unreadable("{written} leaves no time at all; write 09:00-17:00, or leave it out")
    return start, stop


def time_of_day(value: object) -> int:
    """`02:30` as minutes after midnight."""
    minute = _minute(text_of(value))
    if minute is None:
        raise Unreadable("{written} is not a time of day; write 02:30")
    return minute


def _minute(text: str) -> int | None:
    found = _TIME.fullmatch(text)
    return None if found is None else int(found[1]) * 60 + int(found[2])


# ------------------------------------------------------------------------------------------------ secrets


def webhook_secret(value: object) -> bytes:
    """The bytes of a secret as Standard Webhooks writes them: `whsec_` and base64 of 24 to 64 bytes."""
    text = text_of(value).strip()
    try:
        secret = b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        secret = b""
    if not text.startswith("whsec_") or len(secret) not in _SECRET_BYTES:
        raise Unreadable("must be whsec_ and then 24 to 64 bytes in base64, such as openssl rand -base64 32 prints")
    return secret


def client_secret(value: object) -> str:
    """What a client shows an OpenID provider; no message repeats it (RFC 6749, appendix A.2: visible ASCII)."""
    text = text_of(value).strip()
    if not text or not text.isascii() or not text.isprintable():
        raise Unreadable("is empty, or holds what no client secret can; copy it from the provider")
    return text
