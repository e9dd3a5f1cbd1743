"""Every configuration that served can be had again, and the figures of all routes together lose no count."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from gateway.core.policies import Keep
from gateway.store import counting, history, keeping
from gateway.store.keeping import FINE, HOUR, TOTALS
from gateway.store.repository import Store
from gateway.store.values import LATENCIES, Calls, Configuration, Flush, Total
from tests.support.databases import Place

DAY = 86_400
NOW = 2_000 * DAY + 1_800
FILES = {"routes.yaml": "version: 1\n# Zoë\r\n", "routes.d/more.yaml": "\ufeffroutes: []\n\0"}
CHANGES = [{"name": "list", "field": "serve", "before": "legacy", "after": "new"}]
FIRST = Configuration(0, "d1", 100.5, "Ann", "parity is fine", CHANGES, {"new": 1, "legacy": 2}, FILES)


def total(minute: int, side: str = "new", requests: int = 5) -> Total:
    """So many requests, one of which failed, each of which took a tenth of a second."""
    return Total(minute, side, requests, 1, requests / 10, (requests, *[0] * (LATENCIES - 2), 1))


def asked(
    backend: str = "office", live: int = 1, first: float = 100.0, last: float = 200.0, requests: int = 5
) -> Calls:
    return Calls(backend, "repairs", "new", live, requests, 1, first, last)


# ------------------------------------------------------------------------------------------------ configurations


async def test_a_configuration_comes_back_as_it_served(store: Store) -> None:
    """With its files, byte for byte, to whoever asks for that one; without them in the list."""
    assert await store.add_configuration(FIRST) is True
    assert await store.configurations(10) == [FIRST._replace(number=1, files={})]
    assert await store.configuration(1) == FIRST._replace(number=1)
    assert await store.configuration(2) is None


async def test_any_reason_can_be_given(store: Store) -> None:
    """It is a person's text."""
    await store.add_configuration(FIRST._replace(by="\ud800", why="no\0ne"))
    assert [(each.by, each.why) for each in await store.configurations(10)] == [("?", "no\ufffdne")]


async def test_what_serves_already_is_not_noted_again(store: Store) -> None:
    """A restart, a reload and another gateway change nothing; to go back to an earlier file is something new."""
    noted = [
        await store.add_configuration(FIRST._replace(digest=digest, at=at)) for at, digest in enumerate("aabbabb", 1)
    ]
    assert noted == [True, False, True, False, True, True, False]
    assert [(each.number, each.digest, each.at) for each in await store.configurations(10)] == [
        (4, "b", 6.0),
        (3, "a", 5.0),
        (2, "b", 3.0),
        (1, "a", 1.0),
    ]


async def test_configurations_are_read_the_latest_first(store: Store) -> None:
    """So many, from some number back."""
    for digest in "abcde":
        await store.add_configuration(FIRST._replace(digest=digest))
    assert [each.number for each in await store.configurations(2)] == [5, 4]
    assert [each.number for each in await store.configurations(2, before=3)] == [2, 1]


async def test_of_many_gateways_one_notes_what_they_all_serve(place: Place) -> None:
    """They see the same file change at the same moment."""
    stores = [await Store.open(*place, upgrade=True) for _ in range(4)]
    for digest in "abcdefgh":
        noted = await asyncio.gather(*(store.add_configuration(FIRST._replace(digest=digest)) for store in stores))
        assert sum(noted) == 1, digest
    assert [each.digest for each in await stores[0].configurations(20)] == [*"hgfedcba"]
    for store in stores:
        await store.close()


# ------------------------------------------------------------------------------------------------ totals


async def test_totals_are_read_by_time(store: Store) -> None:
    """A range includes its begin and not its end; `step` adds up, from whole multiples of it on; sides are apart."""
    minutes = (0, 60, 120, 180)
    await store.flush(Flush("a", 1, 0, totals=[total(at, side) for at in minutes for side in ("new", "legacy")]))
    assert await store.totals(60, 180, 60) == [
        total(60, "legacy"),
        total(60, "new"),
        total(120, "legacy"),
        total(120, "new"),
    ]
    by_two = await store.totals(60, 240, 120)
    assert [(each.minute, each.side, each.requests) for each in by_two] == [
        (0, "legacy", 5),
        (0, "new", 5),
        (120, "legacy", 10),
        (120, "new", 10),
    ]
    assert (by_two[3].errors, by_two[3].seconds, by_two[3].latencies) == (2, 1.0, (10, *[0] * (LATENCIES - 2), 2))
    assert await store.totals(240, 300, 60) == []


async def test_totals_of_replicas_add_up_once(store: Store) -> None:
    """Each flush once, however often it is sent."""
    for replica, number in (("a", 1), ("a", 1), ("b", 1), ("a", 2)):
        await store.flush(Flush(replica, number, 0, totals=[total(0)]))
    assert await store.totals(0, 60, 60) == [Total(0, "new", 15, 3, 1.5, (15, *[0] * (LATENCIES - 2), 3))]


async def test_old_totals_become_hours(store: Store) -> None:
    """What is older than FINE is an hour's row, what is younger stays by the minute; both are whole."""
    edge = (NOW - FINE) // HOUR * HOUR
    minutes = (edge - HOUR, edge - HOUR + 60, edge - 60, edge, edge + 60, edge + 1_800)
    await store.flush(Flush("a", 1, NOW, totals=[total(at, side) for at in minutes for side in ("legacy", "new")]))
    for _ in range(2):
        await store.prune(Keep(), NOW)
    found = await store.totals(0, NOW, 60)
    expected = [(edge - HOUR, 3), (edge, 2), (edge + 1_800, 1)]
    assert [(each.minute, each.side, each.requests // 5, each.latencies[-1]) for each in found] == [
        (at, side, number, number) for at, number in expected for side in ("legacy", "new")
    ]


@pytest.mark.parametrize("days", [30, 2_000])
async def test_totals_are_kept_for_as_long_as_a_migration_takes(store: Store, days: int) -> None:
    """Three years at least, also where traffic goes after a month; for longer where traffic is kept for longer."""
    kept = max(days * DAY, TOTALS)
    hour = (NOW - kept) // HOUR * HOUR
    await store.flush(Flush("a", 1, NOW, totals=[total(hour - HOUR), total(hour - 60), total(hour), total(NOW - 60)]))
    await store.prune(Keep(traffic=days * DAY), NOW)
    assert [each.minute for each in await store.totals(0, NOW, 60)] == [hour, NOW - 60]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5 * 60), st.sampled_from("xy"), st.integers(0, 9)), max_size=12),
    st.integers(0, 6),
)
def test_joining_loses_nothing(
    in_memory: Callable[[], Connection], rows: list[tuple[int, str, int]], hours: int
) -> None:
    """Whatever was counted and however far it was joined: each hour of each side has the sum that it had."""
    expected: Counter[tuple[int, str]] = Counter()
    for minute, side, requests in rows:
        expected[minute * 60 // HOUR * HOUR, side] += requests
    with in_memory() as connection:
        for number, (minute, side, requests) in enumerate(rows, 1):
            counting.flush(connection, Flush("a", number, 0, totals=[total(minute * 60, side, requests)]))
        while keeping.prune_step(connection, Keep(), FINE + hours * HOUR):
            pass
        found = history.read_totals(connection, 0, 10 * HOUR, HOUR)
        assert {(each.minute, each.side): each.requests for each in found} == dict(expected)
        assert sum(each.errors for each in found) == len(rows)
        fine = history.read_totals(connection, 0, 10 * HOUR, 60)
        assert [each for each in fine if each.minute % HOUR and each.minute < hours * HOUR] == []


# ------------------------------------------------------------------------------------------------ calls


async def test_calls_are_added_up_and_their_times_widen(store: Store) -> None:
    """Whatever order gateways tell them in; clients' calls and others are apart, and so are backends."""
    await store.flush(Flush("a", 1, 0, calls=[asked(), asked(live=0), asked("archive")]))
    await store.flush(Flush("b", 1, 0, calls=[asked(first=50.5, last=150.0, requests=7)]))
    await store.flush(Flush("b", 1, 0, calls=[asked(requests=1_000)]))
    await store.flush(Flush("a", 2, 0, calls=[asked(first=300.0, last=400.5)]))
    found = await store.calls()
    assert sorted(found) == [
        asked("archive"),
        asked(live=0),
        Calls("office", "repairs", "new", 1, 17, 3, 50.5, 400.5),
    ]
    assert [each.backend for each in found] == ["archive", "office", "office"]


async def test_calls_are_kept(store: Store) -> None:
    """When a backend was asked last is what tells that it can be switched off, years later."""
    await store.flush(Flush("a", 1, 0, calls=[asked()]))
    await store.prune(Keep(traffic=DAY, evidence=DAY, events=DAY), NOW)
    assert await store.calls() == [asked()]
