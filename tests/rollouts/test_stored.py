"""What webhooks deliver is remembered by the store, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from gateway.core.policies import Webhook
from gateway.errors import StoreUnavailable
from gateway.rollouts import stored
from gateway.rollouts.deliveries import DELAYS, Delivery
from gateway.rollouts.stored import BATCH, LEASE, StoredDeliveries, webhook_name
from gateway.rollouts.webhooks import LOOK, Webhooks
from gateway.store import events
from gateway.store.repository import Store
from tests.rollouts.test_webhooks import NOW, SECRET, event, receiver, scripted, until
from tests.support.databases import Place

URL = "https://hooks.example.org/T0/B1?token=opensesame"


class Clock:
    """The time, as tests have it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


async def tell(store: Store, *numbers: int, url: str = URL) -> None:
    for number in numbers:
        await store.add_event(event(number), [webhook_name(url)])


# ------------------------------------------------------------------------------------------------ names


def test_a_name_tells_nothing_of_the_address() -> None:
    """It is the same in every process, another for each address, and short."""
    assert webhook_name(URL) == "5a2e77a18dfc2a1c"
    assert webhook_name(URL + "2") != webhook_name(URL)


# ------------------------------------------------------------------------------------------------ the protocol


async def test_pending_is_what_is_due(store: Store) -> None:
    """Not what its teller is about to send; in the order of the events, some at a time, each once."""
    clock = Clock()
    remembered = StoredDeliveries(lambda: store, now=clock)
    await tell(store, *range(BATCH + 1))
    assert list(await remembered.pending(URL)) == []
    clock.now += events.LEASE
    assert list(await remembered.pending(URL)) == [Delivery(event(number)) for number in range(BATCH)]
    assert list(await remembered.pending(URL)) == [Delivery(event(BATCH))]
    assert list(await remembered.pending(URL)) == []


async def test_what_is_on_its_schedule_is_left_alone(store: Store) -> None:
    """The next attempt is made by whoever made the last; when that one does not, by others, the attempts counted."""
    clock = Clock()
    mine, other = (StoredDeliveries(lambda: store, now=clock) for _ in range(2))
    await tell(store, 1)
    await mine.failed("evt_1", URL, 2, NOW + 300, "the receiver answered 500")
    clock.now = NOW + 300 + LEASE - 1
    assert list(await other.pending(URL)) == []
    clock.now = NOW + 300 + LEASE
    assert list(await other.pending(URL)) == [Delivery(event(1), attempts=2)]


async def test_what_has_ended_is_not_pending(store: Store) -> None:
    """What arrived, or was given up, is no longer sent; the same event to another receiver is."""
    clock = Clock()
    remembered = StoredDeliveries(lambda: store, now=clock)
    await tell(store, 1, 2)
    await tell(store, 3, url="https://other")
    await remembered.delivered("evt_1", URL)
    await remembered.failed("evt_2", URL, 10, None, "the receiver answered 500")
    clock.now += 1e6
    assert list(await remembered.pending(URL)) == []
    assert list(await remembered.pending("https://other")) == [Delivery(event(3))]


# ------------------------------------------------------------------------------------------------ no store


async def test_without_a_store_everything_is_refused() -> None:
    """Whoever asks learns that there is none."""
    remembered = StoredDeliveries(lambda: None)
    asked: list[Awaitable[object]] = [
        remembered.pending(URL),
        remembered.delivered("evt_1", URL),
        remembered.failed("evt_1", URL, 1, NOW, "the receiver answered 500"),
    ]
    for each in asked:
        with pytest.raises(StoreUnavailable, match=r"The store is not open\. See `banyan status` for the reason\."):
            await each


async def test_what_could_not_be_noted_is_noted_later(store: Store) -> None:
    """A process does not send again what arrived while there was no store; the last note of a delivery counts."""
    clock, here = Clock(), [False]
    remembered = StoredDeliveries(lambda: store if here[0] else None, now=clock)
    await tell(store, 1, 2)
    with pytest.raises(StoreUnavailable):
        await remembered.failed("evt_1", URL, 1, NOW + 5, "the receiver answered 500")
    with pytest.raises(StoreUnavailable):
        await remembered.delivered("evt_1", URL)
    here[0] = True
    clock.now += 1e6
    assert list(await remembered.pending(URL)) == [Delivery(event(2))]


async def test_notes_are_told_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the store has been told, it is not told again; what came meanwhile is not forgotten."""
    noted: list[tuple[str, int]] = []
    remembered = StoredDeliveries(lambda: store)

    async def noting(event_id: str, _name: str, attempts: int, _next_try: float | None, _why: str) -> None:
        noted.append((event_id, attempts))
        if attempts == 1:
            await remembered.failed(event_id, URL, 2, NOW, "")
            raise StoreUnavailable("It failed after all.")

    monkeypatch.setattr(store, "delivery_failed", noting)
    with pytest.raises(StoreUnavailable):
        await remembered.failed("evt_1", URL, 1, NOW, "")
    await remembered.pending(URL)
    assert noted == [("evt_1", 1), ("evt_1", 2)]


async def test_notes_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long there is no store, memory does not fill: the oldest notes go."""
    monkeypatch.setattr(stored, "UNNOTED", 2)
    clock, here = Clock(), [False]
    remembered = StoredDeliveries(lambda: store if here[0] else None, now=clock)
    await tell(store, 1, 2, 3)
    for number in (1, 2, 3):
        with pytest.raises(StoreUnavailable):
            await remembered.delivered(f"evt_{number}", URL)
    here[0] = True
    clock.now += 1e6
    assert list(await remembered.pending(URL)) == [Delivery(event(1))]


# ------------------------------------------------------------------------------------------------ all together


class Watched(StoredDeliveries):
    """Deliveries in the store, and how often they were asked for, and what was noted of them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(lambda: store, now=clock)
        self.looks = 0
        self.noted: list[str] = []

    async def pending(self, url: str) -> Sequence[Delivery]:
        found = await super().pending(url)
        self.looks += 1
        return found

    async def delivered(self, event_id: str, url: str) -> None:
        await super().delivered(event_id, url)
        self.noted.append(f"delivered {event_id}")

    async def failed(self, event_id: str, url: str, attempts: int, next_try: float | None, why: str) -> None:
        await super().failed(event_id, url, attempts, next_try, why)
        self.noted.append(f"failed {event_id}")

    async def looked(self) -> None:
        """Two more looks have ended, so that one of them has begun after this was called."""
        enough = self.looks + 2
        await until(lambda: self.looks >= enough)


@asynccontextmanager
async def sending(store: Store, url: str, clock: Clock) -> AsyncIterator[tuple[Webhooks, Watched]]:
    """A process with one receiver: it looks at the store all the time, and waits for ever after a failed attempt."""

    async def sleep(seconds: float) -> None:
        await (asyncio.sleep(0.01) if seconds == LOOK else asyncio.Event().wait())

    remembered = Watched(store, clock)
    webhooks = Webhooks(remembered, now=clock, chance=lambda: 0.0, sleep=sleep)
    webhooks.use([Webhook(url, SECRET)])
    try:
        yield webhooks, remembered
    finally:
        await webhooks.close()


async def test_an_event_is_told_stored_delivered_and_marked(store: Store) -> None:
    """From the gateway to the receiver and to the store, whichever of the two has it first; it is sent once."""
    clock = Clock()
    async with receiver() as (url, received), sending(store, url, clock) as (webhooks, remembered):
        await tell(store, 1, url=url)
        webhooks.send(event(1))
        webhooks.send(event(2))
        await until(lambda: len(remembered.noted) == 2)
        await tell(store, 2, url=url)
        clock.now += 1e6
        await remembered.looked()
        assert [each.id for each in received] == ["evt_1", "evt_2"]
        assert await store.events() == [event(2), event(1)]


async def test_a_restart_delivers_what_was_pending(place: Place) -> None:
    """What failed, and what nobody came to send, is sent by the next process, once it is due; and then no more."""
    clock = Clock()
    answers = scripted(web.Response(status=500), web.Response(status=204), web.Response(status=204))
    async with receiver(answers) as (url, received):
        store = await Store.open(*place, upgrade=True)
        async with sending(store, url, clock) as (webhooks, remembered):
            await tell(store, 1, 2, url=url)
            webhooks.send(event(1))
            await until(lambda: remembered.noted == ["failed evt_1"])
        await store.close()
        store = await Store.open(*place, upgrade=True)
        async with sending(store, url, clock) as (_, remembered):
            await remembered.looked()
            assert len(received) == 1
            clock.now += DELAYS[0] + LEASE
            await until(lambda: remembered.noted == ["delivered evt_1", "delivered evt_2"])
        clock.now += 1e6
        async with sending(store, url, clock) as (_, remembered):
            await remembered.looked()
        assert [each.id for each in received] == ["evt_1", "evt_1", "evt_2"]
        await store.close()
