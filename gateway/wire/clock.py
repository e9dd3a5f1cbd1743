"""One coarse clock for all deadlines of a process.

A timer per request would cost more than the request; instead everything that may wait is watched, and a tick every
100 ms expires what is due. So a deadline ends up to a tick late, and never early.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Protocol

TICK = 0.1
NEVER = float("inf")
_SLICE = 2_000


class Watched(Protocol):
    """Something with a deadline; `expire` is called once it has passed."""

    deadline: float

    def expire(self) -> None: ...


class Clock:
    """Ticks while started. `now` is the monotonic time of the last tick; `soon` is a tick after it, so that a deadline
    counted from there is never early. `ticked` is called at each tick with the seconds by which that was late."""

    def __init__(self, ticked: Callable[[float], None] = lambda late: None) -> None:
        self._ticked = ticked
        self.now = monotonic()
        self.soon = self.now + TICK
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self.now = monotonic()
        self.soon = self.now + TICK
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def after(self, seconds: float) -> float:
        """The deadline that lies at least `seconds` ahead; 0 seconds: never."""
        return self.soon + seconds if seconds else NEVER

    def watch(self, watched: Watched) -> None:
        self._watched.add(watched)

    def forget(self, watched: Watched) -> None:
        self._watched.discard(watched)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        due, self.now = self.soon, monotonic()
        self.soon = self.now + TICK
        self._timer = loop.call_later(TICK, self._tick)
        everything = list(self._watched)
        if len(everything) <= _SLICE:
            self._expire(everything)
        else:  # many connections: look at them in slices, so that none waits for the look
            for start in range(0, len(everything), _SLICE):
                loop.call_soon(self._expire, everything[start : start + _SLICE])
        self._ticked(max(self.now - due, 0.0))

    def _expire(self, watched: list[Watched]) -> None:
        now = self.now
        for each in watched:
            if each.deadline <= now:
                each.deadline = NEVER
                each.expire()
