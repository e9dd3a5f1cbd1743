"""The simulation is the gateway's own decision, second by second, only quicker."""

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
from benchmarks.worlds import hot_world, visits, world_of


@settings(max_examples=15, deadline=None)
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
