"""The record of a route moves when nothing is owed any more, and not before."""

import asyncio
from typing import Any

import pytest

from gateway.core.model import LEGACY, NEW, Estate, Gateway, Serve
from gateway.core.policies import Standing, Writes
from gateway.core.writing import Ending, Signal
from gateway.errors import StoreUnavailable
from gateway.store.repository import Store
from gateway.writes import moving as module
from gateway.writes.clerk import Clerk
from gateway.writes.moving import Moving, moved
from tests.store.owing import intent
from tests.support.values import route

COPIES, TO_NEW = Writes(copy=True), Writes(copy=True, record=NEW)


def estate(writes: Writes = COPIES, serve: Serve = Serve.LEGACY, name: str = "a") -> Estate:
    return Estate(Gateway(), (), (route("ANY /a", serve, name=name, writes=writes), route("ANY /b", name="b")), "")


def clerk_of(store: Store) -> Clerk:
    return Clerk("r", lambda: store, lambda: ("s",), lambda: None)


@pytest.mark.parametrize(
    ("new", "names"),
    [
        (estate(), []),
        (estate(TO_NEW), ["a"]),
        (estate(serve=Serve.NEW), ["a"]),
        (estate(COPIES._replace(record=LEGACY), Serve.NEW), []),
        (estate(Writes(), Serve.NEW), ["a"]),
        (estate(TO_NEW, name="other"), []),
    ],
)
def test_a_record_moves_by_what_the_file_says_of_it(new: Estate, names: list[str]) -> None:
    """In so many words, or by `serve`."""
    assert moved(estate(), new, {}) == names
    assert moved(estate(Writes()), estate(Writes(), Serve.NEW), {}) == []


@pytest.mark.parametrize(
    ("new", "names"),
    [
        (estate(), []),
        (estate(TO_NEW), []),
        (estate(serve=Serve.RAMP), ["a"]),
        (estate(serve=Serve.NEW), []),
        (estate(COPIES._replace(record=LEGACY), Serve.NEW), ["a"]),
    ],
)
def test_an_override_s_record_holds_until_serve_says_something_else(new: Estate, names: list[str]) -> None:
    """Then the override ends, and the writes that it has given to new go where the file says."""
    assert moved(estate(), new, {"a": Standing(override=10_000, record=NEW)}) == names


def test_an_override_without_its_side_holds_nothing() -> None:
    """A file that takes the side away ends it, and the record moves."""
    standings = {"a": Standing(override=10_000, record=NEW)}
    without = Estate(Gateway(), (), (estate().routes[0]._replace(new=None),), "")
    assert moved(estate(), without, standings) == ["a"]


async def test_new_writes_wait_while_the_record_moves(store: Store) -> None:
    """Once all is delivered it moves, and they go where it is then."""
    clerk = clerk_of(store)
    moving = Moving(lambda: store, clerk)
    await store.store_writes([intent("w"), Ending("w", Signal.TOOK)], "r s", 100)
    with moving.still(["a"]):
        deciding = asyncio.create_task(moving.reason_to_wait(["a"]))
        await asyncio.sleep(0.15)
        told: list[tuple[object, ...]] = []
        clerk.take("s", [(1, intent("x")), (2, intent("y", route="b"))], lambda *answer: told.append(answer))
        assert told == [("stored", [(1, ("busy",))], [])]
        assert not deciding.done()
        assert await store.steer_write("w", Signal.DROP, "", None, 200)
        assert await deciding is None
        assert clerk.held == {"a"}
    assert clerk.held == frozenset()


def test_whoever_is_done_first_lets_nobody_else_s_writes_go(store: Store) -> None:
    """A file and an override may move records at the same time, of the same route even."""
    clerk = clerk_of(store)
    moving = Moving(lambda: store, clerk)
    with moving.still(["a", "b"]):
        with moving.still(["a"]):
            assert clerk.held == {"a", "b"}
        assert clerk.held == {"a", "b"}
        with pytest.raises(ZeroDivisionError), moving.still(["c"]):
            raise ZeroDivisionError
    assert clerk.held == frozenset()


async def test_a_record_stays_while_something_is_owed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said how much, and so it is where nobody knows."""
    monkeypatch.setattr(module, "DRAINING", 0.05)
    found: list[Store | None] = [store]
    moving = Moving(lambda: found[0], clerk_of(store))
    await store.store_writes([intent("w"), Ending("w", Signal.UNKNOWN)], "r s", 100)
    why = "the record of a would move, and 1 of its writes are not delivered (banyan outbox)"
    assert (await moving.reason_to_wait(["a"]), await moving.drained(["a"])) == (why, 1)
    assert (await moving.reason_to_wait(["b"]), await moving.reason_to_wait([])) == (None, None)
    found[0] = None
    with pytest.raises(StoreUnavailable):
        await moving.drained(["a"])
    why = "the record of a would move, and the store does not tell what is owed"
    assert await moving.reason_to_wait(["a"]) == why


async def test_what_is_being_stored_is_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can count it yet, and it goes to the record of before: what of other routes is stored is no matter."""
    monkeypatch.setattr(module, "DRAINING", 0.2)
    clerk, going, store_writes = clerk_of(store), asyncio.Event(), store.store_writes
    moving = Moving(lambda: store, clerk)

    async def slowly(*told: Any) -> Any:
        await going.wait()
        return await store_writes(*told)

    monkeypatch.setattr(store, "store_writes", slowly)
    running = asyncio.create_task(clerk.run())
    clerk.take("s", [(1, intent("x"))], lambda *answer: None)
    await asyncio.sleep(0)
    clerk.take("s", [(2, intent("y", key="2"))], lambda *answer: None)  # waits for its turn
    with moving.still(["a", "b"]):
        assert await moving.drained(["b"]) == 0
        with pytest.raises(StoreUnavailable, match="It is storing writes"):
            await moving.drained(["a"])
        draining = asyncio.create_task(moving.drained(["a"]))
        await asyncio.sleep(0.05)
        assert not draining.done()
        going.set()
        assert await draining == 2
    running.cancel()
    await asyncio.wait({running})
