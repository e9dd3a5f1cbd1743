"""Nothing is kept for longer than it should be, and joining minutes into hours loses no count."""

import asyncio
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from gateway.core.policies import Keep
from gateway.store import counting, events, keeping
from gateway.store.keeping import FINE, HOUR
from gateway.store.repository import Store
from gateway.store.tables import deliveries
from gateway.store.values import Flush, StoredEvidence, Told, VerdictCount
from tests.store import counts
from tests.store.happenings import happened
from tests.support.databases import Place

DAY = 86_400
NOW = 1_000 * DAY + 1_800
KEEP = Keep(traffic=400 * DAY, evidence=90 * DAY, events=700 * DAY)


def _samples(minute: int, route: str = "repairs") -> VerdictCount:
    return VerdictCount(minute, route, "matched", 1)


async def test_what_is_too_old_goes(store: Store) -> None:
    """Each kind for as long as it is to be kept: traffic, evidence (verdicts, fields, examples, stages), events."""
    for number, days in enumerate((10, 100, 500, 800), 1):
        at = NOW - days * DAY
        minute = at - at % HOUR
        fields = [counts.field(f"/{days}", last=at)]
        await store.flush(
            Flush(str(days), number, at, [counts.traffic(minute)], [_samples(minute)], fields, [counts.example(at)])
        )
        await store.put_evidence("a", at, [StoredEvidence("rents", "g", days, {})])
        await store.add_event(happened(str(days), at), ["hook"])
    await store.prune(KEEP, NOW)
    assert len(await store.traffic(0, NOW, step=60)) == 2
    assert len(await store.verdicts(0, NOW, step=60)) == 1
    assert [each.field for each in await store.fields("repairs")] == ["/10"]
    assert [each.at for each in await store.examples("repairs")] == [NOW - 10 * DAY]
    assert [bool(await store.evidence([("rents", "g", days)])) for days in (10, 100)] == [True, False]
    assert [event.id for event in await store.events()] == ["500", "100", "10"]
    assert len(await store.take_deliveries("hook", NOW, 60, 20)) == 3
    assert [replica.id for replica in await store.replicas()] == ["10"]


def test_deliveries_go_with_their_events(in_memory: Callable[[], Connection]) -> None:
    """What an event was owed to goes with it, and so does what was noted of one that nobody told after all."""
    with in_memory() as connection:
        for days in (10, 800):
            events.add_event(connection, Told(happened(str(days), NOW - days * DAY), ("hook",)))
        events.delivered(connection, "untold", "hook")
        keeping.prune_step(connection, KEEP, NOW)
        assert list(connection.execute(select(deliveries.c.event))) == [("10",)]


async def test_counts_go_by_whole_hours(store: Store) -> None:
    """An hour goes when all of it is too old: a count is kept for up to an hour longer, and never for less."""
    hour = (NOW - 90 * DAY) // HOUR * HOUR
    await store.flush(Flush("a", 1, NOW, verdicts=[_samples(hour - 60), _samples(hour), _samples(hour + HOUR - 60)]))
    await store.prune(KEEP, NOW)
    assert await store.verdicts(0, NOW, step=HOUR) == [_samples(hour)._replace(samples=2)]


async def test_old_minutes_become_hours(store: Store) -> None:
    """What is older than FINE is an hour's row, what is younger stays by the minute; both counts are whole."""
    edge = (NOW - FINE) // HOUR * HOUR
    minutes = (edge - HOUR, edge - HOUR + 60, edge - 60, edge, edge + 60, edge + 1_800)
    await store.flush(
        Flush("a", 1, NOW, [counts.traffic(minute) for minute in minutes], [_samples(minute) for minute in minutes])
    )
    await store.prune(KEEP, NOW)
    await store.prune(KEEP, NOW)
    expected = [(edge - HOUR, 3), (edge, 2), (edge + 1_800, 1)]
    assert [(each.minute, each.samples) for each in await store.verdicts(0, NOW, step=60)] == expected
    traffic = await store.traffic(0, NOW, step=60)
    assert [(each.minute, each.requests // 5, sum(each.latencies) // 5) for each in traffic] == [
        (minute, number, number) for minute, number in expected
    ]


async def test_two_replicas_join_an_hour_once(place: Place) -> None:
    """Gateways on one store all tidy it, maybe at the same moment: an hour is not joined twice."""
    stores = [await Store.open(*place, upgrade=True) for _ in range(2)]
    begin = (NOW - FINE) // HOUR * HOUR - 20 * HOUR
    minutes = [_samples(begin + at * 60, route) for at in range(20 * 60) for route in "xy"]
    await stores[0].flush(Flush("a", 1, NOW, verdicts=minutes))
    await asyncio.gather(*(store.prune(KEEP, NOW) for store in stores))
    found = await stores[0].verdicts(0, NOW, step=60)
    assert [each.samples for each in found] == [60] * 40
    for store in stores:
        await store.close()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5 * 60), st.sampled_from("xy")), max_size=12), st.integers(0, 6))
def test_joining_loses_nothing(in_memory: Callable[[], Connection], rows: list[tuple[int, str]], hours: int) -> None:
    """Whatever was counted and however far it was joined: each hour of each route has the sum that it had."""
    with in_memory() as connection:
        samples = [_samples(minute * 60, route) for minute, route in rows]
        counting.flush(connection, Flush("a", 1, 0, verdicts=samples))
        before = counting.read_verdicts(connection, 0, 10 * HOUR, None, HOUR)
        now = FINE + hours * HOUR
        while keeping.prune_step(connection, Keep(), now):
            pass
        assert counting.read_verdicts(connection, 0, 10 * HOUR, None, HOUR) == before
        fine = counting.read_verdicts(connection, 0, 10 * HOUR, None, 60)
        assert [each for each in fine if each.minute % HOUR and each.minute < hours * HOUR] == []
