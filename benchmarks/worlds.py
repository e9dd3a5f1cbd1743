"""Sides that are right to a known part, and what a gateway would see of them.

Faults belong to records, and records are asked for again and again (Zipf), several times in a row; half of them have
nothing to show. Wrong answers come by chance, one by one; right ones, of which there are many, as many as on average.
"""

from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from math import ceil, exp, isqrt, log
from random import Random
from typing import NamedTuple

from gateway.core.evidence import Evidence, Recent
from gateway.core.gathering import CHAPTER_SECONDS, SPAN_ANSWERS, SPAN_SECONDS, is_bad
from gateway.core.policies import Ramp

RECORDS = 10_000
BURST = 3
"""How often a record is asked for in a row, on average (geometric)."""
HOT = 0.3
"""The part of the traffic that one record may take."""
RAMP = Ramp()
PARITY = RAMP.guards.parity or 0.0
HARMONIC = sum(1 / rank for rank in range(1, RECORDS + 1))
NEVER = 10**12


class World(NamedTuple):
    """A side: answers a second, the popularity of the wrong records (running sums, parts of the traffic), how many."""

    rate: float
    popularity: tuple[float, ...]
    hot: bool = False

    @property
    def wrong(self) -> float:
        """The part of the traffic that is about wrong records."""
        return self.popularity[-1] if self.popularity else 0.0


class Visit(NamedTuple):
    """A wrong record is asked for: the second at whose end it is counted, which one, how many times."""

    second: int
    record: int
    answers: int


def world_of(parity: float, requests: int, chance: Random) -> World:
    """A side in which that part of the records is right, whichever these are."""
    wrong = chance.sample(range(1, RECORDS + 1), round(RECORDS * (1 - parity)))
    return World(requests / RAMP.every, tuple(accumulate(1 / rank / HARMONIC for rank in wrong)))


def hot_world(requests: int) -> World:
    """A side in which nothing is wrong but one record, which takes a large part of the traffic."""
    return World(requests / RAMP.every, (HOT,), hot=True)


def visits(world: World, chance: Random) -> Iterator[Visit]:
    """The visits of wrong records, in order, for ever."""
    at, every, less = 0.0, world.rate / BURST * world.wrong, log(1 - 1 / BURST)
    while every:
        at += chance.expovariate(every)
        record = bisect_left(world.popularity, chance.random() * world.wrong)
        yield Visit(ceil(at), record, 1 + int(log(1 - chance.random()) / less))
    yield Visit(NEVER, 0, 0)


@cache
def different() -> list[float]:
    """How many different records 4 k^2 visits are about, on average, for k from 0 (coupon collecting with Zipf)."""
    groups, rank = [], 1
    while rank <= RECORDS:
        size = min(max(1, rank // 50), RECORDS + 1 - rank)
        groups.append((size, 1 / (rank + (size - 1) / 2) / HARMONIC))
        rank += size
    return [sum(size * (1 - exp(-4 * k * k * part)) for size, part in groups) for k in range(2_000)]


class Stage:
    """What was seen since a stage began. Right answers come evenly, and are about as many requests as on average."""

    def __init__(self, world: World, since: int) -> None:
        self.since = since
        self._right = world.rate * (1 - world.wrong)
        self._visits = world.rate / BURST * (1 - HOT if world.hot else 1.0)
        self._all_right = 1.0 if world.hot else 1 - len(world.popularity) / RECORDS
        self.span = ceil(max(SPAN_SECONDS, SPAN_ANSWERS / world.rate))
        self._length = ceil(max(CHAPTER_SECONDS, RAMP.guards.samples / world.rate))
        self.wrong = self.bad = self.awful = 0
        self.chapter, self._begun = 0, since
        self.lately: set[int] = set()
        self._bad, self._awful = 0, 0
        self.records: set[int] = set()
        self._in_span = 0
        self.closes = NEVER

    def add(self, visit: Visit) -> None:
        """Count a wrong record's visit."""
        self.wrong += visit.answers
        self.records.add(visit.record)
        self.lately.add(visit.record)
        self._in_span += visit.answers
        self.closes = self.since + ((visit.second - self.since - 1) // self.span + 1) * self.span

    def turn_page(self, now: int) -> None:
        """Begin the chapter in which `now` lies."""
        chapter = (now - self.since - 1) // self._length
        if chapter > self.chapter:
            self.chapter, self._begun = chapter, self.since + chapter * self._length
            self.lately.clear()
            self._bad, self._awful = self.bad, self.awful

    def close(self) -> bool:
        """End the span in which something was wrong; whether it was bad."""
        answers = int(self._right * self.span) + self._in_span
        bad = is_bad(self._in_span, answers, 1 - PARITY)
        self.bad += bad
        self.awful += 2 * self._in_span >= answers
        self._in_span, self.closes = 0, NEVER
        return bad

    def right(self, now: int) -> int:
        """Right answers; every second one has content."""
        return int(self._right * (now - self.since))

    def right_requests(self, now: int, lately: bool = False) -> int:
        """Different requests with a right answer, in the stage or its latest chapter."""
        visited = self._visits * (now - (self._begun if lately else self.since))
        place, known = isqrt(int(visited / 4)), different()
        below, above = known[place], known[place + 1]
        inside = (visited - 4 * place * place) / (8 * place + 4)
        return int((below + min(1.0, inside) * (above - below)) * self._all_right)

    def evidence(self, now: int) -> Evidence:
        """As the gateway would have it."""
        right, requests = self.right(now), self.right_requests(now)
        return Evidence(
            matched=right,
            mismatched=self.wrong,
            shapes={"200 one": right // 2, "200 empty": right - right // 2},
            requests=requests + len(self.records),
            full=requests // 2 + len(self.records),
            wrong=len(self.records),
            spans=(now - self.since) // self.span,
            bad=self.bad,
            awful=self.awful,
            recent=Recent(
                self.chapter,
                self.right_requests(now, lately=True) + len(self.lately),
                len(self.lately),
                (now - self.since) // self.span - (self._begun - self.since) // self.span,
                self.bad - self._bad,
                self.awful - self._awful,
            ),
        )
