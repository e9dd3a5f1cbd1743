"""Identifiers of one thing come in pairs, half at first; readers find each when it is whole."""

from gateway.core.crosswalk import Pair
from gateway.core.model import LEGACY, NEW
from gateway.core.writing import Ending, Made, Signal
from gateway.store.repository import Store
from gateway.store.writes import Tried
from tests.store.owing import intent

OWNER = "r s"
OLD, NEWER = Made("t", LEGACY, "1"), Made("t", NEW, "a")


async def test_a_pair_becomes_whole(store: Store) -> None:
    """With a new number, for those who have read its half; what is told twice is told once."""
    await store.store_writes([intent("w")], OWNER, 100)
    for _ in range(2):
        await store.store_writes([Ending("w", Signal.TOOK, "", OLD)], OWNER, 101)
    [(first, half)] = await store.pairs(0, 10)
    assert half == Pair("t", "1", None, LEGACY)
    [owed] = await store.turn_writes([], OWNER, 200, 10)
    await store.turn_writes([Tried(owed, Signal.DELIVERED, "", 0, None, NEWER)], OWNER, 300, 0)
    [(second, whole)] = await store.pairs(first, 10)
    assert (whole, second > first) == (Pair("t", "1", "a", LEGACY), True)
    await store.store_writes([Ending("w", Signal.TOOK, "", OLD._replace(value="2"))], OWNER, 400)
    assert await store.pairs(0, 10) == [(second, whole)]


async def test_a_queued_write_and_its_copy_make_one_pair(store: Store) -> None:
    """The record first, and then the other side."""
    await store.store_writes([intent("w", queue="now")], OWNER, 100)
    [owed] = await store.turn_writes([], OWNER, 200, 10)
    await store.turn_writes([Tried(owed, Signal.DELIVERED, "", 0, None, OLD)], OWNER, 201, 0)
    [copy] = await store.turn_writes([], OWNER, 202, 10)
    await store.turn_writes([Tried(copy, Signal.DELIVERED, "", 0, None, NEWER)], OWNER, 203, 0)
    assert [pair for _, pair in await store.pairs(0, 10)] == [Pair("t", "1", "a", LEGACY)]


async def test_what_failed_has_made_nothing(store: Store) -> None:
    """Whatever stands in its answer."""
    await store.store_writes([intent("w"), Ending("w", Signal.TOOK)], OWNER, 100)
    [owed] = await store.turn_writes([], OWNER, 200, 10)
    await store.turn_writes([Tried(owed, Signal.AGAIN, "", 0, None, NEWER)], OWNER, 201, 0)
    assert await store.pairs(0, 10) == []
