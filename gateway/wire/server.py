"""The client's side of the wire: HTTP/1.1 requests in, answers out, one coroutine per connection.

llhttp (through httptools) reads the bytes and calls back; the callbacks only collect. A finished head becomes an
`Exchange`, which waits in a short queue until the connection's coroutine has answered those before it. Limits are
counted here while bytes arrive, because the parser reports nothing until a field is whole.
"""

import asyncio
import re
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from enum import IntEnum
from ipaddress import ip_address
from typing import Any, cast

import httptools

from gateway.core.forwarding import Introduction, Peer
from gateway.core.headers import read_request, request_shape
from gateway.core.model import Limits, Timeouts
from gateway.errors import ClientError, ClientGone
from gateway.wire.body import Body
from gateway.wire.client import BackendConnection
from gateway.wire.clock import NEVER, Clock
from gateway.wire.driver import Driver, Signal
from gateway.wire.exchange import Exchange
from gateway.wire.tunnel import TunnelEnd

HEAD_SLICE = 2_048
BODY_SLICE = 16_384
STASH = 65_536
LINGER = 2.0
LINGER_BYTES = 1_048_576
_METHOD = re.compile(rb"\s*[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40} [^ ]")


class Phase(IntEnum):
    """What a connection's deadline is about."""

    IDLE = 0
    HEAD = 1
    BODY = 2
    BUSY = 3
    WRITING = 4
    LINGERING = 5


IDLE, HEAD, BODY, BUSY, WRITING, LINGERING = Phase

Handler = Callable[[Exchange], Awaitable[None]]


class Settings:
    """What client connections go by; a reload replaces it, and connections read it at their next request."""

    __slots__ = ("keep_alive", "limits", "small_head", "timeouts", "trusts")

    def __init__(self, limits: Limits, timeouts: Timeouts, keep_alive: float, trusts: Callable[[bytes], bool]) -> None:
        self.limits = limits
        self.small_head = min(limits.target, limits.header_bytes)
        self.timeouts = timeouts
        self.keep_alive = keep_alive
        self.trusts = trusts


class Server:
    """All client connections. While `draining`, each is closed after the answer it is busy with."""

    def __init__(self, handler: Handler, settings: Settings, clock: Clock) -> None:
        self.handler = handler
        self.settings = settings
        self.clock = clock
        self.connections: set[ClientConnection] = set()
        self.draining = False

    def accept(self) -> "ClientConnection":
        """The protocol for a new connection."""
        return ClientConnection(self)

    def close_idle(self) -> None:
        """Close every connection on which nothing is under way."""
        for connection in list(self.connections):
            connection.close_if_idle()

    def abort_all(self) -> None:
        for connection in list(self.connections):
            connection.abort()


class ClientConnection(asyncio.Protocol):
    """One client's connection. `pins` are backend connections that serve nobody else, by their pool."""

    __slots__ = (
        "_arrived",
        "_body",
        "_body_idle",
        "_current",
        "_deaf",
        "_driver",
        "_in_head",
        "_lingered",
        "_names",
        "_parser",
        "_phase",
        "_queue",
        "_since",
        "_stash",
        "_target",
        "_tunnel",
        "_values",
        "_writable",
        "_write_paused",
        "deadline",
        "gone",
        "introduction",
        "pins",
        "server",
        "transport",
        "write",
    )

    def __init__(self, server: Server) -> None:
        self.server = server
        self.deadline = NEVER
        self.gone = False
        self.introduction = Introduction(Peer(b"", b"http", False))
        self.pins: dict[object, BackendConnection] = {}
        self._parser: Any = None
        self._queue: deque[Exchange] = deque()
        self._arrived = Signal()
        self._writable = Signal()
        self._write_paused = False
        self._names: list[bytes] = []
        self._values: list[bytes] = []
        self._target = b""
        self._since = 0
        self._in_head = False
        self._body: Body | None = None
        self._body_idle = server.settings.timeouts.body_idle
        self._current: Exchange | None = None
        self._deaf = False
        self._lingered = 0
        self._stash: bytes | None = None
        self._phase = HEAD
        self._tunnel: TunnelEnd | None = None

    @property
    def peer(self) -> Peer:
        """The other end."""
        return self.introduction.peer

    # -------------------------------------------------------------------------------------------- transport events

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.write = self.transport.write
        server = self.server
        self.introduction = Introduction(_peer_of(self.transport, server.settings.trusts))
        self._parser = httptools.HttpRequestParser(self)
        server.connections.add(self)
        server.clock.watch(self)
        self._expect(HEAD, server.settings.timeouts.head)
        self._driver = Driver(self._converse(), self._conversed)
        self._driver.resume()

    def data_received(self, data: bytes) -> None:
        if self._tunnel is not None:
            self._tunnel.forward(data)
        elif self._deaf:
            self._linger_on(len(data))
        elif self._stash is not None:
            self._put_by(data)
        else:
            self._feed(data)

    def eof_received(self) -> bool:
        """A client that closes its half has gone, as far as anyone can tell (nginx takes it so too)."""
        return self._tunnel.end() if self._tunnel is not None else False

    def connection_lost(self, error: Exception | None) -> None:
        server = self.server
        server.connections.discard(self)
        server.clock.forget(self)
        self.gone = self._deaf = True
        self.deadline = NEVER
        self._parser = None
        if self._tunnel is not None:
            self._tunnel.close()
        if self._body is not None:
            self._body.fail(ClientGone())
            self._body.notify()
        if self._current is not None and self._current.attempt is not None:
            self._current.attempt.client_left()
        for pinned in self.pins.values():
            pinned.close()
        self._writable.wake()
        self._arrived.wake()

    def pause_writing(self) -> None:
        self._write_paused = True
        if self._tunnel is not None:
            self._tunnel.pause_other()

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._tunnel is not None:
            self._tunnel.resume_other()
        self._writable.wake()

    def expire(self) -> None:
        """The deadline of the present phase has passed."""
        if self._phase is HEAD and self._in_head:
            self._refuse(ClientError(408, "The request head did not arrive in time.", close=True))
            self._arrived.wake()
        elif self._phase is BODY and self._body is not None:
            self._deaf = True
            self._body.fail(ClientError(408, "The request body did not arrive in time.", close=True))
            self._body.notify()
        elif self._phase is WRITING:
            self.abort()
        else:
            self.transport.close()

    def _expect(self, phase: Phase, seconds: float) -> None:
        self._phase = phase
        self.deadline = self.server.clock.after(seconds)

    # -------------------------------------------------------------------------------------------- parsing

    def _feed(self, data: bytes) -> None:
        """Give bytes to the parser; then wake whoever waits for them."""
        waiting = self._body
        if waiting is None and len(data) <= HEAD_SLICE and not self._queue:
            self._parse(data)
        else:
            self._feed_slices(data)
        if waiting is not None:
            self._body_fed(waiting)
        if self._queue:
            self._arrived.wake()
        elif self._in_head and self._phase is IDLE:
            self._expect(HEAD, self.server.settings.timeouts.head)

    def _feed_slices(self, data: bytes) -> None:
        """Parse in slices small enough that limits bite soon, and put by what is beyond the pipeline's bound."""
        most = self.server.settings.limits.pipelined
        at, size = 0, len(data)
        while at < size and not self._deaf:
            if self._stash is not None or len(self._queue) >= most:
                self._put_by(data[at:])
                break
            step = HEAD_SLICE if self._body is None else BODY_SLICE
            self._parse(data[at : at + step])
            at += step

    def _body_fed(self, body: Body) -> None:
        """A request's body has grown, or is whole."""
        if body.ended:
            self._phase, self.deadline = BUSY, NEVER
        elif self._phase is BODY and self.deadline != NEVER:
            self._expect(BODY, self._body_idle)
        body.notify()

    def _parse(self, piece: bytes) -> None:
        self._since += len(piece)
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            # Whatever follows is the new protocol's, or the next request if the upgrade is refused: decided later.
            self._parser = httptools.HttpRequestParser(self)
            self._stash = piece[upgrade.args[0] :]
        except httptools.HttpParserInvalidMethodError:
            known = _METHOD.match(piece) is not None and not piece.startswith(b"PRI ")
            status, detail = (501, "The method is not known.") if known else (400, "The request is not valid HTTP/1.1.")
            self._refuse(ClientError(status, detail, close=True))
        except httptools.HttpParserError:
            self._refuse(ClientError(400, "The request is not valid HTTP/1.1.", close=True))
        if self._since and not self._deaf:
            self._check_limits()

    def _check_limits(self) -> None:
        """Bytes that have come since the parser last reported something whole, against the bound for this place."""
        limits = self.server.settings.limits
        if self._in_head:
            if len(self._target) > limits.target or (not self._names and self._since > limits.header_bytes):
                self._refuse(ClientError(414, "The request target is too long.", close=True))
            elif self._since > limits.header_bytes or len(self._names) > limits.header_count:
                self._refuse(ClientError(431, "The request head is too large.", close=True))
        elif self._body is not None:
            bound = limits.trailer_bytes if self._names else limits.chunk_line
            if self._since > bound + BODY_SLICE or len(self._names) > limits.header_count:
                self._refuse(ClientError(400, "A chunk line or the trailers are too long.", close=True))
        elif self._since > limits.header_bytes:  # blank lines, which the parser passes over without a word
            self._refuse(ClientError(400, "The request does not begin.", close=True))

    def _refuse(self, fault: ClientError) -> None:
        """Answer `fault` after everything before it, read nothing more, and close."""
        if self._deaf:
            return
        self._deaf = True
        self._in_head = False
        if self._body is not None:
            self._body.fail(fault)
            self._body.notify()
        else:
            self._queue.append(Exchange(self, None, fault, False))

    def _put_by(self, data: bytes) -> None:
        """Keep bytes that cannot be parsed yet; beyond a bound the client has to wait."""
        self._stash = (self._stash or b"") + data
        if len(self._stash) > STASH or len(self._queue) >= self.server.settings.limits.pipelined:
            self.transport.pause_reading()

    def _unstash(self) -> None:
        """Read on where `_put_by` left off."""
        data, self._stash = self._stash or b"", None
        self.transport.resume_reading()
        self._feed(data)

    # Callbacks of llhttp. They collect and never raise: the parser would hide it.

    def on_url(self, url: bytes) -> None:
        self._target = self._target + url if self._in_head else url
        self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._names.append(name)
        self._values.append(value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        names, values = self._names, self._values
        self._names, self._values = [], []
        if self._deaf:
            return
        settings, parser = self.server.settings, self._parser
        keep_alive = parser.should_keep_alive()
        try:
            if self._since > settings.small_head or len(names) > settings.limits.header_count:
                self._check_head(len(names))
            shape = request_shape(names)
            # Only HTTP/1.1 keeps a connection open without a word about it.
            http_1_0 = False if keep_alive and not shape.special else self._is_http_1_0()
            request = read_request(parser.get_method(), self._target, names, values, http_1_0, shape)
            if request.length and shape.special:
                self._check_upgrade()
        except ClientError as fault:
            fault.close = True
            self._refuse(fault)
            return
        self._since = 0
        exchange = Exchange(self, request, None, keep_alive and settings.keep_alive > 0)
        if request.length:
            self._body = exchange.body = Body(self)
        self._queue.append(exchange)

    def _check_head(self, fields: int) -> None:
        """Raises ClientError for a head that is too large now that it is whole."""
        limits = self.server.settings.limits
        if len(self._target) > limits.target:
            raise ClientError(414, "The request target is too long.")
        if fields > limits.header_count or self._since > limits.header_bytes:
            raise ClientError(431, "The request head is too large.")

    def _check_upgrade(self) -> None:
        """Raises ClientError for a request whose body could be taken for another protocol."""
        if self._parser.should_upgrade():
            raise ClientError(400, "A request with Upgrade must not have a body.")

    def _is_http_1_0(self) -> bool:
        """Raises ClientError for a version that is neither 1.0 nor 1.1."""
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise ClientError(505, "The only versions understood are HTTP/1.1 and HTTP/1.0.")
        return bool(version == "1.0")

    def on_body(self, data: bytes) -> None:
        self._since = 0
        if self._body is not None:
            self._body.feed(data)

    def on_chunk_header(self) -> None:
        self._since = 0

    def on_message_complete(self) -> None:
        self._since = 0
        if self._body is not None:
            self._body.finish(list(zip(self._names, self._values, strict=True)))
            self._body, self._names, self._values = None, [], []

    # -------------------------------------------------------------------------------------------- the conversation

    async def _converse(self) -> None:
        """Answer one request after the other until the connection ends."""
        server = self.server
        while True:
            while not self._queue:
                if self._deaf:
                    return
                await self._arrived
            exchange = self._current = self._queue.popleft()
            if exchange.body.ended:
                self._phase, self.deadline = BUSY, NEVER
            else:
                self.let_body_idle(server.settings.timeouts.body_idle)
            await server.handler(exchange)
            self._current = None
            if self.gone or self._tunnel is not None:
                return
            if exchange.close or not exchange.body.ended or not exchange.keep_alive:
                self._finish(exchange)
                return
            self._phase, self.deadline = IDLE, server.clock.soon + server.settings.keep_alive
            if self._stash is not None:
                self._unstash()

    def _conversed(self, error: BaseException | None) -> None:
        if error is not None:
            context = {"message": "a connection's conversation failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
            self.abort()

    async def writable(self) -> None:
        """Wait until the client has taken enough of what was written. Raises ClientGone when it never will."""
        if self._is_stuck():
            phase, deadline = self._phase, self.deadline
            self._expect(WRITING, self.server.settings.timeouts.answer_idle)
            while self._is_stuck():
                await self._writable
            self._phase, self.deadline = phase, deadline
        if self.gone:
            raise ClientGone

    def _is_stuck(self) -> bool:
        return self._write_paused and not self.gone

    def become_tunnel(self, end: TunnelEnd) -> None:
        """From now on bytes are passed on unread, beginning with those that came early."""
        self._tunnel = end
        self._phase, self.deadline = BUSY, NEVER
        early, self._stash = self._stash or b"", None
        self.transport.resume_reading()
        end.forward(early)

    def let_body_idle(self, seconds: float) -> None:
        """Wait at most this long between bytes of the present request's body."""
        self._body_idle = seconds
        if self._current is not None and not self._current.body.ended:
            self._expect(BODY, seconds)

    def pause_body(self) -> None:
        self.deadline = NEVER
        if not self.gone:
            self.transport.pause_reading()

    def resume_body(self) -> None:
        if not self.gone:
            if self._current is not None and not self._current.body.ended:
                self._expect(BODY, self._body_idle)
            self.transport.resume_reading()

    # -------------------------------------------------------------------------------------------- the end

    def close_if_idle(self) -> None:
        if self._current is None and not self._queue and not self._in_head and self._tunnel is None:
            self.transport.close()

    def abort(self) -> None:
        """End at once, with a reset, so that an unfinished answer cannot pass for a whole one (RFC 9112, section 8)."""
        if not self.gone:
            handle = self.transport.get_extra_info("socket")
            if handle is not None and handle.family in (socket.AF_INET, socket.AF_INET6):
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    def _finish(self, exchange: Exchange) -> None:
        """Close without destroying the answer: a close with unread bytes would reset it (RFC 9112, section 9.6)."""
        if exchange.body.ended and self._stash is None and not self._deaf:
            self.transport.close()
            return
        self._deaf = True
        exchange.body.discard()
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        self.transport.write_eof()
        self.transport.resume_reading()
        self._expect(LINGERING, LINGER)

    def _linger_on(self, size: int) -> None:
        self._lingered += size
        if self._lingered > LINGER_BYTES:
            self.transport.close()


def _peer_of(transport: asyncio.Transport, trusts: Callable[[bytes], bool]) -> Peer:
    name = transport.get_extra_info("peername")
    address = b""
    if isinstance(name, tuple):
        parsed = ip_address(name[0].partition("%")[0])
        mapped = getattr(parsed, "ipv4_mapped", None)
        address = str(mapped or parsed).encode()
    scheme = b"https" if transport.get_extra_info("sslcontext") is not None else b"http"
    return Peer(address, scheme, trusts(address))
