"""Commands are run in this process, in a folder of their own, beside a gateway that is only its control socket."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from structlog.testing import capture_logs

from gateway.admin.api import command_app
from gateway.admin.serving import serve_unix
from gateway.cli.app import run
from gateway.processes.channel import CONTROL_SOCKET, listen_unix
from tests.admin.fakes import FakeSteering, written


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


Banyan = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a routes.yaml in it and nothing in the environment."""
    for name in ("CONFIG", "LISTEN", "ADMIN", "DATA", "LOG_LEVEL", "STORE", "SERVER", "TOKEN"):
        monkeypatch.delenv(f"BANYAN_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    written(tmp_path)
    return tmp_path


@pytest.fixture
def banyan(folder: Path, capfd: pytest.CaptureFixture[str]) -> Banyan:
    def command(*arguments: str) -> Ran:
        code = run(arguments)
        return Ran(code, *capfd.readouterr())

    return command


@pytest.fixture
def steering(folder: Path) -> Iterator[FakeSteering]:
    """A gateway that runs in `.banyan`: its control socket is served by a thread."""
    steering = FakeSteering(folder / "routes.yaml")
    (folder / ".banyan").mkdir()
    listener = listen_unix(folder / ".banyan" / CONTROL_SOCKET)
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        runner = await serve_unix(command_app(steering), listener)
        loops.append(asyncio.get_running_loop())
        ready.set()
        await stop.wait()
        await runner.cleanup()

    # As a gateway runs: what is still under way at the end is cancelled, and waited for.
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    with capture_logs():  # a command's output is what the command says
        thread.start()
        assert ready.wait(10)
        yield steering
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(10)
    assert not thread.is_alive()
