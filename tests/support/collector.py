"""An OpenTelemetry collector on loopback that keeps what it is sent, decoded from protobuf."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.origin import eventually

KINDS = {2: "server", 3: "client"}
Labels = tuple[tuple[str, str], ...]


class Seen(NamedTuple):
    """A span as it was exported; ids are hexadecimal digits, `parent` "" where it has none; `failed` by its status."""

    kind: str
    name: str
    trace: str
    id: str
    parent: str
    begin: int
    end: int
    failed: bool
    attributes: dict[str, Any]
    flags: int


def decoded(body: bytes) -> list[Seen]:
    """The spans of an export."""
    message = ExportTraceServiceRequest.FromString(body)
    return [
        Seen(
            KINDS[each.kind],
            each.name,
            each.trace_id.hex(),
            each.span_id.hex(),
            each.parent_span_id.hex(),
            each.start_time_unix_nano,
            each.end_time_unix_nano,
            each.status.code == 2,
            attributes_of(each.attributes),
            each.flags,
        )
        for resource in message.resource_spans
        for scope in resource.scope_spans
        for each in scope.spans
    ]


def attributes_of(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


def labels_of(pairs: Any) -> Labels:
    return tuple(sorted((name, str(value)) for name, value in attributes_of(pairs).items()))


class Collector:
    """Listens until it is stopped. With `hangs` it reads requests and never answers; `status` is what it answers."""

    def __init__(self, *, hangs: bool = False, port: int = 0) -> None:
        self.status = 200
        self.traces: list[bytes] = []
        self.metrics: list[bytes] = []
        self.fields: list[dict[str, str]] = []
        self.asked = 0
        self._released = threading.Event()
        if not hangs:
            self._released.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.asked += 1
                collector._released.wait(30)
                if collector.status == 200:
                    kept = {"/v1/traces": collector.traces, "/v1/metrics": collector.metrics}[self.path]
                    collector.fields.append({name.lower(): value for name, value in self.headers.items()})
                    kept.append(body)
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Tests say what they expect by themselves."""

        return Handler

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    # -------------------------------------------------------------------------------------------- what a test uses

    @property
    def spans(self) -> list[Seen]:
        return [span for body in list(self.traces) for span in decoded(body)]

    def trace(self, trace: str, count: int, within: float = 5.0) -> list[Seen]:
        """The spans of a trace, in order of their beginning, once there are so many."""
        assert eventually(lambda: len(self._of(trace)) >= count, within), f"of {trace}: {self._of(trace)}"
        return sorted(self._of(trace), key=lambda span: (span.begin, span.kind != "server"))

    def _of(self, trace: str) -> list[Seen]:
        return [span for span in self.spans if span.trace == trace]

    @property
    def resource(self) -> dict[str, Any]:
        """What the latest traces say of whoever sent them."""
        return attributes_of(
            ExportTraceServiceRequest.FromString(self.traces[-1]).resource_spans[0].resource.attributes
        )

    def points(self) -> dict[str, dict[Labels, Any]]:
        """The latest metrics: the points of each, by their labels."""
        message = ExportMetricsServiceRequest.FromString(self.metrics[-1])
        found: dict[str, dict[Labels, Any]] = {}
        for metric in message.resource_metrics[0].scope_metrics[0].metrics:
            points = getattr(metric, metric.WhichOneof("data")).data_points
            found[metric.name] = {labels_of(point.attributes): point for point in points}
        return found
