"""What is told of a traced request: on the wire, in its observations, and to who gets it later."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.core.model import BUCKETS, Gateway, Serve
from gateway.core.policies import CachePolicy, Otlp, Writes
from gateway.core.tracing import Traced, traced_of
from gateway.core.writing import Intent
from tests.support.messages import answer
from tests.support.origin import Origin
from tests.support.serving import Serving
from tests.support.values import route

FAILS = answer(b"no", status=500)


@pytest.fixture
def legacy() -> Iterator[Origin]:
    with Origin() as found:
        yield found


@pytest.fixture
def new() -> Iterator[Origin]:
    with Origin() as found:
        yield found


@asynccontextmanager
async def tracing(legacy: Origin, new: Origin, **more: Any) -> AsyncIterator[Serving]:
    """Everything is traced."""
    gateway = Gateway(served_by=False, otlp=Otlp("http://collector", traces=BUCKETS))
    given = route("ANY /**", **({"serve": Serve.LEGACY} | more))
    found = Serving({"office": legacy, "repairs": new}, given, gateway=gateway)
    await found.open()
    try:
        yield found
    finally:
        await found.close()


def traces(serving: Serving) -> list[Traced]:
    serving.recorder.flush()
    found = [traced_of(each.trace) for each in serving.seen]
    return [each for each in found if each is not None]


def told(origin: Origin) -> list[str | None]:
    return [each.get("traceparent") for each in origin.requests]


def traceparent(traced: Traced) -> str:
    return f"00-{traced.trace.decode()}-{traced.attempt.decode()}-01"


async def test_each_backend_is_told_of_its_own_attempt(legacy: Origin, new: Origin) -> None:
    """Both attempts belong to one request, which ends with the second."""
    new.on("/a", FAILS)
    async with tracing(legacy, new, serve=Serve.NEW, fallback=True) as serving:
        await serving.get("/a", until=b"ok")
        first, second = traces(serving)
    assert (told(new), told(legacy)) == ([traceparent(first)], [traceparent(second)])
    assert (first.request, first.finished, second.finished) == (second.request, False, True)


async def test_a_request_ends_with_the_answer_that_stands_in(legacy: Origin, new: Origin) -> None:
    """Not with the attempt that failed."""
    legacy.on("/a", answer(b"kept", "Cache-Control: max-age=0"))
    async with tracing(legacy, new, cache=CachePolicy(ttl=60.0, stale_if_error=600.0)) as serving:
        await serving.get("/a", until=b"kept")
        legacy.on("/a", FAILS)
        await serving.get("/a", until=b"kept")
        _, failed, stood_in = traces(serving)
    assert [each.role for each in serving.seen] == ["live", "live", "cached"]
    assert (failed.request, failed.finished, stood_in.finished) == (stood_in.request, False, True)


async def test_a_write_that_is_delivered_later_belongs_to_its_request(legacy: Origin, new: Origin) -> None:
    """The attempt that its record saw has ended by then."""
    async with tracing(legacy, new, writes=Writes(copy=True)) as serving:
        await serving.ask(b"PUT /a HTTP/1.1\r\nHost: api.example\r\nContent-Length: 2\r\n\r\nhi", b"ok")
        (traced,) = traces(serving)
    assert told(legacy) == [traceparent(traced)]
    intent = serving.asked[0]
    assert isinstance(intent, Intent)
    assert intent.kept.lines.endswith(b"-%b-01\r\n" % traced.request)


async def test_what_cannot_be_read_is_traced_too(legacy: Origin, new: Origin) -> None:
    """The gateway answers it, and that took its time."""
    async with tracing(legacy, new) as serving:
        await serving.ask(b"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400")
        (traced,) = traces(serving)
    assert (traced.parent, traced.finished, legacy.requests) == (b"", True, [])
