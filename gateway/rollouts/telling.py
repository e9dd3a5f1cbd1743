"""Events: each is logged, sent to the webhooks, and kept until the store has it. Telling never waits for any of them."""

from collections import deque
from collections.abc import Mapping
from random import SystemRandom
from time import time
from typing import Any

from gateway.core.events import Event, Kind
from gateway.rollouts.webhooks import Webhooks
from gateway.telemetry.logging import log

UNTOLD = 10_000
"""Events kept while the store cannot be had; beyond them the oldest stand in the log alone."""
_GRAVE: frozenset[Kind] = frozenset({"rolled_back", "store_unavailable"})
_draw = SystemRandom().getrandbits


class Teller:
    """Tells what happened."""

    def __init__(self, webhooks: Webhooks) -> None:
        self.webhooks = webhooks
        self.untold: deque[Event] = deque(maxlen=UNTOLD)

    def tell(
        self,
        kind: Kind,
        *,
        route: str = "",
        journey: str = "",
        by: str = "",
        why: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> Event:
        """Something has happened, and holds by now. `by` is "" for the gateway itself."""
        event = Event(f"evt_{_draw(128):032x}", time(), kind, route, journey, by, why, details or {})
        named = {name: value for name, value in (("route", route), ("journey", journey), ("by", by)) if value}
        level = "warning" if kind in _GRAVE else "info"
        getattr(log(), level)(_LOGGED.get(kind, f"ramp_{kind}"), **named, why=why, **event.details)
        self.untold.append(event)
        self.webhooks.send(event)
        return event


_LOGGED: Mapping[Kind, str] = {
    "override_set": "override_set",
    "override_cleared": "override_cleared",
    "override_ended": "override_ended",
    "config_changed": "config_changed",
    "store_unavailable": "store_unavailable",
    "store_recovered": "store_recovered",
}
