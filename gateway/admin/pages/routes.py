"""The list of routes: how is each? Those that need a person first, then by traffic; found, filtered and sorted.

Rows never move while somebody reads: a page that asks for fresh figures says in which order it stands, and is told how
many rows would move.
"""

from collections import Counter, OrderedDict
from hashlib import sha256
from typing import Any, NamedTuple

from aiohttp import web

from gateway.admin.estate import route_row
from gateway.admin.pages.figures import NOTHING, Answered, Parity
from gateway.admin.pages.needs import Need, needs_of, waiting_of
from gateway.admin.pages.overview import is_finished
from gateway.admin.pages.rendering import Looking, looking, page
from gateway.config.words import serve_text
from gateway.core.model import Route, Serve

PAGE = 100
ORDERS = 200
"""Orders of rows that are remembered, for pages that are open."""
SHOWN = {
    "all": "All",
    "person": "Needs a person",
    "moving": "Moving",
    "legacy": "On legacy",
    "new": "New",
    "retired": "Retired",
}
SORTS = ("rate", "name", "new", "errors", "p95", "parity")


class Row(NamedTuple):
    """One route: how it stands, and its figures."""

    name: str
    match: str
    route: Route
    standing: str
    share: float | None
    rate: float
    new: Answered
    legacy: Answered
    parity: Parity | None
    need: Need | None

    @property
    def serve(self) -> str:
        """What the file says."""
        return serve_text(self.route.serve, self.route.share)

    @property
    def kind(self) -> str:
        """Which of the filters takes it."""
        if self.route.serve is Serve.RETIRED:
            return "retired"
        if self.route.serve is Serve.RAMP or (self.share and self.share < 100):
            return "moving"
        return "new" if is_finished(self.route, self.share) else "legacy"

    @property
    def is_moved(self) -> bool:
        """Whether something else than the file says how it is served: an override."""
        return "override" in self.standing

    @property
    def has_both(self) -> bool:
        return self.route.legacy is not None and self.route.new is not None


_KEYS = {
    "rate": lambda row: (-row.rate, row.name),
    "name": lambda row: row.name,
    "new": lambda row: (-(row.share or 0.0), row.name),
    "errors": lambda row: (-max(row.new.error_rate or 0.0, row.legacy.error_rate or 0.0), row.name),
    "p95": lambda row: (-max(row.new.p95 or 0.0, row.legacy.p95 or 0.0), row.name),
    "parity": lambda row: (row.parity.rate if row.parity else 2.0, row.name),
}


def rows_of(look: Looking) -> list[Row]:
    """Every route."""
    needs = _needs_by_route(look)
    return [_row(look, route, needs.get(route.name)) for route in look.steering.loaded.estate.routes]


def row_of(look: Looking, name: str) -> Row | None:
    """One route; None where there is none of that name."""
    route = next((route for route in look.steering.loaded.estate.routes if route.name == name), None)
    return None if route is None else _row(look, route, _needs_by_route(look).get(name))


def _row(look: Looking, route: Route, need: Need | None) -> Row:
    name, figures = route.name, look.figures
    sides, standing = figures.recent.get(name, {}), look.standings.get(name)
    return Row(
        name,
        route.pattern,
        route,
        "" if standing is None else standing["standing"],
        route_row(route)["share"] if standing is None else standing["share"],
        figures.rate(name, "new") + figures.rate(name, "legacy"),
        sides.get("new", NOTHING),
        sides.get("legacy", NOTHING),
        figures.parity.get(name),
        need,
    )


def _needs_by_route(look: Looking) -> dict[str, Need]:
    ramps = {each["ramp"]: each["routes"] for each in look.ramps}
    found: dict[str, Need] = {}
    for need in needs_of(look.status, look.ramps, look.figures, look.clock, [], waiting_of(look.steering)):
        for name in ramps.get(need.subject, (need.subject,)):
            found.setdefault(name, need)
    return found


async def routes(request: web.Request) -> web.Response:
    look, query = await looking(request), request.query
    shown = query.get("show", "all") if query.get("show") in SHOWN else "all"
    sort = query.get("sort", "rate") if query.get("sort") in SORTS else "rate"
    text = query.get("q", "").strip()[:100]
    every = rows_of(look)
    kinds = Counter(row.kind for row in every)
    counts = {**kinds, "all": len(every), "person": sum(row.need is not None for row in every)}
    found = [row for row in every if _is_shown(row, shown) and _is_found(row, text)]
    wanted = [row.name for row in sorted(found, key=_KEYS[sort])]
    order, moved = _ordered(wanted, query.get("as", ""))
    by_name = {row.name: row for row in found}
    first = _first(query.get("from", "0"), len(order))
    here = [by_name[name] for name in order]
    return page(
        look,
        "routes.html",
        "routes",
        "Routes",
        shown=shown,
        sort=sort,
        text=text,
        counts={kind: counts.get(kind, 0) for kind in SHOWN},
        kinds=SHOWN,
        needing=[row for row in here if row.need is not None],
        others=[row for row in here if row.need is None][first : first + PAGE],
        rest=sum(row.need is None for row in here),
        first=first,
        size=PAGE,
        moved=moved,
        tag=_remembered(order),
        query=_query(shown, sort, text),
        sides={side: look.figures.total(side) for side in ("new", "legacy")},
    )


def _is_shown(row: Row, kind: str) -> bool:
    return kind == "all" or (row.need is not None if kind == "person" else row.kind == kind)


def _is_found(row: Row, text: str) -> bool:
    """A route is found by a part of its name, its match or its backends."""
    targets = [target.backend for target in (row.route.legacy, row.route.new) if target is not None]
    return text.lower() in " ".join((row.name, row.match, *targets)).lower()


def _first(text: str, size: int) -> int:
    first = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
    return first - first % PAGE if first < size else 0


_orders: OrderedDict[str, list[str]] = OrderedDict()


def _remembered(order: list[str]) -> str:
    tag = sha256("\n".join(order).encode()).hexdigest()[:16]
    _orders[tag] = order
    _orders.move_to_end(tag)
    while len(_orders) > ORDERS:
        _orders.popitem(last=False)
    return tag


def _ordered(wanted: list[str], tag: str) -> tuple[list[str], int]:
    """The order of the rows: the one that is being read, where that holds the same; and how many would move."""
    known = _orders.get(tag)
    if known is None or len(known) != len(wanted) or set(known) != set(wanted):
        return wanted, 0
    return known, sum(one != other for one, other in zip(known, wanted, strict=True))


def _query(shown: str, sort: str, text: str) -> dict[str, Any]:
    given = {"show": (shown, "all"), "sort": (sort, "rate"), "q": (text, "")}
    return {name: value for name, (value, usual) in given.items() if value != usual}
