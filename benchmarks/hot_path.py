"""The pure cost of the hot path: a request in, through table, split and headers, to a backend and back, no sockets.

    python -m benchmarks.hot_path [--profile]

Transports are made up, so the kernel has no part in it. A loop of nothing but Python runs beside it: machines differ
from moment to moment, so compare requests with turns of that loop, not microseconds with those of another day.
"""

import asyncio
import cProfile
import gc
import os
import pstats
import tempfile
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, cast

import uvloop

from benchmarks import estate
from benchmarks.common import CannotMeasure, parser, run
from benchmarks.origin import SMALL
from benchmarks.report import Finding, finish
from gateway.config.check import load
from gateway.core.crosswalk import Pairs
from gateway.core.model import Estate
from gateway.proxy.durable import Durable
from gateway.proxy.handler import Handler
from gateway.proxy.live import LiveBuilder
from gateway.proxy.recorder import Recorder
from gateway.proxy.watching import Watch
from gateway.wire.clock import Clock
from gateway.wire.server import Server, Settings

TURNS = 100_000
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Mon, 16 Nov 2026 09:30:00 GMT\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: keep-alive\r\nX-Origin: legacy\r\n\r\n%b" % (len(SMALL), SMALL)
)


class Wire(asyncio.Transport):
    """A transport to nowhere: it only counts what was written since it was last looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 50_000) if name == "peername" else default

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def close(self) -> None:
        raise CannotMeasure("the gateway closed a connection, so this measures something else")


class Loop(uvloop.Loop):
    """A loop on which every connection is made at once, to nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[Wire, asyncio.Protocol]] = []

    async def create_connection(  # type: ignore[override]  # only what the pool calls
        self, factory: Callable[[], asyncio.Protocol], *_: Any, **__: Any
    ) -> Any:
        protocol, wire = factory(), Wire()
        protocol.connection_made(wire)
        self.made.append((wire, protocol))
        return wire, protocol


class HotPath:
    """The data process' parts, wired as there, with one client."""

    def __init__(self, server: Server, requests: Sequence[bytes], recorder: Recorder) -> None:
        self._backends = cast(Loop, asyncio.get_running_loop()).made
        self._requests = requests
        self._recorder = recorder
        self._client = server.accept()
        self._wire = Wire()
        self._client.connection_made(self._wire)

    @classmethod
    async def of(cls, wanted: Estate) -> "HotPath":
        """The hot path of an estate that is made of `estate.routes_yaml`."""
        clock = Clock()
        builder = LiveBuilder(1, wanted.digest, wanted.gateway, wanted.backends, None, clock)
        await builder.add(wanted.routes)
        recorder = Recorder(lambda batch: True)
        gateway = wanted.gateway
        settings = Settings(gateway.limits, gateway.timeout, gateway.keep_alive, lambda address: False)
        durable = Durable(lambda session, batch: False, clock)
        handler = Handler(builder.live, recorder, Watch(lambda passed, skipped: True), durable, Pairs())
        return cls(Server(handler.serve, settings, clock), estate.requests(len(wanted.routes)), recorder)

    async def warm_up(self) -> None:
        """Ask until both sides have a connection; only then does a request need no turn of the loop."""
        for request in self._requests:
            self._client.data_received(request)
            for _ in range(50):
                self._answer()
                if self._wire.written:
                    break
                await asyncio.sleep(0)
            self._check(1)

    def serve(self, count: int) -> None:
        requests, size = self._requests, len(self._requests)
        for n in range(count):
            self._client.data_received(requests[n % size])
            self._answer()
        self._check(count)

    def _answer(self) -> None:
        for wire, protocol in self._backends:
            if wire.written:
                wire.written.clear()
                protocol.data_received(ANSWER)

    def _check(self, count: int) -> None:
        """Every request was answered, and well."""
        good = sum(data.startswith(b"HTTP/1.1 200 ") for data in self._wire.written)
        if good != count:
            raise CannotMeasure(f"{good} of {count} requests were answered: {self._wire.written[-1:]!r}")
        self._wire.written.clear()


def many_routes(count: int, protect: str = "") -> Estate:
    with tempfile.TemporaryDirectory(prefix="banyan-bench-") as folder:
        config = Path(folder, "routes.yaml")
        config.write_text(estate.routes_yaml(count, 1, 2, protect=protect))
        return load(config, os.environ).estate


def empty_loop() -> None:
    """What everything is compared with."""
    total = 0
    for n in range(TURNS):
        total += n


def timed(work: Callable[[], None]) -> float:
    began = process_time()
    work()
    return process_time() - began


async def measured(wanted: Estate, options: Namespace) -> list[tuple[float, float]]:
    """Seconds per request and per turn of the empty loop, side by side, in each of many short rounds."""
    path = await HotPath.of(wanted)
    await path.warm_up()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 5, 1_000_000)
    rounds = []
    for _ in range(options.rounds):
        cost = timed(lambda: path.serve(options.requests)) / options.requests
        rounds.append((cost, timed(empty_loop) / TURNS))
    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(path.serve, options.requests)
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
    return rounds


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "hot_path")
    made.add_argument("--rounds", type=int, default=60, help="short ones, so that both sides meet the same machine")
    made.add_argument("--requests", type=int, default=500, help="per round (default 500)")
    made.add_argument("--routes", type=int, default=1_000)
    made.add_argument("--protected", action="store_true", help="with protection of the backends")
    made.add_argument("--profile", action="store_true", help="say where the time goes as well")
    options = made.parse_args(arguments)
    with asyncio.Runner(loop_factory=Loop) as runner:
        rounds = runner.run(measured(many_routes(options.routes, estate.PROTECT if options.protected else ""), options))
    turns = sorted(cost / turn for cost, turn in rounds)
    quarter = turns[len(turns) // 4]
    found = [
        Finding(
            "one request", round(median(turns)), "turns", note=f"median; compare this. First quartile {quarter:.0f}"
        ),
        Finding("one request", min(cost for cost, _ in rounds) * 1e6, "us", note="CPU, best round"),
        Finding("one turn of an empty loop", min(turn for _, turn in rounds) * 1e9, "ns", note="CPU, best round"),
    ]
    title = "hot path: a request without sockets"
    return finish(title, found, [], settings=vars(options), out=options.out, samples=rounds)


if __name__ == "__main__":
    run(main)
