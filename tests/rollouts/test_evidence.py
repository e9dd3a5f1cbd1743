"""What a stage has seen: only what began after it did, on every replica, and over restarts."""

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.core.evidence import NO_EVIDENCE, Evidence, Verdict
from gateway.core.model import Observation
from gateway.core.policies import Ramp
from gateway.core.positions import Position, begun
from gateway.rollouts.evidence import BEFORE, Stage, StageEvidence
from gateway.rollouts.standings import RampOf
from gateway.store.values import Document
from tests.support.observations import observed
from tests.support.values import route

SINCE = 1_000.0
RAMP = RampOf("rents", Ramp(), (route(name="balance", journey="rents"), route(name="lines", journey="rents")))
HERE = begun("rents", Ramp(), SINCE)._replace(stage=0, share=100, sequence=1)
NEXT = HERE._replace(stage=1, share=500, since=SINCE + 100, sequence=2)
THIRD = HERE._replace(stage=2, share=2_500, since=SINCE + 200, sequence=3)


class Kept:
    """What the store has of every replica's evidence."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], dict[str, Document]] = {}

    def put(self, evidence: StageEvidence, replica: str) -> None:
        for each in evidence.to_store():
            self.rows.setdefault((each.generation, each.stage), {})[replica] = each.document

    def give(self, evidence: StageEvidence) -> list[bool]:
        """Whether each stage learned something."""
        return [evidence.take(stage, *self._of(stage)) for stage in evidence.stages()]

    def _of(self, stage: Stage) -> tuple[Mapping[str, Document], Mapping[str, Document]]:
        at = stage.position
        present = self.rows.get((stage.generation, at.stage), {})
        return present, self.rows.get((at.settings, BEFORE), {})


def at(position: Position, replica: str = "a") -> StageEvidence:
    """A replica's, in a stage."""
    found = StageEvidence(replica)
    found.follow([RAMP], {"rents": position})
    return found


def judge(evidence: StageEvidence, number: int, when: float = SINCE, verdict: Verdict = "matched") -> None:
    """So many different requests."""
    for each in range(number):
        evidence.judged("balance", verdict, "legacy", when, f"{when} {each}".encode(), "200 many")


def live(**fields: Any) -> Observation:
    """A live attempt of `balance`, since the stage began."""
    return observed(**{"route": "balance", "at": SINCE, **fields})


# ------------------------------------------------------------------------------------------------ what counts


def test_live_attempts_count_by_their_side() -> None:
    """With how long they took; one that failed is an error, and took no time that says anything."""
    evidence = at(HERE)
    evidence.observed([live(duration=0.01), live(side="new", duration=0.02), live(side="new", outcome="timeout")])
    evidence.observed([live(side="new", outcome="backend_error"), live(side="new", outcome="business_fault")])
    present, _ = evidence.of("rents")
    assert (present.legacy.attempts, present.legacy.errors) == (1, 0)
    assert (present.new.attempts, present.new.errors) == (4, 2)
    assert sum(present.new.latency.counts) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"at": SINCE - 0.001},
        {"role": "shadow"},
        {"role": "tester"},
        {"role": "probe"},
        {"side": ""},
        {"error": "client_gone"},
        {"side": "new", "outcome": "refused", "error": "breaker_open"},
        {"route": "other"},
    ],
)
def test_what_says_nothing_about_the_stage_does_not_count(other: dict[str, Any]) -> None:
    """Before it began, copies, testers, what the gateway refused, clients that left, other routes."""
    evidence = at(HERE)
    evidence.observed([live(**other)])
    assert evidence.of("rents")[0] == NO_EVIDENCE


def test_writes_tell_nothing_about_a_side() -> None:
    """They all go to the record: slow ones there would let a slower new side pass, failing ones a failing one."""
    evidence = at(HERE)
    evidence.observed([live(method=method) for method in (b"GET", b"HEAD", b"POST", b"DELETE")])
    assert evidence.of("rents")[0].legacy.attempts == 2


def test_what_a_route_declares_safe_counts() -> None:
    """Searches by POST, and operations of SOAP."""
    evidence = StageEvidence("a")
    evidence.follow([RAMP._replace(routes=(route(name="balance", safe=True),))], {"rents": HERE})
    evidence.observed([live(method=b"POST")])
    assert evidence.of("rents")[0].legacy.attempts == 1


def test_verdicts_count_for_the_stage_they_belong_to() -> None:
    """The journey is named whose evidence it is; what was asked before the stage began, or is of no ramp, is none."""
    evidence = at(HERE)
    assert evidence.judged("balance", "matched", "legacy", SINCE, b"1", "200 many") == "rents"
    assert evidence.judged("balance", "matched", "legacy", SINCE - 0.001, b"2", "200 many") == ""
    assert evidence.judged("other", "matched", "legacy", SINCE, b"3", "200 many") == ""
    present, _ = evidence.of("rents")
    assert (present.matched, present.requests, present.shapes) == (1, 1, {"200 many": 1})


def test_the_routes_of_a_journey_count_together() -> None:
    """One ramp, one evidence."""
    evidence = at(HERE)
    for name in ("balance", "lines"):
        evidence.judged(name, "mismatched", "legacy", SINCE, b"same")
    assert evidence.of("rents")[0].mismatched == 2


def test_errors_are_turned_round_where_new_serves() -> None:
    """What legacy failed at, as the copy, says nothing against new."""
    evidence = at(HERE)
    evidence.judged("balance", "candidate_error", "new", SINCE)
    assert (evidence.of("rents")[0].candidate_error, evidence.of("rents")[0].control_error) == (0, 1)


def test_a_ramp_that_has_not_begun_has_no_evidence() -> None:
    """Nor has one that is not there."""
    evidence = StageEvidence("a")
    evidence.follow([RAMP], {})
    evidence.observed([live()])
    assert evidence.judged("balance", "matched", "legacy", SINCE) == ""
    assert evidence.of("rents") == evidence.of("nobody") == (NO_EVIDENCE, NO_EVIDENCE)


# ------------------------------------------------------------------------------------------------ stages


def test_the_next_stage_has_seen_nothing_and_knows_what_was_before() -> None:
    """What the stages before it saw is added up."""
    evidence = at(HERE)
    judge(evidence, 3)
    evidence.follow([RAMP], {"rents": NEXT})
    assert evidence.of("rents") == (NO_EVIDENCE, evidence.of("rents")[1])
    judge(evidence, 2, NEXT.since)
    evidence.follow([RAMP], {"rents": THIRD})
    assert [each.matched for each in evidence.of("rents")] == [0, 5]


def test_a_step_that_begins_nothing_keeps_the_evidence() -> None:
    """Approved, paused, rolled back: the stage is the same since the same time."""
    evidence = at(HERE)
    judge(evidence, 3)
    evidence.follow([RAMP], {"rents": HERE._replace(sequence=2, why="approved")})
    assert [each.matched for each in evidence.of("rents")] == [3, 0]
    assert evidence.stages()[0].position.sequence == 2


def test_a_ramp_that_left_is_forgotten() -> None:
    """Nothing is kept of journeys that the file does not have."""
    evidence = at(HERE)
    judge(evidence, 3)
    evidence.follow([], {"rents": HERE})
    assert evidence.stages() == []
    assert evidence.of("rents") == (NO_EVIDENCE, NO_EVIDENCE)


# ------------------------------------------------------------------------------------------------ the store


def test_a_restart_goes_on_from_what_the_store_has() -> None:
    """Nothing is lost, and nothing counts twice, however often the store is asked and told."""
    kept, evidence = Kept(), at(HERE)
    for number in (3, 4):
        kept.give(evidence)
        judge(evidence, number)
        kept.put(evidence, "a")
        evidence = at(HERE)
    judge(evidence, 5)
    for _ in range(3):
        kept.give(evidence)
        kept.put(evidence, "a")
    assert evidence.of("rents")[0].matched == 12
    assert Evidence.from_plain(kept.rows[evidence.stages()[0].generation, 0]["a"]).matched == 12


def test_the_store_is_not_told_before_it_was_asked() -> None:
    """What it has of this replica must not be overwritten by less."""
    evidence = at(HERE)
    judge(evidence, 3)
    assert evidence.to_store() == []


def test_replicas_add_up_what_they_saw() -> None:
    """Each its own and all others', once; both what this stage saw and what the earlier ones did."""
    kept, one, other = Kept(), at(HERE, "a"), at(HERE, "b")
    for step in (HERE, NEXT, THIRD):
        for evidence, name, number in ((one, "a", 3), (other, "b", 4)):
            evidence.follow([RAMP], {"rents": step})
            kept.give(evidence)
            judge(evidence, number, step.since)
            kept.put(evidence, name)
        for _ in range(2):
            kept.give(one)
            kept.give(other)
    for evidence in (one, other):
        assert [each.matched for each in evidence.of("rents")] == [7, 14]


def test_it_is_told_whether_others_saw_more() -> None:
    """Then there is something new to decide on; what this replica saw itself is known."""
    kept, one, other = Kept(), at(HERE, "a"), at(HERE, "b")
    assert (kept.give(one), kept.give(other)) == ([False], [False])
    judge(one, 3)
    kept.put(one, "a")
    assert (kept.give(one), kept.give(other), kept.give(other)) == ([False], [True], [False])


def test_what_earlier_stages_saw_outlives_a_restart() -> None:
    """It is what a stage of all traffic is held against."""
    kept, evidence = Kept(), at(HERE)
    kept.give(evidence)
    judge(evidence, 3)
    evidence.follow([RAMP], {"rents": NEXT})
    kept.give(evidence)
    kept.put(evidence, "a")
    again = at(NEXT)
    for _ in range(2):
        kept.give(again)
        kept.put(again, "a")
    assert [each.matched for each in again.of("rents")] == [0, 3]


def test_a_stage_that_ends_before_the_store_was_asked_loses_nothing_of_the_earlier_ones() -> None:
    """The store was away while the stage began anew: what it has of the stages before is added to what was seen."""
    kept, evidence = Kept(), at(HERE)
    kept.give(evidence)
    judge(evidence, 3)
    evidence.follow([RAMP], {"rents": NEXT})
    kept.give(evidence)
    kept.put(evidence, "a")
    again = at(NEXT)
    judge(again, 2, NEXT.since)
    again.follow([RAMP], {"rents": NEXT._replace(since=SINCE + 300)})
    for _ in range(2):
        kept.give(again)
        kept.put(again, "a")
    assert [each.matched for each in again.of("rents")] == [0, 5]


def test_the_same_stage_at_another_time_is_another() -> None:
    """A ramp that is restarted does not find what it saw the first time."""
    kept, evidence = Kept(), at(HERE)
    kept.give(evidence)
    judge(evidence, 3)
    kept.put(evidence, "a")
    again = at(HERE._replace(since=SINCE + 0.5))
    kept.give(again)
    assert again.of("rents")[0] == NO_EVIDENCE
