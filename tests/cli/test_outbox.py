"""`banyan outbox` lists what is owed to whom, and has a person decide."""

import json

from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan

TIMES = dict.fromkeys(("at", "until", "next_try", "changed"), "2026-11-28T02:41:10+00:00")
READY = {"id": "a1", "kind": "copy", "route": "pay", "key": "7", "side": "new", "tries": 2, "why": "timeout", **TIMES}
DEAD = READY | {"id": "b2", "key": "", "state": "dead", "why": ""}
COUNTS = [{"route": "pay", "kind": "copy", "state": "dead", "writes": 1, "oldest": TIMES["at"]}]


def test_what_is_owed_stands_in_a_table(banyan: Banyan, steering: FakeSteering) -> None:
    """When it is due, if it is; and below it how many there are."""
    steering.writes.told = {"writes": [READY | {"state": "ready"}, DEAD], "counts": COUNTS}
    assert banyan("outbox").out.splitlines() == [
        "id  state  route  key  to   tries  since                 next try              why",
        "a1  ready  pay    7    new      2  2026-11-28 02:41 UTC  2026-11-28 02:41 UTC  timeout",
        "b2  dead   pay    -    new      2  2026-11-28 02:41 UTC  -                     -",
        "",
        "route  kind  state  writes  oldest",
        "pay    copy  dead        1  2026-11-28 02:41 UTC",
    ]
    assert json.loads(banyan("outbox", "--json").out) == steering.writes.told


def test_what_is_asked_for_is_asked_for(banyan: Banyan, steering: FakeSteering) -> None:
    """Of a route, in some states, so many, and later ones."""
    assert banyan("outbox").out == "Nothing is owed to anybody.\n"
    ran = banyan("outbox", "--state", "dead", "--state", "ready", "--route", "a&b", "--limit", "5", "--after", "9")
    assert ran.out == "There is no such write.\n"
    assert steering.writes.asked == [([], None, 50, 0), (["dead", "ready"], "a&b", 5, 9)]


def test_one_is_shown_with_what_it_sends(banyan: Banyan, steering: FakeSteering) -> None:
    """As the gateway tells it."""
    request = {"method": "PUT", "target": "/a", "fields": ["Accept: */*"], "bytes": 3}
    steering.writes.write = {"id": "a1", "state": "ready", "request": request}
    assert banyan("outbox", "show", "a1").out.splitlines() == [
        "id: a1",
        "state: ready",
        "",
        "PUT /a (3 bytes)",
        "  Accept: */*",
    ]
    assert json.loads(banyan("outbox", "show", "a1", "--json").out) == steering.writes.write
    steering.writes.write = {"id": "a1"}
    assert banyan("outbox", "show", "a1").out == "id: a1\n"


def test_a_person_decides_with_a_reason(banyan: Banyan, steering: FakeSteering) -> None:
    """Without one nothing is done."""
    assert banyan("outbox", "retry", "a1").code == 2
    assert steering.writes.ordered == []
    assert banyan("outbox", "retry", "a1", "--reason", "mended").out == "It is done.\n"
    assert banyan("outbox", "made", "a1", "--reason", "it is there").code == 0
    assert banyan("outbox", "drop", "a/1", "--reason", "a test").code == 0
    assert [(each[0], each[1], each[3]) for each in steering.writes.ordered] == [
        ("a1", "retry", "mended"),
        ("a1", "made", "it is there"),
        ("a/1", "drop", "a test"),
    ]
