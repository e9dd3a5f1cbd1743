"""The part of what backends can bear that is this gateway's: renewed in the store, and used by the traffic.

See `core.sharing` for who may use what. A gateway whose store is a file shares with nobody: it is `alone`.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from gateway.core.sharing import LASTS, NOTHING
from gateway.errors import StoreUnavailable
from gateway.telemetry.logging import log

if TYPE_CHECKING:
    from gateway.store.repository import Store

EARLY = 5.0
"""Seconds before the end at which it is no longer used: clocks differ in speed."""
EVERY, SOON = 2.0, 0.1
"""Seconds between renewals, and between looks for a store that is being opened."""


class User(Protocol):
    """Who uses the part: one of `count`, until `until` (monotonic seconds; None: for good)."""

    def share(self, count: int, until: float | None) -> None: ...

    def uses(self) -> bool: ...


class Sharing:
    """Renews this gateway's part, and has it used by all of `users`. `store` gives the store once it is open."""

    def __init__(self, replica: str, store: "Callable[[], Store | None]", users: tuple[User, ...]) -> None:
        self._replica = replica
        self._store = store
        self._users = users
        self._until = 0.0
        self._told = 1
        self.parts = NOTHING
        self.count = NOTHING

    def alone(self) -> None:
        """Nobody else uses what backends can bear."""
        self._use(1, None)

    async def run(self) -> None:
        """Renew, for as long as this runs."""
        while True:
            store = self._store()
            if store is not None:
                await self._renew(store)
            await asyncio.sleep(EVERY if store is not None else SOON)

    async def _renew(self, store: "Store") -> None:
        if self.parts not in (NOTHING, self.count) and all(user.uses() for user in self._users):
            self.parts = self.count  # a smaller part is used by now
        before = monotonic()
        try:
            found = await store.renew_share(self._replica, self.parts, LASTS)
        except StoreUnavailable:
            if self.count and monotonic() > self._until:
                log().error("share_lost", seconds=LASTS)
                self.parts = self.count = NOTHING
            return
        self.parts, self._until = found.parts, before + LASTS - EARLY
        if found.next != self._told:
            log().info("share_changed", gateways=found.next, waiting=found.parts == NOTHING)
            self._told = found.next
        self._use(found.next if found.parts != NOTHING else NOTHING, self._until)

    def _use(self, count: int, until: float | None) -> None:
        self.count = count
        for user in self._users:
            user.share(count, until)

    async def close(self) -> None:
        """Leave the part to the others: nothing is sent any more."""
        store = self._store()
        if store is not None:
            try:
                await store.leave_share(self._replica)
            except StoreUnavailable as error:
                log().warning("share_not_left", why=str(error))
