"""OpenTelemetry is told the figures that Prometheus is told."""

from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.resources import Resource
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.telemetry.gauges import Readings
from gateway.telemetry.metrics import BOUNDS, Traffic
from gateway.telemetry.points import metrics_data
from tests.support.collector import Labels, labels_of
from tests.support.measured import estate, parsed
from tests.support.observations import observed

SPAN = 1_000, 2_000


class Once(Collector):
    """Figures that were collected before: a process uses time while it tells how much it has used."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def exported(families: list[Metric]) -> dict[str, Any]:
    """The metrics as they are sent, by name."""
    message = encode_metrics(metrics_data(families, Resource({}), SPAN))
    return {metric.name: metric for metric in message.resource_metrics[0].scope_metrics[0].metrics}


def points(data: Any) -> dict[Labels, Any]:
    return {labels_of(point.attributes): point for point in data.data_points}


def busy() -> Traffic:
    traffic = Traffic()
    traffic.follow(estate("repairs"))
    durations = (0.001, 0.02, 0.02, 7.0, 100.0)
    traffic.observe([observed(duration=seconds) for seconds in durations])
    traffic.observe([observed(side="new", status=504, error="timeout")])
    traffic.readings = Readings(connections=7, pools={"old": (2, 5)}, restarts=3)
    traffic.judge({("repairs", "matched"): 4})
    return traffic


def test_every_figure_is_there() -> None:
    """Under the name that Prometheus has for it, but for `_total`, and with the same labels."""
    families = busy().families()
    told = {key: value for key, value in parsed(generate_latest(Once(families))).items() if "_bucket" not in key[0]}
    found: dict[tuple[str, tuple[str, ...]], float] = {}
    for name, metric in exported(families).items():
        kind = metric.WhichOneof("data")
        for labels, point in points(getattr(metric, kind)).items():
            values = tuple(value for _, value in labels)
            if kind == "histogram":
                found[f"{name}_count", values], found[f"{name}_sum", values] = point.count, point.sum
            else:
                found[name + ("_total" if kind == "sum" else ""), values] = point.as_double
    assert found == told


def test_counters_grow_and_gauges_do_not() -> None:
    """What is counted is counted since the gateway began, and says so."""
    metrics = exported(busy().families())
    requests, connections = metrics["banyan_requests"], metrics["banyan_connections"]
    assert (requests.sum.is_monotonic, requests.sum.aggregation_temporality) == (True, 2)
    assert {(each.start_time_unix_nano, each.time_unix_nano) for each in requests.sum.data_points} == {SPAN}
    assert connections.WhichOneof("data") == "gauge"


def test_a_histogram_s_buckets_stand_apart() -> None:
    """Each counts what is in it alone, the last what is beyond all bounds; seconds are said to be seconds."""
    metric = exported(busy().families())["banyan_request_duration_seconds"]
    labels = (("role", "live"), ("route", "repairs"), ("side", "legacy"))
    point = points(metric.histogram)[labels]
    assert tuple(point.explicit_bounds) == BOUNDS
    assert list(point.bucket_counts) == [1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1]
    assert (point.count, round(point.sum, 3), metric.unit) == (5, 107.041, "s")
    assert (point.HasField("min"), point.HasField("max")) == (False, False)


def test_what_has_no_series_is_left_out() -> None:
    """There is nothing to say of it."""
    assert exported([GaugeMetricFamily("banyan_nothing", "Nothing.", labels=["route"])]) == {}


def test_a_kind_that_is_not_known_is_a_defect() -> None:
    """It would be left out in silence otherwise."""
    with pytest.raises(AssertionError, match="banyan_x is a info"):
        exported([InfoMetricFamily("banyan_x", "X.", {"a": "b"})])
