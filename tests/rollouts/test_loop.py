"""The loop that ramps go by, while the store or the disk cannot be had."""

import asyncio
import errno
import json
import os
from pathlib import Path
from time import time

import pytest
from structlog.testing import capture_logs

from gateway.core.events import Event
from gateway.core.positions import Position, begun
from tests.rollouts.running import running, until


async def test_going_on_waits_until_the_store_is_there(tmp_path: Path) -> None:
    """However often there is something new to decide on: it is neither asked nor complained of each time."""
    async with running(tmp_path, stored=False) as found:
        loop, standings = found.rollouts.loop, found.rollouts.standings
        standings.positions["rents"] = begun("rents", standings.ramps[0].ramp, time())
        with capture_logs() as told:
            for _ in range(3):
                loop.tick(time())
                await asyncio.sleep(0.01)
        assert loop.decisions["rents"] == (0, "the first stage begins")
        assert [each["event"] for each in told if each["event"] == "ramp_waits_for_the_store"] == []


async def test_a_step_that_is_seen_in_the_store_first_is_still_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is read just after it took a step of ours, and before we know that it did."""
    async with running(tmp_path) as found:
        rollouts = found.rollouts
        take = rollouts.keeper.step

        async def taken(after: Position, before: int, event: Event) -> bool:
            done = await take(after, before, event)
            rollouts.standings.merge([Position.from_plain(json.loads(json.dumps(after.to_plain())))], [])
            return done

        await until(lambda: rollouts.standings.positions["rents"].stage == 0)
        monkeypatch.setattr(rollouts.keeper, "step", taken)
        with capture_logs() as told:
            await rollouts.actions.act("rents", "promote", "ann", "it is right")
        assert [each["event"] for each in told if each.get("by") == "ann"] == ["ramp_promoted"]


async def test_a_full_disk_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again and again, and told again only after it went well in between."""
    full = [True]

    def save(content: bytes) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with running(tmp_path, stored=False) as found:
        loop = found.rollouts.loop
        monkeypatch.setattr(found.rollouts.standings, "save", save)
        with capture_logs() as told:
            for number, full[0] in enumerate((True, True, False, True, True)):
                found.rollouts.standings.untold = {("override", str(number))}
                await loop.save()
        expected = [("standings_not_saved", "No space left on device")] * 2
        assert [(each["event"], each["why"]) for each in told] == expected
