"""The heads that are sent on: what a backend is told about the client, and what a client is told about the answer.

Everything here builds bytes from values; nothing is sent. Forwarding fields follow RFC 7239 and its X-Forwarded-*
elders: the peer's own claims are believed only when the peer is a trusted proxy.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from gateway.core.fields import field_lines
from gateway.core.headers import AnswerHead, Kind, kind_of
from gateway.core.matching import host_name
from gateway.core.model import Backend, Request
from gateway.core.planning import VIA, Plan, edited

Network = IPv4Network | IPv6Network
_BODY_METHODS = frozenset({b"POST", b"PUT", b"PATCH"})


class Peer(NamedTuple):
    """The other end of a client connection: its address, whether it came by TLS, whether it is a trusted proxy."""

    address: bytes
    scheme: bytes
    trusted: bool


Ids = tuple[bytes, bytes, bytes]
"""What identifies one exchange in logs and traces, its request id and its trace (as an observation has it), and the
lines that pass them on, the traceparent last."""
NO_IDS: Ids = (b"-", b"", b"")

# ------------------------------------------------------------------------------------------------ identity

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")
_TRACEPARENT = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def ids_of(request: Request, fresh: tuple[bytes, bytes]) -> Ids:
    """Request id and W3C trace context: continued where the client gave valid ones, begun otherwise.

    `fresh` are 32 and 16 random hexadecimal digits, which nothing else is made of.
    """
    trace_id, span_id = fresh
    if not request.reserved:
        lines = (b"X-Request-ID: ", trace_id, b"\r\ntraceparent: 00-", trace_id, b"-", span_id, b"-00\r\n")
        return trace_id, trace_id, b"".join(lines)
    request_id, traces = trace_id, []
    for name, value in request.reserved:
        kind = kind_of(name)
        if kind is Kind.REQUEST_ID and _REQUEST_ID.fullmatch(value):
            request_id = value
        elif kind is Kind.TRACE:
            traces.append(value)
    if len(traces) == 1 and _TRACEPARENT.fullmatch(traces[0]):
        trace = traces[0]
        trace_id = trace[3:35]
    else:
        trace = b"00-%b-%b-00" % (trace_id, span_id)
    return request_id, trace_id, b"X-Request-ID: %b\r\ntraceparent: %b\r\n" % (request_id, trace)


# ------------------------------------------------------------------------------------------------ forwarding fields


class Introduction:
    """What backends are told of one peer. The lines for the last host are kept: a connection seldom names another."""

    __slots__ = ("_host", "_lines", "_trusted", "peer")

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._trusted = peer.trusted
        self._host: bytes | None = None
        self._lines = b""

    def lines(self, request: Request) -> bytes:
        """The forwarding fields of one of its requests."""
        if self._trusted and request.forwarding:
            return forwarding_lines(self.peer, request)
        if request.host != self._host:
            self._host, self._lines = request.host, untrusted_lines(self.peer, request.host)
        return self._lines


def untrusted_lines(peer: Peer, host: bytes) -> bytes:
    """The forwarding fields for a peer whose own claims are dropped; the same for all its requests to one host."""
    node = b'"[%b]"' % peer.address if b":" in peer.address else peer.address or b"unknown"
    forwarded = b'for=%b;host="%b";proto=%b' % (node, host, peer.scheme)
    return b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\nForwarded: %b\r\n%b" % (
        peer.address,
        peer.scheme,
        host,
        forwarded,
        VIA,
    )


def forwarding_lines(peer: Peer, request: Request) -> bytes:
    """The forwarding fields that the backend sees."""
    if not peer.trusted or not request.forwarding:
        return untrusted_lines(peer, request.host)
    given: dict[bytes, bytes] = {}
    for name, value in request.forwarding:
        lower = name.lower()
        given[lower] = given[lower] + b", " + value if lower in given else value
    own = dict(_pairs(untrusted_lines(peer, request.host)))
    for name in (b"x-forwarded-for", b"forwarded"):
        if name in given:
            given[name] = given[name] + b", " + own[name]
    return b"".join(b"%b: %b\r\n" % pair for pair in (own | given).items())


def _pairs(lines: bytes) -> list[tuple[bytes, bytes]]:
    split = [line.partition(b": ") for line in lines.split(b"\r\n") if line]
    return [(name.lower(), value) for name, _, value in split]


def client_address(peer: Peer, request: Request, trusted: tuple[Network, ...]) -> bytes:
    """The client's own address, as far as proxies that are trusted tell it."""
    if not peer.trusted:
        return peer.address
    named = [value for name, value in request.forwarding if name.lower() == b"x-forwarded-for"]
    return told_address(peer.address, named, trusted)


def told_address(proxy: bytes, named: Iterable[bytes], trusted: tuple[Network, ...]) -> bytes:
    """The last address in these values of X-Forwarded-For that is not a trusted proxy's; that of the proxy which sent
    them where there is none, or where what stands there is no address."""
    for text in reversed([part.strip() for value in named for part in value.split(b",")]):
        if not is_trusted(text, trusted):
            return text if _is_address(text) else proxy
    return proxy


@lru_cache(64)
def networks_of(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks of `trusted_proxies`."""
    return tuple(ip_network(text, strict=False) for text in texts)


def is_trusted(address: bytes, trusted: tuple[Network, ...]) -> bool:
    """Whether an address belongs to one of the networks."""
    if not trusted or not _is_address(address):
        return False
    parsed = ip_address(address.decode("latin-1"))
    return any(parsed in network for network in trusted)


def _is_address(text: bytes) -> bool:
    try:
        ip_address(text.decode("latin-1"))
    except ValueError:
        return False
    return True


# ------------------------------------------------------------------------------------------------ request heads


def request_head(plan: Plan, request: Request, target: bytes, lines: bytes) -> bytes:
    """The head a backend receives, framing included; `lines` are the forwarding fields and ids."""
    method = plan.method or request.method
    fields = request.lines
    if plan.edits_request:
        fields = field_lines(edited(request.fields, plan.target.request))
    if request.length > 0:
        framing = b"Content-Length: %d\r\n" % request.length
    elif request.length < 0:
        framing = b"Transfer-Encoding: chunked\r\n"
    else:
        framing = b"Content-Length: 0\r\n" if method in _BODY_METHODS else b""
    if request.expect:
        framing += b"Expect: 100-continue\r\n"
    if request.upgrade:
        framing += b"Connection: Upgrade\r\nUpgrade: %b\r\n" % request.upgrade
    elif request.trailers:
        framing += b"Connection: TE\r\nTE: trailers\r\n"
    host = plan.host if plan.host is not None else request.host or plan.backend.authority
    return b"".join((method, b" ", target, b" HTTP/1.1\r\nHost: ", host, b"\r\n", fields, framing, lines, b"\r\n"))


# ------------------------------------------------------------------------------------------------ answer heads


@lru_cache(maxsize=1024)
def status_line(status: int, reason: bytes) -> bytes:
    """The first line of an answer; a missing reason is filled in."""
    if not reason:
        try:
            reason = HTTPStatus(status).phrase.encode()
        except ValueError:
            reason = b"Status"
    return b"HTTP/1.1 %d %b\r\n" % (status, reason)


def answer_head(head: AnswerHead, plan: Plan, request_id: bytes, lines: bytes, chunked: bool, close: bool) -> bytes:
    """The head a client receives. `lines` are fields that only this answer has; `chunked` frames an unknown length."""
    fields = head.lines
    if plan.edits_answer:
        fields = field_lines(edited(head.fields, plan.target.answer))
    if head.length >= 0 and head.status != 204:
        framing = b"Content-Length: %d\r\n" % head.length
    else:
        framing = b"Transfer-Encoding: chunked\r\n" if chunked else b""
    first, end = status_line(head.status, head.reason), b"Connection: close\r\n\r\n" if close else b"\r\n"
    ours = plan.answer_lines
    return b"".join((first, fields, framing, b"X-Request-ID: ", request_id, b"\r\n", ours, lines, end))


# ------------------------------------------------------------------------------------------------ public addresses


def public_fields(head: AnswerHead, plan: Plan, request: Request, scheme: bytes, public_url: str | None) -> AnswerHead:
    """The head with the backend's own name replaced by the public one, in Location, Content-Location and cookies."""
    own = scheme + b"://" + request.host if request.host else b""  # without either, a path alone is right too
    base = public_url.rstrip("/").encode() if public_url else own
    fields = []
    for name, value in head.fields:
        kind = kind_of(name)
        if kind is Kind.ADDRESS:
            value = _public_address(value, plan, base)
        elif kind is Kind.SET_COOKIE:
            value = _public_cookie(value, plan)
        fields.append((name, value))
    return replace(head, lines=field_lines(fields))


def public_origin(peer: Peer, request: Request, public_url: str | None) -> bytes:
    """Scheme and host that the client calls: configured, else as a trusted proxy says, else as received.

    b"" where nobody says which host it was: an address then is a path alone.
    """
    if public_url:
        return public_url.rstrip("/").encode()
    scheme, host = peer.scheme, request.host
    if peer.trusted:
        given = dict(reversed([(name.lower(), value) for name, value in request.forwarding]))
        first = given.get(b"forwarded", b"").partition(b",")[0]
        told = {key.lower(): value for key, value in _FORWARDED.findall(first)}
        scheme = _first(given.get(b"x-forwarded-proto") or told.get(b"proto", b""), _SCHEME) or scheme
        host = _first(given.get(b"x-forwarded-host") or told.get(b"host", b""), _AUTHORITY) or host
    return scheme + b"://" + host if host else b""


_FORWARDED = re.compile(rb'(?:^|[;\s])(proto|host)="?([^";,\s]+)', re.IGNORECASE)
_SCHEME = re.compile(rb"https?", re.IGNORECASE)
_AUTHORITY = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def _first(value: bytes, wanted: re.Pattern[bytes]) -> bytes:
    """The first of several values, where it is what it should be: what the proxy nearest to the client said."""
    first = value.partition(b",")[0].strip()
    return first.lower() if wanted.fullmatch(first) else b""


def _public_address(value: bytes, plan: Plan, base: bytes) -> bytes:
    """An address of the backend as front ends reach it; any other address as it is."""
    if value.startswith(b"/") and not value.startswith(b"//"):
        return _public_path(value, plan)
    absolute = _ABSOLUTE.match(value)
    if absolute is None or not _is_own_host(absolute[1].lower(), plan.backend):
        return value
    rest = value[absolute.end() :]
    return base + _public_path(rest if rest.startswith(b"/") else b"/" + rest, plan)


_ABSOLUTE = re.compile(rb"(?:https?:)?//([^/?#]+)", re.IGNORECASE)


def _is_own_host(authority: bytes, backend: Backend) -> bool:
    name = host_name(backend.authority)
    own = {name, b"%b:%d" % (name, backend.port), backend.authority.lower()}
    own |= {b"%b:%d" % (host.lower().encode(), port) for host, port in backend.others}
    if backend.host_header not in ("own", "public"):
        own.add(backend.host_header.lower().encode())
    return authority in own


def _public_path(path: bytes, plan: Plan) -> bytes:
    if plan.public_prefix is None:
        return path
    private, public = plan.public_prefix
    if path != private and not path.startswith((private + b"/", private + b"?", private + b"#")):
        return path
    moved = public + path[len(private) :]
    return moved if moved.startswith(b"/") else b"/" + moved


def _public_cookie(value: bytes, plan: Plan) -> bytes:
    """A cookie that the browser will send back to the gateway: the backend's Domain goes, its Path is made public."""
    kept = []
    for number, part in enumerate(value.split(b";")):
        name, _, text = part.strip().partition(b"=")
        if number and name.lower() == b"domain" and _covers(text.strip().lstrip(b".").lower(), plan.backend):
            continue
        if number and name.lower() == b"path" and plan.public_prefix is not None:
            part = b" %b=%b" % (name, _public_path(text.strip(), plan))
        kept.append(part)
    return b";".join(kept)


def _covers(domain: bytes, backend: Backend) -> bool:
    names = {host_name(backend.authority), backend.host.lower().encode()}
    if backend.host_header not in ("own", "public"):
        names.add(backend.host_header.lower().encode())
    return any(name == domain or name.endswith(b"." + domain) for name in names)
