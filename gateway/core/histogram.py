"""Latencies, counted between fixed bounds that lie 5 % apart: small, quick to add to, and summable over replicas.

What is read from it is placed within its pair of bounds by the logarithm, so it errs by a fraction of those 5 %.
"""

import operator
from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate
from math import ceil, log, pow

STEP = 1.05
FIRST, LAST = 0.000_1, 100.0
BOUNDS = tuple(FIRST * STEP**step for step in range(ceil(log(LAST / FIRST, STEP)) + 1))
"""Seconds, ascending: what is counted at i took more than the bound before, and at most the i-th."""


class Histogram:
    """How often it took how long. The last count, beyond BOUNDS, is of what took longer still."""

    __slots__ = ("counts",)

    def __init__(self, counts: list[int] | None = None) -> None:
        self.counts = counts or [0] * (len(BOUNDS) + 1)

    def add(self, seconds: float) -> None:
        """Count one latency."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1

    def __add__(self, other: "Histogram") -> "Histogram":
        return Histogram(list(map(operator.add, self.counts, other.counts)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.counts == other.counts

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Histogram({self.to_plain()})"

    @property
    def total(self) -> int:
        """How many latencies were counted."""
        return sum(self.counts)

    def above(self, bound: int) -> int:
        """How many took longer than BOUNDS[bound]."""
        return sum(self.counts[bound + 1 :])

    def percentile(self, part: float) -> float:
        """The seconds within which `part` (0 to 1) of what was counted was done; at least one must have been.

        What took longer than the last of BOUNDS is taken to have ended one step beyond it.
        """
        rank = part * self.total
        running = list(accumulate(self.counts))
        place = next(index for index, below in enumerate(running) if below >= rank and below)
        inside = 1 - (running[place] - rank) / self.counts[place]
        return FIRST * pow(STEP, place - 1 + inside)

    def to_plain(self) -> dict[str, int]:
        """The counts that are not 0, by their place: JSON, short where little was seen."""
        return {str(place): count for place, count in enumerate(self.counts) if count}

    @classmethod
    def from_plain(cls, plain: Mapping[str, int]) -> "Histogram":
        """What `to_plain` gave."""
        histogram = cls()
        for place, count in plain.items():
            histogram.counts[int(place)] = count
        return histogram
