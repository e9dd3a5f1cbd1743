"""Traces and metrics at a collector: linked with what clients brought and backends were told, and in nobody's way."""

import re
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import pytest

from benchmarks.ports import free_port
from tests.support.collector import Collector, Seen
from tests.support.gateway import Gateway, one_backend
from tests.support.messages import answer
from tests.support.origin import Origin, eventually

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e47", "00f067aa0ba902b7"
TOKEN = "Bearer hunter2"


class Estate(NamedTuple):
    gateway: Gateway
    collector: Collector
    old: Origin
    new: Origin


def routes(old: str, new: str, otlp: str) -> str:
    return f"""version: 1
gateway: {{access_log: {{to: stdout}}, otlp: {{{otlp}}}}}
backends:
  old: {{url: "{old}"}}
  new: {{url: "{new}"}}
routes:
  - {{name: all, match: ANY /**, legacy: old}}
  - {{name: repair, match: "GET /repairs/{{id}}", legacy: old, new: new, serve: new, fallback: true}}
  - name: kept
    match: GET /kept
    legacy: old
    cache: {{ttl: 1m}}
  - {{name: shadowed, match: GET /shadowed, legacy: old, new: new, shadow: 100%}}
"""


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Collector() as collector, Origin() as old, Origin() as new:
        headers = 'headers: {Authorization: "Bearer ${OTLP_TOKEN}"}'
        text = routes(old.url, new.url, f'endpoint: "{collector.url}", {headers}, traces: 100%, metrics: 1s')
        with Gateway(tmp_path_factory.mktemp("gateway"), text, OTLP_TOKEN="hunter2") as gateway:
            yield Estate(gateway, collector, old, new)


def brought(number: int, flags: str = "01") -> tuple[str, str]:
    """A trace of its own, and the field that a client brings it with."""
    trace = f"{TRACE}{number:02x}"
    return trace, f"traceparent: 00-{trace}-{PARENT}-{flags}"


def told(origin: Origin, path: str) -> list[str]:
    """The traceparent of each request that a backend saw."""
    return [each.get("traceparent") or "" for each in origin.seen(path)]


# ------------------------------------------------------------------------------------------------ traces


def test_a_trace_goes_through_the_gateway(estate: Estate) -> None:
    """The client's span, the gateway's, its attempt and the backend's are one line; the backend is told the attempt."""
    trace, field = brought(1)
    estate.gateway.get("/tenancies/17", field)
    request, attempt = estate.collector.trace(trace, 2)
    assert (request.kind, request.parent) == ("server", PARENT)
    assert (attempt.kind, attempt.parent) == ("client", request.id)
    assert told(estate.old, "/tenancies/17") == [f"00-{trace}-{attempt.id}-01"]
    assert request.begin == attempt.begin < attempt.end == request.end


def test_spans_say_what_and_where(estate: Estate) -> None:
    """The route in place of the path, and the names that OpenTelemetry gave to what HTTP has."""
    trace, field = brought(2)
    estate.new.on("/repairs/4711", answer(b"fixed"))
    estate.gateway.get("/repairs/4711", field)
    request, attempt = estate.collector.trace(trace, 2)
    ours = {"banyan.route": "repair", "banyan.side": "new", "banyan.role": "live", "banyan.backend": "new"}
    came = {"http.request.method": "GET", "http.response.status_code": 200, "url.scheme": "http"}
    assert (request.name, request.failed) == ("GET /repairs/{id}", False)
    assert request.attributes == came | {"http.route": "/repairs/{id}", "banyan.outcome": "ok"} | ours
    assert (attempt.name, attempt.failed) == ("GET /repairs/{id}", False)
    where = {"server.address": "127.0.0.1", "server.port": estate.new.port, "url.template": "/repairs/{id}"}
    assert came | where | ours == {name: attempt.attributes[name] for name in came | where | ours}
    assert 0 < attempt.attributes["banyan.first_byte"] < 5


def test_a_path_is_never_exported(estate: Estate) -> None:
    """It may say whose repair it is; nor is its query, nor what else the client sent."""
    trace, field = brought(3)
    estate.gateway.get("/tenancies/john.smith?born=1970", field, "Cookie: session=s3cret")
    estate.collector.trace(trace, 2)
    everything = b"".join(estate.collector.traces + estate.collector.metrics)
    assert [word for word in (b"john", b"1970", b"s3cret", b"tenancies") if word in everything] == []


def test_a_fallback_is_two_attempts_of_one_request(estate: Estate) -> None:
    """Each backend is told its own; the second begins where the first had failed."""
    trace, field = brought(4)
    estate.new.on("/repairs/1", answer(b"", status=503))
    assert estate.gateway.get("/repairs/1", field).status == 200
    request, first, second = estate.collector.trace(trace, 3)
    assert {first.parent, second.parent} == {request.id}
    assert told(estate.new, "/repairs/1") == [f"00-{trace}-{first.id}-01"]
    assert told(estate.old, "/repairs/1") == [f"00-{trace}-{second.id}-01"]
    assert (first.failed, first.attributes["error.type"], first.attributes["banyan.side"]) == (True, "503", "new")
    assert (second.failed, second.attributes["banyan.role"], second.attributes["banyan.side"]) == (
        False,
        "fallback",
        "legacy",
    )
    assert request.begin == first.begin < first.end == second.begin < second.end == request.end
    assert (request.failed, request.attributes["http.response.status_code"]) == (False, 200)


def test_a_copy_is_part_of_the_trace(estate: Estate) -> None:
    """The side that does not serve is told of an attempt of its own, under the request whose copy it got."""
    spans: list[Seen] = []
    for number in range(0xA0, 0xB0):  # copies are sent when there is time for them
        trace, field = brought(number)
        estate.gateway.get("/shadowed", field)
        if eventually(lambda trace=trace: trace in "".join(told(estate.new, "/shadowed")), 1):  # type: ignore[misc]
            spans = estate.collector.trace(trace, 3)
            break
    request, attempt, copy = spans
    assert (copy.parent, attempt.parent) == (request.id, request.id)
    assert (copy.attributes["banyan.role"], copy.attributes["banyan.side"]) == ("shadow", "new")
    assert told(estate.new, "/shadowed")[-1] == f"00-{request.trace}-{copy.id}-01"


def test_what_no_backend_was_asked_is_one_span(estate: Estate) -> None:
    """A kept answer, and a refusal, which is no failure of the gateway's."""
    estate.old.on("/kept", answer(b"k", "Cache-Control: max-age=60"))
    estate.gateway.get("/kept")
    kept, field = brought(5)
    estate.gateway.get("/kept", field)
    refused, other = brought(6)
    estate.gateway.get("/a/%2e%2e/b", other)
    (one,) = estate.collector.trace(kept, 1)
    assert (one.kind, one.attributes["banyan.role"]) == ("server", "cached")
    (two,) = estate.collector.trace(refused, 1)
    assert (two.name, two.failed, two.attributes["http.response.status_code"]) == ("GET", False, 400)


def test_a_backend_that_fails_is_told_apart_from_the_gateway(estate: Estate) -> None:
    """The attempt has no status, since nothing came; the request has the one that the client got."""
    estate.old.on("/broken", lambda talk: talk.reset())
    trace, field = brought(7)
    assert estate.gateway.get("/broken", field).status == 502
    request, attempt = estate.collector.trace(trace, 2)
    assert (request.failed, request.attributes["http.response.status_code"]) == (True, 502)
    assert attempt.failed
    assert "http.response.status_code" not in attempt.attributes
    assert request.attributes["error.type"] == attempt.attributes["error.type"]


def test_a_trace_begins_at_the_gateway(estate: Estate) -> None:
    """Of the share that is wanted, which is all of them here; the access record has its id."""
    estate.gateway.get("/begins/here")
    (seen,) = told(estate.old, "/begins/here")
    found = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01", seen)
    assert found is not None
    request, attempt = estate.collector.trace(found[1], 2)
    assert (request.parent, attempt.id) == ("", found[2])
    assert eventually(lambda: found[1] in {each["trace_id"] for each in estate.gateway.access_log})


def test_a_trace_that_the_client_does_not_record_is_left_alone(estate: Estate) -> None:
    """It passes as it came, and nothing of it is exported."""
    trace, field = brought(8, "00")
    estate.gateway.get("/unrecorded", field)
    assert told(estate.old, "/unrecorded") == [field.partition(": ")[2]]
    later, recorded = brought(9)
    estate.gateway.get("/recorded", recorded)
    estate.collector.trace(later, 2)
    assert [span for span in estate.collector.spans if span.trace == trace] == []


# ------------------------------------------------------------------------------------------------ metrics, settings


def test_metrics_are_those_of_prometheus(estate: Estate) -> None:
    """The same figures under the same names: nothing is counted twice."""
    for _ in range(3):
        estate.gateway.get("/counted")
    labels = {"route": "all", "side": "legacy", "backend": "old", "role": "live", "code_class": "2xx"}
    key = tuple(sorted(labels.items()))
    series = 'banyan_requests_total{backend="old",code_class="2xx",role="live",route="all",side="legacy"}'

    def both() -> tuple[float | None, float | None]:
        point = estate.collector.points()["banyan_requests"].get(key) if estate.collector.metrics else None
        return estate.gateway.metric(series), None if point is None else point.as_double

    assert eventually(lambda: both()[0] == both()[1] and (both()[0] or 0) >= 3, 8)
    points = estate.collector.points()
    (histogram,) = [point for at, point in points["banyan_request_duration_seconds"].items() if ("route", "all") in at]
    assert histogram.count == sum(histogram.bucket_counts) > 0
    assert len(histogram.bucket_counts) == len(histogram.explicit_bounds) + 1
    assert points["banyan_data_process_up"][()].as_double == 1


def test_a_collector_is_shown_what_it_asks_for(estate: Estate) -> None:
    """The token out of the environment; who shows the settings shows nothing of it."""
    assert eventually(lambda: bool(estate.collector.traces and estate.collector.metrics))
    assert {fields.get("authorization") for fields in estate.collector.fields} == {TOKEN}
    assert estate.collector.resource["service.name"] == "banyan"
    assert estate.collector.resource["service.instance.id"]
    shown = estate.gateway.look("/api/v1/estate")[1]
    assert ("hunter2" in shown, '"Authorization": "***"' in shown.replace('":"', '": "')) == (False, True)
    assert "hunter2" not in estate.gateway.log


def test_the_data_process_has_nothing_of_it(estate: Estate) -> None:
    """OpenTelemetry's code is control's alone."""
    control = estate.gateway.process
    assert control is not None
    assert loaded(control.pid)
    assert not loaded(estate.gateway.data_pid)


def loaded(pid: int) -> bool:
    """Whether a process has protobuf's machine code in its memory."""
    return "/_upb/" in Path(f"/proc/{pid}/maps").read_text()


# ------------------------------------------------------------------------------------------------ collectors that fail


def test_by_default_there_is_nothing(origin: Origin, gateway: Gateway) -> None:
    """No thread, no import, and traces pass as they came."""
    _, field = brought(1)
    gateway.get("/untraced", field)
    assert told(origin, "/untraced") == [field.partition(": ")[2]]
    assert gateway.process is not None
    assert not loaded(gateway.process.pid)
    assert "telemetry" not in {
        thread.read_text().strip() for thread in Path(f"/proc/{gateway.process.pid}/task").glob("*/comm")
    }


@pytest.mark.parametrize(
    ("trouble", "metrics", "signals"),
    [("nobody listens", "off", ["traces"]), ("hangs", "off", ["traces"]), ("refuses", "1s", ["metrics", "traces"])],
)
def test_a_collector_in_trouble_holds_up_nothing(
    origin: Origin, tmp_path: Path, trouble: str, metrics: str, signals: list[str]
) -> None:
    """Requests are answered, probes too; one line tells of it for each signal, what is lost is counted, and the end is
    not put off for long."""
    with Collector(hangs=trouble == "hangs") as collector:
        collector.status = 400
        endpoint = f"http://127.0.0.1:{free_port()}" if trouble == "nobody listens" else collector.url
        otlp = f'otlp: {{endpoint: "{endpoint}", traces: 100%, metrics: {metrics}}}'
        with Gateway(tmp_path, one_backend(origin, gateway=otlp)) as gateway:
            slowest, until = 0.0, monotonic() + 30
            while gateway.log.count("telemetry_not_taken") < len(signals) and monotonic() < until:
                began = monotonic()
                assert gateway.get("/in-trouble").status == 200
                assert gateway.look("/livez")[0] == 200
                slowest = max(slowest, monotonic() - began)
                sleep(0.02)
            assert slowest < 2.5  # an export is given up after five seconds
            assert eventually(lambda: (gateway.metric("banyan_spans_dropped_total") or 0) > 0)
            sleep(2.5)  # there is more that is not taken, and no more is said
            said = [each for each in gateway.events if each["event"] == "telemetry_not_taken"]
            assert sorted(each["signal"] for each in said) == signals
            assert all(each["why"] for each in said)
            assert "Traceback" not in gateway.log
            began = monotonic()
            gateway.terminate()
            assert gateway.wait(15) == 0
            assert monotonic() - began < 10


def test_a_collector_that_comes_back_is_told_of(origin: Origin, tmp_path: Path) -> None:
    """Once, with what was lost; what comes afterwards arrives."""
    port = free_port()
    otlp = f'otlp: {{endpoint: "http://127.0.0.1:{port}", traces: 100%, metrics: off}}'
    with Gateway(tmp_path, one_backend(origin, gateway=otlp)) as gateway:
        gateway.get("/lost")
        assert eventually(lambda: "telemetry_not_taken" in gateway.log, 10)
        with Collector(port=port) as collector:
            trace, field = brought(1)
            gateway.get("/found", field)
            collector.trace(trace, 2, within=10)
            assert eventually(lambda: "telemetry_taken_again" in gateway.log)
            assert collector.metrics == []


def test_what_is_left_is_sent_at_the_end(origin: Origin, tmp_path: Path) -> None:
    """The last request's spans, and the last figures."""
    with Collector() as collector:
        otlp = f'otlp: {{endpoint: "{collector.url}", traces: 0%, metrics: 1h}}'
        with Gateway(tmp_path, one_backend(origin, gateway=otlp)) as gateway:
            trace, field = brought(1)
            gateway.get("/last", field)
            gateway.terminate()
            assert gateway.wait(15) == 0
        spans: list[Seen] = collector.trace(trace, 2, within=0.1)
        assert [span.kind for span in spans] == ["server", "client"]
        labels = (
            ("backend", "one"),
            ("code_class", "2xx"),
            ("role", "live"),
            ("route", "everything"),
            ("side", "legacy"),
        )
        assert collector.points()["banyan_requests"][labels].as_double == 1


def test_exporting_follows_the_file(origin: Origin, tmp_path: Path) -> None:
    """It begins, changes its collector and ends without a restart."""
    with Collector() as one, Collector() as two, Gateway(tmp_path, one_backend(origin)) as gateway:
        for number, collector in enumerate((one, two), 1):
            gateway.edit(one_backend(origin, gateway=f'otlp: {{endpoint: "{collector.url}", metrics: off}}'))
            trace, field = brought(number)
            gateway.get("/followed", field)
            collector.trace(trace, 2)
        gateway.edit(one_backend(origin))
        _, field = brought(3)
        gateway.get("/followed", field)
        assert told(origin, "/followed")[-1] == field.partition(": ")[2]
        assert (len(one.spans), len(two.spans)) == (2, 2)
