"""The overview: does anything need me? Who answers, how both sides are, what happened last, and how far the move is."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from aiohttp import web

from gateway.admin.pages.figures import FLUSHED, Figures
from gateway.admin.pages.needs import needs_of, owed, waiting_of
from gateway.admin.pages.rendering import GAUGE, Looking, looking, page
from gateway.admin.pages.wording import area_of, unix
from gateway.core.model import Estate, Route, Serve
from gateway.store.values import Total

EVENTS = 6


class Point(NamedTuple):
    """Requests a minute of either side, at one time."""

    at: float
    new: float
    legacy: float


class Health(NamedTuple):
    """Backends of one side that are well, of all, and how many breakers are open."""

    well: int
    all: int
    open: int


class Area(NamedTuple):
    """How far one part of the estate is: by traffic (None: there is none), and by routes."""

    name: str
    new: float | None
    finished: int
    routes: int
    backends: tuple[str, ...]
    """The legacy backends that it still names."""


async def overview(request: web.Request) -> web.Response:
    look = await looking(request)
    latest = look.steering.desk.events(EVENTS, None, None, None)
    counts, told = await asyncio.gather(owed(look.steering), latest)
    needs = needs_of(look.status, look.ramps, look.figures, look.clock, counts, waiting_of(look.steering))
    events = [each | {"at": unix(each["at"])} for each in told["events"]]
    estate, standings = look.steering.loaded.estate, look.standings
    return page(
        look,
        "overview.html",
        "overview",
        "Overview",
        needs=needs,
        points=points(look.figures.day, request.app[GAUGE].since, look.clock.now),
        step=step_of(look.figures.day),
        sides={side: look.figures.total(side) for side in ("new", "legacy")},
        health={side: health_of(look, estate, side) for side in ("new", "legacy")},
        waiting=sum(each["writes"] for each in counts),
        events=events,
        areas=areas(estate, standings, look.figures),
        progress=progress(estate, standings),
    )


def step_of(day: Iterable[Total]) -> int:
    """Seconds between the points of a day's figures."""
    minutes = sorted({each.minute for each in day})
    return min((later - earlier for earlier, later in pairwise(minutes)), default=600)


def points(day: list[Total], since: float, now: float) -> list[Point]:
    """What a day's figures say by the minute; this gateway serves `since` then."""
    step = step_of(day)
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for each in day:
        found[each.minute][each.side] = each.requests
    made = []
    for at, sides in sorted(found.items()):
        lasted = min(at + step, now // FLUSHED * FLUSHED) - max(at, since)
        if lasted < FLUSHED:  # so little says nothing yet
            continue
        minutes = lasted / 60
        made.append(Point(at, sides.get("new", 0) / minutes, sides.get("legacy", 0) / minutes))
    return made


def health_of(look: Looking, estate: Estate, side: str) -> Health:
    """How the backends of one side are."""
    data = look.status["data"]
    guards, addresses = data.get("guards") or {}, data.get("addresses") or {}
    targets = [route.legacy if side == "legacy" else route.new for route in estate.routes]
    names = {target.backend for target in targets if target is not None}
    broken = {name for name in names if name in guards and guards[name][2] == "open"}
    out = {name for name in names if addresses.get(name) and all(each[2] or each[3] for each in addresses[name])}
    return Health(len(names - broken - out), len(names), len(broken))


def is_finished(route: Route, share: float | None) -> bool:
    """Whether nothing of a route's reads is on legacy any more."""
    return route.serve is Serve.RETIRED or share == 100.0


def progress(estate: Estate, standings: dict[str, Any]) -> dict[str, int]:
    """How many routes are finished, moving and on legacy."""
    found = {"finished": 0, "moving": 0, "legacy": 0}
    for route in estate.routes:
        share = standings.get(route.name, {}).get("share")
        moving = bool(share) or route.serve is Serve.RAMP
        found["finished" if is_finished(route, share) else "moving" if moving else "legacy"] += 1
    return found


def areas(estate: Estate, standings: dict[str, Any], figures: Figures) -> list[Area]:
    """The parts of the estate, those furthest on first."""
    grouped: dict[str, list[Route]] = defaultdict(list)
    for route in estate.routes:
        grouped[area_of(route.pattern)].append(route)
    found = []
    for name, routes in grouped.items():
        new, legacy = (sum(figures.rate(route.name, side) for route in routes) for side in ("new", "legacy"))
        finished = [route for route in routes if is_finished(route, standings.get(route.name, {}).get("share"))]
        named = {route.legacy.backend for route in routes if route.legacy is not None and route not in finished}
        part = new / (new + legacy) if new + legacy else None
        found.append(Area(name, part, len(finished), len(routes), tuple(sorted(named))))
    return sorted(found, key=lambda area: (-(area.new or 0.0), area.name))
