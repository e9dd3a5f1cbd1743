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

_CLOSED, _OPEN = State.CLOSED, State.OPEN
"""Names of the module's own: an enumeration's members are looked up in a roundabout way."""
TENTHS = 10
NEVER = -1
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
        self._tenth, self._latest = NEVER, [NEVER, 0, 0]
        self._rate = TENTHS / policy.window

    def admit(self, now: float) -> int:
        """The pass of a call that may be made now; REFUSED when none may."""
        if self.state is _CLOSED:
            return self._pass
        if self.state is _OPEN and now >= self._until:
            self._happened(Signal.RESTED, now)
        if self.state is _OPEN or self._trying:
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
        if self.state is not _CLOSED:
            self._happened(Signal.DISPROVED if failed else Signal.PROVED, now)
            return
        tenth = int(now * self._rate)
        if tenth != self._tenth:
            self._turn(tenth)
        latest = self._latest
        latest[1] += 1
        if failed:
            latest[2] += 1
            if self._has_tripped():
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
        self._tenth = NEVER
        if self.state is State.OPEN:
            self.opened += 1
            self._until = now + self.policy.retry_after

    def _turn(self, tenth: int) -> None:
        """Count in another tenth of the window from now on, and forget those that have left it."""
        self._tenth, self._latest = tenth, [tenth, 0, 0]
        self._tenths.append(self._latest)
        while self._tenths[0][0] <= tenth - TENTHS:
            self._tenths.popleft()

    def _has_tripped(self) -> bool:
        calls, failures = sum(each[1] for each in self._tenths), sum(each[2] for each in self._tenths)
        return failures >= self.policy.open_after and failures >= self.policy.share * calls
