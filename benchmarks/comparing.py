"""What comparing two answers costs, from bytes to what differs, beside deepdiff, in interleaved rounds.

    python -m benchmarks.comparing [--profile]

The answers are invented: records as back offices send them, of nine members. Both begin with the bytes of two bodies.
deepdiff is told to ignore what the rules ignore. Of the large answer it is asked in the first round only: it takes
seconds.
"""

import cProfile
import gc
import pstats
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from random import Random
from statistics import median
from time import process_time
from typing import Any, NamedTuple

import orjson
from deepdiff import DeepDiff

from benchmarks.common import CannotMeasure, parser, run
from benchmarks.report import Finding, finish, ratio
from gateway.core.captured import CapturedAnswer, CapturedRequest, Sample
from gateway.core.comparing.judging import judge
from gateway.core.comparing.rules import Rules, compiled
from gateway.core.policies import Compare

SIZES = {"31 kB": (160, 10), "1 MB": (5_200, 1)}
"""How many records an answer has, and how often it is compared in a round."""
LARGE = 1_000
"""So many records are too many for deepdiff to be asked again and again."""
MOST = {"31 kB": 2.0, "1 MB": 80.0}
"""Milliseconds that equal answers may take."""
RULES = compiled(
    Compare(
        ignore=(("records", "*", "updated"),),
        tolerance=((("records", "*", "amount"), "0.005"),),
        unordered=((("records",), "account"),),
    )
)
JSON = ((b"content-type", b"application/json"),)
REQUEST = CapturedRequest(b"GET", b"/rents", b"localhost", ())


class Case(NamedTuple):
    """Two answers, the rules for them, what deepdiff has to know instead, and how many fields differ."""

    legacy: bytes
    new: bytes
    rules: Rules
    options: Mapping[str, Any]
    differ: int


def records(count: int) -> dict[str, Any]:
    """An answer's value."""
    return {
        "records": [
            {
                "account": f"HSG-{number:07}",
                "number": number,
                "tenant": "Ms A. Tenant & family",
                "address": f"{number} Orchard Close, Lower",
                "kind": ("rent", "service", "repair")[number % 3],
                "amount": number * 37 % 90_000 / 100,
                "updated": f"2026-11-22T{number % 24:02}:15:30Z",
                "open": number % 2 == 0,
                "note": None,
            }
            for number in range(1, count + 1)
        ]
    }


def cases(count: int) -> dict[str, Case]:
    """Equal answers, whose bytes differ; with noise in every record; and with faults, under rules."""
    value = records(count)
    noisy = deepcopy(value)
    for each in noisy["records"]:
        each["updated"] = "2026-11-28T00:00:00Z"
    faulty = deepcopy(noisy)
    del faulty["records"][3]
    faulty["records"][50]["amount"] += 1
    Random(1).shuffle(faulty["records"])
    legacy = orjson.dumps(value)
    ignored = {"exclude_regex_paths": [r"\['updated'\]"]}
    return {
        "equal": Case(legacy, orjson.dumps(value, option=orjson.OPT_SORT_KEYS), Rules(), {}, 0),
        "a time differs in each record": Case(legacy, orjson.dumps(noisy), Rules(), {}, 1),
        "that, ignored": Case(legacy, orjson.dumps(noisy), RULES, ignored, 0),
        "shuffled, with two faults": Case(legacy, orjson.dumps(faulty), RULES, {**ignored, "ignore_order": True}, 2),
    }


def ours(case: Case) -> int:
    """Two answers judged: how many fields differ."""
    legacy, new = (CapturedAnswer(200, JSON, body) for body in (case.legacy, case.new))
    return len(judge(Sample(0.0, "rents", "legacy", b"request", 1, legacy, new), case.rules).differences)


def theirs(case: Case) -> int:
    """The same two answers, compared by deepdiff."""
    return len(DeepDiff(orjson.loads(case.legacy), orjson.loads(case.new), **case.options))


def timed(work: Callable[[], object], times: int) -> float:
    """Milliseconds of CPU for one comparison."""
    began = process_time()
    for _ in range(times):
        work()
    return (process_time() - began) * 1_000 / times


def measured(case: Case, large: bool, times: int, rounds: int) -> dict[str, list[float]]:
    """What one comparison costs each, in rounds in which they take turns."""
    if ours(case) != case.differ:
        raise CannotMeasure(f"the comparer finds {ours(case)} differences, and there are {case.differ}")
    costs: dict[str, list[float]] = {"ours": [], "deepdiff": []}
    for number in range(rounds):
        costs["ours"].append(timed(partial(ours, case), times))
        if not large or number == 0:
            costs["deepdiff"].append(timed(partial(theirs, case), 1))
    return costs


def findings(size: str, name: str, costs: Mapping[str, Sequence[float]]) -> list[Finding]:
    """Milliseconds of one comparison, and how many times as long deepdiff takes."""
    what = f"{size}, {name}"
    found = [Finding(what, median(costs["ours"]), "ms", at_most=MOST[size] if name == "equal" else None)]
    times = ratio(costs["deepdiff"], costs["ours"])
    if times is not None:
        note = f"{times}; {median(costs['deepdiff']):,.0f} ms"
        found.append(Finding(f"{what}: deepdiff", times.median, "times", note=note))
    return found


def profiled(case: Case) -> None:
    profile = cProfile.Profile()
    profile.runcall(ours, case)
    pstats.Stats(profile).sort_stats("tottime").print_stats(20)


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "comparing")
    made.add_argument("--rounds", type=int, default=15)
    made.add_argument("--records", type=int, help="so many records in each answer, of either size")
    made.add_argument("--profile", action="store_true", help="say where the time goes as well")
    options = made.parse_args(arguments)
    gc.collect()
    gc.freeze()
    found, samples = [], {}
    for size, (count, times) in SIZES.items():
        for name, case in cases(options.records or count).items():
            costs = measured(case, count > LARGE, times, options.rounds)
            found += findings(size, name, costs)
            samples[f"{size}, {name}"] = costs
            if options.profile:
                profiled(case)
    return finish("comparing two answers", found, [], settings=vars(options), out=options.out, samples=samples)


if __name__ == "__main__":
    run(main)
