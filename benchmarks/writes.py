"""No write is lost, whatever is killed and whoever fails: both sides' ledgers are held against what clients heard.

    python -m benchmarks.writes [--ways kills,moods,full,trace] [--kills 50] [--spell 10]

Clients make writes with numbers of their own, on a route whose writes are copied and on one whose writes are queued
while the record is away, and copied then. **kills**: control and data are killed with SIGKILL at random moments, of one
gateway on SQLite and of two on one PostgreSQL, while the record goes away now and then. **moods**: each side in turn is
down, hangs, is reset in the middle of its answers, does a write and fails, and fails without doing it. **full**: the
store has no room. **trace**: the system calls show that the disk is synced before the client has its first byte.

What is unresolved is settled by an operator who looks into the record's ledger, as a person would; what comes at the
end is left to be listed.
"""

import asyncio
import os
import random
import signal
import threading
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from time import monotonic, sleep
from typing import NamedTuple

from benchmarks.common import CannotMeasure, Crew, Gateway, parser, run, wait_until
from benchmarks.ledgers import Ledger, Ledgers, Mood, Write
from benchmarks.postgres import Postgres
from benchmarks.report import Finding, finish, say
from benchmarks.store_faults import NoDisk, full, small_disk
from benchmarks.syscalls import synced_before_answered
from benchmarks.writers import Writers
from gateway.core.writing import State
from gateway.store.repository import Store

PLACES = ("copied", "queued")
REST = (0.4, 1.6)
"""Seconds between kills, from and to."""
AWAY, BACK = 0.5, 3.0
"""Seconds for which the record is away now and then, and between."""
DRAIN = 120.0
"""Seconds that the last deliveries may take."""
MOODS: tuple[Mood, ...] = ("down", "hangs", "cuts", "lies", "fails")
TO_COME = frozenset({State.PENDING, State.READY, State.DELIVERING})
LISTED = frozenset({State.UNRESOLVED, State.DEAD, State.READY, State.PENDING})


def routes_yaml(ledgers: Ledgers) -> str:
    return f"""version: 1
gateway: {{access_log: {{to: "off"}}, timeout: {{connect: 500ms, response: 2s}}}}
backends:
  legacy:
    url: "http://127.0.0.1:{ledgers.legacy.port}"
    protect: {{breaker: {{open_after: 5, window: 2s, retry_after: 500ms}}}}
  new: {{url: "http://127.0.0.1:{ledgers.new.port}"}}
routes:
  - {{name: copied, match: "ANY /copied/{{key}}", legacy: legacy, new: new, writes: {{copy: true}}}}
  - name: queued
    match: ANY /queued/{{key}}
    legacy: legacy
    new: new
    writes: {{copy: true, when_down: queue, give_up: 10m}}
"""


# ------------------------------------------------------------------------------------------------ what is stored


class Listed(NamedTuple):
    """A write in the store that is not done."""

    id: str
    state: State
    kind: str
    write: Write


async def _stored(gateway: Gateway, url: str, states: Sequence[State]) -> list[Listed]:
    store = await Store.open(url or None, gateway.data, upgrade=False, deadline=30)
    found: list[Listed] = []
    try:
        after = 0
        while some := await store.list_writes(list(states), limit=1_000, after=after):
            after = some[-1][0]
            for _, each in some:
                whole = await store.find_write(each.id)
                if whole is None or whole[1] is None:
                    continue
                path, _, number = whole[1].target.decode().partition("?ref=")
                found.append(Listed(each.id, each.state, each.kind, (path, int(number))))
    finally:
        await store.close()
    return found


class Scene:
    """Gateways on one store, with what was done and told."""

    def __init__(self, ledgers: Ledgers, gateways: list[Gateway], url: str, writers: Writers) -> None:
        self.ledgers = ledgers
        self.gateways = gateways
        self.url = url
        self.writers = writers
        self.settled: Counter[str] = Counter()

    def stored(self, states: Iterable[State]) -> list[Listed]:
        return asyncio.run(_stored(self.gateways[0], self.url, list(states)))

    def settle(self) -> None:
        """An operator settles what is unresolved, by what the record's ledger says; what is dead is tried again."""
        for each in self.stored([State.UNRESOLVED, State.DEAD]):
            made = self.ledgers.legacy.has(each.write)
            again = each.state is State.DEAD or each.kind == "queued"
            word = "made" if made and each.state is State.UNRESOLVED else "retry" if again else "drop"
            with suppress(CannotMeasure):  # told late, it may have settled itself
                order = {"by": "bench", "reason": "looked into the ledger"}
                self.gateways[0].order(f"/api/v1/writes/{each.id}/{word}", order)
                self.settled[word] += 1

    def drain(self, seconds: float) -> None:
        """Wait until nothing is on its way any more; what is parked behind something unresolved is not."""
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            open_ones = self.stored([*TO_COME, State.UNRESOLVED, State.DEAD])
            parked = {each.write[0] for each in open_ones if each.state not in TO_COME}
            if not [each for each in open_ones if each.state in TO_COME and each.write[0] not in parked]:
                return
            sleep(0.5)


class Outcome(NamedTuple):
    """What a way came to."""

    told: Counter[str]
    lost: list[str]
    forgotten: list[str]
    disordered: list[str]
    tokens: list[str]
    legacy: int
    new: int
    repeated: int
    listed: Counter[str]
    settled: Counter[str]


def outcome_of(scene: Scene) -> Outcome:
    """Hold the ledgers, the store and what clients were told against each other."""
    legacy, new = scene.ledgers.legacy, scene.ledgers.new
    made, copied = legacy.made(), new.made()
    owed = scene.stored(LISTED)
    listed = {each.write for each in owed}
    told: Counter[str] = Counter()
    lost = []
    for write, status in scene.writers.told.items():
        word = "queued" if status == 202 else "made" if 200 <= status < 300 else "failed"
        told[word] += 1
        if word == "made" and (write not in made or (write not in copied and write not in listed)):
            lost.append(f"{write} was answered {status}")
        if word == "queued" and write not in made and write not in listed:
            lost.append(f"{write} was answered 202")
    forgotten = [f"{write} is only with the record" for write in made if write not in copied and write not in listed]
    never = [f"{write} is only with the other side" for write in copied if write not in made]
    return Outcome(
        told=told,
        lost=lost,
        forgotten=forgotten + never,
        disordered=list(_disordered(made, copied)),
        tokens=list(_tokens(new)),
        legacy=len(made),
        new=len(copied),
        repeated=len(new.done) - len(copied),
        listed=Counter(each.state.value for each in owed),
        settled=scene.settled,
    )


def _disordered(made: dict[Write, int], copied: dict[Write, int]) -> Iterator[str]:
    """Writes of a key that the other side got in another order than the record."""
    by_key: dict[str, list[tuple[int, Write]]] = {}
    for write, place in copied.items():
        if write in made:
            by_key.setdefault(write[0], []).append((place, write))
    for found in by_key.values():
        found.sort()
        for (_, one), (_, other) in pairwise(found):
            if made[one] > made[other]:
                yield f"{one} before {other}"


def _tokens(ledger: Ledger) -> Iterator[str]:
    """Writes that came twice under different keys, and keys that came with different writes."""
    tokens: dict[Write, str] = {}
    of: dict[str, Write] = {}
    for each in ledger.done:
        if tokens.setdefault(each.write, each.token) != each.token:
            yield f"{each.write} came as {each.token}, too"
        if of.setdefault(each.token, each.write) != each.write:
            yield f"{each.token} came with {each.write}, too"


# ------------------------------------------------------------------------------------------------ kills


@contextmanager
def away_now_and_then(ledgers: Ledgers) -> Iterator[None]:
    """The record goes away, and comes back."""
    stop = threading.Event()

    def turn() -> None:
        while not stop.wait(BACK):
            ledgers.feel(ledgers.legacy, "down")
            stop.wait(AWAY)
            ledgers.feel(ledgers.legacy, "well")

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def kill(gateways: Sequence[Gateway], chance: random.Random) -> None:
    """Kill control or data of one gateway, and have it started again."""
    sleep(chance.uniform(*REST))
    gateway = chance.choice(gateways)
    if chance.random() < 0.5:
        gateway.control.kill()
        gateway.control.wait()
        gateway.start()
    else:
        (pid,) = gateway.data_pids()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: bool(set(gateway.data_pids()) - {pid}), "no other data process", output=gateway.log)
    gateway.wait_ready()


def killed(count: int, options: Namespace) -> Outcome:
    """So many gateways on one store (one: on SQLite), whose processes are killed."""
    chance = random.Random(options.seed)
    with ExitStack() as stack:
        ledgers = stack.enter_context(Ledgers())
        url = stack.enter_context(Postgres()).database() if count > 1 else ""
        crew = stack.enter_context(Crew())
        gateways = [crew.gateway(routes_yaml(ledgers), f"gateway-{number}", store=url) for number in range(count)]
        writers = Writers([each.port for each in gateways], PLACES, options.keys, options.rate)
        scene = Scene(ledgers, gateways, url, writers)
        with writers, away_now_and_then(ledgers):
            for number in range(options.kills):
                kill(gateways, chance)
                if number < options.kills - LEFT:
                    scene.settle()
            sleep(1.0)
        scene.drain(options.drain)
        return outcome_of(scene)


LEFT = 5
"""Kills at the end after which nobody settles anything: what they leave is to be listed."""


# ------------------------------------------------------------------------------------------------ moods and stores


def moody(options: Namespace) -> Outcome:
    """Each side in turn fails in each way, for a spell each."""
    with ExitStack() as stack:
        ledgers = stack.enter_context(Ledgers())
        crew = stack.enter_context(Crew())
        gateway = crew.gateway(routes_yaml(ledgers))
        writers = Writers([gateway.port], PLACES, options.keys, options.rate)
        scene = Scene(ledgers, [gateway], "", writers)
        with writers:
            for ledger in (ledgers.legacy, ledgers.new):
                for mood in MOODS:
                    sleep(1.0)
                    ledgers.feel(ledger, mood)
                    sleep(options.spell)
                    ledgers.feel(ledger, "well")
                    sleep(1.0)
                    scene.settle()
            sleep(1.0)
        scene.drain(options.drain)
        return outcome_of(scene)


def without_room(options: Namespace) -> Outcome:
    """The store's disk is full for a while. Raises NoDisk."""
    with ExitStack() as stack:
        ledgers = stack.enter_context(Ledgers())
        disk = stack.enter_context(small_disk())
        crew = stack.enter_context(Crew())
        gateway = crew.gateway(routes_yaml(ledgers), data=disk / "data")
        writers = Writers([gateway.port], PLACES, options.keys, options.rate)
        scene = Scene(ledgers, [gateway], "", writers)
        with writers:
            for _ in range(3):
                sleep(2.0)
                with full(gateway.data):
                    sleep(options.spell / 2)
                sleep(2.0)
            scene.settle()
        scene.drain(options.drain)
        return outcome_of(scene)


# ------------------------------------------------------------------------------------------------ what it comes to


def findings_of(name: str, outcome: Outcome) -> list[Finding]:
    told = outcome.told
    heard = f"clients heard: {told['made']:,} made, {told['queued']:,} queued, {told['failed']:,} failed"
    listed = ", ".join(f"{count} {state}" for state, count in sorted(outcome.listed.items())) or "nothing"
    settled = ", ".join(f"{count} {word}" for word, count in sorted(outcome.settled.items())) or "nothing"
    return [
        Finding(f"{name}: writes", sum(told.values()), at_least=1, note=heard),
        Finding(f"{name}: acknowledged and lost", len(outcome.lost), at_most=0, note=" ".join(outcome.lost[:1])),
        Finding(
            f"{name}: on one side alone, and not listed",
            len(outcome.forgotten),
            at_most=0,
            note=f"{outcome.legacy:,} with the record, {outcome.new:,} with the other. "
            + " ".join(outcome.forgotten[:1]),
        ),
        Finding(f"{name}: out of order", len(outcome.disordered), at_most=0, note=" ".join(outcome.disordered[:1])),
        Finding(f"{name}: under two keys", len(outcome.tokens), at_most=0, note=" ".join(outcome.tokens[:1])),
        Finding(f"{name}: delivered again", outcome.repeated, note="each with the key that it had before"),
        Finding(f"{name}: listed at the end", sum(outcome.listed.values()), note=f"{listed}; settled: {settled}"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "writes")
    made.add_argument("--ways", default="kills,moods,full,trace", help="which of them (default all)")
    made.add_argument("--kills", type=int, default=50, help="of each store (default 50)")
    made.add_argument("--keys", type=int, default=20, help="keys of each route (default 20)")
    made.add_argument("--rate", type=float, default=150, help="writes per second (default 150)")
    made.add_argument("--spell", type=float, default=10, help="seconds that a side fails in one way (default 10)")
    made.add_argument("--drain", type=float, default=DRAIN, help="seconds that the last deliveries may take")
    made.add_argument("--seed", type=int, default=1, help="of the moments (default 1)")
    options = made.parse_args(arguments)
    findings: list[Finding] = []
    for way in options.ways.split(","):
        if way == "kills":
            for name, count in (("SQLite", 1), ("PostgreSQL", 2)):
                findings += findings_of(f"killed, {name}", killed(count, options))
                say(f"killed, {name}: done")
        elif way == "moods":
            findings += findings_of("moods", moody(options))
        elif way == "full":
            try:
                findings += findings_of("disk full", without_room(options))
            except NoDisk as error:
                say(f"not measured: {error}")
        else:
            findings += synced_before_answered(routes_yaml)
        say(f"{way}: done")
    return finish("writes", findings, [], settings=vars(options), out=options.out)


if __name__ == "__main__":
    run(main)
