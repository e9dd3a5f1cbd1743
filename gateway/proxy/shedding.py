"""Who is served while this process has more to do than it can: those whose route matters most.

The loop's own lateness tells: it is how long each request waits for its turn, whatever the reason. Before that gets out
of hand routes of low priority are refused, then all but those of high priority, and back in the same order.
"""

from math import inf

from gateway.errors import ClientError

PATIENCE = (0.1, 0.3)
"""Seconds that the loop may be late on average before routes of low priority are refused, and then those of normal."""
PRIORITIES = (0, 1)
"""The priority that is still served beyond each."""
EASED = 0.5
"""The part of that at which they are served again: so it does not go back and forth."""
WEIGHT = 0.3
"""Of the latest tick in the average: three or four of them make it."""
EVERYONE = -inf
_SOON = ((b"Retry-After", b"1"),)


class Shedding:
    """`least` is the lowest priority that is served now."""

    def __init__(self) -> None:
        self.least: float = EVERYONE
        self.late = 0.0
        self._level = 0

    def tick(self, late: float) -> None:
        """The loop's clock was so many seconds late."""
        self.late += WEIGHT * (late - self.late)
        while self._level < len(PATIENCE) and self.late > PATIENCE[self._level]:
            self._level += 1
        while self._level and self.late < PATIENCE[self._level - 1] * EASED:
            self._level -= 1
        self.least = PRIORITIES[self._level - 1] if self._level else EVERYONE


def too_busy() -> ClientError:
    """The refusal of a request that there is no time for."""
    return ClientError(503, "There is more to do at the moment than can be done. Try again.", headers=_SOON)
