"""How much is owed, for whoever looks often: asked of the store every ten seconds, and of nobody in between.

A scrape or a page must never wait for the store. While that is away nothing is known, which is not the same as nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gateway.core.writing import OPEN
from gateway.errors import StoreUnavailable

if TYPE_CHECKING:
    from gateway.store.repository import Store

LOOK, SOON = 10.0, 0.5
"""Seconds between looks, and while the store is being opened."""


class Owing:
    """What was owed when the store was asked last: `counts` by route, kind and state, each with when the oldest came
    (Unix seconds); None while the store does not tell."""

    def __init__(self, store: "Callable[[], Store | None]") -> None:
        self._store = store
        self.counts: Mapping[tuple[str, str, str], tuple[int, float]] | None = None

    async def run(self) -> None:
        """Look, for as long as this runs."""
        while True:
            store = self._store()
            if store is not None:
                await self.look(store)
            await asyncio.sleep(SOON if store is None else LOOK)

    async def look(self, store: "Store") -> None:
        """Ask once."""
        try:
            self.counts = await store.count_writes(OPEN)
        except StoreUnavailable:  # whoever keeps the store tells of it
            self.counts = None
