"""Which header fields cross the gateway, in either direction (RFC 9110, section 7.6; RFC 9112, section 3.2).

Reading a head is one pass: every name is looked up once in a table of kinds, which learns the spellings it meets.
What is hop-by-hop stays behind; what only the gateway may say (forwarding fields, `X-Banyan-*`) is set aside; the rest
crosses in order, byte for byte.
"""

import re
from enum import IntEnum
from typing import NamedTuple

from gateway.core.model import Request
from gateway.errors import ClientError

Fields = list[tuple[bytes, bytes]]


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
_RESERVED_PREFIXES = (b"x-banyan-", b"x-gateway-")
_LEARNT = 4_096
_kinds: dict[bytes, Kind] = {}


def kind_of(name: bytes) -> Kind:
    """What a field is, by its name in any spelling. CGI-like backends read `_` as `-`, so no disguise helps."""
    kind = _kinds.get(name)
    if kind is None:
        kind = _classify(name)
        if len(_kinds) < _LEARNT and len(name) <= 64:
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


_learnt = _kinds.get
_PASS, _COOKIE, _HOST, _CONNECTION, _LENGTH = Kind.PASS, Kind.COOKIE, Kind.HOST, Kind.CONNECTION, Kind.LENGTH
_PLAIN_CONNECTION = frozenset({b"keep-alive", b"close", b"Keep-Alive", b"Close"})

# ------------------------------------------------------------------------------------------------ requests

_AUTHORITY = re.compile(
    rb"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+(?::[0-9]{0,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{0,5})?"
)
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_REQUEST_PASSES = frozenset({Kind.ADDRESS, Kind.SET_COOKIE, Kind.AUTHENTICATE})
_TUNNELLED = frozenset({b"websocket"})


def read_request(method: bytes, target: bytes, raw: Fields, http_1_0: bool) -> Request:
    """A request head as received, judged and sorted. Raises ClientError for what must not be forwarded."""
    if method == b"CONNECT":
        raise ClientError(501, "This is not a forward proxy: CONNECT is not served.", close=True)
    fields: Fields = []
    special: list[tuple[Kind, tuple[bytes, bytes]]] = []
    host = cookie = b""
    hosts = 0
    for field in raw:
        name = field[0]
        kind = _learnt(name)
        if kind is None:
            kind = kind_of(name)
        if kind is _PASS:
            fields.append(field)
        elif kind is _HOST:
            hosts += 1
            host = field[1]
        elif kind is _COOKIE:
            cookie = cookie + b"; " + field[1] if cookie else field[1]
            fields.append(field)
        elif kind in _REQUEST_PASSES:
            fields.append(field)
        else:
            special.append((kind, field))
    if hosts != 1 and (hosts or not http_1_0):
        raise ClientError(400, "A request must have exactly one Host field.", close=True)
    path, query = target, b""
    if target[:1] != b"/":
        host, path = _read_other_form(method, target, host)
    mark = path.find(b"?")
    if mark >= 0:
        path, query = path[:mark], path[mark:]
    if host not in _good_hosts:
        _judge_host(host, http_1_0)
    if b"#" in target:
        raise ClientError(400, "The request target has a fragment.", close=True)
    request = _make(
        Request, (method, target, path, query, host, fields, cookie, 0, http_1_0, False, b"", False, NOTHING, NOTHING)
    )
    return _read_special(request, special) if special else request


NOTHING: Fields = []
_make = tuple.__new__
_good_hosts: set[bytes] = set()


def _judge_host(host: bytes, http_1_0: bool) -> None:
    """Raise unless a Host field is a host with an optional port; good ones are remembered, within bounds."""
    if not host and not http_1_0:
        raise ClientError(400, "The Host field is empty.", close=True)
    if host and _AUTHORITY.fullmatch(host) is None:
        raise ClientError(400, "The Host field is not a host name with an optional port.", close=True)
    if host and len(_good_hosts) < _LEARNT and len(host) <= 64:
        _good_hosts.add(host)


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


def _read_special(request: Request, special: list[tuple[Kind, tuple[bytes, bytes]]]) -> Request:
    """Judge the fields that mean something to the gateway itself."""
    nominated: set[bytes] = set()
    lengths: list[bytes] = []
    codings: list[bytes] = []
    forwarding: Fields = []
    reserved: Fields = []
    fields = request.fields
    upgrade = b""
    expect = trailers = False
    for kind, field in special:
        value = field[1]
        match kind:
            case Kind.CONNECTION:
                nominated.update(token.strip().lower() for token in value.split(b","))
            case Kind.LENGTH:
                lengths.append(value)
            case Kind.CODING:
                codings.append(value)
            case Kind.UPGRADE:
                upgrade = upgrade + b"," + value if upgrade else value
            case Kind.EXPECT:
                if value.lower() != b"100-continue":
                    raise ClientError(417, "The only expectation that can be met is 100-continue.")
                expect = True
            case Kind.TE:
                trailers = trailers or any(part.strip().lower() == b"trailers" for part in value.split(b","))
            case Kind.FORWARDING:
                forwarding.append(field)
            case Kind.RESERVED | Kind.TRACE | Kind.REQUEST_ID | Kind.MAX_FORWARDS:
                reserved.append(field)
            case _:
                assert kind is Kind.HOP, "everything else has been sorted by now"
    nominated -= {b"", b"close", b"keep-alive", b"upgrade", b"te"}
    if nominated:
        fields = [field for field in fields if field[0].lower() not in nominated]
    return request._replace(
        fields=fields,
        cookie=b"" if b"cookie" in nominated else request.cookie,
        length=_body_length(lengths, codings, request.http_1_0),
        expect=expect and not request.http_1_0,
        upgrade=_tunnel(upgrade, special),
        trailers=trailers,
        forwarding=forwarding,
        reserved=reserved,
    )


def _body_length(lengths: list[bytes], codings: list[bytes], http_1_0: bool) -> int:
    """The body's length, -1 for chunked, by RFC 9112, section 6.3; anything ambiguous is refused."""
    if codings:
        if lengths or http_1_0 or len(codings) > 1:
            raise ClientError(400, "The length of the request body is ambiguous.", close=True)
        if codings[0].lower() != b"chunked":
            raise ClientError(501, "The only transfer coding that is understood is chunked.", close=True)
        return -1
    if not lengths:
        return 0
    if len(lengths) > 1 or not lengths[0].isdigit() or len(lengths[0]) > 18:
        raise ClientError(400, "The Content-Length field is not one number.", close=True)
    return int(lengths[0])


def _tunnel(upgrade: bytes, special: list[tuple[Kind, tuple[bytes, bytes]]]) -> bytes:
    """The protocol to switch to; empty when none was asked for properly, or when it is not one we tunnel."""
    if not upgrade:
        return b""
    options = {
        token.strip().lower() for kind, field in special if kind is Kind.CONNECTION for token in field[1].split(b",")
    }
    return upgrade.lower() if b"upgrade" in options and upgrade.lower() in _TUNNELLED else b""


# ------------------------------------------------------------------------------------------------ answers


class AnswerHead(NamedTuple):
    """An answer's head as it crosses: `length` -1 chunked, -2 until the backend closes, otherwise bytes."""

    status: int
    reason: bytes
    fields: Fields
    length: int
    addresses: bool
    connection_auth: bool


def read_answer(status: int, reason: bytes, raw: Fields, *, no_body: bool) -> AnswerHead | None:
    """An answer's head, sorted; None when its framing cannot be trusted (RFC 9112, section 6.3)."""
    fields: Fields = []
    length = -2
    coding = b""
    nominated: set[bytes] | None = None
    addresses = connection_auth = False
    for field in raw:
        name = field[0]
        kind = _learnt(name)
        if kind is None:
            kind = kind_of(name)
        if kind is _PASS:
            fields.append(field)
        elif kind is _LENGTH:
            if length >= 0 or not field[1].isdigit() or len(field[1]) > 18:
                return None
            length = int(field[1])
        elif kind is Kind.CODING:
            if coding:
                return None
            coding = field[1].lower()
        elif kind is _CONNECTION:
            if field[1] not in _PLAIN_CONNECTION:
                tokens = {token.strip().lower() for token in field[1].split(b",")}
                nominated = tokens if nominated is None else nominated | tokens
        elif kind is Kind.ADDRESS or kind is Kind.SET_COOKIE:
            addresses = True
            fields.append(field)
        elif kind is Kind.AUTHENTICATE:
            connection_auth = connection_auth or _authenticates_connection(field[1])
            fields.append(field)
        elif kind in _ANSWER_PASSES:
            fields.append(field)
    if nominated is not None:
        gone = nominated - {b"close", b"keep-alive", b"upgrade"}
        if gone:
            fields = [field for field in fields if field[0].lower() not in gone]
    if coding:
        if coding != b"chunked":
            return None
        length = -1
    if no_body and length < 0:
        length = 0
    return _make(AnswerHead, (status, reason, fields, length, addresses, connection_auth))


_ANSWER_PASSES = frozenset({Kind.TRACE, Kind.COOKIE, Kind.EXPECT, Kind.HOST, Kind.MAX_FORWARDS, Kind.FORWARDING})


def _authenticates_connection(value: bytes) -> bool:
    return value[:9].lower() in (b"negotiate",) or value[:4].lower() == b"ntlm"


def authenticates_connection(request: Request) -> bool:
    """NTLM and Negotiate prove who a connection belongs to: it must never serve another client."""
    return any(name.lower() == b"authorization" and _authenticates_connection(value) for name, value in request.fields)


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
