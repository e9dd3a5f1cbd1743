"""A file that is taken serves whole, under the name of whoever brought it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.config.check import Loaded, load
from gateway.core.auditing import Act
from gateway.core.model import Estate
from gateway.core.policies import Standing
from gateway.processes.control import Control
from gateway.telemetry.metrics import Traffic
from tests.support.acts import act

TEXT = """\
version: 1
gateway: {access_log: {to: "off"}}
backends: {office: {url: "http://127.0.0.1:1"}, repairs: {url: "http://127.0.0.1:2"}}
routes:
  - {name: list, match: ANY /list, legacy: office, new: repairs, serve: legacy, writes: {copy: true}}
"""


class Around:
    """What a control process is wired to, as far as taking a file asks it; it remembers what it was told."""

    def __init__(self, path: Path) -> None:
        path.write_text(TEXT)
        self.path = path
        self.begun: list[Act] = []
        self.noted: list[tuple[str, str, Act | None]] = []
        self.waits: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.control = Control(path, load(path, {}), {}, Traffic())
        self.control.supervisor = SimpleNamespace(serve=self._serve, revision=2)  # type: ignore[assignment]
        self.control.moving = SimpleNamespace(reason_to_wait=self._reason, release=lambda: None)  # type: ignore[assignment]
        self.control.exchange = SimpleNamespace(follow=self._followed)  # type: ignore[assignment]
        self.control.copying = SimpleNamespace(follow=self._followed, stand=self._stood)  # type: ignore[assignment]
        self.control.supervisor.stand = self._stood  # type: ignore[method-assign]
        self.control.rollouts = SimpleNamespace(follow=lambda estate: None)  # type: ignore[assignment]
        self.control.discovery = self.control.telemetry = self.control.rollouts  # type: ignore[assignment]
        self.control.auditor = SimpleNamespace(begin=self._begin)  # type: ignore[assignment]
        self.control.revisions = SimpleNamespace(note=self._note)  # type: ignore[assignment]
        self.control.provenance = SimpleNamespace(journal=list, of=self._of)  # type: ignore[assignment]

    def write(self, old: str, new: str) -> None:
        self.path.write_text(self.path.read_text().replace(old, new))

    async def _serve(self, estate: Estate) -> int:
        return 2

    async def _reason(self, *asked: Any) -> str | None:
        return self.waits[0] if self.waits else None

    async def _followed(self, *told: Any, **more: Any) -> None:
        await asyncio.sleep(0)

    def _stood(self, standings: Any) -> None:
        pass

    async def _begin(self, begun: Act) -> None:
        self.begun.append(begun)

    def _note(self, old: Estate, new: Loaded, by: str, why: str, told: Act | None) -> None:
        self.noted.append((by, why, told))

    def _of(self, *told: Any) -> Act:
        self.meanwhile()
        return act(1, who="ann", reason="parity")


@pytest.fixture
def around(tmp_path: Path) -> Around:
    with capture_logs():
        return Around(tmp_path / "routes.yaml")


async def test_what_nobody_s_lever_brought_is_put_into_the_audit(around: Around) -> None:
    """On the disk first, then with the configuration; under the name that was found for it."""
    around.write("serve: legacy", "serve: new")
    result = await around.control.reload(accept=False)
    brought = act(1, who="ann", reason="parity")
    assert (result.outcome, around.begun, around.noted) == ("accepted", [brought], [("ann", "parity", brought)])


async def test_what_a_lever_brought_is_not(around: Around) -> None:
    """It is there already."""
    result = await around.control.flip("list", "new", "Olu", "it is time")
    assert (result["holds"], around.begun, around.noted) == (True, [], [("Olu", "it is time", None)])


async def test_a_file_that_waited_is_still_whose_it_was(around: Around) -> None:
    """Its lever has written it down when it was pulled; that it is taken by itself later is nobody else's act."""
    around.waits.append("its writes are not delivered")
    held = await around.control.flip("list", "new", "Olu", "it is time")
    await around.control.reload(accept=False)  # as the watch does, and whoever waits
    assert (held["holds"], around.noted) == (False, [])
    around.waits.clear()
    await around.control.reload(accept=False)
    assert (around.begun, around.noted) == ([], [("Olu", "it is time", None)])


async def test_who_reads_a_file_again_that_waits_has_not_brought_it(around: Around) -> None:
    """They may look as often as they like; who edited it did not say a word, and it is put down to the file later."""
    around.waits.append("its writes are not delivered")
    around.write("serve: legacy", "serve: new")
    await around.control.reload(accept=False)
    await around.control.reload(accept=False, by="Zoë", why="is it taken now?")
    around.waits.clear()
    await around.control.reload(accept=False)
    assert [(by, told is not None) for by, _, told in around.noted] == [("ann", True)]


async def test_another_file_than_the_one_that_waited_is_not(around: Around) -> None:
    """Somebody has changed it meanwhile."""
    around.waits.append("its writes are not delivered")
    await around.control.flip("list", "new", "Olu", "it is time")
    around.waits.clear()
    around.write("serve: new", "serve: 10% new")
    await around.control.reload(accept=False)
    assert [by for by, _, _ in around.noted] == ["ann"]


async def test_whoever_takes_what_waited_has_brought_it(around: Around) -> None:
    """They have said why."""
    around.waits.append("its writes are not delivered")
    await around.control.flip("list", "new", "Olu", "it is time")
    await around.control.reload(accept=True, by="Zoë", why="they never will be")
    assert around.noted == [("Zoë", "they never will be", None)]


async def test_an_override_that_comes_meanwhile_holds(around: Around) -> None:
    """Traffic goes by it in every process: no step lies between reading where routes stand and serving the table."""
    around.meanwhile = lambda: around.control.apply({"list": Standing(override=10_000, record="new")})
    around.write("match: ANY /list,", "match: ANY /list, fallback: true,")
    await around.control.reload(accept=False)
    assert around.control.record_of("list") == "new"
