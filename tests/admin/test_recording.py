"""Captures and replays over the control socket: a JSON value a line, for as long as somebody listens."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.admin import recording
from gateway.admin.api import admin_app, command_app
from gateway.core.captured import CapturedRequest
from tests.admin.fakes import FakeSteering, written
from tests.support.recorded import har, judged, passed

HAR = json.dumps(har("/repairs", "/repairs?page=2", "/elsewhere")).encode()


@pytest.fixture
def steering(tmp_path: Path) -> FakeSteering:
    return FakeSteering(written(tmp_path))


@pytest.fixture
async def client(steering: FakeSteering) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(command_app(steering))) as client:
        yield client


def answering(steering: FakeSteering) -> Callable[[tuple[Any, ...]], None]:
    """A data process that matches every replayed request, and hands over two requests to whoever captures."""

    def ordered(message: tuple[Any, ...]) -> None:
        loop = asyncio.get_running_loop()
        match message:
            case ("replay", str(route), CapturedRequest(), _):
                loop.call_later(0.01, lambda: steering.replays.judged([judged(route=route)]))
            case ("capture", int(number), _, _, _):
                loop.call_soon(steering.captures.captured, number, [passed(b"/1"), passed(b"/2")], {"no_room": 1})

    return ordered


async def lines(client: TestClient[Any, Any], path: str, body: bytes = b"") -> list[dict[str, Any]]:
    async with client.post(path, data=body) as answer:
        assert answer.status == 200, await answer.text()
        return [json.loads(line) async for line in answer.content]


async def test_a_capture_is_told_as_it_comes(client: TestClient[Any, Any], steering: FakeSteering) -> None:
    """Documents with what came since the last one, until there are enough."""
    steering.ordered = answering(steering)
    told = await lines(client, "/api/v1/capture?route=list&most=2&seconds=5&every=1&bodies=1")
    assert [(each["captured"], each["ended"]) for each in told] == [(0, ""), (2, "enough")]
    assert [entry["request"]["url"] for entry in told[-1]["har"]["log"]["entries"]] == [
        "http://api.example/1",
        "http://api.example/2",
    ]
    assert told[-1]["dropped"] == {"no_room": 1}
    assert steering.orders[0][2:] == ("list", 2, True)


async def test_a_capture_ends_with_its_listener(client: TestClient[Any, Any], steering: FakeSteering) -> None:
    """A connection that is gone wants nothing any more."""
    answer = await client.post("/api/v1/capture?route=list")
    await answer.content.readline()
    answer.close()
    async with asyncio.timeout(5):
        while steering.orders[-1][0] != "capture_ends":  # noqa: ASYNC110 - another task gives the order
            await asyncio.sleep(0.01)


async def test_a_replay_is_told_as_it_goes(client: TestClient[Any, Any], steering: FakeSteering) -> None:
    """First what is left out, then how far it is, and at last that it has ended."""
    steering.ordered = answering(steering)
    told = await lines(client, "/api/v1/replay?route=list&rate=500", HAR)
    assert told[0] == {"left_out": [{"entry": 3, "why": "the route everything takes it"}]}
    assert told[-1] == {
        "total": 2,
        "sent": 2,
        "verdicts": {"matched": 2},
        "reasons": {},
        "shapes": {"200 many": 2},
        "fields": [],
        "ended": True,
        "clean": True,
    }


async def test_a_replay_may_be_cut_short(client: TestClient[Any, Any], steering: FakeSteering) -> None:
    """By a number of requests."""
    steering.ordered = answering(steering)
    assert (await lines(client, "/api/v1/replay?route=list&limit=1", HAR))[-1]["sent"] == 1


async def test_what_fails_on_the_way_is_the_last_line(client: TestClient[Any, Any], steering: FakeSteering) -> None:
    """The status has been told by then."""
    steering.serving = False
    told = await lines(client, "/api/v1/replay?route=list", HAR)
    assert list(told[-1]) == ["error"]
    assert "banyan status" in told[-1]["error"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("capture", "no route ''"),
        ("capture?route=x", "no route 'x'"),
        ("capture?route=list&most=0", "1 to 100000"),
        ("capture?route=list&most=many", "`most` must be a number"),
        ("capture?route=list&seconds=nan", "`seconds` must be a number"),
        ("replay?route=x", "no route 'x'"),
        ("replay?route=everything", "two sides"),
        ("replay?route=list&rate=0", "up to 1000 requests a second"),
        ("replay?route=list&rate=1001", "up to 1000 requests a second"),
        ("replay?route=list&limit=-1", "`limit` must be a number"),
    ],
)
async def test_what_cannot_be_done_is_a_problem(client: TestClient[Any, Any], path: str, why: str) -> None:
    """Told before anything begins, with what is wrong."""
    async with client.post(f"/api/v1/{path}", data=HAR) as answer:
        assert answer.status == 400
        assert why in (await answer.json())["detail"]


async def test_a_file_that_is_too_large_is_refused(
    client: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is in the configuration; what is no HAR is, too."""
    monkeypatch.setattr(recording, "LARGEST_HAR", len(HAR) - 1)
    for body, why in ((HAR, "larger than"), (b"no HAR", "not JSON")):
        async with client.post("/api/v1/replay?route=list", data=body) as answer:
            assert (answer.status, why in (await answer.json())["detail"]) == (400, True)


async def test_nobody_records_unasked(steering: FakeSteering) -> None:
    """Both look into what passes: nobody who has not signed in does that."""
    async with TestClient(TestServer(admin_app(steering))) as client:
        for path in ("capture", "replay"):
            assert (await client.post(f"/api/v1/{path}?route=list")).status == 401
    assert steering.orders == []
