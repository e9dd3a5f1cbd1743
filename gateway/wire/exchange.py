"""One request of a client and its answer, from the moment the head has been read until the record is written."""

from time import perf_counter, time
from typing import TYPE_CHECKING, Protocol

from gateway.core.forwarding import NO_IDS
from gateway.core.model import Request
from gateway.errors import ClientError
from gateway.wire.body import EMPTY, Body

if TYPE_CHECKING:
    from gateway.wire.server import ClientConnection

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class UnderWay(Protocol):
    """What is being done for a client: it is told when the client has left."""

    def client_left(self) -> None: ...


class Exchange:
    """One request and its answer. `fault` is set instead of `request` when the request cannot be served.

    `keep_alive` is what the client wishes; `close` what the answer says; `attempt` what is under way. The rest is kept
    for the record: `at` Unix seconds and `began` on the performance counter when the head had come, `first_byte`
    seconds later the answer's head (-1: not yet), the ids, the status answered and the bytes of its body, what went
    wrong.
    """

    __slots__ = (
        "at",
        "attempt",
        "began",
        "body",
        "bytes_out",
        "close",
        "connection",
        "error",
        "fault",
        "first_byte",
        "ids",
        "keep_alive",
        "request",
        "status",
    )

    def __init__(
        self, connection: "ClientConnection", request: Request | None, fault: ClientError | None, keep_alive: bool
    ) -> None:
        self.connection = connection
        self.request = request
        self.fault = fault
        self.body: Body = EMPTY
        self.keep_alive = keep_alive
        self.close = False
        self.attempt: UnderWay | None = None
        self.at = time()
        self.began = perf_counter()
        self.first_byte = -1.0
        self.ids = NO_IDS
        self.status = 0
        self.bytes_out = 0
        self.error = ""
