"""The simulation is the gateway's own decision, second by second, only quicker; and its worlds are what they say."""

from collections import Counter
from itertools import takewhile
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import simulation
from benchmarks.report import Finding
from benchmarks.simulation import (
    CELLS,
    Cell,
    Outcome,
    Part,
    by_events,
    by_seconds,
    findings_of,
    lasted,
    parts_of,
    row,
    simulated,
)
from benchmarks.worlds import RECORDS, Stage, Visit, World, different, hot_world, visits, world_of


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    parity=st.sampled_from([1.0, 0.999_5, 0.998, 0.995, 0.99, 0.97]),
    requests=st.sampled_from([1_000, 3_000, 20_000]),
)
def test_a_run_is_what_the_gateway_would_decide_every_second(seed: int, parity: float, requests: int) -> None:
    """Going from one wrong answer to the next ends in the same second, in the same way, as asking every second."""
    world = world_of(parity, requests, Random(seed))
    quick, slow = (go(world, visits(world, Random(seed)), 12_000) for go in (by_events, by_seconds))
    assert quick == slow


@pytest.mark.parametrize("requests", [100, 1_000, 20_000])
def test_a_hot_record_is_found_in_the_same_second(requests: int) -> None:
    """What the spans of traffic find is found in the same second, too."""
    world = hot_world(requests)
    quick, slow = (go(world, visits(world, Random(1)), 12_000) for go in (by_events, by_seconds))
    assert quick == slow
    assert slow.kind == "rolled_back"


def test_all_three_endings_are_compared() -> None:
    """The worlds of the comparison promote, hold and roll back."""
    endings = {simulated(Part(Cell(parity, 20_000), 0, 1, 12_000, seed=1))[0].kind for parity in (1.0, 0.995, 0.95)}
    assert endings == {"promoted", "held", "rolled_back"}


def test_a_world_is_wrong_to_its_part() -> None:
    """Exactly the part asked for of the records is wrong, and hot records are hot."""
    assert len(world_of(0.95, 20, Random(1)).popularity) == RECORDS // 20
    assert len(world_of(0.999_9, 20, Random(1)).popularity) == 1
    assert world_of(1.0, 20, Random(1)).wrong == 0
    assert hot_world(20).wrong == 0.3


def test_wrong_records_are_asked_for_as_often_as_they_are_popular() -> None:
    """Wrong answers come at the rate of their records' popularity, and the popular ones more often."""
    world = World(10.0, (0.01, 0.04))
    seen = list(takewhile(lambda visit: visit.second <= 100_000, visits(world, Random(1))))
    answers = sum(visit.answers for visit in seen)
    assert answers == pytest.approx(10 * 100_000 * 0.04, rel=0.05)
    assert Counter(visit.record for visit in seen)[1] / len(seen) == pytest.approx(0.75, abs=0.02)
    assert [visit.second for visit in seen] == sorted(visit.second for visit in seen)


def test_different_requests_grow_and_level_off() -> None:
    """Of 16 visits few are repeated, at first; in the end nearly every record was asked for."""
    known = different()
    assert known == sorted(known)
    assert 8 < known[2] < 16
    assert RECORDS * 0.99 < known[-1] <= RECORDS + 1e-6


def test_a_stage_counts_what_was_seen() -> None:
    """Answers, records and spans come out as they went in."""
    world = World(1.0, (0.5,))
    stage = Stage(world, 0)
    for visit in [Visit(10, 0, 2), Visit(20, 0, 30)]:
        stage.add(visit)
    assert stage.closes == 60
    assert stage.close()
    seen = stage.evidence(100)
    assert (seen.matched, seen.mismatched, seen.wrong) == (50, 32, 1)
    assert (seen.spans, seen.bad, seen.awful) == (1, 1, 1)


def test_runs_are_divided_and_end() -> None:
    """Every run is in one portion, and ends after its days or its answers."""
    parts = parts_of(Cell(1.0, 20_000), 2_500, 10, 500_000, 1)
    assert [part.runs for part in parts] == [1_000, 1_000, 500]
    assert {part.horizon for part in parts} == {45_000}
    assert parts_of(Cell(1.0, 20), 1, 10, 500_000, 1)[0].horizon == 864_000


def test_the_table_says_how_runs_ended() -> None:
    """A line holds the parts and the median times; what never happened took no time."""
    outcomes = [Outcome("promoted", 9_000), Outcome("promoted", 9_000), Outcome("rolled_back", 120), Outcome("held", 1)]
    assert row(Cell(0.99, 1_000), outcomes) == "| 99 % | 1,000 | 50.00 % | 2.5 h | 25.00 % | 25.00 % | 2 min |"
    assert row(Cell(1.0, 20, hot=True), outcomes[3:]) == "| one hot record | 20 | 0.00 % | - | 100.00 % | 0.00 % | - |"
    assert lasted(7_199) == "120 min"


def test_what_is_required_is_held_against_it() -> None:
    """A bad side that gets through, a good one that is turned back or does not arrive: each misses its requirement."""
    bad, good = [Outcome("promoted", 1)] * 10, [Outcome("rolled_back", 1)] * 10
    missed = [*findings_of({Cell(0.95, 20): bad, Cell(1.0, 20, hot=True): bad}), *findings_of({Cell(1.0, 20): good})]
    missed += findings_of({Cell(0.999_5, 5_000): good})
    assert len(missed) == 4
    assert not any(map(_ok, missed))
    assert all(map(_ok, findings_of({Cell(0.95, 20): good, Cell(1.0, 20): bad, Cell(0.999_5, 5_000): bad})))
    assert findings_of({Cell(0.99, 20): bad}) == []


def _ok(finding: Finding) -> bool:
    return finding.ok


def test_it_runs_and_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    """From the command line: a line per cell, then what is required."""
    simulation.main(["--runs", "1", "--days", "0.05", "--jobs", "1"])
    said = capsys.readouterr().out
    assert sum(line.startswith(("| 9", "| 1", "| one")) for line in said.splitlines()) == len(CELLS)
    assert "95 % at 20: reaches all traffic" in said
