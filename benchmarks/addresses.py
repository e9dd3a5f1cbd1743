"""Two addresses of a backend die and come back under load: what fails is only what could not be sent twice.

    python -m benchmarks.addresses [--deaths 12]

Reads, writes that are idempotent and writes that are not are asked at a constant rate, while one address after the
other is killed with SIGKILL and started again. Every failure is held against what the gateway says of it.
"""

import random
import re
import subprocess
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from time import sleep

from benchmarks.common import ROOT, Crew, Gateway, accepts, end, get, parser, run, wait_until
from benchmarks.load import Client, Load
from benchmarks.ports import free_port
from benchmarks.report import Finding, finish, say
from benchmarks.tally import Tally

READS, PUTS, POSTS = 600, 100, 100
"""Requests a second of each kind."""
DEAD, ALIVE = (0.5, 1.5), (1.0, 2.0)
"""Seconds for which an address is dead, and after which the next one dies."""
DELAY_MS = 3.0
KINDS = ("read", "put", "post")


class Address:
    """An origin that is killed and started again on its port."""

    def __init__(self, name: str) -> None:
        self.port = free_port()
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--name", self._name, "--port", str(self.port), "--delay-ms", str(DELAY_MS)]
        command = [sys.executable, "-m", "benchmarks.origin", *options]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_until(lambda: accepts(self.port), "an address does not listen", self._process)

    def kill(self) -> None:
        assert self._process is not None, "not started"
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        if self._process is not None:
            end(self._process)


def routes_yaml(addresses: Sequence[Address]) -> str:
    urls = ", ".join(f'"http://127.0.0.1:{each.port}"' for each in addresses)
    return f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  office:
    urls: [{urls}]
    health: {{path: /well, every: 500ms, timeout: 500ms, after: 2}}
    retry: {{attempts: 3, on: [connect, reset], backoff: 5ms}}
routes:
  - {{name: read, match: GET /read, legacy: office}}
  - {{name: put, match: PUT /put, legacy: office}}
  - {{name: post, match: POST /post, legacy: office}}
"""


def request(method: str, path: str) -> bytes:
    body = b"" if method == "GET" else b"hello"
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return f"{method} {path} HTTP/1.1\r\nHost: bench\r\n".encode() + length + b"\r\n" + body


def errors_told(gateway: Gateway) -> Counter[tuple[str, str]]:
    """What the gateway counted: errors of each route, by kind."""
    text = get(gateway.admin, "/metrics").body.decode()
    found: Counter[tuple[str, str]] = Counter()
    for labels, value in re.findall(r"^banyan_errors_total\{([^}]*)\} ([0-9.]+)$", text, re.MULTILINE):
        names = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if names["role"] == "live":
            found[names["route"], names["error_type"]] += int(float(value))
    return found


def measured(options: Namespace) -> tuple[dict[str, Tally], Counter[tuple[str, str]]]:
    chance = random.Random(options.seed)
    addresses = [Address("one"), Address("two")]
    with ExitStack() as stack:
        for each in addresses:
            stack.callback(each.end)
            each.start()
        gateway = stack.enter_context(Crew()).gateway(routes_yaml(addresses))
        rates = {"read": ("GET", READS), "put": ("PUT", PUTS), "post": ("POST", POSTS)}
        tallies: dict[str, Tally] = {}
        with ExitStack() as loads:
            for name, (method, rate) in rates.items():
                client = Client(gateway.port, [request(method, f"/{name}")], rate=rate, connections=32)
                tallies[name] = loads.enter_context(Load(client)).tally
            for number in range(options.deaths):
                sleep(chance.uniform(*ALIVE))
                dying = addresses[number % len(addresses)]
                dying.kill()
                sleep(chance.uniform(*DEAD))
                dying.start()
            sleep(1.0)
        sleep(1.5)  # what was observed is counted in batches
        return tallies, errors_told(gateway)


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "addresses")
    made.add_argument("--deaths", type=int, default=12, help="how often an address dies (default 12)")
    made.add_argument("--seed", type=int, default=1, help="of the moments (default 1)")
    options = made.parse_args(arguments)
    tallies, told = measured(options)
    findings = [Finding("deaths", options.deaths)]
    for name in KINDS:
        tally = tallies[name]
        failed, asked = tally.failed, len(tally.good) + tally.failed
        kinds = {kind: count for (route, kind), count in told.items() if route == name}
        why = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none"
        note = f"of {asked:,}; the gateway says: {why}"
        at_most = None if name == "post" else 0
        findings.append(Finding(f"{name}: failed", failed, at_most=at_most, note=note))
        unexplained = abs(failed - sum(kinds.values()))
        findings.append(Finding(f"{name}: failed, and not counted by the gateway", unexplained, at_most=0))
    say("done")
    return finish("addresses", findings, [], settings=vars(options), out=options.out)


if __name__ == "__main__":
    run(main)
