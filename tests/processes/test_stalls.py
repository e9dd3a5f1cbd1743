"""A stall of the loop is measured, and told from one that the machine makes."""

import asyncio
from time import sleep, thread_time

from gateway.processes.stalls import STALL, StallProbe, Stalls

LONG = 0.05


def rest() -> None:
    """Keep the thread from running, as a busy machine would."""
    sleep(LONG)


def work() -> None:
    """Keep the thread busy."""
    end = thread_time() + LONG
    while thread_time() < end:
        pass


async def test_work_is_a_stall_of_the_loop_s_own() -> None:
    """Late, and busy meanwhile."""
    probe = StallProbe()
    probe.switch(True)
    work()
    await asyncio.sleep(0.01)
    assert probe.late >= probe.busy >= LONG - 0.002


async def test_a_thread_that_was_kept_from_running_is_only_late() -> None:
    """What does not use the processor cannot be our doing."""
    probe = StallProbe()
    probe.switch(True)
    rest()
    await asyncio.sleep(0.01)
    assert probe.late >= LONG - 0.002
    assert probe.busy < LONG / 2


async def test_switching_it_forgets() -> None:
    """Each measurement begins from nothing, and none goes on after its end."""
    probe = StallProbe()
    probe.switch(True)
    rest()
    await asyncio.sleep(0.01)
    probe.switch(True)
    assert (probe.late, probe.busy) == (0.0, 0.0)
    probe.switch(False)
    rest()
    await asyncio.sleep(0.01)
    assert (probe.late, probe.busy) == (0.0, 0.0)


def test_ticks_that_come_late_are_counted() -> None:
    """Those that clients notice, and how long they were in all; what is usual is no stall."""
    stalls = Stalls()
    for late in (0.0, 0.02, STALL, 0.4):
        stalls.tick(late)
    assert (stalls.count, stalls.seconds) == (2, STALL + 0.4)
