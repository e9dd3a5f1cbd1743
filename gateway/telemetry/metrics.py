"""Every metric, in one file. Counted from observations in the control process, rendered off its loop.

Counting is a dictionary and an addition per observation; the Prometheus client only renders. Series of routes that have
left the table disappear with them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.core.model import BUCKETS, Estate, Observation
from gateway.core.planning import share_of

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the latency histogram, seconds."""

_CLASSES = tuple(f"{first}xx" for first in range(10))
_CountKey = tuple[str, str, str, str, str]
_TimeKey = tuple[str, str]


class Traffic(Collector):
    """Counts of everything observed. `state` gives the gauges that are read at scrape time."""

    def __init__(self) -> None:
        self._counts: dict[_CountKey, int] = {}
        self._times: dict[_TimeKey, list[int]] = {}
        self._sums: dict[_TimeKey, float] = {}
        self._errors: dict[tuple[str, str, str], int] = {}
        self._estate: Estate | None = None
        self.config_ok = True
        self.state: dict[str, Any] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    # -------------------------------------------------------------------------------------------- counting

    def observe(self, batch: Iterable[Observation]) -> None:
        """Count a batch."""
        counts, times, sums = self._counts, self._times, self._sums
        for each in batch:
            key = (each.route, each.side, each.backend, each.role, _CLASSES[each.status // 100])
            counts[key] = counts.get(key, 0) + 1
            where = (each.route, each.side)
            buckets = times.get(where)
            if buckets is None:
                buckets = times[where] = [0] * (len(BOUNDS) + 1)
                sums[where] = 0.0
            buckets[bisect_left(BOUNDS, each.duration)] += 1
            sums[where] += each.duration
            if each.error:
                failed = (each.route, each.side, each.error)
                self._errors[failed] = self._errors.get(failed, 0) + 1

    def follow(self, estate: Estate) -> None:
        """A new table serves: forget the routes that are gone."""
        self._estate = estate
        names = {route.name for route in estate.routes} | {""}
        self._counts = {key: count for key, count in self._counts.items() if key[0] in names}
        self._times = {key: buckets for key, buckets in self._times.items() if key[0] in names}
        self._sums = {key: total for key, total in self._sums.items() if key[0] in names}
        self._errors = {key: count for key, count in self._errors.items() if key[0] in names}

    def by_route(self) -> dict[str, dict[str, Any]]:
        """Requests and errors per route and side, for people; what the gateway answered itself is `refused`."""
        found: dict[str, dict[str, Any]] = {}
        for (route, side, _backend, _role, code), count in self._counts.items():
            entry = found.setdefault(route, _no_traffic())
            if not side:
                entry["refused"] += count
                continue
            entry[side]["requests"] += count
            entry[side]["errors"] += count if code in ("5xx", "0xx") else 0
        return found

    # -------------------------------------------------------------------------------------------- rendering

    def render(self) -> bytes:
        """The Prometheus text format, version 0.0.4. Takes a while with many routes: call it in a thread."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        yield self._requests()
        yield self._durations()
        yield self._failures()
        yield from self._configuration()
        yield from self._process()

    def _requests(self) -> Metric:
        labels = ["route", "side", "backend", "role", "code_class"]
        family = CounterMetricFamily("banyan_requests", "Requests, by what became of them.", labels=labels)
        for key, count in list(self._counts.items()):
            family.add_metric(list(key), count)
        return family

    def _durations(self) -> Metric:
        family = HistogramMetricFamily(
            "banyan_request_duration_seconds", "From the request's head to the answer's end.", labels=["route", "side"]
        )
        for where, buckets in list(self._times.items()):
            total, rows = 0, []
            for bound, count in zip([*map(str, BOUNDS), "+Inf"], list(buckets), strict=True):
                total += count
                rows.append((bound, total))
            family.add_metric(list(where), rows, self._sums[where])
        return family

    def _failures(self) -> Metric:
        labels = ["route", "side", "error_type"]
        family = CounterMetricFamily("banyan_errors", "Requests that failed, by kind of failure.", labels=labels)
        for key, count in list(self._errors.items()):
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
                new = share_of(route) / BUCKETS
                share.add_metric([route.name, "new"], new)
                share.add_metric([route.name, "legacy"], 1 - new if route.serve != "retired" else 0)
        yield info
        yield share

    def _process(self) -> Iterator[Metric]:
        for name, help_text in (
            ("connections", "Client connections that are open."),
            ("data_process_up", "1 while the data process serves."),
            ("loop_stall_max_seconds", "Longest stall of the data loop since the probe was switched on."),
        ):
            gauge = GaugeMetricFamily(f"banyan_{name}", help_text)
            gauge.add_metric([], float(self.state.get(name, 0)))
            yield gauge
        for name, help_text in (
            ("data_process_restarts", "Times the data process was started again."),
            ("observations_dropped", "Observations lost because control did not read them."),
        ):
            counter = CounterMetricFamily(f"banyan_{name}", help_text)
            counter.add_metric([], float(self.state.get(name, 0)))
            yield counter
        pools = GaugeMetricFamily("banyan_backend_connections", "Open connections.", labels=["backend", "state"])
        for backend, (busy, idle) in self.state.get("pools", {}).items():
            pools.add_metric([backend, "busy"], busy)
            pools.add_metric([backend, "idle"], idle)
        yield pools


def _no_traffic() -> dict[str, Any]:
    return {"legacy": {"requests": 0, "errors": 0}, "new": {"requests": 0, "errors": 0}, "refused": 0}
