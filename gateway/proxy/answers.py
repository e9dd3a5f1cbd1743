"""Answers on their way to the client: a backend's, relayed as it comes, or the gateway's own."""

from collections.abc import Coroutine
from email.utils import formatdate
from time import perf_counter
from typing import Any

from gateway.core.forwarding import answer_head, public_fields, status_line
from gateway.core.headers import AnswerHead, Kind, kind_of, trailer_lines
from gateway.core.model import Gateway
from gateway.core.planning import VIA
from gateway.core.problems import Refusal, problem, wants_html
from gateway.errors import ClientGone
from gateway.proxy.attempts import Attempt
from gateway.wire.body import Body
from gateway.wire.exchange import Exchange
from gateway.wire.tunnel import tunnel

_LARGE = 262_144
"""Bytes that take longer to be joined than a write of their own does."""

# ------------------------------------------------------------------------------------------------ a backend's


def relay(
    attempt: Attempt, head: AnswerHead, body: Body, gateway: Gateway, cookie: bytes
) -> Coroutine[Any, Any, None] | None:
    """Pass on what is here of one backend's answer; what passes on the rest, where there is more to come."""
    exchange, request = attempt.exchange, attempt.request
    connection, status = exchange.connection, head.status
    if status == 101:
        _switch(attempt, head, gateway)
        return None
    if head.pinned:
        attempt.pinned = True
    if head.addresses:
        head = public_fields(head, attempt.plan, request, connection.peer.scheme, gateway.public_url)
    bodyless = request.method == b"HEAD" or status == 204 or status == 304
    chunked = head.length < 0 and not bodyless and not request.http_1_0
    exchange.close = close = (
        not exchange.keep_alive or request.http_1_0 or connection.server.draining or not exchange.body.ended
    )
    lines = _lines(exchange, gateway, cookie) if cookie or gateway.served_by else b""
    start = answer_head(head, attempt.plan, exchange.ids[0], lines, chunked, close)
    exchange.status = status
    if not body.ended and not bodyless:
        return _stream(attempt, start, body, chunked)
    data = b"" if bodyless else body.take()
    attempt.end()
    exchange.bytes_out = len(data)
    if not connection.gone:
        if chunked:
            data = _chunk(data) + _last(body, request.trailers)
        if len(data) > _LARGE:
            connection.write(start)
            connection.write(data)
        else:
            connection.write(start + data)
    return None


def _lines(exchange: Exchange, gateway: Gateway, cookie: bytes) -> bytes:
    """The fields that the gateway adds to this answer alone."""
    lines = b""
    if gateway.served_by:
        backend = exchange.first_byte * 1e3
        own = (perf_counter() - exchange.began) * 1e3 - backend
        lines = b"Server-Timing: gateway;dur=%.2f, backend;dur=%.1f\r\n" % (own, backend)
    return lines + b"Set-Cookie: %b\r\n" % cookie if cookie else lines


async def _stream(attempt: Attempt, start: bytes, body: Body, chunked: bool) -> None:
    """Pass pieces on as they come, at the client's pace. Raises BackendError when the answer breaks off.

    When the client leaves, the answer to a safe request is given up and that of an unsafe one is read to its end.
    """
    exchange = attempt.exchange
    connection = exchange.connection
    piece = body.take()
    connection.write(start)
    while True:
        exchange.bytes_out += len(piece)
        if not connection.gone:
            connection.write(_chunk(piece) if chunked else piece)
            try:
                await connection.writable()
            except ClientGone:
                exchange.error = "client_gone"
                attempt.client_left()
        piece = await body.next()
        if not piece:
            break
    attempt.end()
    if chunked and not connection.gone:
        connection.write(_last(body, attempt.request.trailers))


def _switch(attempt: Attempt, head: AnswerHead, gateway: Gateway) -> None:
    """Become a tunnel (RFC 9110, section 7.8)."""
    exchange = attempt.exchange
    client, backend = exchange.connection, attempt.keep()
    exchange.status = 101
    fields = b"".join(b"%b: %b\r\n" % field for field in head.fields if kind_of(field[0]) is Kind.PASS)
    upgrade = b"Connection: Upgrade\r\nUpgrade: %b\r\n" % attempt.request.upgrade
    ours = b"X-Request-ID: %b\r\n%b%b" % (exchange.ids[0], attempt.plan.answer_lines, _lines(exchange, gateway, b""))
    client.write(status_line(101, head.reason) + fields + upgrade + ours + b"\r\n")
    near, far = tunnel(client.transport, backend.transport)
    backend.become_tunnel(far)
    client.become_tunnel(near)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _last(body: Body, wanted: bool) -> bytes:
    return b"0\r\n%b\r\n" % trailer_lines(body.trailers) if wanted and body.trailers else b"0\r\n\r\n"


# ------------------------------------------------------------------------------------------------ the gateway's own


def refuse(
    exchange: Exchange,
    status: int,
    detail: str,
    *,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    close: bool = False,
    successor: str | None = None,
) -> None:
    """Answer with a problem document (or a page, for a browser)."""
    request_id = exchange.ids[0].decode("latin-1")
    html = wants_html(exchange.request)
    if successor:
        headers = (*headers, (b"Link", f'<{successor}>; rel="successor-version"'.encode()))
    write_own(exchange, problem(status, detail, request_id, html=html, successor=successor), headers, close=close)


_EMPTY = frozenset({204, 304})
"""Statuses without a body, whose fields do not speak of one."""


def write_own(
    exchange: Exchange, refusal: Refusal, headers: tuple[tuple[bytes, bytes], ...] = (), *, close: bool = False
) -> None:
    """Write an answer of the gateway's own. If part of another is out already, the connection is cut instead."""
    request, connection = exchange.request, exchange.connection
    if connection.gone:
        return
    if exchange.status:
        exchange.close = True
        connection.abort()
        return
    exchange.close = (
        close
        or request is None
        or request.http_1_0
        or connection.server.draining
        or not exchange.keep_alive
        or not exchange.body.ended
    )
    exchange.status = refusal.status
    fields = [(b"Date", formatdate(usegmt=True).encode()), *headers, (b"X-Request-ID", exchange.ids[0])]
    if refusal.status not in _EMPTY:
        fields += [(b"Content-Type", refusal.content_type), (b"Content-Length", b"%d" % len(refusal.body))]
    if exchange.close:
        fields.append((b"Connection", b"close"))
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    bodyless = refusal.status in _EMPTY or (request is not None and request.method == b"HEAD")
    connection.write(status_line(refusal.status, b"") + lines + VIA + b"\r\n" + (b"" if bodyless else refusal.body))
