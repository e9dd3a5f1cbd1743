"""What one proxied request costs: the gateway beside nginx, and HAProxy and Envoy where they are installed, in one run.

    python -m benchmarks.hop [--rounds 7] [--peers nginx,haproxy,envoy]        (ENVOY_BIN: the path of an Envoy)
    python -m benchmarks.hop --rounds 15 --protected --peers ""        (the gateway beside itself, with `protect` on)

Every round measures each proxy once: at a fixed rate, then at full load. Figures of one round stand beside each other,
so ratios are formed within rounds; absolute figures of a shared machine mean little. README.md tells what is compared.
"""

import json
import re
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import suppress
from statistics import median
from typing import Any, NamedTuple

from benchmarks import estate
from benchmarks.common import ROOT, CannotMeasure, Crew, get, needed, parser, run
from benchmarks.peers import PEERS, Site, nginx_origin
from benchmarks.ports import free_port
from benchmarks.proc import LOAD_CORE, PROXY_CORE, cpu_seconds, process_tree
from benchmarks.report import Finding, Ratio, finish, ratio, say, table
from benchmarks.wrk import run_wrk

GATEWAY, PROTECTED, DIRECT = "banyan", "protected", "direct"
PROTECTED_AT_MOST = 1.05
Sample = dict[str, float]


class Target(NamedTuple):
    """Something to ask: where it listens, and which processes it is."""

    name: str
    port: int
    pids: Callable[[], list[int]]


class Bench:
    """The origins, the proxies before them, and the samples of each, round by round."""

    def __init__(self, crew: Crew, options: Namespace) -> None:
        self._options = options
        self._folder = crew.folder
        self._file = estate.write_requests(crew.folder / "requests", estate.requests(options.routes))
        self.origins = {name: self._origin(crew, name) for name in ("legacy", "new")}
        self.targets = [Target(DIRECT, self.origins["legacy"], list), self._gateway(crew), *self._peers(crew)]
        if options.protected:
            self.targets.append(self._gateway(crew, PROTECTED, estate.PROTECT))
        self.fixed: dict[str, list[Sample]] = {target.name: [] for target in self.targets}
        self.full: dict[str, list[Sample]] = {target.name: [] for target in self.targets[1:]}
        self.problems: list[str] = []

    def _origin(self, crew: Crew, name: str) -> int:
        port = free_port()
        crew.start(f"origin-{name}", nginx_origin(crew.folder, name, port), port, LOAD_CORE)
        return port

    def _gateway(self, crew: Crew, name: str = GATEWAY, protect: str = "") -> Target:
        count, log = self._options.routes, crew.folder / f"{name}.log"
        routes = estate.routes_yaml(count, self.origins["legacy"], self.origins["new"], log, protect=protect)
        gateway = crew.gateway(routes, name, core=PROXY_CORE)
        return Target(name, gateway.port, gateway.pids)

    def _peers(self, crew: Crew) -> list[Target]:
        found = []
        for name in self._options.peers:
            site = Site(crew.folder, free_port(), self.origins["legacy"], self.origins["new"], self._options.routes)
            try:
                pid = crew.start(name, PEERS[name](site), site.port, PROXY_CORE)
            except CannotMeasure as error:
                if name == "nginx":
                    raise
                say(f"left out {name}: {error}")
                continue
            found.append(Target(name, site.port, lambda pid=pid: process_tree(pid)))  # type: ignore[misc]
        return found

    # -------------------------------------------------------------------------------------------- measuring

    def measure(self) -> None:
        """All rounds; each begins with another proxy."""
        for number in range(self._options.rounds):
            shift = number % len(self.targets)
            for target in self.targets[shift:] + self.targets[:shift]:
                self.fixed[target.name].append(self._at_rate(target))
                if target.name != DIRECT:
                    self.full[target.name].append(self._at_full_load(target))
            say(f"round {number + 1} of {self._options.rounds} is done")

    def _at_rate(self, target: Target) -> Sample:
        options = self._options
        command = [sys.executable, "-m", "benchmarks.load", "--port", target.port, "--requests", self._file]
        command += ["--rate", options.rate, "--seconds", options.rate_seconds, "--core", LOAD_CORE]
        before = self._counts(target)
        done = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=options.rate_seconds + 60,
            check=False,
        )
        if done.returncode:
            raise CannotMeasure(f"the load client failed: {done.stderr[-500:]}")
        result: dict[str, Any] = json.loads(done.stdout)
        sample = self._sample(target, before, result["good"], result["failures"])
        return sample | {key: result[key] for key in ("p50_us", "p99_us", "late_p50_us")}

    def _at_full_load(self, target: Target) -> Sample:
        run_wrk(target.port, self._file, 1, core=LOAD_CORE, folder=self._folder)
        before = self._counts(target)
        result = run_wrk(target.port, self._file, self._options.seconds, core=LOAD_CORE, folder=self._folder)
        sample = self._sample(target, before, result.requests, result.failures)
        return sample | {"per_second": result.requests / result.seconds}

    def _counts(self, target: Target) -> tuple[float, int, int]:
        """CPU seconds of a proxy, and what each origin has answered so far."""
        return cpu_seconds(target.pids()), answered(self.origins["legacy"]), answered(self.origins["new"])

    def _sample(self, target: Target, before: tuple[float, int, int], good: int, failures: dict[str, int]) -> Sample:
        """What one run cost, unless something makes it worthless."""
        cpu, legacy, new = (b - a for a, b in zip(before, self._counts(target), strict=True))
        legacy, new = legacy - 1, new - 1  # asking for the count is counted as well
        where = f"round {len(self.fixed[target.name]) + 1}, {target.name}"
        if failures or not good:
            self.problems.append(f"{where}: {good} good answers, failures {failures}")
        if abs(legacy + new - good) > 0.01 * good + 200:
            self.problems.append(f"{where}: the origins answered {legacy + new:.0f}, the client counted {good}")
        share = legacy / max(1, legacy + new)
        if target.name != DIRECT and not 0.4 < share < 0.6:
            self.problems.append(f"{where}: legacy answered {share:.0%}, and a half was due")
        return {"cpu_us": cpu / max(1, good) * 1e6, "requests": good, "legacy": legacy, "new": new}


def answered(port: int) -> int:
    """How many requests an nginx has answered, this one included."""
    found = re.search(r"requests\s+\d+ \d+ (\d+)", get(port, "/count").body.decode())
    if found is None:
        raise CannotMeasure("the origin does not say how much it has answered")
    return int(found[1])


# ------------------------------------------------------------------------------------------------ what it comes to


def findings(bench: Bench, rate: int) -> list[Finding]:
    """The requirements: CPU per request beside nginx and Envoy, and the latency that is added."""
    found = []
    limits = {"nginx": 1.6, "envoy": 0.8}
    for peer in [name for name in bench.full if name not in (GATEWAY, PROTECTED)]:
        at_rate = ratio(values(bench.fixed, GATEWAY, "cpu_us"), values(bench.fixed, peer, "cpu_us"))
        full = ratio(values(bench.full, GATEWAY, "cpu_us"), values(bench.full, peer, "cpu_us"))
        if at_rate is not None:
            limit = limits.get(peer)
            found.append(Finding(f"CPU / {peer} at {rate:,}/s", at_rate.median, "times", limit, note=str(at_rate)))
        if full is not None:
            upper = full.interval[1] if peer == "envoy" else full.median
            kind = "upper bound" if peer == "envoy" else "median"
            name = f"CPU / {peer} at full load, {kind}"
            found.append(Finding(name, upper, "times", 1.0 if peer == "envoy" else None, note=str(full)))
    if "envoy" in bench.fixed:
        added = {name: median(added_us(bench.fixed, name)) for name in (GATEWAY, "envoy")}
        note = f"Envoy adds {added['envoy']:.0f} us"
        found.append(Finding(f"added median latency at {rate:,}/s", added[GATEWAY], "us", added["envoy"], note=note))
    return found


def protected(bench: Bench, rate: int) -> list[Finding]:
    """What protection costs: it must not be surely more than a twentieth."""
    found = []
    for where, samples in ((f"at {rate:,}/s", bench.fixed), ("at full load", bench.full)):
        cost = ratio(values(samples, PROTECTED, "cpu_us"), values(samples, GATEWAY, "cpu_us"))
        if cost is not None:
            name = f"CPU with protection / without {where}, lower bound"
            limit = PROTECTED_AT_MOST if samples is bench.fixed else None
            found.append(Finding(name, cost.interval[0], "times", limit, note=str(cost)))
    return found


def values(samples: dict[str, list[Sample]], name: str, key: str) -> list[float]:
    return [sample[key] for sample in samples[name]]


def added_us(fixed: dict[str, list[Sample]], name: str) -> list[float]:
    """The median latency beyond that of asking the origin directly, round by round."""
    pairs = zip(values(fixed, name, "p50_us"), values(fixed, DIRECT, "p50_us"), strict=True)
    return [through - direct for through, direct in pairs]


def show(bench: Bench, rate: int) -> None:
    header = ["proxy", f"CPU us @{rate}/s", "added p50 us", "CPU us, full", "per second"]
    peers = [name for name in bench.full if name != GATEWAY]
    rows = []
    for name in bench.full:
        cells = [median(values(bench.fixed, name, "cpu_us")), median(added_us(bench.fixed, name))]
        cells += [median(values(bench.full, name, key)) for key in ("cpu_us", "per_second")]
        ratios = [ratio(values(bench.fixed, name, "cpu_us"), values(bench.fixed, peer, "cpu_us")) for peer in peers]
        rows.append([name, *(f"{cell:.0f}" for cell in cells), *map(_told, ratios)])
    print(table([*header, *(f"CPU / {peer} @{rate}/s" for peer in peers)], rows))


def _told(each: Ratio | None) -> str:
    return "-" if each is None else str(each)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    needed("nginx")
    needed("wrk")
    with Crew() as crew:
        bench = Bench(crew, options)
        with suppress(KeyboardInterrupt):
            bench.measure()
    if not bench.fixed[GATEWAY]:
        raise CannotMeasure("no round was finished")
    show(bench, options.rate)
    samples = {"fixed_rate": bench.fixed, "full_load": bench.full}
    found = findings(bench, options.rate)
    if options.protected:
        found += protected(bench, options.rate)
    return finish(
        "hop: what one request costs",
        found,
        bench.problems,
        settings=vars(options),
        out=options.out,
        samples=samples,
    )


def _options(arguments: Sequence[str] | None) -> Namespace:
    made = parser(__doc__, "hop")
    made.add_argument("--rounds", type=int, default=7, help="six or more give an interval (default 7)")
    made.add_argument("--rate", type=int, default=2_000, help="requests per second (default 2000)")
    made.add_argument("--rate-seconds", type=float, default=4, help="how long at the fixed rate (default 4)")
    made.add_argument("--seconds", type=float, default=2, help="how long at full load (default 2)")
    made.add_argument("--routes", type=int, default=1_000)
    made.add_argument("--protected", action="store_true", help="a gateway with protection of its backends as well")
    made.add_argument(
        "--peers",
        type=lambda text: [name for name in text.split(",") if name],
        default=list(PEERS),
        metavar="NAMES",
        help=f"of {', '.join(PEERS)}, with commas between",
    )
    options = made.parse_args(arguments)
    if unknown := set(options.peers) - set(PEERS):
        made.error(f"unknown peers: {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    return options


if __name__ == "__main__":
    run(main)
