"""The data process: holds the listening socket, and its loop does nothing but traffic.

Control connects to its Unix socket, gets the listening socket's descriptor with the greeting, and sends tables. When
control goes, traffic goes on; the next control that connects is obeyed instead. Observations wait, within bounds.
"""

import asyncio
import gc
import os
import signal
import socket
import ssl
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic
from weakref import finalize

from gateway import __version__
from gateway.core.captured import Passing, Recorded, Skipped
from gateway.core.crosswalk import Pairs
from gateway.core.forwarding import is_trusted
from gateway.core.model import AccessLog, Backend, Gateway, Observed, Route
from gateway.core.policies import Standing
from gateway.core.writing import Asked
from gateway.processes.channel import CAN_WAIT, PROTOCOL, SOCKET, Channel, Message, listen_unix
from gateway.processes.stalls import StallProbe, Stalls
from gateway.proxy.capturing import Captures
from gateway.proxy.durable import Durable
from gateway.proxy.handler import Handler
from gateway.proxy.live import Live, LiveBuilder
from gateway.proxy.parts import Parts
from gateway.proxy.recorder import Recorder
from gateway.proxy.watching import Watch
from gateway.wire.clock import NEVER, TICK, Clock
from gateway.wire.server import Server, Settings

FLUSH, SAY = 2, 10
"""Ticks after which what was observed is handed on, and after which it is said how it goes."""
LAST_WORDS = 1.0
"""Seconds that control may take, at the end, to store what came of the last writes."""
DRAIN_GRACE = 0.5
"""Seconds in which idle clients may still send: a request that crosses our close would be lost."""


class DataProcess:
    """Traffic, and the few things control may ask for."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        self._folder = folder
        self._listener = listener
        self._clock = Clock(self._tick)
        self._ticks = 0
        self._recorder = Recorder(self._deliver)
        nothing = Gateway(access_log=AccessLog("off"))
        self._watch = Watch(self._deliver_passed)
        self._captures = Captures(self._deliver_captured)
        self._standings: dict[str, Standing] = {}
        self._parts = Parts(0)
        self._parts_number = self._parts_told = 0
        self._durable = Durable(self._store, self._clock)
        self._pairs = Pairs(complete=False)
        self._handler = Handler(Live(0, "", nothing, {}), self._recorder, self._watch, self._durable, self._pairs)
        self._server = Server(self._handler.serve, _settings(nothing, self._handler.live), self._clock)
        self._accepting: asyncio.Server | None = None
        self._tls: ssl.SSLContext | None = None
        self._channel: Channel | None = None
        self._builder: LiveBuilder | None = None
        self._orders: deque[Message] = deque()
        self._working: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[object]] = set()
        self._probe, self._stalls = StallProbe(), Stalls()
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Serve until told to drain."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._drain_by_signal)
        loop.add_signal_handler(signal.SIGINT, lambda: None)
        self._clock.start()
        greeting = listen_unix(self._folder / SOCKET)
        loop.add_reader(greeting.fileno(), self._greet, greeting)
        gc.set_threshold(20_000, 5, 1_000_000)
        gc.freeze()
        await self._ended.wait()
        self._clock.stop()
        loop.remove_reader(greeting.fileno())
        greeting.close()

    # -------------------------------------------------------------------------------------------- control

    def _greet(self, greeting: socket.socket) -> None:
        """A control process connects: it gets the listening socket and becomes the one that is obeyed."""
        connection, _ = greeting.accept()
        revision = self._handler.live.table.revision
        hello = f"{PROTOCOL} {os.getpid()} {revision} {__version__} {self._durable.session}".encode()
        socket.send_fds(connection, [hello], [self._listener.fileno()])
        connection.setblocking(False)
        if self._channel is not None:
            self._channel.close()
        self._channel = Channel(self._received, self._lost)
        channel = self._channel
        self._spawn(asyncio.get_running_loop().connect_accepted_socket(lambda: channel, connection))

    def _spawn(self, work: "asyncio._CoroutineLike[object]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _lost(self, channel: Channel) -> None:
        if channel is self._channel:
            self._channel = None
            self._builder = None
            self._watch.has_room(0)
            self._durable.lost()
            gc.enable()

    def _received(self, channel: Channel, message: Message) -> None:
        if channel is not self._channel:
            return
        self._orders.append(message)
        if self._working is None or self._working.done():
            self._working = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        """Carry out what control sent, in order, leaving the loop to traffic after each."""
        while self._orders:
            order = self._orders.popleft()
            try:
                await self._obey(order)
            except Exception as error:  # noqa: BLE001 - a table that cannot be built must not serve; control is told why
                self._builder = None
                gc.enable()
                self._tell("rejected", self._handler.live.table.revision + 1, f"{type(error).__name__}: {error}")
            await asyncio.sleep(0)

    async def _obey(self, message: Message) -> None:
        match message:
            case ("table", int(revision), str(digest), gateway, backends):
                self._begin_table(revision, digest, gateway, backends)
            case ("routes", routes):
                await self._add_routes(routes)
            case ("commit", int(revision)):
                await self._commit(revision)
            case ("stand", int(number), standings):
                self._standings = standings
                self._handler.live.table.stand(standings)
                self._tell("stands", number)
            case ("parts", int(number), int(count), seconds):
                self._parts.use(count, NEVER if seconds is None else monotonic() + seconds)
                self._parts_number = number
                self._divide()
            case ("stored", list(answers), list(done)):
                self._durable.told(answers, done)
            case ("pairs", list(pairs), bool(complete)):
                self._pairs.add(pairs)
                self._pairs.complete = self._pairs.complete or complete
            case ("room", int(count)):
                self._watch.has_room(count)
            case ("capture", int(number), str(route), int(left), bool(every)):
                self._captures.lease(number, route, left, every, monotonic())
            case ("capture_ends", int(number)):
                self._captures.end(number)
            case ("drain", seconds):
                self._spawn(self._drain(seconds))
            case ("probe_stalls", bool(on)):
                self._probe.switch(on)
            case _:
                self._tell("refused", f"unknown order {message[0]!r}")

    def _tell(self, *message: object) -> bool:
        return self._channel is not None and self._channel.send(message)

    def _deliver(self, batch: list[Observed]) -> bool:
        return self._tell("observations", batch)

    def _store(self, session: str, batch: list[Asked]) -> bool:
        return self._tell("store", session, batch)

    def _deliver_passed(self, requests: list[Passing], skipped: Skipped) -> bool:
        """Requests with their answers are many bytes, and can wait; what was observed must not be held up by them."""
        return self._channel is not None and self._channel.send(("passed", requests, skipped), CAN_WAIT)

    def _deliver_captured(self, number: int, taken: list[Recorded], dropped: Mapping[str, int]) -> bool:
        return self._channel is not None and self._channel.send(("captured", number, taken, dict(dropped)), CAN_WAIT)

    def _tick(self, late: float) -> None:
        """Hand on what was observed, a few times a second, and say how it goes."""
        self._ticks += 1
        self._watch.tick(late)
        self._captures.tick(monotonic())
        self._handler.settling.tick()
        self._handler.shedding.tick(late)
        self._stalls.tick(late)
        self._durable.tick()
        self._divide()
        if self._ticks % FLUSH == 0:
            self._recorder.flush()
        if self._ticks % SAY == 0:
            self._tell("stats", self._stats())

    def _divide(self) -> None:
        """Use the part of what backends can bear that is this gateway's, and tell once that is so."""
        fits = self._parts.apply(self._handler.live.guards, monotonic())
        if fits and self._parts_told != self._parts_number and self._tell("uses", self._parts_number):
            self._parts_told = self._parts_number

    def _stats(self) -> dict[str, object]:
        live = self._handler.live.pools.items()
        pools = {name: pool.open for name, pool in live}
        guards = {guard.gate.name: guard for guard in self._handler.live.guards}
        return {
            "connections": len(self._server.connections),
            "pools": pools,
            "guards": {name: guard.told for name, guard in guards.items()},
            "bounds": {name: guard.gate.bounds for name, guard in guards.items()},
            "opened": {name: guard.breaker.opened for name, guard in guards.items() if guard.breaker is not None},
            "addresses": {name: told for name, pool in live if (told := [tuple(each) for each in pool.told()])},
            "dropped": self._recorder.dropped,
            "unstored": self._durable.owed,
            "late": round(self._handler.shedding.late, 4),
            "cached": self._handler.cache.size,
            "stalls": (self._stalls.count, round(self._stalls.seconds, 4)),
            "stall_max": self._probe.late,
            "busy_max": self._probe.busy,
        }

    # -------------------------------------------------------------------------------------------- tables

    def _begin_table(self, revision: int, digest: str, gateway: Gateway, backends: tuple[Backend, ...]) -> None:
        gc.disable()  # nothing of a table is garbage, and looking through it takes longer than traffic may wait
        try:
            self._builder = LiveBuilder(revision, digest, gateway, backends, self._handler.live, self._clock)
            if gateway.tls is not None:
                context = self._tls or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # the same: the listener holds on to it
                context.load_cert_chain(gateway.tls.certificate, gateway.tls.key)
                self._tls = context
        except (OSError, ssl.SSLError, ValueError) as error:
            self._builder = None
            gc.enable()
            self._tell("rejected", revision, str(error))

    async def _add_routes(self, routes: list[Route]) -> None:
        if self._builder is not None:
            await self._builder.add(routes)

    async def _commit(self, revision: int) -> None:
        """The swap: one assignment. What the old table held is freed in small steps afterwards."""
        builder, self._builder = self._builder, None
        if builder is None or builder.live.table.revision != revision:
            return
        builder.live.table.stand(self._standings)
        self._parts.apply(builder.live.guards, monotonic())
        self._captures.follow(builder.live.table)
        old, self._handler.live = self._handler.live, builder.live
        self._server.settings = _settings(builder.live.gateway, builder.live)
        self._handler.cache.resize(builder.live.gateway.cache)
        builder.retire_old()
        gc.freeze()
        gc.enable()
        if self._accepting is None:
            await self._accept()
        self._tell("live", revision)
        # Every request that is served from the old table holds it; when the last has ended, its parts are freed.
        finalize(old, self._free, old.table.dismantle())

    def _free(self, parts: Iterator[None]) -> None:
        if not self._ended.is_set():
            self._spawn(_dismantle(parts))

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        self._accepting = await loop.create_server(self._server.accept, sock=self._listener.dup(), ssl=self._tls)

    # -------------------------------------------------------------------------------------------- the end

    def _drain_by_signal(self) -> None:
        self._spawn(self._drain(self._handler.live.gateway.drain_timeout))

    async def _drain(self, seconds: float) -> None:
        """Stop accepting, finish what is under way, close what is idle; end after `seconds` at the latest."""
        if self._server.draining:
            return
        self._server.draining = True
        self._watch.stop()
        deadline = monotonic() + seconds
        if self._accepting is not None:
            self._accepting.close()
            await self._accept_waiting()
        self._listener.close()
        await asyncio.sleep(min(DRAIN_GRACE, seconds))
        while self._server.connections and monotonic() < deadline:
            self._server.close_idle()
            await asyncio.sleep(TICK / 2)
        self._server.abort_all()
        while self._durable.owed and monotonic() < deadline + LAST_WORDS:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(TICK / 2)
        self._recorder.finish()
        self._tell("drained", len(self._server.connections))
        await asyncio.sleep(TICK / 2)
        self._ended.set()

    async def _accept_waiting(self) -> None:
        """Connections that the kernel has already made are still served: closing the socket would reset them."""
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._spawn(loop.connect_accepted_socket(self._server.accept, connection, ssl=self._tls))


def _settings(gateway: Gateway, live: Live) -> Settings:
    return Settings(
        gateway.limits, gateway.timeout, gateway.keep_alive, lambda address: is_trusted(address, live.trusted)
    )


async def _dismantle(steps: Iterator[None]) -> None:
    """Free an old table in small steps: freeing 10,000 routes at once takes 20 ms."""
    for _ in steps:
        await asyncio.sleep(0)
