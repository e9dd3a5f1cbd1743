"""What became of the requests of one run: each good one with its instants, and every failure by kind."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class Good(NamedTuple):
    """One request that was answered well: when it was due, sent, and answered."""

    due: float
    sent: float
    answered: float


class Tally:
    """What became of the requests of one run.

    `failures` counts by kind: closed_unanswered, reset_unanswered, cut_short, timeout, unreadable, status_NNN, and
    connect_* for connections that could not be made. `refused` are the instants at which nobody listened: no request
    was sent then. `unsent` were due, but there was no connection to send them on before the end.
    """

    def __init__(self) -> None:
        self.good: list[Good] = []
        self.failures: Counter[str] = Counter()
        self.refused: list[float] = []
        self.late: list[float] = []
        self.unsent = 0

    @property
    def failed(self) -> int:
        return self.failures.total()


def at(ordered: Sequence[float], quantile: float) -> float:
    """The value at a quantile; 0 when there is none."""
    return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))] if ordered else 0.0
