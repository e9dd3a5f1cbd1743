"""A backend with several addresses: each request goes to the one with the least to do, and to none that fails.

An address that fails again and again is left out for a while, longer each time (passive ejection); so is one that its
own health check finds unwell. Never are all left out: then each may be asked. What was not sent, or may be sent twice
and has not been answered by a single byte, goes to another address.
"""

import ssl
from time import perf_counter

from gateway.core.model import Backend
from gateway.errors import AnswerInvalid, AnswerTimeout, BackendError, ConnectFailed, NotAcquired, StaleConnection
from gateway.wire.client import BackendConnection, Carried
from gateway.wire.clock import Clock
from gateway.wire.endpoints import Endpoint, Told
from gateway.wire.guarded import GuardedPool
from gateway.wire.health import Checks
from gateway.wire.pool import UNSAFE_REUSE, Connecting, Judged, Parcel, Pool

_UNWELL = frozenset({502, 503, 504})
"""The statuses that speak of the address. A 500 may be about the request: each fault of SOAP 1.1 is one."""
_ITS_OWN = (ConnectFailed, NotAcquired, AnswerInvalid, StaleConnection, AnswerTimeout)
"""The failures that an address may have by itself."""


class SeveralPool(Pool):
    """All connections to a backend with several addresses."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        super().__init__(backend, clock)
        self.addresses = [
            Endpoint(backend._replace(host=host, port=port, others=()), clock)
            for host, port in ((backend.host, backend.port), *backend.others)
        ]
        self._turn = 0
        self._avoided: list[Endpoint] = []
        self._checks: Checks | None = None

    def start(self) -> None:
        if self.backend.health is not None and self._checks is None:
            self._checks = Checks(self.backend, self.backend.health, self.addresses, self._clock)
            self._checks.start()

    def retire(self) -> None:
        super().retire()
        if self._checks is not None:
            self._checks.stop()

    @property
    def open(self) -> tuple[int, int]:
        """Connections in use, and kept idle."""
        return self._busy, sum(len(each.idle) for each in self.addresses)

    def told(self) -> list[Told]:
        """How each address is."""
        now = self._clock.now
        return [Told(each.name, each.busy, now < each.ejected_until, each.unwell) for each in self.addresses]

    async def send(self, carried: Carried, parcel: Parcel) -> Judged:
        """Send a request to the address with the least to do. Raises BackendError."""
        body, resend = parcel[1], parcel[5]
        self._turn += 1
        tried: list[Endpoint] = []
        for left in range(len(self.addresses) - 1, -1, -1):
            self._avoided = tried  # what looks at it does so at once, before anybody else can
            try:
                answer = await super().send(carried, parcel)
            except BackendError as error:
                connection = carried.connection
                endpoint = _endpoint_of(connection)
                if endpoint is not None and isinstance(error, _ITS_OWN):
                    endpoint.answered(well=False, now=self._clock.now)
                unanswered = isinstance(error, AnswerInvalid | StaleConnection) and connection is not None
                again = unanswered and resend and not body.sent and not _began(connection)
                if not again or not left:
                    raise
                carried.connection, carried.exposed = None, True
                if endpoint is not None:
                    tried.append(endpoint)
                if connection is not None:
                    self.release(connection)
                continue
            endpoint = _endpoint_of(carried.connection)
            if endpoint is not None:
                endpoint.answered(well=answer[0].status not in _UNWELL, now=self._clock.now)
            return answer
        raise AssertionError("the last address answers or raises")

    # -------------------------------------------------------------------------------------------- which address

    def _in_order(self) -> list[Endpoint]:
        """The addresses, those with the least to do first; those that are left out come last, and those that this
        request has failed at come after the others."""
        now = self._clock.now
        count = len(self.addresses)
        turned = [self.addresses[(self._turn + at) % count] for at in range(count)]
        return sorted(turned, key=lambda each: (each in self._avoided, not each.is_in(now), each.busy))

    def _kept(self, resend: bool, upgrade: bool) -> BackendConnection | None:
        endpoint = self._in_order()[0]
        while endpoint.idle:
            young = self._clock.now - endpoint.idle[-1].idle_since <= UNSAFE_REUSE
            if not resend and (upgrade or not young):
                return None
            connection = endpoint.idle.pop()
            if not connection.lost:
                endpoint.used.add(connection)
                return connection
        return None

    async def _connect(self, carried: Carried, within: float) -> BackendConnection:
        """A new connection, to the first address that can be reached."""
        began, failure = perf_counter(), BackendError("there is no address")
        for endpoint in self._in_order():
            endpoint.connecting += 1
            try:
                connection = await Connecting(self._open_to(endpoint), self._clock, within).result()
            except (OSError, ssl.SSLError) as error:
                failure = ConnectFailed(f"{endpoint.name}: {error}")
            except NotAcquired as error:
                failure = error
            else:
                connection.endpoint = endpoint
                endpoint.used.add(connection)
                carried.connect = perf_counter() - began
                return connection
            finally:
                endpoint.connecting -= 1
            endpoint.answered(well=False, now=self._clock.now)
        raise failure

    async def _open_to(self, endpoint: Endpoint) -> BackendConnection:
        return await self._open_one(endpoint.backend, endpoint.resolver)

    # -------------------------------------------------------------------------------------------- giving back

    def let_go(self, connection: BackendConnection) -> None:
        if (endpoint := _endpoint_of(connection)) is not None:
            endpoint.used.discard(connection)
        super().let_go(connection)

    def release(self, connection: BackendConnection) -> None:
        endpoint = _endpoint_of(connection)
        self.let_go(connection)
        keeps = not self._retired and endpoint is not None and len(endpoint.idle) < self.backend.max_idle
        if connection.put_by(self.backend.idle) and keeps and endpoint is not None:
            endpoint.idle.append(connection)
        elif not connection.lost:
            connection.close()

    def _stale(self, connection: BackendConnection) -> None:
        endpoint = _endpoint_of(connection)
        if endpoint is not None:
            idle, endpoint.idle = endpoint.idle, []
            for each in idle:
                each.close()

    def _drop_idle(self) -> None:
        for endpoint in self.addresses:
            idle, endpoint.idle = endpoint.idle, []
            for connection in idle:
                connection.close()

    def _lost(self, connection: BackendConnection) -> None:
        self.let_go(connection)
        endpoint = _endpoint_of(connection)
        if endpoint is not None and connection in endpoint.idle:
            endpoint.idle.remove(connection)


class GuardedSeveralPool(GuardedPool, SeveralPool):
    """The same for a backend that is protected: its bounds are those of all addresses together."""


def _endpoint_of(connection: BackendConnection | None) -> Endpoint | None:
    found: Endpoint | None = connection.endpoint if connection is not None else None
    return found


def _began(connection: BackendConnection | None) -> bool:
    """Whether a byte of an answer has come."""
    return connection is not None and connection.began
