"""`banyan reload` has the file read now, and tells what came of it."""

import json
from typing import Literal

import pytest

from gateway.admin.steering import ReloadResult
from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan


@pytest.mark.parametrize(("outcome", "code"), [("accepted", 0), ("unchanged", 0), ("held", 1), ("refused", 2)])
def test_the_exit_code_is_the_outcome(
    banyan: Banyan, steering: FakeSteering, outcome: Literal["accepted", "unchanged", "held", "refused"], code: int
) -> None:
    """0 when the file is served, 1 when it waits for a person, 2 when it is wrong."""
    steering.result = ReloadResult(outcome, "What came of it.", (), 2)
    ran = banyan("reload")
    assert (ran.code, ran.err if code else ran.out) == (code, "What came of it.\n")
    assert steering.accepted == [False]


def test_problems_are_listed(banyan: Banyan, steering: FakeSteering) -> None:
    """Each problem stands on a line of its own, before the message."""
    steering.result = ReloadResult("refused", "The last good one serves.", ("a:1:1: no", "a:2:1: no"), 2)
    assert banyan("reload").err.splitlines() == ["a:1:1: no", "a:2:1: no", "The last good one serves."]


def test_a_held_file_is_accepted(banyan: Banyan, steering: FakeSteering) -> None:
    """`--accept` is passed on; `--json` tells the result whole."""
    ran = banyan("reload", "--accept", "--json")
    assert steering.accepted == [True]
    assert (ran.code, json.loads(ran.out)["outcome"]) == (0, "unchanged")


def test_a_reload_may_be_explained(banyan: Banyan, steering: FakeSteering) -> None:
    """The reason is kept, with who gave it; none has to be."""
    assert [banyan("reload", *words).code for words in ((), ("--reason", "the disk is slow"))] == [0, 0]
    assert [act["reason"] for act in json.loads(banyan("audit", "--json").out)["acts"]] == ["the disk is slow", ""]
