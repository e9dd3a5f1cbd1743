"""`banyan reconcile` tells what differs, goes on where it was ended, and puts it right when it is told to."""

import json
from pathlib import Path

from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan

DIFFERS = {"verdict": "differs", "fields": [{"field": "/a", "kind": "value"}]}
FAST = ("--rate", "1000/s")


def test_what_differs_is_told(banyan: Banyan, steering: FakeSteering, folder: Path) -> None:
    """Each key that is not the same, and how many there are of each."""
    (folder / "keys").write_text("1\n\n2\n3\n2\n")
    steering.reconciling.verdicts = {
        "2": DIFFERS,
        "3": {"verdict": "new_error", "reason": "the candidate answered 500"},
    }
    ran = banyan("reconcile", "list", "--keys", "keys", "-H", "X-A: 1", *FAST)
    assert ran.out.splitlines() == [
        "2: differs: /a (value)",
        "3: new error: the candidate answered 500",
        "3 keys: 1 same, 1 differs, 1 new error",
    ]
    assert ran.code == 1
    [(name, keys, repair, headers, by)] = steering.reconciling.asked
    assert (name, keys, repair, headers) == ("list", ["1", "2", "3"], False, ["X-A: 1"])
    assert str(by).endswith(": looked")


def test_it_goes_on_where_it_was_ended(banyan: Banyan, steering: FakeSteering, folder: Path) -> None:
    """What was the same is not looked at again, unless it is asked for."""
    (folder / "keys").write_text("1\n2\n")
    steering.reconciling.verdicts = {"2": DIFFERS}
    assert banyan("reconcile", "list", "--keys", "keys", *FAST).code == 1
    steering.reconciling.verdicts = {}
    ran = banyan("reconcile", "list", "--keys", "keys", *FAST)
    assert ran.out.splitlines() == [
        "1 key: 1 same",
        "1 key of an earlier run left out; --again looks at all",
    ]
    assert ran.code == 0
    assert banyan("reconcile", "list", "--keys", "keys", *FAST).out.splitlines()[0] == "0 keys: nothing to look at"
    assert banyan("reconcile", "list", "--keys", "keys", "--again", *FAST).out == "2 keys: 2 same\n"


def test_many_keys_go_in_parts(banyan: Banyan, steering: FakeSteering, folder: Path) -> None:
    """So that there is a rate, and something to see."""
    (folder / "keys").write_text("\n".join(map(str, range(25))))
    assert banyan("reconcile", "list", "--keys", "keys", *FAST).out == "25 keys: 25 same\n"
    assert [len(keys) for _, keys, *_ in steering.reconciling.asked] == [10, 10, 5]  # type: ignore[arg-type]


def test_a_repair_is_given_a_reason(banyan: Banyan, steering: FakeSteering, folder: Path) -> None:
    """What was queued need not be looked at again."""
    (folder / "keys").write_text("1\n")
    steering.reconciling.verdicts = {"1": DIFFERS | {"repair": "queued for new as a1"}}
    assert banyan("reconcile", "list", "--keys", "keys", "--repair", "record-wins").code == 2
    ran = banyan("reconcile", "list", "--keys", "keys", "--repair", "record-wins", "--reason", "drift", *FAST)
    assert ran.out.splitlines()[0] == "1: differs: /a (value); queued for new as a1"
    [(_, _, repair, _, by)] = steering.reconciling.asked
    assert (repair, str(by).endswith(": drift")) == (True, True)
    assert (folder / "keys.reconciled").read_text() == "1\n"


def test_the_outbox_may_say_which_keys(banyan: Banyan, steering: FakeSteering) -> None:
    """One way or the other."""
    steering.reconciling.found = ["/a/7"]
    ran = banyan("reconcile", "list", "--from-outbox", "--json", *FAST)
    assert json.loads(ran.out)["results"][0]["key"] == "/a/7"
    assert banyan("reconcile", "list").code == 2
    assert banyan("reconcile", "list", "--from-outbox", "--keys", "keys").code == 2
    assert "keys cannot be read" in banyan("reconcile", "list", "--keys", "keys").err
