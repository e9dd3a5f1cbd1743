"""WebSocket passes through as a tunnel; an upgrade that is refused, unasked or laden with a body smuggles nothing."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from socket import SHUT_WR
from time import sleep

import pytest
from aiohttp import ClientSession, WSMsgType, web

from tests.support.client import HOST
from tests.support.gateway import Gateway
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, eventually

UPGRADE = (
    f"GET /tunnel HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Own: yes\r\n\r\n"


@pytest.fixture(scope="module")
def echo_port() -> Iterator[int]:
    """A real WebSocket server that echoes."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(_echo_app())

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    port = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield port
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def _echo_app() -> web.Application:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/socket", echo)
    return app


@pytest.fixture(scope="module")
def gateway(origin: Origin, echo_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    routes = f"""version: 1
gateway: {{access_log: {{to: "off"}}, timeout: {{body_idle: 1s, answer_idle: 1s}}, keep_alive: 1s}}
backends:
  one: {{url: "{origin.url}"}}
  echo: {{url: "http://127.0.0.1:{echo_port}"}}
routes:
  - {{name: everything, match: ANY /**, legacy: one}}
  - {{name: echo, match: GET /socket, legacy: echo}}
"""
    with Gateway(tmp_path_factory.mktemp("gateway"), routes) as gateway:
        yield gateway


async def test_a_websocket_echoes(gateway: Gateway) -> None:
    """Messages of all sizes go both ways, and the end of one side is the end of the other."""
    async with (
        ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{gateway.port}/socket", max_msg_size=0) as socket,
    ):
        for size in (1, 200, 70_000, 2_000_000):
            await socket.send_bytes(b"x" * size)
            assert len((await socket.receive(5)).data) == size
        await socket.send_str("goodbye")
        assert (await socket.receive(5)).data == "goodbye"


async def test_a_quiet_websocket_stays_open(gateway: Gateway) -> None:
    """A tunnel has no deadline of the gateway's: it may be silent for longer than any of them."""
    async with (
        ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{gateway.port}/socket") as socket,
    ):
        await asyncio.sleep(2.0)
        await socket.send_str("still here")
        assert (await socket.receive(5)).data == "still here"


def test_what_follows_the_handshake_at_once_is_tunnelled(gateway: Gateway, origin: Origin) -> None:
    """Bytes sent right behind the handshake, on either side, belong to the tunnel and arrive."""

    def script(talk: Talk) -> None:
        talk.send(SWITCHED + b"early from the backend")
        while data := talk.reader.some():
            talk.send(b"<" + data + b">")

    origin.on("/tunnel", script)
    with gateway.client() as client:
        client.send(UPGRADE + b"early from the client")
        head = client.hear_head()
        assert (head.status, head.get("Upgrade"), head.get("X-Own")) == (101, "websocket", "yes")
        heard = b""
        while not heard.endswith(b"<early from the client>"):
            heard += client.reader.some()
        assert heard == b"early from the backend<early from the client>"
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert client.reader.some() == b"<GET / HTTP/1.1\r\n\r\n>"
    sent = origin.seen("/tunnel")
    assert all((each.get("Upgrade"), each.get("Connection")) == ("websocket", "Upgrade") for each in sent)


def test_either_end_ends_the_tunnel(gateway: Gateway, origin: Origin) -> None:
    """When the backend goes, the client's connection ends; when the client goes, the backend's."""
    ended: list[bytes] = []

    def goes(talk: Talk) -> None:
        talk.send(SWITCHED)
        talk.close()

    def waits(talk: Talk) -> None:
        talk.send(SWITCHED)
        ended.append(talk.reader.some())

    origin.on("/tunnel", goes)
    with gateway.client() as client:
        client.send(UPGRADE)
        assert client.hear_head().status == 101
        assert client.has_ended()
    origin.on("/tunnel", waits)
    with gateway.client() as client:
        client.send(UPGRADE)
        assert client.hear_head().status == 101
    assert eventually(lambda: ended == [b""])


def test_an_ended_tunnel_leaves_nothing_open(gateway: Gateway, origin: Origin) -> None:
    """Tunnels that both ends have closed are gone: no connection of theirs stays in the data process."""
    descriptors = Path(f"/proc/{gateway.data_pid}/fd")

    def script(talk: Talk) -> None:
        talk.send(SWITCHED)
        talk.reader.rest()

    origin.on("/tunnel", script)
    assert eventually(lambda: gateway.status["data"]["connections"] == 0)
    before = len(list(descriptors.iterdir()))
    for _ in range(10):
        with gateway.client() as client:
            client.send(UPGRADE)
            assert client.hear_head().status == 101
            client.sock.shutdown(SHUT_WR)
            assert client.has_ended()
    assert eventually(lambda: gateway.status["data"]["connections"] == 0)
    assert eventually(lambda: len(list(descriptors.iterdir())) <= before)


def test_a_tunnel_waits_for_the_slower_end(gateway: Gateway, origin: Origin) -> None:
    """A client that does not read stops the backend, not the gateway's memory."""
    sent: list[int] = []

    def floods(talk: Talk) -> None:
        talk.send(SWITCHED)
        for _ in range(200):
            talk.send(b"x" * 1_000_000)
            sent.append(1)

    origin.on("/tunnel", floods)
    before = gateway.memory()
    with gateway.client(receive_buffer=8_192) as client:
        client.send(UPGRADE)
        assert client.hear_head().status == 101
        sleep(1.0)
        assert len(sent) < 40
        assert gateway.memory() - before < 10_000_000


@pytest.mark.parametrize("framing", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_an_upgrade_with_a_body_is_refused(gateway: Gateway, origin: Origin, framing: str) -> None:
    """A POST with Upgrade and a body gets 400, and not a byte of it reaches the backend as a second request."""
    before = len(origin.received())
    with gateway.client() as client:
        client.send(
            f"POST /smuggle HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{framing}\r\n\r\n"
            f"GET /smuggled HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        )
        reply = client.hear()
        assert (reply.status, reply.get("Connection")) == (400, "close")
        assert client.has_ended()
    assert len(origin.received()) == before


def test_a_refused_upgrade_is_followed_by_the_next_request(gateway: Gateway, origin: Origin) -> None:
    """A backend that answers plainly: the connection goes on with HTTP, for what was sent behind it too."""
    origin.on("/tunnel", answer(b"no tunnel here", status=426))
    origin.on("/second", answer(b"second"))
    with gateway.client() as client:
        client.send(UPGRADE + f"GET /second HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert (client.hear().status, client.hear().body) == (426, b"second")
        assert client.get("/second").body == b"second"


def test_an_unasked_switch_is_502(gateway: Gateway, origin: Origin) -> None:
    """A 101 that nobody asked for is a broken answer, and opens no tunnel."""
    origin.on("/unasked", SWITCHED + b"anything")
    with gateway.client() as client:
        assert client.get("/unasked").status == 502
        assert client.get("/second").status == 200


def test_other_protocols_are_not_tunnelled(gateway: Gateway, origin: Origin) -> None:
    """`Upgrade: h2c` is left out, and the request is served as it is."""
    origin.on("/h2c", answer(b"plain"))
    reply = gateway.get("/h2c", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    assert reply.body == b"plain"
    sent = origin.seen("/h2c")[-1]
    assert (sent.get("Upgrade"), sent.get("HTTP2-Settings")) == (None, None)
