"""Replays on a schedule: once a day for each route that says so, over restarts and replicas.

Which day was done is known to the store alone: who raises its mark does the replay, and a day that nobody could raise
it for is left out. At most once is the promise: a system that is replayed to twice may be one that is overrun.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.core.matching import RoutingTable
from gateway.core.model import Route
from gateway.core.policies import Replay
from gateway.core.replaying import chosen, due
from gateway.errors import CommandError, StoreUnavailable
from gateway.rollouts.replaying import Replays, recording_of
from gateway.telemetry.logging import log

if TYPE_CHECKING:
    from gateway.store.repository import Store

LOOK = 2.0
"""Seconds between looks at the clock."""
LATE = 3_600.0
"""Seconds after which a replay that could not begin is left out until the next day: its hour was chosen."""


class Daily:
    """Begins replays when they are due. They take turns: their routes may share a system.

    `table` is what serves; `store` the store, None while it has not been opened; `now` gives Unix seconds.
    """

    def __init__(
        self,
        replays: Replays,
        table: Callable[[], RoutingTable],
        store: "Callable[[], Store | None]",
        now: Callable[[], float],
    ) -> None:
        self._replays = replays
        self._table = table
        self._store = store
        self._now = now
        self._seen: dict[str, int] = {}
        self._waits: dict[str, int] = {}
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Look at the clock, for as long as this runs."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK)
        finally:
            for task in self._tasks:
                task.cancel()

    async def look(self) -> None:
        """Begin what is due."""
        for route, replay in list(self._scheduled()):
            day, late = due(replay.minute, self._now())
            if self._seen.get(route.name) == day:
                continue
            mine = await self._claim(route.name, day, late)
            if mine and late > LATE:
                log().warning("replay_missed", route=route.name, why="no gateway could begin it within an hour")
            elif mine:
                task = asyncio.get_running_loop().create_task(self._replay(route.name, replay))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _scheduled(self) -> Iterator[tuple[Route, Replay]]:
        for planned in self._table().routes.values():
            if planned.route.replay is not None:
                yield planned.route, planned.route.replay

    async def _claim(self, route: str, day: int, late: float) -> bool:
        """Whether the day's replay is this gateway's to do. Without the store it is nobody's, yet."""
        store = self._store()
        if store is None:
            return False
        try:
            mine = await store.claim_day(f"replay {route}", day)
        except StoreUnavailable as error:
            if late <= LATE and self._waits.get(route) != day:
                self._waits[route] = day
                log().warning("replay_waits_for_the_store", route=route, why=str(error))
            return False
        self._seen[route] = day
        return mine

    async def _replay(self, route: str, replay: Replay) -> None:
        async with self._turn:
            try:
                data = await asyncio.to_thread(Path(replay.source).read_bytes)
                recording = await asyncio.to_thread(recording_of, data)
                found = await asyncio.to_thread(chosen, self._table(), route, recording)
                log().info("replay_started", route=route, requests=len(found.requests), left_out=len(found.skipped))
                async with aclosing(self._replays.run(route, found.requests)) as reports:
                    async for report in reports:
                        last = report
            except (OSError, CommandError) as error:
                log().error("replay_failed", route=route, file=replay.source, why=str(error))
                return
        worst = [each.field for each in last.fields if each.wrong]
        log().info("replay_finished", route=route, sent=last.sent, **last.verdicts, worst=worst)
