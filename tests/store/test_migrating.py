"""The schema is what the tables say, on both databases, and a program never works on another one."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, update
from sqlalchemy.sql import column, table

from gateway.errors import CommandError
from gateway.store import migrating, transfer
from gateway.store.addresses import address_of
from gateway.store.engines import open_engine
from gateway.store.migrations import REVISIONS
from gateway.store.repository import Store
from gateway.store.shapes import shape_of
from gateway.store.tables import METADATA
from tests.store import counts, filling
from tests.support.databases import Place


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), METADATA))


def _stamp(connection: Connection, revision: str) -> None:
    connection.execute(update(table("alembic_version", column("version_num"))).values(version_num=revision))


async def test_the_migrated_schema_is_the_tables(empty: Place) -> None:
    """From nothing, all migrations together make what the tables say; downwards, nothing is left of it."""
    engine = open_engine(address_of(*empty), 5)
    async with engine.writing.begin() as connection:
        assert await connection.run_sync(migrating.upgrade) is None
        assert await connection.run_sync(_differences) == []
        assert await connection.run_sync(migrating.upgrade) == REVISIONS[-1]
        await connection.run_sync(migrating.move, "base")
        assert await connection.run_sync(lambda on: inspect(on).get_table_names()) == ["alembic_version"]
        assert await connection.run_sync(migrating.revision_of) is None
    await engine.reading.dispose()


def _schema(connection: Connection) -> Any:
    """Tables, columns and indexes as the database has them."""
    there = inspect(connection)
    return {
        name: (
            [(each["name"], str(each["type"]), each["nullable"]) for each in there.get_columns(name)],
            there.get_pk_constraint(name)["constrained_columns"],
            sorted((str(each["name"]), each["column_names"], each["unique"]) for each in there.get_indexes(name)),
        )
        for name in there.get_table_names()
        if name != "sqlite_sequence"
    }


@pytest.mark.parametrize("revision", REVISIONS)
async def test_each_step_can_be_gone_back(empty: Place, revision: str) -> None:
    """With rows in all tables: down by a step what is older is left as it was, and up again the schema is the same."""
    before = ("base", *migrating.earlier_than(revision))[-1]
    shape = shape_of(revision)
    older = {} if before == "base" else shape_of(before)
    engine = open_engine(address_of(*empty), 5)
    async with engine.writing.begin() as connection:
        await connection.run_sync(migrating.move, revision)
        expected = await connection.run_sync(_schema)
        await connection.run_sync(filling.fill, shape)
        await connection.run_sync(migrating.move, before)
        assert await connection.run_sync(migrating.revision_of) == (None if before == "base" else before)
        for name in older:
            assert await connection.run_sync(transfer.count, name) == filling.ROWS
        await connection.run_sync(migrating.move, revision)
        assert await connection.run_sync(_schema) == expected
    await engine.reading.dispose()


async def test_all_steps_go_down_and_up(empty: Place) -> None:
    """By all versions to the first and back: the tables are what they say."""
    engine = open_engine(address_of(*empty), 5)
    async with engine.writing.begin() as connection:
        await connection.run_sync(migrating.upgrade)
        for revision in (*REVISIONS[-2::-1], *REVISIONS[1:]):
            await connection.run_sync(migrating.move, revision)
            assert await connection.run_sync(migrating.revision_of) == revision
        assert await connection.run_sync(_differences) == []
        await connection.run_sync(filling.fill, shape_of(REVISIONS[-1]))
    await engine.reading.dispose()


async def test_nobody_migrates_while_it_is_to_stay(remote: Place) -> None:
    """Who reads all of a server's tables, one after the other, finds them all: who would change them waits."""
    reader, changer = (open_engine(address_of(*remote), 5, patience=0.2) for _ in range(2))
    async with reader.reading.connect() as connection:
        await connection.run_sync(migrating.still)
        await connection.commit()
        async with changer.writing.connect() as other:
            with pytest.raises(changer.foreign, match="lock timeout"):
                await other.run_sync(migrating.upgrade)
    await reader.reading.dispose()
    async with changer.writing.begin() as other:
        assert await other.run_sync(migrating.upgrade) == REVISIONS[-1]
    await changer.reading.dispose()


def test_the_revisions_are_those_of_the_scripts() -> None:
    """A start asks for the version without alembic: the list that it goes by is alembic's."""
    config = Config()
    config.set_main_option("script_location", "gateway.store:migrations")
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(script.revision for script in scripts) == REVISIONS[::-1]


async def test_several_gateways_migrate_at_once(empty: Place) -> None:
    """Gateways that start together on an empty database all come up, on one schema."""
    stores = await asyncio.gather(*(Store.open(*empty, upgrade=True) for _ in range(3)))
    assert [await store.flush(counts.flush(replica=str(at))) for at, store in enumerate(stores)] == [True] * 3
    for store in stores:
        await store.close()


async def test_an_empty_store_is_refused_unless_it_may_be_made(empty: Place) -> None:
    """Where upgrading is left to people, they are told the command; after it the store opens."""
    with pytest.raises(CommandError, match=r"is empty\. Bring it up to date: banyan db upgrade"):
        await Store.open(*empty, upgrade=False)
    store = await Store.open(*empty, upgrade=True)
    await store.close()
    store = await Store.open(*empty, upgrade=False)
    assert await store.revision() == REVISIONS[-1]
    await store.close()


@pytest.mark.parametrize("upgrade", [True, False])
async def test_a_newer_schema_is_refused(place: Place, upgrade: bool) -> None:
    """A store that a newer program has changed is left alone, whether upgrading is allowed or not."""
    store = await Store.open(*place, upgrade=True)
    await store.close()
    engine = open_engine(address_of(*place), 5)
    async with engine.writing.begin() as connection:
        await connection.run_sync(_stamp, "9999")
    await engine.reading.dispose()
    with pytest.raises(CommandError, match="has schema 9999, which this banyan does not know: a newer one made it"):
        await Store.open(*place, upgrade=upgrade)


def test_an_older_schema_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that this program has left behind can be brought up to date."""
    monkeypatch.setattr(migrating, "REVISIONS", ("0001", "0002"))
    assert [migrating.standing_of(each) for each in (None, "0001", "0002", "0003")] == [
        *("behind", "behind", "current", "ahead")
    ]
    assert migrating.problem_of("0002", "X") == ""
    assert migrating.problem_of("0001", "X") == (
        "The store (X) has schema 0001, and this banyan needs 0002. Bring it up to date: banyan db upgrade"
    )


def test_a_start_needs_no_alembic(tmp_path: Path) -> None:
    """A store that is up to date opens without what migrates it."""
    code = (
        "import asyncio, pathlib, sys; from gateway.store.repository import Store\n"
        f"asyncio.run(Store.open(None, pathlib.Path({str(tmp_path)!r}), upgrade=True)); print('alembic' in sys.modules)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    assert [run.stdout.strip() for run in runs] == ["True", "False"]
