"""Copies begin at the pace that the loop can afford."""

import os
import time

from gateway.proxy.pace import MOST, Effort, Pace


def begun(pace: Pace, wanted: int) -> int:
    """How many of so many may begin."""
    return sum(pace.begin() for _ in range(wanted))


def test_as_many_begin_as_there_is_time_for() -> None:
    """Nothing is held back at first, nor for as long as the loop has time to spare."""
    pace = Pace(lambda: 0.5)
    for _ in range(5):
        assert begun(pace, 1_000) == 1_000
        pace.tick(0.0)
    assert begun(pace, int(MOST) + 7) == MOST


def test_a_busy_loop_sheds_them_within_ticks() -> None:
    """Each busy tick leaves a part of what began in the last one; soon nothing begins."""
    pace = Pace(lambda: 1.0)
    counts = []
    for _ in range(20):
        counts.append(begun(pace, 1_000))
        pace.tick(0.0)
    assert counts[:3] == [1_000, 600, 360]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] <= 1


def test_a_loop_that_is_late_sheds_them_too() -> None:
    """Though its thread says that it has time: what clients wait for is the loop."""
    pace = Pace(lambda: 0.5)
    counts = []
    for _ in range(20):
        counts.append(begun(pace, 1_000))
        pace.tick(0.003)
    assert counts[0] == 1_000
    assert counts[-1] < 10


def test_being_late_once_is_nothing() -> None:
    """A single pause may have any cause."""
    pace = Pace(lambda: 0.5)
    pace.tick(0.006)
    assert begun(pace, 1_000) == 1_000


def test_they_come_back_when_there_is_time() -> None:
    """Step by step, from next to none to all of them."""
    efforts = iter([1.0] * 20 + [0.5] * 40)
    pace = Pace(lambda: next(efforts))
    for _ in range(20):
        begun(pace, 1_000)
        pace.tick(0.0)
    counts = []
    for _ in range(40):
        counts.append(begun(pace, 1_000))
        pace.tick(0.0)
    assert counts == sorted(counts)
    assert counts[10] < 100
    assert counts[-1] == 1_000


def test_nothing_begins_after_the_end() -> None:
    """However much time there is."""
    pace = Pace(lambda: 0.0)
    pace.stop()
    pace.tick(0.0)
    assert not pace.begin()


def test_effort_is_what_a_thread_works() -> None:
    """All of the time while it works, next to none while it sleeps."""
    effort = Effort()
    time.sleep(0.1)
    assert effort.part() < 0.5
    until = time.perf_counter() + 0.1
    while time.perf_counter() < until:
        os.getpid()
    assert effort.part() > 0.9
