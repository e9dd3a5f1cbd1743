"""What happened can be asked about later, and reaches its webhooks."""

import asyncio

from gateway.store.repository import Store
from gateway.store.values import Event
from tests.store.conftest import Place

ROLLED_BACK = Event("rolled_back", 100.5, "repairs", "rents", "", "Parity is too low.", {"parity": 0.96}, ("hook",))


async def test_an_event_comes_back_as_it_was(store: Store) -> None:
    """It is given an id, which grows, and a key; nothing else of it changes."""
    first = await store.add_event(ROLLED_BACK)
    second = await store.add_event(ROLLED_BACK)
    assert (first._replace(id=0, key=""), first.id < second.id, first.key != second.key) == (ROLLED_BACK, True, True)
    assert await store.events() == [second._replace(webhooks=()), first._replace(webhooks=())]


async def test_an_event_that_is_told_again_is_noted_once(store: Store) -> None:
    """Whoever does not know whether an event was noted adds it again, with its key; it is sent once, too."""
    added = [await store.add_event(ROLLED_BACK._replace(key="evt_1")) for _ in range(2)]
    assert added[0] == added[1]
    assert len(await store.events()) == len(await store.take_deliveries("hook", 200)) == 1


async def test_any_text_can_be_told(store: Store) -> None:
    """Sentences have names from answers in them: U+0000 or half a character must not keep an event out."""
    event = await store.add_event(ROLLED_BACK._replace(why="most at /a\0\udcff", details={"at": "/a\0\udcff"}))
    await store.delivery_failed(event.key, "hook", None, "said \0")
    (found,) = await store.events()
    assert (found.why, found.details) == ("most at /a\ufffd?", {"at": "/a\0\udcff"})


async def test_events_are_read_page_by_page(store: Store) -> None:
    """The latest come first; `before` goes on where a page ended; a route or a journey can be asked for."""
    ids = [(await store.add_event(Event("held", at, "xy"[at % 2], "j"))).id for at in range(5)]
    page = await store.events(2)
    assert [event.id for event in page] == [ids[4], ids[3]]
    assert [event.id for event in await store.events(2, before=page[-1].id)] == [ids[2], ids[1]]
    assert [event.id for event in await store.events(route="y")] == [ids[3], ids[1]]
    assert len(await store.events(journey="j")) == 5
    assert await store.events(journey="other") == []


async def test_a_delivery_is_taken_by_one(place: Place) -> None:
    """Of two replicas that ask at once, each event is given to one; if that one dies, to another after the lease."""
    replicas = [await Store.open(*place, upgrade=True) for _ in range(2)]
    ids = [(await replicas[0].add_event(ROLLED_BACK)).id for _ in range(6)]
    for now in range(200, 3_000, 100):
        asked = (replica.take_deliveries("hook", now, lease=60, limit=4) for replica in replicas)
        taken = [delivery.event.id for some in await asyncio.gather(*asked) for delivery in some]
        taken += [delivery.event.id for delivery in await replicas[0].take_deliveries("hook", now + 59)]
        assert sorted(taken) == ids
    for replica in replicas:
        await replica.close()


async def test_a_delivery_tells_the_event_whole(store: Store) -> None:
    """Whoever sends it needs nothing else."""
    added = await store.add_event(ROLLED_BACK)
    (delivery,) = await store.take_deliveries("hook", 200)
    assert delivery == (added._replace(webhooks=()), "hook", 0, ROLLED_BACK.at)
    assert await store.take_deliveries("other", 200) == []


async def test_what_was_delivered_is_not_sent_again(store: Store) -> None:
    """An event that has arrived is done with, for that webhook and no other."""
    event = await store.add_event(ROLLED_BACK._replace(webhooks=("hook", "other")))
    await store.delivered(event.key, "hook")
    assert await store.take_deliveries("hook", 10_000) == []
    assert len(await store.take_deliveries("other", 10_000)) == 1


async def test_what_failed_is_tried_again_until_it_is_given_up(store: Store) -> None:
    """Not before its time; each failure counts; without a next time there is none."""
    event = await store.add_event(ROLLED_BACK)
    await store.delivery_failed(event.key, "hook", 500, "answered 500")
    assert await store.take_deliveries("hook", 499) == []
    assert [delivery.attempts for delivery in await store.take_deliveries("hook", 500, lease=0)] == [1]
    await store.delivery_failed(event.key, "hook", None, "answered 410")
    assert await store.take_deliveries("hook", 10_000) == []


async def test_old_events_go_first(store: Store) -> None:
    """A webhook is sent events in the order in which they happened."""
    keys = [(await store.add_event(ROLLED_BACK)).key for _ in range(3)]
    await store.delivery_failed(keys[0], "hook", 150, "")
    assert [delivery.event.key for delivery in await store.take_deliveries("hook", 200, limit=2)] == keys[:2]
