"""What clients notice of a shadow: every request copied, at half of what the gateway can do, and at all of it.

    python -m benchmarks.shadow [--rounds 9]

Two gateways stand side by side, one without a shadow and one that copies every request; each round loads both, so that
their figures stand beside each other. The copies go to a candidate that is healthy, that hangs, that fails, or that
answers 1 MB. Every answer holds the time, so that no two are the same: their difference has to be learned as noise.
"""

import json
import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from statistics import median
from time import sleep
from typing import NamedTuple

from benchmarks import estate
from benchmarks.common import CannotMeasure, Crew, Gateway, get, needed, parser, run
from benchmarks.origin import SMALL
from benchmarks.peers import nginx_site
from benchmarks.ports import free_port
from benchmarks.proc import LOAD_CORE, PROXY_CORE, pin, resident_kib
from benchmarks.report import Finding, Ratio, finish, ratio, say, spread
from benchmarks.wrk import run_wrk

CLIENTS = 64
LATENCY_US = 200.0
STALL_MS = 10.0
MEMORY_MIB = 96.0
JUDGED = 0.95
THROUGHPUT = 0.95
MEGABYTE = "m" * 1_048_576
CANDIDATES = ("healthy", "hangs", "fails", "large")
LOCATIONS = {
    "healthy": f"""return 200 '{SMALL.decode().replace('"123.45"', '"123.45","at":"$msec"')}';""",
    "fails": "return 500 'no';",
    "large": "root {folder}; try_files /large.json =404;",
}
"""What the candidates answer, in nginx's words; the one that hangs is a listening socket that nobody reads."""


class Sample(NamedTuple):
    """One gateway under a constant rate: the median latency of its clients (us), and how many it answered."""

    p50_us: float
    good: int


class Bench:
    """The plain gateway, and one for each kind of candidate, with the samples of each round."""

    def __init__(self, crew: Crew, options: Namespace) -> None:
        self._crew = crew
        self._options = options
        self._requests = estate.write_requests(
            crew.folder / "requests", [estate.request("/account", n) for n in range(512)]
        )
        self._legacy = free_port()
        crew.start(
            "legacy", nginx_site(crew.folder, "legacy", self._legacy, LOCATIONS["healthy"]), self._legacy, LOAD_CORE
        )
        self.plain = self._gateway("plain", self._legacy, shadow=False)
        self.problems: list[str] = []

    def _gateway(self, name: str, candidate: int, *, shadow: bool) -> Gateway:
        copied = "shadow: 100%, " if shadow else ""
        routes = f"""version: 1
gateway: {{access_log: {{to: "{self._crew.folder / name}.log"}}, served_by: false}}
backends:
  legacy: {{url: "http://127.0.0.1:{self._legacy}"}}
  new: {{url: "http://127.0.0.1:{candidate}"}}
routes:
  - {{name: account, match: GET /account, legacy: legacy, new: new, {copied}serve: legacy}}
"""
        gateway = self._crew.gateway(routes, name)
        pin(gateway.control.pid, LOAD_CORE)
        for pid in gateway.data_pids():
            pin(pid, PROXY_CORE)
        return gateway

    def shadowed(self, kind: str) -> Gateway:
        """A gateway that copies every request to such a candidate."""
        port = free_port()
        if kind == "hangs":
            self._crew.start(
                "hangs",
                [sys.executable, "-m", "benchmarks.origin", "--port", str(port), "--delay-ms", "3600000"],
                port,
                LOAD_CORE,
            )
        else:
            (self._crew.folder / "large.json").write_text(json.dumps({"text": MEGABYTE}))
            location = LOCATIONS[kind].replace("{folder}", str(self._crew.folder))
            self._crew.start(kind, nginx_site(self._crew.folder, f"{kind}-{port}", port, location), port, LOAD_CORE)
        return self._gateway(f"to-{kind}-{port}", port, shadow=True)

    def full(self, gateway: Gateway) -> float:
        """Requests a second at full load."""
        result = run_wrk(gateway.port, self._requests, self._options.seconds, core=LOAD_CORE, folder=self._crew.folder)
        if result.failures:
            self.problems.append(f"full load: failures {result.failures}")
        return result.requests / result.seconds

    def at(self, gateway: Gateway, rate: float) -> Sample:
        """About so many requests a second for a while, from clients that think in between."""
        think = CLIENTS / rate * 1e3
        seconds, folder = self._options.rate_seconds, self._crew.folder
        result = run_wrk(
            gateway.port, self._requests, seconds, connections=CLIENTS, think_ms=think, core=LOAD_CORE, folder=folder
        )
        if result.failures:
            self.problems.append(f"at {rate:,.0f}/s: failures {result.failures}")
        return Sample(result.p50_us, result.requests)


class Pairs(NamedTuple):
    """What one kind of candidate came to."""

    kind: str
    added_us: Ratio
    judged: float
    stall_ms: float
    late_ms: float
    grown_mib: float
    skipped: str


def measured(bench: Bench, kind: str, rate: float, rounds: int) -> Pairs:
    """Rounds of the plain gateway and of one that copies, at the same rate."""
    gateway = bench.shadowed(kind)
    bench.at(gateway, rate / 4)  # connections are made, the noise is learned
    sleep(1.0)
    before, memory = verdicts(gateway), resident_kib(gateway.pids())
    gateway.order("/api/v1/probe-stalls", {"on": True})
    added, asked = [], 0
    for number in range(rounds):
        order = (bench.plain, gateway) if number % 2 else (gateway, bench.plain)
        samples = {id(each): bench.at(each, rate) for each in order}
        added.append(samples[id(gateway)].p50_us - samples[id(bench.plain)].p50_us)
        asked += samples[id(gateway)].good
    sleep(1.5)
    told, after = gateway.status()["data"], verdicts(gateway)
    grown = (resident_kib(gateway.pids()) - memory) / 1024
    judged = sum(after.values()) - sum(before.values())
    skipped = skips(gateway)
    gateway.end()
    say(f"{kind}: {rounds} rounds are done")
    return Pairs(kind, spread(added), judged / asked, told["busy_max"] * 1e3, told["stall_max"] * 1e3, grown, skipped)


_VERDICT = re.compile(r'^banyan_verdicts_total\{route="account",verdict="(\w+)"\} ([0-9.e+]+)$', re.MULTILINE)
_SKIP = re.compile(r'^banyan_shadow_skipped_total\{reason="(\w+)",route="account"\} ([0-9.e+]+)$', re.MULTILINE)


def verdicts(gateway: Gateway) -> dict[str, float]:
    """Judged requests by verdict; those that were skipped are not."""
    found = _VERDICT.findall(get(gateway.admin, "/metrics").body.decode())
    return {verdict: float(count) for verdict, count in found if verdict != "skipped"}


def skips(gateway: Gateway) -> str:
    """What was not compared, by reason."""
    found = _SKIP.findall(get(gateway.admin, "/metrics").body.decode())
    return ", ".join(f"{reason} {float(count):,.0f}" for reason, count in found)


def findings(bench: Bench, options: Namespace) -> list[Finding]:
    bench.full(bench.plain)
    capacity = median(bench.full(bench.plain) for _ in range(3))
    rate = options.rate or capacity / 2
    found = [Finding("capacity without a shadow", capacity, "/s"), Finding("rate of the rounds", rate, "/s")]
    for kind in options.candidates:
        pairs = measured(bench, kind, rate, options.rounds)
        added, name = pairs.added_us, f"candidate {kind}"
        low, high = added.interval
        note = f"{added.low:.0f} to {added.high:.0f} [{low:.0f} to {high:.0f}]"
        found.append(Finding(f"{name}: added median latency", added.median, "us", LATENCY_US, note=note))
        least = JUDGED if kind == "healthy" else None
        found.append(Finding(f"{name}: judged", pairs.judged, "of all", None, least, pairs.skipped))
        late = f"late by {pairs.late_ms:.1f} ms, with what else the machine did"
        found.append(Finding(f"{name}: longest stall of the data loop", pairs.stall_ms, "ms", STALL_MS, note=late))
        found.append(Finding(f"{name}: memory grown", pairs.grown_mib, "MiB", MEMORY_MIB))
    found.append(saturated(bench, options))
    return found


def saturated(bench: Bench, options: Namespace) -> Finding:
    """Full load, with and without a shadow: the copies are what is shed."""
    gateway = bench.shadowed("healthy")
    with_shadow, without = list[float](), list[float]()
    bench.full(gateway)
    for number in range(options.rounds):
        for each in (bench.plain, gateway) if number % 2 else (gateway, bench.plain):
            (without if each is bench.plain else with_shadow).append(bench.full(each))
    skipped = skips(gateway)
    gateway.end()
    found = ratio(with_shadow, without)
    if found is None:
        raise CannotMeasure("nothing was measured at full load")
    return Finding(
        "throughput at full load, with / without", found.median, "times", None, THROUGHPUT, f"{found} {skipped}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "shadow")
    made.add_argument("--rounds", type=int, default=9)
    made.add_argument("--seconds", type=float, default=3, help="of full load")
    made.add_argument("--rate", type=float, default=0, help="requests a second; default: half of the capacity")
    made.add_argument("--rate-seconds", type=float, default=4)
    made.add_argument("--candidates", type=lambda text: tuple(text.split(",")), default=CANDIDATES)
    options = made.parse_args(arguments)
    needed("nginx")
    needed("wrk")
    found: list[Finding] = []
    with Crew() as crew:
        bench = Bench(crew, options)
        with suppress(KeyboardInterrupt):
            found = findings(bench, options)
    return finish("shadow", found, bench.problems, settings=vars(options), out=options.out)


if __name__ == "__main__":
    run(main)
