"""`banyan audit` lists what people did, and proves that all of it is still there."""

import getpass
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan


@pytest.fixture(autouse=True)
def _ann(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever types."""
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")


def did(banyan: Banyan, *reasons: str) -> None:
    """Pause a ramp, for each of these reasons."""
    for reason in reasons:
        assert banyan("pause", "list", "--reason", reason).code == 0


def meddle(folder: Path, statement: str) -> None:
    """What somebody does who may write to the database."""
    with closing(sqlite3.connect(folder / ".banyan" / "banyan.db")) as connection:
        connection.execute(statement)
        connection.commit()


def listed(banyan: Banyan, *words: str) -> list[list[str]]:
    """The columns of the list without its times."""
    ran = banyan("audit", *words)
    assert (ran.code, ran.err) == (0, "")
    return [
        [cell for at, cell in enumerate(re.split(r"  +", line.strip())) if at != 1] for line in ran.out.splitlines()
    ]


def test_nothing_was_done_yet(banyan: Banyan, stored: FakeSteering) -> None:
    """A sentence, and no empty table; what was not done by anybody is whole."""
    assert banyan("audit").out == "Nobody has done anything.\n"
    assert banyan("audit", "verify").out == "The audit is whole: 0 records, up to 0000000000000000.\n"


def test_what_was_done_stands_in_a_table(banyan: Banyan, stored: FakeSteering) -> None:
    """The latest first: when, who, from where, what about what, why, and what came of it."""
    did(banyan, "500s")
    assert banyan("token", "revoke", "x", "--reason", "he left").code == 1
    assert banyan("reload").code == 0
    assert listed(banyan) == [
        ["number", "who", "from", "did", "about", "why", "outcome"],
        ["3", "ann", "socket", "reload", "-", "-", "done"],
        [
            "2",
            "ann",
            "socket",
            "revoke_token",
            "x",
            "he left",
            "not done: There is no token 'x' that could be revoked. `banyan token list` shows them.",
        ],
        ["1", "ann", "socket", "pause", "list", "500s", "done"],
    ]
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", banyan("audit").out)


def test_some_of_it_is_asked_for(banyan: Banyan, stored: FakeSteering) -> None:
    """So many, earlier ones, about something; and before a subcommand nothing is listed."""
    did(banyan, *"abcd")
    assert banyan("pause", "a&limit=1", "--reason", "e").code == 0
    assert [row[0] for row in listed(banyan, "--limit", "2")[1:]] == ["5", "4"]
    assert [row[0] for row in listed(banyan, "--limit", "2", "--before", "3")[1:]] == ["2", "1"]
    assert [row[4] for row in listed(banyan, "--about", "a&limit=1")[1:]] == ["a&limit=1"]
    assert banyan("audit", "--about", "nothing").out == "Nobody has done anything.\n"
    for words in (("--limit", "0"), ("--limit", "1001"), ("--before", "0")):
        assert banyan("audit", *words).code == 2


def test_machines_get_json(banyan: Banyan, stored: FakeSteering) -> None:
    """All of it, as the gateway tells it."""
    did(banyan, "500s")
    [act] = json.loads(banyan("audit", "--json").out)["acts"]
    assert (act["number"], act["who"], act["before"]["serve"], act["outcome"]) == (1, "ann", "25% new", "done")
    verified = json.loads(banyan("audit", "verify", "--json").out)
    assert verified == {"whole": True, "problem": "", "records": 1, "digest": act["digest"], "seen": 1}


def test_what_waits_for_the_store_is_listed(banyan: Banyan, steering: FakeSteering) -> None:
    """And that there may be more, which cannot be read now."""
    did(banyan, "500s")
    ran = banyan("audit")
    assert ran.out.splitlines()[1].split()[0] == "waits"
    assert ran.err == "Only what the store has not been told yet: The store has not been opened yet.\n"
    verify = banyan("audit", "verify")
    assert (verify.code, verify.err) == (1, "The audit cannot be read. The store has not been opened yet.\n")


def test_a_whole_audit_is_proved(banyan: Banyan, stored: FakeSteering) -> None:
    """Exit code 0, and the end, to be kept elsewhere."""
    did(banyan, "a", "b")
    ran = banyan("audit", "verify")
    assert re.fullmatch(r"The audit is whole: 2 records, up to [0-9a-f]{16}\.\n", ran.out)
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE audit SET text = replace(text, 'ann', 'eve') WHERE number = 2", "Record 2 is not what it was"),
        ("DELETE FROM audit WHERE number = 1", "Record 1 is missing"),
        ("DELETE FROM audit WHERE number = 3", "The last record is number 2, but there were 3"),
        ("UPDATE audit SET subject = 'other' WHERE number = 3", "Record 3 is listed under 'other'"),
    ],
)
def test_an_audit_that_was_changed_is_found_out(
    banyan: Banyan, stored: FakeSteering, folder: Path, statement: str, problem: str
) -> None:
    """Exit code 1, with what is wrong; also after more was done, and for machines."""
    did(banyan, "a", "b", "c")
    meddle(folder, statement)
    for _ in range(2):
        ran = banyan("audit", "verify")
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith(f"The audit is NOT whole. {problem}")
        document = json.loads((machine := banyan("audit", "verify", "--json")).out)
        assert (machine.code, document["whole"], document["problem"].startswith(problem)) == (1, False, True)
        if "number = 3" not in statement or "DELETE" not in statement:
            did(banyan, "d")
