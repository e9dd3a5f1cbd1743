"""One attempt on one backend: a call, the wire it is sent on, and what came of it."""

from time import perf_counter

from connectors.base import Call
from gateway.core.forwarding import status_line
from gateway.core.headers import AnswerHead, Fields, Kind, kind_of
from gateway.core.model import Acted, Outcome, Request
from gateway.core.planning import Plan, PlannedRoute
from gateway.errors import AnswerTimeout, BackendError, NotAcquired
from gateway.wire.body import Body
from gateway.wire.client import BackendConnection
from gateway.wire.pool import Outgoing, Pool
from gateway.wire.server import Exchange


class Attempt(Call):
    """A call under way. `connected` and `first_byte` are seconds since the exchange began (-1: not reached)."""

    __slots__ = ("_pool", "acted", "connected", "connection", "error", "exchange", "first_byte", "outcome", "safe")

    def __init__(
        self,
        exchange: Exchange,
        request: Request,
        route: PlannedRoute,
        plan: Plan,
        places: tuple[int, ...],
        lines: bytes,
        pool: Pool,
    ) -> None:
        self.request = request
        self.route = route
        self.plan = plan
        self.places = places
        self.lines = lines
        self.body = exchange.body
        self.exchange = exchange
        self.safe = route.is_safe(request.method)
        self._pool = pool
        self.connection: BackendConnection | None = None
        self.connected = -1.0
        self.first_byte = -1.0
        self.outcome = Outcome.REFUSED
        self.acted: Acted = "no"
        self.error = ""

    async def send(self, outgoing: Outgoing) -> tuple[AnswerHead, Body]:
        """The wire, as a connector sees it."""
        outgoing.interim = self._interim
        answer = await self._pool.send(outgoing, self._carried)
        self.first_byte = perf_counter() - self.exchange.began
        return answer

    def _carried(self, connection: BackendConnection) -> None:
        """A connection was found. When the client leaves, a safe request is given up; an unsafe one is finished."""
        self.connection = connection
        self.connected = perf_counter() - self.exchange.began
        if self.safe:
            self.exchange.abort = connection.abort

    def _interim(self, status: int, reason: bytes, raw: Fields) -> None:
        """Pass a 1xx answer on (RFC 9110, section 15.2); 100 only to a client that waits for it."""
        request, client = self.request, self.exchange.connection
        if request.http_1_0 or (status == 100 and not request.expect) or client.gone:
            return
        lines = [b"%b: %b\r\n" % field for field in raw if kind_of(field[0]) is Kind.PASS]
        client.write(status_line(status, reason) + b"".join(lines) + b"\r\n")

    def failed(self, error: BackendError) -> None:
        """Note how the attempt failed."""
        late = isinstance(error, AnswerTimeout | NotAcquired)
        self.outcome = Outcome.TIMEOUT if late else Outcome.BACKEND_ERROR
        self.acted = "maybe" if error.request_sent else "no"
        self.error = error.kind

    def end(self) -> None:
        """The backend has done its part: give the connection back."""
        connection = self.connection
        if connection is not None:
            self.connection = None
            self.exchange.abort = None
            self._pool.release(connection)

    def keep(self) -> BackendConnection:
        """Take the connection out of the pool for good: it becomes a tunnel."""
        connection = self.connection
        assert connection is not None, "only an answered attempt has a connection to keep"
        self.connection = None
        self.exchange.abort = None
        self._pool.let_go(connection)
        return connection
