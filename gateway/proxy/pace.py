"""How much a loop may do beside its work: as much as leaves it time to spare, and next to nothing where it has none.

The loop's effort decides: the part of the time in which its thread ran, or waited for its turn on a processor. What it
waited counts, too: a thread that shares its processor has no time left long before it has run for all of it. The kernel
counts both (Linux, `Documentation/scheduler/sched-stats.rst`); where it does not, what the thread ran must do. And a
loop whose turns are late has more to do than it should, whatever takes its time: a host may, and tells no guest.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter, thread_time


class Effort:
    """Measures from one call of `part` to the next."""

    def __init__(self) -> None:
        self._file = -1
        with suppress(OSError):
            self._file = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        self._wanted, self._at = self._seconds(), perf_counter()

    def part(self) -> float:
        """The part of the time since the last call, 0 to 1, in which the thread worked or wanted to."""
        wanted, now = self._seconds(), perf_counter()
        part = (wanted - self._wanted) / max(now - self._at, 1e-9)
        self._wanted, self._at = wanted, now
        return min(part, 1.0)

    def _seconds(self) -> float:
        if self._file < 0:
            return thread_time()
        ran, waited, _ = os.pread(self._file, 100, 0).split()
        return (int(ran) + int(waited)) / 1e9


BUSY = 0.93
"""The effort beyond which copies give way."""
LATE, RECENT = 0.0015, 0.2
"""Seconds by which a loop that serves may be late on average, and how much the latest tick counts in that."""
FEW = 500.0
"""Copies that may begin in one tick when nothing is known yet: more would be a burst, at the worst in a full loop."""
LESS, MORE, LEAST = 0.6, 1.25, 0.01
"""By how much a number or a part goes down and up from tick to tick, and the part that is always tried again."""


class Strain:
    """Tells whether a loop has as much to do as it can.

    `effort` gives its effort since that was asked last; `most_late` is the lateness, on average, that is too much.
    """

    def __init__(self, effort: Callable[[], float], most_late: float = LATE) -> None:
        self._effort = effort
        self._most_late = most_late
        self._late = 0.0

    def tick(self, late: float) -> bool:
        """Some time has passed; the tick came `late` by so many seconds. Whether the loop was busy in it."""
        self._late += RECENT * (late - self._late)
        return self._effort() > BUSY or self._late > self._most_late


class Spare:
    """The part of what could be done beside that a loop has time for: less from tick to tick while it is busy."""

    def __init__(self, strain: Strain) -> None:
        self._strain = strain
        self.part = 1.0

    def tick(self, late: float) -> None:
        busy = self._strain.tick(late)
        self.part = LESS * self.part if busy else min(1.0, MORE * self.part + LEAST)


class Pace:
    """Says how many copies may begin from tick to tick: fewer than there were while the loop is busy, more otherwise.

    What was not made use of is no experience: the number only grows where at least half was begun (as RFC 7661 has it).
    """

    def __init__(self, strain: Strain) -> None:
        self._strain = strain
        self._allowed = FEW
        self._begun = 0
        self._stopped = False

    @property
    def allowed(self) -> int:
        """How many may begin from one tick to the next."""
        return 0 if self._stopped else int(self._allowed)

    def begin(self) -> bool:
        """Whether one more may begin now; it counts as begun."""
        if self._stopped or self._begun >= self._allowed:
            return False
        self._begun += 1
        return True

    def tick(self, late: float) -> None:
        """Some time has passed; the tick came `late` by so many seconds."""
        if self._strain.tick(late):
            self._allowed = LESS * min(self._allowed, self._begun)
        elif 2 * self._begun >= self._allowed:
            self._allowed = MORE * self._allowed + 1.0
        elif self._allowed > FEW:
            self._allowed = max(FEW, min(self._allowed, 2.0 * self._begun))
        else:
            self._allowed = min(MORE * self._allowed + 1.0, FEW)
        self._begun = 0

    def stop(self) -> None:
        """Let nothing begin any more."""
        self._stopped = True
