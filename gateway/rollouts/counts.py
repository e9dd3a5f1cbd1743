"""What was counted and is not in the store yet: traffic and verdicts by minute, fields, examples."""

from collections import Counter
from collections.abc import Mapping, MutableMapping
from time import time
from typing import Any, TypeVar

from gateway.core.comparing.values import pointer_text
from gateway.core.model import SERVED, Outcome, Way
from gateway.core.policies import Keep
from gateway.rollouts.judging import Judge
from gateway.store.values import Calls, Example, FieldSeen, Flush, Total, TrafficCount, VerdictCount
from gateway.telemetry.logging import log
from gateway.telemetry.metrics import Traffic

MOST_ROWS = 100_000
"""Rows of each kind that are kept while the store cannot be had; beyond them the oldest minutes go."""
_FAILED = (Outcome.BACKEND_ERROR, Outcome.TIMEOUT)
Row = tuple[int, str, str, str, int]
T = TypeVar("T", Row, tuple[int, str, str])
Counted = TypeVar("Counted", TrafficCount, Total)


class Counts:
    """Counts by minute."""

    def __init__(self) -> None:
        self.traffic: dict[Row, TrafficCount] = {}
        self.verdicts: Counter[tuple[int, str, str]] = Counter()
        self.totals: dict[tuple[int, str], Total] = {}
        self.calls: dict[tuple[str, str, str, int], Calls] = {}

    def gather(self, traffic: Traffic, now: float) -> None:
        """Take what was counted since the last time; it counts for the minute that `now` is in."""
        minute = int(now // 60) * 60
        for way, tally in traffic.fresh():
            row = (minute, way.route, way.side, way.role, way.status // 100)
            errors = tally.count if way.outcome in _FAILED else 0
            count = TrafficCount(*row, tally.count, errors, tally.seconds, tuple(tally.buckets))
            self.traffic[row] = _added(self.traffic.get(row), count)
            if way.backend:
                self._call(way, tally.count, errors, now)
            if way.side and way.role in SERVED:
                total = Total(minute, way.side, *count[5:])
                self.totals[minute, way.side] = _added(self.totals.get((minute, way.side)), total)
        _bound(self.traffic)

    def _call(self, way: Way, requests: int, errors: int, now: float) -> None:
        key = (way.backend, way.route, way.side, int(way.role in SERVED))
        known = self.calls.get(key, Calls(*key, 0, 0, now, now))
        self.calls[key] = known._replace(
            requests=known.requests + requests, errors=known.errors + errors, last_seen=max(known.last_seen, now)
        )

    def judged(self, verdicts: Mapping[tuple[str, str], int], now: float) -> None:
        """Count verdicts, by route and verdict."""
        minute = int(now // 60) * 60
        for (route, verdict), count in verdicts.items():
            self.verdicts[minute, route, verdict] += count
        _bound(self.verdicts)

    def flush(self, replica: str, number: int, judge: Judge, keep: Keep) -> Flush:
        """All of it, and what the judge has seen of fields since the last time."""
        fields = [
            FieldSeen(route, pointer_text(field), kind, *seen.counted, seen.first, seen.last)
            for route, known in judge.fields.items()
            for (field, kind), seen in known.taken().items()
        ]
        examples = [*judge.examples]
        judge.examples.clear()
        return Flush(
            replica,
            number,
            time(),
            list(self.traffic.values()),
            [VerdictCount(*key, count) for key, count in self.verdicts.items()],
            fields,
            [Example(route, each.field, each.kind, at, each.plain()) for route, at, each in examples],
            keep.examples,
            list(self.totals.values()),
            list(self.calls.values()),
        )


def _bound(rows: MutableMapping[T, Any]) -> None:
    """Leave no more than MOST_ROWS: whole minutes go, and that is logged."""
    while len(rows) > MOST_ROWS:
        oldest = min(row[0] for row in rows)
        dropped = [row for row in rows if row[0] == oldest]
        for row in dropped:
            del rows[row]
        log().warning("counts_dropped", minute=oldest, rows=len(dropped))


def _added(one: Counted | None, other: Counted) -> Counted:
    if one is None:
        return other
    return one._replace(
        requests=one.requests + other.requests,
        errors=one.errors + other.errors,
        seconds=one.seconds + other.seconds,
        latencies=tuple(mine + theirs for mine, theirs in zip(one.latencies, other.latencies, strict=True)),
    )
