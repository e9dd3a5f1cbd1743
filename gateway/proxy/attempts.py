"""One attempt on one backend: the connector called with the wire in its hand. What happened is kept for the record."""

from time import perf_counter

from connectors.base import Answer, Call, Caller
from gateway.core.headers import AnswerHead
from gateway.core.model import Acted, Outcome
from gateway.errors import AnswerTimeout, BackendError
from gateway.wire.body import Body
from gateway.wire.client import BackendConnection, Interim
from gateway.wire.pool import Outgoing, Pool
from gateway.wire.server import Exchange


class Attempt:
    """A request on its way to one backend. `connection` carries it; times are seconds since the attempt began."""

    __slots__ = (
        "_began",
        "_exchange",
        "_interim",
        "_pool",
        "_safe",
        "acted",
        "connected",
        "connection",
        "error",
        "first_byte",
        "outcome",
    )

    def __init__(self, pool: Pool, exchange: Exchange, *, safe: bool, interim: Interim) -> None:
        self._pool = pool
        self._exchange = exchange
        self._safe = safe
        self._interim = interim
        self._began = perf_counter()
        self.connection: BackendConnection | None = None
        self.connected = -1.0
        self.first_byte = -1.0
        self.outcome = Outcome.OK
        self.acted: Acted = "no"
        self.error = ""

    async def run(self, caller: Caller, call: Call) -> Answer:
        """The answer's head and a body that may still be coming. Raises BackendError, having noted it."""
        try:
            answer = await caller.call(call, self.send)
        except BackendError as error:
            self.failed(error)
            raise
        self.first_byte = perf_counter() - self._began
        self.outcome, self.acted = answer.outcome, answer.acted
        return answer

    async def send(self, outgoing: Outgoing) -> tuple[AnswerHead, Body]:
        """The wire, as a connector sees it."""
        outgoing.interim = self._interim
        return await self._pool.send(outgoing, self._carried_by)

    def _carried_by(self, connection: BackendConnection) -> None:
        """A connection was found. When the client leaves, a safe request is given up; an unsafe one is finished."""
        self.connection = connection
        self.connected = perf_counter() - self._began
        if self._safe:
            self._exchange.abort = connection.abort

    def failed(self, error: BackendError) -> None:
        """Note how the attempt failed."""
        self.outcome = (
            Outcome.TIMEOUT if isinstance(error, AnswerTimeout) or error.status == 504 else Outcome.BACKEND_ERROR
        )
        self.acted = "maybe" if error.request_sent else "no"
        self.error = error.kind

    def end(self) -> None:
        """Give the connection back."""
        connection = self.connection
        if connection is not None:
            self.connection = None
            self._exchange.abort = None
            self._pool.release(connection)

    def let_go(self, connection: BackendConnection) -> None:
        """The connection has become a tunnel."""
        self._pool.let_go(connection)
