"""`banyan override` sets, ends and lists what routes serve beside the file."""

import json

import pytest

from gateway.rollouts.reports import override_report
from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan
from tests.support.reported import NOON, OVERRIDE

WHY = ("--reason", "500s")


@pytest.mark.parametrize(
    ("words", "serve", "seconds", "writes"),
    [
        (("legacy",), "legacy", None, False),
        (("new", "--for", "2h"), "new", 7_200.0, False),
        (("25%", "--for", "1h30m"), "25% new", 5_400.0, False),
        (("25% new",), "25% new", None, False),
        (("legacy", "--writes"), "legacy", None, True),
    ],
)
def test_an_override_is_set(
    banyan: Banyan, steering: FakeSteering, words: tuple[str, ...], serve: str, seconds: float | None, writes: bool
) -> None:
    """Shares and times are written as in routes.yaml; a bare share is of new."""
    assert banyan("override", "list", *words, *WHY).out == "It is done.\n"
    assert [order[:5] for order in steering.desk.ordered] == [("override", "list", serve, seconds, writes)]


def test_an_override_is_cleared(banyan: Banyan, steering: FakeSteering) -> None:
    """With a reason, as it was set."""
    assert banyan("override", "list", "--clear", *WHY).out == "It is done.\n"
    assert [(order[0], order[1], order[3]) for order in steering.desk.ordered] == [("clear", "list", "500s")]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("list", "legacy"), "Say why"),
        (("list", "--clear"), "Say why"),
        (("list", *WHY), "Say what shall serve"),
        (("list", "legacy", "--for", "soon", *WHY), "'soon' is not a duration"),
        (("list", "legacy", "--clear", *WHY), "nothing else goes with it"),
        (("--clear", *WHY), "Name the route"),
        (("--for", "2h"), "Name the route"),
    ],
)
def test_a_command_that_is_not_whole_orders_nothing(
    banyan: Banyan, steering: FakeSteering, words: tuple[str, ...], says: str
) -> None:
    """What is missing or too much is said, and nothing is moved."""
    ran = banyan("override", *words)
    assert (ran.code, says in " ".join(ran.err.split())) == (2, True)
    assert steering.desk.ordered == []


def test_overrides_are_listed(banyan: Banyan, steering: FakeSteering) -> None:
    """What each serves, what the file says instead, until when, by whom and why."""
    steering.desk.told["overrides"] = [
        override_report(OVERRIDE, NOON),
        override_report(OVERRIDE._replace(route="list", share=2_500, record=None, until=None), NOON),
    ]
    assert banyan("override").out.splitlines() == [
        "route         serve    writes  until                 file  by   reason",
        "rent-balance  legacy   legacy  2026-11-28 14:00 UTC  ramp  ann  500s since 02:40",
        "list          25% new  -       -                     ramp  ann  500s since 02:40",
    ]
    assert json.loads(banyan("override", "--json").out) == {"overrides": steering.desk.overrides()}


def test_no_override_is_a_sentence(banyan: Banyan, steering: FakeSteering) -> None:
    """An empty table would tell nothing."""
    assert banyan("override").out == "There is no override: every route goes by the file, and by its ramp.\n"
