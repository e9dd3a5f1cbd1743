"""What is owed is delivered: again and again, in order, until it is taken or given up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import time
from typing import Any

import pytest

from gateway.core.captured import CapturedAnswer
from gateway.core.writing import Ending, Signal, State
from gateway.errors import CommandError, NotAdmitted, StoreUnavailable
from gateway.store.repository import Store
from gateway.store.writes import Owed
from gateway.writes import outbox as module
from gateway.writes.outbox import Outbox, Sent
from tests.store.owing import intent
from tests.support.serving import until


class Side:
    """A side that answers as it is told to, by the write's id, and remembers who came."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.answers: dict[str, Any] = {}
        self.under_way = self.most = 0

    async def send(self, owed: Owed) -> Sent:
        self.came.append(owed.id)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        answer = self.answers.get(owed.id, CapturedAnswer(200))
        await asyncio.sleep(answer if isinstance(answer, float) else 0.01)
        self.under_way -= 1
        if isinstance(answer, Exception):
            raise answer
        return Sent(answer)


@asynccontextmanager
async def delivering(store: Store, side: Side, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outbox]:
    monkeypatch.setattr(module, "LOOK", 0.02)
    monkeypatch.setattr(module, "wait_before", lambda tries, draw: 0.05)
    outbox = Outbox("r s", lambda: store, side.send)
    task = asyncio.create_task(outbox.run())
    yield outbox
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def copied(store: Store, write_id: str, key: str = "1", **more: Any) -> None:
    more = {"until": time() + 60} | more
    await store.store_writes([intent(write_id, key, **more), Ending(write_id, Signal.TOOK)], "r s", time())


async def states(store: Store) -> dict[str, State]:
    return {each.id: each.state for _, each in await store.list_writes(list(State))}


async def reach(store: Store, write_id: str, state: State) -> None:
    async with asyncio.timeout(5):
        while (await states(store)).get(write_id) != state:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)


async def test_each_lane_in_its_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other; the lanes beside each other."""
    for key in ("x", "y"):
        for at in range(3):
            await copied(store, f"{key}{at}", key)
    side = Side()
    async with delivering(store, side, monkeypatch):
        await until(lambda: len(side.came) == 6)
    for key in ("x", "y"):
        assert [each for each in side.came if each.startswith(key)] == [f"{key}{at}" for at in range(3)]
    assert side.most == 2


async def test_what_fails_comes_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it failed at, until it is taken."""
    side = Side()
    await copied(store, "a")
    async with delivering(store, side, monkeypatch):
        for answer in (CapturedAnswer(500), NotAdmitted("queue_full", "", 0.0), CommandError("no such route")):
            side.answers["a"] = answer
            seen = len(side.came)
            await until(lambda seen=seen: len(side.came) >= seen + 2)  # type: ignore[misc]
        side.answers["a"] = CapturedAnswer(200)
        await reach(store, "a", State.DELIVERED)


async def test_there_is_an_end_to_trying(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is refused is not tried again: either is a dead letter, with its reason."""
    side = Side()
    side.answers |= {"late": CapturedAnswer(0, error="timeout"), "no": CapturedAnswer(422)}
    await copied(store, "late", until=time() + 0.2)
    await copied(store, "no", "2")
    async with delivering(store, side, monkeypatch):
        await reach(store, "late", State.DEAD)
        await reach(store, "no", State.DEAD)
    why = {each.id: each.why for _, each in await store.list_writes([State.DEAD])}
    assert why == {"late": "it could not be delivered in time: timeout", "no": "it was answered with 422"}
    assert side.came.count("no") == 1


async def test_a_record_may_have_done_what_it_did_not_answer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not asked again to do that: a person has to look."""
    side = Side()
    side.answers["a"] = CapturedAnswer(0, error="timeout")
    queued = intent("a", queue="now", copy=False, until=time() + 60)
    await store.store_writes([queued], "r s", time())
    async with delivering(store, side, monkeypatch):
        await reach(store, "a", State.UNRESOLVED)
        await asyncio.sleep(0.1)
    assert side.came == ["a"]


async def test_what_a_record_answers_is_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, for whoever has the receipt."""
    side = Side()
    side.answers["a"] = CapturedAnswer(201, ((b"Location", b"/b"),), b"made")
    await store.store_writes([intent("a", queue="now", copy=False, until=time() + 60)], "r s", time())
    async with delivering(store, side, monkeypatch):
        await reach(store, "a", State.DELIVERED)
    found = await store.find_write("a")
    assert found is not None
    assert found[0].given == (201, b"Location: /b\r\n", b"made")


async def test_what_came_is_noted_when_the_store_is_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not sent again meanwhile; and while nothing can be taken, nothing is."""
    side, away, real = Side(), [True], store.turn_writes

    async def turn(*given: Any) -> list[Owed]:
        if side.came and away[0]:
            raise StoreUnavailable("gone")
        return await real(*given)

    monkeypatch.setattr(store, "turn_writes", turn)
    monkeypatch.setattr(module, "AGAIN", 0.02)
    await copied(store, "a")
    async with delivering(store, side, monkeypatch):
        await until(lambda: side.came == ["a"])
        await asyncio.sleep(0.1)
        assert (await states(store))["a"] == State.DELIVERING
        away[0] = False
        await reach(store, "a", State.DELIVERED)
    assert side.came == ["a"]


async def test_what_was_taken_and_not_heard_of_is_taken_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store gave it out, and its answer was lost."""
    side, lost, real = Side(), [True], store.turn_writes

    async def turn(*given: Any) -> list[Owed]:
        owed = await real(*given)
        if owed and lost.pop():
            raise StoreUnavailable("gone")
        return owed

    monkeypatch.setattr(store, "turn_writes", turn)
    monkeypatch.setattr(module, "AGAIN", 0.02)
    await copied(store, "a")
    lost.insert(0, False)
    lost.insert(0, False)
    async with delivering(store, side, monkeypatch):
        await reach(store, "a", State.DELIVERED)
    assert side.came == ["a"]


async def test_a_defect_does_not_park_a_lane(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a try without end: it is told, and either comes again or is for a person to see."""
    monkeypatch.setattr(module, "LONGEST", 0.05)
    side = Side()
    side.answers |= {"a": ValueError("no"), "b": ValueError("no"), "c": 1.0}
    await copied(store, "a", repeatable=True)
    await copied(store, "b", "2")
    await store.store_writes([intent("c", "3", queue="now", copy=False, until=time() + 60)], "r s", time())
    async with delivering(store, side, monkeypatch):
        await until(lambda: side.came.count("a") > 1)
        await reach(store, "c", State.UNRESOLVED)
        await until(lambda: side.came.count("b") >= 1)
    why = {each.id: each.why for _, each in await store.list_writes(list(State))}
    assert why["a"] == "the gateway failed: ValueError"
    assert why["c"] == "it took too long"


async def test_what_is_under_way_at_the_end_is_noted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing more is begun."""
    side = Side()
    await copied(store, "a")
    async with delivering(store, side, monkeypatch) as outbox:
        await until(lambda: side.came == ["a"])
        closing = asyncio.create_task(outbox.close())
        await asyncio.sleep(0)  # from here on it closes, however long the store takes
        await copied(store, "b", "2")
        await closing
        assert await states(store) == {"a": State.DELIVERED, "b": State.READY}
    assert side.came == ["a"]


async def test_no_more_than_so_many_are_under_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A side that is slow does not fill the gateway."""
    monkeypatch.setattr(module, "MOST", 2)
    for at in range(6):
        await copied(store, str(at), str(at))
    side = Side()
    async with delivering(store, side, monkeypatch):
        await until(lambda: len(side.came) == 6)
    assert side.most == 2
