"""What people do to ramps and routes holds once it returns, and what cannot be done is said with what can."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from time import time

import pytest

from gateway.core.events import Kind
from gateway.core.policies import Standing
from gateway.core.positions import State
from gateway.errors import CommandError
from gateway.rollouts.actions import Actions
from gateway.rollouts.standings import FILE
from tests.rollouts.running import ROUTES, Running, running, until
from tests.rollouts.test_loop import away, climbing, position

RAMP = Standing(ramp=100, why="climbing")


@pytest.fixture
async def climbs(tmp_path: Path) -> AsyncIterator[Running]:
    """Rollouts whose ramp stands in its first stage."""
    async with climbing(tmp_path) as found:
        yield found


def actions(given: Running) -> Actions:
    return given.rollouts.actions


async def kinds(given: Running) -> list[Kind]:
    """What was told of ramps since the first stage began, the earliest first."""
    stored = await given.rollouts.keeper.opened().events()
    untold = [each for each in given.rollouts.teller.untold if each not in stored]
    found = [each.kind for each in sorted([*stored, *untold], key=lambda each: each.at) if each.journey]
    assert found[:2] == ["started", "promoted"]
    return found[2:]


@pytest.mark.parametrize("action", ["pause", "rollback"])
async def test_what_makes_things_safer_needs_no_store(climbs: Running, tmp_path: Path, action: str) -> None:
    """It holds for the traffic and on the disk when it returns, and is told; who did it and why stand with it."""
    with away(climbs):
        after = await actions(climbs).act("balance", action, "ann", "slow")
        assert (
            climbs.applied["balance"]
            == {
                "pause": Standing(ramp=100, why="paused"),
                "rollback": Standing(ramp=0, why="rolled_back"),
            }[action]
        )
        assert json.loads((tmp_path / FILE).read_bytes())["positions"] == [after.to_plain()]
        assert (after.by, after.why) == ("ann", "slow")
    assert await kinds(climbs) == [{"pause": "paused", "rollback": "rolled_back"}[action]]


@pytest.mark.parametrize("action", ["promote", "restart"])
async def test_what_goes_on_needs_the_store(climbs: Running, action: str) -> None:
    """Without it nothing moves, and it is said what can be done without it."""
    before = position(climbs)
    with (
        away(climbs),
        pytest.raises(CommandError, match=r"stays where it is: .* Pausing and rolling back do without it"),
    ):
        await actions(climbs).act("rents", action, "ann", "")
    assert (position(climbs), climbs.applied["balance"]) == (before, RAMP)
    assert await kinds(climbs) == []


@pytest.mark.parametrize(
    ("before", "action", "state", "share", "kind"),
    [
        ([], "promote", State.CLIMBING, 5_000, "promoted"),
        (["promote", "promote"], "promote", State.FINISHED, 10_000, "finished"),
        (["pause"], "resume", State.CLIMBING, 100, "resumed"),
        (["rollback"], "resume", State.CLIMBING, 100, "resumed"),
        (["rollback"], "restart", State.CLIMBING, 0, "started"),
    ],
)
async def test_a_person_moves_a_ramp(
    climbs: Running, before: list[str], action: str, state: State, share: int, kind: Kind
) -> None:
    """By its journey or by a route: a step that the store has taken when it returns, and that is told once."""
    for each in before:
        await actions(climbs).act("rents", each, "ann", "")
        await until(lambda: not climbs.rollouts.standings.untold)
    after = await actions(climbs).act("balance", action, "ann", "because")
    assert (after.state, after.share, after.by, after.why) == (state, share, "ann", "because")
    (stored,) = await climbs.rollouts.keeper.opened().positions()
    assert stored.sequence >= after.sequence
    assert (await kinds(climbs))[len(before)] == kind


async def test_a_step_that_another_took_is_refused(climbs: Running) -> None:
    """Somebody else moved the ramp a moment ago: nobody moves it twice unawares."""
    at = position(climbs)
    further = at._replace(stage=1, share=5_000, sequence=at.sequence + 1)
    store = climbs.rollouts.keeper.opened()
    assert await store.put_position("rents", at.sequence, further.to_plain()) is True
    with pytest.raises(CommandError, match="took another step just now"):
        await actions(climbs).act("rents", "promote", "ann", "")
    assert await kinds(climbs) == []


@pytest.mark.parametrize(
    ("name", "action", "why"),
    [
        ("rents", "jump", "'jump' is nothing that can be done to a ramp: pause, resume, approve, promote"),
        ("rents", "resume", "cannot resume rents: it is climbing"),
        ("rents", "approve", "its next stage needs no approval"),
        ("list", "pause", "list does not ramp.*banyan override list legacy"),
        ("nobody", "pause", "There is no route and no journey 'nobody'"),
    ],
)
async def test_what_cannot_be_done_is_said_with_what_can(climbs: Running, name: str, action: str, why: str) -> None:
    """And nothing moves."""
    before = position(climbs)
    with pytest.raises(CommandError, match=why):
        await actions(climbs).act(name, action, "ann", "")
    assert position(climbs) == before


async def test_a_ramp_that_has_not_begun_waits_for_the_store(tmp_path: Path) -> None:
    """There is nothing to move yet."""
    async with running(tmp_path, stored=False) as found:
        with pytest.raises(CommandError, match="The ramp rents has not begun: it waits for the store"):
            await found.rollouts.actions.act("rents", "pause", "ann", "")


# ------------------------------------------------------------------------------------------------ overrides


async def test_an_override_holds_when_it_returns(tmp_path: Path) -> None:
    """For the traffic and on the disk, with or without the store; it is told with all that it says."""
    async with running(tmp_path, stored=False) as found:
        end = time() + 60
        override = await found.rollouts.actions.override(
            "list", 2_500, record="legacy", until=end, by="ann", why="slow"
        )
        assert found.applied["list"] == Standing(override=2_500, record="legacy")
        assert json.loads((tmp_path / FILE).read_bytes())["overrides"] == [override._asdict()]
        assert override[:5] == ("list", 2_500, "legacy", "slow", "ann")
        assert (override.until, override.serve) == (end, "new")
        event = found.rollouts.teller.untold[-1]
        assert (event.kind, event.route, event.by, event.why) == ("override_set", "list", "ann", "slow")
        assert event.details == {"share": 25.0, "until": end, "record": "legacy"}


async def test_an_override_is_cleared(tmp_path: Path) -> None:
    """The route goes by the file again when it returns; cleared twice, it is said that there is none."""
    async with running(tmp_path, stored=False) as found:
        override = await found.rollouts.actions.override("list", 0, record=None, until=None, by="ann", why="slow")
        assert await found.rollouts.actions.clear_override("list", "bob", "better") == override
        assert "list" not in found.applied
        assert json.loads((tmp_path / FILE).read_bytes())["overrides"] == []
        event = found.rollouts.teller.untold[-1]
        assert (event.kind, event.route, event.by, event.why) == ("override_cleared", "list", "bob", "better")
        with pytest.raises(CommandError, match="list has no override"):
            await found.rollouts.actions.clear_override("list", "bob", "")


@pytest.mark.parametrize(
    ("name", "share", "why"),
    [
        ("gone", 0, "gone is retired"),
        ("rest", 10_000, "rest has no new side"),
        ("rest", 1, "rest has no new side"),
        ("only", 0, "only has no legacy side"),
        ("only", 9_999, "only has no legacy side"),
        ("nobody", 0, "There is no route 'nobody'"),
    ],
)
async def test_an_override_that_cannot_be_is_refused(tmp_path: Path, name: str, share: int, why: str) -> None:
    """A route that is retired, or that has no such side, or is not there."""
    text = f"{ROUTES}  - {{name: only, match: GET /only, new: repairs, serve: new}}\n"
    async with running(tmp_path, stored=False, text=text) as found:
        with pytest.raises(CommandError, match=why):
            await found.rollouts.actions.override(name, share, record=None, until=None, by="ann", why="")
        assert found.rollouts.standings.overrides == {}


async def test_a_route_may_stand_where_its_only_side_is(tmp_path: Path) -> None:
    """All of the traffic of a side needs no other."""
    async with running(tmp_path, stored=False) as found:
        await found.rollouts.actions.override("rest", 0, record=None, until=None, by="ann", why="")
        assert found.applied["rest"] == Standing(override=0)
