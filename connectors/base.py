"""What every connector is: two methods, whatever the protocol.

`prepare` once, when a routing table is built; `call` per request. `send` is handed in, so that a connector can be
tested without a socket, and so that one deadline and one pool wrap every protocol.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol

from gateway.core.headers import AnswerHead
from gateway.core.model import Acted, Outcome, Request
from gateway.core.planning import Plan, PlannedRoute
from gateway.wire.body import Body
from gateway.wire.guard import Turn
from gateway.wire.pool import Judged, Parcel

Send = Callable[[Parcel], Awaitable[Judged]]
"""The wire: sends a request to the plan's backend and waits for the answer's head. Raises BackendError."""
Kept = dict[str, Any]
"""What connectors keep for one backend while its pool lasts: sessions."""


class Call:
    """A request on its way to one side of its route.

    `lines` are the gateway's own fields for the backend. `exposed` tells that the backend may have got it in an earlier
    try, whatever comes of the last one. `turn` is its turn at the backend, where that is
    protected.
    """

    __slots__ = ("body", "exposed", "lines", "plan", "request", "route", "turn")

    def __init__(self, request: Request, route: PlannedRoute, plan: Plan, lines: bytes, body: Body) -> None:
        self.request = request
        self.route = route
        self.plan = plan
        self.lines = lines
        self.body = body
        self.turn: Turn | None = None
        self.exposed = False

    @property
    def left(self) -> float:
        """Seconds that are left of `total`, where the plan has one."""
        return self.plan.timeouts.total

    @property
    def given(self) -> Mapping[str, Any]:
        """What mappings may take of a request beside what HTTP brings."""
        return {}


class Answer(NamedTuple):
    """What came of a call, by names."""

    head: AnswerHead
    body: Body
    outcome: Outcome
    acted: Acted


class Caller(Protocol):
    """A target, ready to be called."""

    def call(self, call: Call, send: Send) -> Awaitable[Judged]: ...


class Connector(Protocol):
    """Speaks one protocol. `kept` is where it may keep what belongs to the plan's backend and outlives the table."""

    async def prepare(self, plan: Plan, kept: Kept | None = None) -> Caller: ...
