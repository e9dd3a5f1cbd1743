"""The metrics that are counted, from observations in the control process; all of them are rendered here, off its loop.

Counting is a dictionary and an addition per observation; the Prometheus client only renders. Series of routes that have
left the table disappear with them. What is read instead of counted stands in `gauges`; there is no metric elsewhere.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.core.captured import Skipped
from gateway.core.model import BUCKETS, SERVED, Estate, Observation, Outcome, Way, way_of
from gateway.core.planning import share_of
from gateway.core.policies import NO_STANDING, Standing
from gateway.telemetry.gauges import Readings, counter, families, gauge

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the latency histogram, seconds."""

_FAILED = (Outcome.BACKEND_ERROR, Outcome.TIMEOUT)


class Tally:
    """How many requests went one way, how long they took together, and how they spread over BOUNDS."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    @property
    def count(self) -> int:
        return sum(self.buckets)

    def since(self, old: "Tally | None") -> "Tally":
        """What was added to an older state of it, or to nothing."""
        fresh = Tally()
        fresh.buckets = [now - then for now, then in zip(self.buckets, (old or _NOTHING).buckets, strict=True)]
        fresh.seconds = self.seconds - (old or _NOTHING).seconds
        return fresh

    def add(self, other: "Tally") -> None:
        self.buckets = [mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)]
        self.seconds += other.seconds


_NOTHING = Tally()


class Traffic(Collector):
    """Counts of everything observed. `readings` is how everything else stands, `standings` where routes stand beside
    the file."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[Any, ...], Tally] = {}
        self._taken: dict[Way, Tally] = {}
        self._skipped: Counter[tuple[str, str]] = Counter()
        self._verdicts: Counter[tuple[str, str]] = Counter()
        self._estate: Estate | None = None
        self.config_ok = True
        self.readings = Readings()
        self.standings: Mapping[str, Standing] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(namespace="banyan_control", registry=self._registry)
        ProcessCollector(namespace="banyan_data", pid=lambda: self.readings.data_pid, registry=self._registry)

    # -------------------------------------------------------------------------------------------- counting

    def observe(self, batch: Iterable[Observation]) -> None:
        """Count a batch."""
        tallies = self._tallies
        for each in batch:
            way = way_of(each)
            tally = tallies.get(way)
            if tally is None:
                tally = tallies[way] = Tally()
            duration = each.duration
            tally.buckets[bisect_left(BOUNDS, duration)] += 1
            tally.seconds += duration

    def skip(self, skipped: Skipped) -> None:
        """Count requests that were to be compared and were not, by route and reason."""
        self._skipped.update(skipped)

    def judge(self, verdicts: Mapping[tuple[str, str], int]) -> None:
        """Count verdicts, by route and verdict."""
        self._verdicts.update(verdicts)

    def fresh(self) -> list[tuple[Way, Tally]]:
        """What was counted since this was asked last, by way."""
        found = []
        for way, tally in self._ways():
            old = self._taken.get(way)
            if old is None or old.count != tally.count:
                found.append((way, tally.since(old)))
                self._taken[way] = tally.since(None)
        return found

    def follow(self, estate: Estate) -> None:
        """A new table serves: forget the routes that are gone."""
        self._estate = estate
        names = {route.name for route in estate.routes} | {""}
        self._tallies = {way: tally for way, tally in self._tallies.items() if way[0] in names}
        self._taken = {way: tally for way, tally in self._taken.items() if way.route in names}
        self._skipped = Counter({key: count for key, count in self._skipped.items() if key[0] in names})
        self._verdicts = Counter({key: count for key, count in self._verdicts.items() if key[0] in names})

    def by_route(self) -> dict[str, dict[str, Any]]:
        """Requests and errors per route and side, for people; what the gateway answered itself is `refused`."""
        found: dict[str, dict[str, Any]] = {}
        for way, tally in self._ways():
            if way.role not in SERVED:
                continue
            entry = found.setdefault(way.route, _no_traffic())
            if not way.side:
                entry["refused"] += tally.count
                continue
            entry[way.side]["requests"] += tally.count
            entry[way.side]["errors"] += tally.count if way.outcome in _FAILED else 0
        return found

    def _ways(self) -> list[tuple[Way, "Tally"]]:
        """Everything counted, as it stands now: rendering goes on in a thread."""
        return [(Way._make(way), tally) for way, tally in list(self._tallies.items())]

    # -------------------------------------------------------------------------------------------- rendering

    def render(self) -> bytes:
        """The Prometheus text format, version 0.0.4. Takes a while with many routes: call it in a thread."""
        return generate_latest(self._registry)

    def families(self) -> list[Metric]:
        """Everything that is rendered, to be told in another way."""
        return list(self._registry.collect())

    def collect(self) -> Iterator[Metric]:
        yield self._requests()
        yield self._durations()
        yield self._failures()
        verdicts, skipped = list(self._verdicts.items()), list(self._skipped.items())
        yield counter(
            "verdicts", "Requests that both sides answered, by what comparing them said.", "route verdict", verdicts
        )
        yield counter("shadow_skipped", "Requests that were not compared, by reason.", "route reason", skipped)
        yield from self._configuration()
        yield from families(self.readings)

    def _requests(self) -> Metric:
        sums: Counter[tuple[str, ...]] = Counter()
        for way, tally in self._ways():
            sums[way.route, way.side, way.backend, way.role, f"{way.status // 100}xx"] += tally.count
        labels = "route side backend role code_class"
        return counter("requests", "Requests, by what became of them.", labels, sums.items())

    def _durations(self) -> Metric:
        family = HistogramMetricFamily(
            "banyan_request_duration_seconds",
            "From the request's head to the answer's end.",
            labels=["route", "side", "role"],
        )
        sums: dict[tuple[str, str, str], Tally] = {}
        for way, tally in self._ways():
            sums.setdefault((way.route, way.side, way.role), Tally()).add(tally)
        for where, tally in sums.items():
            bounds = [*map(str, BOUNDS), "+Inf"]
            rows = list(zip(bounds, accumulate(tally.buckets), strict=True))
            family.add_metric(list(where), rows, tally.seconds)
        return family

    def _failures(self) -> Metric:
        sums: Counter[tuple[str, ...]] = Counter()
        for way, tally in self._ways():
            if way.error:
                sums[way.route, way.side, way.role, way.error] += tally.count
        return counter(
            "errors", "Requests that failed, by kind of failure.", "route side role error_type", sums.items()
        )

    def _configuration(self) -> Iterator[Metric]:
        taken = "1 if the file's last content was taken."
        yield gauge("config_last_reload_successful", taken, "", [((), self.config_ok)])
        digest = [] if self._estate is None else [((self._estate.digest,), 1.0)]
        yield gauge("config_info", "The configuration that serves.", "hash", digest)
        yield gauge("route_share", "The part of reads that a side takes.", "route side", self._shares())

    def _shares(self) -> Iterator[tuple[tuple[str, ...], float]]:
        for route in self._estate.routes if self._estate is not None else ():
            standing = self.standings.get(route.name, NO_STANDING)
            override = standing.override
            new = (share_of(route, standing) if override is None else override) / BUCKETS
            yield (route.name, "new"), new
            yield (route.name, "legacy"), 1 - new if route.serve != "retired" else 0


def _no_traffic() -> dict[str, Any]:
    return {"legacy": {"requests": 0, "errors": 0}, "new": {"requests": 0, "errors": 0}, "refused": 0}
