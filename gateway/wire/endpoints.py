"""One of several addresses of a backend, and how it has been."""

from typing import NamedTuple

from gateway.core.model import Backend
from gateway.wire.client import BackendConnection
from gateway.wire.clock import Clock
from gateway.wire.pool import Resolver

AFTER = 5
"""Failures in a row after which an address is left out."""
FOR, LONGEST = 10.0, 300.0
"""Seconds for which it is left out the first time; each next time in a row it is as long again, up to a bound."""


class Told(NamedTuple):
    """How an address is: requests under way, and whether it is left out for failing or by its check."""

    address: str
    busy: int
    ejected: bool
    unwell: bool


class Endpoint:
    """One address, its kept connections, and how it has been."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self.backend = backend
        self.name = f"{backend.host}:{backend.port}"
        self.resolver = Resolver(backend, clock)
        self.idle: list[BackendConnection] = []
        self.used: set[BackendConnection] = set()
        self.connecting = 0
        self.fails = 0
        self.ejections = 0
        self.ejected_until = 0.0
        self.unwell = False

    @property
    def busy(self) -> int:
        """Requests under way, and connections being made for some."""
        return len(self.used) + self.connecting

    def is_in(self, now: float) -> bool:
        """Whether it is asked."""
        return not self.unwell and now >= self.ejected_until

    def answered(self, *, well: bool, now: float) -> None:
        """What a request came to there."""
        if well:
            self.fails = 0
            if now >= self.ejected_until:
                self.ejections = 0
            return
        self.fails += 1
        if self.fails >= AFTER:
            self.fails = 0
            self.ejections += 1
            self.ejected_until = now + min(FOR * self.ejections, LONGEST)
