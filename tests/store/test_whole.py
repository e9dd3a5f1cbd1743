"""A store is saved while it is used, filled from what was saved, and taken back to earlier schemas; by half, never."""

import json
from hashlib import sha256
from pathlib import Path
from time import time

import pytest
from sqlalchemy import select, text
from sqlalchemy.util import await_only

from gateway.core.writing import Ending, Signal
from gateway.errors import CommandError, StoreUnavailable
from gateway.store import transfer
from gateway.store.addresses import address_of
from gateway.store.backups import Contents, writing
from gateway.store.engines import open_engine
from gateway.store.migrations import REVISIONS
from gateway.store.reading import reading
from gateway.store.repository import Store
from gateway.store.shapes import shape_of
from gateway.store.tables import METADATA, writes
from gateway.store.whole import Filled, Loss, Whole
from tests.store import counts, filling
from tests.store.happenings import happened
from tests.store.owing import intent
from tests.support.databases import Place

LATEST = REVISIONS[-1]


def _nobody(_: int) -> None:
    """Hears how far it is."""


@pytest.fixture
def target(empty: Place) -> Place:
    """Another place, with nothing in it: of either database for each of `place`."""
    return empty if empty.url else Place(f"sqlite:///{empty.data}/target/banyan.db", empty.data)


async def _made(place: Place, revision: str = LATEST) -> None:
    await (await Store.open(*place, upgrade=True)).close()
    if revision != LATEST:
        await Whole(address_of(*place)).lower(revision)


async def _saved(place: Place, path: Path) -> Contents:
    with writing(path) as backup:
        assert await Whole(address_of(*place)).save(backup, _nobody) in REVISIONS
    with reading(path) as there:
        return there.verified()


async def _loaded(place: Place, path: Path, *, replace: bool = False, hold: bool = False) -> Filled:
    with reading(path) as backup:
        return await Whole(address_of(*place)).load(backup, backup.verified(), _nobody, replace=replace, hold=hold)


async def _run(place: Place, *statements: str) -> None:
    engine = open_engine(address_of(*place), 5)
    async with engine.writing.begin() as connection:
        for each in statements:
            await connection.execute(text(each))
    await engine.reading.dispose()


# ------------------------------------------------------------------------------------------------ everything


async def test_everything_comes_back(place: Place, target: Place, tmp_path: Path) -> None:
    """Every table and row goes into a backup and out again, from either database into either, as it was."""
    await _made(place)
    before = await filling.filled(place, shape_of(LATEST))
    contents = await _saved(place, tmp_path / "x")
    assert contents.rows == dict.fromkeys(METADATA.tables, filling.ROWS)
    assert {each.name: list(each.columns) for each in contents.tables} == {
        name: list(table.c.keys()) for name, table in METADATA.tables.items()
    }
    assert await _loaded(target, tmp_path / "x") == Filled(LATEST, 0, held=False)
    assert await filling.rows_in(target) == before


async def test_missing_documents_are_told_from_empty_ones(place: Place, target: Place, tmp_path: Path) -> None:
    """A request that was forgotten is missing in both databases, not a document that says `null`."""
    await _made(place)
    await filling.filled(place, shape_of(LATEST))
    await _saved(place, tmp_path / "x")
    await _loaded(target, tmp_path / "x")
    engine = open_engine(address_of(*target), 5)
    async with engine.reading.begin() as connection:
        missing = select(writes.c.number).where(text("request IS NULL"))
        assert (await connection.execute(missing)).scalars().all() == [1]
    await engine.reading.dispose()


@pytest.mark.parametrize("revision", REVISIONS[:-1])
async def test_an_older_schema_is_saved_and_brought_up(
    place: Place, target: Place, tmp_path: Path, revision: str
) -> None:
    """A backup that was made before the schema was brought up is filled into that schema, and brought up then."""
    await _made(place, revision)
    engine = open_engine(address_of(*place), 5)
    async with engine.writing.begin() as connection:
        await connection.run_sync(filling.fill, shape_of(revision))
    await engine.reading.dispose()
    contents = await _saved(place, tmp_path / "x")
    assert (contents.head.schema, contents.rows) == (revision, dict.fromkeys(shape_of(revision), filling.ROWS))
    assert (await _loaded(target, tmp_path / "x")).schema == revision
    await (await Store.open(*place, upgrade=True)).close()
    assert await filling.rows_in(target) == await filling.rows_in(place)


async def test_numbers_go_on(place: Place, target: Place, tmp_path: Path) -> None:
    """A number that was given once is not given again, though its row has long been gone when the backup is made."""
    store = await Store.open(*place, upgrade=True)
    for at in range(5):
        await store.add_event(happened(f"evt_{at}"))
    await store.flush(counts.flush())
    await store.close()
    await _run(place, "DELETE FROM events WHERE number > 2")
    await _saved(place, tmp_path / "x")
    await _loaded(target, tmp_path / "x")
    store = await Store.open(*target, upgrade=False)
    await store.add_event(happened("evt_5"))
    await store.flush(counts.flush(number=2))
    await store.store_writes([intent("1" * 32), Ending("1" * 32, Signal.TOOK)], "a", 100.0)
    await store.close()
    found = await filling.rows_in(target)
    assert [row[0] for row in found["events"]] == [1, 2, 6]
    assert [row[0] for row in found["examples"]] == [1, 2]
    assert [row[0] for row in found["writes"]] == [1]


async def test_a_backup_is_of_one_moment(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gateways go on meanwhile; what they store is in it whole, or not at all."""
    monkeypatch.setattr(transfer, "ROWS", 1)
    store = await Store.open(*place, upgrade=True)
    for number in range(1, 21):
        await store.flush(counts.flush(number=number, replica=str(number)))

    def go_on(rows: int) -> None:
        await_only(store.flush(counts.flush(number=100 + rows, replica=f"new {rows}")))

    with writing(tmp_path / "x") as backup:
        await Whole(address_of(*place)).save(backup, go_on)
    assert len(await store.replicas()) > 40
    await store.close()
    with reading(tmp_path / "x") as there:
        found = {head.name: rows for head, rows in there.slices() if rows}
    assert [row[5] for row in found["traffic"]] == [5 * 20]
    assert [row[3] for row in found["verdicts"]] == [4 * 20]
    with reading(tmp_path / "x") as there:
        assert there.verified().rows["replicas"] == 20


async def test_only_what_is_ours_is_saved(place: Place, target: Place, tmp_path: Path) -> None:
    """Tables of somebody else in the same database are neither read nor replaced."""
    await _made(place)
    await _run(place, "CREATE TABLE theirs (x INTEGER)")
    assert "theirs" not in (await _saved(place, tmp_path / "x")).rows
    await _run(target, "CREATE TABLE theirs (x INTEGER)", "INSERT INTO theirs VALUES (7)")
    await _loaded(target, tmp_path / "x")
    await _loaded(target, tmp_path / "x", replace=True)
    engine = open_engine(address_of(*target), 5)
    async with engine.reading.begin() as connection:
        assert (await connection.execute(text("SELECT x FROM theirs"))).scalars().all() == [7]
    await engine.reading.dispose()


async def test_how_far_it_is_is_told(place: Place, target: Place, tmp_path: Path) -> None:
    """Both ways, whoever waits hears how many rows are done."""
    await _made(place)
    await filling.filled(place, shape_of(LATEST))
    heard: list[int] = []
    with writing(tmp_path / "x") as backup:
        await Whole(address_of(*place)).save(backup, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == filling.ROWS * len(METADATA.tables)
    loaded: list[int] = []
    with reading(tmp_path / "x") as there:
        await Whole(address_of(*target)).load(there, there.verified(), loaded.append, replace=False, hold=False)
    assert loaded[-1] == heard[-1]


# ------------------------------------------------------------------------------------------------ what is refused


async def test_a_store_that_is_not_empty_is_left_alone(place: Place, tmp_path: Path) -> None:
    """Without `replace` nothing is ever deleted; with it, nothing of what was there is left."""
    await _made(place)
    await _saved(place, tmp_path / "empty")
    assert await _loaded(place, tmp_path / "empty") == Filled(LATEST, 0, held=False)  # nothing, in the place of nothing
    before = await filling.filled(place, shape_of(LATEST))
    with pytest.raises(CommandError, match=r"is not empty\. Name another, or replace all of it: --replace"):
        await _loaded(place, tmp_path / "empty")
    assert await filling.rows_in(place) == before
    await _age(place)
    await _loaded(place, tmp_path / "empty", replace=True)
    assert not any((await filling.rows_in(place)).values())


async def _age(place: Place) -> None:
    """Nobody has used the store lately."""
    await _run(place, "UPDATE replicas SET last_seen = 1", "UPDATE shares SET until = 1")


async def test_nothing_is_filled_by_half(place: Place, target: Place, tmp_path: Path) -> None:
    """A row that the database refuses, in the middle of the file, and everything is as it was before."""
    await _made(place)
    await filling.filled(place, shape_of(LATEST))
    await _saved(place, tmp_path / "x")
    await _loaded(target, tmp_path / "x")
    before = await filling.rows_in(target)
    with reading(tmp_path / "x") as there, writing(tmp_path / "y") as twice:
        contents = there.verified()
        twice.begin(contents.head)
        for head, rows in there.slices():
            if rows:
                twice.add([*rows, rows[-1]] if head.name == "writes" else rows)
            else:
                twice.table(head)
    await _age(target)
    before = await filling.rows_in(target)
    with pytest.raises(StoreUnavailable, match=r"failed: .*(UNIQUE constraint|duplicate key)"):
        await _loaded(target, tmp_path / "y", replace=True)
    assert await filling.rows_in(target) == before


async def test_a_gateway_that_uses_the_store_is_in_the_way(place: Place, tmp_path: Path) -> None:
    """Neither replacing nor going back is done under a gateway; a backup is."""
    store = await Store.open(*place, upgrade=True)
    await store.flush(counts.flush(replica="hall")._replace(at=time() - 5))
    await _saved(place, tmp_path / "x")
    expected = (
        r"is in use by hall \(\d+ s ago\)\. Stop every gateway on it" if place.url else "Another process holds it"
    )
    with pytest.raises((CommandError, StoreUnavailable), match=expected):
        await _loaded(place, tmp_path / "x", replace=True)
    with pytest.raises((CommandError, StoreUnavailable), match=expected):
        await Whole(address_of(*place)).lower(REVISIONS[0])
    assert await store.revision() == LATEST
    await store.close()


async def test_a_schema_of_a_newer_program_is_left_alone(place: Place, tmp_path: Path) -> None:
    """What this program does not know it neither saves, which would be by half, nor replaces, nor takes back."""
    await _made(place)
    await _saved(place, tmp_path / "x")
    await _run(place, "UPDATE alembic_version SET version_num = '9999'")
    whole = Whole(address_of(*place))
    for work in (
        lambda: _saved(place, tmp_path / "y"),
        lambda: _loaded(place, tmp_path / "x", replace=True),
        lambda: whole.loss("0001"),
        lambda: whole.lower("0001"),
    ):
        with pytest.raises(CommandError, match="schema 9999, which this banyan does not know"):
            await work()
    assert not (tmp_path / "y").exists()


async def test_nothing_is_no_backup(empty: Place, tmp_path: Path) -> None:
    """Where there is no schema there is nothing to save."""
    with pytest.raises(CommandError, match=r"is empty\. Bring it up to date"):
        await _saved(empty, tmp_path / "x")


async def test_a_backup_of_a_newer_schema_is_refused(place: Place, target: Place, tmp_path: Path) -> None:
    """The program that made it is named, since that one can restore it; and so where tables are not what they were."""
    await _made(place)
    await _saved(place, tmp_path / "x")
    text = (tmp_path / "x").read_text()
    for before, after, expected in (
        (
            f'"schema":"{LATEST}"',
            '"schema":"9999"',
            r"schema 9999, .* not know\. Restore it with the one that made it \(",
        ),
        (
            '"parts":"integer"',
            '"pieces":"integer"',
            "its table shares is another. Restore it with the banyan that made",
        ),
    ):
        (tmp_path / "y").write_text(_signed(text.replace(before, after)))
        with pytest.raises(CommandError, match=expected):
            await _loaded(target, tmp_path / "y")


def _signed(data: str) -> str:
    """A backup whose last line is right again."""
    *lines, last = data.splitlines(keepends=True)
    digest = sha256("".join(lines).encode()).hexdigest()
    return "".join([*lines, json.dumps(json.loads(last) | {"sha256": digest}) + "\n"])


# ------------------------------------------------------------------------------------------------ owed writes


@pytest.mark.parametrize("hold", [False, True])
async def test_writes_that_are_owed_are_told_of_and_can_be_held(
    place: Place, target: Place, tmp_path: Path, hold: bool
) -> None:
    """What has been delivered since a backup is owed again by it: so nothing need go before a person says so."""
    store = await Store.open(*place, upgrade=True)
    await store.store_writes([intent(str(at) * 32, key=str(at)) for at in range(3)], "a", 100.0)
    await store.store_writes([Ending("0" * 32, Signal.TOOK), Ending("1" * 32, Signal.UNKNOWN)], "a", 100.0)
    await store.close()
    await _saved(place, tmp_path / "x")
    assert await _loaded(target, tmp_path / "x", hold=hold) == Filled(LATEST, 3, held=hold)
    store = await Store.open(*target, upgrade=False)
    found = {state for _, _, state in await store.count_writes()}
    assert found == ({"unresolved"} if hold else {"ready", "unresolved", "pending"})
    assert await store.steer_write("0" * 32, Signal.RETRY, "", None, 200.0)
    await store.close()


# ------------------------------------------------------------------------------------------------ going back


async def test_going_back_tells_what_goes(place: Place) -> None:
    """Before and after it the tables that go are named, with how many rows they have."""
    await _made(place)
    await filling.filled(place, shape_of(LATEST))
    await _age(place)
    whole = Whole(address_of(*place))
    expected = {name: filling.ROWS for name in shape_of(LATEST) if name not in shape_of("0001")}
    loss = await whole.loss("0001")
    assert (loss, {"shares", "writes"} <= loss.tables.keys()) == (Loss(expected, loss.columns), True)
    assert await whole.lower("0001") == loss
    store = Store(address_of(*place))
    assert await store.revision() == "0001"
    await store.close()


@pytest.mark.parametrize("revision", [LATEST, "0000", "base"])
async def test_only_earlier_versions_can_be_gone_back_to(place: Place, revision: str) -> None:
    """Those that there are, are named."""
    await _made(place)
    with pytest.raises(CommandError, match=f"has schema {LATEST}; earlier ones are 0001, 0002"):
        await Whole(address_of(*place)).lower(revision)


async def test_before_the_first_there_is_none(place: Place) -> None:
    await _made(place, REVISIONS[0])
    with pytest.raises(CommandError, match="has schema 0001; it is the first"):
        await Whole(address_of(*place)).loss("0000")
