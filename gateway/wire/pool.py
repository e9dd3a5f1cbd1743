"""Connections to one backend: kept open, taken last-in first-out, replaced when stale, outliving routing tables."""

import asyncio
import ssl
from collections.abc import Coroutine, Sequence
from ipaddress import ip_address
from time import perf_counter
from typing import Any, NamedTuple

from gateway.core.headers import AnswerHead, trailer_lines
from gateway.core.model import Acted, Backend, Outcome, Timeouts
from gateway.errors import AnswerInvalid, BackendError, ConnectFailed, NotAcquired, StaleConnection
from gateway.wire.body import EMPTY, Body
from gateway.wire.client import BackendConnection, Carried
from gateway.wire.clock import Clock
from gateway.wire.driver import Driver, Signal
from gateway.wire.guard import Guard

RESOLVE_EVERY = 30.0
UNSAFE_REUSE = 2.0
"""Seconds since its last answer within which a kept connection may carry a request that cannot be sent twice."""


Parcel = tuple[bytes, Body, Timeouts, bool, bool, bool, bool]
"""A request ready to be sent: an `Outgoing`, or the same without names, which costs less."""


class Outgoing(NamedTuple):
    """A request ready to be sent. `resend` says that it may go again when a kept connection turns out stale."""

    head: bytes
    body: Body
    timeouts: Timeouts
    chunked: bool
    head_only: bool
    resend: bool
    upgrade: bool = False


Judged = tuple[AnswerHead, Body, Outcome, Acted]
"""What came of it: the answer, its outcome, and whether the backend may have acted."""
_OK, _FAILED = Outcome.OK, Outcome.BACKEND_ERROR
"""Names of the module's own: an enumeration's members are looked up in a roundabout way."""


def judged(head: AnswerHead, body: Body) -> Judged:
    """An answer with its outcome as far as HTTP tells; a connector may know better."""
    return (head, body, _OK, "yes") if head.status < 500 else (head, body, _FAILED, "maybe")


class Pool:
    """All connections to one backend. `kept` is what connectors keep for it: sessions last as long as the pool does.
    `guard` is what protects the backend, if anything does: see `guarded`."""

    guard: Guard | None = None

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self.backend = backend
        self.kept: dict[str, Any] = {}
        self._clock = clock
        self._idle: list[BackendConnection] = []
        self._busy = 0
        self._resolver = Resolver(backend, clock)
        self._tls = client_context(backend)
        self._retired = False

    @property
    def open(self) -> tuple[int, int]:
        """Connections in use, and kept idle."""
        return self._busy, len(self._idle)

    # -------------------------------------------------------------------------------------------- one exchange

    async def send(self, carried: Carried, parcel: Parcel) -> Judged:
        """Send a request and wait for the answer's head.

        A request goes a second time only on a stale kept connection, when it may, and when none of its body is gone.
        Whoever has something else sent before (a log-on) has read that answer: its connection is taken again if it can.
        """
        head, body, timeouts, chunked, head_only, resend, upgrade = parcel
        while True:
            connection = carried.connection
            if connection is None or connection.lost or (connection.busy and not self.reserve(connection)):
                connection = self._kept(resend, upgrade) or await self._connect(carried, timeouts.connect)
                carried.connection = connection
            connection.busy = True
            self._busy += 1
            connection.begin(carried, timeouts, head_only, upgrade)
            if body is EMPTY and not chunked:
                connection.write(head)
            else:
                _write_with_body(connection, head, body, chunked)
            while (answer := connection.head) is None and connection.error is None:
                await connection.answered
            if answer is not None:
                return judged(answer, connection.answer_body())
            if not isinstance(connection.error, StaleConnection) or not resend or body.sent:
                raise connection.error or AnswerInvalid("no answer")
            carried.exposed = True
            self._stale(connection)

    def _kept(self, resend: bool, upgrade: bool) -> BackendConnection | None:
        """A kept connection; for a request that must not go twice one that cannot well be stale."""
        idle = self._idle
        if not idle or (not resend and (upgrade or self._clock.now - idle[-1].idle_since > UNSAFE_REUSE)):
            return None
        return idle.pop()

    def _stale(self, connection: BackendConnection) -> None:
        """A kept connection was stale, so the others will be, too."""
        self._drop_idle()

    def release(self, connection: BackendConnection) -> None:
        """An exchange is over. The connection is kept if its answer was whole, and closed otherwise."""
        if connection.busy:
            connection.busy = False
            self._busy -= 1
        if connection.put_by(self.backend.idle) and not self._retired and len(self._idle) < self.backend.max_idle:
            self._idle.append(connection)
        elif not connection.lost:
            connection.close()

    def reserve(self, connection: BackendConnection) -> bool:
        """An exchange is over, and the connection belongs to one client from now on. False when it is of no use."""
        self.let_go(connection)
        kept = connection.put_by(self.backend.idle)
        if not kept and not connection.lost:
            connection.close()
        return kept

    def let_go(self, connection: BackendConnection) -> None:
        """The connection no longer counts as in use: its exchange is over, or it has become a tunnel."""
        if connection.busy:
            connection.busy = False
            self._busy -= 1

    def told(self) -> Sequence[tuple[str, int, bool, bool]]:
        """How each of several addresses is: see `endpoints.Told`."""
        return ()

    def start(self) -> None:
        """The table that has this pool serves."""

    def retire(self) -> None:
        """The backend is gone from the table, or has changed: finish what is under way, keep nothing."""
        self._retired = True
        self._drop_idle()

    def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _lost(self, connection: BackendConnection) -> None:
        self.let_go(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    # -------------------------------------------------------------------------------------------- connecting

    async def _connect(self, carried: Carried, within: float) -> BackendConnection:
        began = perf_counter()
        connecting = Connecting(self._open(), self._clock, within)
        try:
            connection = await connecting.result()
        except (OSError, ssl.SSLError) as error:
            raise ConnectFailed(f"{self.backend.name}: {error}") from error
        carried.connect = perf_counter() - began
        return connection

    async def _open(self) -> BackendConnection:
        return await self._open_one(self.backend, self._resolver)

    async def _open_one(self, backend: Backend, resolver: "Resolver") -> BackendConnection:
        loop = asyncio.get_running_loop()
        name = (backend.tls.name or backend.host) if backend.tls else None
        if backend.unix is not None:
            _, connection = await loop.create_unix_connection(
                self._made, backend.unix, ssl=self._tls, server_hostname=name
            )
            return connection
        failure: OSError = OSError("the name has no address")
        for address in await resolver.addresses():
            try:
                _, connection = await loop.create_connection(
                    self._made, address, backend.port, ssl=self._tls, server_hostname=name
                )
            except OSError as error:
                failure = error
            else:
                return connection
        raise failure

    def _made(self) -> BackendConnection:
        return BackendConnection(self._clock, self._lost)


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


def _write_with_body(connection: BackendConnection, head: bytes, body: Body, chunked: bool) -> None:
    """Head and body in one write when the body is here; otherwise the body follows as it arrives."""
    if body.ended:
        data = body.take()
        connection.write(head + (_chunk(data) + _last_chunk(body) if chunked else data))
        return
    connection.sending()
    connection.write(head)
    Driver(_upload(connection, body, chunked), lambda error: _uploaded(connection, error)).resume()


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
    connection.sent()


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
