"""Control's hold on the data process: start it, adopt one that is still serving, start it again when it dies.

Control keeps the listening socket open as well, so connections wait in the kernel while a dead data process is
replaced.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from gateway import __version__
from gateway.core.captured import Passing, Recorded, Skipped
from gateway.core.crosswalk import Pair
from gateway.core.model import Estate, Observation
from gateway.core.policies import Standing, StoreSettings
from gateway.core.writing import Asked
from gateway.errors import CommandError
from gateway.processes.channel import PROTOCOL, SLICE, SOCKET, Channel, Message, connect_unix

LOCK = "control.lock"
BACKLOG = 4_096
CRASHES = 5
CRASH_WINDOW = 10.0
CRASH_PAUSE = 1.0
SOON = 0.05
SOME_PAIRS = 1_000
"""Identifiers per message: about a millisecond of work for the data process."""
TAKING = 15.0
"""Seconds until a table must serve."""
STANDING = 5.0
"""Seconds until the data process must have taken an override or a ramp's position."""


class Address(NamedTuple):
    """Where to listen: a host (name or number, IPv6 without brackets) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Hello(NamedTuple):
    """What a data process says of itself first: `session` names it among all there ever were."""

    protocol: int
    pid: int
    revision: int
    version: str
    session: str


Reply = Callable[..., object]
_observation: Callable[[tuple[Any, ...]], Observation] = partial(tuple.__new__, Observation)


class Supervisor:
    """Keeps exactly one data process serving. `on_event` is told what happens: a name and its fields."""

    def __init__(
        self,
        folder: Path,
        listen: Address,
        *,
        on_observations: Callable[[list[Observation]], None],
        on_passed: Callable[[list[Passing], Skipped], None],
        on_captured: Callable[[int, list[Recorded], dict[str, int]], None],
        on_store: Callable[[str, list[Asked], Reply], None],
        on_event: Callable[..., None],
        python: str = sys.executable,
    ) -> None:
        self._folder = folder
        self._listen = listen
        self._on_observations = on_observations
        self._on_passed = on_passed
        self._on_captured = on_captured
        self._on_store = on_store
        self.sessions: set[str] = set()
        self._on_event = on_event
        self._python = python
        self._listener: socket.socket | None = None
        self._channel: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._estate: Estate | None = None
        self._deaths: list[float] = []
        self._stopping = False
        self._gone = asyncio.Event()
        self._live = asyncio.Event()
        self._reviving: asyncio.Task[None] | None = None
        self._standings: dict[str, Standing] = {}
        self._number = self._stands = 0
        self._moved = asyncio.Event()
        self.pid = 0
        self.revision = 0
        self.live_revision = 0
        self.rejected = ""
        self.stats: dict[str, object] = {}
        self._breakers: dict[str, str] = {}
        self._share: tuple[int, float | None] | None = None
        self._share_number = self._uses = 0
        self.restarts = 0
        self._session = ""
        self._pairs: list[Pair] = []
        self._pairs_complete = False
        self._pairs_told = 0
        self._pairs_turn = asyncio.Lock()
        self._telling: asyncio.Task[None] | None = None
        self._knows_pairs: Channel | None = None

    # -------------------------------------------------------------------------------------------- starting

    async def start(self) -> None:
        """Adopt the data process that serves already, or start one. Raises CommandError when the address is taken."""
        found = self._find()
        if found is None:
            self._listener = bind(self._listen)
            await self._launch()
            return
        connection, listener, hello = found
        self._listener = listener
        protocol, pid, revision, version, session = hello
        if protocol == PROTOCOL and version == __version__ and self._is_ours(listener):
            self.pid, self.revision = pid, revision
            await self._attach(connection, session)
            self._on_event("data_process_adopted", pid=pid, revision=revision)
            return
        await self._replace(connection, pid, session)

    def _find(self) -> tuple[socket.socket, socket.socket, Hello] | None:
        """A data process that is serving from this folder: the way to it, its listening socket, its greeting."""
        path = self._folder / SOCKET
        if not path.exists():
            return None
        try:
            connection = connect_unix(path)
        except OSError:
            return None
        connection.settimeout(5)
        try:
            data, descriptors, _, _ = socket.recv_fds(connection, 256, 1)
        except OSError:
            data, descriptors = b"", []
        if not data or not descriptors:
            connection.close()
            return None
        return connection, socket.socket(fileno=descriptors[0]), _hello(data)

    def _is_ours(self, listener: socket.socket) -> bool:
        host, port = listener.getsockname()[:2]
        return port == self._listen.port and host in _numeric(self._listen)

    async def _replace(self, connection: socket.socket, pid: int, session: str) -> None:
        """The one that serves is of another version, or listens elsewhere: it finishes, and a new one takes over."""
        if not (self._listener is not None and self._is_ours(self._listener)):
            if self._listener is not None:
                self._listener.close()
            self._listener = bind(self._listen)
        self.sessions.add(session)
        await self._launch()
        old = Channel(self._heard_of_old, lambda _channel: self.sessions.discard(session))
        connection.setblocking(False)
        await asyncio.get_running_loop().create_unix_connection(lambda: old, sock=connection)
        old.send(("drain", 30.0))
        self._on_event("data_process_replaced", old_pid=pid, pid=self.pid)

    def _heard_of_old(self, channel: Channel, message: Message) -> None:
        """What one that is being replaced has begun to write is still stored."""
        match message:
            case ("store", str(session), list(batch)):
                self._on_store(session, batch, lambda *answer: channel.send(answer))

    async def _launch(self) -> None:
        assert self._listener is not None
        (self._folder / SOCKET).unlink(missing_ok=True)
        descriptor = self._listener.fileno()
        command = [self._python, "-m", "gateway", "data", str(self._folder), str(descriptor)]
        self._process = _started(command, descriptor)
        patience = AsyncRetrying(
            wait=wait_fixed(0.01), stop=stop_after_delay(15), retry=retry_if_exception_type(OSError), reraise=True
        )
        async for attempt in patience:
            with attempt:
                if self._process.poll() is not None:
                    raise CommandError(f"The data process ended at once (exit {self._process.returncode}); see above.")
                connection = connect_unix(self._folder / SOCKET)
        connection.settimeout(5)
        data, descriptors, _, _ = socket.recv_fds(connection, 256, 1)
        for each in descriptors:
            os.close(each)
        self.pid = self._process.pid
        await self._attach(connection, _hello(data).session)
        self._on_event("data_process_started", pid=self.pid)

    async def _attach(self, connection: socket.socket, session: str) -> None:
        connection.setblocking(False)
        self._session = session
        self.sessions.add(session)
        self._live.clear()
        channel = self._channel = Channel(self._received, self._lost)
        await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=connection)

    # -------------------------------------------------------------------------------------------- while it serves

    def _received(self, channel: Channel, message: Message) -> None:
        if channel is not self._channel:
            return
        match message:
            case ("observations", batch):
                self._on_observations(list(map(_observation, batch)))
            case ("passed", list(requests), dict(skipped)):
                self._on_passed(requests, skipped)
            case ("captured", int(number), list(taken), dict(dropped)):
                self._on_captured(number, taken, dropped)
            case ("store", str(session), list(batch)):
                self._on_store(session, batch, lambda *answer: channel.send(answer))
            case ("stands", int(number)):
                self._stands = number
                self._moved.set()
            case ("uses", int(number)):
                self._uses = number
            case ("stats", dict(stats)):
                self._tell_breakers(stats.get("guards", {}))
                self.stats = stats
            case ("live", int(revision)):
                self.live_revision = revision
                self.rejected = ""
                self._live.set()
            case ("rejected", int(revision), str(why)):
                self.rejected = why
                self._live.set()
                self._on_event("table_rejected", revision=revision, why=why)
            case ("drained", int(left)):
                self._on_event("data_process_drained", connections_left=left)
            case ("refused", str(why)):
                self._on_event("data_process_refused", why=why)
            case _:
                self._on_event("data_process_refused", why=f"unknown message {message[0]!r}")

    def _tell_breakers(self, guards: Mapping[str, tuple[int, int, str, int, float]]) -> None:
        """Tell of each breaker that opened or closed since the last time."""
        for name, (_, _, state, _, _) in guards.items():
            before = self._breakers.get(name, "closed")
            if state in ("open", "closed") and state != before:
                self._breakers[name] = state
                self._on_event("breaker_opened" if state == "open" else "breaker_closed", backend=name)

    async def serve(self, estate: Estate) -> int:
        """Have the data process serve an estate; returns the table's revision, once it does.

        Raises CommandError when it will not: then what served before goes on serving.
        """
        previous, self._estate = self._estate, estate
        revision = await self._send(estate)
        try:
            await self._taken()
        except CommandError:
            self._estate = previous
            if previous is not None and self.live_revision == 0:
                await self._send(previous)
            raise
        return revision

    def stand(self, standings: Mapping[str, Standing]) -> None:
        """Have the data process go by these overrides and positions, and no others. Without one, the next is told."""
        self._standings = dict(standings)
        self._number += 1
        self.order("stand", self._number, self._standings)

    async def stands(self) -> bool:
        """Whether the data process goes by what it was told to, within a few seconds."""
        number = self._number
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STANDING):
                while self._stands < number and self._channel is not None:
                    self._moved.clear()
                    await self._moved.wait()
        return self._stands >= number

    def share(self, count: int, until: float | None) -> None:
        """Have the data process use one of so many parts of what backends can bear, until then (monotonic seconds)."""
        if self._share is None or count != self._share[0]:
            self._share_number += 1
        self._share = (count, until)
        self._send_share()

    def uses(self) -> bool:
        """Whether the data process uses no more than the part that it was told to."""
        return self._uses == self._share_number and self._channel is not None

    def know(self, pairs: list[Pair], *, complete: bool) -> None:
        """Have the data process know these identifiers, too, and whether they are all; each next one is told anew."""
        self._pairs += pairs
        self._pairs_complete = complete
        if self._channel is not None and (self._telling is None or self._telling.done()):
            self._telling = asyncio.get_running_loop().create_task(self._tell_pairs(self._channel))

    async def _tell_pairs(self, channel: Channel) -> None:
        """Send what a data process does not know yet, at its pace; and only then whether that is all."""
        async with self._pairs_turn:
            if self._knows_pairs is not channel:
                self._knows_pairs, self._pairs_told = channel, 0
            while channel.open:
                await channel.writable()
                some = self._pairs[self._pairs_told : self._pairs_told + SOME_PAIRS]
                told = self._pairs_told + len(some)
                is_all = told == len(self._pairs)
                if channel.send(("pairs", some, is_all and self._pairs_complete)):
                    self._pairs_told = told
                    if is_all:
                        return
                else:
                    await asyncio.sleep(SOON)

    def _send_share(self) -> None:
        if self._share is not None:  # a data process that was adopted goes by what the last control told
            count, until = self._share
            self.order("parts", self._share_number, count, None if until is None else until - monotonic())

    async def _send(self, estate: Estate) -> int:
        """Send a table, in slices small enough not to hold up traffic."""
        self.revision += 1
        self._live.clear()
        self.rejected = ""
        revision, channel = self.revision, self._channel
        if channel is None:  # the next data process will be sent it
            return revision
        channel.send(("stand", self._number, self._standings))
        self._send_share()
        await self._tell_pairs(channel)
        await channel.writable()
        gateway = estate.gateway._replace(webhooks=(), store=StoreSettings())  # secrets that are control's alone
        channel.send(("table", revision, estate.digest, gateway, estate.backends))
        for start in range(0, len(estate.routes), SLICE):
            await channel.writable()
            channel.send(("routes", list(estate.routes[start : start + SLICE])))
        channel.send(("commit", revision))
        return revision

    async def _taken(self) -> None:
        try:
            await asyncio.wait_for(self._live.wait(), TAKING)
        except TimeoutError as error:
            raise CommandError(f"The data process did not take this configuration within {TAKING:g} s.") from error
        if self.rejected:
            raise CommandError(f"The data process cannot use this configuration: {self.rejected}")

    @property
    def serving(self) -> bool:
        return self._channel is not None and self._channel.open and self.live_revision > 0

    def order(self, *message: object) -> bool:
        """Send an order that has no answer."""
        return self._channel is not None and self._channel.send(message)

    # -------------------------------------------------------------------------------------------- when it ends

    def _lost(self, channel: Channel) -> None:
        if channel is not self._channel:
            return
        self._channel = None
        self.sessions.discard(self._session)
        self.live_revision = 0
        self._gone.set()
        self._moved.set()
        if not self._stopping:
            self._reviving = asyncio.get_running_loop().create_task(self._revive())

    async def _revive(self) -> None:
        """Start the data process again on the same socket, at once; pause only when it keeps dying."""
        self._on_event("data_process_died", pid=self.pid, exit_code=self._process.poll() if self._process else None)
        now = monotonic()
        self._deaths = [at for at in self._deaths if now - at < CRASH_WINDOW] + [now]
        if len(self._deaths) > CRASHES:
            await asyncio.sleep(CRASH_PAUSE)
        self.restarts += 1
        self._reap(0)
        try:
            await self._launch()
        except (CommandError, OSError) as error:
            self._on_event("data_process_not_started", why=str(error))
            self._reviving = asyncio.get_running_loop().create_task(self._revive())
            return
        if self._estate is not None:
            await self._send(self._estate)

    async def stop(self, drain_timeout: float) -> None:
        """Let the data process finish what it is doing; end it if it takes longer than `drain_timeout` seconds."""
        self._stopping = True
        if self._listener is not None:
            self._listener.close()
        self._gone.clear()
        if not self.order("drain", drain_timeout):
            return
        try:
            await asyncio.wait_for(self._gone.wait(), drain_timeout + 2)
        except TimeoutError:
            self._on_event("data_process_killed", pid=self.pid, why="it did not end within drain_timeout")
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self._reap(2)

    def give_up(self) -> None:
        """The start failed: a data process that was started ends, and one that was adopted goes on serving."""
        if self._stopping:
            return
        self._stopping = True
        if self._process is not None:
            self._process.terminate()
            self._reap(2)
        elif self._channel is not None:
            self._channel.close()

    def _reap(self, seconds: float) -> None:
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)


def _hello(data: bytes) -> Hello:
    """One of an older version says less."""
    protocol, pid, revision, version, *more = data.decode().split()
    return Hello(int(protocol), int(pid), int(revision), version, *more or ("",))


# ------------------------------------------------------------------------------------------------ sockets and locks


def parse_address(text: str) -> Address:
    """`HOST:PORT`, `[v6]:PORT` or `:PORT` (all addresses). Raises CommandError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise CommandError(f"{text!r} is not an address. Write HOST:PORT, for example 127.0.0.1:8080.")
    return Address(host.strip("[]") or "::", int(port))


_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(32 * 2**20)}
"""For glibc's allocator: the memory of a large message is kept for the next one. Fresh memory is cleared page by page
when it is first touched, which for 8 MiB takes longer than the loop may be away from traffic."""


def _started(command: list[str], descriptor: int) -> subprocess.Popen[bytes]:
    """A process of its own session, so that Ctrl-C in a terminal reaches control alone."""
    environment = {**_MEMORY, **os.environ}
    return subprocess.Popen(
        command, pass_fds=[descriptor], stdin=subprocess.DEVNULL, start_new_session=True, env=environment
    )


def _numeric(address: Address) -> set[str]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError:
        return {address.host}
    return {str(entry[4][0]) for entry in found}


def bind(address: Address) -> socket.socket:
    """The listening socket. Raises CommandError with what to do when the address cannot be had."""
    listener: socket.socket | None = None
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, where = found[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address.host == "::" else 1)
        listener.bind(where)
        listener.listen(BACKLOG)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise CommandError(
            f"Cannot listen on {address}: {error.strerror or error}. Choose another with --listen HOST:PORT."
        ) from error
    listener.setblocking(False)
    return listener


class FolderLock:
    """One control process per data folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = (folder / LOCK).open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            pid = self._file.read().strip() or "unknown"
            self._file.close()
            raise CommandError(
                f"Another banyan (process {pid}) uses the data folder {folder}. Stop it, or choose another with --data."
            ) from error
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        self._file.close()
