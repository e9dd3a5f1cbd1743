"""Endpoints that no route of its own knows: learned from what catch-all routes serve, kept as templates, and proposed.

Only templates are kept, with counts: what stands in the place of a value is in none of them.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from gateway.core.discovering import Endpoint, Learner, merged, proposals
from gateway.core.model import SERVED, Estate, Observation, Route
from gateway.errors import StoreUnavailable
from gateway.rollouts.reports import instant
from gateway.telemetry.logging import log

if TYPE_CHECKING:
    from gateway.store.repository import Store

EVERY = 15.0
"""Seconds after which the store is told."""
MOST = 20
"""Catch-all routes that are learned from."""
LEAST = 3
"""Requests that an endpoint must have had to be proposed."""
Document = dict[str, Any]


class Discovery:
    """What this gateway has learned since it last told the store, and what all have told it."""

    def __init__(self, store: "Callable[[], Store | None]") -> None:
        self._store = store
        self._learners: dict[str, Learner] = {}
        self._estate: Estate | None = None

    def follow(self, estate: Estate) -> None:
        """Another table serves: learn from its catch-all routes."""
        self._estate = estate
        names = [route.name for route in estate.routes if catches_all(route)][:MOST]
        self._learners = {name: self._learners.get(name) or Learner() for name in names}

    def observed(self, batch: Iterable[Observation]) -> None:
        """The data process tells what it did."""
        learners = self._learners
        for each in batch if learners else ():
            learner = learners.get(each.route)
            if learner is not None and each.role in SERVED:
                learner.saw(each.method.decode("latin-1"), each.path, 1, each.status, each.at)

    async def run(self) -> None:
        """Tell the store, for as long as this runs."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.tell()
            except StoreUnavailable:
                pass  # the keeper tells of it; what was taken for it is lost, and comes again with the next requests
            except Exception:  # noqa: BLE001 - a defect here must not end the gateway
                log().exception("discovery_failed")

    async def tell(self) -> None:
        """Have the store take what was learned. Raises StoreUnavailable."""
        store = self._store()
        if store is None:
            return
        for route, learner in list(self._learners.items()):
            seen = learner.take(LEAST)
            if seen:
                await store.add_endpoints(route, seen)

    async def found(self) -> Document:
        """What each catch-all route is asked for, most used first, and routes to paste for it."""
        store, why, stored = self._store(), "", dict[str, list[Endpoint]]()
        try:
            if store is None:
                raise StoreUnavailable("The store has not been opened yet.")  # noqa: TRY301 - told in one place
            stored = await store.endpoints()
        except StoreUnavailable as error:
            why = str(error)
        routes = self._estate.routes if self._estate is not None else ()
        taken = {route.name for route in routes}
        told = []
        for route in routes:
            if route.name in self._learners:
                known = await asyncio.to_thread(merged, stored.get(route.name, []))
                told.append(_told(route, known, taken))
        return {"routes": told, "store": why}


def catches_all(route: Route) -> bool:
    """Whether a route takes whatever is below some path."""
    return "**" in route.pattern and route.match.soap is None


def _host(route: Route) -> str:
    return (route.match.host or b"").decode("latin-1")


def _told(route: Route, known: Iterable[Endpoint], taken: set[str]) -> Document:
    side = route.legacy or route.new
    backend = side.backend if side is not None else ""
    found = list(known)
    return {
        "route": route.name,
        "match": route.pattern,
        "backend": backend,
        "endpoints": [{**each._asdict(), "first": instant(each.first), "last": instant(each.last)} for each in found],
        "yaml": proposals(found, backend, host=_host(route), taken=taken, least=LEAST) if backend else "",
    }
