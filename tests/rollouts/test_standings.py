"""Where routes stand, when the store and this replica do not say the same."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.core.model import Serve
from gateway.core.positions import Position, State
from gateway.rollouts.standings import Standings, merged
from gateway.store.values import Override
from tests.support.values import route

HERE = Position("rents", "settings", State.CLIMBING, 2, 2_500, 1_000.0, 7)
BACK = HERE._replace(state=State.ROLLED_BACK)
POSITIONS = some.builds(
    HERE._replace,
    state=some.sampled_from(State),
    share=some.sampled_from((100, 2_500, 10_000)),
    sequence=some.integers(1, 9),
)
SAFEST = (State.ROLLED_BACK, State.PAUSED, State.AWAITING_APPROVAL, State.CLIMBING, State.FINISHED)


@pytest.fixture
def standings(tmp_path: Path) -> Standings:
    return Standings(tmp_path)


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
