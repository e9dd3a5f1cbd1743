"""Every metric, in one file. Counted from observations in the control process, rendered off its loop.

Counting is a dictionary and an addition per observation; the Prometheus client only renders. Series of routes that have
left the table disappear with them.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.core.captured import Skipped
from gateway.core.model import BUCKETS, SERVED, Estate, Observation, Outcome, Way, way_of
from gateway.core.planning import share_of
from gateway.core.policies import NO_STANDING, Standing

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
    """Counts of everything observed. `state` gives the gauges that are read at scrape time, `standings` where routes
    stand beside the file."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[Any, ...], Tally] = {}
        self._taken: dict[Way, Tally] = {}
        self._skipped: Counter[tuple[str, str]] = Counter()
        self._verdicts: Counter[tuple[str, str]] = Counter()
        self._estate: Estate | None = None
        self.config_ok = True
        self.state: dict[str, Any] = {}
        self.standings: Mapping[str, Standing] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

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

    def collect(self) -> Iterator[Metric]:
        yield self._requests()
        yield self._durations()
        yield self._failures()
        yield self._verdict_counts()
        yield self._not_compared()
        yield from self._configuration()
        yield from self._process()

    def _requests(self) -> Metric:
        labels = ["route", "side", "backend", "role", "code_class"]
        family = CounterMetricFamily("banyan_requests", "Requests, by what became of them.", labels=labels)
        sums: dict[tuple[str, ...], int] = {}
        for way, tally in self._ways():
            key: tuple[str, ...] = (way.route, way.side, way.backend, way.role, f"{way.status // 100}xx")
            sums[key] = sums.get(key, 0) + tally.count
        for key, count in sums.items():
            family.add_metric(list(key), count)
        return family

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
        labels = ["route", "side", "role", "error_type"]
        family = CounterMetricFamily("banyan_errors", "Requests that failed, by kind of failure.", labels=labels)
        sums: dict[tuple[str, ...], int] = {}
        for way, tally in self._ways():
            if way.error:
                key: tuple[str, ...] = (way.route, way.side, way.role, way.error)
                sums[key] = sums.get(key, 0) + tally.count
        for key, count in sums.items():
            family.add_metric(list(key), count)
        return family

    def _verdict_counts(self) -> Metric:
        help_text, labels = "Requests that both sides answered, by what comparing them said.", ["route", "verdict"]
        family = CounterMetricFamily("banyan_verdicts", help_text, labels=labels)
        for key, count in list(self._verdicts.items()):
            family.add_metric(list(key), count)
        return family

    def _not_compared(self) -> Metric:
        help_text, labels = "Requests that were not compared, by reason.", ["route", "reason"]
        family = CounterMetricFamily("banyan_shadow_skipped", help_text, labels=labels)
        for key, count in list(self._skipped.items()):
            family.add_metric(list(key), count)
        return family

    def _configuration(self) -> Iterator[Metric]:
        ok = GaugeMetricFamily("banyan_config_last_reload_successful", "1 if the file's last content was taken.")
        ok.add_metric([], float(self.config_ok))
        yield ok
        info = GaugeMetricFamily("banyan_config_info", "The configuration that serves.", labels=["hash"])
        share = GaugeMetricFamily(
            "banyan_route_share", "The part of reads that a side takes.", labels=["route", "side"]
        )
        if self._estate is not None:
            info.add_metric([self._estate.digest], 1)
            for route in self._estate.routes:
                standing = self.standings.get(route.name, NO_STANDING)
                override = standing.override
                new = (share_of(route, standing) if override is None else override) / BUCKETS
                share.add_metric([route.name, "new"], new)
                share.add_metric([route.name, "legacy"], 1 - new if route.serve != "retired" else 0)
        yield info
        yield share

    def _process(self) -> Iterator[Metric]:
        for name, help_text in (
            ("connections", "Client connections that are open."),
            ("data_process_up", "1 while the data process serves."),
            ("store_up", "1 while the store answers."),
            ("loop_stall_max_seconds", "Longest stall of the data loop since the probe was switched on."),
        ):
            gauge = GaugeMetricFamily(f"banyan_{name}", help_text)
            gauge.add_metric([], float(self.state.get(name, 0)))
            yield gauge
        for name, help_text in (
            ("data_process_restarts", "Times the data process was started again."),
            ("observations_dropped", "Observations lost because control did not read them."),
            ("spans_dropped", "Traced attempts lost because no collector took them."),
        ):
            counter = CounterMetricFamily(f"banyan_{name}", help_text)
            counter.add_metric([], float(self.state.get(name, 0)))
            yield counter
        pools = GaugeMetricFamily("banyan_backend_connections", "Open connections.", labels=["backend", "state"])
        for backend, (busy, idle) in self.state.get("pools", {}).items():
            pools.add_metric([backend, "busy"], busy)
            pools.add_metric([backend, "idle"], idle)
        yield pools
        yield from self._guards()

    def _guards(self) -> Iterator[Metric]:
        """What stands before protected backends."""
        requests = GaugeMetricFamily(
            "banyan_backend_requests", "Requests at a protected backend.", labels=["backend", "state"]
        )
        breakers = GaugeMetricFamily(
            "banyan_breaker_open", "1 while a breaker is open, 0.5 while it is tried, 0 closed.", labels=["backend"]
        )
        retries = CounterMetricFamily("banyan_retries", "Requests that were sent once more.", labels=["backend"])
        closed = GaugeMetricFamily(
            "banyan_backend_closed", "1 while a backend is closed for maintenance.", labels=["backend"]
        )
        for backend, (under_way, waiting, state, again, until) in self.state.get("guards", {}).items():
            retries.add_metric([backend], again)
            requests.add_metric([backend, "under_way"], under_way)
            requests.add_metric([backend, "waiting"], waiting)
            closed.add_metric([backend], 1.0 if until else 0.0)
            if state:
                breakers.add_metric([backend], _OPEN[state])
        yield requests
        yield breakers
        yield retries
        yield closed
        yield from self._addresses()

    def _addresses(self) -> Iterator[Metric]:
        """Each of several addresses of a backend."""
        up = GaugeMetricFamily(
            "banyan_backend_address_up",
            "1 while an address is asked, 0 while it is left out.",
            labels=["backend", "address"],
        )
        for backend, addresses in self.state.get("addresses", {}).items():
            for address, _, ejected, unwell in addresses:
                up.add_metric([backend, address], 0.0 if ejected or unwell else 1.0)
        yield up
        late = self.state.get("late", 0)
        yield GaugeMetricFamily("banyan_loop_late_seconds", "How long requests wait for their turn, on average.", late)
        yield GaugeMetricFamily(
            "banyan_writes_unstored",
            "Outcomes of writes that the store has not taken yet.",
            self.state.get("unstored", 0),
        )


_OPEN = {"closed": 0.0, "half_open": 0.5, "open": 1.0}


def _no_traffic() -> dict[str, Any]:
    return {"legacy": {"requests": 0, "errors": 0}, "new": {"requests": 0, "errors": 0}, "refused": 0}
