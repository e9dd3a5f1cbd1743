"""Events: each is logged, sent to the webhooks, and kept until the store has it. Telling waits for none of them."""

from collections import Counter, deque
from collections.abc import Mapping
from random import SystemRandom
from time import time
from typing import Any

from gateway.core.events import TYPES, Event, Kind
from gateway.rollouts.stored import webhook_name
from gateway.rollouts.webhooks import Webhooks
from gateway.telemetry.logging import log

_GRAVE: frozenset[Kind] = frozenset({"rolled_back", "store_unavailable"})
_draw = SystemRandom().getrandbits


class Teller:
    """Tells what happened; `untold` are the events that the store does not have yet, the oldest first. `steps` counts
    what was told of ramps, by journey, kind and whether a person or the gateway did it."""

    def __init__(self, webhooks: Webhooks, untold: deque[Event]) -> None:
        self.webhooks = webhooks
        self.untold = untold
        self.steps: Counter[tuple[str, str, str]] = Counter()

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
        event = event_of(kind, route=route, journey=journey, by=by, why=why, details=details)
        self.untold.append(event)
        self.told(event)
        return event

    def told(self, event: Event) -> None:
        """An event that the store has already."""
        if event.journey:
            self.steps[event.journey, event.kind, "person" if event.by else "gateway"] += 1
        named = {"route": event.route, "journey": event.journey, "by": event.by}
        level = "warning" if event.kind in _GRAVE else "info"
        fields = {name: value for name, value in named.items() if value}
        getattr(log(), level)(TYPES[event.kind].replace(".", "_"), **fields, why=event.why, **event.details)
        self.webhooks.send(event)

    def webhooks_of(self, event: Event) -> tuple[str, ...]:
        """The names of the webhooks that are sent it."""
        return tuple(webhook_name(url) for url in self.webhooks.urls(event.kind))

    def stored(self, event: Event) -> None:
        """The store has it now."""
        if self.untold and self.untold[0] is event:
            self.untold.popleft()


def event_of(
    kind: Kind,
    *,
    route: str = "",
    journey: str = "",
    by: str = "",
    why: str = "",
    details: Mapping[str, Any] | None = None,
) -> Event:
    """Something that happens now."""
    return Event(f"evt_{_draw(128):032x}", time(), kind, route, journey, by, why, details or {})
