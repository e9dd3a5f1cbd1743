"""Reloads under load: good files, broken files, files cut off. No request may fail, and no broken table may serve.

    python -m benchmarks.reload [--quick]

The load is constant. Each good file flips the word of one route, and it is checked who answers; some change a backend
or the number of routes as well. The data process has a core to itself; of a stall of its loop counts what the loop was
at work meanwhile, so that a machine that does other things is not taken for it.
"""

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

from benchmarks import estate
from benchmarks.common import ROOT, CannotMeasure, Crew, get, parser, run, tail, wait_until
from benchmarks.load import Client, Load
from benchmarks.proc import LOAD_CORE, PROXY_CORE, on_core, pin
from benchmarks.report import Finding, finish, say
from benchmarks.tally import Tally
from benchmarks.truncation import judge, spread_over

LONGEST_STALL_MS = 10.0
STATS_EVERY = 1.2
"""The data process tells how it does about once a second."""


def good_yaml(number: int, routes: int, legacy: int, new: int) -> str:
    """The good file with this number: the word always flips, a fifth have a route more, every tenth another timeout."""
    flip = f'  - {{name: flip, match: "GET /flip", legacy: legacy, new: new, serve: {side_of(number)}}}\n'
    more = '  - {name: more, match: "GET /more", legacy: legacy}\n' if number % 5 == 0 else ""
    text = estate.routes_yaml(routes, legacy, new, extra=flip + more)
    return text.replace("host: public", f"host: public, timeout: {{response: {20 + number // 10 % 2}s}}")


def side_of(number: int) -> str:
    return "new" if number % 2 else "legacy"


BROKEN: dict[str, Callable[[str], str]] = {
    "syntax": lambda text: text + "  - {name: open, match: [\n",
    "unknown_key": lambda text: text + '  - {name: odd, match: "GET /odd", legacy: legacy, sevre: new}\n',
    "no_such_backend": lambda text: text + '  - {name: odd, match: "GET /odd", legacy: nowhere}\n',
    "twice": lambda text: text + '  - {name: flip, match: "GET /other", legacy: legacy}\n',
    "ambiguous": lambda text: text + '  - {name: odd, match: "GET /flip", legacy: legacy}\n',
    "bad_duration": lambda text: text.replace("drain_timeout: 10s", "drain_timeout: soon"),
    "bad_template": lambda text: text + '  - {name: odd, match: "GET /odd/{", legacy: legacy}\n',
    "empty": lambda _: "",
    "binary": lambda text: "\x00" + text,
    "cut_off": lambda text: text[: text.rindex("  - {name: flip")],
    "most_routes_gone": lambda text: text[: text.index("  - {name:")] + text[text.index("  - {name: flip") :],
}
"""What may be wrong with a file; the last two are valid, and must be held."""


class Stall(NamedTuple):
    """The longest stall of the loop in milliseconds: of its own doing, and by the clock on the wall."""

    own: float
    late: float


class Reloads:
    """A gateway under load, and what came of every file it was given."""

    def __init__(self, crew: Crew, name: str, routes: int, options: Namespace) -> None:
        self._ports = crew.origin(f"{name}-legacy", LOAD_CORE), crew.origin(f"{name}-new", LOAD_CORE)
        self._routes = routes
        self._options = options
        self.gateway = crew.gateway(good_yaml(0, routes, *self._ports), name)
        self.problems: list[str] = []
        self.good_taken = self.broken_taken = 0
        self.tally = Tally()
        pin(self.gateway.control.pid, LOAD_CORE)
        for pid in self.gateway.data_pids():
            pin(pid, PROXY_CORE)

    @contextmanager
    def load(self) -> Iterator[Tally]:
        """Requests to routes that no file touches, at a constant rate."""
        requests = estate.requests(self._routes)
        with Load(Client(self.gateway.port, requests, rate=self._options.rate, connections=32)) as load:
            self.tally = load.tally
            yield load.tally

    def quiet_stall(self, seconds: float) -> Stall:
        """The longest stall while nothing is reloaded."""
        if not seconds:
            return Stall(0.0, 0.0)
        self.probe_stalls()
        sleep(seconds)
        return self.stall()

    def probe_stalls(self) -> None:
        self.gateway.order("/api/v1/probe-stalls", {"on": True})
        sleep(STATS_EVERY)  # what is told until then may still be of before

    def stall(self) -> Stall:
        sleep(STATS_EVERY)
        told = self.gateway.status()["data"]
        return Stall((told["busy_max"] or 0.0) * 1e3, (told["stall_max"] or 0.0) * 1e3)

    def one_of_each(self, number: int) -> None:
        """A good file, then one that is broken."""
        text = good_yaml(number, self._routes, *self._ports)
        before = self.revision()
        self._put(text)
        wait_until(lambda: self.revision() > before, f"good file {number} is not taken", output=self.gateway.log)
        self.good_taken += 1
        self._check(f"good file {number}", number)
        kind = list(BROKEN)[number % len(BROKEN)]
        before = self.revision()
        self._put(BROKEN[kind](text))
        if self.revision() != before or self.gateway.status()["config"]["last_reload_ok"]:
            self.broken_taken += 1
            self.problems.append(f"broken file {number} ({kind}) was taken")
        self._check(f"broken file {number} ({kind})", number)

    def revision(self) -> int:
        """Of the table that serves, once it is the last that was sent."""
        status = self.gateway.status()
        serves = status["data"]["revision"] == status["config"]["revision"]
        return int(status["data"]["revision"]) if serves else -1

    def cut_short(self, length: int) -> None:
        """The file as a writer leaves it who has got so far."""
        text = good_yaml(0, self._routes, *self._ports).encode()
        before = self.revision()
        self.gateway.config.write_bytes(text[:length])
        self.gateway.order("/api/v1/reload", {"accept": False})
        if self.revision() != before:
            self.broken_taken += 1
            self.problems.append(f"the first {length} bytes of the file were taken")

    def _put(self, text: str) -> None:
        """Write the file as an editor does, and tell the gateway, which may have noticed by itself already."""
        beside = self.gateway.config.with_suffix(".new")
        beside.write_text(text)
        beside.rename(self.gateway.config)
        self.gateway.order("/api/v1/reload", {"accept": False})

    def _check(self, after: str, number: int) -> None:
        try:
            answer = get(self.gateway.port, "/flip")
        except (OSError, HTTPException) as error:
            self.problems.append(f"after {after} a request failed: {error!r}{tail(self.gateway.log)}")
            return
        origin = answer.headers.get("x-origin", "").rpartition("-")[2]
        if answer.status != 200 or origin != side_of(number):
            self.problems.append(f"after {after} `{side_of(number)}` was due; {answer.status} came from `{origin}`")


def under_load(crew: Crew, options: Namespace) -> tuple[list[Finding], list[str]]:
    """The main measurement: many reloads of a middling table."""
    reloads = Reloads(crew, "gateway", options.routes, options)
    longest = monotonic() + options.requests / options.rate + 30 * options.reloads
    with reloads.load() as tally:
        quiet = reloads.quiet_stall(options.quiet)
        reloads.probe_stalls()
        for number in range(1, options.reloads + 1):
            reloads.one_of_each(number)
            if number % 10 == 0:
                say(f"reloads: {number} of each kind, {len(tally.good):,} requests, {tally.failed} failed")
        stall = reloads.stall()
        while len(tally.good) + tally.failed < options.requests:
            if monotonic() > longest:
                raise CannotMeasure(f"only {len(tally.good)} requests were answered by now; lower --requests or --rate")
            sleep(0.1)
    found = [
        Finding("good files taken", reloads.good_taken, at_least=options.reloads),
        Finding("broken files taken", reloads.broken_taken, at_most=0),
        Finding("requests", len(tally.good) + tally.failed, at_least=options.requests),
        *_failed("requests failed", tally),
        *_stall(f"{options.routes:,} routes", stall, quiet),
    ]
    return found, reloads.problems


def with_many_routes(crew: Crew, options: Namespace) -> tuple[list[Finding], list[str]]:
    """The same with a table so large that building it at once would be noticed."""
    reloads = Reloads(crew, "many", options.many, options)
    with reloads.load() as tally:
        quiet = reloads.quiet_stall(options.quiet)
        reloads.probe_stalls()
        for number in range(1, options.many_reloads + 1):
            reloads.one_of_each(number)
            say(f"reloads of {options.many:,} routes: {number} of each kind, {tally.failed} failed")
        stall = reloads.stall()
    name = f"requests failed, {options.many:,} routes"
    return [*_failed(name, tally), *_stall(f"{options.many:,} routes", stall, quiet)], reloads.problems


def cut_off(crew: Crew, options: Namespace) -> tuple[list[Finding], list[str]]:
    """Every beginning of routes.yaml through the loader, and some of the file that serves, live."""
    path: Path = options.config
    size = path.stat().st_size
    judged = judge(path, range(size) if options.beginnings is None else spread_over(size, options.beginnings))
    reloads = Reloads(crew, "cut", options.routes, options)
    lengths = spread_over(reloads.gateway.config.stat().st_size, options.live)
    with reloads.load() as tally:
        for length in lengths:
            reloads.cut_short(length)
            sleep(options.rest)
    told = f"{judged.refused:,} refused, {judged.held:,} held"
    found = [
        Finding(f"beginnings of {path.name} that would serve", len(judged.wrong), at_most=0, note=told),
        Finding(f"of {len(lengths)} beginnings live, taken", reloads.broken_taken, at_most=0),
        *_failed("requests failed meanwhile", tally),
    ]
    return found, [*judged.wrong, *reloads.problems]


def _failed(name: str, tally: Tally) -> list[Finding]:
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(tally.failures.items()))
    note = f"of {len(tally.good) + tally.failed:,}. {kinds}".strip(". ")
    return [
        Finding(name, tally.failed + tally.unsent, at_most=0, note=note),
        Finding(f"{name}: connections refused", len(tally.refused), at_most=0),
    ]


def _stall(name: str, stall: Stall, quiet: Stall) -> list[Finding]:
    note = (
        f"late by {stall.late:.1f} ms, with what else the machine did; {quiet.late:.1f} ms while nothing was reloaded"
    )
    return [Finding(f"longest stall, {name}", stall.own, "ms", LONGEST_STALL_MS, note=note)]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    found: list[Finding] = []
    problems: list[str] = []
    for part in (under_load, with_many_routes, cut_off):
        with Crew() as crew, on_core(LOAD_CORE):
            findings, wrong = part(crew, options)
        found += findings
        problems += wrong
    return finish(
        "reload: good, broken and cut-off files under load", found, problems, settings=vars(options), out=options.out
    )


QUICK: dict[str, Any] = {
    "requests": 1_000,
    "reloads": 4,
    "rate": 400.0,
    "routes": 50,
    "many": 200,
    "many_reloads": 1,
    "beginnings": 60,
    "live": 5,
    "rest": 0.0,
    "quiet": 0.0,
}


def _options(arguments: Sequence[str] | None) -> Namespace:
    made = parser(__doc__, "reload")
    made.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    made.add_argument("--requests", type=int, default=100_000, help="at least (default 100000)")
    made.add_argument("--reloads", type=int, default=100, help="good ones, and as many broken (default 100)")
    made.add_argument("--rate", type=float, default=1_000, help="requests per second (default 1000)")
    made.add_argument("--routes", type=int, default=500, help="of the table that is reloaded (default 500)")
    made.add_argument("--many", type=int, default=10_000, help="of the large table (default 10000)")
    made.add_argument("--many-reloads", type=int, default=5, help="of the large table (default 5)")
    made.add_argument("--config", type=Path, default=ROOT / "routes.yaml", help="the file to cut off everywhere")
    made.add_argument("--beginnings", type=int, help="how many of it (default: every one)")
    made.add_argument("--live", type=int, default=50, help="how many are tried live (default 50)")
    made.add_argument("--rest", type=float, default=0.3, help="seconds between those (default 0.3)")
    made.add_argument("--quiet", type=float, default=10, help="seconds to watch the loop without reloads (default 10)")
    options = made.parse_args(arguments)
    if options.quick:
        vars(options).update(QUICK)
    return options


if __name__ == "__main__":
    run(main)
