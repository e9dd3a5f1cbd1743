"""One attempt on one backend: a call, the wire it is sent on, and what came of it."""

from collections.abc import Awaitable
from time import perf_counter

from connectors.base import Call
from gateway.core.fields import Fields
from gateway.core.forwarding import Network, client_address, status_line
from gateway.core.headers import Kind, kind_of
from gateway.core.model import Acted, Outcome, Request, Role
from gateway.core.planning import Plan, PlannedRoute
from gateway.errors import AnswerTimeout, BackendError, ClientGone, NotAcquired, NotAdmitted
from gateway.wire.client import BackendConnection
from gateway.wire.exchange import Exchange
from gateway.wire.pool import Judged, Parcel, Pool

REFUSED = Outcome.REFUSED


class Attempt(Call):
    """A call under way.

    `connection` carries it; `connect` is the seconds it took to make one (0 for a kept one); `pinned` says that the
    connection is the client's own; `role` whose request it is; `status` that of an answer which the client never got.
    `asked` is the request as the client sent it, and `asked_body` its body where that was another: a side may call
    things otherwise.
    """

    __slots__ = (
        "_pool",
        "acted",
        "asked",
        "asked_body",
        "connect",
        "connection",
        "error",
        "exchange",
        "outcome",
        "pinned",
        "role",
        "status",
        "trusted",
    )

    def __init__(
        self,
        exchange: Exchange,
        request: Request,
        route: PlannedRoute,
        plan: Plan,
        lines: bytes,
        pool: Pool,
    ) -> None:
        self.request = request
        self.route = route
        self.plan = plan
        self.lines = lines
        self.body = exchange.body
        self.exchange = exchange
        self.role: Role = "live"
        self.outcome = REFUSED
        self.acted: Acted = "no"
        self.error = ""
        self.pinned = request.pinned
        self.connection: BackendConnection | None = None
        self.connect = 0.0
        self.turn = None
        self.exposed = False
        self.trusted: tuple[Network, ...] = ()
        self.asked = request
        self.asked_body: bytes | None = None
        self.status = 0
        self._pool = pool
        pins = exchange.connection.pins
        if pins:
            self.pinned = True
            self.connection = pins.pop(pool, None)

    @property
    def client(self) -> bytes:
        """The client's address, as far as a proxy that is trusted tells it."""
        return client_address(self.exchange.connection.peer, self.asked, self.trusted)

    @property
    def left(self) -> float:
        """Seconds that are left of `total` since the request came: what waited and failed before has taken the rest."""
        return self.plan.timeouts.total - (perf_counter() - self.exchange.began)

    def send(self, parcel: Parcel) -> Awaitable[Judged]:
        """Send something to the backend, and wait for the head of its answer. Raises BackendError."""
        return self._pool.send(self, parcel)

    def client_left(self) -> None:
        """Give up with the client what waits for its turn, and a safe request; an unsafe one is finished."""
        if self.turn is not None and self.turn.waiter is not None:
            self.turn.waiter.give_up(ClientGone())
        elif self.connection is not None and self.request.method in self.route.safe:
            self.connection.abort(ClientGone())

    def interim(self, status: int, reason: bytes, raw: Fields) -> None:
        """Pass a 1xx answer on (RFC 9110, section 15.2); 100 only to a client that waits for it."""
        request, client = self.request, self.exchange.connection
        if request.http_1_0 or (status == 100 and not request.expect) or client.gone:
            return
        lines = [b"%b: %b\r\n" % field for field in raw if kind_of(field[0]) is Kind.PASS]
        client.write(status_line(status, reason) + b"".join(lines) + b"\r\n")

    def failed(self, error: BackendError) -> None:
        """Note how the attempt failed."""
        if isinstance(error, NotAdmitted):
            self.outcome = REFUSED
        else:
            late = isinstance(error, AnswerTimeout | NotAcquired)
            self.outcome = Outcome.TIMEOUT if late else Outcome.BACKEND_ERROR
        self.acted = "maybe" if error.request_sent else "no"
        self.error = error.kind

    def end(self) -> None:
        """The backend has done its part, or failed to: give the connection back."""
        connection = self.connection
        self.connection = None
        if connection is None:
            return
        if self.pinned:
            self._pin(connection)
        else:
            self._pool.release(connection)

    def _pin(self, connection: BackendConnection) -> None:
        """NTLM and Negotiate authenticate a connection: from now on it serves this client's connection alone."""
        client = self.exchange.connection
        if self._pool.reserve(connection):
            if client.gone:
                connection.close()
            else:
                client.pins[self._pool] = connection

    def keep(self) -> BackendConnection:
        """Take the connection out of the pool for good: it becomes a tunnel."""
        connection = self.connection
        assert connection is not None, "only an answered attempt can be kept"
        self.connection = None
        self._pool.let_go(connection)
        return connection
