"""A connection that was asked to stop, because it brought more than is held, reads on once its message has ended."""

import asyncio
from typing import Any

import pytest

from gateway.core.model import Limits, Timeouts
from gateway.wire.client import BackendConnection
from gateway.wire.clock import Clock
from gateway.wire.driver import Signal
from gateway.wire.exchange import Exchange
from gateway.wire.guard import Turn
from gateway.wire.server import Server, Settings


class Reading(asyncio.Transport):
    """A transport to nowhere that knows whether it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = True

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """It goes nowhere."""

    def close(self) -> None:
        """There is nothing to close."""

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 50_000) if name == "peername" else default


class Nobody:
    """Whoever has something sent."""

    connection: BackendConnection | None = None
    connect = 0.0
    turn: Turn | None = None
    exposed = False

    def interim(self, status: int, reason: bytes, raw: object) -> None:
        """There is none."""


@pytest.mark.parametrize("size", [1_000_000, 1_048_577, 1_300_000, 3_000_000])
def test_an_answer_that_comes_at_once(size: int) -> None:
    """Whoever takes it may be slow: the connection is put by in a state in which it brings the next answer."""
    connection, transport = BackendConnection(Clock(), lambda _: None), Reading()
    connection.connection_made(transport)
    connection.begin(Nobody(), Timeouts(), False, False)
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
    body = connection.answer_body()
    assert (body.ended, transport.reads) == (True, True)
    assert len(body.take()) == size
    assert connection.put_by(30.0)
    assert transport.reads


@pytest.mark.parametrize("size", [200_000, 262_145, 1_000_000])
async def test_a_request_that_comes_at_once(size: int) -> None:
    """The next request on its connection is read, however long nobody took its body."""
    served: list[Exchange] = []
    go = Signal()

    async def handler(exchange: Exchange) -> None:
        served.append(exchange)
        await go

    settings = Settings(Limits(), Timeouts(), 30.0, lambda _: False)
    client, transport = Server(handler, settings, Clock()).accept(), Reading()
    client.connection_made(transport)
    client.data_received(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
    assert (served[0].body.ended, transport.reads) == (True, True)
    deadline = client.deadline
    assert len(served[0].body.take()) == size
    assert (client.deadline, transport.reads) == (deadline, True)
    go.wake()
    client.data_received(b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
    assert len(served) == 2
    go.wake()
