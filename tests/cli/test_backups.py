"""`banyan db backup`, `restore` and `downgrade`: what they say, and what they leave alone."""

import asyncio
import io
import os
import re
from pathlib import Path

import pytest

from gateway.core.writing import Ending, Signal
from gateway.processes.supervisor import FolderLock
from gateway.store.migrations import REVISIONS
from gateway.store.repository import Store
from gateway.store.shapes import shape_of
from tests.cli.conftest import Banyan, Ran
from tests.store import filling
from tests.store.happenings import happened
from tests.store.owing import intent
from tests.support.databases import Place

LATEST = REVISIONS[-1]
DATA = Path(".banyan")
TABLES = len(shape_of(LATEST))


def _event(place: Place) -> None:
    async def add() -> None:
        store = await Store.open(*place, upgrade=True)
        await store.add_event(happened())
        await store.close()

    asyncio.run(add())


def _write(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(word))


def _dated(ran: Ran) -> Ran:
    """With the time of the backup, and its size, as if they were always the same."""
    return ran._replace(out=re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "THEN", re.sub(r"\d+\.\d MB", "1.2 MB", ran.out)))


def test_a_store_is_backed_up_and_restored(banyan: Banyan, folder: Path) -> None:
    """Both commands say what there is and where, and the file what not to do with it."""
    _event(Place(None, DATA))
    said = (
        f"safe is a backup of SQLite .banyan/banyan.db: 1 row of {TABLES} tables, 1.2 MB, schema {LATEST}.\n"
        "Keep it like a password: writes that are owed are in it with the credentials of their clients.\n"
    )
    assert _dated(banyan("db", "backup", "safe")) == Ran(0, said, "")
    said = f"SQLite other/banyan.db has been filled: 1 row of SQLite, THEN.\nIts schema is {LATEST}.\n"
    assert _dated(banyan("db", "restore", "safe", "--data", "other")) == Ran(0, said, "")
    expected = "safe is there already. Name another file, or remove it.\n"
    assert banyan("db", "backup", "safe") == Ran(1, "", expected)


def test_a_store_moves_to_the_other_database(banyan: Banyan, empty: Place, folder: Path) -> None:
    """With the two commands, to a server and back again."""
    local = Place(None, DATA)
    banyan("db", "upgrade")
    before = asyncio.run(filling.filled(local, shape_of(LATEST)))
    there = ("--store", empty.url) if empty.url else ("--data", "other")
    assert banyan("db", "backup", "one").code == 0
    assert banyan("db", "restore", "one", *there).code == 0
    assert banyan("db", "backup", "two", *there).code == 0
    assert banyan("db", "restore", "two", "--store", "sqlite:///back.db").code == 0
    assert asyncio.run(filling.rows_in(Place("sqlite:///back.db", DATA))) == before


def test_a_store_is_replaced_when_the_word_is_written(
    banyan: Banyan, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--replace alone changes nothing, and neither does another word, or none."""
    banyan("db", "upgrade", "--data", "blank")
    banyan("db", "backup", "safe", "--data", "blank")
    _event(Place(None, DATA))
    expected = "The store (SQLite .banyan/banyan.db) is not empty. Name another, or replace all of it: --replace\n"
    assert banyan("db", "restore", "safe") == Ran(1, "", expected)
    before = asyncio.run(filling.rows_in(Place(None, DATA)))
    for word, said in (("yes\n", "Nothing was changed.\n"), ("", "Aborted!\n")):
        _write(monkeypatch, word)
        ran = banyan("db", "restore", "safe", "--replace")
        assert (ran.code, ran.err) == (1, said)
        asked = "All that is in SQLite .banyan/banyan.db would be deleted, and 0 rows of SQLite, THEN put in its place."
        assert _dated(ran).out.startswith(f"{asked}\nWrite `replace` to do it")
    assert asyncio.run(filling.rows_in(Place(None, DATA))) == before
    _write(monkeypatch, "replace\n")
    assert banyan("db", "restore", "safe", "--replace").code == 0
    assert not any(asyncio.run(filling.rows_in(Place(None, DATA))).values())


def test_owed_writes_are_told_of(banyan: Banyan, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who restores learns that a gateway would deliver them, perhaps again, and how to have a person look first."""

    async def owe() -> None:
        store = await Store.open(None, DATA, upgrade=True)
        await store.store_writes([intent("1" * 32), Ending("1" * 32, Signal.TOOK)], "a", 100.0)
        await store.close()

    asyncio.run(owe())
    banyan("db", "backup", "safe")
    told = banyan("db", "restore", "safe", "--data", "other").out.splitlines()[-1]
    assert told == (
        "Writes that are owed: 1. The next gateway delivers them. If some have been delivered since the backup, "
        "restore it again before that: --replace --hold-writes"
    )
    _write(monkeypatch, "replace\n")
    told = banyan("db", "restore", "safe", "--data", "other", "--replace", "--hold-writes").out.splitlines()[-1]
    assert told == "Writes that were owed and wait for a person: 1. See `banyan outbox` once a gateway runs."


def test_nothing_is_restored_under_a_gateway(banyan: Banyan, folder: Path) -> None:
    """A gateway that runs in the folder is named by its process; while something is restored, none starts there."""
    banyan("db", "upgrade")
    banyan("db", "backup", "safe")
    expected = f"Another banyan (process {os.getpid()}) uses the data folder .banyan. Stop it, or choose another with "
    expected += "--data.\n"
    by_url = ("--store", f"sqlite:///{folder}/.banyan/banyan.db", "--data", "other")
    lock = FolderLock(DATA)
    assert banyan("db", "restore", "safe") == Ran(1, "", expected)
    assert banyan("db", "downgrade", "0001", "--yes") == Ran(1, "", expected)
    assert banyan("db", "restore", "safe", *by_url) == Ran(1, "", expected.replace(".banyan", f"{folder}/.banyan"))
    assert banyan("db", "backup", "more").code == 0
    lock.release()
    assert banyan("db", "restore", "safe").code == 0
    FolderLock(DATA).release()


def test_a_folder_of_somebody_else_is_told(banyan: Banyan, folder: Path) -> None:
    """Where the gateway's lock cannot be had, a sentence says why."""
    banyan("db", "upgrade")
    banyan("db", "backup", "safe")
    (DATA / "control.lock").mkdir()
    expected = "The folder .banyan cannot be used: Is a directory. Run this as the gateway's user.\n"
    assert banyan("db", "restore", "safe") == Ran(1, "", expected)


def test_a_damaged_backup_changes_nothing(banyan: Banyan, folder: Path) -> None:
    """It is looked through before: there is not even a store where there was none."""
    _event(Place(None, DATA))
    banyan("db", "backup", "safe")
    (folder / "cut").write_bytes((folder / "safe").read_bytes()[:-50])
    expected = "cut was cut off: its end is missing. Nothing was changed; take another backup.\n"
    assert banyan("db", "restore", "cut", "--data", "other") == Ran(1, "", expected)
    assert not (folder / "other").exists()


@pytest.mark.parametrize("arguments", [("backup", "safe"), ("downgrade", "0001")])
def test_no_store_is_made_to_be_looked_at(banyan: Banyan, folder: Path, arguments: tuple[str, ...]) -> None:
    """A wrong folder is told, and nothing is written there."""
    missing = "There is no store at .banyan/banyan.db. `banyan run` makes it, or now: banyan db upgrade\n"
    assert banyan("db", *arguments) == Ran(1, "", missing)
    assert sorted(each.name for each in folder.iterdir()) == ["routes.yaml"]


def test_a_schema_is_taken_back_when_that_is_meant(banyan: Banyan, folder: Path) -> None:
    """Without --yes it is told what would go, and how much of it; afterwards, what to do next."""
    banyan("db", "upgrade")
    ran = banyan("db", "downgrade", "0001")
    assert (ran.code, ran.out) == (1, "")
    named = r"crosswalk \(0 rows\), .*writes \(0 rows\).*"
    before = r"for good\. Make a backup before \(banyan db backup FILE\)\. Nothing was changed; say --yes to do it\.\n"
    assert re.fullmatch(rf"Going back to schema 0001 deletes .*{named}, {before}", ran.err)
    assert banyan("db", "status").code == 0
    ran = banyan("db", "downgrade", "0001", "--yes")
    assert (ran.code, ran.err) == (0, "")
    assert re.match(
        rf"SQLite \.banyan/banyan\.db was taken back to schema 0001\. Deleted: .*{named}\.\nStart the ", ran.out
    )
    assert banyan("db", "status").err.startswith(
        "The store (SQLite .banyan/banyan.db) has schema 0001, and this banyan"
    )
    assert banyan("db", "downgrade", "0001", "--yes").err == (
        "The store (SQLite .banyan/banyan.db) has schema 0001; it is the first.\n"
    )
    assert banyan("db", "upgrade").code == 0
    assert banyan("db", "downgrade", "7", "--yes").err.startswith(
        f"The store (SQLite .banyan/banyan.db) has schema {LATEST}; earlier ones are 0001, 0002"
    )


def test_an_older_backup_is_brought_up(banyan: Banyan, folder: Path) -> None:
    """What was backed up before a `db upgrade` comes back with the schema of today."""
    _event(Place(None, DATA))
    banyan("db", "downgrade", "0001", "--yes")
    assert "schema 0001." in banyan("db", "backup", "safe").out
    ran = banyan("db", "restore", "safe", "--data", "other")
    assert ran.out.splitlines()[-1] == f"Its schema is {LATEST}; 0001 in the backup."
    assert banyan("db", "status", "--data", "other").code == 0
