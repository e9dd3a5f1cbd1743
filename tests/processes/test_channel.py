"""Plain values cross from one process to the other, whole and in order, and neither end stalls the other."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.processes.channel import Channel, Message, connect_unix, listen_unix


class End:
    """One end of a channel and what it heard."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.lost = 0
        self.channel = Channel(self._received, self._gone)

    def _received(self, _channel: Channel, message: Message) -> None:
        self.heard.append(message)

    def _gone(self, _channel: Channel) -> None:
        self.lost += 1


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[End, End]]:
    loop = asyncio.get_running_loop()
    one, two = End(), End()
    for end, sock in zip((one, two), socket.socketpair(), strict=True):
        sock.setblocking(False)
        await loop.create_unix_connection(partial(getattr, end, "channel"), sock=sock)
    try:
        yield one, two
    finally:
        one.channel.close()
        two.channel.close()
        await until(lambda: one.lost and two.lost)


async def until(holds: Any) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - whatever it is that a test waits for
            await asyncio.sleep(0.005)


async def test_messages_arrive_whole_and_in_order() -> None:
    """Small and large ones, in both directions."""
    async with connected() as (one, two):
        sent: list[Message] = [("small", 1), ("large", b"x" * 3_000_000), ("values", None, 2.5, ("a", b"b"))]
        for message in sent:
            assert one.channel.send(message)
        assert two.channel.send(("back",))
        await until(lambda: len(two.heard) == 3 and len(one.heard) == 1)
        assert (two.heard, one.heard) == (sent, [("back",)])
        one.channel.close()
        await until(lambda: two.lost == 1)


async def test_each_message_gets_its_own_turn_of_the_loop() -> None:
    """Other work goes on between two messages, however many have come at once."""
    async with connected() as (one, two):
        turns: list[int] = []

        def count() -> None:
            turns.append(len(two.heard))
            if len(two.heard) < 50:
                asyncio.get_running_loop().call_soon(count)

        for number in range(50):
            one.channel.send(("message", number))
        count()
        await until(lambda: len(two.heard) == 50)
        assert len(set(turns)) > 40


async def test_an_end_that_does_not_read_is_noticed() -> None:
    """`send` says so instead of filling the memory, and works again later."""
    async with connected() as (one, two):
        assert two.channel._transport is not None
        two.channel._transport.pause_reading()
        taken = 0
        while one.channel.send(("much", b"x" * 1_000_000)):
            taken += 1
            assert taken < 20
        two.channel._transport.resume_reading()
        await until(lambda: len(two.heard) == taken)
        assert one.channel.send(("again",))


async def test_an_end_that_is_gone_is_told_once() -> None:
    """After that, sending is refused."""
    async with connected() as (one, two):
        two.channel.close()
        await until(lambda: one.lost == 1)
        assert not one.channel.open
        assert not one.channel.send(("anyone?",))
        one.channel.close()
        assert one.lost == 1


def test_sockets_have_room_in_deep_folders(tmp_path: Path) -> None:
    """The kernel takes 108 bytes of a path; a data folder may lie deeper. Only its owner may connect."""
    folder = tmp_path / ("deep-" * 20) / ("deeper-" * 20)
    folder.mkdir(parents=True)
    path = folder / "data.sock"
    with listen_unix(path) as first, listen_unix(path) as second, connect_unix(path) as near:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        second.setblocking(True)
        second.settimeout(2)
        far, _ = second.accept()
        with far:
            near.sendall(b"hello")
            assert far.recv(5) == b"hello"
        with pytest.raises(BlockingIOError):
            first.accept()
    assert [each.name for each in folder.iterdir()] == ["data.sock"]


def test_nobody_listening_is_an_os_error(tmp_path: Path) -> None:
    """Whoever connects decides what that means."""
    with pytest.raises(OSError, match=r"No such file|refused"):
        connect_unix(tmp_path / "nobody.sock")
