"""The metrics of `metrics.py` as OpenTelemetry has them: the same figures under the same names, counted once.

Everything is cumulative, as it is to Prometheus. A counter's name loses its `_total`, which whoever stores it for
Prometheus puts behind it again.
"""

from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Metric as OtelMetric
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.core import Metric

from gateway import __version__

Span = tuple[int, int]
"""When counting began, and now: nanoseconds since 1970."""
_SCOPE = InstrumentationScope("banyan", __version__)
_NOT_KNOWN: Any = None  # the least and the greatest value of a histogram, which are optional


def metrics_data(families: Iterable[Metric], resource: Resource, span: Span) -> MetricsData:
    """All that there is to say, without metrics that have no series yet."""
    metrics = [_metric(family, span) for family in families if family.samples]
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(_SCOPE, metrics, "")], "")])


def _metric(family: Metric, span: Span) -> OtelMetric:
    unit = "s" if family.name.endswith("_seconds") else ""
    return OtelMetric(family.name, family.documentation, unit, _data(family, span))


def _data(family: Metric, span: Span) -> Sum | Gauge | Histogram:
    cumulative = AggregationTemporality.CUMULATIVE
    match family.type:
        case "counter":
            return Sum(_numbers(family, span), cumulative, is_monotonic=True)
        case "histogram":
            return Histogram(_histograms(family, span), cumulative)
        case "gauge":
            return Gauge(_numbers(family, span))
        case other:
            raise AssertionError(f"{family.name} is a {other}, which no metric of this gateway is")


def _numbers(family: Metric, span: Span) -> list[NumberDataPoint]:
    return [NumberDataPoint(each.labels, *span, float(each.value)) for each in family.samples]


def _histograms(family: Metric, span: Span) -> list[HistogramDataPoint]:
    """A point for each series: Prometheus' buckets add up what is below their bound, OpenTelemetry's do not."""
    series: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for sample in family.samples:
        labels = tuple((name, value) for name, value in sample.labels.items() if name != "le")
        found = series.setdefault(labels, {"bounds": [], "counts": [], "sum": 0.0})
        if sample.name.endswith("_bucket"):
            found["bounds"].append(float(sample.labels["le"]))
            found["counts"].append(int(sample.value))
        elif sample.name.endswith("_sum"):
            found["sum"] = sample.value
    return [_histogram(dict(labels), found, span) for labels, found in series.items()]


def _histogram(labels: Mapping[str, str], found: Mapping[str, Any], span: Span) -> HistogramDataPoint:
    counts: list[int] = found["counts"]
    apart = [count - before for count, before in zip(counts, [0, *counts], strict=False)]
    bounds = [bound for bound in found["bounds"] if bound != inf]
    return HistogramDataPoint(labels, *span, counts[-1], found["sum"], apart, bounds, _NOT_KNOWN, _NOT_KNOWN)
