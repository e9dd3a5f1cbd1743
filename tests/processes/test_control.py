"""A file that is taken serves whole, under the name of whoever brought it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.config.check import Loaded, load
from gateway.config.words import serve_text
from gateway.core.auditing import Act
from gateway.core.model import Estate, Side
from gateway.core.policies import Standing
from gateway.processes.control import Control
from gateway.rollouts.standings import Standings
from gateway.rollouts.wishes import Wishes
from gateway.store.values import Override
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
        self.noted: list[tuple[str, str, Act | None]] = []
        self.steps: list[str] = []
        self.moving: list[list[str]] = []
        self.untold: list[Act] = []
        self.waits: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.draining: Callable[[], None] = lambda: None
        self.preparing: Callable[[], None] = lambda: None
        self.control = Control(path, load(path, {}), {}, Traffic())
        self.control.supervisor = SimpleNamespace(serve=self._serve, revision=2)  # type: ignore[assignment]
        self.control.moving = SimpleNamespace(still=self._still, reason_to_wait=self._reason)  # type: ignore[assignment]
        self.control.exchange = SimpleNamespace(follow=self._exchanged)  # type: ignore[assignment]
        self.control.copying = SimpleNamespace(follow=self._followed, stand=self._stood)  # type: ignore[assignment]
        self.control.supervisor.stand = self._stood  # type: ignore[method-assign]
        self.standings = Standings(path.parent)
        self._follow(self.control.loaded.estate)
        self.control.rollouts = SimpleNamespace(follow=self._follow)  # type: ignore[assignment]
        self.control.discovery = self.control.telemetry = self.control.rollouts  # type: ignore[assignment]
        self.control.wishes = Wishes(self.standings)
        self.control.auditor = SimpleNamespace(begin=self._begin, untold=self._untold)  # type: ignore[assignment]
        self.control.revisions = SimpleNamespace(note=self._note)  # type: ignore[assignment]
        began = act(0, via="file", after={"digest": self.control.loaded.estate.digest})
        provenance = SimpleNamespace(journal=list, of=self._of, of_start=lambda digest: began)
        self.control.provenance = provenance  # type: ignore[assignment]

    @property
    def begun(self) -> list[str]:
        return [each for each in self.steps if each.startswith("begun")]

    def write(self, old: str, new: str) -> None:
        self.path.write_text(self.path.read_text().replace(old, new))

    def say(self, share: int, record: Side | None = None) -> None:
        """Somebody overrides the route: new's share of its reads, and who has its writes."""
        route = self.control.loaded.estate.routes[0]
        serve = serve_text(route.serve, route.share)
        self.standings.override(Override("list", share, record, "500s", "bob", time(), None, serve))
        self.control.apply(self.standings.of(time()))

    def _follow(self, estate: Estate) -> None:
        self.standings.follow(estate, time())
        self.control.apply(self.standings.of(time()))

    async def _serve(self, estate: Estate) -> int:
        self.steps.append("served")
        return 2

    @contextmanager
    def _still(self, routes: list[str]) -> Iterator[None]:
        self.steps.append(f"still {' '.join(routes)}")
        try:
            yield
        finally:
            self.steps.append("go on")

    async def _reason(self, routes: list[str]) -> str | None:
        self.moving.append(routes)
        self.draining()
        return self.waits[0] if self.waits and routes else None

    async def _followed(self, *told: Any, **more: Any) -> None:
        await asyncio.sleep(0)

    async def _exchanged(self, **more: Any) -> None:
        await asyncio.sleep(0)
        self.preparing()

    def _stood(self, standings: Any) -> None:
        pass

    async def _begin(self, begun: Act) -> None:
        self.steps.append(f"begun {begun.id}")

    async def _untold(self) -> list[Act]:
        return self.untold

    def _note(self, old: Estate, new: Loaded, by: str, why: str, told: Act | None = None) -> None:
        self.steps.append("noted")
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
    assert (result.outcome, around.noted) == ("accepted", [("ann", "parity", brought)])
    assert around.steps == ["still list", "served", "begun a1", "noted", "go on"]


async def test_what_a_lever_brought_is_not(around: Around) -> None:
    """It is there already."""
    result = await around.control.flip("list", "new", "Olu", "it is time")
    assert (result["holds"], around.begun, around.noted) == (True, [], [("Olu", "it is time", None)])


async def test_a_flip_to_what_the_file_says_does_not_end_an_override(around: Around) -> None:
    """Nobody is told that it is served what is not."""
    around.control.apply({"list": Standing(override=10_000)})
    result = await around.control.flip("list", "legacy", "Olu", "500s")
    assert (result["holds"], around.noted) == (False, [])
    assert result["message"].endswith(
        "already, but an override holds. To end it: banyan override list --clear --reason ..."
    )


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
    await around.control.reload(accept=False, by="Zoë", why="and now?")
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


async def test_a_file_that_ends_an_override_moves_what_it_holds(around: Around) -> None:
    """The writes that it has given to new go back with it, once none is owed; a file that lets it be moves none."""
    around.say(10_000, "new")
    around.write("match: ANY /list,", "match: ANY /list, fallback: true,")
    await around.control.reload(accept=False)
    around.write("serve: legacy", "serve: 10% new")
    await around.control.reload(accept=False)
    assert around.moving == [[], ["list"]]


@pytest.mark.parametrize(
    ("waiting", "told"),
    [
        (["file this"], False),
        (["file other", "file this", "token other"], False),
        (["token this"], True),
        (["file this", "file other"], True),
        ([], True),
    ],
)
async def test_what_the_last_process_could_not_tell_is_told_once(
    around: Around, waiting: list[str], told: bool
) -> None:
    """A gateway that begins with the file of which the last act that waits for the store tells has nothing to add."""
    this = around.control.loaded.estate.digest
    for via, digest in (each.split() for each in waiting):
        around.untold.append(act(5, via=via, after={"digest": this if digest == "this" else digest}))
    await around.control._note_start()
    assert [each is not None for _, _, each in around.noted] == [told]


@pytest.mark.parametrize(("serve", "now"), [("legacy", 0), ("50% new", 0), ("50% new", 2_500)])
async def test_a_file_that_waits_does_not_undo_a_rollback(around: Around, serve: str, now: int) -> None:
    """What was ordered before somebody, or a guard, went back is no person's word any more: they say it again."""
    around.write("serve: legacy", f"serve: {serve}")
    await around.control.reload(accept=True)
    around.waits.append("its writes are not delivered")
    await around.control.flip("list", "new", "Olu", "it is time")
    around.say(now)
    whole = around.path.read_text()
    for text in (
        whole,
        f"{whole}# another edit\n",
        f"{whole}!",
        whole[: whole.index("routes:")],
        whole,
    ):  # also what is not taken itself
        around.path.write_text(text)
        result = await around.control.reload(accept=False)
        around.waits.clear()
    assert result.message.startswith(
        "list was rolled back or overridden while the file waited; deliver what is owed first (banyan outbox)."
    )
    assert around.control._waits is False
    assert (await around.control.reload(accept=True, by="Zoë", why="meant")).outcome == "accepted"


async def test_who_flips_it_again_is_obeyed(around: Around) -> None:
    """They say it after the rollback."""
    around.waits.append("its writes are not delivered")
    await around.control.flip("list", "new", "Olu", "it is time")
    around.say(0)
    around.waits.clear()
    assert (await around.control.flip("list", "new", "Olu", "all the same"))["holds"] is True


@pytest.mark.parametrize("when", ["draining", "preparing"])
async def test_a_rollback_while_the_file_is_looked_at_holds_it(around: Around, when: str) -> None:
    """It need not have waited before: what is owed is looked at for some seconds, and a table takes a while."""
    setattr(around, when, lambda: around.say(0))
    held = await around.control.flip("list", "new", "Olu", "it is time")
    assert (held["holds"], "served" in around.steps) == (False, False)
    assert "was rolled back or overridden while the file waited" in held["message"]


async def test_a_file_that_sends_no_more_to_new_is_taken_after_a_rollback(around: Around) -> None:
    """Whoever goes back in the file and by an override goes back; an override to what it wants holds nothing up."""
    around.write("serve: legacy", "serve: new")
    await around.control.reload(accept=True)
    for serve, share in (("legacy", 0), ("new", 10_000)):
        around.waits.append("its writes are not delivered")
        await around.control.flip("list", serve, "Olu", "it is time")
        around.say(share)
        around.waits.clear()
        assert (await around.control.reload(accept=False)).outcome == "accepted"


async def test_a_record_that_moves_while_a_file_is_looked_at_is_looked_at_too(around: Around) -> None:
    """An override that gives writes away makes it another move than the one that was looked at."""
    around.write("serve: legacy", "serve: 10% new")
    around.preparing = lambda: around.say(1_000, "new") if len(around.moving) == 1 else None
    await around.control.reload(accept=False)
    assert (around.moving, around.steps.count("served")) == ([[], ["list"]], 1)


async def test_a_flip_to_what_waits_already_is_told_why_it_does(around: Around) -> None:
    """Nothing was changed, and ending an override would not have it served."""
    around.waits.append("its writes are not delivered")
    await around.control.flip("list", "new", "Olu", "it is time")
    around.say(0)
    result = await around.control.flip("list", "new", "Olu", "is it?")
    assert (result["holds"], "already, but it is not served: its writes are not" in result["message"]) == (False, True)


async def test_an_override_that_comes_meanwhile_holds(around: Around) -> None:
    """Traffic goes by it in every process: no step lies between reading where routes stand and serving the table."""
    around.meanwhile = lambda: around.say(10_000, "new")
    around.write("match: ANY /list,", "match: ANY /list, fallback: true,")
    await around.control.reload(accept=False)
    assert around.control.record_of("list") == "new"
