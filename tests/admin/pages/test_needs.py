"""What needs a person is told in one line each, broken things first, and nothing else is told there."""

from datetime import UTC
from typing import Any

import pytest

from gateway.access.eyes import Asked
from gateway.admin.pages.figures import Figures
from gateway.admin.pages.needs import Need, Waiting, needs_of, owed, owed_or_not
from gateway.admin.pages.wording import Clock
from gateway.errors import CommandError
from tests.admin.fakes import FakeSteering
from tests.admin.pages.conftest import NOW, Steering

CLOCK = Clock(UTC, NOW)
SINCE = "2027-01-15T07:40:00+00:00"
WELL: dict[str, Any] = {
    "ready": True,
    "store": {"available": True, "why": ""},
    "config": {"problems": [], "held": None, "file": "/etc/banyan/routes.yaml"},
    "data": {"guards": {"office": [3, 2, "closed", 0, 0.0], "repairs": [0, 0, "half_open", 0, 0.0]}},
}
RAMP: dict[str, Any] = {
    "ramp": "rents",
    "routes": ["balance", "charges"],
    "state": "climbing",
    "since": SINCE,
    "share": 5.0,
    "next": {"share": 25.0},
    "why": "parity is 91 %",
}
FIGURES = Figures(rates={"balance": {"legacy": 900.0, "new": 50.0}, "charges": {"legacy": 50.0}})


def needs(
    status: dict[str, Any] | None = None,
    ramps: tuple[dict[str, Any], ...] = (),
    writes: tuple[dict[str, Any], ...] = (),
    waiting: tuple[Waiting, ...] = (),
) -> list[Need]:
    return needs_of({**WELL, **(status or {})}, ramps, FIGURES, CLOCK, writes, waiting)


def waits(action: str, what: str, subject: str = "rents", route: str = "balance") -> Waiting:
    return Waiting(Asked(action, subject, what, "Ann", "t1", "parity is fine", NOW - 300), route)


def test_where_all_is_well_nothing_is_needed() -> None:
    """Ramps that climb, stand still or are done wait for nobody, nor do writes that are on their way."""
    ramps = tuple({**RAMP, "state": state} for state in ("climbing", "paused", "finished", "not begun"))
    assert needs(ramps=ramps, writes=({"state": "ready", "writes": 7, "oldest": SINCE},)) == []


@pytest.mark.parametrize(
    ("status", "kind", "label", "subject", "sentence"),
    [
        (
            {"config": {**WELL["config"], "problems": ["line 7: what?", "line 9"]}},
            "broken",
            "Refused file",
            "routes.yaml",
            "line 7: what? The last good file goes on serving.",
        ),
        (
            {"config": {**WELL["config"], "held": "7 of 9 routes would be gone"}},
            "waiting",
            "Held file",
            "routes.yaml",
            "7 of 9 routes would be gone. The last good file goes on serving.",
        ),
        ({"ready": False}, "broken", "Not serving", "the data process", "It is being started again."),
        (
            {"store": {"available": False, "why": "The disk is full."}},
            "broken",
            "Store",
            "the store",
            "The disk is full. Traffic does not depend on it; nothing is promoted meanwhile.",
        ),
        (
            {"data": {"guards": {"office": [3, 2, "open", 7, 0.0]}}},
            "broken",
            "Breaker open",
            "office",
            "Its breaker is open: it failed again and again, and is spared until it answers.",
        ),
    ],
)
def test_what_is_wrong_is_told(status: dict[str, Any], kind: str, label: str, subject: str, sentence: str) -> None:
    """What it is, and what that means for the traffic."""
    assert [(*each[:3], each.sentence) for each in needs(status)] == [(kind, label, subject, sentence)]


def test_a_stage_that_waits_for_approval_says_what_would_move() -> None:
    """Of all routes of the journey, in requests a minute; it is the one thing that is asked for in a filled button."""
    assert needs(ramps=({**RAMP, "state": "awaiting approval"},)) == [
        Need(
            "approval",
            "Approval",
            "rents",
            "/routes/balance",
            "All guards met at 5% new since 07:40. Next stage is 25%, about 200 more requests a minute.",
            "Review 25%",
            "/routes/balance",
            filled=True,
        )
    ]
    (last,) = needs(ramps=({**RAMP, "state": "awaiting approval", "next": None, "since": None},))
    assert "at 5% new since 08:00. Next stage is 100%, about 950 more" in last.sentence


def test_a_ramp_that_rolled_back_says_why() -> None:
    """And leads to the answers that differ."""
    (found,) = needs(ramps=({**RAMP, "state": "rolled back"},))
    assert (found.kind, found.sentence, found.to) == (
        "rolled_back",
        "Back on legacy: parity is 91 %",
        "/routes/balance/disagreements",
    )
    (alone,) = needs(ramps=({**RAMP, "state": "rolled back", "routes": []},))
    assert alone.href == "/routes/rents"


@pytest.mark.parametrize(
    ("action", "what", "words", "to"),
    [
        ("approve", "{}", "approve", "/routes/balance/do/approve"),
        ("flip", '{"serve": "10% new"}', "flip 10% new", "/routes/balance/do/flip?to=10%25"),
        (
            "override",
            '{"serve": "new", "for": 7200, "writes": true}',
            "override new for 7200s with its writes",
            "/routes/balance/do/override?serve=new&for=7200s&writes=yes",
        ),
        (
            "override",
            '{"serve": "25% new", "for": null, "writes": false}',
            "override 25% new",
            "/routes/balance/do/override?serve=25%25&for=",
        ),
    ],
)
def test_what_waits_for_a_second_person_is_one_step_away(action: str, what: str, words: str, to: str) -> None:
    """Who asked, for what, when and why; the page it leads to has the same filled in, so that they say the same."""
    (found,) = needs(waiting=(waits(action, what),))
    assert found.sentence == f"Ann asked for “{words}” at 07:55: parity is fine. It takes a second person."
    assert (found.kind, found.subject, found.href, found.to) == ("second", "rents", "/routes/balance", to)


def test_a_file_that_waits_for_a_second_person_is_reviewed_where_files_are() -> None:
    """It is about no route."""
    (found,) = needs(waiting=(waits("revert", '{"number": "7"}', "", ""),))
    assert (found.subject, found.to, found.filled) == ("the file", "/configuration", False)


def test_writes_that_nobody_delivers_are_counted_together() -> None:
    """Dead and unresolved ones, of all routes, with the oldest of them; those on their way are no matter."""
    counts = (
        {"state": "dead", "writes": 1_200, "oldest": SINCE},
        {"state": "unresolved", "writes": 3, "oldest": "2027-01-14T22:10:00+00:00"},
        {"state": "ready", "writes": 99, "oldest": "2020-01-01T00:00:00+00:00"},
    )
    (found,) = needs(writes=counts)
    assert found.sentence == "1,203 writes need a person, the oldest since 14 Jan 22:10. Later ones of their keys wait."
    (one,) = needs(writes=({"state": "dead", "writes": 1, "oldest": None},))
    assert one.sentence == "1 write needs a person, the oldest since 08:00. Later ones of its key wait."


def test_broken_things_come_first() -> None:
    """Then what went back, what is to be approved, what wants a second person, and what waits."""
    found = needs(
        {"ready": False, "config": {**WELL["config"], "held": "cut off"}},
        ({**RAMP, "state": "awaiting approval"}, {**RAMP, "state": "rolled back"}),
        ({"state": "dead", "writes": 1, "oldest": SINCE},),
        (waits("approve", "{}"),),
    )
    assert [each.kind for each in found] == ["broken", "rolled_back", "approval", "second", "waiting", "waiting"]


async def test_what_is_done_is_not_owed(steering_of: Steering) -> None:
    """Delivered and dropped ones are counted by the store as well."""
    steering: FakeSteering = steering_of("")
    states = ("pending", "ready", "delivering", "unresolved", "dead", "delivered", "dropped")
    steering.writes.told["counts"] = [{"state": state, "writes": 1} for state in states]
    assert [each["state"] for each in await owed(steering)] == list(states[:5])


async def test_what_the_store_does_not_tell_is_not_nothing(
    steering_of: Steering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The overview goes without; who has to prove something is told that nobody knows."""
    steering: FakeSteering = steering_of("")

    async def away(*asked: object) -> dict[str, Any]:
        raise CommandError("The store is away.")

    monkeypatch.setattr(steering.writes, "listed", away)
    assert (await owed(steering), await owed_or_not(steering)) == ([], None)
