"""The run itself, with the legacy system in the place of the gateway."""

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from rich.console import Console

from gateway.config.check import load
from gateway.core.model import Route
from gateway.demo import legacy, show
from gateway.demo.changes import Edit, Note
from gateway.demo.company import Company, Member
from gateway.demo.show import HalfWay, Setting, Show
from gateway.demo.traffic import Address

NOBODY = Address("127.0.0.1", 1)
"""Where nobody listens: a gateway that does not tell where ramps stand."""
ROUTES = """\
version: 1
backends:
  housing-legacy: {url: http://127.0.0.1:1}
  housing-new: {url: http://127.0.0.1:2}
routes:
  - name: repairs-list
    match: GET /housing/repairs
    legacy: housing-legacy
    new: housing-new
    serve: legacy
"""


@asynccontextmanager
async def opened(
    folder: Path, *, seconds: float | None, console: Console | None = None, lives: float = 60
) -> AsyncIterator[tuple[Show, Member, Path]]:
    """A show on a file of one route, its traffic going straight to the legacy system."""
    config = folder / "routes.yaml"
    config.write_text(ROUTES)
    async with TestServer(legacy.back_office()) as server, Company(folder) as company:
        command = [sys.executable, "-c", f"import time; time.sleep({lives})"]
        gateway = await company.start("gateway", command, os.environ)
        address = Address("127.0.0.1", server.port or 0)
        setting = Setting(address, config, "routes.yaml", "banyan", folder, seconds, clients=10, rate=50)
        yield Show(setting, load(config, os.environ).estate, console or Console(file=io.StringIO())), gateway, config


def flipping(config: Path, before: str, after: str) -> HalfWay:
    """Somebody who edits the file."""

    async def edit(_: Route) -> str:
        await asyncio.to_thread(config.write_text, ROUTES.replace(before, after))
        return ""

    return edit


async def run(show: Show, gateway: Member, half_way: HalfWay | None = None) -> None:
    async with asyncio.timeout(20):
        await show.run(gateway, half_way)


async def test_an_edit_is_noted_and_the_time_ends_the_run(tmp_path: Path) -> None:
    """Half-way the file is edited; the board knows it, and nothing was lost."""
    async with opened(tmp_path, seconds=1.6) as (show, gateway, config):
        await run(show, gateway, flipping(config, "serve: legacy", "serve: 10% new"))
        scene = show.scene()
    assert show.troubles == []
    assert [type(entry) for entry in scene.entries] == [Edit]
    assert "repairs-list: legacy -> 10% new, not seen in the traffic yet, 0 failed requests" in [
        entry.told(scene.tally) for entry in scene.entries
    ]
    assert scene.tally.failed == 0
    assert scene.tally.answered > 20


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        ("serve: legacy", "serve: sideways", "cannot be used, so what served before serves on: "),
        ("version: 1", "version: 1  # one", "routes.yaml was saved; no route changes sides"),
    ],
)
async def test_other_changes_are_told_too(tmp_path: Path, before: str, after: str, note: str) -> None:
    """A file that cannot be used says so with its line; a change of words changes no side."""
    async with opened(tmp_path, seconds=1.2) as (show, gateway, config):
        await run(show, gateway, flipping(config, before, after))
        entries = show.scene().entries
    assert [type(entry) for entry in entries] == [Note]
    assert note in entries[0].told(show.scene().tally)


async def test_a_flip_that_fails_or_has_no_route_is_a_trouble(tmp_path: Path) -> None:
    """What went wrong half-way is kept for the end."""

    async def fail(_: Route) -> str:
        return "The flip failed."

    async with opened(tmp_path, seconds=0.4) as (show, gateway, _):
        await run(show, gateway, fail)
    assert show.troubles == ["The flip failed."]
    async with opened(tmp_path, seconds=0.4) as (_, gateway, config):
        config.write_text(ROUTES.replace("repairs-list", "renamed"))
        setting = Setting(NOBODY, config, "routes.yaml", "banyan", tmp_path, 0.4, 1, 1.0)
        renamed = Show(setting, load(config, os.environ).estate, Console(file=io.StringIO()))
        await run(renamed, gateway, fail)
    assert renamed.troubles == ["routes.yaml has no route repairs-list to flip."]


async def test_a_gateway_that_ends_ends_the_run(tmp_path: Path) -> None:
    """There is nothing more to see, and the trouble says what it printed."""
    async with opened(tmp_path, seconds=None, lives=0.3) as (show, gateway, _):
        await run(show, gateway)
    assert len(show.troubles) == 1
    assert show.troubles[0].startswith("The gateway ended by itself: exit code 0.")


async def _stop_after(show: Show, seconds: float) -> None:
    await asyncio.sleep(seconds)
    show.stop()


def _terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=120, height=30)


def _text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("console", "expected"),
    [(_terminal, "who answers now"), (lambda: Console(file=io.StringIO(), force_terminal=False), "requests/s")],
)
async def test_a_terminal_gets_a_board_and_a_log_gets_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, console: Callable[[], Console], expected: str
) -> None:
    """Until it is told to stop."""
    monkeypatch.setattr(show, "LINE", 0.2)
    screen = console()
    async with opened(tmp_path, seconds=None, console=screen) as (run_of, gateway, _), asyncio.TaskGroup() as group:
        group.create_task(_stop_after(run_of, 0.6))
        await run(run_of, gateway)
    assert expected in _text(screen)
