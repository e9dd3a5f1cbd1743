"""One tick for all deadlines: never early, at most a tick late."""

import asyncio
import time
from time import monotonic

from gateway.wire.clock import NEVER, TICK, Clock


class Waiting:
    """Something with a deadline that notes when it passed."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.expired: list[float] = []

    def expire(self) -> None:
        self.expired.append(monotonic())


async def test_a_deadline_is_never_early_and_hardly_late() -> None:
    """It expires once, after its time, within two ticks."""
    clock = Clock()
    clock.start()
    began = monotonic()
    waiting = Waiting(clock.after(0.2))
    clock.watch(waiting)
    await asyncio.sleep(0.2 + 5 * TICK)
    clock.stop()
    assert len(waiting.expired) == 1
    assert 0.2 <= waiting.expired[0] - began < 0.2 + 4 * TICK
    assert waiting.deadline == NEVER


async def test_what_is_forgotten_does_not_expire() -> None:
    """Nor does what was moved ahead, or has no deadline."""
    clock = Clock()
    clock.start()
    forgotten, moved, timeless = Waiting(clock.after(0.01)), Waiting(clock.after(0.01)), Waiting(clock.after(0))
    for each in (forgotten, moved, timeless):
        clock.watch(each)
    clock.forget(forgotten)
    clock.forget(forgotten)
    moved.deadline = clock.after(60)
    await asyncio.sleep(4 * TICK)
    clock.stop()
    assert [each.expired for each in (forgotten, moved, timeless)] == [[], [], []]
    assert timeless.deadline == NEVER


async def test_thousands_are_looked_at_in_slices() -> None:
    """Many connections expire all the same, in more than one turn of the loop."""
    clock = Clock()
    clock.start()
    many = [Waiting(clock.after(0.01)) for _ in range(5_000)]
    for each in many:
        clock.watch(each)
    await asyncio.sleep(6 * TICK)
    clock.stop()
    assert {len(each.expired) for each in many} == {1}


async def test_each_tick_is_told_with_its_lateness() -> None:
    """Whoever wants to do something a few times a second needs no timer of its own, and hears how late it is."""
    late: list[float] = []
    clock = Clock(late.append)
    clock.start()
    await asyncio.sleep(2.5 * TICK)
    punctual = len(late)
    time.sleep(3 * TICK)  # noqa: ASYNC251 - the loop is kept from its work
    await asyncio.sleep(TICK / 2)
    clock.stop()
    assert 1 <= punctual <= 2
    assert min(late) >= 0
    assert TICK < late[punctual] < 5 * TICK


async def test_a_stopped_clock_ticks_no_more() -> None:
    """Stopping twice is fine."""
    clock = Clock()
    clock.start()
    waiting = Waiting(clock.after(0.01))
    clock.watch(waiting)
    clock.stop()
    clock.stop()
    await asyncio.sleep(4 * TICK)
    assert waiting.expired == []
