"""Ramps of sides that are right to a known part, many thousand times: what the default guards do with them.

    python -m benchmarks.simulation [--runs 10000] [--jobs 2] [--days 10] [--answers 500000] [--seed 1]

The ramp is looked at every second. Between two wrong answers nothing happens but that more right ones arrive, so a run
goes from one wrong answer to the next; a test holds it to `decide` at every second.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from math import ceil
from random import Random
from statistics import median
from typing import Literal, NamedTuple

from benchmarks.common import parser, run
from benchmarks.report import Finding, finish
from benchmarks.worlds import NEVER, PARITY, RAMP, Stage, Visit, World, hot_world, visits, world_of
from gateway.core.guards import ERROR, LEAST_AGREEING, LEAST_REQUESTS, error_of, spans_refute, views
from gateway.core.positions import State, begun
from gateway.core.rollout import Promote, advanced, decide
from gateway.core.statistics import refutes, wilson

PARITIES = (1.0, 0.999_9, 0.999_5, 0.999, 0.995, 0.99, 0.95)
REQUESTS = (20, 100, 1_000, 5_000, 20_000)
"""Judged answers in the time that a stage lasts at least."""
PORTION = 1_000
HEADER = """\
| right | answers a stage | reaches all traffic | after | holds | rolled back | after |
|---|---|---|---|---|---|---|"""


class Outcome(NamedTuple):
    """How a ramp ended, and after how many seconds."""

    kind: Literal["promoted", "held", "rolled_back"]
    seconds: int


def by_seconds(world: World, coming: Iterator[Visit], horizon: int) -> Outcome:
    """One run by the letter: the gateway's own decision, every second."""
    position = advanced(begun("", RAMP, 0), Promote(0, ""), RAMP, 0)
    stage, visit = Stage(world, 0), next(coming)
    for now in range(1, horizon + 1):
        stage.turn_page(now)
        while visit.second <= now:
            stage.add(visit)
            visit = next(coming)
        if stage.closes <= now:
            stage.close()
        before = position
        position = advanced(before, decide(RAMP, before, stage.evidence(now), now, True), RAMP, now)
        if position.state is State.ROLLED_BACK:
            return Outcome("rolled_back", now)
        if position.state is State.FINISHED:
            return Outcome("promoted", now)
        if position is not before:
            stage = Stage(world, now)
    return Outcome("held", horizon)


def by_events(world: World, coming: Iterator[Visit], horizon: int) -> Outcome:
    """The same run, from one wrong answer to the next."""
    stage, visit, stages, looked = Stage(world, 0), next(coming), len(RAMP.stages), 1
    while True:
        now = min(visit.second, stage.closes, horizon + 1)
        if ready(stage, now - 1):
            begin = first(partial(ready, stage), looked, now - 1)
            stages -= 1
            if not stages:
                return Outcome("promoted", begin)
            stage, looked = Stage(world, begin), begin + 1
            continue
        if now > horizon:
            return Outcome("held", horizon)
        stage.turn_page(now)
        before = len(stage.records), len(stage.lately)
        while visit.second <= now:
            stage.add(visit)
            visit = next(coming)
        worse = stage.closes <= now and stage.close() and refuted_by_spans(stage, now)
        if worse or ((len(stage.records), len(stage.lately)) != before and refuted_by_requests(stage, now)):
            return Outcome("rolled_back", now)
        looked = now


def refuted_by_spans(stage: Stage, now: int) -> bool:
    """Whether the spans roll back: asked when one more was bad."""
    return any(spans_refute(seen, 1 - PARITY, error) for seen, error, _ in views(stage.evidence(now)))


def refuted_by_requests(stage: Stage, now: int) -> bool:
    """Whether the requests roll back: asked when one more was wrong."""
    wrong, lately = len(stage.records), len(stage.lately)
    if stage.right_requests(now) + wrong <= most_refuting(wrong, ERROR / 2):
        return True
    return stage.right_requests(now, lately=True) + lately <= most_refuting(lately, error_of(stage.chapter))


def ready(stage: Stage, now: int) -> bool:
    """Whether nothing is missing for the next stage. Once true, it stays so until something else is wrong."""
    if now - stage.since < RAMP.every:
        return False
    agreeing, wrong, samples = stage.right(now) // 2, stage.wrong, RAMP.guards.samples
    if agreeing + wrong < samples or agreeing < max(LEAST_AGREEING, samples // 10, least_agreeing(wrong)):
        return False
    records, requests = len(stage.records), stage.right_requests(now)
    if requests // 2 + records < max(LEAST_REQUESTS, samples // 10):
        return False
    return requests + records >= least_requests(records)


def first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The first whole number from `low` on at which something holds that goes on to hold, up to `high`."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


@cache
def least_agreeing(wrong: int) -> int:
    """How many agreeing answers outweigh so many wrong ones."""
    return first(lambda right: right > 0 and wilson(right, right + wrong).low >= PARITY, 0, NEVER)


@cache
def least_requests(wrong: int) -> int:
    """Among how many different requests so many wrong ones are not too many."""
    return first(lambda requests: wilson(requests - wrong, requests).high >= PARITY, wrong, NEVER)


@cache
def most_refuting(wrong: int, error: float) -> int:
    """Among how many different requests, at most, so many wrong ones roll back; one less than `wrong` for none."""
    return first(lambda requests: not refutes(wrong, requests, 1 - PARITY, error), wrong, NEVER) - 1


class Cell(NamedTuple):
    """A side and its traffic; `hot` instead of `parity` where one record is wrong."""

    parity: float
    requests: int
    hot: bool = False

    @property
    def name(self) -> str:
        return f"{'one hot record' if self.hot else f'{100 * self.parity:g} %'} at {self.requests:,}"


class Part(NamedTuple):
    """Some of the runs of a cell."""

    cell: Cell
    number: int
    runs: int
    horizon: int
    seed: int


CELLS = (
    *(Cell(parity, requests) for parity in PARITIES for requests in REQUESTS),
    *(Cell(1.0, requests, hot=True) for requests in REQUESTS),
)


def simulated(part: Part) -> list[Outcome]:
    """What became of each run."""
    cell = part.cell
    chance = Random(f"{part.seed} {cell} {part.number}")
    outcomes = []
    for _ in range(part.runs):
        world = hot_world(cell.requests) if cell.hot else world_of(cell.parity, cell.requests, chance)
        outcomes.append(by_events(world, visits(world, chance), part.horizon))
    return outcomes


def parts_of(cell: Cell, runs: int, days: float, answers: int, seed: int) -> list[Part]:
    """A cell's runs in portions; each run ends after so many days or judged answers, whichever comes first."""
    horizon = int(min(days * 86_400, answers / cell.requests * RAMP.every))
    return [
        Part(cell, number, min(PORTION, runs - number * PORTION), horizon, seed)
        for number in range(ceil(runs / PORTION))
    ]


def row(cell: Cell, outcomes: Sequence[Outcome]) -> str:
    """A line of the table in docs/evidence.md."""
    side = "one hot record" if cell.hot else f"{100 * cell.parity:g} %"
    cells = [side, f"{cell.requests:,}"]
    for kind in ("promoted", "held", "rolled_back"):
        times = [each.seconds for each in outcomes if each.kind == kind]
        cells.append(f"{100 * len(times) / len(outcomes):.2f} %")
        if kind != "held":
            cells.append(lasted(median(times)) if times else "-")
    return f"| {' | '.join(cells)} |"


def lasted(seconds: float) -> str:
    """A time, to be read."""
    return f"{seconds / 3_600:.1f} h" if seconds >= 7_200 else f"{seconds / 60:.0f} min"


def part_of(kind: str, outcomes: Sequence[Outcome]) -> float:
    """How many of the runs ended so, in percent."""
    return 100 * sum(each.kind == kind for each in outcomes) / len(outcomes)


def findings_of(found: dict[Cell, list[Outcome]]) -> list[Finding]:
    """What is required of the default guards."""
    findings = []
    for cell, outcomes in found.items():
        promoted, back = part_of("promoted", outcomes), part_of("rolled_back", outcomes)
        if cell.hot or cell.parity == 0.95:
            findings.append(Finding(f"{cell.name}: reaches all traffic", promoted, "%", at_most=0.1))
        if not cell.hot and cell.parity >= 0.999_9:
            findings.append(Finding(f"{cell.name}: rolled back", back, "%", at_most=1.0))
        if cell == Cell(0.999_5, 5_000):
            findings.append(Finding(f"{cell.name}: reaches all traffic", promoted, "%", at_least=95.0))
    return findings


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser(__doc__, "simulation")
    options.add_argument("--runs", type=int, default=10_000, help="runs of each cell")
    options.add_argument("--days", type=float, default=10.0, help="a run ends after so many days")
    options.add_argument("--answers", type=int, default=500_000, help="or after so many judged answers")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args(arguments)
    found: dict[Cell, list[Outcome]] = {}
    print(HEADER)
    with ProcessPoolExecutor(chosen.jobs) as pool:
        for cell in CELLS:
            parts = parts_of(cell, chosen.runs, chosen.days, chosen.answers, chosen.seed)
            found[cell] = [outcome for part in pool.map(simulated, parts) for outcome in part]
            print(row(cell, found[cell]), flush=True)
    return finish("simulation", findings_of(found), [], settings=vars(chosen), out=chosen.out)


if __name__ == "__main__":
    run(main)
