"""`banyan flip` changes one word, keeps the reason, and says whether it is served."""

import json
import stat
import threading
import time
from pathlib import Path

import pytest

from gateway.cli import flip as flipping
from tests.admin.fakes import ROUTES, FakeSteering
from tests.cli.conftest import Banyan, Elsewhere

FLIP = ("flip", "list", "new", "--reason", "parity is 99.9 %")


def test_one_word_changes(banyan: Banyan, folder: Path) -> None:
    """Just that word changes in the file, and the line is shown before and after."""
    ran = banyan(*FLIP)
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[:3] == ["routes.yaml:13", "-     serve: 25% new", "+     serve: new"]
    assert lines[3].startswith("Reason: parity is 99.9 % (")
    assert lines[4] == "No gateway runs on this file here; the next `banyan run` will serve it."
    assert (folder / "routes.yaml").read_text() == ROUTES.replace("serve: 25% new", "serve: new")


def test_a_missing_serve_is_added(banyan: Banyan, folder: Path) -> None:
    """A route without the word gets a line of its own."""
    lines = banyan("flip", "everything", "retired", "--reason", "gone").out.splitlines()
    assert lines[:2] == ["routes.yaml:8", "+     serve: retired"]


def test_a_route_is_flipped_to_its_ramp(banyan: Banyan, folder: Path) -> None:
    """One word begins the climb; without anything to compare it is refused, and the message says what to add."""
    path = folder / "routes.yaml"
    flip = ("flip", "list", "ramp", "--reason", "begin")
    refused = banyan(*flip)
    assert (refused.code, "add `shadow: 25%`" in refused.err) == (1, True)
    path.write_text(ROUTES.replace("serve: 25% new", "serve: 25% new\n    shadow: 5%"))
    assert banyan(*flip).out.splitlines()[:3] == ["routes.yaml:13", "-     serve: 25% new", "+     serve: ramp"]


def test_the_reason_is_kept(banyan: Banyan, folder: Path) -> None:
    """Who flipped what, when and why can be read later, by the gateway's own user only."""
    banyan(*FLIP)
    banyan("flip", "list", "10%", "--reason", "  back a bit ")
    journal = folder / ".banyan" / "flips.jsonl"
    first, second = map(json.loads, journal.read_text().splitlines())
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert (first["route"], first["to"], first["reason"]) == ("list", "new", "parity is 99.9 %")
    assert (second["before"], second["after"], second["reason"]) == ("serve: new", "serve: 10% new", "back a bit")
    assert {"at", "user", "file", "line"} <= first.keys()


def test_a_user_without_a_name_is_a_number(banyan: Banyan, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container a user often has no name."""

    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert json.loads(banyan(*FLIP, "--json").out)["user"].startswith("uid ")


def test_a_flip_that_changes_nothing_says_so(banyan: Banyan, folder: Path) -> None:
    """Flipping to what serves already touches nothing and records nothing."""
    ran = banyan("flip", "list", "25%", "--reason", "again")
    assert ran.out.splitlines()[0] == "routes.yaml:13 says so already: serve: 25% new"
    assert not (folder / ".banyan").exists()


def test_a_reason_is_needed(banyan: Banyan, folder: Path) -> None:
    """Without a reason nothing is flipped."""
    assert banyan("flip", "list", "new").code == 2
    assert banyan("flip", "list", "new", "--reason", " ").code == 2
    assert (folder / "routes.yaml").read_text() == ROUTES


def test_a_reason_that_cannot_be_kept_stops_the_flip(banyan: Banyan, folder: Path) -> None:
    """The journal is opened before the file is changed, so no flip goes unrecorded."""
    (folder / "file").write_text("")
    ran = banyan(*FLIP, "--data", "file")
    assert (ran.code, "Nothing was changed" in ran.err) == (1, True)
    assert (folder / "routes.yaml").read_text() == ROUTES


@pytest.mark.parametrize(("route", "word"), [("nobody", "new"), ("list", "sometimes"), ("everything", "new")])
def test_what_cannot_be_flipped_is_explained(banyan: Banyan, folder: Path, route: str, word: str) -> None:
    """An unknown route, word or side is refused, and the file stays."""
    ran = banyan("flip", route, word, "--reason", "why not")
    assert (ran.code, ran.out, bool(ran.err)) == (1, "", True)
    assert (folder / "routes.yaml").read_text() == ROUTES


# ------------------------------------------------------------------------------------------------ a gateway runs


def test_the_gateway_is_waited_for(banyan: Banyan, folder: Path, steering: FakeSteering) -> None:
    """When the running gateway serves the new word, the command says so."""

    def take_it() -> None:
        deadline = time.monotonic() + 10
        while (folder / "routes.yaml").read_text() == ROUTES and time.monotonic() < deadline:
            time.sleep(0.01)
        steering.take()

    watching = threading.Thread(target=take_it)
    watching.start()
    ran = banyan(*FLIP)
    watching.join(10)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "The running gateway serves it.")


def test_a_gateway_that_does_not_follow_is_told(
    banyan: Banyan, steering: FakeSteering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some seconds the command gives up, and says what the gateway says."""
    monkeypatch.setattr(flipping, "PATIENCE", 0.2)
    unserved = "The file is changed, but the gateway in .banyan does not serve it"
    silent = banyan(*FLIP)
    steering.held = "it looks half-written."
    held = banyan("flip", "list", "legacy", "--reason", "back")
    assert (silent.code, silent.err) == (1, f"{unserved}. See `banyan status`.\n")
    assert (held.code, held.err) == (1, f"{unserved}: it looks half-written. See `banyan status`.\n")


def test_who_says_again_what_waits_is_heard(
    banyan: Banyan, steering: FakeSteering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file says so already and is not served: the gateway is told that it is meant, and says what came of it."""
    monkeypatch.setattr(flipping, "PATIENCE", 0.2)
    banyan(*FLIP)
    ran = banyan("flip", "list", "new", "--reason", "all the same")
    assert (ran.code, ran.out) == (0, "It is done.\n")
    assert [(each[0], each[1], each[3]) for each in steering.flipped] == [("list", "new", "all the same")]


def test_an_override_that_holds_all_the_same_is_told(banyan: Banyan, steering: FakeSteering) -> None:
    """The file says so already, and the traffic does not go by it: the exit code is 1, and it is said what to do."""
    steering.desk.texts["overrides"]["list"] = "100% new by override, without an end"
    ran = banyan("flip", "list", "25%", "--reason", "again")
    holds = "an override holds: list serves 100% new by override, without an end."
    end = "To end it: banyan override list --clear --reason ..."
    assert (ran.code, ran.err) == (1, f"The file says so already, but {holds} {end}\n")
    assert ran.out == "routes.yaml:13 says so already: serve: 25% new\n"
    told = json.loads(banyan("flip", "list", "25%", "--reason", "again", "--json").out)
    assert (told["changed"], told["served"]) == (False, False)


def test_a_gateway_of_another_file_is_left_alone(banyan: Banyan, folder: Path, steering: FakeSteering) -> None:
    """A gateway that serves another file is not expected to follow."""
    (folder / "other.yaml").write_text(ROUTES)
    ran = banyan(*FLIP, "--config", "other.yaml")
    assert (ran.code, "No gateway runs on this file here" in ran.out) == (0, True)


def test_machines_get_json(banyan: Banyan, steering: FakeSteering) -> None:
    """`--json` tells the same: what changed, and whether it is served."""
    document = json.loads(banyan("flip", "list", "25%", "--reason", "same", "--json").out)
    assert (document["changed"], document["served"], document["line"]) == (False, True, 13)


# ------------------------------------------------------------------------------------------------ elsewhere


def test_a_gateway_elsewhere_flips_its_own_file(banyan: Banyan, folder: Path, elsewhere: Elsewhere) -> None:
    """Under the token's name; nothing is changed or kept here, and no file has to be here."""
    assert banyan(*elsewhere(), *FLIP) == (0, "It is done.\n", "")
    assert elsewhere.steering.flipped == [("list", "new", "Olu", "parity is 99.9 %")]
    assert (folder / "routes.yaml").read_text() == ROUTES
    assert not (folder / ".banyan").exists()
    (folder / "routes.yaml").unlink()
    assert json.loads(banyan(*elsewhere(), *FLIP, "--json").out) == {"message": "It is done.", "holds": True}


def test_elsewhere_a_reason_and_a_role_are_needed(banyan: Banyan, elsewhere: Elsewhere) -> None:
    """As they are here."""
    assert banyan(*elsewhere(), "flip", "list", "new", "--reason", " ").code == 2
    assert banyan(*elsewhere("viewer"), *FLIP).err == "This needs the role operator; Vera is a viewer.\n"
    assert elsewhere.steering.flipped == []


def test_a_flip_that_is_not_served_elsewhere_is_told(banyan: Banyan, elsewhere: Elsewhere) -> None:
    """A script that goes on after exit code 0 can rely on it that the traffic moved."""
    elsewhere.steering.holds = False
    assert banyan(*elsewhere(), *FLIP) == (1, "", "It is done.\n")
