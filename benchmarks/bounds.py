"""Whether a protected backend ever has to bear more than it says: counted at the backend, under the worst clients.

    python -m benchmarks.bounds [--requests 100000]

Clients come in bursts, some leave before they are answered, and some requests take longer than the gateway waits. The
backend does all of them to the end. Every request is copied to a second backend, which is protected as well and serves
a part of the clients itself. There is one gateway, or three on one store, of which one comes late and one leaves early.
"""

import asyncio
import json
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from random import Random
from time import monotonic, sleep
from typing import NamedTuple

from benchmarks.common import Crew, Gateway, get, parser, run, wait_until
from benchmarks.postgres import Postgres
from benchmarks.report import Finding, finish, say

MOST, RATE, BURST = 20, 50, 9
CLIENTS = 200
TIMEOUT_MS = 150
"""How long the gateway waits for an answer's head."""
LEAVES = 0.05
"""The part of the requests whose clients leave before the answer."""


class Way(NamedTuple):
    """One kind of protection, and the requests that are sent against it, through so many gateways."""

    protect: str
    requests: int
    gateways: int = 1


def routes(way: Way, legacy: int, new: int) -> str:
    return f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  legacy: {{url: "http://127.0.0.1:{legacy}", timeout: {{response: {TIMEOUT_MS}ms}}, protect: {way.protect}}}
  new: {{url: "http://127.0.0.1:{new}", timeout: {{response: {TIMEOUT_MS}ms}}, protect: {way.protect}}}
routes:
  - {{name: work, match: GET /work/**, legacy: legacy, new: new, serve: 50% new, shadow: 100%}}
  - {{name: other, match: GET /other/**, legacy: legacy, priority: high}}
"""


class Clients:
    """Many clients at once, and what they were answered."""

    def __init__(self, ports: Sequence[int], requests: int, seed: int) -> None:
        self._ports = ports
        self._left = requests
        self._random = Random(seed)
        self.answers: Counter[str] = Counter()

    async def run(self) -> Counter[str]:
        ports = [self._ports[number % len(self._ports)] for number in range(CLIENTS)]
        await asyncio.gather(*(self._client(port) for port in ports))
        return self.answers

    async def _client(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while self._left > 0:
            self._left -= 1
            if self._random.random() < 0.02:  # all who wait here come back at once
                await asyncio.sleep(0.25 - monotonic() % 0.25)
            leaves = self._random.random() < LEAVES
            kind = await self._ask(reader, writer, leaves)
            self.answers[kind] += 1
            if kind in ("left", "closed"):
                writer.transport.abort()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.transport.abort()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, leaves: bool) -> str:
        place = "other" if self._random.random() < 0.1 else "work"
        writer.write(b"GET /%b/%d HTTP/1.1\r\nHost: x\r\n\r\n" % (place.encode(), self._took()))
        if leaves:
            await asyncio.sleep(self._random.random() * 0.01)
            return "left"
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return "closed"
        return head.split(b" ", 2)[1].decode()

    def _took(self) -> int:
        """Milliseconds that the backend takes: mostly few, now and then more than the gateway waits."""
        chance = self._random.random()
        if chance < 0.004:
            return 10 * TIMEOUT_MS
        return self._random.randrange(10, 20) if chance < 0.1 else self._random.randrange(1, 4)


class Told(NamedTuple):
    """What came of one way."""

    answers: Counter[str]
    backends: list[dict[str, int]]
    seconds: float


def measured(way: Way, seed: int) -> Told:
    with ExitStack() as stack:
        store = stack.enter_context(Postgres()).database() if way.gateways > 1 else ""
        crew = stack.enter_context(Crew())
        ports = [crew.fragile(name) for name in ("legacy", "new")]
        began = monotonic()
        first = crew.gateway(routes(way, *ports), store=store)
        answers = (
            asked([first], way.requests, seed) if way.gateways == 1 else shared(crew, way, first, ports, store, seed)
        )
        seconds = monotonic() - began
        sleep(1.0)
        wait_until(lambda: not any(told(port)["under_way"] for port in ports), "the backends are not done")
        return Told(answers, [told(port) for port in ports], seconds)


def shared(crew: Crew, way: Way, first: Gateway, ports: Sequence[int], store: str, seed: int) -> Counter[str]:
    """Through one gateway while others come, through all of them, and through the others while the first one leaves."""
    part = way.requests // 3
    with ThreadPoolExecutor(1) as thread:
        wait_until(lambda: shares([first]) == {1}, "the gateway does not use all of it")
        loading = thread.submit(asked, [first], part, seed)
        others = [crew.gateway(routes(way, *ports), f"other-{at}", store=store) for at in range(way.gateways - 1)]
        together = [first, *others]
        wait_until(lambda: shares(together) == {way.gateways}, "the gateways do not share")
        answers = loading.result() + asked(together, part, seed)
        loading = thread.submit(asked, others, part, seed)
        sleep(1.0)
        first.end()
        wait_until(lambda: shares(others) == {len(others)}, "the others do not use what is free")
        return answers + loading.result()


def asked(gateways: Sequence[Gateway], requests: int, seed: int) -> Counter[str]:
    """So many requests, through these gateways; what they were answered."""
    return asyncio.run(Clients([each.port for each in gateways], requests, seed).run())


def shares(gateways: Sequence[Gateway]) -> set[int]:
    """Of how many parts the gateways use one, each."""
    return {gateway.status()["store"]["share"] for gateway in gateways}


def told(port: int) -> dict[str, int]:
    return dict(json.loads(get(port, "/told").body))


def findings(options: Namespace) -> list[Finding]:
    found = []
    ways = {
        f"max_concurrent: {MOST}": Way(f"{{max_concurrent: {MOST}}}", options.requests),
        f"rate: {RATE}/s": Way(f"{{rate: {RATE}/s, burst: {BURST}, queue: {{wait: 300ms}}}}", options.requests // 20),
    }
    ways |= {f"{name}, three gateways": way._replace(gateways=3) for name, way in ways.items()}
    for name, way in ways.items():
        came = measured(way, options.seed)
        answers = ", ".join(f"{count:,} {kind}" for kind, count in came.answers.most_common())
        found.append(Finding(f"{name}: requests of clients", way.requests, "", note=answers))
        for side, backend in zip(("legacy", "new"), came.backends, strict=True):
            note = f"{backend['requests']:,} requests, of which {backend['copies']:,} copies, in {came.seconds:.0f} s"
            if "rate" in name:
                busiest = backend["busiest_second"]
                found.append(Finding(f"{name}: in {side}'s busiest second", busiest, "", RATE + BURST, note=note))
            else:
                found.append(Finding(f"{name}: at {side} at once, most", backend["most"], "", MOST, note=note))
        say(f"{name}: done")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "bounds")
    made.add_argument("--requests", type=int, default=100_000, help="of each kind (default 100000)")
    made.add_argument("--seed", type=int, default=1)
    options = made.parse_args(arguments)
    return finish("bounds", findings(options), [], settings=vars(options), out=options.out)


if __name__ == "__main__":
    run(main)
