from typing import Any

import pytest

from connectors.base import Call
from connectors.http import HttpConnector
from gateway.core.headers import AnswerHead
from gateway.core.model import LEGACY, NEW, Outcome, Placeholder, Request, Route, Target
from gateway.errors import AnswerTimeout, ClientError
from gateway.wire.body import Body, whole
from gateway.wire.pool import Judged, Outgoing, Parcel, judged
from tests.support.values import plan_of, request, route

LINES = b"X-Own: 1\r\n"


class Wire:
    """A wire that keeps what is sent and answers with one status."""

    def __init__(self, status: int = 200) -> None:
        self.sent: list[Outgoing] = []
        self.answer = judged(AnswerHead(status, b"", b"", 0, False, False), Body(None))

    async def send(self, parcel: Parcel) -> Judged:
        outgoing = Outgoing(*parcel)
        self.sent.append(outgoing)
        return self.answer


async def called(made: Route, asked: Request, wire: Wire) -> Judged:
    """What comes of a call to the new side."""
    planned = plan_of(made)
    caller = await HttpConnector().prepare(planned.plans[NEW])
    return await caller.call(Call(asked, planned, planned.plans[NEW], LINES, Body(None)), wire.send)


async def outgoing(made: Route, asked: Request) -> Outgoing:
    wire = Wire()
    await called(made, asked, wire)
    return wire.sent[0]


async def test_a_request_goes_on_as_it_came() -> None:
    """Method, path, query and fields reach the backend, with its own Host and the gateway's lines, once."""
    wire = Wire()
    await called(route("GET /a"), request("GET /a?b=[1]", "A: 1"), wire)
    assert [each.head for each in wire.sent] == [
        b"GET /a?b=[1] HTTP/1.1\r\nHost: repairs.internal\r\nA: 1\r\nX-Own: 1\r\n\r\n"
    ]


async def test_a_target_says_where_and_how() -> None:
    """A target's path and method are what the backend gets; a call to the other side knows nothing of them."""
    target = Target("repairs", (b"/v2/", Placeholder("path", b"id")), b"POST")
    wire = Wire()
    made = route("GET /a/{id}", new=target)
    await called(made, request("GET /a/%31"), wire)
    planned = plan_of(made)
    caller = await HttpConnector().prepare(planned.plans[LEGACY])
    await caller.call(Call(request("GET /a/%31"), planned, planned.plans[LEGACY], b"", Body(None)), wire.send)
    assert [each.head.split(b"\r\n")[0] for each in wire.sent] == [b"POST /v2/%31 HTTP/1.1", b"GET /a/%31 HTTP/1.1"]


async def test_a_path_that_cannot_be_filled_sends_nothing() -> None:
    """A request that lacks what the target's path needs is the client's to mend (422)."""
    wire = Wire()
    with pytest.raises(ClientError, match="422: The request has no query q"):
        await called(route(new=Target("repairs", (b"/", Placeholder("query", b"q")))), request("GET /a"), wire)
    assert wire.sent == []


@pytest.mark.parametrize(
    ("status", "outcome", "acted"),
    [
        (200, Outcome.OK, "yes"),
        (404, Outcome.OK, "yes"),
        (499, Outcome.OK, "yes"),
        (500, Outcome.BACKEND_ERROR, "maybe"),
        (503, Outcome.BACKEND_ERROR, "maybe"),
    ],
)
async def test_an_answer_is_judged_by_its_status(status: int, outcome: Outcome, acted: str) -> None:
    """A 4xx is an answer; from 500 on the backend failed, and may have acted all the same."""
    wire = Wire(status)
    answer = await called(route(), request("GET /a"), wire)
    assert answer == wire.answer
    assert answer[2:] == (outcome, acted)


async def test_a_failure_of_the_wire_is_the_caller_s() -> None:
    """What goes wrong on the wire is handed on as it is: it knows whether anything was sent."""

    async def late(_: Parcel) -> Any:
        raise AnswerTimeout("too late")

    planned = plan_of(route())
    caller = await HttpConnector().prepare(planned.plans[NEW])
    with pytest.raises(AnswerTimeout, match="too late"):
        await caller.call(Call(request("GET /a"), planned, planned.plans[NEW], LINES, Body(None)), late)


@pytest.mark.parametrize(
    ("start", "lines", "chunked"),
    [
        ("GET /a", (), False),
        ("POST /a", ("Content-Length: 5",), False),
        ("POST /a", ("Transfer-Encoding: chunked",), True),
    ],
)
async def test_a_body_is_framed_as_it_came(start: str, lines: tuple[str, ...], chunked: bool) -> None:
    """A body of unknown length goes on in chunks, and one of known length as it is."""
    assert (await outgoing(route("ANY /a"), request(start, *lines))).chunked == chunked


async def test_an_answer_without_a_body_is_expected_for_head_alone() -> None:
    """It is the method that the backend sees that decides whether its answer has a body."""
    assert (await outgoing(route(), request("HEAD /a"))).head_only
    assert not (await outgoing(route(), request("GET /a"))).head_only
    assert not (await outgoing(route(new=Target("repairs", method=b"GET")), request("HEAD /a"))).head_only
    assert (await outgoing(route(new=Target("repairs", method=b"HEAD")), request("GET /a"))).head_only


async def test_only_what_may_go_twice_is_sent_again() -> None:
    """A stale connection is tried again for idempotent requests: by the route's word, else by their own method."""
    assert (await outgoing(route(), request("GET /a"))).resend
    assert (await outgoing(route("ANY /a"), request("PUT /a"))).resend
    assert not (await outgoing(route("ANY /a"), request("POST /a"))).resend
    assert (await outgoing(route("ANY /a", idempotent=True), request("POST /a"))).resend
    assert not (await outgoing(route(safe=False), request("GET /a"))).resend
    assert not (await outgoing(route(new=Target("repairs", method=b"GET")), request("POST /a"))).resend


async def test_an_upgrade_is_announced() -> None:
    """A request to switch protocols says so to the wire, which then keeps the connection for it."""
    asked = request("GET /a", "Upgrade: websocket", "Connection: upgrade")
    assert (await outgoing(route(), asked)).upgrade
    assert not (await outgoing(route(), request("GET /a"))).upgrade


async def test_a_call_has_its_route_s_timeouts() -> None:
    """The deadlines of the plan go with the request."""
    assert (await outgoing(route(timeout=(("response", 1.5),)), request("GET /a"))).timeouts.response == 1.5


ENVELOPE = b"<e:Envelope xmlns:e='urn:e'><e:Body><e:Fault><faultcode>%b</faultcode></e:Fault></e:Body></e:Envelope>"


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (500, b"e:Client.NoSuchAccount", Outcome.BUSINESS_FAULT),
        (500, b"e:Server", Outcome.BACKEND_ERROR),
        (200, b"e:Client", Outcome.OK),
    ],
)
async def test_a_fault_that_blames_the_client_is_an_answer(status: int, code: bytes, outcome: Outcome) -> None:
    """Also where it only passes: its status says nothing, its code does; all of it is still there to be passed on."""
    planned = plan_of(route("SOAP /a#Get"))
    caller = await HttpConnector(envelopes=True).prepare(planned.plans[NEW])
    body = whole(ENVELOPE % code)

    async def send(parcel: Parcel) -> Judged:
        return judged(AnswerHead(status, b"", b"", -1, False, False), body)

    answer = await caller.call(Call(request("POST /a"), planned, planned.plans[NEW], LINES, Body(None)), send)
    assert answer[2] == outcome
    assert answer[1].take() == ENVELOPE % code


class Hurried(Call):
    """A call of which some time has gone."""

    @property
    def left(self) -> float:
        return 1.5


async def hurried(left: type[Call], *lines: str, total: float = 2.0) -> Outgoing:
    planned = plan_of(route("GET /a", timeout=(("total", total),)))
    wire = Wire()
    caller = await HttpConnector().prepare(planned.plans[NEW])
    await caller.call(left(request("GET /a", *lines), planned, planned.plans[NEW], LINES, Body(None)), wire.send)
    return wire.sent[0]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), b"1.500"),
        (("X-Request-Timeout: 0.7",), b"0.700"),
        (("x-request-timeout: 9",), b"1.500"),
        (("X-Request-Timeout: soon",), b"1.500"),
        (("X-Request-Timeout: -1",), b"1.500"),
        (("X-Request-Timeout: nan",), b"1.500"),
    ],
)
async def test_a_backend_is_told_how_much_time_is_left(lines: tuple[str, ...], said: bytes) -> None:
    """Of the route's total, by now, and by the client's own word, which changes nothing of how long we wait."""
    sent = await hurried(Hurried, *lines)
    assert sent.head.count(b"imeout: ") == 1
    assert b"X-Request-Timeout: %b\r\n" % said in sent.head
    assert sent.timeouts.total == 1.5


async def test_without_a_total_nothing_is_said() -> None:
    """What the client says passes as it came."""
    sent = await hurried(Hurried, "X-Request-Timeout: 0.7", total=0.0)
    assert b"X-Request-Timeout: 0.7\r\n" in sent.head
    assert sent.timeouts.total == 0
    assert b"X-Request-Timeout: 2.000\r\n" in (await hurried(Call)).head


async def test_where_no_time_is_left_nobody_is_asked() -> None:
    """An earlier try has taken all of it."""

    class Late(Call):
        @property
        def left(self) -> float:
            return -0.1

    with pytest.raises(ClientError, match="504: No time is left"):
        await hurried(Late)
