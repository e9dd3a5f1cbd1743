"""`banyan ramp` tells where ramps stand and what they wait for; six words move them."""

import json

import pytest

from gateway.core.evidence import NO_EVIDENCE
from gateway.core.guards import Missing
from gateway.core.policies import Hours
from gateway.core.positions import BEFORE, State
from gateway.core.rollout import Hold
from gateway.rollouts.reports import ramp_report
from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan
from tests.support.reported import NOON, RAMP, RENTS, SEEN, position

TIME = Missing("every", 600.0, 1_800.0, "10 of 30 minutes have passed")
ERRORS = Missing("errors", 0.05, 0.005, "errors are too many")
REPORT = ramp_report(RENTS, position(), Hold((TIME, ERRORS)), (SEEN, NO_EVIDENCE), NOON)


def test_all_ramps_stand_in_a_table(banyan: Banyan, steering: FakeSteering) -> None:
    """One row each, with the first thing it waits for and how many there are beside it."""
    begins = ramp_report(RENTS._replace(journey="tenants"), position(stage=BEFORE), Hold(), (NO_EVIDENCE,) * 2, NOON)
    steering.desk.told["ramps"] = [REPORT, begins]
    assert banyan("ramp").out.splitlines() == [
        "ramp     state     stage  share  judged  parity  waits for",
        "rents    climbing    2/4   25 %   1,000  98.9 %  10 of 30 minutes have passed (and 1 more)",
        "tenants  climbing    0/4    0 %       0       -  -",
    ]


def test_without_ramps_it_says_how_to_have_one(banyan: Banyan, steering: FakeSteering) -> None:
    """An empty table would tell nothing."""
    assert banyan("ramp").out.startswith("Nothing ramps. `serve: ramp` in routes.yaml")


def test_one_ramp_is_told_with_its_evidence(banyan: Banyan, steering: FakeSteering) -> None:
    """Everything that somebody needs who is to approve the next stage, line by line."""
    steering.desk.told["ramps"] = [REPORT]
    assert banyan("ramp", "rent-balance").out.splitlines() == [
        "rents: climbing, 25 % of reads on new, since 2026-11-28 11:50 UTC",
        "  routes    rent-balance",
        "  stages    1 %, 25 % <- here, 50 % by approval, 100 %",
        "  last step nothing is missing (the gateway itself)",
        "  judged    1,000 (990 matched, 8 mismatched, 2 candidate error, 5 skipped)",
        "  parity    900 of 910 answers with content agree: 98.9 % (97.99-99.4 %); 99.5 % needed",
        "  requests  500 different ones, 4 of them answered wrongly",
        "  agreed on 900 x 200 many, 90 x 200 empty",
        "  errors    new 2 of 100, legacy 3 of 300: -1.39 % to +6.04 % against legacy; +0.5 % allowed",
        "  p95       new 112 ms, legacy 102 ms: 1.10 times (1.10 to 1.11); 1.2 allowed",
        "  next      50 %, 2026-11-28 12:20 UTC at the earliest",
        "  missing   10 of 30 minutes have passed",
        "            errors are too many",
    ]


def test_a_ramp_without_evidence_is_told_without_it(banyan: Banyan, steering: FakeSteering) -> None:
    """What nobody has seen is not told; what it waits for is."""
    nothing = (NO_EVIDENCE, NO_EVIDENCE)
    steering.desk.told["ramps"] = [ramp_report(RENTS, None, None, nothing, NOON)]
    assert banyan("ramp", "rents").out.splitlines() == [
        "rents: not begun, 0 % of reads on new",
        "  routes    rent-balance",
        "  stages    1 %, 25 %, 50 % by approval, 100 %",
        "  judged    0",
        "  missing   its first step must be kept, and the store cannot be had",
    ]


def test_hours_and_the_end_are_told(banyan: Banyan, steering: FakeSteering) -> None:
    """When stages may begin, and that after the last one the ramp is done."""
    hours = Hours(days=(0,), begin=540, end=1_020, timezone="Europe/London")
    each = RENTS._replace(ramp=RAMP._replace(only=hours))
    steering.desk.told["ramps"] = [ramp_report(each, position(stage=3), Hold(), (NO_EVIDENCE,) * 2, NOON)]
    lines = banyan("ramp", "rents").out.splitlines()
    assert "  hours     Mon, 09:00-17:00, Europe/London" in lines
    assert "  next      finished, 2026-11-30 09:00 UTC at the earliest" in lines
    never = each._replace(ramp=RAMP._replace(only=hours._replace(days=())))
    steering.desk.told["ramps"] = [ramp_report(never, position(), Hold(), (NO_EVIDENCE,) * 2, NOON)]
    assert "  next      50 %, not within a week" in banyan("ramp", "rents").out.splitlines()


def test_who_moved_it_last_is_told(banyan: Banyan, steering: FakeSteering) -> None:
    """A step that a person took has that person's name."""
    rolled = position(State.ROLLED_BACK)._replace(why="500s since 02:40", by="ann")
    steering.desk.told["ramps"] = [ramp_report(RENTS, rolled, Hold(), (NO_EVIDENCE,) * 2, NOON)]
    assert "  last step 500s since 02:40 (ann)" in banyan("ramp", "rents").out.splitlines()


def test_machines_get_json(banyan: Banyan, steering: FakeSteering) -> None:
    """`--json` is what the gateway tells."""
    steering.desk.told["ramps"] = [REPORT]
    assert json.loads(banyan("ramp", "--json").out) == {"ramps": [REPORT]}
    assert json.loads(banyan("ramp", "rents", "--json").out) == REPORT


def test_a_ramp_that_is_none_is_a_sentence(banyan: Banyan, steering: FakeSteering) -> None:
    """The gateway's own words, and exit code 1."""
    assert banyan("ramp", "rentz") == (1, "", "There is no route and no journey 'rentz'.\n")


@pytest.mark.parametrize("word", ["pause", "resume", "approve", "promote", "rollback", "restart"])
def test_each_word_is_an_order(banyan: Banyan, steering: FakeSteering, word: str) -> None:
    """The command's name is what the gateway is told to do."""
    assert banyan(word, "rents", "--reason", "because").out == "It is done.\n"
    assert [order[:3] for order in steering.desk.ordered] == [("act", "rents", word)]
