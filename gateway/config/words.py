"""The small values of routes.yaml, written as people write them: `2s`, `8MiB`, `25%`, `10% new`.

Each reader takes whatever the file held and gives the core's value, or raises Unreadable with what to write instead.
"""

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.config.problems import Unreadable
from gateway.core.model import BUCKETS, Serve
from gateway.core.policies import Way

YEAR = 365 * 86_400.0
OLD_ADDRESSING = "2004/08"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_DURATION = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,6})?(?:ms|s|m|h|d))+")
_DURATION_PART = re.compile(r"([0-9.]+)(ms|s|m|h|d)")
_SIZES = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"([0-9]{1,12}) ?([kKMG]i?B|B)")
_SHARE = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%")
_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)/(s|m|h)")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
_HOST_NAME = re.compile(
    r"(?=.{1,253}\.?$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_FRAMING = frozenset(
    "connection content-length host keep-alive proxy-connection te trailer transfer-encoding upgrade".split()  # noqa: SIM905
)
METHODS = frozenset(
    """GET HEAD POST PUT DELETE PATCH OPTIONS TRACE ACL BIND CHECKOUT COPY LINK LOCK M-SEARCH MERGE
    MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY PROPFIND PROPPATCH PURGE REBIND REPORT SEARCH SUBSCRIBE UNBIND UNLINK UNLOCK
    UNSUBSCRIBE""".split()  # noqa: SIM905 - a list of words reads better as words
)
"""What the parser of the wire takes, but CONNECT: the gateway is no forward proxy."""


class ServeWord(NamedTuple):
    """A `serve` as the core wants it; `share` of BUCKETS, 0 unless it is a split."""

    serve: Serve
    share: int = 0


def text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise Unreadable("must be text here, not a list or mapping")
    raise Unreadable("{written} is not text to YAML; put it in quotes")


# ------------------------------------------------------------------------------------------------ quantities


def duration(value: object) -> float:
    """`250ms`, `2s`, `1m30s` in seconds; more than nothing, a year at most."""
    seconds = duration_or_zero(value)
    if not seconds:
        raise Unreadable("{written} leaves no time at all; write 2s or 200ms")
    return seconds


def duration_or_zero(value: object) -> float:
    seconds = _seconds(value)
    if seconds > YEAR:
        raise Unreadable("{written} is more than a year")
    return seconds


def long_duration(value: object) -> float:
    """How long something is kept: more than nothing, a hundred years at most."""
    seconds = _seconds(value)
    if not 0 < seconds <= 100 * YEAR:
        raise Unreadable("{written} cannot be kept to; write 90d, or 36500d at most")
    return seconds


def _seconds(value: object) -> float:
    if isinstance(value, int | float):
        raise Unreadable("{written} has no unit; write 2s or 200ms")
    text = text_of(value)
    if not _DURATION.fullmatch(text):
        raise Unreadable("{written} is not a duration; write 2s, 200ms, 30m, 2h, 1d or 1m30s")
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(text))


def size(value: object) -> int:
    """`64KiB`, `10MB`, or a whole number of bytes."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**50:
        return value
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unreadable("{written} is not a size; write 64KiB, 8MiB, 10MB, 1GiB or a whole number of bytes")
    return int(found[1]) * _SIZES[found[2]]


def positive_size(value: object) -> int:
    bound = size(value)
    if not bound:
        raise Unreadable("{written} lets nothing through; write 8KiB or more")
    return bound


def share(value: object) -> int:
    """`25%` or `0.25%`, in parts of BUCKETS."""
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unreadable("{written} is not a share; write 25%, or 0.25% (two decimals at most)")
    buckets = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
    if buckets > BUCKETS:
        raise Unreadable("{written} is more than everything; write 100% at most")
    return buckets


def rate(value: object) -> float:
    """`50/s`, `600/m` or `1000/h`, per second; more than nothing."""
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unreadable("{written} is not a rate; write 50/s, 600/m or 1000/h")
    per_second = float(found[1]) / _UNITS[found[2]]
    if not per_second:
        raise Unreadable("{written} lets nothing through; write 1/m or more")
    return per_second


def rate_text(per_second: float) -> str:
    """A rate as people write it: the way back from `rate`."""
    for unit, seconds in (("s", 1.0), ("m", 60.0)):
        if per_second * seconds >= 1:
            return f"{per_second * seconds:g}/{unit}"
    return f"{per_second * _UNITS['h']:g}/h"


def retry_condition(value: object) -> str:
    """A kind of failure after which a request may be sent once more; a status as text."""
    if isinstance(value, int) and not isinstance(value, bool) and 500 <= value <= 599:
        return str(value)
    if value in ("connect", "reset", "timeout"):
        return str(value)
    raise Unreadable(
        "{written} is no failure to try again after; write connect, reset, timeout or a status from 500 on"
    )


PRIORITIES = {"low": -1, "normal": 0, "high": 1}
"""How much a route's requests matter where not all can be served."""


def priority(value: object) -> int:
    found = PRIORITIES.get(value) if isinstance(value, str) else None
    if found is None:
        raise Unreadable("{written} is not a priority; write low, normal or high")
    return found


def health_path(value: object) -> bytes:
    """A path to ask for, with a query or without."""
    text = text_of(value)
    if not re.fullmatch(r"/[!-~]*", text) or "#" in text:
        raise Unreadable("{written} is not a path; write /readyz")
    return text.encode()


_WAY = re.compile(r"(path|query|header|body)((?:\.[^.\s]+)+)")


def way(value: object) -> Way:
    """`path.account`, `query.date`, `header.x-tenant`, `body.AccountNo`: where in a request a value stands."""
    found = _WAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unreadable("{written} is no way to a value; write path.NAME, query.NAME, header.NAME or body.NAME.NAME")
    source: Any = found[1]
    return Way(source, tuple(found[2][1:].split(".")))


_ANSWER_WAY = re.compile(r"response((?:\.[^.\s]+)+)")


def answer_way(value: object) -> Way:
    """`response.id`: where in an answer a value stands."""
    found = _ANSWER_WAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unreadable("{written} is no way to a value of an answer; write response.NAME or response.NAME.NAME")
    return Way("response", tuple(found[1][1:].split(".")))


def query_name(value: object) -> bytes:
    """`query.page`: the name of a query's parameter."""
    if not isinstance(value, str) or not _QUERY_NAME.fullmatch(value):
        raise Unreadable("{written} is no query.NAME; what else tells answers apart is in the path, or in `vary`")
    return value.removeprefix("query.").encode()


_QUERY_NAME = re.compile(r"query\.\S+")


def serve(value: object) -> ServeWord:
    """`legacy`, `new`, `ramp`, `retired` or a share such as `10% new`: which side answers."""
    if value in ("legacy", "new", "ramp", "retired"):
        return ServeWord(Serve(value))
    part, space, side = value.partition(" ") if isinstance(value, str) else ("", "", "")
    if not _SHARE.fullmatch(part) or space + side != " new":
        words = "write legacy, new, ramp, retired or a share such as 10% new"
        raise Unreadable("{written} is not a word for serve; " + words)
    return ServeWord(Serve.SPLIT, share(part))


def serve_text(serve: Serve, share: int) -> str:
    """A `serve` as it is written in the file: the way back from `serve`."""
    return f"{share / 100:g}% new" if serve is Serve.SPLIT else serve.value


def instant(value: object) -> int:
    """A date (midnight UTC) or an RFC 3339 instant, in Unix seconds."""
    text = text_of(value)
    if not _DATE.fullmatch(text) and not _INSTANT.fullmatch(text):
        raise Unreadable("{written} is not a date; write 2027-03-31 or 2027-03-31T17:00:00Z")
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise Unreadable("{written} is not in the calendar; write 2027-03-31 or 2027-03-31T17:00:00Z") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def time_zone(value: object) -> str:
    """The name of a time zone that this machine knows."""
    text = text_of(value)
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise Unreadable("{written} is no time zone that is known here; write Europe/London") from error


# ------------------------------------------------------------------------------------------------ names


def method(value: object) -> bytes:
    text = text_of(value)
    if text not in METHODS:
        hint = f"; write {text.upper()}" if text.upper() in METHODS else "; write GET, POST, PUT, PATCH, DELETE, ..."
        raise Unreadable("{written} is not a method" + hint)
    return text.encode()


def field_name(value: object) -> bytes:
    """The name of a header, in lower case."""
    text = text_of(value)
    if not _TOKEN.fullmatch(text):
        raise Unreadable("{written} cannot be the name of a header; letters, digits and - are safe")
    return text.lower().encode()


def matched_field(value: object) -> bytes:
    """The name of a header that a match may look at: the connection's own are gone before routes are looked up."""
    name = field_name(value)
    if name.decode() in _FRAMING:
        raise Unreadable("{written} cannot be matched" + ("; use `host:` for it" if name == b"host" else ""))
    return name


def once_each(value: object) -> object:
    """A mapping of header names, which HTTP compares without case."""
    if isinstance(value, dict) and len({str(name).lower() for name in value}) < len(value):
        raise Unreadable("names one header twice; write it once")
    return value


def editable_field(value: object) -> str:
    """The name of a header that an edit may touch; as written, since names cross as they are."""
    if field_name(value).decode() in _FRAMING:
        raise Unreadable("{written} belongs to the connection, which the gateway manages; leave it out")
    return text_of(value)


def tester_header(value: object) -> bytes:
    name = field_name(value)
    if not name.startswith(b"x-banyan-"):
        raise Unreadable("{written} must start with x-banyan-, so that it never reaches a backend")
    return name


def field_value(value: object) -> bytes:
    return text_of(value).strip().encode()


def secret(value: object) -> bytes:
    text = text_of(value).strip()
    if not text:
        raise Unreadable("an empty secret lets everyone in; set one")
    return text.encode()


def cookie_name(value: object) -> bytes:
    text = text_of(value)
    if not _TOKEN.fullmatch(text):
        raise Unreadable("{written} cannot be the name of a cookie")
    return text.encode()


def parameter_name(value: object) -> bytes:
    text = text_of(value)
    if not text:
        raise Unreadable("the name of a query parameter is missing")
    return text.encode()


def host_name(value: object) -> str:
    text = text_of(value).lower()
    if not _HOST_NAME.fullmatch(text):
        raise Unreadable("{written} is not a host name (no port, no path; international names in their xn-- form)")
    return text.rstrip(".")


def matched_host(value: object) -> bytes:
    """A host name, or `*.name` for all below it."""
    text = text_of(value)
    return (b"*." + host_name(text[2:]).encode()) if text.startswith("*.") else host_name(text).encode()


def seen_host(value: object) -> str:
    """What a backend sees as Host: `own`, `public`, or a name of its own (with a port, perhaps)."""
    text = text_of(value)
    name, colon, port = text.partition(":")
    if colon and not (port.isascii() and port.isdigit()):
        raise Unreadable("{written} is not a Host; write own, public or a host name")
    return host_name(name) + colon + port


def addressing(value: object) -> bool | str:
    """Whether a SOAP backend is called with WS-Addressing, or with its old version."""
    if value in (True, False, OLD_ADDRESSING) and isinstance(value, bool | str):
        return value
    raise Unreadable(f"{{written}} says nothing about WS-Addressing; write true, false or {OLD_ADDRESSING}")
