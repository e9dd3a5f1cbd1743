"""What may be given again, to whom, and for how long: RFC 9111, with stale answers where a backend fails (RFC 5861).

This is a shared cache. An answer to a request that shows who asks is kept only where the key tells askers apart, or
where the answer itself says that it is for everyone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from gateway.core.fields import field_lines
from gateway.core.headers import AnswerHead, Kind, kind_of
from gateway.core.model import Request, Side
from gateway.core.policies import CachePolicy
from gateway.core.ways import field

Fields = Sequence[tuple[bytes, bytes]]
Directives = dict[bytes, bytes]
METHODS = frozenset({b"GET", b"HEAD"})
BY_TTL = frozenset({200, 203, 301, 308})
"""The statuses to which the route's own `ttl` applies, where the answer says nothing."""
KEPT = BY_TTL | {204, 300, 404, 405, 410, 414, 501}
"""The statuses that may be kept at all (RFC 9110, section 15.1); parts of answers never are."""
WHO = (b"authorization", b"cookie")
"""The fields that show who asks."""
LONGEST = 2.0**31
_TOLD = (Kind.PASS, Kind.COOKIE, Kind.AUTHENTICATE)
_OURS = frozenset({b"age", b"cache-status", b"warning"})


class Key(NamedTuple):
    """What an answer is kept by: `origin` is the scheme and host that the client calls, `vary` are the values of the
    fields that the route names."""

    route: str
    side: Side
    origin: bytes
    target: bytes
    vary: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Bytes held, roughly."""
        return len(self.origin) + len(self.target) + sum(map(len, self.vary))


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer that is kept. Times in seconds: `at` is when it came (Unix), `age` how old it was then, `lifetime` for
    how long it is fresh, `stale` for how long it may be given after that where the backend fails.

    `varies` are the fields of the request that it depends on, with their values; `checked` tells that it has to be
    validated each time, `public` that it is for whoever asks.
    """

    head: AnswerHead
    body: bytes
    at: float
    age: float
    lifetime: float
    stale: float
    checked: bool
    varies: tuple[tuple[bytes, bytes], ...]
    public: bool = False

    @property
    def etag(self) -> bytes:
        return field(self.head.fields, b"etag")

    @property
    def modified(self) -> bytes:
        return field(self.head.fields, b"last-modified")

    def age_at(self, now: float) -> float:
        """How old it is (section 4.2.3)."""
        return self.age + max(0.0, now - self.at)

    @property
    def size(self) -> int:
        """Bytes held, roughly."""
        varies = sum(len(name) + len(value) for name, value in self.varies)
        return len(self.body) + len(self.head.lines) + varies + 1_024


# ------------------------------------------------------------------------------------------------ the request


def key_of(policy: CachePolicy, route: str, side: Side, origin: bytes, request: Request) -> Key:
    """What a request's answer is kept by."""
    vary = tuple(joined(request.fields, name) for name in policy.vary)
    return Key(route, side, origin, request.path + _keyed(policy, request.query), vary)


def _keyed(policy: CachePolicy, query: bytes) -> bytes:
    """What of a query tells answers apart: parameters by their names, those of one name as they follow one another."""
    if policy.key is None:
        return query
    parts = [(unquote_to_bytes(part.partition(b"=")[0]), part) for part in query[1:].split(b"&")]
    chosen = b"&".join(part for name in policy.key for found, part in parts if found == name)
    return b"?" + chosen if chosen else b""


def shows_who(policy: CachePolicy, request: Request) -> bool:
    """Whether a request shows who asks, by something that does not tell answers apart."""
    return any(field(request.fields, name) for name in WHO if name not in policy.vary)


def joined(fields: Fields, name: bytes) -> bytes:
    """All values of a field as one."""
    return b", ".join(value.strip() for key, value in fields if key.lower() == name)


def directives(value: bytes) -> Directives:
    """What Cache-Control says, names in lower case; of one said twice the first (section 5.2)."""
    found: Directives = {}
    for part in _parts(value):
        name, _, argument = part.partition(b"=")
        found.setdefault(name.strip().lower(), argument.strip().strip(b'"'))
    return found


def _parts(value: bytes) -> list[bytes]:
    """Split at commas that stand outside of quotes."""
    parts, quoted, start = [], False, 0
    for at, byte in enumerate(value):
        if byte == 0x22:
            quoted = not quoted
        elif byte == 0x2C and not quoted:
            parts.append(value[start:at])
            start = at + 1
    return [part for part in (*parts, value[start:]) if part.strip()]


def seconds(found: Directives, name: bytes) -> float | None:
    """A directive's seconds; None without it, and 0 for what is no number: that is stale at once (section 4.2.1)."""
    if name not in found:
        return None
    text = found[name]
    return min(float(text), LONGEST) if text.isdigit() else 0.0


def asked(request: Request) -> Directives:
    """What a request says of caching; `Pragma: no-cache` stands for no-cache where nothing else does."""
    fields = request.fields
    control = joined(fields, b"cache-control")
    if not control and b"no-cache" in joined(fields, b"pragma").lower():
        return {b"no-cache": b""}
    return directives(control)


# ------------------------------------------------------------------------------------------------ keeping


def kept(
    policy: CachePolicy, request: Request, wants: Directives, head: AnswerHead, body: bytes, now: float
) -> Stored | None:
    """An answer as it is kept; None where it must not be (section 3)."""
    fields = head.fields
    says = directives(joined(fields, b"cache-control"))
    varies = _varies(fields, request)
    if (
        request.method != b"GET"
        or head.status not in KEPT
        or b"no-store" in wants
        or b"no-store" in says
        or b"private" in says
        or varies is None
        or joined(fields, b"set-cookie")
        or not _for_everyone(policy, request, says)
    ):
        return None
    lifetime = _lifetime(policy, head, says, now)
    validators = field(fields, b"etag") or field(fields, b"last-modified")
    stale = _stale(policy, says)
    checked = b"no-cache" in says
    if (lifetime <= 0 or checked) and not validators and not stale:
        return None  # there would be nothing to gain
    given = field(fields, b"age")
    age = min(float(given), LONGEST) if given.isdigit() else 0.0
    date = _date(field(fields, b"date"))
    apparent = max(0.0, now - date) if date is not None else 0.0
    public = b"public" in says or b"s-maxage" in says
    return Stored(head, body, now, max(age, apparent), lifetime, stale, checked, varies, public)


def _for_everyone(policy: CachePolicy, request: Request, says: Directives) -> bool:
    """Whether an answer may go to others than who asked (section 3.5): cookies show that as credentials do."""
    if request.pinned:
        return False
    shows = [name for name in WHO if field(request.fields, name) and name not in policy.vary]
    if not shows:
        return True
    return b"public" in says or b"s-maxage" in says or (b"must-revalidate" in says and shows == [b"authorization"])


def _varies(fields: Fields, request: Request) -> tuple[tuple[bytes, bytes], ...] | None:
    """What the answer depends on, with what the request has of it; None for one that depends on everything."""
    names = {name.strip().lower() for name in joined(fields, b"vary").split(b",") if name.strip()}
    if b"*" in names or any(kind_of(name) not in _TOLD for name in names):
        return None  # what is set aside or worked out anew on the way cannot be compared afterwards
    return tuple((name, joined(request.fields, name)) for name in sorted(names))


def _lifetime(policy: CachePolicy, head: AnswerHead, says: Directives, now: float) -> float:
    """For how long it is fresh (section 4.2.1); where it does not say so, as the route does."""
    for name in (b"s-maxage", b"max-age"):
        if (found := seconds(says, name)) is not None:
            return found
    if expires := field(head.fields, b"expires"):
        date, until = _date(field(head.fields, b"date")), _date(expires)
        return 0.0 if until is None else until - (now if date is None else date)
    return policy.ttl if head.status in BY_TTL else 0.0


def _stale(policy: CachePolicy, says: Directives) -> float:
    """For how long after that it may be given where the backend fails."""
    if b"must-revalidate" in says or b"proxy-revalidate" in says or b"s-maxage" in says:
        return 0.0
    said = seconds(says, b"stale-if-error")
    return policy.stale_if_error if said is None else said


def _date(value: bytes) -> float | None:
    try:
        return parsedate_to_datetime(value.decode("latin-1")).timestamp() if value else None
    except (ValueError, TypeError, OverflowError):
        return None


# ------------------------------------------------------------------------------------------------ giving


def suits(stored: Stored, request: Request, *, shows: bool) -> bool:
    """Whether a kept answer is one to this request, by what it depends on (section 4.1). Who `shows` who asks is only
    given what is for everyone: what nobody in particular was told may be another thing for somebody."""
    return (stored.public or not shows) and all(joined(request.fields, name) == value for name, value in stored.varies)


def is_fresh(stored: Stored, wants: Directives, now: float) -> bool:
    """Whether it may be given without asking (sections 4.2 and 5.2.1)."""
    if stored.checked or b"no-cache" in wants:
        return False
    age = stored.age_at(now)
    most, least = seconds(wants, b"max-age"), seconds(wants, b"min-fresh")
    if (most is not None and age > most) or (least is not None and stored.lifetime - age < least):
        return False
    if age < stored.lifetime:
        return True
    if b"max-stale" not in wants or not stored.stale:
        return False
    late = age - stored.lifetime
    return late <= stored.stale and (not wants[b"max-stale"] or late <= (seconds(wants, b"max-stale") or 0.0))


def may_stand_in(stored: Stored, wants: Directives, now: float) -> bool:
    """Whether it may be given where the backend fails (RFC 5861, section 4)."""
    if stored.checked:
        return False
    said = seconds(wants, b"stale-if-error")
    stale = stored.stale if said is None else min(said, stored.stale)
    return stored.age_at(now) < stored.lifetime + stale and b"no-cache" not in wants


def validating(request: Request, stored: Stored) -> Request:
    """The request that asks whether a kept answer still holds (section 4.3.1)."""
    lines = b""
    if stored.etag:
        lines += b"If-None-Match: %b\r\n" % stored.etag
    if stored.modified:
        lines += b"If-Modified-Since: %b\r\n" % stored.modified
    return replace(request, lines=request.lines + lines)


def freshened(stored: Stored, head: AnswerHead, policy: CachePolicy, request: Request, now: float) -> Stored | None:
    """A kept answer that a 304 has shown to hold, with what that says of it (section 4.3.4). None where it is not to be
    kept any more."""
    told = {name.lower() for name, _ in head.fields} - {b"content-length", b"content-encoding", b"content-type"}
    fields = [each for each in stored.head.fields if each[0].lower() not in told | _OURS]
    fields += [each for each in head.fields if each[0].lower() in told]
    fresh = replace(stored.head, lines=field_lines(fields))
    return kept(policy, request, {}, fresh, stored.body, now)


class Part(NamedTuple):
    """What a client is given of a kept answer: a status, its fields as lines, and its bytes."""

    status: int
    lines: bytes
    body: bytes


def given(stored: Stored, request: Request, status_line: bytes, now: float) -> Part:
    """A kept answer, or a part of it, or that the client has it (RFC 9110, sections 13 and 14); `status_line` is the
    value of Cache-Status."""
    fields = [each for each in stored.head.fields if each[0].lower() not in _OURS]
    fields += [(b"Age", b"%d" % stored.age_at(now)), (b"Cache-Status", status_line)]
    if stored.head.status == 200 and _has_it(stored, request):
        return Part(304, field_lines([each for each in fields if each[0].lower() not in (b"content-type",)]), b"")
    wanted = _range(stored, request)
    if wanted is None:
        return Part(stored.head.status, field_lines(fields), stored.body)
    size = len(stored.body)
    if wanted == (0, 0):
        return Part(416, field_lines([*fields, (b"Content-Range", b"bytes */%d" % size)]), b"")
    first, end = wanted
    fields.append((b"Content-Range", b"bytes %d-%d/%d" % (first, end - 1, size)))
    return Part(206, field_lines(fields), stored.body[first:end])


def _has_it(stored: Stored, request: Request) -> bool:
    """Whether the client's copy is this one (RFC 9110, section 13.2.2)."""
    if known := joined(request.fields, b"if-none-match"):
        tags = [tag.strip().removeprefix(b"W/") for tag in _parts(known)]
        return known.strip() == b"*" or (bool(stored.etag) and stored.etag.removeprefix(b"W/") in tags)
    since, modified = _date(field(request.fields, b"if-modified-since")), _date(stored.modified)
    return since is not None and modified is not None and modified <= since


def _range(stored: Stored, request: Request) -> tuple[int, int] | None:
    """The bytes that a request wants: from, to before; (0, 0) where there are none such; None for all of it."""
    wanted = field(request.fields, b"range")
    if not wanted or request.method != b"GET" or stored.head.status != 200 or not _same(stored, request):
        return None
    unit, _, span = wanted.partition(b"=")
    first, dash, last = span.strip().partition(b"-")
    numbers = all(each.isdigit() and len(each) < 16 for each in (first, last) if each)
    if unit.strip().lower() != b"bytes" or not dash or b"," in span or not numbers or not (first or last):
        return None  # several parts, or something else: a server may give all of it
    size = len(stored.body)
    if not first:
        return (max(0, size - int(last)), size) if int(last) and size else (0, 0)
    begin, end = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < begin:
        return None
    return (begin, end) if begin < size else (0, 0)


def _same(stored: Stored, request: Request) -> bool:
    """Whether If-Range names this answer (RFC 9110, section 13.1.5): only a strong tag, or its very date."""
    name = field(request.fields, b"if-range")
    if not name:
        return True
    if name.startswith((b'"', b"W/")):
        return name == stored.etag and not name.startswith(b"W/")
    return bool(stored.modified) and name == stored.modified
