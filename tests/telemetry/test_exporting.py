"""What is exported waits for nobody, and nobody for it; the rest is seen from outside, in e2e/test_telemetry.py."""

import asyncio
import json
import logging
from collections.abc import Iterable
from functools import partial
from time import monotonic, time_ns

import pytest
import structlog
from prometheus_client.core import GaugeMetricFamily, Metric

from gateway.core.model import Estate, Gateway, Observation
from gateway.core.policies import Otlp
from gateway.telemetry import exporting
from gateway.telemetry.collector import Collector as Door
from gateway.telemetry.exporting import QUEUED, Telemetry
from tests.support.collector import Collector
from tests.support.observations import observed
from tests.support.origin import eventually

TRACED = b"a" * 32 + b"0" * 16


def figures() -> Iterable[Metric]:
    gauge = GaugeMetricFamily("banyan_x", "X.")
    gauge.add_metric([], 7.0)
    return [gauge]


def estate(otlp: Otlp | None) -> Estate:
    return Estate(Gateway(otlp=otlp), (), (), "d")


def batch(count: int) -> list[Observation]:
    return [observed(trace=TRACED + b"%016x" % number) for number in range(1, count + 1)]


def has_asked(collector: Collector, times: int) -> bool:
    return collector.asked >= times


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[structlog.typing.EventDict]:
    """What is logged meanwhile."""
    heard: list[structlog.typing.EventDict] = []

    def hear(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        heard.append({**event, "level": method})
        raise structlog.DropEvent

    monkeypatch.setattr(exporting, "log", lambda: structlog.wrap_logger(None, [hear]))
    return heard


async def test_nothing_is_begun_unless_it_is_asked_for() -> None:
    """What the data process tells goes by, and the end is at once."""
    telemetry = Telemetry(figures, "replica")
    telemetry.follow(estate(None))
    telemetry.observed(batch(3))
    began = monotonic()
    await telemetry.close()
    assert (telemetry.lost, monotonic() - began < 0.5) == (0, True)


async def test_what_is_not_traced_is_not_kept() -> None:
    """It costs one look."""
    with Collector() as collector:
        telemetry = Telemetry(figures, "replica")
        telemetry.follow(estate(Otlp(collector.url, metrics=None)))
        telemetry.observed([observed(), observed(trace=b""), *batch(2)])
        await telemetry.close()
        assert len(collector.spans) == 4
    assert telemetry.lost == 0


async def test_what_finds_no_room_is_lost_and_counted(events: list[structlog.typing.EventDict]) -> None:
    """A collector that hangs holds up neither who observes nor, for long, the end; that it was cut off is told."""
    with Collector(hangs=True) as collector:
        telemetry = Telemetry(figures, "replica")
        telemetry.follow(estate(Otlp(collector.url, metrics=None)))
        telemetry.observed(batch(600))
        assert await asyncio.to_thread(eventually, partial(has_asked, collector, 1), 10)
        began = monotonic()
        for _ in range(20):
            telemetry.observed(batch(1_000))
        assert monotonic() - began < 1
        assert telemetry.lost >= 20_000 - QUEUED
        await telemetry.close()
        assert monotonic() - began < exporting.LAST + 3
    assert [(each["event"], each["waiting"]) for each in events] == [("telemetry_cut_off", QUEUED)]


async def test_failing_is_told_once_and_so_is_its_end(events: list[structlog.typing.EventDict]) -> None:
    """With the reason, and of each signal alone; OpenTelemetry's own log stays silent."""
    with Collector() as collector:
        collector.status = 401
        telemetry = Telemetry(figures, "replica")
        telemetry.follow(estate(Otlp(collector.url, metrics=None)))
        for number in (1, 2):
            telemetry.observed(batch(600))
            assert await asyncio.to_thread(eventually, partial(has_asked, collector, number), 10)
        assert await asyncio.to_thread(eventually, lambda: telemetry.lost == 1_200, 10)
        collector.status = 200
        telemetry.observed(batch(1))
        await telemetry.close()
        assert len(collector.spans) == 2
    assert [(each["event"], each["level"]) for each in events] == [
        ("telemetry_not_taken", "warning"),
        ("telemetry_taken_again", "info"),
    ]
    assert (events[0]["signal"], events[0]["endpoint"]) == ("traces", collector.url)
    assert "401" in events[0]["why"]
    assert logging.getLogger("opentelemetry").propagate is False


async def test_a_defect_is_told(events: list[structlog.typing.EventDict]) -> None:
    """Nobody waits for the thread, so nobody else would notice."""

    def broken() -> Iterable[Metric]:
        raise ZeroDivisionError

    with Collector() as collector:
        telemetry = Telemetry(broken, "replica")
        telemetry.follow(estate(Otlp(collector.url)))
        await telemetry.close()
    assert [each["event"] for each in events] == ["telemetry_failed"]


async def test_another_collector_takes_over() -> None:
    """What waited for the old one is still sent there; the same settings change nothing."""
    with Collector() as one, Collector() as two:
        telemetry = Telemetry(figures, "replica")
        for otlp in (Otlp(one.url, metrics=None), Otlp(one.url, metrics=None), Otlp(two.url)):
            telemetry.follow(estate(otlp))
            telemetry.observed(batch(1))
        await telemetry.close()
        assert (len(one.spans), len(two.spans)) == (4, 2)
        assert two.points()["banyan_x"][()].as_double == 7.0


def test_an_address_may_be_a_key() -> None:
    """What is told of a failure does not repeat it."""
    door = Door(Otlp("http://127.0.0.1:1/s3cret"), "replica", time_ns())
    why = door.take_metrics(figures())
    door.close()
    assert "s3cret" not in why
    assert "127.0.0.1" in why


def test_what_the_environment_says_of_this_gateway_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By OpenTelemetry's own variables; otherwise it is banyan, and which."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "gateway-blue")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=live")
    door = Door(Otlp("http://127.0.0.1:1"), "replica", time_ns())
    door.close()
    told = json.loads(door.resource.to_json())["attributes"]
    assert told["service.name"] == "gateway-blue"
    assert (told["service.instance.id"], told["deployment.environment.name"]) == ("replica", "live")
