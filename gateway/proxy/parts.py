"""Of how many parts of what backends can bear a process uses one, for as long as it may.

Several gateways on one store share every bound (`core.sharing`). What they use has an end that each knows by its own
clock: whoever is cut off from the others uses nothing after it.
"""

from collections.abc import Iterable

from gateway.wire.clock import NEVER
from gateway.wire.guard import Guard


class Parts:
    """The part that this process uses: one of `count`; 0 when it may use none."""

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self._until = NEVER

    def use(self, count: int, until: float) -> None:
        """Use one of so many parts, until then (monotonic seconds)."""
        self.count, self._until = count, until

    def apply(self, guards: Iterable[Guard], now: float) -> bool:
        """Have these guards go by it; whether no more is under way anywhere than may be."""
        if now >= self._until:
            self.count = 0
        fits = True
        for guard in guards:
            guard.divide(self.count)
            fits = fits and guard.gate.fits
        return fits
