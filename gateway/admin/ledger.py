"""The ledger: how far the move has come, what each legacy system is still needed for, and whether it can be switched
off. Only facts with a source and a time; whether to switch off is for people to say.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from hashlib import sha256
from json import dumps
from typing import Any, NamedTuple

from gateway.core.administering import Cost
from gateway.core.model import Estate, Route, Serve
from gateway.store.values import Calls, Total

FILE = "the file that serves"
QUIET = 14 * 86_400.0
"""Seconds without a live request after which a backend counts as quiet."""
Document = dict[str, Any]


class Fact(NamedTuple):
    """One thing that must hold before a system can go: whether it does, in words, since when, and how that is known."""

    name: str
    holds: bool
    told: str
    since: float | None
    source: str


class Remaining(NamedTuple):
    """A legacy backend, what it is still asked for (requests so far, and when last), and what holds it."""

    backend: str
    routes: tuple[str, ...]
    live: int
    last_live: float | None
    last_copy: float | None
    owed: int
    facts: tuple[Fact, ...]
    cost: Cost | None = None
    spared: int = 0
    """Requests that new has answered in its place so far."""

    @property
    def saved(self) -> float:
        """What they would have cost."""
        return self.spared * self.cost.per_call if self.cost is not None else 0.0

    @property
    def is_ready(self) -> bool:
        """Whether nothing speaks against switching it off."""
        return all(fact.holds for fact in self.facts)


class Week(NamedTuple):
    """One step of the move: what legacy and new answered from `at` on."""

    at: int
    legacy: int
    new: int


def legacy_backends(estate: Estate, calls: Sequence[Calls]) -> list[str]:
    """Those that some route has as its legacy side, or had: what was asked of them is known."""
    named = {route.legacy.backend for route in estate.routes if route.legacy is not None}
    once = {each.backend for each in calls if each.side == "legacy"}
    return sorted(named | once)


def remaining(
    estate: Estate, calls: Sequence[Calls] | None, writes: Sequence[Document] | None, now: float
) -> list[Remaining]:
    """What is left of each legacy backend, what is ready to go first. `writes` are counts of what is owed.

    None is what the store does not tell now: what is not known holds nothing, and proves nothing.
    """
    if calls is None or writes is None:
        found = remaining(estate, calls or (), writes or (), now)
        return [each._replace(facts=tuple(map(_unknown, each.facts))) for each in found]
    naming, asked = _naming(estate), defaultdict[str, list[Calls]](list)
    for each in calls:
        asked[each.backend].append(each)
    costs, spared = {backend.name: backend.cost for backend in estate.backends}, _spared(estate, calls)
    found = [
        _remaining(naming[name], asked[name], writes, _owing(estate, writes, name), now, name)._replace(
            cost=costs.get(name), spared=spared[name]
        )
        for name in legacy_backends(estate, calls)
    ]
    return sorted(found, key=lambda each: (not each.is_ready, each.live, each.backend))


def _unknown(fact: Fact) -> Fact:
    if fact.source == FILE:
        return fact
    return fact._replace(holds=False, told="It is not known now: the store does not tell.", since=None)


def _spared(estate: Estate, calls: Sequence[Calls]) -> Counter[str]:
    """Requests that new has answered, by the legacy backend in whose place it did."""
    places = {route.name: route.legacy.backend for route in estate.routes if route.legacy is not None}
    found = Counter[str]()
    for each in calls:
        if each.live and each.side == "new" and each.route in places:
            found[places[each.route]] += each.requests
    return found


def _remaining(
    routes: Sequence[Route],
    calls: Sequence[Calls],
    writes: Sequence[Document],
    whose: Set[str],
    now: float,
    name: str,
) -> Remaining:
    """`whose` are the routes whose writes may be owed to it: retired ones, and ones that have left the file, too."""
    live = [each for each in calls if each.live]
    copies = [each for each in calls if not each.live]
    last = max((each.last_seen for each in live), default=None)
    copied = max((each.last_seen for each in copies), default=None)
    on = {route.name for route in routes}
    owed = sum(each["writes"] for each in writes if each["route"] in whose)
    facts = (_unasked(last, now), _unnamed(routes), _uncopied(copied, routes, now), _undelivered(owed))
    return Remaining(name, tuple(on), sum(each.requests for each in live), last, copied, owed, facts)


def _naming(estate: Estate) -> dict[str, list[Route]]:
    """The routes that name each backend, as either side; one that is retired asks nobody."""
    found: dict[str, list[Route]] = defaultdict(list)
    for route in estate.routes:
        if route.serve is not Serve.RETIRED:
            for name in {side.backend for side in (route.legacy, route.new) if side is not None}:
                found[name].append(route)
    return found


def _owing(estate: Estate, writes: Sequence[Document], backend: str) -> set[str]:
    """The routes whose writes may be owed to a backend. What has left the file may have been anybody's."""
    named = {route.name: (route.legacy, route.new) for route in estate.routes}
    found = {name for name, sides in named.items() if any(side and side.backend == backend for side in sides)}
    return found | {each["route"] for each in writes if each["route"] not in named}


def _unasked(last: float | None, now: float) -> Fact:
    source = "counted by the gateways on this store"
    if last is None:
        return Fact("no live request", True, "No client's request was ever sent to it.", None, source)
    days = int((now - last) // 86_400)
    told = f"The last client's request was {days} days ago." if days else "A client's request was sent to it today."
    return Fact("no live request", now - last >= QUIET, told, last, source)


def _unnamed(routes: Sequence[Route]) -> Fact:
    if not routes:
        return Fact("no route names it", True, "No route names it.", None, FILE)
    more = f" and {len(routes) - 5} more" if len(routes) > 5 else ""
    names = ", ".join(route.name for route in routes[:5]) + more
    count = f"{len(routes)} routes name it" if len(routes) != 1 else "One route names it"
    return Fact("no route names it", False, f"{count}: {names}.", None, FILE)


def _uncopied(last: float | None, routes: Sequence[Route], now: float) -> Fact:
    copying = [route.name for route in routes if route.shadow is not None]
    if copying:
        told = f"Copies are sent to it for {', '.join(copying[:5])}."
        return Fact("no copy is sent", False, told, last, FILE)
    told = "No copy was ever sent to it." if last is None else "Copies were sent to it once; none is any more."
    return Fact("no copy is sent", True, told, last, "counted by the gateways on this store")


def _undelivered(owed: int) -> Fact:
    told = "No write waits to be delivered." if not owed else f"{owed} writes are not delivered."
    return Fact("no write is owed", not owed, told, None, "the outbox")


def proof(each: Remaining, now: str, digest: str) -> Document:
    """What is known about switching a backend off, with a number and a digest by which a printed page is recognised."""
    document: Document = {
        "backend": each.backend,
        "at": now,
        "ready": each.is_ready,
        "configuration": digest,
        "facts": [fact._asdict() for fact in each.facts],
        "live_requests": each.live,
    }
    text = dumps(document, sort_keys=True, ensure_ascii=False)
    return document | {"digest": sha256(text.encode()).hexdigest()}


def weeks(totals: Sequence[Total]) -> list[Week]:
    """The move over time, from figures that are put together already."""
    found: dict[int, Week] = {}
    for each in totals:
        known = found.get(each.minute, Week(each.minute, 0, 0))
        found[each.minute] = known._replace(**{each.side: each.requests}) if each.side in ("legacy", "new") else known
    return [found[at] for at in sorted(found)]


def uncalled(estate: Estate, calls: Sequence[Calls], since: float) -> list[tuple[Route, float | None]]:
    """Routes that no client has called since then, with when one last did."""
    last: dict[str, float] = {}
    for each in calls:
        if each.live:
            last[each.route] = max(last.get(each.route, 0.0), each.last_seen)
    return [
        (route, last.get(route.name))
        for route in estate.routes
        if last.get(route.name, 0.0) < since and route.serve is not Serve.RETIRED
    ]
