"""Gateways on one store find each other, and each uses its part of what backends can bear."""

import asyncio
from time import time

from gateway.core.sharing import LASTS, NOTHING, Wanted
from gateway.store.addresses import address_of
from gateway.store.engines import open_engine
from gateway.store.repository import Store
from gateway.store.sharing import seen
from tests.store import counts
from tests.support.databases import Place


async def test_gateways_share(store: Store) -> None:
    """Who comes waits until the other has made room; who stays takes what one that left gives back."""
    assert await store.renew_share("a", NOTHING, 60) == Wanted(1, 1)
    assert await store.renew_share("b", NOTHING, 60) == Wanted(NOTHING, 2)
    assert await store.renew_share("a", 1, 60) == Wanted(1, 2)
    assert await store.renew_share("b", NOTHING, 60) == Wanted(NOTHING, 2)
    assert await store.renew_share("a", 2, 60) == Wanted(2, 2)
    assert await store.renew_share("b", NOTHING, 60) == Wanted(2, 2)
    await store.leave_share("b")
    assert await store.renew_share("a", 2, 60) == Wanted(1, 1)


async def test_who_does_not_renew_is_gone(store: Store) -> None:
    """After the time that it was given, and not before."""
    await store.renew_share("a", NOTHING, 0.3)
    assert await store.renew_share("b", NOTHING, 60) == Wanted(NOTHING, 2)
    await asyncio.sleep(0.4)
    assert await store.renew_share("b", NOTHING, 60) == Wanted(1, 1)


async def test_who_comes_back_has_what_it_had(store: Store) -> None:
    """A gateway that was killed and started again is no other one: what it used may still be in use."""
    await store.renew_share("a", NOTHING, 60)
    await store.renew_share("b", NOTHING, 60)
    assert await store.renew_share("a", NOTHING, 60) == Wanted(1, 2)


async def test_those_that_come_at_once_take_turns(place: Place) -> None:
    """However many ask: the parts that they are given are never more than one whole."""
    stores = [await Store.open(*place, upgrade=True) for _ in range(4)]
    parts = [NOTHING] * 4
    for _ in range(6):
        found = await asyncio.gather(*(each.renew_share(str(at), parts[at], 60) for at, each in enumerate(stores)))
        assert sum(1 / each.parts for each in found if each.parts) <= 1
        parts = [each.next if each.parts else NOTHING for each in found]
    assert parts == [4] * 4
    for each in stores:
        await each.close()


async def _seen(place: Place) -> dict[str, float]:
    engine = open_engine(address_of(*place), 5)
    async with engine.reading.begin() as connection:
        found = await connection.run_sync(seen, 60)
    await engine.reading.dispose()
    return {replica: round(ago, -1) for replica, ago in found.items()}


async def test_gateways_have_been_seen(place: Place) -> None:
    """One that flushes, and one that has begun and has only its share yet; not who is gone for long, or left."""
    store = await Store.open(*place, upgrade=True)
    for replica, ago in (("flushes", 31), ("gone", 70), ("fast clock", -3_600), ("just stopped", 21)):
        await store.flush(counts.flush(replica=replica)._replace(at=time() - ago))
    for replica in ("just begun", "left", "just stopped"):
        await store.renew_share(replica, NOTHING, LASTS)
    await store.renew_share("killed", NOTHING, LASTS - 100)
    for replica in ("left", "just stopped"):
        await store.leave_share(replica)
    await store.close()
    assert await _seen(place) == {"flushes": 30, "just stopped": 20, "just begun": 0}


async def test_nobody_is_seen_in_an_empty_store(empty: Place) -> None:
    """There need not even be tables."""
    assert await _seen(empty) == {}
