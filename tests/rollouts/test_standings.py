"""Where routes stand: over restarts, by their overrides, and when the store and this replica do not say the same."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gateway.core.model import Estate, Gateway, Route, Serve
from gateway.core.policies import Standing
from gateway.core.positions import BEFORE, Position, State
from gateway.rollouts.standings import EVENTS, FILE, Standings, merged
from gateway.rollouts.telling import event_of
from gateway.store.values import Override
from tests.support.values import BOTH, route, split

HERE = Position("rents", "settings", State.CLIMBING, 2, 2_500, 1_000.0, 7)
BACK = HERE._replace(state=State.ROLLED_BACK)
POSITIONS = some.builds(
    HERE._replace,
    state=some.sampled_from(State),
    share=some.sampled_from((100, 2_500, 10_000)),
    sequence=some.integers(1, 9),
)
SAFEST = (State.ROLLED_BACK, State.PAUSED, State.AWAITING_APPROVAL, State.CLIMBING, State.FINISHED)

RAMPS, LISTS = route("GET /a", Serve.RAMP, name="a", journey="rents"), split(name="b", share=500)
LIVE = Override("b", 10_000, None, "why", "ann", 1_000.0, 2_000.0, "5% new")


def estate(*routes: Route) -> Estate:
    return Estate(Gateway(), BOTH, routes, "d1ge57")


@pytest.fixture
def standings(tmp_path: Path) -> Standings:
    """Those of a file whose journey `rents` ramps."""
    found = Standings(tmp_path)
    found.follow(estate(RAMPS, LISTS), 1_000.0)
    return found


def test_an_answer_from_before_a_step_undoes_nothing(standings: Standings) -> None:
    """The store is asked, the step is taken, the answer comes: the step holds, though it says otherwise."""
    standings.positions["rents"] = HERE
    assert standings.merge([HERE._replace(stage=1, share=500, sequence=6)], []) is False
    assert standings.positions["rents"] == HERE
    further = HERE._replace(stage=3, share=5_000, sequence=8)
    assert standings.merge([further], []) is True
    assert (standings.positions["rents"], standings.untold) == (further, set())


def test_what_others_did_is_taken_up(standings: Standings) -> None:
    """A later step of another replica holds here, and a ramp that is not known here is known from then on."""
    later = HERE._replace(stage=3, share=5_000, sequence=8)
    standings.positions["rents"] = HERE
    assert standings.merge([later, HERE._replace(journey="repairs")], []) is True
    assert [standings.positions[name].sequence for name in ("rents", "repairs")] == [8, 7]
    assert standings.untold == set()


def test_going_back_without_the_store_holds_against_going_on(standings: Standings) -> None:
    """Another replica has promoted meanwhile, even twice: going back becomes the step after that."""
    standings.move(BACK._replace(sequence=8))
    standings.merge([HERE._replace(share=10_000, sequence=9)], [])
    assert standings.positions["rents"] == BACK._replace(sequence=10)
    assert standings.untold == {("position", "rents")}


def test_going_back_elsewhere_holds_against_steps_without_the_store(standings: Standings) -> None:
    """Two changes of the file were made here while the store was away, and another replica went back once."""
    standings.move(HERE._replace(sequence=9))
    standings.merge([BACK._replace(sequence=8)], [])
    assert standings.positions["rents"] == BACK._replace(sequence=10)
    assert standings.untold == {("position", "rents")}


def test_an_override_is_known_for_as_long_as_it_is_live(standings: Standings) -> None:
    """Of any of the routes that ramp together; one whose time is over counts no more."""
    other, balance = route("GET /a", Serve.NEW), route("GET /b", Serve.NEW, name="balance")
    standings.routes = {"balance": balance}
    standings.override(Override("balance", 0, None, "why", "kim", 1_000.0, 2_000.0, "new"))
    assert standings.overridden((other, balance), 1_999.0) == "balance"
    assert standings.overridden((other, balance), 2_000.0) == ""
    assert standings.overridden((other,), 1_999.0) == ""


def test_a_stage_that_began_anew_is_not_undone(standings: Standings) -> None:
    """It stands where it stood, only since later: what the store says is from before."""
    anew = HERE._replace(since=2_000.0, sequence=8)
    standings.move(anew)
    assert standings.merge([HERE], []) is False
    assert standings.positions["rents"] == anew


@given(POSITIONS, POSITIONS, some.booleans())
def test_merging_is_safe(ours: Position, theirs: Position, untold: bool) -> None:
    """The sequence never goes back, another place has another sequence, and what is untold makes nothing less safe."""
    found = merged(ours, theirs, untold=untold)
    assert found.sequence >= max(ours.sequence, theirs.sequence)
    assert found._replace(sequence=0) in (ours._replace(sequence=0), theirs._replace(sequence=0))
    if found.sequence == theirs.sequence:
        assert found == theirs
    if untold:
        assert SAFEST.index(found.state) == min(SAFEST.index(ours.state), SAFEST.index(theirs.state))


# ------------------------------------------------------------------------------------------------ overrides


def test_a_route_stands_by_its_override_and_by_its_ramp(standings: Standings) -> None:
    """Both are said, since they end apart; a ramp that does not know where it stands says so."""
    standings.follow(estate(RAMPS, LISTS), 1_000.0)
    assert standings.of(1_500.0) == {"a": Standing(why="unknown")}
    standings.positions["rents"] = HERE
    standings.override(LIVE)
    standings.override(LIVE._replace(route="a", share=0, record="legacy", until=None, serve="ramp"))
    assert standings.of(1_500.0) == {
        "a": Standing(0, "legacy", 2_500, "climbing"),
        "b": Standing(override=10_000),
    }


@pytest.mark.parametrize(
    ("now", "file", "holds"),
    [
        (1_999.9, LISTS, True),
        (2_000.0, LISTS, False),
        (1_500.0, LISTS._replace(share=600), False),
        (1_500.0, LISTS._replace(serve=Serve.NEW), False),
        (1_500.0, RAMPS, False),
    ],
)
def test_an_override_ends(standings: Standings, now: float, file: Route, holds: bool) -> None:
    """With its time, when the file says something else, and with its route."""
    standings.follow(estate(file), 1_000.0)
    standings.override(LIVE)
    assert standings.holds(LIVE, now) is holds
    assert ("b" in standings.of(now)) is holds


def test_an_override_without_an_end_stays(standings: Standings) -> None:
    """Until somebody clears it."""
    standings.follow(estate(LISTS), 1_000.0)
    assert standings.holds(LIVE._replace(until=None), 1e12) is True


def test_what_was_cleared_is_told_to_the_store(standings: Standings) -> None:
    """Whoever clears it learns what it was; what is not there is not cleared."""
    standings.override(LIVE)
    standings.untold.clear()
    assert standings.clear("b") == LIVE
    assert (standings.overrides, standings.untold) == ({}, {("override", "b")})
    assert standings.clear("a") is None
    assert standings.untold == {("override", "b")}


def test_overrides_of_other_replicas_are_taken_up(standings: Standings) -> None:
    """Set or cleared there; but not over what was set or cleared here and is not told yet."""
    other = LIVE._replace(share=0)
    assert standings.merge([], [LIVE]) is True
    assert standings.merge([], [LIVE]) is False
    standings.override(other)
    assert standings.merge([], [LIVE]) is False
    assert standings.overrides == {"b": other}
    standings.clear("b")
    standings.merge([], [LIVE])
    assert standings.overrides == {}
    standings.untold.clear()
    standings.merge([], [LIVE])
    assert standings.merge([], []) is True
    assert standings.overrides == {}


# ------------------------------------------------------------------------------------------------ ramps that end


@pytest.mark.parametrize("state", State)
def test_a_ramp_that_the_file_ended_begins_anew_later(standings: Standings, state: State) -> None:
    """Whatever it was doing: that is said once, and what the store says from before does not undo it."""
    standings.positions["rents"] = HERE._replace(state=state)
    standings.follow(estate(LISTS), 5.0)
    anew = standings.positions["rents"]
    assert anew[2:7] == (State.CLIMBING, BEFORE, 0, 5.0, HERE.sequence + 1)
    assert standings.untold == {("position", "rents")}
    standings.follow(estate(LISTS), 6.0)
    assert standings.merge([HERE._replace(state=state)], []) is False
    assert (standings.positions["rents"], standings.untold) == (anew, {("position", "rents")})


def test_a_ramp_that_goes_on_is_left_alone(standings: Standings) -> None:
    """A journey that still has a route that ramps."""
    standings.positions["rents"] = BACK
    standings.follow(estate(RAMPS, LISTS), 5.0)
    assert (standings.positions["rents"], standings.untold) == (BACK, set())


# ------------------------------------------------------------------------------------------------ the file


def test_a_restart_changes_nothing(standings: Standings, tmp_path: Path) -> None:
    """Positions, overrides, and what the store has not been told yet: changes, and events in their order."""
    standings.move(HERE)
    standings.override(LIVE)
    standings.override(LIVE._replace(route="c"))
    standings.clear("c")
    standings.events.extend(event_of("paused", journey="rents", details={"stage": 1}) for _ in range(3))
    standings.save(standings.content())
    again = Standings(tmp_path)
    again.load()
    assert again.read is True
    assert (again.positions, again.overrides) == ({"rents": HERE}, {"b": LIVE})
    assert again.untold == {("position", "rents"), ("override", "b"), ("override", "c")}
    assert (again.cleared, again.events) == ({"c": LIVE.set_at}, standings.events)
    assert again.content() == standings.content()


def test_the_file_is_nobody_elses_and_whole(standings: Standings, tmp_path: Path) -> None:
    """It takes the place of the one before at once; nothing else is left."""
    standings.save(b"1")
    standings.save(b"2")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [(FILE, b"2")]
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_without_a_file_nothing_is_known(standings: Standings) -> None:
    """A first start."""
    standings.load()
    assert (standings.read, standings.positions) == (False, {})


GOOD: dict[str, Any] = {
    "positions": [HERE.to_plain()],
    "overrides": [LIVE._asdict()],
    "cleared": {"c": 1_500.0},
    "untold": [["position", "rents"]],
    "events": [list(event_of("paused"))],
}
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50)
@given(some.sampled_from([*GOOD]), some.none() | some.text() | some.lists(some.lists(JSON, min_size=1), min_size=1))
def test_a_broken_file_is_as_good_as_none(
    tmp_path_factory: pytest.TempPathFactory, key: str, broken: list[list[object]] | None
) -> None:
    """Whatever stands where a list of something belongs: nothing of it is taken up, and nothing ends."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / FILE).write_text(json.dumps({**GOOD, key: broken}))
    standings = Standings(folder)
    standings.load()
    if not standings.read:
        assert (standings.positions, standings.overrides, standings.untold) == ({}, {}, set())
        assert list(standings.events) == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"1", b"{}", b"\xff", *(json.dumps({**GOOD, key: [1]}).encode() for key in GOOD)]
)
def test_a_file_that_is_no_standings_is_not_read(standings: Standings, tmp_path: Path, content: bytes) -> None:
    """Cut off, emptied, or something else: the store is asked instead."""
    (tmp_path / FILE).write_bytes(content)
    standings.load()
    assert (standings.read, standings.positions) == (False, {})


def test_only_what_is_there_is_untold(standings: Standings, tmp_path: Path) -> None:
    """A position that the file does not have cannot be told; an override that it does not have was cleared."""
    told = [["position", "rents"], ["position", "ghost"], ["override", "c"]]
    (tmp_path / FILE).write_text(json.dumps({**GOOD, "untold": told}))
    standings.load()
    assert standings.untold == {("position", "rents"), ("override", "c")}


def test_events_are_bounded(standings: Standings) -> None:
    """However long the store is away."""
    assert standings.events.maxlen == EVENTS
