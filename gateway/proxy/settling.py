"""Who has just written: for a while the reads of such a client stay on the side that took the write.

Each data process knows what passed through it. Clients are known by the key that their route splits them by.
"""

from collections.abc import Callable
from time import monotonic

from gateway.core.model import Request
from gateway.core.planning import PlannedRoute, client_key

MOST = 100_000
"""Clients that are remembered; beyond them the oldest are forgotten."""


class Settling:
    """Until when the reads of which clients stay, by journey and key; `until` is empty most of the time."""

    def __init__(self) -> None:
        self.until: dict[tuple[bytes, bytes], float] = {}

    def wrote(self, route: PlannedRoute, request: Request, address: Callable[[], bytes]) -> None:
        """A client has written. Its address is asked for where that is what it is known by."""
        key = self._key(route, request, address)
        if key is not None:
            self.until.pop(key, None)  # to be the latest
            self.until[key] = monotonic() + route.settle
            if len(self.until) > MOST:
                del self.until[next(iter(self.until))]

    def holds(self, route: PlannedRoute, request: Request, address: Callable[[], bytes]) -> bool:
        """Whether a client's reads stay on the record."""
        key = self._key(route, request, address)
        if key is None or (until := self.until.get(key)) is None:
            return False
        if until > monotonic():
            return True
        del self.until[key]
        return False

    def tick(self) -> None:
        """Forget those whose time is over, the oldest first."""
        now = monotonic()
        while self.until and self.until[first := next(iter(self.until))] <= now:
            del self.until[first]

    @staticmethod
    def _key(route: PlannedRoute, request: Request, address: Callable[[], bytes]) -> tuple[bytes, bytes] | None:
        sticky = route.route.sticky
        if sticky is None:
            return None
        key = client_key(sticky, request, address() if sticky.source == "address" else b"")
        return (route.journey, key) if key else None
