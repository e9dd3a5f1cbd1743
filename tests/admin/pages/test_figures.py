"""Figures are asked of the store once in a while, whoever looks, and no page waits for it twice."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import time

import pytest

from gateway.admin.pages.figures import Gauge, Parity, answered, parities
from gateway.store.repository import Store
from gateway.store.values import Calls, Flush, Total, TrafficCount, VerdictCount

LATENCIES = (0, 0, 10, *([0] * 11))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(None, tmp_path, upgrade=True)
    yield store
    await store.close()


def traffic(minute: int, side: str, requests: int, errors: int = 0, role: str = "live") -> TrafficCount:
    return TrafficCount(minute, "list", side, role, 2, requests, errors, 1.0, LATENCIES)


async def test_a_page_is_told_what_the_store_knows(store: Store) -> None:
    """Rates of the last minutes, errors and latencies, parity, calls."""
    now = time()
    minute = int(now // 60 * 60)
    counts = [traffic(minute, "legacy", 30, 3), traffic(minute, "new", 10), traffic(minute, "new", 99, role="shadow")]
    verdicts = [VerdictCount(minute, "list", "matched", 98), VerdictCount(minute, "list", "mismatched", 2)]
    await store.flush(
        Flush(
            "a",
            1,
            now,
            counts,
            verdicts,
            totals=[Total(minute, "legacy", 30, 3, 1.0, LATENCIES)],
            calls=[Calls("old", "list", "legacy", 1, 30, 3, now, now)],
        )
    )
    found = await Gauge(lambda: store, now - 3_600).figures()
    assert found.why == ""
    assert (found.recent["list"]["legacy"].requests, found.recent["list"]["legacy"].error_rate) == (30, 0.1)
    assert (found.recent["list"]["new"].requests, found.total("new").requests) == (10, 10)
    assert 30 / 3.1 <= found.rate("list", "legacy") <= 30 / 1.9
    assert found.parity == {"list": Parity(98, 100)}
    assert [each.requests for each in found.day] == [30]
    assert [each.backend for each in found.calls] == ["old"]


async def test_who_looks_often_does_not_ask_often(store: Store) -> None:
    """Within some seconds all get the same, until something was changed by hand."""
    gauge = Gauge(lambda: store, time())
    first = await gauge.figures()
    assert await gauge.figures() is first
    gauge.forget()
    await gauge.figures()
    await asyncio.sleep(0.3)
    assert await gauge.figures() is not first


async def test_without_a_store_the_page_is_there() -> None:
    """It says why it has no figures."""
    found = await Gauge(lambda: None, time()).figures()
    assert (found.rate("list", "new"), found.why) == (0.0, "The store has not been opened yet.")
    series = await Gauge(lambda: None, time()).series("list", 0, 1)
    assert (series.traffic, series.why) == ([], "The store has not been opened yet.")


def test_copies_are_not_answers() -> None:
    """Only what clients got counts, and what the gateway refused is nobody's."""
    rows = [traffic(0, "new", 5), traffic(0, "new", 7, role="shadow"), traffic(0, "", 9)]
    assert {side: each.requests for side, each in answered(rows)["list"].items()} == {"new": 5}


def test_parity_is_of_answers_that_say_something() -> None:
    """An error of the candidate is a disagreement; what was skipped, or is the control's fault, is none."""
    counts = {"matched": 90, "mismatched": 5, "candidate_error": 5, "control_error": 50, "skipped": 50, "unsure": 3}
    assert parities([VerdictCount(0, "list", verdict, count) for verdict, count in counts.items()]) == {
        "list": Parity(90, 100)
    }
