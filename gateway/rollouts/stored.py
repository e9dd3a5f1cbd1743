"""Deliveries of webhooks in the store, which may be opened later than they begin, and be lost in between.

What the store could not be told is told before anything else is asked of it, so that a process does not send again
what it has delivered while there was no store. A process that ends before that leaves it to be sent twice.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from gateway.errors import StoreUnavailable
from gateway.rollouts.deliveries import Delivery

if TYPE_CHECKING:
    from gateway.store.repository import Store

BATCH = 20
"""Deliveries that are taken at once: a receiver that hangs keeps each of them waiting for those before it."""
LEASE = 300.0
"""Seconds after a delivery is taken, or due again, for which other processes leave it alone: BATCH attempts."""
UNNOTED = 10_000
"""Notes kept while the store cannot be had; beyond them the oldest go, and those events may arrive twice."""


def webhook_name(url: str) -> str:
    """A receiver's name in the store: addresses are often secrets, and the store is read by more people."""
    return sha256(url.encode()).hexdigest()[:16]


class StoredDeliveries:
    """The protocol `Deliveries`, over the store that `store` gives (None: not opened yet). Raises StoreUnavailable."""

    def __init__(self, store: "Callable[[], Store | None]", *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now
        self._unnoted: dict[tuple[str, str], Callable[[Store], Awaitable[None]]] = {}

    async def pending(self, url: str) -> Sequence[Delivery]:
        """What is due by now and nobody else's, at most BATCH of it, the oldest first."""
        store = await self._told()
        taken = await store.take_deliveries(webhook_name(url), self._now(), LEASE, BATCH)
        return [Delivery(each.event, each.attempts) for each in taken]

    async def delivered(self, event_id: str, url: str) -> None:
        """The receiver has it."""
        name = webhook_name(url)
        await self._note((event_id, name), lambda store: store.delivered(event_id, name))

    async def failed(self, event_id: str, url: str, attempts: int, next_try: float | None, why: str) -> None:
        """So many attempts failed. This process makes the next one; others wait for LEASE seconds more."""
        name, free = webhook_name(url), None if next_try is None else next_try + LEASE
        await self._note((event_id, name), lambda store: store.delivery_failed(event_id, name, attempts, free, why))

    async def _note(self, delivery: tuple[str, str], note: "Callable[[Store], Awaitable[None]]") -> None:
        """Tell the store how a delivery stands, in the place of what it was not told of it before."""
        self._unnoted.pop(delivery, None)
        self._unnoted[delivery] = note
        if len(self._unnoted) > UNNOTED:
            del self._unnoted[next(iter(self._unnoted))]
        await self._told()

    async def _told(self) -> "Store":
        """The store, once it has been told everything."""
        store = self._store()
        if store is None:
            raise StoreUnavailable("The store is not open. See `banyan status` for the reason.")
        for delivery, note in list(self._unnoted.items()):
            await note(store)
            if self._unnoted.get(delivery) is note:  # not another one, which came meanwhile
                del self._unnoted[delivery]
        return store
