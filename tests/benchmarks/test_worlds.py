"""The simulated sides are as wrong as they say, and are seen as the gateway would see them."""

from collections import Counter
from itertools import takewhile
from random import Random

import pytest

from benchmarks.worlds import RECORDS, Stage, Visit, World, different, hot_world, visits, world_of


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
