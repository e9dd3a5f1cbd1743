"""What an outage of one backend does to everything else, and what the gateway does to that backend.

    python -m benchmarks.outage [--rounds 9]

One route is asked at a constant rate while another is: one whose backend is well, or one whose backend takes requests
and never answers. Both are protected alike, and a round has both, so the difference is the outage's. Then a backend
that only fails is asked through a gateway that tries again.
"""

import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from time import monotonic, sleep

from benchmarks import estate
from benchmarks.bounds import told
from benchmarks.common import CannotMeasure, Crew, Gateway, get, needed, parser, run
from benchmarks.load import Client, Load, ask
from benchmarks.peers import nginx_origin
from benchmarks.ports import free_port
from benchmarks.proc import LOAD_CORE, PROXY_CORE, pin
from benchmarks.report import Finding, finish, say, spread
from benchmarks.tally import Tally, at

WINDOW = 10.0
ATTEMPTS = 1.2
STALL_MS = 10.0
RATE, BESIDE, LINES = 1_000, 200, 64
"""Requests a second to the route that is looked at, those to the other, and the connections of the latter."""
BREAKER = f"{{window: {WINDOW:g}s, retry_after: 2s}}"
PROTECT = f"{{max_concurrent: 20, queue: {{size: 40, wait: 500ms}}, breaker: {BREAKER}}}"
RETRY = "{attempts: 3, on: [connect, reset, 503], backoff: 1ms}"
KINDS = ("busy", "reset")


def routes(well: int, hung: int, failing: int) -> str:
    return f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  well: {{url: "http://127.0.0.1:{well}"}}
  second: {{url: "http://127.0.0.1:{well}", timeout: {{response: 1s}}, protect: {PROTECT}}}
  hung: {{url: "http://127.0.0.1:{hung}", timeout: {{response: 1s}}, protect: {PROTECT}}}
  busy: {{url: "http://127.0.0.1:{failing}", retry: {RETRY}}}
  reset: {{url: "http://127.0.0.1:{failing}", retry: {RETRY}}}
routes:
  - {{name: well, match: GET /well, legacy: well}}
  - {{name: second, match: GET /second, legacy: second}}
  - {{name: hung, match: GET /hung, legacy: hung}}
  - {{name: busy, match: GET /busy, legacy: busy}}
  - {{name: reset, match: GET /reset, legacy: reset}}
"""


class Bench:
    """The gateway and its backends."""

    def __init__(self, crew: Crew, options: Namespace) -> None:
        self._options = options
        well, hung = free_port(), free_port()
        crew.start("well", nginx_origin(crew.folder, "well", well), well, LOAD_CORE)
        never = [sys.executable, "-m", "benchmarks.origin", "--port", str(hung), "--delay-ms", "3600000"]
        crew.start("hung", never, hung, LOAD_CORE)
        self.failing = crew.fragile("failing", LOAD_CORE)
        self.gateway = crew.gateway(routes(well, hung, self.failing))
        pin(self.gateway.control.pid, LOAD_CORE)
        for pid in self.gateway.data_pids():
            pin(pid, PROXY_CORE)

    def beside(self, path: str) -> float:
        """The median latency of one route (us) while another is asked as well."""
        port, seconds = self.gateway.port, self._options.seconds
        steady = Client(port, [estate.request("/well")], rate=RATE, total=int(RATE * seconds))
        with Load(Client(port, [estate.request(path)], rate=BESIDE, connections=LINES)):
            tally = ask(steady)
        if tally.failed:
            raise CannotMeasure(f"beside {path}: failures {dict(tally.failures)}")
        return latency(tally)


def latency(tally: Tally) -> float:
    return at(sorted(each.answered - each.due for each in tally.good), 0.5) * 1e6


def is_open(gateway: Gateway, backend: str) -> bool:
    metrics = get(gateway.admin, "/metrics").body.decode()
    return re.search(rf'^banyan_breaker_open{{backend="{backend}"}} 1.0$', metrics, re.MULTILINE) is not None


def until_open(bench: Bench) -> float:
    """Seconds from the first request to a hung backend until its breaker is open, as far as control knows."""
    began = monotonic()
    with Load(Client(bench.gateway.port, [estate.request("/hung")], rate=BESIDE, connections=LINES)):
        while not is_open(bench.gateway, "hung"):
            if monotonic() - began > 2 * WINDOW:
                raise CannotMeasure("the breaker does not open")
            sleep(0.05)
        return monotonic() - began


def attempts(bench: Bench, kind: str, count: int) -> float:
    """How often the failing backend is asked for each request."""
    before = told(bench.failing)["requests"]
    tally = ask(Client(bench.gateway.port, [estate.request(f"/{kind}")], rate=0, connections=16, total=count))
    if tally.good:
        raise CannotMeasure(f"{kind}: {len(tally.good)} good answers of a backend that fails")
    return (told(bench.failing)["requests"] - before) / count


def findings(bench: Bench, options: Namespace) -> list[Finding]:
    opening = until_open(bench)
    found = [Finding("hung: until its breaker is open", opening, "s", WINDOW)]
    bench.gateway.order("/api/v1/probe-stalls", {"on": True})
    moved, same = [], []
    for number in range(options.rounds):
        order = ("/second", "/hung") if number % 2 else ("/hung", "/second")
        latencies = {path: bench.beside(path) for path in order}
        moved.append(latencies["/hung"] - latencies["/second"])
        same.append(latencies["/second"])
        say(f"round {number + 1} of {options.rounds} is done")
    told_moved, told_same = spread(moved), spread(same)
    low, high = told_moved.interval
    note = f"median {told_moved.median:.0f}, {told_moved} of {told_same.median:.0f}"
    found.append(Finding("hung: another route's median latency, moved by at least", low, "us", 0, note=note))
    found.append(Finding("hung: and by at most", high, "us"))
    data = bench.gateway.status()["data"]
    late = f"late by {data['stall_max'] * 1e3:.1f} ms, with what else the machine did"
    found.append(Finding("hung: longest stall of the data loop", data["busy_max"] * 1e3, "ms", STALL_MS, note=late))
    for kind in KINDS:
        each = attempts(bench, kind, options.requests)
        found.append(Finding(f"{kind}: attempts for each request", each, "", ATTEMPTS, note=f"of {options.requests:,}"))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "outage")
    made.add_argument("--rounds", type=int, default=9)
    made.add_argument("--seconds", type=float, default=4)
    made.add_argument("--requests", type=int, default=20_000, help="to a backend that fails (default 20000)")
    options = made.parse_args(arguments)
    needed("nginx")
    with Crew() as crew:
        found = findings(Bench(crew, options), options)
    return finish("outage", found, [], settings=vars(options), out=options.out)


if __name__ == "__main__":
    run(main)
