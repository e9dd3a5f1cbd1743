"""Orders carry who and why, and a command ends well only when the traffic goes by them."""

import getpass
import json

import pytest

from gateway.cli import ordering
from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan


def test_an_order_carries_the_user_and_the_reason(
    banyan: Banyan, steering: FakeSteering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks later finds a name and a reason."""
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    assert banyan("pause", "rents", "--reason", " 500s ") == (0, "It is done.\n", "")
    assert steering.desk.ordered == [("act", "rents", "pause", "ann", "500s")]


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers run under numbers that no file names."""

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nameless)
    monkeypatch.setattr("os.getuid", lambda: 4711)
    assert ordering.user() == "uid 4711"


def test_an_order_without_a_reason_is_not_given(banyan: Banyan, steering: FakeSteering) -> None:
    """A reason must be given, and say something."""
    assert banyan("pause", "rents").code == 2
    blank = banyan("pause", "rents", "--reason", " ")
    assert (blank.code, "Say why" in blank.err) == (2, True)
    assert steering.desk.ordered == []


def test_what_does_not_hold_yet_is_an_error(banyan: Banyan, steering: FakeSteering) -> None:
    """A script that goes on after exit code 0 can rely on it that the traffic moved."""
    steering.desk.holds = False
    assert banyan("rollback", "rents", "--reason", "r") == (1, "", "It is done.\n")
    ran = banyan("rollback", "rents", "--reason", "r", "--json")
    assert (ran.code, json.loads(ran.out)) == (1, {"message": "It is done.", "holds": False})


def test_names_cannot_reach_other_addresses(banyan: Banyan, steering: FakeSteering) -> None:
    """A name is one segment of the address, whatever is in it."""
    assert banyan("pause", "a/b?c", "--reason", "r").code == 0
    assert steering.desk.ordered[0][1] == "a/b?c"
