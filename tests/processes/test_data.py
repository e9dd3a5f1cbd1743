"""The data process as control sees it: over its socket, with nothing but messages."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.core.model import AccessLog, Gateway
from gateway.processes.channel import SOCKET, Channel, Message, connect_unix


class Control:
    """The other end of a data process' channel: sends orders and keeps what it is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Message] = asyncio.Queue()
        self.channel = Channel(lambda _, message: self.told.put_nowait(message), lambda _: None)

    async def hear(self, *kinds: str) -> Message:
        """The next message of one of these kinds."""
        async with asyncio.timeout(10):
            while True:
                message = await self.told.get()
                if message[0] in kinds:
                    return message

    def order(self, revision: int, *routes: Any) -> None:
        self.channel.send(("table", revision, "digest", Gateway(access_log=AccessLog("off")), ()))
        self.channel.send(("routes", list(routes)))
        self.channel.send(("commit", revision))


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[Control]:
    listener = socket.create_server(("127.0.0.1", 0))
    command = [sys.executable, "-m", "gateway", "data", str(tmp_path), str(listener.fileno())]
    process = await asyncio.create_subprocess_exec(*command, pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL)
    try:
        async with asyncio.timeout(10):
            while not (tmp_path / SOCKET).exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.02)
        connection = connect_unix(tmp_path / SOCKET)
        _, descriptors, _, _ = await asyncio.to_thread(socket.recv_fds, connection, 256, 1)
        for each in descriptors:
            os.close(each)
        connection.setblocking(False)
        one = Control()
        await asyncio.get_running_loop().create_unix_connection(lambda: one.channel, sock=connection)
        yield one
        one.channel.close()
    finally:
        process.kill()
        await process.wait()
        listener.close()


async def test_a_table_that_cannot_be_built_never_serves(control: Control) -> None:
    """Control is told why, the half-built table is dropped, and the next good one is taken."""
    control.order(1, "no route at all")
    told = await control.hear("rejected", "live")
    assert (told[0], "AttributeError" in told[2]) == ("rejected", True)
    control.order(2)
    assert await control.hear("rejected", "live") == ("live", 2)
