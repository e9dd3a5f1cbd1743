"""Answers on their way to the client: a backend's, relayed as it comes, or the gateway's own."""

from email.utils import formatdate
from time import perf_counter
from typing import TYPE_CHECKING

from connectors.base import Answer, Call
from gateway.core.forwarding import VIA, answer_head, public_fields, status_line
from gateway.core.headers import Kind, kind_of, trailer_lines
from gateway.core.model import Gateway
from gateway.core.problems import Refusal, problem, wants_html
from gateway.errors import ClientError, ClientGone
from gateway.wire.body import Body
from gateway.wire.tunnel import tunnel

if TYPE_CHECKING:
    from gateway.proxy.handler import Visit


class Relay:
    """Passes one backend's answer on to the client."""

    __slots__ = ("_call", "_gateway", "_visit")

    def __init__(self, visit: "Visit", call: Call, gateway: Gateway) -> None:
        self._visit = visit
        self._call = call
        self._gateway = gateway

    def interim(self, status: int, reason: bytes, raw: list[tuple[bytes, bytes]]) -> None:
        """Pass a 1xx answer on (RFC 9110, section 15.2); 100 only to a client that waits for it."""
        request = self._call.request
        if request.http_1_0 or (status == 100 and not request.expect) or self._visit.exchange.connection.gone:
            return
        lines = [b"%b: %b\r\n" % field for field in raw if kind_of(field[0]) is Kind.PASS]
        self._visit.exchange.connection.write(status_line(status, reason) + b"".join(lines) + b"\r\n")

    async def answer(self, answer: Answer, cookie: bytes) -> None:
        """Relay the whole answer. Raises BackendError when it breaks off, ClientGone when nobody takes it."""
        visit, request, plan = self._visit, self._call.request, self._call.plan
        exchange = visit.exchange
        head, body = answer.head, answer.body
        if head.addresses:
            scheme = exchange.connection.peer.scheme
            head = head._replace(fields=public_fields(head, plan, request, scheme, self._gateway.public_url).fields)
        if head.status == 101:
            self._switch(answer)
            return
        draining = exchange.connection.server.draining
        bodyless = request.method == b"HEAD" or head.status in (204, 304)
        exchange.close = draining or request.http_1_0 or not exchange.body.ended or not exchange.keep_alive
        chunked = head.length < 0 and not request.http_1_0 and not bodyless
        if head.connection_auth:
            exchange.close = True
        start = answer_head(head, plan, self._lines(cookie), chunked=chunked, close=exchange.close, bodyless=bodyless)
        visit.status = head.status
        if bodyless:
            self._end(body)
            self._write(start)
        elif body.ended:
            data = body.take()
            self._end(body)
            visit.bytes_out = len(data)
            self._write(start + (_chunks(data) + _last(body, request.trailers) if chunked else data))
        else:
            await self._stream(start, body, chunked)

    def _lines(self, cookie: bytes) -> bytes:
        """The gateway's own fields."""
        visit = self._visit
        lines = b"X-Request-ID: %b\r\n%b%b" % (visit.ids.request_id, VIA, self._call.plan.answer_lines)
        if self._gateway.served_by and visit.attempt is not None:
            total = (perf_counter() - visit.began) * 1e3
            lines += b"Server-Timing: gateway;dur=%.1f, backend;dur=%.1f\r\n" % (
                total - visit.attempt.first_byte * 1e3,
                visit.attempt.first_byte * 1e3,
            )
        if cookie:
            lines += b"Set-Cookie: %b\r\n" % cookie
        return lines

    def _write(self, data: bytes) -> None:
        if not self._visit.exchange.connection.gone:
            self._visit.exchange.connection.write(data)

    def _end(self, body: Body) -> None:
        """The backend has done its part: its connection can serve somebody else while the client still reads."""
        if self._visit.attempt is not None:
            self._visit.attempt.end()

    async def _stream(self, start: bytes, body: Body, chunked: bool) -> None:
        """Pass pieces on as they come, at the client's pace. An unsafe request's answer is read to its end regardless."""
        visit = self._visit
        connection = visit.exchange.connection
        piece = body.take()
        while True:
            visit.bytes_out += len(piece)
            self._write(
                start + (_chunks(piece) if chunked else piece) if start else _chunks(piece) if chunked else piece
            )
            start = b""
            try:
                await connection.writable()
            except ClientGone:
                if visit.exchange.abort is not None:
                    visit.exchange.abort(ClientGone())
                visit.error = "client_gone"
            piece = await body.next()
            if not piece:
                break
        self._end(body)
        if chunked:
            self._write(_last(body, self._call.request.trailers))

    def _switch(self, answer: Answer) -> None:
        """Become a tunnel (RFC 9110, section 7.8)."""
        visit, request = self._visit, self._call.request
        attempt, client = visit.attempt, visit.exchange.connection
        assert attempt is not None and attempt.connection is not None
        backend, attempt.connection = attempt.connection, None
        visit.exchange.abort = None
        visit.status = 101
        attempt.let_go(backend)
        fields = b"".join(b"%b: %b\r\n" % field for field in answer.head.fields if kind_of(field[0]) is Kind.PASS)
        self._write(
            status_line(101, answer.head.reason)
            + fields
            + b"Connection: Upgrade\r\nUpgrade: %b\r\n" % request.upgrade
            + self._lines(b"")
            + b"\r\n"
        )
        near, far = tunnel(client.transport, backend.transport)
        backend.become_tunnel(far)
        client.become_tunnel(near)


def _chunks(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _last(body: Body, wanted: bool) -> bytes:
    return b"0\r\n%b\r\n" % trailer_lines(body.trailers) if wanted and body.trailers else b"0\r\n\r\n"


# ------------------------------------------------------------------------------------------------ the gateway's own


def refuse(visit: "Visit", fault: ClientError) -> None:
    """Answer a client error. A request whose body has not all come is not read on."""
    refuse_with(visit, fault.status, fault.detail, headers=fault.headers, close=fault.close)


def refuse_with(
    visit: "Visit",
    status: int,
    detail: str = "",
    *,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    close: bool = False,
    successor: str | None = None,
    refusal: Refusal | None = None,
) -> None:
    """Write an answer of the gateway's own, unless part of another one is already out."""
    exchange = visit.exchange
    request, connection = exchange.request, exchange.connection
    if connection.gone:
        return
    if visit.status:
        connection.abort()
        return
    html = wants_html(request)
    made = refusal or problem(status, detail, visit.ids.request_id.decode("latin-1"), html=html, successor=successor)
    draining = connection.server.draining
    exchange.close = (
        close or request is None or request.http_1_0 or draining or not exchange.keep_alive or not exchange.body.ended
    )
    fields = list(headers)
    if successor:
        fields.append((b"Link", b'<%b>; rel="successor-version"' % successor.encode()))
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    body = b"" if made.status == 204 else made.body
    visit.status = made.status
    connection.write(
        b"%bDate: %b\r\n%b%bX-Request-ID: %b\r\n%b%b\r\n%b"
        % (
            status_line(made.status, b""),
            formatdate(usegmt=True).encode(),
            b""
            if made.status == 204
            else b"Content-Type: %b\r\nContent-Length: %d\r\n" % (made.content_type, len(body)),
            lines,
            visit.ids.request_id,
            VIA,
            b"Connection: close\r\n" if exchange.close else b"",
            b"" if request is not None and request.method == b"HEAD" else body,
        )
    )
