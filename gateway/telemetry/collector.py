"""The one door to OpenTelemetry's exporters: what is sent to a collector, and why it was not taken.

They never raise for what a collector does, but tell Python's log, each time. That is kept from being written anywhere:
the last failed export's first complaint is why it failed.
"""

import logging
from collections.abc import Iterable
from threading import local
from time import time_ns

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import MetricExportResult
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from prometheus_client.core import Metric

from gateway import __version__
from gateway.core.policies import Otlp
from gateway.telemetry.points import metrics_data

TIMEOUT = 5.0
"""Seconds that one export may take, with all that is tried again meanwhile."""
_LONGEST = 300


class _Complaints(logging.Handler):
    """What the exporters complain of in the thread that asks."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._heard = local()

    def emit(self, record: logging.LogRecord) -> None:
        if not hasattr(self._heard, "first"):
            self._heard.first = record.getMessage()

    def taken(self) -> str:
        """The first one since this was asked last."""
        found: str = self._heard.__dict__.pop("first", "")
        return found


_COMPLAINTS = _Complaints()


def _listen() -> None:
    logger = logging.getLogger("opentelemetry")
    if _COMPLAINTS not in logger.handlers:
        logger.addHandler(_COMPLAINTS)
        logger.propagate = False


class Collector:
    """A collector, as `otlp` says. What this gateway calls itself may be said by OTEL_SERVICE_NAME and
    OTEL_RESOURCE_ATTRIBUTES; certificates and compression are those of OpenTelemetry's variables as well."""

    def __init__(self, otlp: Otlp, instance: str, began: int) -> None:
        _listen()
        ours = {"service.name": "banyan", "service.version": __version__, "service.instance.id": instance}
        self.resource = Resource(ours).merge(OTELResourceDetector().detect())
        self._began = began
        self._path = otlp.endpoint.partition("://")[2].partition("/")[2]
        headers = dict(otlp.headers)
        self._traces = OTLPSpanExporter(f"{otlp.endpoint}/v1/traces", headers=headers, timeout=TIMEOUT)
        self._metrics = OTLPMetricExporter(f"{otlp.endpoint}/v1/metrics", headers=headers, timeout=TIMEOUT)

    def take_spans(self, spans: list[ReadableSpan]) -> str:
        """Send spans; why they were not taken, "" when they were."""
        return self._why(self._traces.export(spans) is SpanExportResult.SUCCESS)

    def take_metrics(self, families: Iterable[Metric]) -> str:
        """Send metrics; why they were not taken, "" when they were."""
        data = metrics_data(families, self.resource, (self._began, time_ns()))
        return self._why(self._metrics.export(data) is MetricExportResult.SUCCESS)

    def _why(self, taken: bool) -> str:
        complaint = _COMPLAINTS.taken() or "no reason was given"
        if self._path:  # it may be a key
            complaint = complaint.replace(self._path, "***")
        return "" if taken else complaint[:_LONGEST]

    def close(self) -> None:
        self._traces.shutdown()  # type: ignore[no-untyped-call]
        self._metrics.shutdown()
