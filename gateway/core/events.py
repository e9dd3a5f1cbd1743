"""What is told of ramps, overrides, the configuration and the store, to people and to other systems.

An event is one fact, in the past tense. Its kind is what routes.yaml, the store and the commands call it; its type is
the same in the grouped form of Standard Webhooks ("Event types"), which is what receivers read.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from gateway.core.policies import EventKind

Kind = EventKind

TYPES: dict[Kind, str] = {
    "started": "ramp.started",
    "promoted": "ramp.promoted",
    "held": "ramp.held",
    "approval_needed": "ramp.approval_needed",
    "approved": "ramp.approved",
    "paused": "ramp.paused",
    "resumed": "ramp.resumed",
    "rolled_back": "ramp.rolled_back",
    "finished": "ramp.finished",
    "override_set": "override.set",
    "override_cleared": "override.cleared",
    "override_ended": "override.ended",
    "config_changed": "config.changed",
    "store_unavailable": "store.unavailable",
    "store_recovered": "store.recovered",
}


class Event(NamedTuple):
    """Something that happened, told once.

    `id` is unique and stays (letters, digits, `_`, `-`); `at` Unix seconds; `route` and `journey` what it is about, ""
    for neither; `by` who did it ("" for the gateway itself); `why` one sentence; `details` what its kind has more to
    say, as JSON values.
    """

    id: str
    at: float
    kind: Kind
    route: str
    journey: str
    by: str
    why: str
    details: Mapping[str, Any]


def message(event: Event) -> bytes:
    """The JSON document of an event as receivers get it (Standard Webhooks, "Payload structure")."""
    moment = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    named = {"route": event.route, "journey": event.journey, "by": event.by, "why": event.why}
    data = {**{name: text for name, text in named.items() if text}, **event.details}
    document = {"type": TYPES[event.kind], "timestamp": f"{moment}Z", "data": data}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
