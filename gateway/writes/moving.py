"""The record of a route moves only when nothing is owed any more: a copy that came late would undo a newer write.

While it is looked at, new writes of such routes wait for a moment; so there is an end to what is owed, if it can be
delivered at all.
"""

import asyncio
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from gateway.core.model import Estate
from gateway.core.planning import can_stand, record_of
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

    def is_storing(self, routes: Container[str]) -> bool:
        """Whether writes of these routes are being stored that were not held."""
        ...


def moved(old: Estate, new: Estate, standings: Mapping[str, Standing]) -> list[str]:
    """The routes that owe writes and whose record is another one in the new estate. A live override's record holds, and
    ends with it, when `serve` says something else."""
    before = {route.name: route for route in old.routes}
    found = []
    for route in new.routes:
        was = before.get(route.name)
        if was is None or not (was.writes.copy or was.writes.queue):
            continue
        standing = standings.get(route.name, NO_STANDING)
        given, share = standing.record, standing.override or 0
        stays = (was.serve, was.share) == (route.serve, route.share)
        kept = given if stays and can_stand(route, share, given) else None
        if (given or record_of(was)) != (kept or record_of(route)):
            found.append(route.name)
    return found


class Moving:
    """Has the record move when nothing is owed."""

    def __init__(self, store: "Callable[[], Store | None]", holding: Holding) -> None:
        self._store = store
        self._holding = holding
        self._still: list[frozenset[str]] = []

    @contextmanager
    def still(self, routes: Iterable[str]) -> Iterator[None]:
        """New writes of these routes wait, until this is left: the record is looked at, and moved."""
        mine = frozenset(routes)
        self._still.append(mine)
        self._hold()
        try:
            yield
        finally:
            self._still.remove(mine)
            self._hold()

    def _hold(self) -> None:
        self._holding.held = frozenset[str]().union(*self._still)

    async def drained(self, routes: Iterable[str]) -> int:
        """How many writes of these routes, which are `still`, are not done after a moment.

        Raises StoreUnavailable, also where it is not known yet what became of some.
        """
        store, names, until = self._store(), sorted(routes), monotonic() + DRAINING
        if store is None:
            raise StoreUnavailable("The store has not been opened yet.")
        while self._holding.is_storing(names):  # what was on its way when they were held
            if monotonic() > until:
                raise StoreUnavailable("It is storing writes, and takes long.")
            await asyncio.sleep(SOON)
        while left := await store.count_open_writes(names):
            if monotonic() > until:
                break
            await asyncio.sleep(LOOK)
        return left

    async def reason_to_wait(self, routes: Sequence[str]) -> str | None:
        """Why the record of these routes, which are `still`, cannot move now; None where it may."""
        if not routes:
            return None
        told = " and ".join(routes[:3])
        try:
            left = await self.drained(routes)
        except StoreUnavailable:
            return f"the record of {told} would move, and the store does not tell what is owed"
        if left:
            return f"the record of {told} would move, and {left} of its writes are not delivered (banyan outbox)"
        return None
