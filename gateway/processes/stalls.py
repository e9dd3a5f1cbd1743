"""How long the data process' loop was away from traffic: counted always, and measured to the millisecond on demand."""

import asyncio
from time import monotonic, thread_time

EVERY = 0.001
STALL = 0.1
"""Seconds by which a tick may be late before that is counted as a stall: clients notice that."""


class Stalls:
    """Counts the stalls that the ticks of the clock show, which cost nothing to count: `count` of them, `seconds` in
    all. A tick comes every 100 ms, so a stall may be longer than shown by that much."""

    def __init__(self) -> None:
        self.count, self.seconds = 0, 0.0

    def tick(self, late: float) -> None:
        """A tick came so many seconds late."""
        if late >= STALL:
            self.count += 1
            self.seconds += late


class StallProbe:
    """Measures how late a 1 ms timer of the loop is. For benchmarks: it wakes the process a thousand times a second.

    `late` is the longest delay, in seconds, by the clock on the wall: whatever else runs on the machine delays a loop
    too. `busy` is the longest during which this thread was at work: the stall that is the loop's own doing.
    """

    def __init__(self) -> None:
        self.late = self.busy = 0.0
        self._due = self._worked = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def switch(self, on: bool) -> None:
        """Begin to measure, from nothing; or stop."""
        self.late = self.busy = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if on:
            self._arm()

    def _arm(self) -> None:
        self._due = monotonic() + EVERY
        self._worked = thread_time()
        self._timer = asyncio.get_running_loop().call_later(EVERY, self._fired)

    def _fired(self) -> None:
        late = monotonic() - self._due
        self.late = max(self.late, late)
        self.busy = max(self.busy, min(late, thread_time() - self._worked))
        self._arm()
