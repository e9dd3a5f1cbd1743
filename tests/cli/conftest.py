"""Commands are run in this process, in a folder of their own, beside a gateway that is only its control socket, or far
from one that is only its admin port."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from structlog.testing import capture_logs

from gateway.access.auditor import Auditor
from gateway.admin.api import admin_app, command_app
from gateway.admin.serving import address_for_browsers, serve, serve_unix
from gateway.cli import remote
from gateway.cli.app import run
from gateway.processes.channel import CONTROL_SOCKET, listen_unix
from gateway.store.repository import Store
from tests.admin.fakes import FakeSteering, written


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


Banyan = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with a routes.yaml in it and nothing in the environment."""
    for name in ("CONFIG", "LISTEN", "ADMIN", "DATA", "LOG_LEVEL", "STORE", "SERVER", "TOKEN"):
        monkeypatch.delenv(f"BANYAN_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    written(tmp_path)
    yield tmp_path
    remote.use(None, None)


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
    with _running(_socket(steering, folder)):
        yield steering


@pytest.fixture
def stored(folder: Path) -> Iterator[FakeSteering]:
    """The same with a store, for tokens and the audit."""
    steering = FakeSteering(folder / "routes.yaml")
    (folder / ".banyan").mkdir()
    with _running(_store(steering, folder / ".banyan"), _socket(steering, folder)):
        yield steering


class Elsewhere(NamedTuple):
    """A gateway that is reached by its admin port alone: its address, and a token of each role."""

    steering: FakeSteering
    url: str
    tokens: dict[str, str]

    def __call__(self, role: str = "operator") -> tuple[str, ...]:
        """How the command line names it."""
        return "--server", self.url, "--token", self.tokens[role]


@pytest.fixture
def elsewhere(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """A gateway of another folder, whose admin port is served by a thread."""
    there = tmp_path_factory.mktemp("elsewhere")
    found = Elsewhere(FakeSteering(written(there)), "", {})
    urls: list[str] = []

    @asynccontextmanager
    async def port() -> AsyncIterator[None]:
        for role, name in (("viewer", "Vera"), ("operator", "Olu"), ("approver", "Ann")):
            found.tokens[role] = (await found.steering.keyring.create(name, role, 3_600, "the tests"))[1]
        runner = await serve(admin_app(found.steering), ("127.0.0.1", 0))
        urls.append(address_for_browsers(runner.addresses[0]))
        yield
        await runner.cleanup()

    with _running(_store(found.steering, there), port()):
        yield found._replace(url=urls[0])


@asynccontextmanager
async def _socket(steering: FakeSteering, folder: Path) -> AsyncIterator[None]:
    runner = await serve_unix(command_app(steering), listen_unix(folder / ".banyan" / CONTROL_SOCKET))
    yield
    await runner.cleanup()


@asynccontextmanager
async def _store(steering: FakeSteering, folder: Path) -> AsyncIterator[None]:
    steering.store = await Store.open(None, folder, upgrade=True)
    steering.auditor = Auditor(folder, lambda: steering.store)
    await steering.keyring.look()
    yield
    await steering.store.close()


@contextmanager
def _running(*parts: AbstractAsyncContextManager[None]) -> Iterator[None]:
    """These in a thread, as a gateway runs: what is still under way at the end is cancelled, and waited for."""
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for part in parts:
                await stack.enter_async_context(part)
            loops.append(asyncio.get_running_loop())
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    with capture_logs():  # a command's output is what the command says
        thread.start()
        assert ready.wait(10)
        yield
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(10)
    assert not thread.is_alive()
