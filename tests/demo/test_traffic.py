"""The clients: what they send, what they count, and that they never send twice."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.demo import legacy
from gateway.demo.calls import Call
from gateway.demo.loyalty import Loyalty
from gateway.demo.tally import Tally
from gateway.demo.traffic import Address, Connection, Judged, Reply, Traffic, ask, judge

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
CALL = Call("repairs-list", "GET", "/housing/repairs", b"T100001")


@asynccontextmanager
async def listening(peer: Peer) -> AsyncIterator[Address]:
    """A raw server for the length of a test; it waits for its connections to end."""
    open_peers: set[asyncio.Task[None]] = set()

    async def follow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_peers.add(task)
        await peer(reader, writer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(follow, "127.0.0.1", 0)
    try:
        yield Address(*server.sockets[0].getsockname()[:2])
    finally:
        server.close()
        async with asyncio.timeout(5):
            await asyncio.gather(*open_peers)


def answering(*answers: bytes) -> tuple[Peer, list[bytes]]:
    """A server that gives these answers, one for each request, then closes; and the requests that came."""
    came: list[bytes] = []
    left = list(answers)

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(65_536):
            came.append(request)
            if not left:
                break
            writer.write(left.pop(0))

    return peer, came


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nX-Banyan-Served-By: new; b; repairs-list\r\n\r\nT100001"


async def test_one_connection_serves_many_requests() -> None:
    """Answers with a length and in chunks are read to their end, on one kept-alive connection."""
    peer, came = answering(
        OK, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nT10\r\n4\r\n0001\r\n0\r\n\r\n"
    )
    async with listening(peer) as address:
        connection = Connection(address)
        seen = [await ask(connection, address, "T100001", CALL) for _ in range(2)]
        connection.close()
    assert [(one.route, one.side, one.failure) for one in seen] == [
        ("repairs-list", "new", ""),
        ("repairs-list", "", ""),
    ]
    assert len(came) == 2


async def test_a_dropped_request_is_counted_and_not_repeated() -> None:
    """When the connection closes instead of an answer, the request failed; the next one opens a new connection."""
    peer, came = answering(OK)
    async with listening(peer) as address:
        connection = Connection(address)
        seen = [await ask(connection, address, "T100001", CALL) for _ in range(2)]
        connection.close()
    assert [o.failure for o in seen] == ["", "GET /housing/repairs: the connection closed before the answer was whole"]
    assert len(came) == 2


async def test_an_answer_that_says_close_is_the_last_on_its_connection() -> None:
    """Draining costs nothing: the next request goes over a fresh connection."""
    connections = 0

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.read(65_536)
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    async with listening(peer) as address:
        connection = Connection(address)
        seen = [await ask(connection, address, "T100001", CALL) for _ in range(2)]
    assert (connections, [one.failure for one in seen]) == (2, ["", ""])


async def test_what_is_no_http_and_nobody_there_are_failures() -> None:
    """Neither raises: a run goes on whatever the gateway does."""
    peer, _ = answering(b"SSH-2.0\r\n\r\n")
    async with listening(peer) as address:
        nonsense = await ask(Connection(address), address, "T100001", CALL)
    nobody = await ask(Connection(address), address, "T100001", CALL)
    assert "the answer is not HTTP" in nonsense.failure
    assert nobody.failure.startswith("GET /housing/repairs: ")


async def test_silence_is_a_failure_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client does not wait for ever."""
    monkeypatch.setattr("gateway.demo.traffic.PATIENCE", 0.05)

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(peer) as address:
        seen = await ask(Connection(address), address, "T100001", CALL)
    assert seen.failure == "GET /housing/repairs: no answer within 0.05 s"


def reply(status: int = 200, body: bytes = b"T100001", **fields: str) -> Reply:
    made = Reply()
    made.status = status
    made.body += body
    made.fields = {name.replace("_", "-"): value for name, value in fields.items()}
    return made


@pytest.mark.parametrize(
    ("answer", "side", "failure"),
    [
        (reply(x_banyan_served_by="new; b; r", x_demo_side="new"), "new", ""),
        (reply(), "", ""),
        (reply(410, b"gone"), "retired", ""),
        (reply(502), "", "answered 502 instead of 200"),
        (reply(body=b"T100002"), "", "the answer is not the one that was asked for"),
        (
            reply(x_banyan_served_by="new; b; r", x_demo_side="legacy"),
            "new",
            "the gateway says new, but legacy answered",
        ),
        (reply(location="http://h:2/x"), "", "the answer leads to h:2, behind the gateway"),
        (reply(location="http://h:1/x"), "", ""),
        (reply(location="/x"), "", ""),
    ],
)
def test_an_answer_is_right_or_has_a_reason(answer: Reply, side: str, failure: str) -> None:
    """Status, content, the side that claims it and where it leads are all looked at."""
    got = judge(CALL, answer, "h:1")
    assert (side, failure and f"GET /housing/repairs: {failure}", False) == got[1:]


@pytest.mark.parametrize(
    ("side", "body", "failure", "off"),
    [
        ("new", b"T100001 4.35", "", False),
        ("new", b"T100001 4.34", "", True),
        ("legacy", b"T100001 4.34", "GET /housing/repairs: the balance is not 4.35", False),
        ("new", b"T100002 4.34", "GET /housing/repairs: the answer is not the one that was asked for", False),
    ],
)
def test_a_wrong_balance_is_the_new_sides_alone(side: str, body: bytes, failure: str, off: bool) -> None:
    """What the planted fault gets wrong is off; the same from legacy, or anything worse, is a failure."""
    answer = reply(body=body, x_banyan_served_by=f"{side}; b; r")
    assert Judged("r", side, failure, off) == judge(CALL._replace(amount=b"4.35"), answer, "h:1")


def test_the_route_is_the_one_that_the_gateway_names() -> None:
    """Where the gateway says nothing, the route is the one that was meant."""
    named = judge(CALL, reply(x_banyan_served_by="legacy; b; other"), "h:1")[0]
    assert (named, judge(CALL, reply(), "h:1")[0]) == ("other", "repairs-list")


async def test_the_traffic_keeps_its_pace_and_ends_in_order() -> None:
    """Forty tenants at 200 requests a second, straight to the legacy system: all right, none lost when it stops."""

    @web.middleware
    async def sign(request: web.Request, handler: Callable[[web.Request], Awaitable[web.Response]]) -> web.Response:
        response = await handler(request)
        del response.headers["X-Demo-Side"]
        return response

    async with TestServer(legacy.back_office()) as server:
        tally, loyalty, stop = Tally(time.time()), Loyalty({}), asyncio.Event()
        assert server.port is not None
        address = Address("127.0.0.1", server.port)
        traffic = Traffic(address, tally, loyalty, clients=40, rate=200)
        flowing = asyncio.create_task(traffic.flow(stop))
        await asyncio.sleep(1.0)
        stop.set()
        async with asyncio.timeout(5):
            await flowing
    assert (list(tally.failures), loyalty.strays()) == ([], 0)
    assert 100 < tally.answered < 300


def test_an_address_is_written_as_in_a_url() -> None:
    """IPv6 in brackets."""
    assert [str(Address("127.0.0.1", 80)), str(Address("::1", 80))] == ["127.0.0.1:80", "[::1]:80"]
