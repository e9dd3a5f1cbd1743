"""What is told of a ramp holds, whatever is killed: no step is undone, repeated, or told to nobody.

    python -m benchmarks.killing [--kills 30]

A ramp takes some steps a second, under load. At random moments control or data is killed with SIGKILL, of one
gateway on SQLite, and of either of two on one PostgreSQL; control is started again. What was told stands in the logs,
at a webhook's receiver, and in the store; at the end all three are held against each other.
"""

import asyncio
import os
import random
import signal
from argparse import Namespace
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from itertools import pairwise
from time import monotonic, sleep
from typing import Any, Literal, NamedTuple

from benchmarks.common import CannotMeasure, Crew, Gateway, parser, run, wait_until
from benchmarks.load import Client, Load
from benchmarks.postgres import Postgres
from benchmarks.ramps import (
    BY_ATTEMPTS,
    Journey,
    first_requests,
    routes_yaml,
    steady_requests,
    told_by,
    wait_for,
)
from benchmarks.receiver import Receiver
from benchmarks.report import Finding, finish, say
from benchmarks.tally import Tally
from benchmarks.turning import Sides
from gateway.core.events import TYPES, Event
from gateway.store.repository import Store

CLIMBING = Journey("climbing", [20 + 0.04 * step for step in range(2_000)], "100ms", "10%", BY_ATTEMPTS)
"""It is in the middle of a step for a good part of the time."""
KNOWN_AT_ONCE, KNOWN_SOON = 0.5, 2.0
"""Seconds, at most, until a gateway that was started again stands where it was last told: by itself, or by another."""
DELIVERED = 120.0
"""Seconds that deliveries may take at the end: one that died with its process is left alone for a minute."""
REST = (0.5, 2.5)
"""Seconds between kills, from and to."""

Part = Literal["control", "data"]


class Step(NamedTuple):
    """A step of the ramp, as it was told."""

    sequence: int
    stage: int
    share: float
    event: str


class Scene:
    """Gateways on one store, under load, with all that was told of their ramp."""

    def __init__(self, sides: Sides, gateways: list[Gateway], receiver: Receiver, url: str) -> None:
        self.sides = sides
        self.gateways = gateways
        self.receiver = receiver
        self.url = url
        self.stood: list[tuple[int, int, float]] = []
        self.seconds: list[float] = []
        self.adopted = 0

    def last_told(self) -> int:
        """The sequence of the last step that anybody was told."""
        logged = (step.sequence for gateway in self.gateways for step in steps_of(gateway))
        return max([*logged, *(step.sequence for step in self.delivered())], default=0)

    def delivered(self) -> list[Step]:
        """Steps as the webhook's receiver got them."""
        return [_step(each["type"], each["data"]) for each in self.receiver.got.values() if _is_step(each["type"])]

    def kill(self, part: Part, chance: random.Random) -> None:
        """Kill one process, have it started again, and see where the ramp stands then."""
        sleep(chance.uniform(*REST))
        gateway = chance.choice(self.gateways)
        if part == "control":
            gateway.control.kill()
            gateway.control.wait()
            last = self.last_told()
            gateway.start()
        else:
            (pid,) = gateway.data_pids()
            os.kill(pid, signal.SIGKILL)
            last = self.last_told()
            wait_until(lambda: bool(set(gateway.data_pids()) - {pid}), "no other data process", output=gateway.log)
        gateway.wait_ready()
        self._look(gateway, last)

    def _look(self, gateway: Gateway, last: int) -> None:
        """Wait until a gateway stands where it was last told, and note how long that took."""
        ready = monotonic()
        while True:
            ramp = gateway.ask(f"/api/v1/ramps/{CLIMBING.name}")
            self.stood.append((ramp["sequence"], ramp["stage"], ramp["share"]))
            took = monotonic() - ready
            if ramp["sequence"] >= last or took > 10 * KNOWN_SOON:
                self.seconds.append(took)
                return
            sleep(0.02)


def steps_of(gateway: Gateway) -> list[Step]:
    """Steps as a gateway has logged them."""
    return [
        _step(each.event.replace("_", ".", 1), each.fields)
        for each in told_by(gateway)
        if each.journey == CLIMBING.name and each.event.startswith("ramp_") and "sequence" in each.fields
    ]


def _is_step(kind: str) -> bool:
    return kind.startswith("ramp.")


def _step(kind: str, fields: dict[str, Any]) -> Step:
    return Step(fields["sequence"], fields["stage"], fields["share"], kind)


# ------------------------------------------------------------------------------------------------ one way


class Outcome(NamedTuple):
    """What the kills of one way came to. `asked` and `failed` are requests, while control or data was killed."""

    steps: int
    seconds: list[float]
    asked: dict[Part, int]
    failed: dict[Part, int]
    refused: int
    moved_back: int
    undone: list[str]
    undelivered: int


def measured(count: int, options: Namespace) -> Outcome:
    """So many gateways on one store (one: on SQLite), of which control and data are killed in turn."""
    chance = random.Random(options.seed)
    with ExitStack() as stack:
        sides = stack.enter_context(Sides())
        receiver = stack.enter_context(Receiver())
        url = stack.enter_context(Postgres()).database() if count > 1 else ""
        crew = stack.enter_context(Crew())
        text = routes_yaml(sides, [CLIMBING], receiver.entry)
        gateways = [crew.gateway(text, f"gateway-{number}", store=url) for number in range(count)]
        scene = Scene(sides, gateways, receiver, url)
        tallies: dict[Part, list[Tally]] = {}
        begin(scene, options)
        for part in ("control", "data"):
            with ExitStack() as loads:
                requests = [*steady_requests(CLIMBING), *first_requests(CLIMBING)]
                clients = [Client(each.port, requests, rate=options.rate / count, connections=16) for each in gateways]
                tallies[part] = [loads.enter_context(Load(client)).tally for client in clients]
                for _ in range(options.kills // 2):
                    scene.kill(part, chance)
                sleep(1.0)
        return outcome_of(scene, tallies, options)


def begin(scene: Scene, options: Namespace) -> None:
    """Wait until every gateway has the first stage."""
    with ExitStack() as loads:
        for gateway in scene.gateways:
            loads.enter_context(Load(Client(gateway.port, steady_requests(CLIMBING), rate=options.rate, connections=8)))
        wait_for(scene.gateways, "ramp_promoted", CLIMBING.name)
        wait_until(
            lambda: all(each.ask(f"/api/v1/ramps/{CLIMBING.name}")["stage"] > 0 for each in scene.gateways),
            "no first stage",
        )
    sleep(0.5)


def outcome_of(scene: Scene, tallies: dict[Part, list[Tally]], options: Namespace) -> Outcome:
    """Hold against each other what the store has, what was logged, and what the receiver got."""
    stored: list[Event] = []

    def missing() -> int:
        stored[:] = asyncio.run(stored_events(scene.url, scene.gateways[0]))
        return sum(each.id not in scene.receiver.got for each in stored)

    with suppress(CannotMeasure):
        wait_until(lambda: not missing(), "not all is delivered", seconds=options.delivered)
    steps = [_step(TYPES[each.kind], dict(each.details)) for each in stored if "sequence" in each.details]
    return Outcome(
        steps=len(steps),
        seconds=scene.seconds,
        asked={part: sum(len(each.good) + each.failed for each in of) for part, of in tallies.items()},
        failed={part: sum(each.failed for each in of) for part, of in tallies.items()},
        refused=sum(len(each.refused) for of in tallies.values() for each in of),
        moved_back=scene.sides.legacy.count[CLIMBING.told],
        undone=list(contradictions(steps, scene)),
        undelivered=missing(),
    )


async def stored_events(url: str, gateway: Gateway) -> list[Event]:
    """All events of the ramp, the earliest first."""
    store = await Store.open(url or None, gateway.data, upgrade=False)
    try:
        return (await store.events(10_000, journey=CLIMBING.name))[::-1]
    finally:
        await store.close()


def contradictions(steps: Sequence[Step], scene: Scene) -> Iterable[str]:
    """Where what was told, or where the ramp stood, is not the one sequence of steps that there was."""
    for number, step in enumerate(steps):
        if (step.sequence, step.stage) != (number + 1, number):
            yield f"step {number + 1} is in the store as {step}"
    for gateway in scene.gateways:
        logged = steps_of(gateway)
        yield from (f"logged {one} and then {two}" for one, two in pairwise(logged) if one.sequence >= two.sequence)
        yield from (f"logged {step}, which the store does not have" for step in logged if step not in steps)
    yield from (f"delivered {step}, which the store does not have" for step in scene.delivered() if step not in steps)
    places = {(step.sequence, step.stage, step.share) for step in steps}
    yield from (f"stood at {place}, which was told to nobody" for place in scene.stood if place not in places)


# ------------------------------------------------------------------------------------------------ what it comes to


def findings_of(name: str, outcome: Outcome, at_once: float) -> list[Finding]:
    contradicting, lost = outcome.undone, outcome.failed["data"]
    return [
        Finding(f"{name}: kills", len(outcome.seconds), note=f"{outcome.steps} steps of the ramp"),
        Finding(f"{name}: until it stood where it was told, longest", max(outcome.seconds), "s", at_once),
        Finding(
            f"{name}: undone, repeated or not told", len(contradicting), at_most=0, note=" ".join(contradicting[:1])
        ),
        Finding(f"{name}: requests that were moved back to legacy", outcome.moved_back, at_most=0),
        Finding(f"{name}: events not delivered at the end", outcome.undelivered, at_most=0),
        Finding(
            f"{name}: requests failed, control killed",
            outcome.failed["control"],
            at_most=0,
            note=f"of {outcome.asked['control']:,}",
        ),
        Finding(f"{name}: requests lost under way, data killed", lost, note=f"of {outcome.asked['data']:,}"),
        Finding(f"{name}: connections refused", outcome.refused, at_most=0),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "killing")
    made.add_argument("--kills", type=int, default=30, help="of each way, half of them of control (default 30)")
    made.add_argument("--rate", type=float, default=300, help="requests per second, over all gateways (default 300)")
    made.add_argument("--seed", type=int, default=1, help="of the moments (default 1)")
    made.add_argument("--delivered", type=float, default=DELIVERED, help="seconds that the last deliveries may take")
    options = made.parse_args(arguments)
    findings: list[Finding] = []
    for name, count, at_once in (("one gateway", 1, KNOWN_AT_ONCE), ("two gateways", 2, KNOWN_SOON)):
        findings += findings_of(name, measured(count, options), at_once)
        say(f"{name}: done")
    return finish("killing", findings, [], settings=vars(options), out=options.out)


if __name__ == "__main__":
    run(main)
