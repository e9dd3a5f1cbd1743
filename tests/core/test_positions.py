"""A position says where a ramp stands, whole; people's actions go by the table, and refusals say what to do."""

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.policies import Guards, Ramp, Stage, Standing
from gateway.core.positions import (
    BEFORE,
    INSTEAD,
    TRANSITIONS,
    Action,
    Position,
    State,
    acted,
    begun,
    needs_approval,
    refitted,
    reviewed,
    settings_of,
    share_of,
    standing_of,
)
from gateway.errors import CommandError

RAMP = Ramp(stages=(Stage(100), Stage(2_500), Stage(5_000, approve=True), Stage(10_000)))


def at(stage: int, state: State = State.CLIMBING, approved: tuple[int, ...] = ()) -> Position:
    return Position("rents", settings_of(RAMP), state, stage, share_of(RAMP, stage), 1_000.0, 7, approved)


positions = st.builds(
    Position,
    st.text(),
    st.text(),
    st.sampled_from(State),
    st.integers(BEFORE, 9),
    st.integers(0, 10_000),
    st.floats(0, 4e9),
    st.integers(0, 99),
    st.lists(st.integers(0, 9)).map(tuple),
    st.text(),
    st.text(),
)


@given(positions)
def test_a_position_survives_json(position: Position) -> None:
    """What the store and the local file keep is read back the same."""
    assert Position.from_plain(json.loads(json.dumps(position.to_plain()))) == position


def test_a_ramp_begins_before_its_first_stage() -> None:
    """Nobody is moved until the first decision; the position knows whose settings it has."""
    position = begun("rents", RAMP, 5.0)
    assert position == Position("rents", settings_of(RAMP), State.CLIMBING, BEFORE, 0, 5.0, 0, why="the ramp begins")
    assert standing_of(position) == Standing(ramp=0, why="climbing")


def test_settings_have_a_digest() -> None:
    """The digest is the same everywhere, and another for any other setting."""
    assert settings_of(RAMP) == settings_of(RAMP._replace())
    assert settings_of(RAMP) != settings_of(RAMP._replace(guards=Guards(samples=999)))
    assert len(settings_of(RAMP)) == 16


@pytest.mark.parametrize(("state", "action"), TRANSITIONS)
def test_what_people_may_do(state: State, action: Action) -> None:
    """Each action leads where the table says, makes one step, and says who took it and why."""
    before = at(1, state)
    after = acted(before, action, RAMP, 2_000.0, by="kim", why="calls came in")
    assert (after.state, after.sequence) == (TRANSITIONS[state, action], 8)
    assert (after.by, after.why) == ("kim", "calls came in")


@pytest.mark.parametrize(("state", "action"), [pair for pair in product(State, Action) if pair not in TRANSITIONS])
def test_what_people_may_not_do(state: State, action: Action) -> None:
    """Any other action is refused with what is the case and what can be done instead."""
    with pytest.raises(CommandError) as refused:
        acted(at(1, state), action, RAMP, 2_000.0, by="kim")
    assert str(refused.value).startswith(f"cannot {action} rents: it is {state.replace('_', ' ')}; {INSTEAD[state]}")


def test_promoting_by_hand_needs_no_approval() -> None:
    """A person who promotes has approved; from the last stage the ramp is finished and keeps its share."""
    after = acted(at(1), Action.PROMOTE, RAMP, 2_000.0, by="kim")
    assert (after.stage, after.share, after.since, after.why) == (2, 5_000, 2_000.0, "promote by kim")
    last = acted(at(3), Action.PROMOTE, RAMP, 2_000.0, by="kim")
    assert (last.state, last.stage, last.share, last.since) == (State.FINISHED, 3, 10_000, 2_000.0)
    beyond = at(3)._replace(stage=7)  # of other settings
    assert acted(beyond, Action.PROMOTE, RAMP, 2_000.0, by="kim").state == State.FINISHED


def test_an_approval_is_of_one_stage() -> None:
    """Approving, ahead of time too, is kept; it moves nobody, and what needs none is refused."""
    after = acted(at(1, State.AWAITING_APPROVAL), Action.APPROVE, RAMP, 2_000.0, by="kim")
    assert (after.state, after.stage, after.approved, after.since) == (State.CLIMBING, 1, (2,), 1_000.0)
    for position in (at(0), at(3), after):
        with pytest.raises(CommandError, match="needs no approval"):
            acted(position, Action.APPROVE, RAMP, 2_000.0, by="kim")
    assert needs_approval(RAMP, at(1))
    assert not needs_approval(RAMP, at(3))


def test_resuming_begins_the_stage_anew() -> None:
    """What was rolled back or paused goes on at its stage, with evidence from now on."""
    for state in (State.ROLLED_BACK, State.PAUSED):
        after = acted(at(1, state), Action.RESUME, RAMP, 2_000.0, by="kim")
        assert (after.state, after.stage, after.share, after.since) == (State.CLIMBING, 1, 2_500, 2_000.0)


def test_restarting_forgets_approvals() -> None:
    """A ramp that is restarted is where it began, and goes by its present settings."""
    before = at(2, State.FINISHED, approved=(2,))._replace(settings="another's")
    after = acted(before, Action.RESTART, RAMP, 2_000.0, by="kim")
    assert after.settings == settings_of(RAMP)
    assert (after.stage, after.share, after.approved, after.since) == (BEFORE, 0, (), 2_000.0)


def test_a_pause_keeps_what_was_seen() -> None:
    """Pausing and rolling back change no begin, so the evidence stays to be looked at."""
    for action in (Action.PAUSE, Action.ROLLBACK):
        assert acted(at(1), action, RAMP, 2_000.0, by="kim").since == 1_000.0


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        (State.CLIMBING, Standing(ramp=2_500, why="climbing")),
        (State.AWAITING_APPROVAL, Standing(ramp=2_500, why="climbing")),
        (State.PAUSED, Standing(ramp=2_500, why="paused")),
        (State.ROLLED_BACK, Standing(ramp=0, why="rolled_back")),
        (State.FINISHED, Standing(ramp=2_500, why="finished")),
    ],
)
def test_what_a_position_means_for_its_routes(state: State, standing: Standing) -> None:
    """Rolled back, the new side has nothing; otherwise what its stage gives it."""
    assert standing_of(at(1, state)) == standing


@pytest.mark.parametrize(
    ("state", "becomes"),
    [
        (State.CLIMBING, State.CLIMBING),
        (State.AWAITING_APPROVAL, State.CLIMBING),
        (State.FINISHED, State.CLIMBING),
        (State.PAUSED, State.PAUSED),
        (State.ROLLED_BACK, State.ROLLED_BACK),
    ],
)
def test_changed_settings_move_nobody_to_the_new_side(state: State, becomes: State) -> None:
    """The position goes to the stage below its share and begins that anew; what people stopped stays stopped."""
    other = Ramp(stages=(Stage(500), Stage(2_000), Stage(3_000), Stage(10_000)))
    after = refitted(at(1, state, approved=(2,)), other, 2_000.0)
    assert (after.state, after.stage, after.share, after.since) == (becomes, 1, 2_000, 2_000.0)
    assert (after.settings, after.approved, after.sequence) == (settings_of(other), (), 8)


@pytest.mark.parametrize("state", State)
def test_a_change_of_the_file_leaves_the_reason_of_a_stop(state: State) -> None:
    """Who looks why a ramp went back must not read that somebody has edited a rule since."""
    position = at(1, state)._replace(why="parity 96 % is below 99.5 %", by="kim")
    for after in (refitted(position, RAMP, 2_000.0), reviewed(position, 2_000.0)):
        assert (after.since, after.sequence) == (2_000.0, 8)
        stopped = state in (State.PAUSED, State.ROLLED_BACK)
        assert ((after.why, after.by) == (position.why, "kim")) is stopped
    assert reviewed(position, 2_000.0).state is state


def test_changed_settings_may_begin_higher() -> None:
    """Where every stage is above what it had, the ramp stands before its first."""
    after = refitted(at(0), Ramp(stages=(Stage(500), Stage(10_000))), 2_000.0)
    assert (after.stage, after.share) == (BEFORE, 0)
