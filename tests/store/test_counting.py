"""What is counted is added up once, whoever counts it and however often it is sent."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from gateway.store import counting
from gateway.store.repository import Store
from gateway.store.values import Flush, Replica, TrafficCount, VerdictCount
from tests.store import counts
from tests.support.databases import Place


async def test_what_was_counted_is_read(store: Store) -> None:
    """Each kind of count comes back as it went in."""
    assert await store.flush(counts.flush()) is True
    assert await store.traffic(0, 120) == [counts.traffic()._replace(minute=0)]
    assert await store.verdicts(0, 120) == [VerdictCount(0, "repairs", "matched", 4)]
    assert await store.fields("repairs") == [counts.field()]
    assert await store.examples("repairs") == [counts.example(100)]
    assert await store.replicas() == [Replica("a", 100.0)]


async def test_replicas_add_up(store: Store) -> None:
    """Two replicas that count the same thing are two counts of it: numbers grow, the first and the last time widen."""
    await store.flush(Flush("a", 7, 100, [counts.traffic()], fields=[counts.field(first=50, last=60)]))
    await store.flush(Flush("b", 3, 200, [counts.traffic()], fields=[counts.field(first=40, last=90)]))
    await store.flush(Flush("a", 8, 300, fields=[counts.field(first=55, last=70)]))
    doubled = TrafficCount(0, "repairs", "new", "live", 2, 10, 2, 1.0, tuple(2 * n for n in counts.LATENCIES))
    assert await store.traffic(0, 120) == [doubled]
    assert [(f.differs, f.all_differ, f.first_seen, f.last_seen) for f in await store.fields("repairs")] == [
        (3, 9, 40, 90)
    ]
    assert await store.replicas(since=250) == [Replica("a", 300)]


async def test_a_flush_counts_once(store: Store) -> None:
    """Sent again, because nobody knew what had become of it, a flush changes nothing; an older one neither."""
    assert await store.flush(counts.flush(5)) is True
    assert [await store.flush(counts.flush(number)) for number in (5, 4)] == [False, False]
    assert [count.requests for count in await store.traffic(0, 120)] == [5]
    assert len(await store.examples("repairs")) == 1


@pytest.mark.parametrize("kind", ["traffic", "verdicts", "fields"])
async def test_replicas_do_not_wait_for_each_other_in_a_circle(remote: Place, kind: str) -> None:
    """Two replicas that have counted the same things in opposite orders can flush at the same moment."""
    stores = [await Store.open(*remote, upgrade=False) for _ in range(2)]
    rows: dict[str, Any] = {
        "traffic": [counts.traffic(route=f"route-{at}") for at in range(500)],
        "verdicts": [VerdictCount(60, f"route-{at}", "matched", 1) for at in range(500)],
        "fields": [counts.field(f"/{at}") for at in range(500)],
    }
    there, back = rows[kind], rows[kind][::-1]
    for number in range(1, 6):
        flushes = (Flush("a", number, 0, **{kind: there}), Flush("b", number, 0, **{kind: back}))
        flushing = (store.flush(flush) for store, flush in zip(stores, flushes, strict=True))
        assert await asyncio.gather(*flushing) == [True, True]
    for store in stores:
        await store.close()


async def test_the_latest_examples_are_kept(store: Store) -> None:
    """Of each field no more than the wanted number stay, the latest; other fields and routes are left alone."""
    other = counts.example(1, "/other"), counts.example(1, route="rents")
    await store.flush(Flush("a", 1, 0, examples=[*other, *map(counts.example, (3, 1, 2))], examples_kept=2))
    await store.flush(Flush("a", 2, 0, examples=[counts.example(2.5)], examples_kept=2))
    assert [each.at for each in await store.examples("repairs", field="/balance")] == [3, 2.5]
    assert await store.examples("repairs", field="/other") == [other[0]]
    assert await store.examples("rents") == [other[1]]


async def test_traffic_is_read_by_time_and_route(store: Store) -> None:
    """A range includes its begin and not its end; `step` adds up, from whole multiples of it on."""
    minutes = (0, 60, 120, 180)
    await store.flush(Flush("a", 1, 0, [counts.traffic(minute, route) for minute in minutes for route in "xy"]))
    by_step = await store.traffic(60, 240, route="x", step=120)
    assert [(count.minute, count.route, count.requests) for count in by_step] == [(0, "x", 5), (120, "x", 10)]
    assert [(count.route, count.requests) for count in await store.traffic(60, 180)] == [("x", 10), ("y", 10)]


async def test_verdicts_are_read_by_time_and_route(store: Store) -> None:
    """Verdicts are read like traffic."""
    verdicts = [VerdictCount(minute, route, "matched", 1) for minute in (0, 60) for route in "xy"]
    await store.flush(Flush("a", 1, 0, verdicts=verdicts))
    assert await store.verdicts(0, 60, route="x", step=60) == [VerdictCount(0, "x", "matched", 1)]
    assert [each.samples for each in await store.verdicts(0, 61)] == [2, 2]


async def test_fields_are_read_by_how_often_they_differed(store: Store) -> None:
    """The worst field stands first; fields that were last seen before `since` are left out."""
    seen = [counts.field("/a", 1), counts.field("/b", 9), counts.field("/c", 5, last=10)]
    await store.flush(Flush("a", 1, 0, fields=seen))
    assert [each.field for each in await store.fields("repairs")] == ["/b", "/c", "/a"]
    assert [each.field for each in await store.fields("repairs", since=50)] == ["/b", "/a"]


async def test_any_name_of_a_field_is_counted(store: Store) -> None:
    """Names come out of answers: U+0000, half a character, or thousands of them must not hold up all other counts."""
    name = "/a\0\ud800" + "x" * 9_000
    await store.flush(Flush("a", 1, 0, fields=[counts.field(name)], examples=[counts.example(1, name)]))
    assert [each.field[:5] for each in await store.fields("repairs")] == ["/a\ufffd?x"]
    assert [each.document["at"] for each in await store.examples("repairs", field=name)] == [name]


async def test_more_rows_than_a_slice_are_counted(store: Store) -> None:
    """Rows go to the database in slices; none is lost between them."""
    await store.flush(Flush("a", 1, 0, [counts.traffic(route=f"route-{number}") for number in range(1_001)]))
    assert len(await store.traffic(0, 120)) == 1_001


_FLUSHES = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.lists(st.tuples(st.sampled_from([0, 60]), st.sampled_from("xy"), st.integers(0, 2**40)), max_size=4),
        st.integers(1, 3),
    ),
    max_size=6,
)


@settings(max_examples=50, deadline=None)
@given(_FLUSHES)
def test_however_often_it_is_sent(
    in_memory: Callable[[], Connection], flushes: Sequence[tuple[str, list[tuple[int, str, int]], int]]
) -> None:
    """The store's sums are those of all flushes, each taken once, whatever was sent twice or three times."""
    expected: Counter[tuple[int, str]] = Counter()
    with in_memory() as connection:
        for number, (replica, rows, times) in enumerate(flushes, 1):
            samples = [VerdictCount(minute, route, "matched", count) for minute, route, count in rows]
            sent = [counting.flush(connection, Flush(replica, number, 0, verdicts=samples)) for _ in range(times)]
            assert sent == [True] + [False] * (times - 1)
            expected.update({(0, route): 0 for _, route, _ in rows})
            for _, route, count in rows:
                expected[0, route] += count
        found = counting.read_verdicts(connection, 0, 120, None, None)
    assert {(each.minute, each.route): each.samples for each in found} == dict(expected)
