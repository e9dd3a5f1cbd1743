"""What a loop does beside its work: as much as it can afford."""

import os
import time

from gateway.proxy.pace import FEW, Effort, Pace, Spare, Strain


def begun(pace: Pace, wanted: int) -> int:
    """How many of so many may begin."""
    return sum(pace.begin() for _ in range(wanted))


def paced(pace: Pace, ticks: int, wanted: int = 1_000, late: float = 0.0) -> list[int]:
    """How many began in each of so many ticks, of `wanted` in each."""
    counts = []
    for _ in range(ticks):
        counts.append(begun(pace, wanted))
        pace.tick(late)
    return counts


def test_as_many_begin_as_there_is_time_for() -> None:
    """A few at first, and more with every tick in which the loop had time to spare; then nothing is held back."""
    counts = paced(Pace(Strain(lambda: 0.5)), 10)
    assert counts[:2] == [FEW, 1.25 * FEW + 1]
    assert counts == sorted(counts)
    assert counts[-1] == 1_000


def test_what_was_not_used_is_no_experience() -> None:
    """After a quiet time it begins with a few again: nobody knows whether the loop has time for more."""
    pace = Pace(Strain(lambda: 0.5))
    paced(pace, 10)
    assert paced(pace, 3, wanted=400) == [400] * 3
    assert 800 <= pace.allowed <= 1_001
    paced(pace, 4, wanted=10)
    assert begun(pace, 1_000) == pace.allowed == FEW


def test_a_busy_loop_sheds_them_within_ticks() -> None:
    """Each busy tick leaves a part of what began in the last one; soon nothing begins."""
    efforts = iter([0.5] * 10 + [1.0] * 20)
    pace = Pace(Strain(lambda: next(efforts)))
    paced(pace, 10)
    counts = paced(pace, 20)
    assert counts[:3] == [1_000, 600, 360]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] <= 1


def test_a_loop_that_is_late_sheds_them_too() -> None:
    """Though its thread says that it has time: what clients wait for is the loop."""
    counts = paced(Pace(Strain(lambda: 0.5)), 20, late=0.003)
    assert counts[0] == FEW
    assert counts[-1] < 10


def test_being_late_once_is_nothing() -> None:
    """A single pause may have any cause."""
    pace = Pace(Strain(lambda: 0.5))
    pace.tick(0.006)
    assert begun(pace, 1_000) == FEW


def test_they_come_back_when_there_is_time() -> None:
    """Step by step, from next to none to all of them."""
    efforts = iter([1.0] * 20 + [0.5] * 40)
    pace = Pace(Strain(lambda: next(efforts)))
    paced(pace, 20)
    counts = paced(pace, 40)
    assert counts == sorted(counts)
    assert counts[10] < 100
    assert counts[-1] == 1_000


def test_nothing_begins_after_the_end() -> None:
    """However much time there is."""
    pace = Pace(Strain(lambda: 0.0))
    pace.stop()
    pace.tick(0.0)
    assert (pace.begin(), pace.allowed) == (False, 0)


def test_a_loop_has_time_for_a_part() -> None:
    """Of all there is while it is not busy; of less with every tick in which it is, and step by step of all again."""
    efforts = iter([0.5] * 3 + [1.0] * 10 + [0.5] * 30)
    spare = Spare(Strain(lambda: next(efforts)))
    parts = []
    for _ in range(43):
        spare.tick(0.0)
        parts.append(spare.part)
    assert parts[:5] == [1.0, 1.0, 1.0, 0.6, 0.36]
    assert parts[12] < 0.01
    assert parts[13:] == sorted(parts[13:])
    assert parts[-1] == 1.0


def test_effort_is_what_a_thread_works() -> None:
    """All of the time while it works, next to none while it sleeps."""
    effort = Effort()
    time.sleep(0.1)
    assert effort.part() < 0.5
    until = time.perf_counter() + 0.1
    while time.perf_counter() < until:
        os.getpid()
    assert effort.part() > 0.9
