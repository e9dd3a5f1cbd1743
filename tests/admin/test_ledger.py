"""What a legacy system is still needed for, said as facts: it can go when all of them hold."""

from pathlib import Path
from typing import Any

from gateway.admin.ledger import proof, remaining, uncalled, weeks
from gateway.config.check import load
from gateway.core.model import Estate
from gateway.store.values import Calls, Total
from tests.admin.fakes import written

NOW = 1_800_000_000.0
DAY = 86_400.0
ROUTES = """\
version: 1
backends:
  old: {url: "http://127.0.0.1:9001", cost: {per_call: 0.02, per_month: 1200}}
  older: {url: "http://127.0.0.1:9002"}
  new: {url: "http://127.0.0.1:9003"}
routes:
  - {name: list, match: GET /list, legacy: old, new: new, serve: new}
  - {name: gone, match: GET /gone, legacy: older, serve: retired}
"""


def estate(folder: Path, text: str = ROUTES) -> Estate:
    return load(written(folder, text), {}).estate


def called(backend: str, route: str, side: str, last: float, requests: int = 10, live: int = 1) -> Calls:
    return Calls(backend, route, side, live, requests, 0, last - DAY, last)


def test_a_system_that_nothing_needs_can_go(tmp_path: Path) -> None:
    """No live request for two weeks, no route that names it, no copy, no write: ready, and first in the list."""
    calls = [called("older", "gone", "legacy", NOW - 20 * DAY), called("old", "list", "legacy", NOW)]
    first, second = remaining(estate(tmp_path), calls, [], NOW)
    assert (first.backend, first.is_ready, [fact.holds for fact in first.facts]) == ("older", True, [True] * 4)
    assert (second.backend, second.is_ready) == ("old", False)
    assert [fact.name for fact in second.facts if not fact.holds] == ["no live request", "no route names it"]


def test_each_fact_alone_holds_it(tmp_path: Path) -> None:
    """A request today, a route, a shadow, a write that is owed: each is enough."""
    text = ROUTES.replace("serve: new}", "serve: new, shadow: 10%}")
    quiet = [called("old", "list", "legacy", NOW - 20 * DAY)]
    owed: list[dict[str, Any]] = [{"route": "list", "writes": 2, "state": "dead"}]
    found = {each.backend: each for each in remaining(estate(tmp_path, text), quiet, owed, NOW)}
    held = {fact.name: fact.told for fact in found["old"].facts if not fact.holds}
    assert held == {
        "no route names it": "One route names it: list.",
        "no copy is sent": "Copies are sent to it for list.",
        "no write is owed": "2 writes are not delivered.",
    }
    late = remaining(estate(tmp_path), [called("older", "gone", "legacy", NOW)], [], NOW)
    [older] = [each for each in late if each.backend == "older"]
    assert [fact.name for fact in older.facts if not fact.holds] == ["no live request"]


def test_what_is_not_known_proves_nothing(tmp_path: Path) -> None:
    """With the store away no system can be switched off, whatever the file says."""
    calls = [called("older", "gone", "legacy", NOW - 20 * DAY)]
    for asked, owed in ((None, []), (calls, None), (None, None)):
        found = {each.backend: each for each in remaining(estate(tmp_path), asked, owed, NOW)}
        assert not found["older"].is_ready
        assert [fact.told for fact in found["older"].facts if not fact.holds] == [
            "It is not known now: the store does not tell."
        ] * 3


def test_writes_of_routes_that_are_gone_are_owed_as_well(tmp_path: Path) -> None:
    """A retired route's, and those of one that has left the file, which may be anybody's."""
    for route in ("gone", "left-the-file"):
        owed: list[dict[str, Any]] = [{"route": route, "writes": 1, "state": "dead"}]
        found = {each.backend: each for each in remaining(estate(tmp_path), [], owed, NOW)}
        assert not found["older"].is_ready, route


def test_what_new_answers_is_money_saved(tmp_path: Path) -> None:
    """Calls that would have gone to the old system, at what each costs there."""
    calls = [called("new", "list", "new", NOW, 500), called("new", "list", "new", NOW, 70, live=0)]
    found = {each.backend: each for each in remaining(estate(tmp_path), calls, [], NOW)}
    assert (found["old"].spared, found["old"].saved) == (500, 10.0)
    assert found["older"].saved == 0


def test_a_proof_has_a_digest_of_all_that_it_says(tmp_path: Path) -> None:
    """Two pages with the same digest say the same; another time is another page."""
    each = remaining(estate(tmp_path), [], [], NOW)[0]
    one, same, later = (proof(each, at, "abc") for at in ("2027-01-15", "2027-01-15", "2027-01-16"))
    assert one == same
    assert one["digest"] != later["digest"]


def test_routes_that_nobody_calls_are_found(tmp_path: Path) -> None:
    """By what clients asked; copies do not count, and what is retired is not missed."""
    copies = [called("new", "list", "new", NOW, live=0)]
    assert [(route.name, last) for route, last in uncalled(estate(tmp_path), copies, NOW - DAY)] == [("list", None)]
    assert uncalled(estate(tmp_path), [called("new", "list", "new", NOW)], NOW - DAY) == []


def test_the_move_is_told_step_by_step() -> None:
    """Both sides of each step; one that is missing answered nothing."""
    totals = [Total(0, "legacy", 5, 0, 0.0, ()), Total(60, "legacy", 3, 0, 0.0, ()), Total(60, "new", 4, 0, 0.0, ())]
    assert [tuple(week) for week in weeks(totals)] == [(0, 5, 0), (60, 3, 4)]
