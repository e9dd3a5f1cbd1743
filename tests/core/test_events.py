"""Events as other systems read them."""

import json
import re
from typing import get_args

from gateway.core.events import TYPES, Event, Kind, message


def test_an_event_as_json() -> None:
    """Type, moment and data, with what its kind has more to say among the data."""
    why = "parity 96.1 % is below 99.5 %"
    event = Event("evt_1", 1_767_225_600.25, "rolled_back", "rent-balance", "rents", "", why, {"share": 2_500})
    assert message(event) == (
        b'{"type":"ramp.rolled_back","timestamp":"2026-01-01T00:00:00.250Z","data":{"route":"rent-balance",'
        b'"journey":"rents","why":"parity 96.1 % is below 99.5 %","share":2500}}'
    )


def test_what_an_event_is_not_about_is_left_out() -> None:
    """An event of the store is about no route, and nobody did it."""
    document = json.loads(message(Event("evt_2", 0.0, "store_unavailable", "", "", "", "disk fÜll", {})))
    assert document == {
        "type": "store.unavailable",
        "timestamp": "1970-01-01T00:00:00.000Z",
        "data": {"why": "disk fÜll"},
    }


def test_every_kind_has_a_type_of_its_own() -> None:
    """Types are grouped and in the letters that Standard Webhooks recommends."""
    assert set(TYPES) == set(get_args(Kind))
    assert len(set(TYPES.values())) == len(TYPES)
    assert all(re.fullmatch(r"(ramp|override|config|store)\.[a-z_]+", each) for each in TYPES.values())
