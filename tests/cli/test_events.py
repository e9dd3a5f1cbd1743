"""`banyan events` tells what happened, when, by whom and why."""

import json

from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan

ROLLED = {
    "id": "evt_2",
    "at": "2026-11-28T02:41:10+00:00",
    "type": "ramp.rolled_back",
    "route": "",
    "journey": "rents",
    "by": "",
    "why": "parity 96 % is below 99.5 %",
}
SET = ROLLED | {"id": "evt_1", "type": "override.set", "route": "list", "journey": "", "by": "ann", "why": "500s"}
LOST = ROLLED | {"id": "evt_0", "type": "store.unavailable", "journey": "", "why": ""}


def test_events_stand_in_a_table(banyan: Banyan, steering: FakeSteering) -> None:
    """In the order in which the gateway tells them; where nobody did it, the gateway did."""
    steering.desk.events_told = {"events": [ROLLED, SET, LOST], "store": ""}
    assert banyan("events").out.splitlines() == [
        "at                    event              about  by   why",
        "2026-11-28 02:41 UTC  ramp.rolled_back   rents  -    parity 96 % is below 99.5 %",
        "2026-11-28 02:41 UTC  override.set       list   ann  500s",
        "2026-11-28 02:41 UTC  store.unavailable  -      -    -",
    ]


def test_what_is_asked_for_is_asked_for(banyan: Banyan, steering: FakeSteering) -> None:
    """Of a route, of a ramp, so many, and older ones."""
    assert banyan("events").out == "Nothing has happened.\n"
    banyan("events", "--route", "a&b", "--journey", "rents", "--limit", "5", "--before", "evt_9")
    assert steering.desk.asked == [("events", 50, None, None, None), ("events", 5, "evt_9", "a&b", "rents")]
    assert banyan("events", "--limit", "0").code == 2


def test_without_the_store_it_says_that_this_is_not_all(banyan: Banyan, steering: FakeSteering) -> None:
    """What the store has cannot be told while it is down, and that is said."""
    steering.desk.events_told = {"events": [SET], "store": "disk full"}
    ran = banyan("events")
    assert (ran.code, ran.err) == (0, "Only what the store has not been told yet: disk full\n")
    assert json.loads(banyan("events", "--json").out) == steering.desk.events_told
