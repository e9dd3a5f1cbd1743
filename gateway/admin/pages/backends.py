"""Backends: is each well, how near its bound, when is it closed, and which routes still need it?"""

from collections import defaultdict
from typing import Any, NamedTuple

from aiohttp import web

from gateway.admin.estate import backend_document
from gateway.admin.pages.rendering import Looking, looking, page
from gateway.core.model import Backend, Estate, Route
from gateway.store.values import Calls


class Held(NamedTuple):
    """A backend, as it is now. `state` is well, open (its breaker), out (no address is well), closed (maintenance)."""

    backend: Backend
    url: str
    state: str
    under_way: int | None
    waiting: int | None
    bound: int
    queue: int
    breaker: str
    again: int
    until: float
    idle: int
    addresses: list[list[Any]]
    legacy: tuple[Route, ...]
    new: tuple[Route, ...]
    live: Calls | None
    maintenance: Any
    health: Any

    @property
    def used(self) -> float | None:
        """The part of its bound that is in use."""
        return None if not self.bound or self.under_way is None else self.under_way / self.bound


async def backends(request: web.Request) -> web.Response:
    look = await looking(request)
    found = sorted(held(look), key=lambda each: (each.state == "well", each.backend.name))
    return page(look, "backends.html", "backends", "Backends", backends=found)


def held(look: Looking) -> list[Held]:
    """Every backend."""
    estate, data = look.steering.loaded.estate, look.status["data"]
    guards, addresses, pools = (data.get(name) or {} for name in ("guards", "addresses", "pools"))
    live: dict[str, Calls] = {}
    for each in look.figures.calls:
        known = live.get(each.backend)
        if each.live and (known is None or each.last_seen > known.last_seen):
            live[each.backend] = each
    legacy, new = (routes_by(estate, side) for side in ("legacy", "new"))
    found = []
    for backend in estate.backends:
        told = backend_document(backend)
        name, protect = backend.name, backend.protect
        guard = guards.get(name)
        places = [list(one) for one in addresses.get(name, [])]
        found.append(
            Held(
                backend,
                told["url"],
                _state(guard, places),
                guard[0] if guard else pools.get(name, (None, 0))[0],
                guard[1] if guard else None,
                protect.max_concurrent if protect else 0,
                protect.queue if protect else 0,
                guard[2].replace("_", " ") if guard else "",
                guard[3] if guard else 0,
                guard[4] if guard else 0.0,
                pools.get(name, (0, 0))[1],
                places,
                tuple(legacy[name]),
                tuple(new[name]),
                live.get(name),
                told.get("maintenance"),
                told.get("health"),
            )
        )
    return found


def routes_by(estate: Estate, side: str) -> dict[str, list[Route]]:
    """The routes that name each backend as one side."""
    found: dict[str, list[Route]] = defaultdict(list)
    for route in estate.routes:
        target = route.legacy if side == "legacy" else route.new
        if target is not None:
            found[target.backend].append(route)
    return found


def _state(guard: Any, addresses: list[list[Any]]) -> str:
    if guard and guard[4]:
        return "closed"
    if guard and guard[2] == "open":
        return "open"
    return "out" if addresses and all(each[2] or each[3] for each in addresses) else "well"
