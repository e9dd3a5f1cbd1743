"""Ramps and overrides are told whole, in plain JSON values, and in a few words."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.evidence import NO_EVIDENCE
from gateway.core.guards import Missing
from gateway.core.hours import is_open
from gateway.core.policies import Guards, Hours
from gateway.core.positions import BEFORE, Action, State, acted, begun
from gateway.core.rollout import Hold, NeedsApproval, Promote
from gateway.rollouts.reports import (
    action_text,
    evidence_report,
    opens_at,
    override_report,
    override_text,
    ramp_report,
    ramp_text,
)
from tests.support.reported import BALANCE, NOON, OVERRIDE, RAMP, RENTS, SEEN, position

WAITS = Hold((Missing("every", 600.0, 1_800.0, "10 of 30 minutes have passed"),))
NOTHING = (NO_EVIDENCE, NO_EVIDENCE)


def test_a_ramp_is_told_whole() -> None:
    """Where it stands, why and by whom, what comes next and when, and what is missing for that."""
    report = ramp_report(RENTS, position(), WAITS, (SEEN, NO_EVIDENCE), NOON)
    evidence = report.pop("evidence")
    assert report == {
        "ramp": "rents",
        "routes": ["rent-balance"],
        "text": "25 %, climbing",
        "state": "climbing",
        "stage": 2,
        "stages": [
            {"share": 1.0, "approve": False},
            {"share": 25.0, "approve": False},
            {"share": 50.0, "approve": True},
            {"share": 100.0, "approve": False},
        ],
        "share": 25.0,
        "since": "2026-11-28T11:50:00+00:00",
        "why": "nothing is missing",
        "by": "",
        "sequence": 3,
        "approved": [],
        "on_breach": "roll_back",
        "hours": None,
        "missing": [{"guard": "every", "seen": 600.0, "needed": 1800.0, "sentence": "10 of 30 minutes have passed"}],
        "next": {"stage": 3, "share": 50.0, "needs_approval": True, "earliest": "2026-11-28T12:20:00+00:00"},
    }
    assert evidence == evidence_report(SEEN, SEEN.legacy, RAMP.guards)


def test_evidence_is_told_as_the_guards_look_at_it() -> None:
    """Parity is of answers with content, with its interval; errors and latencies stand beside legacy's."""
    report = evidence_report(SEEN, SEEN.legacy, Guards())
    assert report["judged"] == 1_000
    assert (report["parity"]["count"], report["parity"]["of"], report["parity"]["needed"]) == (900, 910, 0.995)
    assert report["parity"]["low"] < report["parity"]["rate"] == 900 / 910 < report["parity"]["high"]
    assert report["requests"] == {"different": 500, "with_content": 450, "wrong": 4}
    assert list(report["shapes"].items()) == [("200 many", 900), ("200 empty", 90)]
    assert (report["new"]["attempts"], report["new"]["errors"]) == (100, 2)
    assert report["errors"]["low"] < 0.01 < report["errors"]["high"]
    assert report["latency"]["percentile"] == "p95"
    assert report["latency"]["ratio"] == pytest.approx(1.1, rel=0.03)


def test_without_evidence_nothing_is_claimed() -> None:
    """What nobody has seen is null, never a 0 or an infinity that JSON does not have."""
    report = evidence_report(NO_EVIDENCE, NO_EVIDENCE.legacy, Guards(parity=None))
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert (report["parity"]["rate"], report["parity"]["needed"]) == (None, None)
    assert (report["latency"]["ratio"], report["latency"]["high"]) == (None, None)
    assert report["new"] == {"attempts": 0, "errors": 0, "latency": None}


def test_all_traffic_is_held_against_legacy_of_the_stages_before() -> None:
    """In a stage of all traffic legacy is asked nothing, so the report shows what it did before, as the guards do."""
    before = SEEN
    now = ramp_report(RENTS, position(stage=3), Hold(), (NO_EVIDENCE, before), NOON)["evidence"]["legacy"]
    assert now["attempts"] == 300
    while_shared = ramp_report(RENTS, position(stage=1), Hold(), (NO_EVIDENCE, before), NOON)["evidence"]["legacy"]
    assert while_shared["attempts"] == 0


def test_a_ramp_before_its_first_step_waits_for_the_store() -> None:
    """A ramp that the store has not let begin serves legacy, and says what it waits for."""
    report = ramp_report(RENTS, None, None, NOTHING, NOON)
    assert (report["text"], report["stage"], report["share"], report["since"]) == ("0 %, not begun", 0, 0.0, None)
    assert (report["next"], [each["guard"] for each in report["missing"]]) == (None, ["state"])


def test_a_ramp_about_to_begin_may_do_so_now() -> None:
    """Before the first stage there is no time that must pass."""
    report = ramp_report(RENTS, begun("rents", RAMP, NOON - 1), Promote(0, "nothing is missing"), NOTHING, NOON)
    assert (report["stage"], report["missing"]) == (0, [])
    assert report["next"]["earliest"] == "2026-11-28T12:00:00+00:00"
    assert report["next"]["share"] == 1.0


def test_what_waits_for_a_person_says_so() -> None:
    """When only the approval is missing, that is what is missing."""
    report = ramp_report(
        RENTS, position(State.AWAITING_APPROVAL), NeedsApproval(2, "stage 3 needs a person's approval"), NOTHING, NOON
    )
    assert (report["text"], [each["guard"] for each in report["missing"]]) == (
        "25 %, awaiting approval",
        ["approval"],
    )


def test_what_was_approved_needs_no_approval_any_more() -> None:
    """Approved stages are told by their numbers, as people count them."""
    report = ramp_report(RENTS, position(approved=(2,)), Hold(), NOTHING, NOON)
    assert (report["approved"], report["next"]["needs_approval"]) == ([3], False)


def test_after_the_last_stage_comes_the_end() -> None:
    """From the last stage a ramp finishes with the share it has."""
    following = ramp_report(RENTS, position(stage=3), Hold(), NOTHING, NOON)["next"]
    assert (following["stage"], following["share"]) == (None, 100.0)


@pytest.mark.parametrize("state", [State.PAUSED, State.ROLLED_BACK, State.FINISHED])
def test_what_does_not_climb_has_no_next_stage(state: State) -> None:
    """A ramp that waits for a person, or is done, announces nothing."""
    assert ramp_report(RENTS, position(state), Hold(), NOTHING, NOON)["next"] is None


def test_a_rolled_back_ramp_serves_nothing_by_new() -> None:
    """The share told is the one that holds, not the one of the stage it was in."""
    report = ramp_report(RENTS, position(State.ROLLED_BACK), Hold(), NOTHING, NOON)
    assert (report["text"], report["share"], report["stage"]) == ("0 %, rolled back", 0.0, 2)
    assert ramp_text(position(State.PAUSED)) == "25 %, paused"


# ------------------------------------------------------------------------------------------------ hours

OFFICE = Hours(begin=540, end=1_020, timezone="Europe/London")


def test_a_stage_waits_for_the_office_to_open() -> None:
    """The earliest moment of the next stage is one at which it may begin: on Monday morning, not on Saturday."""
    ramp = RAMP._replace(only=OFFICE)
    report = ramp_report(RENTS._replace(ramp=ramp), position(), WAITS, NOTHING, NOON)
    assert report["next"]["earliest"] == "2026-11-30T09:00:00+00:00"
    assert report["hours"] == {
        "days": ["Mon", "Tue", "Wed", "Thu", "Fri"],
        "hours": "09:00-17:00",
        "timezone": "Europe/London",
    }


def test_hours_that_never_come_have_no_earliest_moment() -> None:
    """Without a day there is nothing to wait for."""
    assert opens_at(OFFICE._replace(days=()), NOON) is None


@given(st.floats(NOON, NOON + 400 * 86_400), st.integers(0, 6), st.integers(0, 1_439), st.integers(1, 1_439))
def test_it_opens_at_the_first_minute_within_the_hours(at: float, day: int, begin: int, lasts: int) -> None:
    """Whatever the hours: open then, and not in the minute before, unless it was open already."""
    hours = Hours((day,), begin, (begin + lasts) % 1_440, "Europe/London")
    found = opens_at(hours, at)
    assert found is not None
    assert found >= at
    assert is_open(hours, found)
    assert found == at or not is_open(hours, max(at, found - 60))


# ------------------------------------------------------------------------------------------------ overrides


def test_an_override_is_told_whole() -> None:
    """What it serves, what the file said, who takes the writes, until when, by whom and why."""
    assert override_report(OVERRIDE, NOON) == {
        "route": "rent-balance",
        "serve": "legacy",
        "writes": "legacy",
        "until": "2026-11-28T14:00:00+00:00",
        "since": "2026-11-28T11:59:00+00:00",
        "file": "ramp",
        "by": "ann",
        "reason": "500s since 02:40",
        "text": "legacy by override until 14:00 UTC, writes to legacy",
    }


def test_an_override_in_a_few_words() -> None:
    """Its share in the words of routes.yaml; its end with the date unless it is within a day, or none at all."""
    plain = OVERRIDE._replace(record=None, until=None)
    assert override_text(plain, NOON) == "legacy by override"
    assert override_text(plain._replace(share=10_000), NOON) == "new by override"
    assert override_text(plain._replace(share=2_550), NOON) == "25.5% new by override"
    later = datetime(2026, 12, 24, 18, tzinfo=UTC).timestamp()
    assert override_text(plain._replace(until=later), NOON) == "legacy by override until 2026-12-24 18:00 UTC"


# ------------------------------------------------------------------------------------------------ what was done


@pytest.mark.parametrize(
    ("action", "before", "says"),
    [
        (Action.PAUSE, position(), "rents is paused at 25 %"),
        (Action.RESUME, position(State.ROLLED_BACK), "rents goes on (stage 2 of 4, 25 %); its evidence counts anew"),
        (Action.RESUME, position(State.PAUSED, BEFORE), "rents goes on (not begun); its evidence"),
        (Action.APPROVE, position(), "Stage 3 of rents is approved: it begins as soon as nothing else is missing."),
        (Action.PROMOTE, position(), "rents is at stage 3 of 4, 50 %, by your word."),
        (Action.PROMOTE, position(stage=3), "rents has finished: new keeps 100 % of the reads."),
        (Action.ROLLBACK, position(), "rents is rolled back: legacy serves all reads, until a person says otherwise."),
        (Action.RESTART, position(), "rents begins with its first stage again"),
    ],
)
def test_an_action_tells_what_it_did(action: Action, before: object, says: str) -> None:
    """Every action says what holds now, and names the command that goes on or back from there."""
    after = acted(before, action, RAMP, NOON, "ann", "because")  # type: ignore[arg-type]
    text = action_text(action, after, len(RAMP.stages))
    assert text.startswith(says)
    assert "banyan " in text
    assert BALANCE.journey in text
