"""Which header fields cross the gateway, in either direction (RFC 9110, section 7.6; RFC 9112, section 3.2).

What a head's names say is worked out once: heads with the same names in the same order share a `Shape`, learnt when it
is first met. What is hop-by-hop stays behind; what only the gateway may say (forwarding fields, `X-Banyan-*`) is set
aside; the rest crosses in order, byte for byte.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from operator import itemgetter
from typing import Any

from gateway.core.fields import Fields, field_lines, fields_of
from gateway.core.model import Request
from gateway.core.paths import HASH, MARK, SLASH, is_plain
from gateway.errors import ClientError


class Kind(IntEnum):
    """What a field is to a gateway."""

    PASS = 0
    HOP = 1
    HOST = 2
    CONNECTION = 3
    LENGTH = 4
    CODING = 5
    UPGRADE = 6
    EXPECT = 7
    TE = 8
    COOKIE = 9
    FORWARDING = 10
    RESERVED = 11
    MAX_FORWARDS = 12
    TRACE = 13
    REQUEST_ID = 14
    ADDRESS = 15
    SET_COOKIE = 16
    AUTHENTICATE = 17


_NAMED = {
    b"host": Kind.HOST,
    b"connection": Kind.CONNECTION,
    b"content-length": Kind.LENGTH,
    b"transfer-encoding": Kind.CODING,
    b"upgrade": Kind.UPGRADE,
    b"expect": Kind.EXPECT,
    b"te": Kind.TE,
    b"cookie": Kind.COOKIE,
    b"max-forwards": Kind.MAX_FORWARDS,
    b"traceparent": Kind.TRACE,
    b"x-request-id": Kind.REQUEST_ID,
    b"location": Kind.ADDRESS,
    b"content-location": Kind.ADDRESS,
    b"set-cookie": Kind.SET_COOKIE,
    b"www-authenticate": Kind.AUTHENTICATE,
    b"authorization": Kind.AUTHENTICATE,
    **dict.fromkeys(
        [b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"http2-settings"], Kind.HOP
    ),
    **dict.fromkeys([b"forwarded", b"x-real-ip"], Kind.FORWARDING),
    **dict.fromkeys([b"x-original-url", b"x-rewrite-url", b"x-http-method-override", b"proxy"], Kind.RESERVED),
}
_LEARNT = 1_024


def _make_room(learnt: dict[Any, Any]) -> None:
    """Forget everything when a memory is full, so that whoever fills it with rubbish slows others for a moment only."""
    if len(learnt) >= _LEARNT:
        learnt.clear()


_RESERVED_PREFIXES = (b"x-banyan-", b"x-gateway-")
_kinds: dict[bytes, Kind] = {}


def kind_of(name: bytes) -> Kind:
    """What a field is, by its name in any spelling. CGI-like backends read `_` as `-`, so no disguise helps."""
    kind = _kinds.get(name)
    if kind is None:
        kind = _classify(name)
        if len(name) <= 64:
            _make_room(_kinds)
            _kinds[name] = kind
    return kind


def _classify(name: bytes) -> Kind:
    lower = name.lower()
    plain = lower.replace(b"_", b"-")
    if plain.startswith(_RESERVED_PREFIXES):
        return Kind.RESERVED
    if plain.startswith(b"x-forwarded-"):
        return Kind.FORWARDING if plain == lower else Kind.RESERVED
    kind = _NAMED.get(plain, Kind.PASS)
    if plain != lower and kind in (Kind.FORWARDING, Kind.HOST, Kind.LENGTH, Kind.CODING, Kind.CONNECTION):
        return Kind.RESERVED
    return _NAMED.get(lower, kind if kind is Kind.RESERVED else Kind.PASS)


# ------------------------------------------------------------------------------------------------ shapes


class Shape:
    """What the names of a head alone say about it. Heads with the same names in the same order share one.

    `host`, `length` and `cookie` are where the only field of that kind stands, NONE or SEVERAL; `special` are the
    places of the fields that have to be read.
    """

    __slots__ = (
        "_crossing",
        "_template",
        "addresses",
        "authenticates",
        "conditional",
        "cookie",
        "host",
        "length",
        "special",
    )

    def __init__(
        self, names: tuple[bytes, ...], kinds: list[Kind], passing: frozenset[Kind], read: frozenset[Kind]
    ) -> None:
        places = [at for at, kind in enumerate(kinds) if kind in passing]
        self._template = b"".join(b"%b: %%b\r\n" % names[at].replace(b"%", b"%%") for at in places)
        self._crossing: Callable[[Sequence[bytes]], object] = itemgetter(*places) if places else lambda values: ()
        self.host = _only(kinds, Kind.HOST)
        self.length = _only(kinds, Kind.LENGTH)
        self.cookie = _only(kinds, Kind.COOKIE)
        self.addresses = Kind.ADDRESS in kinds or Kind.SET_COOKIE in kinds
        self.authenticates = Kind.AUTHENTICATE in kinds
        self.conditional = any(name[:3].lower() == b"if-" or name.lower() == b"range" for name in names)
        self.special = tuple((kind, at) for at, kind in enumerate(kinds) if kind in read)

    def lines(self, values: Sequence[bytes]) -> bytes:
        """The fields that cross, as they stand in a head."""
        return self._template % self._crossing(values)


NONE, SEVERAL = -1, -2


def _only(kinds: list[Kind], wanted: Kind) -> int:
    places = [at for at, kind in enumerate(kinds) if kind is wanted]
    return SEVERAL if len(places) > 1 else places[0] if places else NONE


class Shapes:
    """The shapes met so far, within bounds. `passing` are the kinds of fields that cross, `read` those to look into."""

    def __init__(self, passing: Iterable[Kind], read: Iterable[Kind]) -> None:
        self._passing = frozenset(passing)
        self._read = frozenset(read)
        self._known: dict[tuple[bytes, ...], Shape] = {}

    def of(self, names: Sequence[bytes]) -> Shape:
        names = tuple(names)
        return self._known.get(names) or self._learn(names)

    def _learn(self, names: tuple[bytes, ...]) -> Shape:
        shape = Shape(names, [kind_of(name) for name in names], self._passing, self._read)
        if sum(map(len, names)) <= _LONGEST_SHAPE:
            _make_room(self._known)
            self._known[names] = shape
        return shape


_LONGEST_SHAPE = 1_024
_REQUESTS = Shapes(
    passing={Kind.PASS, Kind.COOKIE, Kind.ADDRESS, Kind.SET_COOKIE, Kind.AUTHENTICATE},
    read=frozenset(Kind)
    - {Kind.PASS, Kind.COOKIE, Kind.ADDRESS, Kind.SET_COOKIE, Kind.AUTHENTICATE, Kind.HOST, Kind.HOP, Kind.LENGTH},
)
_ANSWERS = Shapes(
    passing=frozenset(Kind)
    - {Kind.HOP, Kind.CONNECTION, Kind.LENGTH, Kind.CODING, Kind.UPGRADE, Kind.TE, Kind.RESERVED, Kind.REQUEST_ID},
    read={Kind.CODING, Kind.CONNECTION},
)
_KEPT_OPEN = frozenset({b"keep-alive", b"close", b"Keep-Alive", b"Close"})
"""What Connection usually says: nothing about other fields."""

# ------------------------------------------------------------------------------------------------ requests

_AUTHORITY = re.compile(
    rb"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+(?::[0-9]{0,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{0,5})?"
)
_LONGEST_HOST = 261
"""A name of 255 bytes and a port (RFC 3986, section 3.2.2): heads are remembered by their hosts."""
_TUNNELLED = frozenset({b"websocket"})


request_shape = _REQUESTS.of
"""What the names of a request's fields say."""


def read_request(
    method: bytes,
    target: bytes,
    names: Sequence[bytes],
    values: Sequence[bytes],
    http_1_0: bool,
    shape: Shape | None = None,
) -> Request:
    """A request head as received, judged and sorted; of its fields the names and the values, in order.

    `shape` is that of the names, where it is known already. Raises ClientError for what must not be forwarded.
    """
    if method == b"CONNECT":  # in any form of target: the parser takes `CONNECT /path` too
        raise ClientError(501, "This is not a forward proxy: CONNECT is not served.", close=True)
    shape = shape or request_shape(names)
    if shape.host < 0 and (shape.host == SEVERAL or not http_1_0):
        raise ClientError(400, "A request must have exactly one Host field.", close=True)
    host = values[shape.host] if shape.host >= 0 else b""
    path, query = target, b""
    if not target or target[0] != SLASH:
        host, path = _read_other_form(method, target, host)
    if MARK in path:
        mark = path.index(MARK)
        path, query = path[:mark], path[mark:]
    if host not in _good_hosts:
        _judge_host(host, http_1_0)
    if HASH in target:
        raise ClientError(400, "The request target has a fragment.", close=True)
    cookie = values[shape.cookie] if shape.cookie >= 0 else b"" if shape.cookie == NONE else _all_cookies(names, values)
    length = 0 if shape.length == NONE else _content_length(values, shape)
    pinned = shape.authenticates and _authenticates_connection(names, values)
    lines, odd = shape.lines(values), not is_plain(path)
    request = Request(
        method, target, path, query, host, lines, cookie, length, http_1_0, odd, pinned, shape.conditional
    )
    special = shape.special
    return _read_special(request, names, values, shape) if special and not _says_nothing(special, values) else request


def _says_nothing(special: tuple[tuple[Kind, int], ...], values: Sequence[bytes]) -> bool:
    """Whether the only special field is a Connection field that says nothing about others."""
    kind, at = special[0]
    return len(special) == 1 and kind is _CONNECTION and values[at] in _KEPT_OPEN


_CONNECTION = Kind.CONNECTION
"""A name of the module's own: an enumeration's members are looked up in a roundabout way."""


def _all_cookies(names: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    return b"; ".join(value for name, value in zip(names, values, strict=True) if kind_of(name) is Kind.COOKIE)


def _content_length(values: Sequence[bytes], shape: Shape) -> int:
    value = values[shape.length] if shape.length >= 0 else b""
    if not value.isdigit() or len(value) > 18:
        raise ClientError(400, "The Content-Length field is not one number.", close=True)
    return int(value)


_good_hosts: dict[bytes, bool] = {}


def _judge_host(host: bytes, http_1_0: bool) -> None:
    """Raise unless a Host field is a host with an optional port; good ones are remembered, within bounds."""
    if not host and not http_1_0:
        raise ClientError(400, "The Host field is empty.", close=True)
    if host and (len(host) > _LONGEST_HOST or _AUTHORITY.fullmatch(host) is None):
        raise ClientError(400, "The Host field is not a host name with an optional port.", close=True)
    if host and len(host) <= 64:
        _make_room(_good_hosts)
        _good_hosts[host] = True


def _read_other_form(method: bytes, target: bytes, host: bytes) -> tuple[bytes, bytes]:
    """Host and path of a target that is not in origin form (RFC 9112, section 3.2)."""
    if target == b"*" and method == b"OPTIONS":
        return host, b"*"
    scheme, mark, rest = target.partition(b"://")
    if not mark or scheme.lower() not in (b"http", b"https"):
        raise ClientError(400, "The request target is neither a path nor an http address.", close=True)
    cut = min((at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0), default=len(rest))
    authority, path = rest[:cut], rest[cut:]
    if not authority or b"@" in authority:
        raise ClientError(400, "The request target names no host, or carries user information.", close=True)
    return authority, path if path[:1] == b"/" else b"/" + path


def _read_special(plain: Request, names: Sequence[bytes], values: Sequence[bytes], shape: Shape) -> Request:
    """Judge the fields that mean something to the gateway itself."""
    special: dict[Kind, list[bytes]] = {}
    for kind, at in shape.special:
        special.setdefault(kind, []).append(values[at])
    options = _tokens(special.get(Kind.CONNECTION, ()))
    nominated = options - {b"", b"close", b"keep-alive", b"upgrade", b"te"}
    if any(value.lower() != b"100-continue" for value in special.get(Kind.EXPECT, ())):
        raise ClientError(417, "The only expectation that can be met is 100-continue.")
    length, codings = plain.length, special.get(Kind.CODING)
    if codings:
        length = _chunked(codings, shape, plain.http_1_0)
    upgrade = b",".join(value.lower() for value in special.get(Kind.UPGRADE, ()))
    return replace(
        plain,
        lines=_without(plain.lines, nominated) if nominated else plain.lines,
        cookie=b"" if b"cookie" in nominated else plain.cookie,
        length=length,
        expect=Kind.EXPECT in special and not plain.http_1_0,
        upgrade=upgrade if b"upgrade" in options and upgrade in _TUNNELLED else b"",
        trailers=b"trailers" in _tokens(special.get(Kind.TE, ())),
        forwarding=[(names[at], values[at]) for kind, at in shape.special if kind is Kind.FORWARDING],
        reserved=[(names[at], values[at]) for kind, at in shape.special if kind in _RESERVED],
    )


def _without(lines: bytes, nominated: set[bytes]) -> bytes:
    """The lines but for those of the fields that Connection names (RFC 9110, section 7.6.1)."""
    return field_lines([field for field in fields_of(lines) if field[0].lower() not in nominated])


_RESERVED = frozenset({Kind.RESERVED, Kind.TRACE, Kind.REQUEST_ID, Kind.MAX_FORWARDS})


def _tokens(values: Iterable[bytes]) -> set[bytes]:
    """The members of comma-separated fields, in lower case."""
    return {token.strip().lower() for value in values for token in value.split(b",")}


def _chunked(codings: list[bytes], shape: Shape, http_1_0: bool) -> int:
    """-1, the length of a chunked body; anything ambiguous is refused (RFC 9112, section 6.3)."""
    if shape.length != NONE or http_1_0 or len(codings) > 1:
        raise ClientError(400, "The length of the request body is ambiguous.", close=True)
    if codings[0].lower() != b"chunked":
        raise ClientError(501, "The only transfer coding that is understood is chunked.", close=True)
    return -1


# ------------------------------------------------------------------------------------------------ answers


@dataclass(slots=True)
class AnswerHead:
    """An answer's head as it crosses: `length` -1 chunked, -2 until the backend closes, otherwise bytes.

    `lines` are the end-to-end fields as they stand in a head; `addresses` tells that they name addresses or set
    cookies, `pinned` that they authenticate the connection.
    """

    status: int
    reason: bytes
    lines: bytes
    length: int
    addresses: bool
    pinned: bool

    @property
    def fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """The fields of `lines`."""
        return fields_of(self.lines)


_answer_shape = _ANSWERS.of


def read_answer(status: int, reason: bytes, names: Sequence[bytes], values: Sequence[bytes]) -> AnswerHead | None:
    """An answer's head, sorted; None when its framing cannot be trusted (RFC 9112, section 6.3)."""
    shape = _answer_shape(names)
    length = -2
    if shape.length != NONE:
        value = values[shape.length] if shape.length >= 0 else b""
        if not value.isdigit() or len(value) > 18:
            return None
        length = int(value)
    lines = shape.lines(values)
    for kind, at in shape.special:
        value = values[at]
        if kind is _CONNECTION:
            if value not in _KEPT_OPEN:
                lines = _without(lines, _tokens([value]) - {b"close", b"keep-alive", b"upgrade"})
        elif value.lower() != b"chunked" or length == -1:
            return None
        else:
            length = -1
    pinned = shape.authenticates and _authenticates_connection(names, values)
    return AnswerHead(status, reason, lines, length, shape.addresses, pinned)


def _authenticates_connection(names: Sequence[bytes], values: Sequence[bytes]) -> bool:
    """Whether a head speaks NTLM or Negotiate, which prove who a connection belongs to, not a request."""
    return any(
        kind_of(name) is Kind.AUTHENTICATE and value.lstrip()[:9].lower().startswith((b"ntlm", b"negotiate"))
        for name, value in zip(names, values, strict=True)
    )


FORBIDDEN_TRAILERS = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"connection", b"trailer", b"te", b"upgrade", b"authorization"}
    | {b"cookie", b"set-cookie", b"content-type", b"content-encoding", b"content-range", b"location", b"cache-control"}
)


def trailer_lines(trailers: Fields) -> bytes:
    """Trailers as they are sent on; what frames, routes or authenticates a message stays behind (RFC 9110, 6.5.1)."""
    return b"".join(
        b"%b: %b\r\n" % field
        for field in trailers
        if field[0].lower() not in FORBIDDEN_TRAILERS and kind_of(field[0]) is Kind.PASS
    )
