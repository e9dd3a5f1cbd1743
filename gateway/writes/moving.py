"""The record of a route moves only when nothing is owed any more: a copy that came late would undo a newer write.

While it is looked at, new writes of such routes wait for a moment; so there is an end to what is owed, if it can be
delivered at all.
"""

import asyncio
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from gateway.core.model import Estate
from gateway.core.planning import record_of
from gateway.core.policies import NO_STANDING, Standing
from gateway.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.store.repository import Store

DRAINING = 3.0
"""Seconds that new writes wait for what is owed to be delivered."""
LOOK, SOON = 0.1, 0.01


class Holding(Protocol):
    """Whoever stores intents: those of these routes wait."""

    held: frozenset[str]
    working: bool


def moved(old: Estate, new: Estate, standings: Mapping[str, Standing]) -> list[str]:
    """The routes that owe writes and whose record is another one in the new estate. A live override's record holds, and
    ends with it, when `serve` says something else."""
    before = {route.name: route for route in old.routes}
    found = []
    for route in new.routes:
        was = before.get(route.name)
        if was is None or not (was.writes.copy or was.writes.queue):
            continue
        given = standings.get(route.name, NO_STANDING).record
        kept = given if (was.serve, was.share) == (route.serve, route.share) else None
        if (given or record_of(was)) != (kept or record_of(route)):
            found.append(route.name)
    return found


class Moving:
    """Has the record move when nothing is owed; until `release` the writes of the routes that move wait."""

    def __init__(self, store: "Callable[[], Store | None]", holding: Holding) -> None:
        self._store = store
        self._holding = holding

    async def owed(self, routes: Iterable[str]) -> int:
        """How many writes of these routes are not done. Raises StoreUnavailable."""
        store, names = self._store(), set(routes)
        if store is None:
            raise StoreUnavailable("The store has not been opened yet.")
        return await store.count_open_writes(sorted(names))

    async def reason_to_wait(self, old: Estate, new: Estate, standings: Mapping[str, Standing]) -> str | None:
        """Why the record cannot move now; None where it may, or does not."""
        names = moved(old, new, standings)
        if not names:
            return None
        self._holding.held = frozenset(names)
        until, told = monotonic() + DRAINING, " and ".join(names[:3])
        try:
            while self._holding.working and monotonic() < until:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(SOON)  # what was on its way when they were held
            while left := await self.owed(names):
                if monotonic() > until:
                    self.release()
                    return (
                        f"the record of {told} would move, and {left} of its writes are not delivered (banyan outbox)"
                    )
                await asyncio.sleep(LOOK)
        except StoreUnavailable:
            self.release()
            return f"the record of {told} would move, and the store does not tell what is owed"
        return None

    def release(self) -> None:
        """The table that serves is the one that shall."""
        self._holding.held = frozenset()
