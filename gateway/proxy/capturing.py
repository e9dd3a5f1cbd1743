"""Requests that pass on a route, handed over with their answers for as long as somebody asks for them.

A capture is a lease: unless it is asked for again and again it ends, so that nobody's forgotten capture goes on. It
never holds up traffic: what there is no room for is dropped, and counted.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from gateway.core.captured import Recorded
from gateway.core.matching import RoutingTable
from gateway.core.model import Request
from gateway.core.planning import PlannedRoute

LEASE = 5.0
"""Seconds that a capture goes on without being asked for again."""
HELD = 2 * 2**20
"""Bytes that wait to be handed over, for each capture: pickling them takes about a millisecond."""

Deliver = Callable[[int, list[Recorded], Mapping[str, int]], bool]


class Capture:
    """What is taken on one route.

    `left` is how many requests are still wanted, `every` tells that unsafe ones are, too; `until` is when its lease
    ends, `dropped` counts by reason what was not taken.
    """

    __slots__ = ("_size", "dropped", "every", "left", "route", "taken", "until")

    def __init__(self, route: str, left: int, every: bool) -> None:
        self.route = route
        self.left = left
        self.every = every
        self.until = 0.0
        self.taken: list[Recorded] = []
        self.dropped: Counter[str] = Counter()
        self._size = 0

    def wants(self, route: PlannedRoute, request: Request) -> bool:
        """Whether a request is to be kept while it passes."""
        return self.left > 0 and (self.every or request.method in route.safe)

    def take(self, recorded: Recorded) -> None:
        """A request is over. More may have been under way than are wanted."""
        size = len(recorded.request.body) + len(recorded.answer.body or b"") + 1_024
        if self.left <= 0:
            return
        if self.taken and self._size + size > HELD:
            self.drop("no_room")
            return
        self.left -= 1
        self.taken.append(recorded)
        self._size += size

    def drop(self, reason: str) -> None:
        """A request that was wanted cannot be taken."""
        self.dropped[reason] += 1

    def handed(self) -> tuple[list[Recorded], Counter[str]]:
        """What there is, and what was dropped, since this was asked last."""
        found = self.taken, self.dropped
        self.taken, self.dropped, self._size = [], Counter(), 0
        return found


class Captures:
    """The captures under way. `deliver` takes a capture's number and what it brought, and tells whether it could."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._captures: dict[int, Capture] = {}
        self._table: RoutingTable | None = None

    def follow(self, table: RoutingTable) -> None:
        """Another table is about to serve: what is captured goes on there."""
        self._table = table
        for capture in self._captures.values():
            self._hang(capture.route, capture)

    def lease(self, number: int, route: str, left: int, every: bool, now: float) -> None:
        """Begin a capture, in the place of another of that route, or let one that is under way go on."""
        capture = self._captures.get(number)
        if capture is None:
            for other in [other for other, each in self._captures.items() if each.route == route]:
                self.end(other)
            capture = self._captures[number] = Capture(route, left, every)
            self._hang(route, capture)
        capture.until = now + LEASE

    def end(self, number: int) -> None:
        """Nobody wants any more; what there is has been handed over, or is forgotten."""
        capture = self._captures.pop(number, None)
        if capture is not None:
            self._hang(capture.route, None)

    def tick(self, now: float) -> None:
        """Hand over what there is, and end what nobody has asked for lately."""
        for number, capture in list(self._captures.items()):
            if capture.until < now:
                self.end(number)
            elif capture.taken or capture.dropped:
                taken, dropped = capture.handed()
                if not self._deliver(number, taken, dropped):
                    capture.left += len(taken)
                    capture.dropped = dropped + Counter(control_busy=len(taken))

    def _hang(self, route: str, capture: Capture | None) -> None:
        planned = self._table.routes.get(route) if self._table is not None else None
        if planned is not None:
            planned.capture(capture)
