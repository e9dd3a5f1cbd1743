"""The accounts of the demo: what the clients saw, per route.

Nothing here asks a clock or a socket: the time of an event is an argument, in Unix seconds. Figures are those of the
last few seconds, totals those of the whole run.
"""

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from typing import NamedTuple

WINDOW = 3.0
RETIRED = "retired"


class Seen(NamedTuple):
    """One request and what came of it, as its client saw it.

    `route` is the one that took it; `side` is legacy, new, retired, or "" when nobody said; `seconds` from the first
    byte sent to the last byte read; `failure` a sentence, "" for a right answer; `off` a balance that is a penny wrong.
    """

    at: float
    client: str
    route: str
    side: str
    seconds: float
    failure: str = ""
    off: bool = False


class Figures(NamedTuple):
    """A route over the last few seconds: right answers per side, answers a second, failures, latencies in seconds."""

    sides: Mapping[str, int]
    rate: float
    failed: int
    median: float
    p95: float

    def share(self, side: str) -> float:
        """The part of the right answers that this side gave, 0 to 1."""
        return self.sides.get(side, 0) / max(1, sum(self.sides.values()))


class RouteTally:
    """The account of one route: totals, who was last seen on which side, and when clients changed sides.

    `off` counts balances that were a penny wrong, and `last_off` is when the last of them was seen.
    """

    def __init__(self) -> None:
        self.sides: Counter[str] = Counter()
        self.failed = 0
        self.off = 0
        self.last_off = 0.0
        self._side_of: dict[str, str] = {}
        self._moves: deque[float] = deque(maxlen=10_000)
        self._recent: deque[Seen] = deque()

    @property
    def answered(self) -> int:
        return self.sides.total()

    def note(self, seen: Seen) -> None:
        """Enter one request. Requests come in the order of their time."""
        self._recent.append(seen)
        self._forget(seen.at)
        if seen.failure:
            self.failed += 1
            return
        self.sides[seen.side] += 1
        if seen.off:
            self.off, self.last_off = self.off + 1, seen.at
        if self._side_of.get(seen.client, seen.side) != seen.side:
            self._moves.append(seen.at)
        self._side_of[seen.client] = seen.side

    def first_move(self, since: float) -> float | None:
        """When a client was first seen on another side than before, at or after a time."""
        moves = list(self._moves)
        place = bisect_left(moves, since)
        return moves[place] if place < len(moves) else None

    def figures(self, now: float, started: float) -> Figures:
        """The last few seconds, at most since the start."""
        self._forget(now)
        right = [seen for seen in self._recent if not seen.failure]
        seconds = sorted(seen.seconds for seen in right)
        return Figures(
            sides=Counter(seen.side for seen in right),
            rate=len(self._recent) / max(1.0, min(WINDOW, now - started)),
            failed=len(self._recent) - len(right),
            median=quantile(seconds, 0.5),
            p95=quantile(seconds, 0.95),
        )

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0].at < now - WINDOW:
            self._recent.popleft()


class Tally:
    """The account of the whole run."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.routes: defaultdict[str, RouteTally] = defaultdict(RouteTally)
        self.failures: deque[str] = deque(maxlen=5)

    @property
    def answered(self) -> int:
        return sum(route.answered for route in self.routes.values())

    @property
    def failed(self) -> int:
        return sum(route.failed for route in self.routes.values())

    @property
    def off(self) -> int:
        return sum(route.off for route in self.routes.values())

    def note(self, seen: Seen) -> None:
        """Enter one request."""
        self.routes[seen.route].note(seen)
        if seen.failure:
            self.failures.append(seen.failure)

    def figures(self, route: str, now: float) -> Figures:
        """A route over the last few seconds."""
        return self.routes[route].figures(now, self.started)


def quantile(ordered: list[float], part: float) -> float:
    """The value below which this part of an ordered list lies; 0 for an empty one."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
