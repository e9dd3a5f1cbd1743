"""Ramps go by their evidence: on with the store, back without it, and as far as was told after a kill."""

import asyncio
import errno
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from shutil import copytree
from time import time

import pytest
from structlog.testing import capture_logs

from gateway.core.events import Event
from gateway.core.policies import Standing
from gateway.core.positions import Position, State, begun, settings_of
from gateway.core.rollout import Hold, Promote
from gateway.errors import StoreUnavailable
from gateway.rollouts import loop as looping
from gateway.rollouts.evidence import StageEvidence
from gateway.rollouts.standings import FILE
from gateway.store.repository import Store
from tests.rollouts.running import Running, running, until
from tests.support.observations import observed

RAMP = "serve: ramp, shadow: 100%, journey: rents, ramp: {stages: [1%, 50%, 100%], every: 1m}"
TEXT = f"""\
version: 1
backends: {{office: {{url: "http://127.0.0.1:9001"}}, repairs: {{url: "http://127.0.0.1:9002"}}}}
routes:
  - {{name: list, match: GET /list, legacy: office, new: repairs, serve: 5% new}}
  - {{name: balance, match: GET /balance, legacy: office, new: repairs, {RAMP}}}
"""
ENDED = TEXT.replace(
    "serve: ramp, shadow: 100%, journey: rents, ramp: {stages: [1%, 50%, 100%], every: 1m}", "serve: legacy"
)
STRICTER = TEXT.replace("[1%, 50%, 100%]", "[1%, 25%, 100%]")
OTHERWISE = TEXT.replace("journey: rents,", "journey: rents, compare: {ignore: [/at]},")


@pytest.fixture(autouse=True)
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks but when a test says so, or something is new."""
    monkeypatch.setattr(looping, "TICK", 60.0)


def position(given: Running) -> Position:
    return given.rollouts.standings.positions["rents"]


def saved(folder: Path) -> dict[str, dict[str, object]]:
    """Positions by journey, as the file has them."""
    document = json.loads((folder / FILE).read_bytes())
    return {each["journey"]: each for each in document["positions"]}


def good(given: Running, number: int = 2_000) -> None:
    """All that the present stage needs, but time."""
    seen(given.rollouts.evidence, position(given).since, number)


def seen(evidence: StageEvidence, since: float, number: int) -> None:
    for each in range(number):
        evidence.judged("balance", "matched", "legacy", since, str(each).encode(), "200 many")
    for side in ("legacy", "new"):
        evidence.observed([observed(route="balance", side=side, at=since, duration=0.01)] * number)


def bad(given: Running, number: int = 200) -> None:
    """Different requests that were all answered wrongly."""
    for each in range(number):
        at = position(given).since
        given.rollouts.evidence.judged("balance", "mismatched", "legacy", at, str(each).encode())


@asynccontextmanager
async def climbing(folder: Path, *, store: Path | None = None) -> AsyncIterator[Running]:
    """Rollouts whose ramp stands in its first stage, which the store knows."""
    async with running(folder, text=TEXT, store=store) as found:
        await until(lambda: found.applied["balance"].ramp == 100)
        yield found


@contextmanager
def away(given: Running) -> Iterator[None]:
    """The store cannot be had."""

    def opened() -> Store:
        raise StoreUnavailable("The store is away.")

    async def once() -> None:
        opened()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(given.rollouts.keeper, "opened", opened)
        patch.setattr(given.rollouts.keeper, "_once", once)
        yield


def noted(given: Running, note: Callable[[Event], None]) -> None:
    """Call something as an event goes to the webhooks."""
    given.rollouts.teller.webhooks.send = note  # type: ignore[method-assign, assignment]


# ------------------------------------------------------------------------------------------------ going on


async def test_a_ramp_begins_with_the_store(tmp_path: Path) -> None:
    """It begins, and so does its first stage, as two steps that are told; the traffic goes there."""
    async with climbing(tmp_path) as found:
        assert (position(found).stage, position(found).share, position(found).sequence) == (0, 100, 2)
        assert found.applied == {"balance": Standing(ramp=100, why="climbing")}
        store = found.rollouts.keeper.opened()
        await until(lambda: saved(tmp_path)["rents"]["sequence"] == 2)
        assert [each.kind for each in await store.events()] == ["promoted", "started"]


async def test_a_ramp_does_not_begin_without_the_store(tmp_path: Path) -> None:
    """It serves legacy, and says that it does not know where it stands."""
    async with running(tmp_path, text=TEXT, stored=False) as found:
        found.rollouts.loop.tick(time())
        await asyncio.sleep(0.05)
        assert found.rollouts.standings.positions == {}
        assert found.applied == {"balance": Standing(why="unknown")}


async def test_a_stage_is_left_once_it_has_what_it_needs(tmp_path: Path) -> None:
    """Its time, and its evidence: the next begins in the store, here, and in the file, and is told then."""
    async with climbing(tmp_path) as found:
        since = position(found).since
        good(found)
        found.rollouts.loop.tick(since + 59)
        assert isinstance(found.rollouts.loop.decisions["rents"], Hold)
        told: list[tuple[str, object]] = []
        noted(found, lambda event: told.append((event.kind, saved(tmp_path)["rents"]["share"])))
        found.rollouts.loop.tick(since + 61)
        assert isinstance(found.rollouts.loop.decisions["rents"], Promote)
        assert found.applied["balance"].ramp == 100
        await until(lambda: told == [("promoted", 5_000)])
        await until(lambda: found.applied["balance"].ramp == 5_000)
        (stored,) = await found.rollouts.keeper.opened().positions()
        assert Position.from_plain(stored.document) == position(found)


async def test_nothing_is_promoted_without_the_store(tmp_path: Path) -> None:
    """Though everything is there: it stays where it is, and the log says why; once the store is back, it goes on."""
    async with climbing(tmp_path) as found:
        before = position(found)
        good(found)
        with away(found), capture_logs() as logged:
            found.rollouts.loop.tick(before.since + 61)
            found.rollouts.loop.tick(before.since + 61)
            await until(lambda: not found.rollouts.loop._stepping)
            assert [each["event"] for each in logged if each["event"].startswith("ramp")] == [
                "ramp_waits_for_the_store"
            ]
            assert (position(found), found.applied["balance"].ramp) == (before, 100)
        await until(lambda: found.rollouts.keeper.available)
        found.rollouts.loop.tick(before.since + 61)
        await until(lambda: position(found).share == 5_000)


async def test_of_two_replicas_one_takes_the_step(tmp_path: Path) -> None:
    """Both decide alike at one moment: the ramp goes one stage further, is told of once, and both stand there."""
    async with climbing(tmp_path / "a") as one, climbing(tmp_path / "b", store=tmp_path / "a") as other:
        await until(lambda: position(one) == position(other))
        for each in (one, other):
            good(each)
        for each in (one, other):
            each.rollouts.loop.tick(position(each).since + 61)
        await until(lambda: position(one).sequence == position(other).sequence == 3)
        assert position(one) == position(other)
        assert position(one).share == 5_000
        events = await one.rollouts.keeper.opened().events()
        assert [each.kind for each in events] == ["promoted", "promoted", "started"]


async def test_replicas_decide_by_what_both_saw(tmp_path: Path) -> None:
    """Half of the evidence each is all of it together."""
    async with climbing(tmp_path / "a") as one, climbing(tmp_path / "b", store=tmp_path / "a") as other:
        await until(lambda: position(one) == position(other))
        since = position(one).since
        good(one, 600)
        good(other, 600)
        await until(lambda: all(each.rollouts.evidence.of("rents")[0].matched == 1_200 for each in (one, other)))
        other.rollouts.loop.tick(since + 61)
        await until(lambda: position(one).share == position(other).share == 5_000)


async def test_a_step_from_elsewhere_is_not_taken(tmp_path: Path) -> None:
    """The ramp went back while the store was asked: going on is not what holds here."""
    async with climbing(tmp_path) as found:
        before = position(found)
        further = before._replace(stage=1, share=5_000, sequence=3)
        stepping = asyncio.create_task(found.rollouts.loop.step(before, further, "promoted"))
        await asyncio.sleep(0)
        found.rollouts.loop.go_back(before._replace(state=State.ROLLED_BACK, sequence=3))
        assert await stepping is False
        assert found.applied["balance"] == Standing(ramp=0, why="rolled_back")
        await until(lambda: not found.rollouts.standings.untold)
        assert (position(found).state, position(found).sequence) == (State.ROLLED_BACK, 4)


# ------------------------------------------------------------------------------------------------ going back


async def test_going_back_waits_for_nothing(tmp_path: Path) -> None:
    """The traffic is back before anything is awaited, with or without the store; told only once it is saved."""
    async with climbing(tmp_path) as found:
        told: list[tuple[str, object, bool]] = []

        def note(event: Event) -> None:
            kept = event.id in (tmp_path / FILE).read_text()
            told.append((event.kind, saved(tmp_path)["rents"]["state"], kept))

        noted(found, note)
        bad(found)
        with away(found):
            found.rollouts.loop.tick(time())
            assert found.applied["balance"] == Standing(ramp=0, why="rolled_back")
            assert told == []
            await until(lambda: bool(told))
            found.rollouts.loop.tick(time())
            await asyncio.sleep(0.05)
        assert told == [("rolled_back", "rolled_back", True)]


async def test_what_went_back_without_the_store_is_its_next_step(tmp_path: Path) -> None:
    """Killed before the store was told: the next process stands where the file says, and tells it what happened."""
    async with climbing(tmp_path / "a") as found:
        await until(lambda: not found.rollouts.standings.untold)
        known = found.rollouts.keeper.opened()
        found.rollouts.keeper._tell = lambda store: asyncio.sleep(0)  # type: ignore[method-assign]
        bad(found)
        found.rollouts.loop.tick(time())
        await until(lambda: saved(tmp_path / "a")["rents"]["state"] == "rolled_back")
        assert [each.sequence for each in await known.positions()] == [2]
        await asyncio.to_thread(copytree, tmp_path / "a", tmp_path / "b")
    async with running(tmp_path / "b", text=TEXT) as again:
        assert again.applied["balance"] == Standing(ramp=0, why="rolled_back")
        await until(lambda: not again.rollouts.teller.untold and not again.rollouts.standings.untold)
        (told,) = await again.rollouts.keeper.opened().positions()
        assert (told.sequence, told.document["state"]) == (3, "rolled_back")
        events = await again.rollouts.keeper.opened().events()
        assert [each.kind for each in events if each.journey] == ["rolled_back", "promoted", "started"]


async def test_going_back_says_what_broke(tmp_path: Path) -> None:
    """The event has the guard, the stage and the share, and a sentence."""
    async with climbing(tmp_path) as found:
        told: list[Event] = []
        noted(found, told.append)
        bad(found)
        found.rollouts.loop.tick(time())
        await until(lambda: bool(told))
        assert told[0].details == {"stage": 1, "share": 1.0, "sequence": 3, "guard": "parity"}
        assert told[0].why == position(found).why != ""


async def test_a_ramp_may_pause_instead(tmp_path: Path) -> None:
    """`on_breach: pause` keeps the share."""
    text = TEXT.replace("every: 1m", "every: 1m, on_breach: pause")
    async with running(tmp_path, text=text) as found:
        await until(lambda: found.applied["balance"].ramp == 100)
        bad(found)
        found.rollouts.loop.tick(time())
        assert found.applied["balance"] == Standing(ramp=100, why="paused")


async def test_what_may_be_noise_holds(tmp_path: Path) -> None:
    """Samples in hand are unsure answers: they are part of what is decided by."""
    async with climbing(tmp_path) as found:
        rollouts = found.rollouts
        (ramp,) = rollouts.standings.ramps
        since = position(found).since
        rollouts.judge.unsure = lambda routes, since: 7 if (list(routes), since) == (["balance"], at) else 0  # type: ignore[method-assign]
        at = since
        assert rollouts.loop.seen(ramp)[0].unsure == 7


# ------------------------------------------------------------------------------------------------ the file


async def test_other_settings_refit_the_ramp(tmp_path: Path) -> None:
    """Nobody is moved to the new side: it stands in the highest stage that is not above its share, anew."""
    async with climbing(tmp_path) as found:
        good(found)
        found.rollouts.loop.tick(position(found).since + 61)
        await until(lambda: position(found).share == 5_000)
        found.rollouts.follow(found.estate(STRICTER))
        (ramp,) = found.rollouts.standings.ramps
        assert (position(found).share, position(found).settings) == (2_500, settings_of(ramp.ramp))
        assert found.applied["balance"].ramp == 2_500
        await until(lambda: not found.rollouts.standings.untold)


async def test_other_ways_of_comparing_begin_the_stage_anew(tmp_path: Path) -> None:
    """What was seen says nothing about them; the same ways go on. The share stays."""
    async with climbing(tmp_path) as found:
        good(found)
        before = position(found)
        found.rollouts.follow(found.estate(TEXT))
        assert position(found) == before
        found.rollouts.follow(found.estate(OTHERWISE))
        after = position(found)
        assert (after.share, after.sequence, after.since > before.since) == (100, before.sequence + 1, True)
        assert found.rollouts.evidence.of("rents")[0].matched == 0


async def test_a_ramp_that_the_file_ended_begins_with_its_first_stage_later(tmp_path: Path) -> None:
    """Even one that was rolled back, and even when the file ended it while nobody looked."""
    async with climbing(tmp_path) as found:
        bad(found)
        found.rollouts.loop.tick(time())
        await until(lambda: not found.rollouts.standings.untold)
    again = Running(tmp_path)
    await again.rollouts.start(again.estate(ENDED))
    assert again.applied == {}
    await until(lambda: not again.rollouts.standings.untold)
    again.rollouts.follow(again.estate(TEXT))
    await until(lambda: again.applied["balance"] == Standing(ramp=100, why="climbing"))
    await again.rollouts.close()


# ------------------------------------------------------------------------------------------------ overrides


async def test_an_override_that_ends_is_told_once_it_is_saved(tmp_path: Path) -> None:
    """By its time or by the file, each with its reason; the file has it no more by then, and has the event."""
    async with running(tmp_path, text=TEXT) as found:
        told: list[tuple[str, str, bool, bool]] = []

        def note(event: Event) -> None:
            document = json.loads((tmp_path / FILE).read_bytes())
            kept = event.id in [each[0] for each in document["events"]]
            if event.route == "list":
                told.append((event.kind, event.why, bool(document["overrides"]), kept))

        noted(found, note)
        for until_when, text in ((time() - 1, TEXT), (None, TEXT.replace("5% new", "6% new"))):
            told.clear()
            await found.rollouts.actions.override("list", 0, record=None, until=None, by="ann", why="slow")
            live = found.rollouts.standings.overrides["list"]
            found.rollouts.standings.override(live._replace(until=until_when))
            found.rollouts.follow(found.estate(text))
            assert "list" not in found.applied
            await until(lambda: len(told) == 2)
            why = "its time is over" if until_when else "the file says something else now"
            assert told == [("override_set", "slow", True, True), ("override_ended", why, False, True)]


async def test_an_override_is_live_after_a_restart(tmp_path: Path) -> None:
    """With the store and without it."""
    async with running(tmp_path, text=TEXT) as found:
        await found.rollouts.actions.override("list", 0, record="legacy", until=None, by="ann", why="slow")
    for stored in (True, False):
        async with running(tmp_path, text=TEXT, stored=stored) as again:
            assert again.applied["list"] == Standing(override=0, record="legacy")


# ------------------------------------------------------------------------------------------------ defects and disks


async def test_a_defect_holds_one_ramp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log tells of it once, as long as it is the same; traffic goes on, and so does the loop."""
    async with climbing(tmp_path) as found:

        def broken(*_: object, **__: object) -> None:
            raise ZeroDivisionError("oh")

        monkeypatch.setattr(looping, "decide", broken)
        with capture_logs() as logged:
            for _ in range(3):
                found.rollouts.loop.tick(time())
        assert [(each["event"], each["journey"]) for each in logged] == [("ramp_not_decided", "rents")]
        assert found.applied["balance"].ramp == 100


async def test_a_full_disk_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log says so, and the next save has it all."""
    async with climbing(tmp_path) as found:
        standings, save = found.rollouts.standings, found.rollouts.standings.save

        def full(content: bytes) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(standings, "save", full)
        bad(found)
        with capture_logs() as logged:
            found.rollouts.loop.tick(time())
            assert found.applied["balance"].why == "rolled_back"
            await until(lambda: any(each["event"] == "standings_not_saved" for each in logged))
        monkeypatch.setattr(standings, "save", save)
        await found.rollouts.loop.save()
        assert saved(tmp_path)["rents"]["state"] == "rolled_back"


async def test_what_has_not_changed_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that finds nothing costs no disk."""
    async with climbing(tmp_path) as found:
        await until(lambda: not found.rollouts.standings.untold)
        await found.rollouts.loop.save()
        written: list[bytes] = []
        monkeypatch.setattr(found.rollouts.standings, "save", written.append)
        await found.rollouts.loop.save()
        assert written == []
        found.rollouts.standings.untold.add(("override", "list"))
        await found.rollouts.loop.save()
        assert len(written) == 1


async def test_the_data_process_is_told_what_is_new(tmp_path: Path) -> None:
    """Only when something stands elsewhere than before."""
    async with climbing(tmp_path) as found:
        told: list[object] = []
        found.rollouts.loop._apply = told.append
        found.rollouts.loop.tick(time())
        assert told == []
        found.rollouts.standings.move(position(found)._replace(share=7))
        found.rollouts.loop.tick(time())
        assert told == [{"balance": Standing(ramp=7, why="climbing")}]


async def test_a_nudge_has_only_its_ramp_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Soon, though nobody would look for a minute."""
    async with climbing(tmp_path) as found:
        looked: list[object] = []
        tick = found.rollouts.loop.tick

        def noting(now: float, journeys: object = None) -> None:
            looked.append(journeys)
            tick(now, journeys)  # type: ignore[arg-type]

        monkeypatch.setattr(found.rollouts.loop, "tick", noting)
        bad(found)
        found.rollouts.loop.nudge({"rents"})
        await until(lambda: found.applied["balance"].why == "rolled_back")
        assert looked[0] in ({"rents"}, None)


async def test_going_on_waits_until_the_store_is_there(tmp_path: Path) -> None:
    """However often there is something new to decide on: it is neither asked nor complained of each time."""
    async with running(tmp_path, stored=False) as found:
        loop, standings = found.rollouts.loop, found.rollouts.standings
        standings.positions["rents"] = begun("rents", standings.ramps[0].ramp, time())
        with capture_logs() as told:
            for _ in range(3):
                loop.tick(time())
                await asyncio.sleep(0.01)
        assert loop.decisions["rents"] == (0, "the first stage begins")
        assert [each["event"] for each in told if each["event"] == "ramp_waits_for_the_store"] == []


async def test_a_step_that_is_seen_in_the_store_first_is_still_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is read just after it took a step of ours, and before we know that it did."""
    async with running(tmp_path) as found:
        rollouts = found.rollouts
        take = rollouts.keeper.step

        async def taken(after: Position, before: int, event: Event) -> bool:
            done = await take(after, before, event)
            rollouts.standings.merge([Position.from_plain(json.loads(json.dumps(after.to_plain())))], [])
            return done

        await until(lambda: rollouts.standings.positions["rents"].stage == 0)
        monkeypatch.setattr(rollouts.keeper, "step", taken)
        with capture_logs() as told:
            await rollouts.actions.act("rents", "promote", "ann", "it is right")
        assert [each["event"] for each in told if each.get("by") == "ann"] == ["ramp_promoted"]


async def test_a_full_disk_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again and again, and told again only after it went well in between."""
    full = [True]

    def save(content: bytes) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with running(tmp_path, stored=False) as found:
        loop = found.rollouts.loop
        monkeypatch.setattr(found.rollouts.standings, "save", save)
        with capture_logs() as told:
            for number, full[0] in enumerate((True, True, False, True, True)):
                found.rollouts.standings.untold = {("override", str(number))}
                await loop.save()
        expected = [("standings_not_saved", "No space left on device")] * 2
        assert [(each["event"], each["why"]) for each in told] == expected
