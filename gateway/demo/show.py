"""The run itself: traffic flows, the file is watched, and the board tells both, until it is time to stop."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.live import Live

from gateway.config.check import load
from gateway.core.model import Estate, Route
from gateway.demo import board, ramps
from gateway.demo.board import Scene
from gateway.demo.changes import Edit, Entry, FileWatch, Note, edits
from gateway.demo.company import Member
from gateway.demo.loyalty import Loyalty, promises
from gateway.demo.tally import Tally
from gateway.demo.traffic import Address, Traffic
from gateway.errors import ConfigError

LOOK = 0.1
ASK = 0.2
FRAME = 0.25
LINE = 2.0
PATIENCE = 4.0
"""Seconds between looks at the file, questions to the gateway, frames, and plain lines; and how long a plain line waits
for an edit to be seen."""


HalfWay = Callable[[Route], Awaitable[str]]
"""What is done to a route when half of the time has passed; tells what went wrong, or nothing."""


class Setting(NamedTuple):
    """What a show needs to know: where, on which file (and what people call it), and how much traffic."""

    address: Address
    config: Path
    file: str
    command: str
    data: Path
    seconds: float | None
    clients: int
    rate: float
    page: str = ""


class Show:
    """One run. `troubles` are sentences about what ended it early or went wrong beside the traffic."""

    def __init__(self, setting: Setting, estate: Estate, console: Console) -> None:
        self._setting = setting
        self._console = console
        self._estate = estate
        self._tally = Tally(time.time())
        self._loyalty = Loyalty(promises(estate))
        self._standing = ramps.Standing()
        self._entries: list[Entry] = []
        self._stop = asyncio.Event()
        self.troubles: list[str] = []

    def stop(self) -> None:
        """End the run; requests under way are finished."""
        self._stop.set()

    def scene(self) -> Scene:
        """What is to be seen now."""
        return Scene(
            now=time.time(),
            address=str(self._setting.address),
            file=self._setting.file,
            command=self._setting.command,
            data=str(self._setting.data),
            page=self._setting.page,
            seconds=self._setting.seconds,
            estate=self._estate,
            tally=self._tally,
            strays=self._loyalty.strays(),
            standing=self._standing,
            entries=self._entries,
        )

    async def run(self, gateway: Member, half_way: HalfWay | None) -> None:
        """Until stopped."""
        setting = self._setting
        traffic = Traffic(setting.address, self._tally, self._loyalty, clients=setting.clients, rate=setting.rate)
        async with asyncio.TaskGroup() as group:
            work = (self._watch(), self._ask(), self._display(), self._guard(gateway))
            beside = [group.create_task(one) for one in work]
            if setting.seconds is not None:
                beside.append(group.create_task(self._time(setting.seconds, half_way)))
            await traffic.flow(self._stop)
            self._learn(await ramps.look(setting.data))  # what the last clients met
            for task in beside:
                task.cancel()

    async def _time(self, seconds: float, half_way: HalfWay | None) -> None:
        end = time.monotonic() + seconds
        await asyncio.sleep(seconds / 2)
        if half_way is not None:
            self.troubles += await self._flip(half_way)
        await asyncio.sleep(max(0.0, end - time.monotonic()))
        self.stop()

    async def _flip(self, half_way: HalfWay) -> list[str]:
        route = board.favourite(self._estate)
        if route is None:
            return [f"{self._setting.file} has no route {board.FAVOURITE} to flip."]
        trouble = await half_way(route)
        return [trouble] if trouble else []

    async def _guard(self, gateway: Member) -> None:
        await gateway.process.wait()
        self.troubles.append(gateway.obituary())
        self.stop()

    async def _watch(self) -> None:
        watch = FileWatch(self._setting.config)
        while True:
            await asyncio.sleep(LOOK)
            changed = watch.changed(time.time())
            if changed is not None:
                await self._take(changed)

    async def _take(self, changed: float) -> None:
        """Read the file as the gateway does, and note what it says differently."""
        try:
            loaded = await asyncio.to_thread(load, self._setting.config, os.environ)
        except ConfigError as error:
            text = f"{self._setting.file} cannot be used, so what served before serves on: {error.problems[0]}"
            self._entries.append(Note(changed, text))
            return
        new = edits(self._estate, loaded.estate, changed, self._tally.failed)
        self._estate = loaded.estate
        self._loyalty.edited({edit.route for edit in new}, promises(loaded.estate))
        self._entries += new or [Note(changed, f"{self._setting.file} was saved; no route changes sides")]

    async def _ask(self) -> None:
        while True:
            self._learn(await ramps.look(self._setting.data))
            await asyncio.sleep(ASK)

    def _learn(self, standing: ramps.Standing | None) -> None:
        """Note what ramps and overrides have done, and whom that moves."""
        if standing is None:
            return
        for routes in ramps.turns(self._standing, standing):
            self._loyalty.edited(routes, promises(self._estate))
        self._entries += ramps.news(self._standing, standing, time.time())
        self._standing = standing

    async def _display(self) -> None:
        if not self._console.is_terminal:
            await self._print_lines()
            return
        with Live(console=self._console, auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                width, height = self._console.size
                live.update(board.board(self.scene(), width, height), refresh=True)
                await asyncio.sleep(FRAME)

    async def _print_lines(self) -> None:
        told = 0
        self._print(board.heading(self.scene()).plain)
        while True:
            await asyncio.sleep(LINE)
            scene = self.scene()
            self._print(board.plain(scene))
            while told < len(self._entries) and _ripe(self._entries[told], scene):
                self._print(f"        {self._entries[told].told(scene.tally)}")
                told += 1

    def _print(self, line: str) -> None:
        """A line as it is: not wrapped to a width that a log does not have."""
        print(line, file=self._console.file, flush=True)


def _ripe(entry: Entry, scene: Scene) -> bool:
    """Whether a line can be told: an edit first waits to be seen in the traffic, for a while."""
    return not isinstance(entry, Edit) or entry.seen_after(scene.tally) is not None or scene.now - entry.at > PATIENCE
