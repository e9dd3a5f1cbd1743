"""Figures of the traffic for the pages, of all gateways on the store, asked for once in a few seconds, whoever looks.

A page never waits for a second look: it shows what was known, and says of when that is.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import time
from typing import TYPE_CHECKING, NamedTuple

from gateway.admin.pages.wording import DAY, HOUR, MINUTE, percentile
from gateway.core.model import SERVED
from gateway.core.statistics import Interval, wilson
from gateway.errors import StoreUnavailable
from gateway.store.values import Calls, Total, TrafficCount, VerdictCount

if TYPE_CHECKING:
    from gateway.store.repository import Store

FRESH, COMPARED = 4.0, 30.0
"""Seconds for which traffic is not asked for again, and comparisons."""
FLUSHED = 10.0
"""Seconds of the clock on which gateways tell the store what they have counted."""
RECENT, BRIEF = 15 * MINUTE, 2 * MINUTE
"""Seconds that errors and latencies are told of; full minutes that a rate is told of, with the present one."""
AGREEING, TELLING = frozenset({"matched"}), frozenset({"matched", "mismatched", "candidate_error"})


class Answered(NamedTuple):
    """What one side answered clients with, in some time."""

    requests: int = 0
    errors: int = 0
    latencies: tuple[int, ...] = ()

    def plus(self, requests: int, errors: int, latencies: Sequence[int]) -> "Answered":
        mine = self.latencies or (0,) * len(latencies)
        added = tuple(one + other for one, other in zip(mine, latencies, strict=True))
        return Answered(self.requests + requests, self.errors + errors, added)

    @property
    def error_rate(self) -> float | None:
        """None where nothing was answered."""
        return self.errors / self.requests if self.requests else None

    @property
    def p95(self) -> float | None:
        """Seconds within which 95 % were answered."""
        return percentile(self.latencies)


NOTHING = Answered()
Sides = dict[str, Answered]


class Parity(NamedTuple):
    """How many answers agreed, of those that say something."""

    agreeing: int
    telling: int

    @property
    def rate(self) -> float:
        return self.agreeing / self.telling

    @property
    def interval(self) -> Interval:
        """Where it lies with 95 % certainty."""
        return wilson(self.agreeing, self.telling)


@dataclass
class Figures:
    """What is known at `at`: recent answers and rates (requests a minute) by route and side; parities of a day by
    route; every ten minutes of a day by side; all calls of backends. `why` tells why the store was not asked, if so."""

    at: float = 0.0
    recent: dict[str, Sides] = field(default_factory=dict)
    rates: dict[str, dict[str, float]] = field(default_factory=dict)
    parity: dict[str, Parity] = field(default_factory=dict)
    day: list[Total] = field(default_factory=list)
    calls: list[Calls] = field(default_factory=list)
    why: str = ""

    def rate(self, route: str, side: str) -> float:
        """Requests a minute that one side answers."""
        return self.rates.get(route, {}).get(side, 0.0)

    def total_rate(self, side: str) -> float:
        return sum(sides.get(side, 0.0) for sides in self.rates.values())

    def total(self, side: str) -> Answered:
        """What one side answered lately, all routes together."""
        found = NOTHING
        for sides in self.recent.values():
            if each := sides.get(side):
                found = found.plus(*each)
        return found


class Series(NamedTuple):
    """One route by the minute; `why` tells why the store did not tell, if it did not."""

    traffic: list[TrafficCount]
    verdicts: list[VerdictCount]
    why: str = ""


class Gauge:
    """Whom the pages ask. `since` is when this gateway began: rates are not told of time before it."""

    def __init__(self, store: "Callable[[], Store | None]", since: float) -> None:
        self._store = store
        self.since = since
        self._figures = Figures(why="The store has not been asked yet.")
        self._asking: asyncio.Task[None] | None = None
        self._compared = 0.0

    async def figures(self) -> Figures:
        """What is known, not older than a few seconds where the store answers."""
        if time() - self._figures.at > FRESH and (self._asking is None or self._asking.done()):
            self._asking = asyncio.get_running_loop().create_task(self._ask())
        if self._asking is not None and not self._figures.at:
            await asyncio.wait({self._asking}, timeout=2.0)
        elif self._asking is not None:
            await asyncio.wait({self._asking}, timeout=0.05)
        return self._figures

    def forget(self) -> None:
        """Something was changed by hand: the next look shall see it."""
        self._figures.at = min(self._figures.at, time() - FRESH)

    async def series(self, route: str, begin: float, end: float) -> "Series":
        """What one route did by the minute."""
        store = self._store()
        if store is None:
            return Series([], [], "The store has not been opened yet.")
        try:
            traffic = await store.traffic(begin, end, route=route, step=MINUTE)
            return Series(traffic, await store.verdicts(begin, end, route=route, step=MINUTE))
        except StoreUnavailable as error:
            return Series([], [], str(error))

    async def totals(self, begin: float, end: float, step: int) -> list[Total]:
        """What either side answered, all routes together. Raises StoreUnavailable."""
        store = self._store()
        if store is None:
            raise StoreUnavailable("The store has not been opened yet.")
        return await store.totals(begin, end, step)

    async def _ask(self) -> None:
        store = self._store()
        try:
            if store is None:
                raise StoreUnavailable("The store has not been opened yet.")  # noqa: TRY301 - told in one place
            self._figures = await self._asked(store, time())
        except StoreUnavailable as error:
            self._figures.why = str(error)

    async def _day(self, store: "Store", now: float) -> list[Total]:
        """A day in half hours; by the minute where there is little of it yet."""
        day = await store.totals(now - DAY, now + DAY, 30 * MINUTE)
        return day if len(_times(day)) > 4 else await store.totals(now - 2 * HOUR, now + DAY, MINUTE)

    async def _parities(self, store: "Store", now: float) -> dict[str, Parity]:
        """By route; a day of them is much to read, so not at every look."""
        if now - self._compared <= COMPARED:
            return self._figures.parity
        found = parities(await store.verdicts(now - DAY, now + DAY))
        self._compared = now
        return found

    async def _asked(self, store: "Store", now: float) -> Figures:
        begin, told = max(now // MINUTE * MINUTE - BRIEF, self.since // MINUTE * MINUTE), now // FLUSHED * FLUSHED
        recent, parity = await asyncio.gather(
            store.traffic(now // MINUTE * MINUTE - RECENT, now + DAY), self._parities(store, now)
        )
        brief = await store.traffic(begin, now + DAY)
        covered = max(1.0, told - max(begin, self.since)) / MINUTE
        return Figures(
            now,
            answered(recent),
            {
                route: {side: each.requests / covered for side, each in sides.items()}
                for route, sides in answered(brief).items()
            },
            parity,
            await self._day(store, now),
            await store.calls(),
        )


def _times(day: list[Total]) -> set[int]:
    return {each.minute for each in day}


def answered(rows: Sequence[TrafficCount]) -> dict[str, Sides]:
    """By route and side, what clients were answered."""
    found: dict[str, Sides] = {}
    for row in rows:
        if row.role in SERVED and row.side:
            sides = found.setdefault(row.route, {})
            sides[row.side] = sides.get(row.side, NOTHING).plus(row.requests, row.errors, row.latencies)
    return found


def parities(rows: Sequence[VerdictCount]) -> dict[str, Parity]:
    """By route; a route that was not compared is left out."""
    found: dict[str, Parity] = {}
    for row in rows:
        if row.verdict in TELLING:
            known = found.get(row.route, Parity(0, 0))
            agreeing = row.samples if row.verdict in AGREEING else 0
            found[row.route] = Parity(known.agreeing + agreeing, known.telling + row.samples)
    return found
