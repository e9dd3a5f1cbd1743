"""Connections to either database, and the door at which their errors stop.

SQLite runs in threads of its own (aiosqlite), in WAL mode, where readers and the one writer do not wait for each other;
a writer waits for its turn when it begins, not in the middle. What is committed is on the disk. PostgreSQL is told to
give up by itself what the gateway has given up, so that nothing forgotten holds a lock.
"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from time import time_ns
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.errors import CommandError, StoreUnavailable
from gateway.store.addresses import Address

CONNECTIONS = 3
_CLOCK_STEP = 1_100_000_000
"""Nanoseconds, more than a file system's clock takes for a step (a second with the coarsest that SQLite is fit for)."""
_ADVICE = (
    ("locked", "Another process holds it: see which, with `fuser FILE`, and end what it does."),
    ("lock timeout", "Somebody else changes or copies it at the moment: wait for them, and try again."),
    ("full", "Make room."),
    ("readonly", "The gateway's user must be able to write to the file and its folder."),
    ("unable to open", "The gateway's user must be able to write to the file and its folder."),
    ("disk i/o", "Look at the disk: is it full, or broken?"),
    ("malformed", "The file is damaged: stop the gateway and put back a backup."),
    ("password authentication", "Set the right user and password in the store's URL."),
    ("no such table", "Its schema is damaged: see `banyan db status`."),
    ("does not exist", "Create it, or change the store's URL; `banyan db status` tells about the schema."),
    ("connect", "Is the server up, and does the store's URL name it?"),
)


class Engine(NamedTuple):
    """A way to one database: connections that read, and ones that write; and which errors are its own.

    `written` tells one state of it from the next without asking it, and None where that cannot be told.
    """

    reading: AsyncEngine
    writing: AsyncEngine
    foreign: tuple[type[Exception], ...]
    written: Callable[[], object]


def open_engine(address: Address, deadline: float, *, patience: float | None = None, alone: bool = False) -> Engine:
    """Connections are made when they are needed, with `deadline` seconds for everything. Raises StoreUnavailable.

    `patience` are the seconds to wait for a connection or a lock, where that is less. `alone`: while one that writes is
    open, no other process can open a store that is a file, and it fails while another has it open.
    """
    patience = min(deadline, patience or deadline)
    common: dict[str, Any] = {
        "pool_size": 1 if alone else CONNECTIONS,
        "max_overflow": 0,
        "pool_timeout": patience,
        "pool_use_lifo": True,
        "hide_parameters": True,  # errors shall not show what was to be stored
    }
    if address.file is None:
        return _postgresql(address, deadline, patience, common)
    return _sqlite(address, address.file, patience, common, alone=alone)


def unavailable(address: Address, error: BaseException) -> StoreUnavailable:
    """What a foreign error means for the store: one sentence with its reason, and one with what to do."""
    origin = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    reason = str(origin).strip().partition("\n")[0].rpartition("'>: ")[2].rstrip(".") or type(origin).__name__
    advice = next((advice for sign, advice in _ADVICE if sign in reason.lower()), "See `banyan db status`.")
    return StoreUnavailable(address.hushed(f"The store ({address.name}) failed: {reason}. {advice}"))


# ------------------------------------------------------------------------------------------------- SQLite


def _sqlite(address: Address, file: Path, patience: float, common: dict[str, Any], *, alone: bool) -> Engine:
    try:
        _private(file)
    except OSError as error:
        raise unavailable(address, error) from error
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(file)), connect_args={"timeout": patience / 2}, **common
    )

    def settle(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin where this says so, not where the driver guesses
        cursor = connection.cursor()
        for setting in ("synchronous = FULL", "foreign_keys = ON", *(("locking_mode = EXCLUSIVE",) if alone else ())):
            cursor.execute(f"PRAGMA {setting}")
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # Of several that begin on a new file one changes its mode, for all and for good; SQLite has nobody wait for
            # that. Whoever else holds the file lets the next statement fail, after the proper time.
            if "locked" not in str(error):
                raise
        cursor.close()

    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine.sync_engine, "connect", settle)
    event.listen(engine.sync_engine, "begin", begin)
    foreign = (SQLAlchemyError, sqlite3.Error, OSError)
    return Engine(engine, engine.execution_options(writes=True), foreign, lambda: _written(file))


def _written(file: Path) -> object:
    """When the file and its log of writes were written last, and how long they are.

    None just after a write, since two within one step of the file system's clock look alike; and where there is nothing
    to be seen, so that asking finds out why.
    """
    try:
        found = os.stat(file), os.stat(f"{file}-wal")
    except OSError:
        return None
    marks = [(each.st_mtime_ns, each.st_size) for each in found]
    return marks if time_ns() - max(marks)[0] > _CLOCK_STEP else None


def _private(file: Path) -> None:
    """Make the file, for its owner alone; SQLite gives its companions (-wal, -shm) the same mode."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)


# --------------------------------------------------------------------------------------------- PostgreSQL


def _postgresql(address: Address, deadline: float, patience: float, common: dict[str, Any]) -> Engine:
    try:
        import asyncpg
    except ImportError as error:
        raise CommandError("PostgreSQL needs a driver: pip install 'banyan-gateway[postgres]'.") from error
    milliseconds = str(int(deadline * 1000))
    settings = {
        "application_name": "banyan",
        "statement_timeout": milliseconds,
        "lock_timeout": str(int(patience * 500)),
        "idle_in_transaction_session_timeout": milliseconds,
    }

    async def connect(*_: object, **__: object) -> Any:
        # asyncpg reads the URL itself: it knows libpq's parameters, and no one else gets to see the password
        return await asyncpg.connect(address.dsn, timeout=patience, command_timeout=deadline, server_settings=settings)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, pool_pre_ping=True, **common)
    foreign = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
    return Engine(engine, engine, foreign, lambda: None)
