"""Replays on a schedule, with a clock that is handed in."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from structlog.testing import capture_logs

from gateway.core.matching import RoutingTable
from gateway.core.policies import Replay
from gateway.core.replaying import DAY
from gateway.errors import StoreUnavailable
from gateway.rollouts import replaying
from gateway.rollouts.daily import LATE, Daily
from gateway.rollouts.replaying import Replays
from gateway.store.repository import Store
from tests.support.recorded import Answering, har, idle_judge
from tests.support.values import route, table

HALF_PAST_TWO = 150 * 60.0


class Marks:
    """The store, as far as days are claimed in it: shared by replicas, kept over restarts."""

    def __init__(self) -> None:
        self.days: dict[str, int] = {}
        self.failing = False
        self.asked = 0

    async def claim_day(self, what: str, day: int) -> bool:
        self.asked += 1
        if self.failing:
            raise StoreUnavailable("The store is down.")
        known = self.days.setdefault(what, day)
        self.days[what] = max(known, day)
        return day > known


class Gateway:
    """One replica: what it replayed, and a clock."""

    def __init__(self, marks: Marks | None, served: RoutingTable, now: float) -> None:
        self.now = now
        self.data = Answering()
        self.data.replays = Replays(self.data.send, idle_judge(), lambda: None)
        self.daily = Daily(self.data.replays, lambda: served, lambda: cast(Store | None, marks), lambda: self.now)

    async def look(self, now: float) -> list[bytes]:
        """What is replayed when it looks at the clock then."""
        self.now = now
        before = len(self.data.requests)
        await self.daily.look()
        async with asyncio.timeout(10):
            while self.daily._tasks:  # noqa: ASYNC110 - nothing tells when the last one ends
                await asyncio.sleep(0.005)
        return [each.target for each in self.data.requests[before:]]


Served = Callable[..., RoutingTable]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    """A table with a route that replays two requests at half past two, and others at other times."""
    monkeypatch.setattr(replaying, "TOLD", 0.01)

    def made(**others: int) -> RoutingTable:
        routes = []
        for name, minute in {"a": 150, **others}.items():
            path = tmp_path / f"{name}.har"
            path.write_text(json.dumps(har(f"/{name}?1", f"/{name}?2", "/none")))
            routes.append(route(f"GET /{name}", name=name, replay=Replay(str(path), minute)))
        return table(*routes, route("GET /never"))

    return made


async def test_a_replay_begins_at_its_minute(served: Served) -> None:
    """Every day, once: however often the clock is looked at."""
    gateway = Gateway(Marks(), served(), 0.0)
    assert await gateway.look(10 * DAY) == []
    assert await gateway.look(10 * DAY + HALF_PAST_TWO - 1) == []
    assert await gateway.look(10 * DAY + HALF_PAST_TWO) == [b"/a?1", b"/a?2"]
    assert await gateway.look(10 * DAY + HALF_PAST_TWO + 10) == []
    assert await gateway.look(11 * DAY) == []
    assert await gateway.look(11 * DAY + HALF_PAST_TWO + 5) == [b"/a?1", b"/a?2"]


async def test_a_restart_or_another_replica_does_not_replay_again(served: Served) -> None:
    """What the store knows is known to all that use it."""
    marks = Marks()
    one, other = (Gateway(marks, served(), 0.0) for _ in range(2))
    for gateway in (one, other):
        await gateway.look(10 * DAY)
    both = await asyncio.gather(*(each.look(10 * DAY + HALF_PAST_TWO) for each in (one, other)))
    assert sorted(map(len, both)) == [0, 2]
    assert await Gateway(marks, served(), 0.0).look(10 * DAY + HALF_PAST_TWO + 60) == []


async def test_a_route_begins_with_its_next_time(served: Served) -> None:
    """A replay that is written into the file in the afternoon does not catch up with the night."""
    gateway = Gateway(Marks(), served(), 0.0)
    assert await gateway.look(10 * DAY + HALF_PAST_TWO + 30) == []
    assert await gateway.look(11 * DAY + HALF_PAST_TWO + 30) == [b"/a?1", b"/a?2"]


async def test_what_was_missed_by_an_hour_is_left_out(served: Served) -> None:
    """No gateway ran, or the store could not be had: the hour was chosen, so another will not do."""
    gateway = Gateway(Marks(), served(), 0.0)
    await gateway.look(10 * DAY)
    with capture_logs() as logs:
        assert await gateway.look(10 * DAY + HALF_PAST_TWO + LATE + 1) == []
    assert [(each["event"], each["route"]) for each in logs] == [("replay_missed", "a")]
    assert len(await gateway.look(11 * DAY + HALF_PAST_TWO + LATE - 1)) == 2


async def test_without_the_store_nothing_is_replayed(served: Served) -> None:
    """It waits for it, within the hour: two replicas that cannot speak would both do it."""
    marks = Marks()
    gateway = Gateway(marks, served(), 0.0)
    await gateway.look(10 * DAY)
    marks.failing = True
    with capture_logs() as logs:
        for late in (0, 10, LATE + 1):
            assert await gateway.look(10 * DAY + HALF_PAST_TWO + late) == []
    assert [each["event"] for each in logs] == ["replay_waits_for_the_store"]
    marks.failing = False
    assert len(await gateway.look(11 * DAY + HALF_PAST_TWO + 60)) == 2
    assert await Gateway(None, served(), 0.0).look(12 * DAY + HALF_PAST_TWO) == []


async def test_the_store_is_asked_once_a_day(served: Served) -> None:
    """What is known needs no asking."""
    marks = Marks()
    gateway = Gateway(marks, served(), 0.0)
    for second in range(0, DAY, 3_600):
        await gateway.look(10 * DAY + second)
    assert marks.asked == 2


async def test_replays_take_turns(served: Served) -> None:
    """Those of one minute may go to one system: one begins when the other has ended."""
    gateway = Gateway(Marks(), served(b=150), 0.0)
    await gateway.look(10 * DAY)
    gateway.data.seconds = 0.02
    assert await gateway.look(10 * DAY + HALF_PAST_TWO) == [b"/a?1", b"/a?2", b"/b?1", b"/b?2"]
    assert gateway.data.when[2] - gateway.data.when[1] >= 0.015


async def test_a_replay_is_told_in_the_log(served: Served) -> None:
    """That it began and what was left out, and how it ended."""
    gateway = Gateway(Marks(), served(), 0.0)
    await gateway.look(10 * DAY)
    with capture_logs() as logs:
        await gateway.look(10 * DAY + HALF_PAST_TWO)
    assert logs == [
        {"event": "replay_started", "route": "a", "requests": 2, "left_out": 1, "log_level": "info"},
        {"event": "replay_finished", "route": "a", "sent": 2, "matched": 2, "worst": [], "log_level": "info"},
    ]


@pytest.mark.parametrize("content", [None, "no HAR"])
async def test_a_file_that_cannot_be_replayed_is_told(served: Served, tmp_path: Path, content: str | None) -> None:
    """It was right when the configuration was read, and may have changed since then."""
    gateway = Gateway(Marks(), served(), 0.0)
    await gateway.look(10 * DAY)
    if content is None:
        (tmp_path / "a.har").unlink()
    else:
        (tmp_path / "a.har").write_text(content)
    with capture_logs() as logs:
        assert await gateway.look(10 * DAY + HALF_PAST_TWO) == []
    assert [(each["event"], each["file"]) for each in logs] == [("replay_failed", str(tmp_path / "a.har"))]


async def test_the_clock_is_looked_at_again_and_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as it runs; a replay under way ends with it."""
    monkeypatch.setattr("gateway.rollouts.daily.LOOK", 0.01)
    gateway = Gateway(Marks(), served(), 10 * DAY)
    gateway.data.seconds = 60.0
    running = asyncio.get_running_loop().create_task(gateway.daily.run())
    await asyncio.sleep(0.03)
    gateway.now = 10 * DAY + HALF_PAST_TWO
    async with asyncio.timeout(5):
        while len(gateway.data.requests) < 2:  # noqa: ASYNC110 - the clock is another task's
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.sleep(0.02)
    assert list(gateway.data.replays.routes) == []
