"""The crosswalk as this gateway knows it: all pairs of the store, read as they come, for whoever exchanges identifiers.

Pairs that other gateways made are known within a second.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from gateway.core.crosswalk import Pair, Pairs
from gateway.errors import StoreUnavailable
from gateway.store.pairs import AGAIN
from gateway.telemetry.logging import log

if TYPE_CHECKING:
    from gateway.store.repository import Store

LOOK, SOON = 0.5, 0.05
"""Seconds between looks for new pairs, and before they are all known."""
PATIENCE = 3.0
"""Seconds that a table waits for them."""
SOME = 5_000


class Exchange:
    """Knows all pairs in `pairs`; `tell` is called with those that are new. While nothing is exchanged, nothing is
    read."""

    def __init__(self, store: "Callable[[], Store | None]", tell: Callable[[list[Pair]], None]) -> None:
        self.pairs = Pairs(complete=False)
        self.wanted = asyncio.Event()
        self._store = store
        self._tell = tell
        self._last = 0
        self._read: dict[int, Pair] = {}
        self._failing = False
        self._known = asyncio.Event()

    async def run(self) -> None:
        """Read, for as long as this runs."""
        while True:
            await self.wanted.wait()
            await self.look()
            await asyncio.sleep(LOOK if self.pairs.complete else SOON)

    async def follow(self, *, wanted: bool) -> None:
        """Whether the routes of the table that is about to serve exchange identifiers; all are known then, if the store
        tells them soon. Until then what names something by one is refused."""
        if not wanted:
            self.wanted.clear()
            return
        self.wanted.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._known.wait(), PATIENCE)

    async def look(self) -> bool:
        """Read what is new, and once more what may have come between: numbers are given before they are seen. Whether
        the store told it."""
        store = self._store()
        if store is None:
            return False
        try:
            while True:
                found = await store.pairs(max(0, self._last - AGAIN), SOME + AGAIN)
                fresh = [(number, pair) for number, pair in found if number not in self._read]
                if not fresh:
                    break  # these are all
                self._know(fresh)
        except StoreUnavailable as error:
            if not self._failing:
                log().warning("crosswalk_not_read", why=str(error))
            self._failing = True
            return False
        self._failing = False
        if not self.pairs.complete:
            self.pairs.complete = True
            self._known.set()
            self._tell([])
        return True

    def _know(self, fresh: list[tuple[int, Pair]]) -> None:
        self._last = max(self._last, fresh[-1][0])
        self._read |= dict(fresh)
        for number in [number for number in self._read if number <= self._last - AGAIN]:
            del self._read[number]
        pairs = [pair for _, pair in fresh]
        self.pairs.add(pairs)
        self._tell(pairs)
