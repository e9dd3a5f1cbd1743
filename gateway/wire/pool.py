"""Connections to one backend: kept open, taken last-in first-out, replaced when stale, outliving routing tables."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from ipaddress import ip_address
from typing import Any

from gateway.core.headers import AnswerHead, trailer_lines
from gateway.core.model import Backend, Timeouts
from gateway.errors import BackendError, ConnectFailed, NotAcquired, StaleConnection
from gateway.wire.body import Body
from gateway.wire.client import BackendConnection, Interim
from gateway.wire.clock import Clock
from gateway.wire.driver import Driver, Signal

RESOLVE_EVERY = 30.0
UNSAFE_REUSE = 2.0
"""Seconds since its last answer within which a kept connection may carry a request that cannot be sent twice."""


class Outgoing:
    """A request ready to be sent. `resend` says that it may go again when a kept connection turns out stale."""

    __slots__ = ("body", "chunked", "head", "head_only", "interim", "resend", "timeouts", "upgrade")

    def __init__(
        self,
        head: bytes,
        body: Body,
        timeouts: Timeouts,
        *,
        chunked: bool,
        head_only: bool,
        resend: bool,
        upgrade: bool = False,
        interim: Interim | None = None,
    ) -> None:
        self.head = head
        self.body = body
        self.timeouts = timeouts
        self.chunked = chunked
        self.head_only = head_only
        self.resend = resend
        self.upgrade = upgrade
        self.interim = interim


class Pool:
    """All connections to one backend."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self.backend = backend
        self._clock = clock
        self._idle: list[BackendConnection] = []
        self._busy: set[BackendConnection] = set()
        self._resolver = Resolver(backend, clock)
        self._tls = client_context(backend)
        self._retired = False

    @property
    def open(self) -> tuple[int, int]:
        """Connections in use, and kept idle."""
        return len(self._busy), len(self._idle)

    # -------------------------------------------------------------------------------------------- one exchange

    async def take(self, outgoing: Outgoing) -> BackendConnection:
        """A connection for one request: a kept one if it is fresh enough, else a new one. Raises ConnectFailed."""
        connection = self._kept(outgoing)
        if connection is None:
            connection = await self._connect(outgoing.timeouts.connect)
        self._busy.add(connection)
        return connection

    def _kept(self, outgoing: Outgoing) -> BackendConnection | None:
        idle = self._idle
        if not idle or outgoing.upgrade:
            return None
        if not outgoing.resend and self._clock.now - idle[-1].idle_since > UNSAFE_REUSE:
            return None
        return idle.pop()

    async def send(self, outgoing: Outgoing, watch: Callable[[BackendConnection], None]) -> tuple[AnswerHead, Body]:
        """Send a request and wait for the answer's head. `watch` is told which connection carries it.

        A request goes a second time only on a stale kept connection, when it may, and when none of its body is gone.
        """
        while True:
            connection = await self.take(outgoing)
            watch(connection)
            try:
                return await self._exchange(connection, outgoing)
            except StaleConnection:
                if not outgoing.resend or outgoing.body.sent:
                    raise
                self._drop_idle()

    async def _exchange(self, connection: BackendConnection, outgoing: Outgoing) -> tuple[AnswerHead, Body]:
        connection.begin(
            outgoing.timeouts, head_only=outgoing.head_only, upgrade=outgoing.upgrade, interim=outgoing.interim
        )
        body = outgoing.body
        sent = body.ended
        if not sent:
            connection.write(outgoing.head)
            uploading = Driver(_upload(connection, body, outgoing.chunked), lambda error: _uploaded(connection, error))
            uploading.resume()
        elif body.received:
            data = body.take()
            connection.write(outgoing.head + (_chunk(data) + _last_chunk(body) if outgoing.chunked else data))
        else:
            connection.write(outgoing.head + _last_chunk(body) if outgoing.chunked else outgoing.head)
        return await connection.answer(sent=sent)

    def release(self, connection: BackendConnection) -> None:
        """An exchange is over. The connection is kept if its answer was whole, and closed otherwise."""
        if connection not in self._busy:
            return
        self._busy.discard(connection)
        if connection.reusable and not self._retired and len(self._idle) < self.backend.max_idle:
            connection.put_by(self.backend.idle)
            self._idle.append(connection)
        elif not connection.lost:
            connection.close()

    def let_go(self, connection: BackendConnection) -> None:
        """The connection has become a tunnel: it is nobody's but the client's now."""
        self._busy.discard(connection)

    def retire(self) -> None:
        """The backend is gone from the table, or has changed: finish what is under way, keep nothing."""
        self._retired = True
        self._drop_idle()

    def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _lost(self, connection: BackendConnection) -> None:
        self._busy.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    # -------------------------------------------------------------------------------------------- connecting

    async def _connect(self, timeout: float) -> BackendConnection:
        attempt = Connecting(self._open(), self._clock, timeout)
        try:
            return await attempt.result()
        except (OSError, ssl.SSLError) as error:
            raise ConnectFailed(f"{self.backend.name}: {error}") from error

    async def _open(self) -> BackendConnection:
        loop = asyncio.get_running_loop()
        backend = self.backend
        name = (backend.tls.name or backend.host) if backend.tls else None

        def make() -> BackendConnection:
            return BackendConnection(self._clock, self._lost)

        if backend.unix is not None:
            _, connection = await loop.create_unix_connection(make, backend.unix, ssl=self._tls, server_hostname=name)
            return connection
        failure: OSError = OSError("the name has no address")
        for address in await self._resolver.addresses():
            try:
                _, connection = await loop.create_connection(
                    make, address, backend.port, ssl=self._tls, server_hostname=name
                )
            except OSError as error:
                failure = error
            else:
                return connection
        raise failure


class Connecting:
    """A connection being made, with a deadline. When it comes too late it is closed, not cancelled half-way."""

    __slots__ = ("_clock", "_done", "_late", "_task", "deadline")

    def __init__(self, opening: Coroutine[Any, Any, BackendConnection], clock: Clock, timeout: float) -> None:
        self._clock = clock
        self._done = Signal()
        self._late = False
        self._task: asyncio.Task[BackendConnection] = asyncio.get_running_loop().create_task(opening)
        self._task.add_done_callback(self._ended)
        self.deadline = clock.after(timeout)
        clock.watch(self)

    async def result(self) -> BackendConnection:
        while not self._task.done() and not self._late:
            await self._done
        self._clock.forget(self)
        if self._late and not self._task.done():
            raise NotAcquired("the connection was not made in time")
        return self._task.result()

    def expire(self) -> None:
        self._late = True
        self._done.wake()

    def _ended(self, task: "asyncio.Task[BackendConnection]") -> None:
        if self._late and not task.cancelled() and task.exception() is None:
            task.result().close()
        self._done.wake()


class Resolver:
    """The addresses of a backend's name, asked for again after RESOLVE_EVERY seconds; numeric ones as they are."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self._backend = backend
        self._clock = clock
        self._fresh_until = 0.0
        self._addresses: list[str] = []
        try:
            ip_address(backend.host)
        except ValueError:
            pass
        else:
            self._addresses, self._fresh_until = [backend.host], float("inf")

    async def addresses(self) -> list[str]:
        """At least one address. Raises OSError when the name does not resolve and never did."""
        if self._clock.now < self._fresh_until:
            return self._addresses
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._backend.host, self._backend.port, proto=6)
        except OSError:
            if not self._addresses:
                raise
        else:
            self._addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        self._fresh_until = self._clock.now + RESOLVE_EVERY
        return self._addresses


# ------------------------------------------------------------------------------------------------ sending a body


async def _upload(connection: BackendConnection, body: Body, chunked: bool) -> None:
    """Pass a request body on while it arrives, at the backend's pace."""
    while True:
        piece = await body.next()
        if not piece:
            break
        if connection.lost:
            return
        connection.write(_chunk(piece) if chunked else piece)
        await connection.writable()
    if chunked and not connection.lost:
        connection.write(_last_chunk(body))
    connection.await_answer()


def _uploaded(connection: BackendConnection, error: BaseException | None) -> None:
    """The upload ended. If it failed on the client's side, the backend must not take what it has for the whole."""
    if isinstance(error, BackendError) or error is None:
        return
    connection.abort(error if isinstance(error, Exception) else BackendError(str(error)))


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _last_chunk(body: Body) -> bytes:
    return b"0\r\n%b\r\n" % (trailer_lines(body.trailers) if body.trailers else b"")


def client_context(backend: Backend) -> ssl.SSLContext | None:
    """The TLS settings for a backend: verified, against its own CA file where it has one. Raises OSError."""
    tls = backend.tls
    if tls is None:
        return None
    context = ssl.create_default_context(cafile=tls.ca)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.certificate:
        context.load_cert_chain(tls.certificate, tls.key)
    return context
