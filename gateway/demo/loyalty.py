"""Whether each client stays on one side.

The gateway promises that a client meets one side of a journey until somebody edits it. So a client may change sides
once for each edit of that journey, and each change beyond that is a broken promise: a stray. A ramp that climbs moves
each client once, however many stages it has; going back it moves them once more.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping

from gateway.core.model import Estate, Route, Serve
from gateway.core.planning import SAFE_METHODS
from gateway.demo.tally import Seen

Promises = Mapping[str, str]
"""A route's name -> the journey on which its clients stay together. Routes without a promise are absent."""


def promises(estate: Estate) -> dict[str, str]:
    """What the configuration promises: routes of a journey belong together while they serve alike."""
    journeys: defaultdict[str, list[Route]] = defaultdict(list)
    for route in estate.routes:
        if _promised(route):
            journeys[route.journey or route.id].append(route)
    return {
        route.name: journey if len({(one.serve, one.share) for one in routes}) == 1 else route.name
        for journey, routes in journeys.items()
        for route in routes
    }


def _promised(route: Route) -> bool:
    """Reads that are not drawn by lot: writes follow the record, and retired routes have no side."""
    reads = bool(route.match.methods) and SAFE_METHODS.issuperset(route.match.methods)
    safe = reads if route.safe is None else route.safe
    drawn = route.serve in (Serve.SPLIT, Serve.RAMP) and route.sticky is None
    return safe and not drawn and route.serve is not Serve.RETIRED


class Loyalty:
    """Counts, per client and journey, how often the client changed sides; per journey, how often it was edited."""

    def __init__(self, promised: Promises) -> None:
        self._promised = promised
        self._edits: Counter[str] = Counter()
        self._side_of: dict[tuple[str, str], str] = {}
        self._moves: Counter[tuple[str, str]] = Counter()

    def edited(self, routes: set[str], promised: Promises) -> None:
        """These routes serve otherwise from now on, each client may change sides once; this is what is promised now."""
        before, self._promised = self._promised, promised
        self._edits.update({book[route] for route in routes for book in (before, promised) if route in book})

    def note(self, seen: Seen) -> None:
        """Enter one answer."""
        journey = self._promised.get(seen.route)
        if journey is None or seen.failure or not seen.side:
            return
        key = (seen.client, journey)
        if self._side_of.get(key, seen.side) != seen.side:
            self._moves[key] += 1
        self._side_of[key] = seen.side

    def strays(self) -> int:
        """Changes of side that no edit explains."""
        return sum(max(0, moves - self._edits[journey]) for (_, journey), moves in self._moves.items())
