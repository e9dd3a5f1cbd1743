"""What people did is written down before they are answered, and nobody takes it out again unseen."""

import asyncio
import sqlite3
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.access import auditor
from gateway.access.auditor import BEGUN, CUT_OFF, DAMAGED, HEAD, WAITING, Auditor, act_now, seen_head
from gateway.core.auditing import BEGINNING, Act, Head, act_of
from gateway.errors import StoreUnavailable
from gateway.store.repository import Store
from tests.support.acts import ACT, act
from tests.support.databases import Place, meddled
from tests.support.disks import full_disk


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    """The events of the log."""
    with capture_logs() as logs:
        yield logs


def auditing(store: Store, folder: Path) -> Auditor:
    return Auditor(folder, lambda: store)


def away(folder: Path) -> Auditor:
    """An auditor whose store has not been opened."""
    return Auditor(folder, lambda: None)


async def told(store: Store) -> list[str]:
    """The ids of the acts in the chain, in its order."""
    return [each.id for each in await store.audit(None, 100)]


async def done(one: Auditor, *numbers: int) -> None:
    for number in numbers:
        await one.record(act(number))


# ------------------------------------------------------------------------------------------------ telling


async def test_what_was_done_is_told_and_listed(store: Store, tmp_path: Path) -> None:
    """Every field of it, the latest first, each with its number in the chain; nothing waits any more."""
    one = auditing(store, tmp_path)
    await done(one, 1, 2)
    found = await one.latest(10)
    assert found["store"] == ""
    assert [each["number"] for each in found["acts"]] == [2, 1]
    assert {**act(2)._asdict(), "number": 2, "digest": seen_head(tmp_path).digest} == found["acts"][0]
    assert (tmp_path / WAITING).read_text() == ""


async def test_the_log_has_it_too(tmp_path: Path, logged: list[Any]) -> None:
    """Whoever collects logs has a copy of the audit that no database has."""
    await away(tmp_path).record(ACT)
    assert logged[0] == {
        "event": "audited",
        "log_level": "info",
        "action": "override",
        "subject": "list",
        "who": "Ann",
        "role": "operator",
        "via": "token",
        "address": "192.0.2.7",
        "why": "500s",
        "outcome": "done",
    }


async def test_an_act_is_of_its_moment() -> None:
    """With an id that nobody else draws, and the time in UTC."""
    given = {name: value for name, value in ACT._asdict().items() if name not in ("id", "at")}
    one, other = act_now(**given), act_now(**given)
    assert one == ACT._replace(id=one.id, at=one.at)
    assert (len(one.id), one.id != other.id, one.at[-6:]) == (32, True, "+00:00")


async def test_acts_are_listed_by_subject_and_page(store: Store, tmp_path: Path) -> None:
    """Those that wait for the store are on the first page, without a number, and are nowhere twice."""
    one = auditing(store, tmp_path)
    await one.record(act(1, subject="other"))
    await done(one, 2, 3, 4)
    waits = away(tmp_path)
    await waits.record(act(5))
    await waits.record(act(6, subject="other"))
    listing = Auditor(tmp_path, lambda: store)

    async def numbers(most: int, before: int | None = None, subject: str | None = None) -> list[int | None]:
        return [each["number"] for each in (await listing.latest(most, before, subject))["acts"]]

    assert await numbers(4) == [None, None, 4, 3]
    assert await numbers(10, 4) == [3, 2, 1]
    assert await numbers(10, None, "other") == [None, 1]
    await store.add_acts([act(5)])
    assert await numbers(3) == [None, 5, 4]


async def test_without_a_store_only_what_waits_is_listed(tmp_path: Path) -> None:
    """And it is said why."""
    one = away(tmp_path)
    await done(one, 1)
    assert await one.latest(10) == {
        "acts": [{"number": None, **act(1)._asdict()}],
        "store": "The store has not been opened yet.",
    }
    with pytest.raises(StoreUnavailable, match="has not been opened"):
        await one.verify()


# ------------------------------------------------------------------------------------------------ the store is away


async def test_an_act_survives_a_crash_and_is_told_later_once(store: Store, tmp_path: Path) -> None:
    """It is on the disk when whoever did it is answered; the next process has it, and those after it do not."""
    await done(away(tmp_path), 1, 2)
    assert stat.S_IMODE((tmp_path / WAITING).stat().st_mode) == 0o600
    await auditing(store, tmp_path).tell()
    assert await told(store) == ["a1", "a2"]
    await done(auditing(store, tmp_path), 3)
    await auditing(store, tmp_path).tell()
    assert await told(store) == ["a1", "a2", "a3"]


async def test_a_crash_after_the_store_took_it_tells_nothing_twice(store: Store, tmp_path: Path) -> None:
    """The file still has what the store knows by then."""
    await done(away(tmp_path), 1)
    waiting = (tmp_path / WAITING).read_text()
    await auditing(store, tmp_path).tell()
    (tmp_path / WAITING).write_text(waiting)
    await done(auditing(store, tmp_path), 2)
    assert await told(store) == ["a1", "a2"]
    assert (await auditing(store, tmp_path).verify())["whole"] is True


async def test_what_waits_is_told_when_the_store_is_there(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself, however much it is, and in its order."""
    monkeypatch.setattr(auditor, "AGAIN", 0.02)
    monkeypatch.setattr(auditor, "PAGE", 3)
    there: list[Store] = []
    one = Auditor(tmp_path, lambda: there[0] if there else None)
    running = asyncio.ensure_future(one.run())
    await done(one, *range(1, 9))
    assert await told(store) == []
    there.append(store)
    async with asyncio.timeout(5):
        while (tmp_path / WAITING).read_text():  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.02)
    assert await told(store) == [f"a{number}" for number in range(1, 9)]
    running.cancel()
    await asyncio.wait({running})


async def test_nobody_waits_for_a_store_that_hangs(
    local: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At three in the morning a roll back is answered; what it was is told afterwards, once."""
    monkeypatch.setattr(auditor, "SOON", 0.1)
    store = await Store.open(*local, upgrade=True)
    other = sqlite3.connect(local.data / "banyan.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    one = auditing(store, tmp_path)
    begin = time.monotonic()
    await done(one, 1, 2, 3)
    assert time.monotonic() - begin < 2
    assert [each["id"] for each in (await one.latest(10))["acts"]] == ["a3", "a2", "a1"]
    other.execute("ROLLBACK")
    other.close()
    await one.tell()
    assert await told(store) == ["a1", "a2", "a3"]
    await store.close()


async def test_many_at_once_are_all_told(store: Store, tmp_path: Path) -> None:
    """From the first moment of a gateway on, while others look at the list."""
    for number in range(0, 60, 3):
        one = away(tmp_path)
        await asyncio.gather(one.record(act(number)), one.latest(10), one.record(act(number + 1)), one.latest(10))
        later = auditing(store, tmp_path)
        await asyncio.gather(later.latest(10), later.record(act(number + 2)), later.latest(10), later.tell())
    assert sorted(await told(store)) == sorted(f"a{number}" for number in range(60))
    assert (await auditing(store, tmp_path).verify())["whole"] is True


# ------------------------------------------------------------------------------------------------ what was begun


async def test_what_the_gateway_died_of_is_told_by_the_next_one(store: Store, tmp_path: Path) -> None:
    """An act is on the disk before it is done: nobody knows whether it was, and the audit says so, once."""
    await auditing(store, tmp_path).begin(act(1))
    later = auditing(store, tmp_path)
    assert [(each["id"], each["outcome"]) for each in (await later.latest(10))["acts"]] == [("a1", CUT_OFF)]
    await done(later, 2)
    await done(auditing(store, tmp_path), 3)
    assert [(each.id, act_of(each.text).outcome) for each in await store.audit(None, 10)] == [
        ("a1", CUT_OFF),
        ("a2", "done"),
        ("a3", "done"),
    ]


async def test_what_is_under_way_is_no_act_yet(store: Store, tmp_path: Path) -> None:
    """It is told once it is known what came of it; while it lasts others are told, and it stays on the disk."""
    one = auditing(store, tmp_path)
    await one.begin(act(1))
    await done(one, 2)
    assert [each["id"] for each in (await one.latest(10))["acts"]] == ["a2"]
    assert [act_of(line) for line in (tmp_path / WAITING).read_text().splitlines()] == [act(1, outcome=BEGUN)]
    await one.record(act(1, outcome="not done: no"))
    assert [act_of(each.text) for each in await store.audit(None, 10)] == [act(2), act(1, outcome="not done: no")]
    assert (tmp_path / WAITING).read_text() == ""


async def test_what_was_done_while_the_store_was_away_is_told_once(store: Store, tmp_path: Path) -> None:
    """Its beginning and its end are both on the disk, and make one act, in the order of the ends."""
    one = away(tmp_path)
    await one.begin(act(1))
    await done(one, 2, 1)
    await auditing(store, tmp_path).tell()
    assert [act_of(each.text) for each in await store.audit(None, 10)] == [act(2), act(1)]


async def test_what_the_store_was_told_with_something_else_is_settled(store: Store, tmp_path: Path) -> None:
    """It is on the disk no more, it is told once, and who cuts it off the chain's end is found out."""
    one = auditing(store, tmp_path)
    await one.begin(act(1))
    await store.add_acts([act(1)])
    await one.settle(act(1))
    assert ((tmp_path / WAITING).read_text(), seen_head(tmp_path).number) == ("", 1)
    await meddled(store, "DELETE FROM audit")
    assert (await auditing(store, tmp_path).verify())["whole"] is False


async def test_what_cannot_be_settled_yet_is_later(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself, when the store can be had; a gateway that ends before has the next one tell it, once."""
    monkeypatch.setattr(auditor, "AGAIN", 0.02)
    there: list[Store] = []
    one = Auditor(tmp_path, lambda: there[0] if there else None)
    await one.begin(act(1))
    await store.add_acts([act(1)])
    await one.settle(act(1))
    (tmp_path / "next").mkdir()
    (tmp_path / "next" / WAITING).write_text(waiting := (tmp_path / WAITING).read_text())
    assert act_of(waiting).outcome == BEGUN
    await auditing(store, tmp_path / "next").tell()
    assert await told(store) == ["a1"]
    running = asyncio.ensure_future(one.run())
    there.append(store)
    async with asyncio.timeout(5):
        while seen_head(tmp_path) == BEGINNING:  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.wait({running})


async def test_the_end_is_seen_though_it_moves_while_another_is_told(store: Store, tmp_path: Path) -> None:
    """Something was told with what it did just after the chain's end had been read: it is looked at again."""
    one = auditing(store, tmp_path)
    add, added = store.add_acts, list[Act]()

    async def add_acts(acts: Sequence[Act]) -> Head:
        head = await add(acts)
        if not added:
            added.append(act(7))
            await add(added)
            settling.append(asyncio.ensure_future(one.settle(act(7))))
            await asyncio.sleep(0)
        return head

    settling: list[asyncio.Future[None]] = []
    store.add_acts = add_acts  # type: ignore[method-assign]
    await done(one, 1)
    await asyncio.gather(*settling)
    assert (await told(store), seen_head(tmp_path).number) == (["a1", "a7"], 2)


async def test_a_file_that_was_taken_was_taken(store: Store, tmp_path: Path) -> None:
    """It is begun when it serves already: whoever finds that later knows that it was done."""
    await auditing(store, tmp_path).begin(act(1, via="file"))
    later = away(tmp_path)
    assert await later.untold() == [act(1, via="file")]
    await auditing(store, tmp_path).tell()
    assert [act_of(each.text) for each in await store.audit(None, 10)] == [act(1, via="file")]


async def test_a_disk_that_cannot_be_read_has_nothing_untold(tmp_path: Path, logged: list[Any]) -> None:
    """A gateway begins all the same, and says so."""
    (tmp_path / WAITING).mkdir()
    assert await away(tmp_path).untold() == []
    assert [each["event"] for each in logged] == ["audit_not_on_disk"]


async def test_nothing_waits_for_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: list[Any]) -> None:
    """Neither for one that hangs nor for one that is full: what is to be done may be a rollback."""
    with full_disk(10):
        await away(tmp_path).begin(act(1))
    assert [each["event"] for each in logged] == ["audit_not_on_disk"]
    monkeypatch.setattr(auditor, "SOON", 0.05)
    monkeypatch.setattr(auditor, "_append", lambda path, text: time.sleep(0.5))
    begin = time.monotonic()
    await away(tmp_path).begin(act(2))
    assert time.monotonic() - begin < 0.4


# ------------------------------------------------------------------------------------------------ damage


async def test_a_line_that_was_cut_off_spoils_no_other(store: Store, tmp_path: Path, logged: list[Any]) -> None:
    """A crash in the middle of writing: what came before and what comes after is told, and the rest is kept."""
    await done(away(tmp_path), 1)
    with (tmp_path / WAITING).open("a") as file:
        file.write(act(2).text()[:40])
    await done(away(tmp_path), 3)
    await auditing(store, tmp_path).tell()
    assert await told(store) == ["a1", "a3"]
    assert (tmp_path / DAMAGED).read_text() == act(2).text()[:40] + "\n"
    assert stat.S_IMODE((tmp_path / DAMAGED).stat().st_mode) == 0o600
    assert {"event": "audit_damaged", "log_level": "error", "lines": 1, "kept_in": str(tmp_path / DAMAGED)} in logged


async def test_a_whole_line_without_its_end_is_an_act(store: Store, tmp_path: Path) -> None:
    """Only its line end is missing, and the next one does not run into it."""
    (tmp_path / WAITING).write_text(act(1).text())
    await done(away(tmp_path), 2)
    await auditing(store, tmp_path).tell()
    assert await told(store) == ["a1", "a2"]


@pytest.mark.parametrize("line", [b"\xff\xfe", b"{}", b"[1]", b'"' + b"x" * 100, b"[" * 50_000])
async def test_a_damaged_line_holds_nobody_up(store: Store, tmp_path: Path, line: bytes) -> None:
    """People can still act, and what they do is written down."""
    (tmp_path / WAITING).write_bytes(act(1).text().encode() + b"\n" + line + b"\n" + act(2).text().encode() + b"\n")
    await done(auditing(store, tmp_path), 3)
    assert await told(store) == ["a1", "a2", "a3"]
    assert (tmp_path / DAMAGED).read_bytes() == line.decode("utf-8", "replace").encode() + b"\n"


async def test_a_full_disk_is_told_where_nothing_else_takes_it(tmp_path: Path) -> None:
    """Whoever did something learns that it is written down nowhere; nothing half of it is left in the file."""
    one = away(tmp_path)
    await done(one, 1)
    before = (tmp_path / WAITING).read_bytes()
    with (
        full_disk(len(before) + 20),
        pytest.raises(StoreUnavailable, match=r"could not be written down.*audit\.waiting"),
    ):
        await done(one, 2)
    assert (tmp_path / WAITING).read_bytes() == before
    await done(one, 3)
    assert [each["id"] for each in (await away(tmp_path).latest(10))["acts"]] == ["a3", "a1"]
    assert [each["id"] for each in (await one.latest(10))["acts"]] == ["a3", "a2", "a1"]


async def test_a_full_disk_is_no_matter_where_the_store_takes_it(remote: Place, tmp_path: Path) -> None:
    """The store is elsewhere, and what was done is in it when whoever did it is answered."""
    store = await Store.open(*remote, upgrade=False)
    one = auditing(store, tmp_path)
    with full_disk(10):
        await done(one, 1, 2)
    assert await told(store) == ["a1", "a2"]
    await done(one, 3)
    assert ((await one.verify())["whole"], seen_head(tmp_path).number) == (True, 3)
    await store.close()


async def test_a_disk_that_cannot_be_read_is_told(store: Store, tmp_path: Path) -> None:
    """What waits on it may be anything: nothing is forgotten, and nobody is told that all is well."""
    (tmp_path / WAITING).mkdir()
    one = auditing(store, tmp_path)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="could not be written down"):
            await done(one, 1)
    (tmp_path / WAITING).rmdir()
    await done(one, 2)
    assert await told(store) == ["a2"]


async def test_a_record_that_cannot_be_read_hides_none(store: Store, tmp_path: Path) -> None:
    """It is listed as what it is."""
    one = auditing(store, tmp_path)
    await done(one, 1, 2, 3)
    await meddled(store, "UPDATE audit SET text = 'nothing' WHERE number = 2")
    found = (await one.latest(10))["acts"]
    assert [(each["number"], each["who"]) for each in found] == [(3, "Ann"), (2, ""), (1, "Ann")]
    assert (found[1]["id"], found[1]["subject"]) == ("a2", "list")
    assert "banyan audit verify" in found[1]["outcome"]
    assert found[1].keys() == found[0].keys()


# ------------------------------------------------------------------------------------------------ the end that was seen


async def test_the_end_is_kept_as_it_was_last_seen(store: Store, tmp_path: Path) -> None:
    """Beside the store, for the gateway's own user: number and digest."""
    assert seen_head(tmp_path) == BEGINNING
    one = auditing(store, tmp_path)
    await done(one, 1, 2)
    last = (await store.audit(1, 1))[0]
    assert (tmp_path / HEAD).read_text() == f"2 {last.digest}\n"
    assert stat.S_IMODE((tmp_path / HEAD).stat().st_mode) == 0o600
    assert await one.verify() == {"whole": True, "problem": "", "records": 2, "digest": last.digest, "seen": 2}


REMOVED = "what came after it was removed."
WRITTEN_ANEW = "Record 3 is another one than this gateway has seen: the chain was written anew."


@pytest.mark.parametrize(
    ("first", "more", "problem"),
    [
        (3, 0, f"The last record is number 2, but there were 3: {REMOVED}"),
        (1, 0, f"The last record is number 0, but there were 3: {REMOVED}"),
        (2, 1, f"The last record is number 2, but there were 3: {REMOVED}"),
        (2, 2, WRITTEN_ANEW),
        (3, 1, WRITTEN_ANEW),
        (1, 5, WRITTEN_ANEW),
    ],
)
async def test_what_was_cut_off_stays_found_out(
    store: Store, tmp_path: Path, logged: list[Any], first: int, more: int, problem: str
) -> None:
    """Whatever is done afterwards: records that come later must not take the place of those that are gone."""
    one = auditing(store, tmp_path)
    await done(one, 1, 2, 3)
    seen = seen_head(tmp_path)
    await meddled(store, f"DELETE FROM audit WHERE number >= {first}")
    await done(one, *range(10, 10 + more))
    found = await one.verify()
    assert (found["whole"], found["problem"]) == (False, problem)
    assert (await auditing(store, tmp_path).verify())["problem"] == problem
    assert seen_head(tmp_path) == seen
    alarms = [each for each in logged if each["event"] == "audit_not_whole"]
    assert len(alarms) == more
    assert len(await told(store)) == first - 1 + more


async def test_what_another_gateway_wrote_is_no_alarm(store: Store, tmp_path: Path) -> None:
    """Two gateways write one chain, and each takes its end forward."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
    one, other = auditing(store, ours), auditing(store, theirs)
    for number in range(0, 8, 2):
        await done(one, number)
        await done(other, number + 1)
    assert (seen_head(ours).number, seen_head(theirs).number) == (7, 8)
    assert [(await each.verify())["whole"] for each in (one, other)] == [True, True]
    await meddled(store, "DELETE FROM audit WHERE number = 8")
    assert [(await each.verify())["whole"] for each in (one, other)] == [True, False]


@pytest.mark.parametrize("text", ["", "3", "three abc", "1 2 3", "\udcff"])
async def test_a_damaged_end_is_told_and_not_forgotten(
    store: Store, tmp_path: Path, logged: list[Any], text: str
) -> None:
    """It is no reason to begin with another one; people can act meanwhile."""
    one = auditing(store, tmp_path)
    await done(one, 1)
    damaged = text.encode("utf-8", "surrogateescape")
    (tmp_path / HEAD).write_bytes(damaged)
    await done(one, 2)
    with pytest.raises(StoreUnavailable, match=r"audit\.head is damaged: put back a copy of it, or remove it"):
        await one.verify()
    assert (tmp_path / HEAD).read_bytes() == damaged
    assert [each["event"] for each in logged][-1] == "audit_not_whole"
    (tmp_path / HEAD).unlink()
    await done(one, 3)
    assert ((await one.verify())["whole"], seen_head(tmp_path).number) == (True, 3)
