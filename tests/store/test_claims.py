"""What is done once a day is done by one replica."""

import asyncio

from gateway.store.repository import Store
from tests.support.databases import Place


async def test_a_day_is_claimed_once(store: Store) -> None:
    """The first that asks has it; a day that has been is nobody's; each thing has days of its own."""
    await store.claim_day("one", 10)
    await store.claim_day("other", 10)
    assert [await store.claim_day("one", day) for day in (11, 11, 10, 13, 12)] == [True, False, False, True, False]
    assert await store.claim_day("other", 11) is True


async def test_what_is_new_begins_with_the_next_day(store: Store) -> None:
    """Nobody catches up with the day on which it was heard of first."""
    assert [await store.claim_day("one", day) for day in (10, 10, 11)] == [False, False, True]


async def test_of_many_replicas_one_has_the_day(place: Place) -> None:
    """However many ask at once, and also after a restart."""
    replicas = [await Store.open(*place, upgrade=True) for _ in range(3)]
    for day in range(5):
        taken = await asyncio.gather(*(replica.claim_day("one", day) for replica in replicas))
        assert sum(taken) == (day > 0)
    for replica in replicas:
        await replica.close()
    again = await Store.open(*place, upgrade=True)
    assert await again.claim_day("one", 4) is False
    await again.close()
