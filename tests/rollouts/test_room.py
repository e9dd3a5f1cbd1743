"""The room as a whole: what comes in from the data process, what each part makes of it, and how it starts."""

import asyncio
import json
import stat
from pathlib import Path
from time import time

import pytest

from connectors.soap.meaning import Meaning
from connectors.soap.target import FacadeTarget
from gateway.core.model import NEW, Target
from gateway.core.policies import Keep, Standing, Webhook
from gateway.errors import StoreUnavailable
from gateway.rollouts import room
from gateway.rollouts.judging import Judged
from gateway.store.repository import Store
from tests.connectors.soap.samples import GET_BALANCE, SCHEMA
from tests.rollouts.running import ROUTES, Running, running, sample, until
from tests.support.observations import observed
from tests.support.recorded import har
from tests.support.values import route

KEYS = {"balance", "lines"}


def judged(given: Running) -> dict[tuple[str, str], int]:
    return dict(given.rollouts._traffic._verdicts)


async def test_a_sample_becomes_a_verdict_everywhere(tmp_path: Path) -> None:
    """In the metrics, in what goes to the store, among the reasons, and in the evidence of its ramp."""
    async with running(tmp_path) as found:
        await until(lambda: found.applied["balance"].ramp == 100)
        failed = sample(b"{}", b"{}", status=500)
        found.rollouts.sampled([sample(b'{"a": 1}', b'{"a": 1}'), failed], {}, {})
        await until(lambda: judged(found) == {("balance", "matched"): 1, ("balance", "candidate_error"): 1})
        present, _ = found.rollouts.evidence.of("rents")
        assert (present.matched, present.candidate_error, present.requests) == (1, 1, 1)
        counts = found.rollouts.keeper.counts.verdicts
        assert {key[1:]: count for key, count in counts.items()} == judged(found)


async def test_what_was_skipped_is_counted(tmp_path: Path) -> None:
    """By its reason in the metrics, and as a verdict; it holds a ramp, so it is evidence."""
    async with running(tmp_path) as found:
        await until(lambda: found.applied["balance"].ramp == 100)
        found.rollouts.sampled([], {("balance", "queue_full"): 3}, {})
        assert found.rollouts._traffic._skipped == {("balance", "queue_full"): 3}
        assert judged(found) == {("balance", "skipped"): 3}
        assert found.rollouts.evidence.of("rents")[0].skipped == 3


async def test_evidence_has_the_loop_look_at_its_ramp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only at that: what concerns no ramp wakes nobody."""
    async with running(tmp_path) as found:
        await until(lambda: found.applied["balance"].ramp == 100)
        nudged: list[set[str]] = []
        monkeypatch.setattr(found.rollouts.loop, "nudge", lambda journeys=(): nudged.append(set(journeys)))
        found.rollouts._judged([Judged("list", "matched", NEW, time())])
        assert nudged == []
        found.rollouts._judged([Judged("list", "matched", NEW, time()), Judged("balance", "matched", NEW, time())])
        assert [each - {""} for each in nudged] == [{"rents"}]


async def test_observations_are_evidence(tmp_path: Path) -> None:
    """Live attempts of a ramp's routes."""
    async with running(tmp_path) as found:
        await until(lambda: found.applied["balance"].ramp == 100)
        found.rollouts.observed([observed(route="balance", at=time()), observed(route="list", at=time())])
        assert found.rollouts.evidence.of("rents")[0].legacy.attempts == 1


# ------------------------------------------------------------------------------------------------ following


async def test_routes_are_compared_that_say_so(tmp_path: Path) -> None:
    """By a shadow or by a replay; the others are not, and what is not followed any more is forgotten."""
    async with running(tmp_path, stored=False) as found:
        assert set(found.rollouts.judge._ways) == KEYS
        (tmp_path / "list.har").write_text(json.dumps(har("/repairs")))
        replayed = ROUTES.replace(
            "new: repairs, serve: new}",
            "new: repairs, serve: new, safe: true, replay: {from: list.har, daily: '02:00'}}",
        )
        found.rollouts.follow(found.estate(replayed))
        assert set(found.rollouts.judge._ways) == KEYS | {"list"}
        found.rollouts.follow(
            found.estate(ROUTES.replace("shadow: 100%, journey: rents}", "ramp: {guards: {parity: off}}}"))
        )
        assert set(found.rollouts.judge._ways) == {"balance"}


async def test_a_way_of_comparing_is_made_once(tmp_path: Path) -> None:
    """A table of thousands of routes in which one has changed compiles one."""
    async with running(tmp_path, stored=False) as found:
        before = dict(found.rollouts.judge._ways)
        found.rollouts.follow(found.estate(ROUTES.replace("show: [/at]", "show: [/when]")))
        after = found.rollouts.judge._ways
        assert after["lines"] is before["lines"]
        assert after["balance"] is not before["balance"]


async def test_soap_is_compared_by_its_contract(tmp_path: Path) -> None:
    """Where a side answers an operation of a WSDL; JSON needs none."""
    async with running(tmp_path, stored=False) as found:
        facade = route("SOAP /rents#GetBalance", new=Target("repairs", call=FacadeTarget(GET_BALANCE, SCHEMA)))
        assert isinstance(found.rollouts._way(facade)[1].decode, Meaning)
        assert found.rollouts._way(route("GET /rents"))[1].decode is None


async def test_the_settings_of_the_file_are_taken_up(tmp_path: Path) -> None:
    """What is kept, and who is told; without a new process."""
    async with running(tmp_path, stored=False) as found:
        estate = found.estate()
        hook = Webhook("http://127.0.0.1:1/", b"k")
        gateway = estate.gateway._replace(keep=Keep(examples=9), webhooks=(hook,))
        found.rollouts.follow(estate._replace(gateway=gateway))
        assert found.rollouts.keeper.keep == Keep(examples=9)
        assert list(found.rollouts.teller.webhooks.urls("promoted")) == [hook.url]


@pytest.mark.parametrize(("name", "served"), [("list", True), ("gone", False), ("nobody", False)])
async def test_only_what_passes_requests_on_is_captured(tmp_path: Path, name: str, served: bool) -> None:
    """Not a route that is retired, or not there."""
    async with running(tmp_path, stored=False) as found:
        assert found.rollouts._serves(name) is served


# ------------------------------------------------------------------------------------------------ starting, ending


async def test_a_first_start_waits_for_the_store(tmp_path: Path) -> None:
    """Another replica may have rolled back: what this one serves first must be what holds."""
    async with running(tmp_path / "a") as one:
        await one.rollouts.actions.act("rents", "rollback", "ann", "slow")
        await until(lambda: not one.rollouts.standings.untold)
        (tmp_path / "b").mkdir()
        other = Running(tmp_path / "b", store=tmp_path / "a")
        await other.rollouts.start(other.estate())
        assert other.applied == dict.fromkeys(KEYS, Standing(ramp=0, why="rolled_back"))
        await other.rollouts.close()


async def test_a_store_that_does_not_answer_keeps_nobody_from_serving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so long is waited; then ramps serve legacy, since nobody knows where they stand."""
    monkeypatch.setattr(room, "WAIT_FOR_STORE", 0.05)
    found = Running(tmp_path)

    async def never() -> Store:
        await asyncio.Event().wait()
        raise StoreUnavailable("")

    found.rollouts.keeper._opening = never
    async with asyncio.timeout(2):
        await found.rollouts.start(found.estate())
    assert found.applied == dict.fromkeys(KEYS, Standing(why="unknown"))
    await found.rollouts.close()


async def test_a_restart_waits_for_nothing(tmp_path: Path) -> None:
    """The file says where things stand: the store is asked beside the traffic."""
    async with running(tmp_path) as found:
        await until(lambda: found.applied["balance"].ramp == 100)
    again = Running(tmp_path)
    await asyncio.wait_for(again.rollouts.start(again.estate()), 1)
    assert not again.rollouts.keeper.looked.is_set()
    assert again.applied["balance"] == Standing(ramp=100, why="climbing")
    await again.rollouts.close()


async def test_what_runs_is_known_and_ends(tmp_path: Path) -> None:
    """Three things go on for as long as the gateway does; after closing, none."""
    async with running(tmp_path) as found:
        assert [each.done() for each in found.rollouts.tasks] == [False] * 3
    assert [each.done() for each in found.rollouts.tasks] == [True] * 3


async def test_the_key_of_hashes_stays(tmp_path: Path) -> None:
    """The same in the next process, so that hashes compare; nobody else's to read; a broken one is made anew."""
    key = room._key(tmp_path)
    assert room._key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "hash.key").stat().st_mode) == 0o600
    (tmp_path / "hash.key").write_bytes(b"short")
    assert len(room._key(tmp_path)) == len(key) == 32
    assert room._key(tmp_path) != b"short"
