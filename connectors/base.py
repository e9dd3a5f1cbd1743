"""What every connector is: two methods, whatever the protocol.

`prepare` once, when a routing table is built; `call` per request. `send` is handed in, so that a connector can be tested
without a socket, and so that one deadline and one pool wrap every protocol.
"""

from typing import NamedTuple, Protocol

from gateway.core.headers import AnswerHead
from gateway.core.model import Acted, Outcome, Request
from gateway.core.planning import Plan, PlannedRoute
from gateway.wire.body import Body
from gateway.wire.pool import Outgoing


class Call(NamedTuple):
    """A request on its way to one side: `values` fill its path, `lines` are the gateway's own fields for the backend."""

    request: Request
    route: PlannedRoute
    plan: Plan
    values: tuple[bytes, ...]
    lines: bytes
    body: Body


class Answer(NamedTuple):
    """What came of a call: the answer, its outcome, and whether the backend may have acted."""

    head: AnswerHead
    body: Body
    outcome: Outcome
    acted: Acted


class Send(Protocol):
    """The wire: sends a request to the plan's backend. Raises BackendError."""

    async def __call__(self, outgoing: Outgoing) -> tuple[AnswerHead, Body]: ...


class Caller(Protocol):
    """A target, ready to be called."""

    async def call(self, call: Call, send: Send) -> Answer: ...


class Connector(Protocol):
    """Speaks one protocol."""

    async def prepare(self, plan: Plan) -> Caller: ...
