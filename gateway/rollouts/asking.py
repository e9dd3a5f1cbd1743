"""Second answers: where two sides differ, the one that serves may be asked the same again, to see whether it agrees
with itself.

Only where it would tell something: where a field differs of which nobody knows yet whether it is noise. And only so
often: a route earns a part of a question with each sample, and may save up some for the beginning.
"""

from collections.abc import Callable, Iterator
from time import monotonic
from typing import NamedTuple

from gateway.core.captured import CapturedAnswer, Sample
from gateway.core.model import BUCKETS

AT_FIRST = 50.0
"""Questions that a route may ask before its share bounds them."""
HELD, HELD_BYTES = 1_000, 32 * 2**20
"""Samples, and their bytes, that may wait for a second answer."""
PATIENCE = 15.0
"""Seconds that a second answer is waited for."""
Ask = Callable[[int], bool]


class Held(NamedTuple):
    """A sample that waits for a second answer, since when (monotonic), and how large it is."""

    sample: Sample
    since: float
    size: int


class Asking:
    """Asks, and holds samples meanwhile. `ask` hands a sample's number on, and tells whether it could."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._earned: dict[str, float] = {}
        self._held: dict[int, Held] = {}
        self._bytes = 0

    def earn(self, route: str, noise: int) -> None:
        """A sample of this route came; `noise` is the part of BUCKETS after which it may be asked again."""
        if noise:
            self._earned[route] = min(AT_FIRST, self._earned.get(route, AT_FIRST) + noise / BUCKETS)

    def asks(self, sample: Sample, size: int) -> bool:
        """Ask for a second answer to a sample, if that may be, and hold the sample until it comes."""
        earned = self._earned.get(sample.route, 0.0)
        if earned < 1.0 or len(self._held) >= HELD or self._bytes + size > HELD_BYTES:
            return False
        if not self._ask(sample.number):
            return False
        self._earned[sample.route] = earned - 1.0
        self._held[sample.number] = Held(sample, monotonic(), size)
        self._bytes += size
        return True

    def answered(self, number: int, second: CapturedAnswer) -> Sample | None:
        """The sample whose second answer this is; None when it is no longer waited for."""
        held = self._held.pop(number, None)
        if held is None:
            return None
        self._bytes -= held.size
        return held.sample._replace(second=second)

    def overdue(self) -> Iterator[Sample]:
        """Samples whose second answer will not come any more."""
        late = monotonic() - PATIENCE
        for number in [number for number, held in self._held.items() if held.since < late]:
            held = self._held.pop(number)
            self._bytes -= held.size
            yield held.sample

    def held(self) -> Iterator[Sample]:
        """Those that wait."""
        for each in self._held.values():
            yield each.sample
