"""Captures as control sees them: ordered from the data process, masked, and handed to whoever asked.

Nothing of what passes is stored or logged here. The order is a lease and is given again every second: so a capture
survives a data process that dies, and ends with whoever wanted it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import suppress
from random import getrandbits
from time import monotonic
from typing import Any, Literal, NamedTuple

from gateway import __version__
from gateway.core.captured import Recorded
from gateway.core.comparing.patterns import masked
from gateway.core.har import har_of
from gateway.errors import CommandError

RENEWED = 1.0
"""Seconds between orders; also, how often it is told how far a capture has come."""
MOST = 100_000
"""Requests of one capture."""
Order = Callable[..., bool]


class Wanted(NamedTuple):
    """What to capture: `most` requests, for `seconds` at most; `every` takes unsafe ones, too, and `bodies` keeps the
    bodies of requests."""

    route: str
    most: int = 100
    seconds: float = 600.0
    every: bool = False
    bodies: bool = False


class Batch(NamedTuple):
    """What a capture brought since the last batch: a HAR document, masked.

    `captured` is how many requests it has brought so far, `dropped` how many it could not take, by reason; `ended` why
    it is over: there are enough, its time is up, or the route does not serve any more.
    """

    har: Mapping[str, Any]
    captured: int
    dropped: Mapping[str, int]
    ended: Literal["", "enough", "time", "route_gone"] = ""


class Capture:
    """One capture under way."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.count = 0
        self.dropped: Counter[str] = Counter()
        self.woken = asyncio.Event()
        self._waiting: list[Recorded] = []

    def take(self, taken: Iterable[Recorded], dropped: Mapping[str, int]) -> None:
        """The data process hands something over; what is more than was wanted is forgotten."""
        self.dropped.update(dropped)
        fresh = list(taken)[: self.wanted.most - self.count]
        self.count += len(fresh)
        self._waiting += fresh
        self.woken.set()

    async def batch(self) -> Batch:
        """What has come since the last time."""
        waiting, self._waiting = self._waiting, []
        har = await asyncio.to_thread(har_of, waiting, masked, version=__version__, bodies=self.wanted.bodies)
        return Batch(har, self.count, dict(self.dropped))


class Captures:
    """All captures under way. `order` reaches the data process; `serves` tells whether there is a route."""

    def __init__(self, order: Order, serves: Callable[[str], bool]) -> None:
        self._order = order
        self._serves = serves
        self._captures: dict[int, Capture] = {}

    def captured(self, number: int, taken: Iterable[Recorded], dropped: Mapping[str, int]) -> None:
        """The data process hands over what passed."""
        capture = self._captures.get(number)
        if capture is not None:
            capture.take(taken, dropped)

    async def run(self, wanted: Wanted) -> AsyncGenerator[Batch, None]:
        """Capture until there is enough, or the time is up, or nobody wants any more. Raises CommandError."""
        self._check(wanted)
        number, capture = getrandbits(48), Capture(wanted)
        self._captures[number] = capture
        ends = monotonic() + wanted.seconds
        try:
            batch = await capture.batch()
            while not batch.ended:
                self._order("capture", number, wanted.route, wanted.most - capture.count, wanted.every)
                yield batch
                with suppress(TimeoutError):
                    await asyncio.wait_for(capture.woken.wait(), min(RENEWED, max(ends - monotonic(), 0.0)))
                capture.woken.clear()
                batch = await capture.batch()
                if batch.captured >= wanted.most:
                    batch = batch._replace(ended="enough")
                elif monotonic() >= ends:
                    batch = batch._replace(ended="time")
                elif not self._serves(wanted.route):
                    batch = batch._replace(ended="route_gone")
            yield batch
        finally:
            del self._captures[number]
            self._order("capture_ends", number)

    def _check(self, wanted: Wanted) -> None:
        if not self._serves(wanted.route):
            raise CommandError(f"There is no route {wanted.route!r} that serves. `banyan routes` lists them.")
        if any(each.wanted.route == wanted.route for each in self._captures.values()):
            raise CommandError(f"{wanted.route} is being captured already. Wait for that capture, or end it.")
        if not 1 <= wanted.most <= MOST or wanted.seconds <= 0:
            raise CommandError(f"A capture takes 1 to {MOST} requests, in more than no time.")
