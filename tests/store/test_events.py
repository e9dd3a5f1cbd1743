"""What happened can be asked about later, and reaches its webhooks."""

import asyncio
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from gateway.core.events import Event
from gateway.store import events
from gateway.store.events import LEASE
from gateway.store.repository import Store
from gateway.store.tables import deliveries
from gateway.store.values import Delivery, Told
from tests.store.happenings import happened
from tests.support.databases import Place

TOLD = 100.5
DUE = TOLD + LEASE
"""When whoever told an event should have sent it."""


async def due(store: Store, now: float, *, webhook: str = "hook", lease: float = 60, limit: int = 20) -> list[str]:
    """The ids of what can be taken for a webhook."""
    return [delivery.event.id for delivery in await store.take_deliveries(webhook, now, lease, limit)]


async def test_an_event_comes_back_as_it_was(store: Store) -> None:
    """Nothing of it changes, and the latest told comes first, whenever it happened."""
    earlier = Event("evt_b", 7.25, "config_changed", "", "", "", "", {})
    await store.add_event(happened("evt_c"))
    await store.add_event(earlier)
    assert await store.events() == [earlier, happened("evt_c")]


async def test_an_event_told_twice_is_there_once(store: Store) -> None:
    """Who does not know whether the store took it tells it again; a delivery that ended does not begin anew."""
    await store.add_event(happened(), ["hook", "other"])
    await store.delivered("evt_1", "hook")
    await store.add_event(happened(), ["hook", "other"])
    assert await store.events() == [happened()]
    assert [await due(store, DUE, webhook=webhook) for webhook in ("hook", "other")] == [[], ["evt_1"]]


async def test_events_are_read_page_by_page(store: Store) -> None:
    """The latest come first; `before` goes on where a page ended; a route or a journey can be asked for."""
    for at in range(5):
        await store.add_event(happened(f"e{at}", at, "xy"[at % 2]))
    page = await store.events(2)
    assert [event.id for event in page] == ["e4", "e3"]
    assert [event.id for event in await store.events(2, before=page[-1].id)] == ["e2", "e1"]
    assert [event.id for event in await store.events(route="y", before="e3")] == ["e1"]
    assert len(await store.events(journey="rents")) == 5
    assert await store.events(journey="other") == []


async def test_nothing_comes_before_an_event_that_is_gone(store: Store) -> None:
    """A page that is turned after its last event was dropped is empty: what is older went with it."""
    await store.add_event(happened())
    assert await store.events(before="gone") == []


async def test_a_sentence_may_hold_anything(store: Store) -> None:
    """Names of fields come out of answers: what no database takes is replaced, and nothing is cut short."""
    await store.add_event(happened()._replace(why="\0" + "long " * 200, by="\ud800"))
    (event,) = await store.events()
    assert (event.why, event.by) == ("\ufffd" + "long " * 200, "?")


async def test_who_told_an_event_sends_it(place: Place) -> None:
    """An event is left to the replica that told it for a while; if that one dies, another finds it."""
    replicas = [await Store.open(*place, upgrade=True) for _ in range(2)]
    await replicas[0].add_event(happened(), ["hook"])
    assert await due(replicas[1], DUE - 0.5) == []
    assert await due(replicas[1], DUE) == ["evt_1"]
    for replica in replicas:
        await replica.close()


async def test_a_delivery_is_taken_by_one(place: Place) -> None:
    """Of two replicas that ask at once, each event is given to one; if that one dies, to another after the lease."""
    replicas = [await Store.open(*place, upgrade=True) for _ in range(2)]
    ids = [f"evt_{number}" for number in range(6)]
    for each in ids:
        await replicas[0].add_event(happened(each), ["hook"])
    one, other = await asyncio.gather(*(due(replica, DUE, limit=4) for replica in replicas))
    taken = one + other + await due(replicas[0], DUE + 1)
    assert sorted(taken) == ids
    assert await due(replicas[0], DUE + 59) == []
    assert await due(replicas[1], DUE + 61) == ids
    for replica in replicas:
        await replica.close()


async def test_a_delivery_tells_the_event_whole(store: Store) -> None:
    """Whoever sends it needs nothing else."""
    await store.add_event(happened(), ["hook"])
    assert await store.take_deliveries("other", DUE, 60, 20) == []
    assert await store.take_deliveries("hook", DUE, 60, 20) == [Delivery(happened(), 0)]


async def test_what_was_delivered_is_not_sent_again(store: Store) -> None:
    """An event that has arrived is done with, for that webhook and no other."""
    await store.add_event(happened(), ["hook", "other"])
    await store.delivered("evt_1", "hook")
    assert [await due(store, 1e9, webhook=webhook) for webhook in ("hook", "other")] == [[], ["evt_1"]]


async def test_what_was_delivered_before_the_store_had_it_is_not_sent_again(store: Store) -> None:
    """An event is sent at once, and stored when that can be done: its delivery may have ended by then, or failed."""
    await store.delivered("evt_1", "hook")
    await store.delivery_failed("evt_1", "other", 1, 500, "answered 500")
    assert [await due(store, 1e9, webhook=webhook) for webhook in ("hook", "other")] == [[], []]
    await store.add_event(happened(), ["hook", "other"])
    assert await due(store, 1e9) == []
    assert await due(store, 499, webhook="other") == []
    assert await store.take_deliveries("other", 500, 60, 20) == [Delivery(happened(), 1)]


async def test_what_failed_is_tried_again_until_it_is_given_up(store: Store) -> None:
    """Not before its time; a failure noted late sets nothing back; without a next time there is none."""
    await store.add_event(happened(), ["hook"])
    await store.delivery_failed("evt_1", "hook", 3, 500, "answered 500")
    await store.delivery_failed("evt_1", "hook", 2, 200, "answered 502")
    assert await due(store, 499) == []
    assert await store.take_deliveries("hook", 500, 0, 20) == [Delivery(happened(), 3)]
    await store.delivery_failed("evt_1", "hook", 4, None, "answered 410")
    assert await due(store, 1e9) == []


async def test_old_events_go_first(store: Store) -> None:
    """A webhook is sent events in the order in which they were told."""
    for each in ("evt_c", "evt_b", "evt_a"):
        await store.add_event(happened(each), ["hook"])
    await store.delivery_failed("evt_c", "hook", 1, 150, "")
    assert await due(store, 200, limit=2) == ["evt_c", "evt_b"]


Noted = tuple[int, float | None]
"""Of a delivery: after how many attempts, and when the next is due; or, with -1 attempts, that it arrived."""


@settings(max_examples=50, deadline=None)
@given(st.permutations([(-1, None), (1, 5.0), (2, 6.0), (3, None)]), st.integers(0, 4), st.integers(0, 4))
def test_notes_may_come_late_and_twice(
    in_memory: Callable[[], Connection], notes: list[Noted], told: int, again: int
) -> None:
    """In whatever order notes and their event come in, what has arrived is never sent again."""
    with in_memory() as connection:
        for at, (attempts, next_try) in enumerate((*notes, notes[again % len(notes)])):
            if at == told:
                events.add_event(connection, Told(happened(), ("hook",)))
            if attempts < 0:
                events.delivered(connection, "evt_1", "hook")
            else:
                events.delivery_failed(connection, "evt_1", "hook", attempts, next_try, "")
        assert events.take_deliveries(connection, "hook", 1e9, 60, 20) == []
        (row,) = connection.execute(select(deliveries.c.state, deliveries.c.next_try))
        assert row == ("delivered", None)
