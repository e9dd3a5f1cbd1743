"""`banyan db` tells how the store's schema is, and brings it up to date."""

import sqlite3
from pathlib import Path

import pytest

from gateway.store.migrations import REVISIONS
from tests.cli.conftest import Banyan, Ran

LATEST = REVISIONS[-1]


def test_a_store_is_made_and_told_of(banyan: Banyan, folder: Path) -> None:
    """Where there is none, status says so and makes none; upgrade makes it; after that both say that it is right."""
    missing = "There is no store at .banyan/banyan.db. `banyan run` makes it, or now: banyan db upgrade\n"
    assert banyan("db", "status") == Ran(1, "", missing)
    assert not (folder / ".banyan").exists()
    made = f"SQLite .banyan/banyan.db was brought from nothing up to date: schema {LATEST}.\n"
    assert banyan("db", "upgrade") == Ran(0, made, "")
    fine = f"SQLite .banyan/banyan.db is up to date: schema {LATEST}.\n"
    assert [banyan("db", name) for name in ("status", "upgrade")] == [Ran(0, fine, "")] * 2


def test_a_store_may_be_anywhere(banyan: Banyan, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--data` names the folder, `--store` the store itself, and so does a variable."""
    assert banyan("db", "upgrade", "--data", "one").code == 0
    assert banyan("db", "upgrade", "--store", "sqlite:///two/x.db").code == 0
    monkeypatch.setenv("BANYAN_STORE", "sqlite:///three/y.db")
    assert banyan("db", "upgrade").code == 0
    made = ("one/banyan.db", "two/x.db", "three/y.db")
    assert [(folder / file).exists() for file in made] == [True] * 3


def test_a_newer_store_is_left_alone(banyan: Banyan, folder: Path) -> None:
    """A schema that this banyan does not know is told, with exit code 1, and not touched."""
    banyan("db", "upgrade")
    with sqlite3.connect(folder / ".banyan/banyan.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    expected = (
        "The store (SQLite .banyan/banyan.db) has schema 9999, which this banyan does not know: a newer one made it. "
        "Run that, or put back a backup from before.\n"
    )
    assert [banyan("db", name) for name in ("status", "upgrade")] == [Ran(1, "", expected)] * 2


def test_a_wrong_url_is_a_sentence(banyan: Banyan) -> None:
    """What cannot be read as a URL is refused, without its password."""
    ran = banyan("db", "status", "--store", "mysql://gateway:s3cret@db/banyan")
    assert (ran.code, ran.err.partition(".")[0], "s3cret" in ran.err) == (1, "The store's URL cannot be read", False)
