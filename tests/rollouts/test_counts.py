"""What was counted waits for the store by the minute, whole and within bounds."""

from time import time

import pytest
from structlog.testing import capture_logs

from gateway.core.comparing.differences import FieldKind
from gateway.core.comparing.noise import FieldCount
from gateway.core.comparing.redaction import ABSENT_KEPT, Example
from gateway.core.policies import Keep
from gateway.rollouts import counts
from gateway.rollouts.counts import Counts
from gateway.store.repository import Store
from gateway.store.values import LATENCIES, Calls, FieldSeen, Total, TrafficCount, VerdictCount
from gateway.telemetry.metrics import Traffic
from tests.support.observations import observed
from tests.support.recorded import idle_judge

MINUTE = 1_800_000_000


def latencies(**filled: int) -> tuple[int, ...]:
    """A histogram by the numbers of its buckets: `_2=1`."""
    return tuple(filled.get(f"_{number}", 0) for number in range(LATENCIES))


def test_traffic_is_counted_by_the_minute_and_what_became_of_it() -> None:
    """Status classes are apart, backends and methods are not; a failure of the backend is an error."""
    traffic, found = Traffic(), Counts()
    traffic.observe(
        [
            observed(duration=0.02),
            observed(duration=0.02, method=b"HEAD"),
            observed(duration=1.0, status=502, outcome="backend_error"),
            observed(duration=1.0, status=504, outcome="timeout"),
            observed(duration=0.02, side="new", role="shadow"),
        ]
    )
    found.gather(traffic, MINUTE + 59.9)
    assert sorted(found.traffic.values()) == [
        TrafficCount(MINUTE, "repairs", "legacy", "live", 2, 2, 0, 0.04, latencies(_2=2)),
        TrafficCount(MINUTE, "repairs", "legacy", "live", 5, 2, 2, 2.0, latencies(_7=2)),
        TrafficCount(MINUTE, "repairs", "new", "shadow", 2, 1, 0, 0.02, latencies(_2=1)),
    ]


def test_nothing_is_gathered_twice() -> None:
    """What came since the last time is added to its minute, or begins the next one."""
    traffic, found = Traffic(), Counts()
    for now in (MINUTE, MINUTE + 30, MINUTE + 60, MINUTE + 60):
        if now != MINUTE + 60 or len(found.traffic) == 1:
            traffic.observe([observed()])
        found.gather(traffic, now)
    assert [(each.minute, each.requests) for each in found.traffic.values()] == [(MINUTE, 2), (MINUTE + 60, 1)]


def test_verdicts_are_counted_by_the_minute() -> None:
    """By route and verdict."""
    found = Counts()
    found.judged({("a", "matched"): 2, ("b", "matched"): 1}, MINUTE + 1)
    found.judged({("a", "matched"): 3}, MINUTE + 59)
    found.judged({("a", "matched"): 4}, MINUTE + 60)
    assert found.verdicts == {
        (MINUTE, "a", "matched"): 5,
        (MINUTE, "b", "matched"): 1,
        (MINUTE + 60, "a", "matched"): 4,
    }


def test_totals_are_of_all_routes_together() -> None:
    """What clients were answered by either side, by the minute: no copies, and nothing that nobody answered."""
    traffic, found = Traffic(), Counts()
    told = [
        observed(duration=1 / 64),
        observed(duration=1 / 64, route="rents", role="fallback"),
        observed(duration=1.0, status=504, outcome="timeout", role="tester"),
        observed(duration=1 / 64, side="new", role="cached", backend=""),
        observed(duration=1.0, side="new", role="shadow"),
        observed(side="", role="live", backend="", status=404, outcome="refused"),
    ]
    traffic.observe(told)
    found.gather(traffic, MINUTE + 1)
    traffic.observe(told[:1])
    found.gather(traffic, MINUTE + 59)
    traffic.observe(told[3:5])
    found.gather(traffic, MINUTE + 60)
    assert sorted(found.totals.values()) == [
        Total(MINUTE, "legacy", 4, 1, 1 + 3 / 64, latencies(_2=3, _7=1)),
        Total(MINUTE, "new", 1, 0, 1 / 64, latencies(_2=1)),
        Total(MINUTE + 60, "new", 1, 0, 1 / 64, latencies(_2=1)),
    ]


def test_it_is_counted_what_backends_were_asked_for() -> None:
    """By whom: clients, or the gateway itself; when first and when last. What reached none is no call."""
    traffic, found = Traffic(), Counts()
    traffic.observe([observed(), observed(outcome="backend_error", status=502), observed(role="shadow")])
    found.gather(traffic, MINUTE + 1.5)
    traffic.observe([observed(role="tester"), observed(route="rents"), observed(backend="", outcome="refused")])
    found.gather(traffic, MINUTE + 61.5)
    assert sorted(found.calls.values()) == [
        Calls("old", "rents", "legacy", 1, 1, 0, MINUTE + 61.5, MINUTE + 61.5),
        Calls("old", "repairs", "legacy", 0, 1, 0, MINUTE + 1.5, MINUTE + 1.5),
        Calls("old", "repairs", "legacy", 1, 3, 1, MINUTE + 1.5, MINUTE + 61.5),
    ]


async def test_totals_and_calls_are_flushed(store: Store) -> None:
    """With all else, once, and they add up in the store."""
    for number in (1, 2):
        traffic, found = Traffic(), Counts()
        traffic.observe([observed(), observed(side="new", backend="fresh")])
        found.gather(traffic, MINUTE + number)
        flush = found.flush("replica", number, idle_judge(), Keep())
        assert (len(flush.totals), len(flush.calls)) == (2, 2)
        assert [await store.flush(flush) for _ in range(2)] == [True, False]
    assert [(each.side, each.requests) for each in await store.totals(MINUTE, MINUTE + 60, 60)] == [
        ("legacy", 2),
        ("new", 2),
    ]
    assert [(each.backend, each.requests, each.first_seen, each.last_seen) for each in await store.calls()] == [
        ("fresh", 2, MINUTE + 1, MINUTE + 2),
        ("old", 2, MINUTE + 1, MINUTE + 2),
    ]


def test_rows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the store is away: the oldest minutes go, of traffic and of verdicts, and the log says so."""
    monkeypatch.setattr(counts, "MOST_ROWS", 4)
    traffic, found = Traffic(), Counts()
    with capture_logs() as logged:
        for number in range(4):
            now = MINUTE + 60 * number
            traffic.observe([observed(), observed(side="new")])
            found.gather(traffic, now)
            found.judged({("a", "matched"): 1, ("a", "mismatched"): 1}, now)
    latest = {MINUTE + 120, MINUTE + 180}
    assert {row[0] for row in found.traffic} == {row[0] for row in found.verdicts} == latest
    assert (len(found.traffic), len(found.verdicts)) == (4, 4)
    assert [(each["event"], each["minute"], each["rows"]) for each in logged] == [
        ("counts_dropped", MINUTE + 60 * number, 2) for number in (0, 0, 1, 1)
    ]


def test_a_flush_is_all_of_it() -> None:
    """Traffic, verdicts, fields and examples, as the store takes them."""
    found, judge = Counts(), idle_judge()
    found.judged({("a", "matched"): 2}, MINUTE)
    judge.of("a").add([((("lines", "*", "sum"), "value"), FieldCount(1, 1))], 10.0)
    judge.of("a").add([((("lines", "*", "sum"), "value"), FieldCount(1))], 20.0)
    example = Example("/lines/*/sum", "/lines/0/sum", "value", ABSENT_KEPT, ABSENT_KEPT)
    judge.examples.append(("a", 10.0, example))
    flush = found.flush("replica", 7, judge, Keep(examples=3))
    assert (flush.replica, flush.number, flush.examples_kept) == ("replica", 7, 3)
    assert abs(flush.at - time()) < 5
    assert flush.traffic == []
    assert flush.verdicts == [VerdictCount(MINUTE, "a", "matched", 2)]
    assert flush.fields == [FieldSeen("a", "/lines/*/sum", "value", 2, 1, 0, 0, 10.0, 20.0)]
    assert [(each.route, each.field, each.kind, each.at) for each in flush.examples] == [
        ("a", "/lines/*/sum", "value", 10.0)
    ]


def test_fields_and_examples_are_flushed_once() -> None:
    """The next flush has what was seen since; what is known of the fields stays."""
    judge = idle_judge()
    key: FieldKind = (("sum",), "value")
    judge.of("a").add([(key, FieldCount(1, 1))], 10.0)
    judge.examples.append(("a", 10.0, Example("/sum", "/sum", "value", ABSENT_KEPT, ABSENT_KEPT)))
    Counts().flush("replica", 1, judge, Keep())
    again = Counts().flush("replica", 2, judge, Keep())
    assert (again.fields, again.examples) == ([], [])
    assert judge.of("a").counts == {key: FieldCount(1, 1)}
