"""The processes of the demo: started in order, ended in the opposite one, each by its own process id.

They run in sessions of their own, so that Ctrl-C reaches the demo alone, which then ends them in an order that drops
nothing.
"""

import asyncio
import os
import signal
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from gateway.demo.traffic import Address, Connection
from gateway.errors import CommandError

PATIENCE = 15.0
"""Seconds that a process gets to be ready, and to end."""


class Member(NamedTuple):
    """A running process and the file that takes what it prints."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    def obituary(self, how: str = "ended by itself") -> str:
        """That it ended, and the last it said."""
        return f"The {self.name} {how}: exit code {self.process.returncode}. It printed:\n{self.last_words}"

    @property
    def last_words(self) -> str:
        """The end of what it printed."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


class Company:
    """All processes; leaving the context ends them, and whatever they left listening in the folder, which is ours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._members: list[Member] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for member in reversed(self._members):
            await _end(member)
        await _end_listeners(self._folder)

    async def start(self, name: str, command: list[str], environ: Mapping[str, str]) -> Member:
        """Start a process that prints into a file of its own."""
        log = self._folder / f"{name}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environ),
                start_new_session=True,
            )
        member = Member(name, process, log)
        self._members.append(member)
        return member


async def listening(member: Member, address: Address) -> None:
    """Wait until the process takes connections."""
    await _until(member, lambda: _connects(address), f"take connections on {address}")


async def ready(member: Member, admin: Address) -> None:
    """Wait until the gateway says that it is ready."""
    await _until(member, lambda: _says_ready(admin), f"answer 200 at http://{admin}/readyz")


def is_free(address: Address) -> bool:
    """Whether a process could listen there."""
    try:
        _bound(address).close()
    except OSError:
        return False
    return True


def free_port(host: str) -> int:
    """A port on which nobody listens."""
    with _bound(Address(host, 0)) as held:
        port: int = held.getsockname()[1]
        return port


def _bound(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    held = socket.socket(family, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind(address)
    except OSError:
        held.close()
        raise
    return held


async def _until(member: Member, reached: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not await reached():
                if member.process.returncode is not None:
                    raise CommandError(member.obituary())
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        message = f"The {member.name} did not {what} within {PATIENCE:g} s. It printed:\n{member.last_words}"
        raise CommandError(message) from error


async def _connects(address: Address) -> bool:
    try:
        _, writer = await asyncio.open_connection(address.host, address.port)
    except OSError:
        return False
    writer.close()
    return True


async def _says_ready(admin: Address) -> bool:
    connection = Connection(admin)
    try:
        reply = await connection.exchange(f"GET /readyz HTTP/1.1\r\nHost: {admin}\r\n\r\n".encode())
    except OSError:
        return False
    finally:
        connection.close()
    return reply.status == 200


async def _end(member: Member) -> None:
    """Ask it to end, and insist after a while."""
    process = member.process
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(PATIENCE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _end_listeners(folder: Path) -> None:
    """End what still listens in our folder: the gateway's data process outlives a control process that was killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _listeners(folder):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        for _ in range(int(PATIENCE / 0.05)):
            if not _listeners(folder):
                return
            await asyncio.sleep(0.05)


def _listeners(folder: Path) -> set[int]:
    """The processes that listen on Unix sockets in a folder."""
    return {_listener(path) for path in folder.rglob("*") if path.is_socket()} - {0}


def _listener(path: Path) -> int:
    """The process that listens on a Unix socket, as the kernel knows it (SO_PEERCRED); 0 when none does."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return 0
        pid, _, _ = struct.unpack("3i", probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(pid)
