"""A ramp goes on only when nothing is missing, goes back at any time, and each decision makes one step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.evidence import NO_EVIDENCE, Attempts, Evidence, Verdict
from gateway.core.gathering import Gatherer
from gateway.core.histogram import Histogram
from gateway.core.policies import Guards, Ramp, Stage
from gateway.core.positions import BEFORE, Action, Position, State, acted, begun, settings_of, share_of
from gateway.core.rollout import Decision, Hold, NeedsApproval, Pause, Promote, RollBack, advanced, decide

RAMP = Ramp(stages=(Stage(100), Stage(2_500), Stage(5_000, approve=True), Stage(10_000)))
GOOD = Evidence(matched=2_000, shapes={"200 many": 2_000}, requests=1_000, full=1_000)
BAD = Evidence(matched=961, mismatched=39, requests=1_000, wrong=39)
LATE = 1_000.0 + RAMP.every


def at(stage: int, state: State = State.CLIMBING, approved: tuple[int, ...] = ()) -> Position:
    return Position("rents", settings_of(RAMP), state, stage, share_of(RAMP, stage), 1_000.0, 7, approved)


def guards(decision: Decision) -> list[str]:
    assert isinstance(decision, Hold)
    return [missing.guard for missing in decision.missing]


def test_good_evidence_goes_on() -> None:
    """With nothing missing the next stage begins, and the step says on what evidence."""
    decision = decide(RAMP, at(0), GOOD, LATE, True)
    assert decision == Promote(1, "2,000 of 2,000 answers with content agree, of 1,000 requests")
    after = advanced(at(0), decision, RAMP, LATE)
    assert (after.state, after.stage, after.share, after.since, after.sequence) == (State.CLIMBING, 1, 2_500, LATE, 8)
    assert after.why == decision.why


def test_the_last_stage_finishes_the_ramp() -> None:
    """After the last stage the ramp is finished, keeps its share, and is left alone."""
    decision = decide(RAMP, at(3), GOOD, LATE, True)
    assert isinstance(decision, Promote)
    after = advanced(at(3), decision, RAMP, LATE)
    assert (after.state, after.stage, after.share) == (State.FINISHED, 3, 10_000)
    assert decide(RAMP, after, BAD, LATE, True) == Hold()


def test_a_stage_lasts_its_time() -> None:
    """However good the evidence, a stage is not shorter than `every`; the reason counts the minutes."""
    decision = decide(RAMP, at(0), GOOD, 1_720.0, True)
    assert isinstance(decision, Hold)
    assert [(each.guard, each.seen, each.needed, each.sentence) for each in decision.missing] == [
        ("every", 720.0, 1_800.0, "12 of 30 minutes have passed")
    ]


def test_all_that_is_missing_is_told() -> None:
    """A hold lists everything that the next stage waits for."""
    decision = decide(RAMP, at(1), NO_EVIDENCE, 1_000.0, False)
    assert guards(decision) == ["every", "samples", "coverage", "variety", "only", "approval"]


def test_only_office_hours_promote_and_all_hours_roll_back() -> None:
    """Out of hours nothing begins, and what is broken goes back all the same."""
    assert guards(decide(RAMP, at(0), GOOD, LATE, False)) == ["only"]
    assert isinstance(decide(RAMP, at(0), BAD, LATE, False), RollBack)


def test_under_an_override_a_ramp_does_not_go_on() -> None:
    """Its end would move the traffic at once to a stage that no client has been in; back it goes all the same."""
    decision = decide(RAMP, at(0), GOOD, LATE, True, overridden="balance")
    assert guards(decision) == ["override"]
    assert "an override of balance is live" in str(decision)
    early = begun("rents", RAMP, 0.0)
    assert guards(decide(RAMP, early, NO_EVIDENCE, LATE, True, overridden="balance")) == ["override"]
    assert isinstance(decide(RAMP, at(0), BAD, LATE, True, overridden="balance"), RollBack)


@pytest.mark.parametrize("stage", [0, 3, 7])
def test_a_position_of_other_settings_does_not_go_on(stage: int) -> None:
    """While two gateways of one store have different files, a stage of one may not even be there for the other."""
    position = at(0)._replace(settings="another's", stage=stage)
    decision = decide(RAMP, position, GOOD, LATE, True)
    assert guards(decision) == ["settings"]
    assert "have all of them serve one file" in str(decision)
    assert isinstance(decide(RAMP, position, BAD, LATE, True), RollBack)


def test_the_first_stage_begins_at_once() -> None:
    """Before the first stage no evidence is needed, and none turns it back; hours and approval count."""
    position = begun("rents", RAMP, 1_000.0)
    decision = decide(RAMP, position, BAD, 1_000.0, True)
    assert decision == Promote(0, "the first stage begins")
    assert advanced(position, decision, RAMP, 1_000.0).share == 100
    assert guards(decide(RAMP, position, NO_EVIDENCE, 1_000.0, False)) == ["only"]
    careful = RAMP._replace(stages=(Stage(100, approve=True), Stage(10_000)))
    assert isinstance(decide(careful, begun("rents", careful, 0.0), NO_EVIDENCE, 0.0, True), NeedsApproval)


def test_an_approval_is_asked_for_once() -> None:
    """When everything else is there a person is asked; then it waits, and goes on when they have spoken."""
    asked = decide(RAMP, at(1), GOOD, LATE, True)
    assert asked == NeedsApproval(2, "stage 3 needs a person's approval")
    waiting = advanced(at(1), asked, RAMP, LATE)
    assert (waiting.state, waiting.stage, waiting.since) == (State.AWAITING_APPROVAL, 1, 1_000.0)
    assert guards(decide(RAMP, waiting, GOOD, LATE, True)) == ["approval"]
    approved = acted(waiting, Action.APPROVE, RAMP, LATE, by="kim")
    assert isinstance(decide(RAMP, approved, GOOD, LATE, True), Promote)
    assert guards(decide(RAMP, approved, NO_EVIDENCE, LATE, True)) == ["samples", "coverage", "variety"]


@pytest.mark.parametrize("state", [State.CLIMBING, State.AWAITING_APPROVAL, State.PAUSED])
def test_whatever_serves_the_new_side_can_be_rolled_back(state: State) -> None:
    """A broken guard turns back at once, from every state that serves the new side, in its first second."""
    decision = decide(RAMP, at(1, state), BAD, 1_000.0, True, worst="/balance")
    assert isinstance(decision, RollBack)
    assert decision.guard == "parity"
    assert decision.why.endswith("39 of 1,000 different requests were answered wrongly, most at /balance")
    after = advanced(at(1, state), decision, RAMP, 1_001.0)
    assert (after.state, after.why, after.sequence, after.stage) == (State.ROLLED_BACK, decision.why, 8, 1)


def test_a_rollback_is_sticky() -> None:
    """Nothing but a person ends it, however good the evidence."""
    decision = decide(RAMP, at(1, State.ROLLED_BACK), GOOD, 1e9, True)
    assert guards(decision) == ["state"]
    assert advanced(at(1, State.ROLLED_BACK), decision, RAMP, 1e9) == at(1, State.ROLLED_BACK)


def test_a_ramp_may_pause_instead() -> None:
    """With `on_breach: pause` a broken guard stops the climb; paused, it stays until a person resumes."""
    pausing = RAMP._replace(on_breach="pause")
    decision = decide(pausing, at(1), BAD, LATE, True)
    assert isinstance(decision, Pause)
    paused = advanced(at(1), decision, pausing, LATE)
    assert (paused.state, paused.why) == (State.PAUSED, decision.why)
    assert guards(decide(pausing, paused, BAD, LATE, True)) == ["state"]
    assert guards(decide(pausing, paused, GOOD, LATE, True)) == ["state"]


def live(attempts: int, errors: int) -> Attempts:
    return Attempts(attempts, errors, Histogram())


def test_a_stage_of_all_traffic_is_held_against_earlier_ones() -> None:
    """Legacy has no attempts of its own then: what it did in the stages before is what the new side must keep to."""
    seen = Evidence(new=live(400, 40))
    before = Evidence(legacy=live(4_000, 400))
    assert isinstance(decide(RAMP, at(3), seen, LATE, True), RollBack)
    assert isinstance(decide(RAMP, at(3), seen, LATE, True, before=before), Hold)
    shared = Evidence(new=live(400, 40), legacy=live(4_000, 0))
    assert isinstance(decide(RAMP, at(1), shared, LATE, True, before=before), RollBack)


def test_a_ramp_without_shadow_says_so_little() -> None:
    """Without judged answers the step says only that no guard held it."""
    alone = RAMP._replace(guards=Guards(parity=None, latency=None))
    seen = Evidence(new=live(2_000, 0), legacy=live(20_000, 0))
    position = at(0)._replace(settings=settings_of(alone))
    assert decide(alone, position, seen, LATE, True) == Promote(1, "no guard holds it")


def turned_back_after(wrong: set[int], records: int) -> float:
    """Minutes until a side is turned back that was right for a night, and then is wrong about some records."""
    gatherer, broke = Gatherer(RAMP.guards), 8.25 * 3_600.0
    for half in range(90_000):
        now = half / 2
        record = half % records
        verdict: Verdict = "mismatched" if now >= broke and record in wrong else "matched"
        gatherer.judged(verdict, "legacy", now, b"%d" % record, "200 one")
        if now >= broke and not half % 20:
            decision = decide(RAMP, at(1), gatherer.evidence(), now, True)
            if isinstance(decision, RollBack):
                return (now - broke) / 60
    raise AssertionError("it was never turned back")


def test_what_breaks_after_a_good_night_is_turned_back() -> None:
    """A collapse is found within minutes; what is wrong with some records, or one of them, in the next chapter."""
    assert turned_back_after(set(range(400)), 400) < 10
    assert turned_back_after(set(range(0, 400, 20)), 400) < 75
    assert turned_back_after({7}, 40) < 75


@given(
    st.sampled_from(State),
    st.integers(BEFORE, 3),
    st.integers(0, 2_000),
    st.integers(0, 60),
    st.floats(1_000.0, 9_000.0),
    st.booleans(),
)
def test_a_decision_is_one_step_or_none(
    state: State, stage: int, right: int, wrong: int, now: float, open_hours: bool
) -> None:
    """Whatever was seen, the sequence grows by one or nothing changes, and no more than one stage is climbed."""
    seen = Evidence(
        matched=right, mismatched=wrong, shapes={"200 one": right}, requests=right + wrong, full=right, wrong=wrong
    )
    before = at(stage, state)
    after = advanced(before, decide(RAMP, before, seen, now, open_hours), RAMP, now)
    assert after == before or after.sequence == before.sequence + 1
    assert after.stage in (before.stage, before.stage + 1)
    assert after.share == share_of(RAMP, after.stage)
    if not open_hours:
        assert after.stage == before.stage


def test_a_short_stage_is_told_of_in_seconds() -> None:
    """Minutes would say nothing of it."""
    ramp = Ramp(every=6.0)
    held = decide(ramp, begun("rents", ramp, 0.0)._replace(stage=0, share=100), NO_EVIDENCE, 2.5, True)
    assert isinstance(held, Hold)
    assert held.missing[0].sentence == "2 of 6 seconds have passed"
