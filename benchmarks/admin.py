"""What the pages take with 2,000 routes and a year behind them, and whether the traffic feels that somebody looks.

    python -m benchmarks.admin [--store postgres] [--minutes] [--rounds 9]

First each page is asked for straight after a start, then again and again, so that some find the store just asked and
others have it asked. Then the traffic is measured in pairs: with ten pages open, which ask by themselves, and with
none.
"""

from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack, closing, nullcontext, suppress
from random import Random
from time import sleep
from typing import NamedTuple

from benchmarks import estate, thousands
from benchmarks.common import Crew, needed, parser, run, wait_until
from benchmarks.load import Client, Load
from benchmarks.peers import nginx_origin
from benchmarks.ports import free_port
from benchmarks.postgres import Postgres
from benchmarks.proc import LOAD_CORE, PROXY_CORE, cpu_seconds, on_core, pin
from benchmarks.report import Finding, finish, ratio, say, spread
from benchmarks.tally import at
from benchmarks.viewers import OpenPages, Viewer
from benchmarks.wrk import run_wrk
from benchmarks.year import filled

LIMITS = {"/": 300.0, "/routes": 500.0}
"""Milliseconds that the slowest answer may take."""
COST = 1.03
CLIENTS, WATCHED = 32, 100
"""Clients of the data plane, and its requests a second while the pages' times are taken."""


class Sample(NamedTuple):
    """One run of the load: CPU of data per request (us), the median latency (us), and CPU of control (seconds)."""

    data_us: float
    p50_us: float
    control_s: float


class Bench:
    """The gateway, its origins and its store."""

    def __init__(self, crew: Crew, options: Namespace, url: str) -> None:
        self._crew, self._options = crew, options
        self.known = thousands.routes(options.routes)
        origins = {name: free_port() for name in ("legacy", "new")}
        for name, port in origins.items():
            crew.start(name, nginx_origin(crew.folder, name, port), port, LOAD_CORE)
        text = thousands.yaml(self.known, origins["legacy"], origins["new"], str(crew.folder / "access.log"))
        data = crew.folder / "year"
        say(f"filling the store with {options.days} days ...")
        self.filled = filled(url, data, self.known, text, options.days, minutes=options.minutes)
        say(str(self.filled))
        self._requests = thousands.requests(self.known)
        self._file = estate.write_requests(crew.folder / "requests", self._requests)
        self.gateway = crew.gateway(text, store=url, data=data)
        self.settle()
        self.problems: list[str] = []

    def settle(self) -> None:
        """Each process on its core."""
        pin(self.gateway.control.pid, LOAD_CORE)
        for pid in self.gateway.data_pids():
            pin(pid, PROXY_CORE)

    def again(self) -> None:
        """Start it anew."""
        self.gateway.end()
        self.gateway.start()
        self.gateway.wait_ready()

    def pages(self) -> list[str]:
        """One of each kind: of the routes one that is busy, ramps, and is compared."""
        busy = [each for each in self.known if each.every == 1]
        route = min(busy, key=lambda each: (each.kind != "ramp", each.kind != "shadowed")).name
        found = ["/", "/routes", "/routes?q=rents", f"/routes/{route}"]
        return [*found, "/ledger", "/backends", "/api/v1/routes"]

    def open(self) -> list[str]:
        """Ten pages as ten people have them open."""
        routes = [each.name for each in self.known if each.every == 1][:3]
        return (
            ["/"] * 3 + ["/routes"] * 2 + ["/routes?q=rents"] + [f"/routes/{name}" for name in routes] + ["/backends"]
        )

    def watched(self) -> Load:
        """A little traffic, while pages are timed."""
        return Load(Client(self.gateway.port, self._requests, rate=WATCHED, connections=8))

    def loaded(self, seconds: float) -> Sample:
        """The load for a while, from clients that think in between."""
        control, data = [self.gateway.control.pid], self.gateway.data_pids()
        before = cpu_seconds(control), cpu_seconds(data)
        think = CLIENTS / self._options.rate * 1e3
        folder = self._crew.folder
        result = run_wrk(
            self.gateway.port, self._file, seconds, connections=CLIENTS, think_ms=think, core=LOAD_CORE, folder=folder
        )
        if result.failures or not result.requests:
            self.problems.append(f"of {result.requests} requests failures {result.failures}")
        spent = cpu_seconds(data) - before[1]
        return Sample(spent / max(1, result.requests) * 1e6, result.p50_us, cpu_seconds(control) - before[0])


# ------------------------------------------------------------------------------------------------ page times


def page_times(bench: Bench, viewer: Viewer, options: Namespace) -> list[Finding]:
    """Each page straight after a start, and then many times, at times that are drawn."""
    pages, first = bench.pages(), dict[str, float]()
    for page in pages:
        bench.again()
        with closing(Viewer(bench.gateway, viewer.cookie)) as someone:
            wait_until(someone.is_known, "nobody is signed in any more")
            first[page] = someone.timed(page)
    times: dict[str, list[float]] = {page: [] for page in pages}
    chance = Random(1)
    with bench.watched(), closing(Viewer(bench.gateway, viewer.cookie)) as again:
        for _ in range(options.times):
            for page in pages:
                sleep(chance.uniform(0, 2 * options.pause))
                times[page].append(again.timed(page))
    return [_told(page, sorted(times[page]), first[page]) for page in pages]


def _told(page: str, times: list[float], first: float) -> Finding:
    name = "/routes/NAME" if page.startswith("/routes/") else page
    note = f"median {at(times, 0.5):.0f}, 90 % {at(times, 0.9):.0f}; straight after a start {first:.0f}"
    return Finding(f"{name}, the slowest", times[-1], "ms", LIMITS.get(page), note=note)


# ------------------------------------------------------------------------------------------------ pages that are open


def watching(bench: Bench, viewer: Viewer, options: Namespace) -> list[Finding]:
    """Pairs of the same load, with ten pages open and with none."""
    with_pages, without = list[Sample](), list[Sample]()
    bench.settle()
    bench.loaded(2)
    asked = 0
    for number in range(options.rounds):
        for looked in (True, False) if number % 2 else (False, True):
            open_pages = OpenPages(bench.gateway, viewer.cookie, bench.open())
            with on_core(LOAD_CORE), open_pages if looked else nullcontext():
                sleep(options.settle)
                (with_pages if looked else without).append(bench.loaded(options.seconds))
            asked += open_pages.asked
        say(f"round {number + 1} of {options.rounds} is done")
    cost = ratio([each.data_us for each in with_pages], [each.data_us for each in without])
    if cost is None:
        bench.problems.append("the runs were too short to use any CPU; raise --seconds")
        return []
    moved = spread([a.p50_us - b.p50_us for a, b in zip(with_pages, without, strict=True)])
    each_page = spread([a.control_s - b.control_s for a, b in zip(with_pages, without, strict=True)])
    usual = spread([each.p50_us for each in without]).median
    control = each_page.median / options.seconds / len(bench.open()) * 100
    return [
        Finding(
            "ten pages open: CPU of data per request, over that with none", cost.median, "times", COST, note=str(cost)
        ),
        Finding("and its interval begins at", cost.interval[0], "times", 1.0),
        Finding(
            "ten pages open: median latency, moved by at least",
            moved.interval[0],
            "us",
            0,
            note=f"{moved} of {usual:.0f}",
        ),
        Finding("CPU of control for each open page", control, "% of a core", note=f"{asked} askings"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    needed("nginx")
    needed("wrk")
    found: list[Finding] = []
    with Crew() as crew, ExitStack() as stack:
        url = stack.enter_context(Postgres()).database() if options.store == "postgres" else ""
        bench = Bench(crew, options, url)
        with suppress(KeyboardInterrupt), closing(Viewer.of(bench.gateway)) as viewer:
            found.append(Finding("the store", bench.filled.megabytes, "MB", note=str(bench.filled)))
            found += page_times(bench, viewer, options)
            found += watching(bench, viewer, options)
    return finish("admin", found, bench.problems, settings=vars(options), out=options.out)


def _options(arguments: Sequence[str] | None) -> Namespace:
    made = parser(__doc__, "admin")
    made.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    made.add_argument("--routes", type=int, default=2_000)
    made.add_argument("--days", type=int, default=365, help="how far back the store reaches (default 365)")
    made.add_argument(
        "--minutes", action="store_true", help="keep the totals, and five routes, by the minute all along"
    )
    made.add_argument("--times", type=int, default=20, help="how often each page is asked for (default 20)")
    made.add_argument("--pause", type=float, default=0.8, help="seconds between two pages, on average (default 0.8)")
    made.add_argument("--rounds", type=int, default=9, help="of the load; six or more give an interval (default 9)")
    made.add_argument("--seconds", type=float, default=30, help="how long each load is (default 30)")
    made.add_argument("--settle", type=float, default=6, help="seconds before each, for pages to open (default 6)")
    made.add_argument("--rate", type=float, default=1_000, help="requests per second (default 1000)")
    return made.parse_args(arguments)


if __name__ == "__main__":
    run(main)
