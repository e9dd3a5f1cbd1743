"""A circuit breaker: a backend that fails is left alone for a while, and then tried by one call at a time.

Its state is a transition table; the counts that trip it are kept in a window that slides in tenths. Clock and outcomes
are handed in. Whoever is admitted gets a pass and says with it what came of the call: what began before the state last
changed says nothing of the state now.
"""

from collections import deque
from enum import StrEnum

from gateway.core.policies import BreakerPolicy


class State(StrEnum):
    """What a breaker does with calls: it lets them through, refuses them, or lets one through to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Signal(StrEnum):
    """What can happen: too many calls failed, it has been left alone for long enough, the call that tries it ended."""

    TRIPPED = "tripped"
    RESTED = "rested"
    PROVED = "proved"
    DISPROVED = "disproved"


TRANSITIONS = {
    (State.CLOSED, Signal.TRIPPED): State.OPEN,
    (State.OPEN, Signal.RESTED): State.HALF_OPEN,
    (State.HALF_OPEN, Signal.PROVED): State.CLOSED,
    (State.HALF_OPEN, Signal.DISPROVED): State.OPEN,
}

TENTHS = 10
REFUSED = 0
"""The pass of a call that is not admitted; true ones count from 1."""


class Breaker:
    """The breaker of one backend. Times are seconds of one clock that never goes back."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self.policy = policy
        self.state = State.CLOSED
        self.opened = 0
        self._pass = 1
        self._trying = False
        self._until = 0.0
        self._tenths: deque[list[int]] = deque()

    def admit(self, now: float) -> int:
        """The pass of a call that may be made now; REFUSED when none may."""
        if self.state is State.CLOSED:
            return self._pass
        if self.state is State.OPEN and now >= self._until:
            self._happened(Signal.RESTED, now)
        if self.state is State.OPEN or self._trying:
            return REFUSED
        self._trying = True
        return self._pass

    def refused_for(self, now: float) -> float:
        """Seconds until a call may be admitted again, as far as that is known."""
        return max(self._until - now, 0.0)

    def ended(self, given: int, failed: bool, now: float) -> None:
        """A call that was admitted with this pass has ended."""
        if given != self._pass:
            return
        if self.state is State.HALF_OPEN:
            self._happened(Signal.DISPROVED if failed else Signal.PROVED, now)
            return
        self._count(failed, now)
        if failed and self._has_tripped():
            self._happened(Signal.TRIPPED, now)

    def forgotten(self, given: int) -> None:
        """A call that was admitted with this pass has said nothing of the backend: another may try."""
        if given == self._pass:
            self._trying = False

    def _happened(self, signal: Signal, now: float) -> None:
        self.state = TRANSITIONS[self.state, signal]
        self._pass += 1
        self._trying = False
        self._tenths.clear()
        if self.state is State.OPEN:
            self.opened += 1
            self._until = now + self.policy.retry_after

    def _count(self, failed: bool, now: float) -> None:
        """Add a call to its tenth of the window, and forget those that have left it."""
        tenths, tenth = self._tenths, int(now * TENTHS / self.policy.window)
        if not tenths or tenths[-1][0] != tenth:
            tenths.append([tenth, 0, 0])
            while tenths[0][0] <= tenth - TENTHS:
                tenths.popleft()
        latest = tenths[-1]
        latest[1] += 1
        latest[2] += failed

    def _has_tripped(self) -> bool:
        calls, failures = sum(each[1] for each in self._tenths), sum(each[2] for each in self._tenths)
        return failures >= self.policy.open_after and failures >= self.policy.share * calls
