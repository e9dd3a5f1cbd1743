from connectors.base import Answer, Call, Caller, Connector, Kept, Send
from connectors.http import HttpCaller, HttpConnector
from gateway.core.headers import AnswerHead
from gateway.core.model import NEW, Outcome
from gateway.wire.body import EMPTY
from gateway.wire.pool import Outgoing
from tests.support.values import plan_of, request, route


def test_a_call_has_all_that_a_connector_needs() -> None:
    """A call is the request, its route, the plan of one side, and what the gateway adds."""
    made = plan_of(route("GET /a/{id}"))
    asked = request("GET /a/1")
    call = Call(asked, made, made.plans[NEW], b"X-Own: 1\r\n", EMPTY)
    assert (call.request, call.route, call.plan) == (asked, made, made.plans[NEW])
    assert (call.lines, call.body, call.given) == (b"X-Own: 1\r\n", EMPTY, {})


class Echo:
    """The smallest connector there can be: it answers without sending anything."""

    async def prepare(self, plan: object, kept: Kept | None = None) -> "Echo":
        return self

    async def call(self, call: Call, send: Send) -> Answer:
        return Answer(AnswerHead(200, b"", b"", 0, False, False), call.body, Outcome.OK, "yes")


async def unwanted(outgoing: Outgoing) -> tuple[AnswerHead, object]:
    raise AssertionError("nothing is to be sent")


async def test_two_methods_make_a_connector() -> None:
    """Whatever has `prepare` and `call` is a connector, and one that needs no wire leaves it alone."""
    connectors: list[Connector] = [Echo(), HttpConnector()]
    made = plan_of(route())
    plan = made.plans[NEW]
    callers: list[Caller] = [await connector.prepare(plan) for connector in connectors]
    assert isinstance(callers[1], HttpCaller)
    head, _, outcome, acted = await callers[0].call(Call(request(), made, plan, b"", EMPTY), unwanted)  # type: ignore[arg-type]
    assert (head.status, outcome, acted) == (200, "ok", "yes")
