"""Where a ramp stands, and what people can do about it. A position says it all: a restart changes nothing.

Every step makes a new position with the next `sequence`, so that of two replicas that step at once one wins
(compare-and-set), and nobody steps twice.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple, assert_never

from gateway.core.policies import Ramp, Standing
from gateway.errors import CommandError

BEFORE = -1
"""The stage of a ramp whose first has not begun."""


class State(StrEnum):
    """What a ramp is doing."""

    CLIMBING = "climbing"
    PAUSED = "paused"
    AWAITING_APPROVAL = "awaiting_approval"
    ROLLED_BACK = "rolled_back"
    FINISHED = "finished"


class Action(StrEnum):
    """What a person does to a ramp."""

    PAUSE = "pause"
    RESUME = "resume"
    APPROVE = "approve"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    RESTART = "restart"


_STOPPED = (State.PAUSED, State.ROLLED_BACK)
"""A person has to say how it goes on."""
TRANSITIONS: Mapping[tuple[State, Action], State] = {
    (State.CLIMBING, Action.PAUSE): State.PAUSED,
    (State.CLIMBING, Action.APPROVE): State.CLIMBING,
    (State.CLIMBING, Action.PROMOTE): State.CLIMBING,
    (State.CLIMBING, Action.ROLLBACK): State.ROLLED_BACK,
    (State.CLIMBING, Action.RESTART): State.CLIMBING,
    (State.PAUSED, Action.RESUME): State.CLIMBING,
    (State.PAUSED, Action.ROLLBACK): State.ROLLED_BACK,
    (State.PAUSED, Action.RESTART): State.CLIMBING,
    (State.AWAITING_APPROVAL, Action.PAUSE): State.PAUSED,
    (State.AWAITING_APPROVAL, Action.APPROVE): State.CLIMBING,
    (State.AWAITING_APPROVAL, Action.PROMOTE): State.CLIMBING,
    (State.AWAITING_APPROVAL, Action.ROLLBACK): State.ROLLED_BACK,
    (State.AWAITING_APPROVAL, Action.RESTART): State.CLIMBING,
    (State.ROLLED_BACK, Action.RESUME): State.CLIMBING,
    (State.ROLLED_BACK, Action.RESTART): State.CLIMBING,
    (State.FINISHED, Action.ROLLBACK): State.ROLLED_BACK,
    (State.FINISHED, Action.RESTART): State.CLIMBING,
}
"""What each action makes of each state; the rest is refused. `promote` from the last stage finishes the ramp."""

INSTEAD: Mapping[State, str] = {
    State.CLIMBING: "it goes on by itself; it can be paused, promoted, rolled back or restarted",
    State.PAUSED: "resume it first, or roll it back",
    State.AWAITING_APPROVAL: "approve or promote it, pause it, or roll it back",
    State.ROLLED_BACK: "resume it to go on at the same stage, or restart it from the first",
    State.FINISHED: "it can be rolled back or restarted; `banyan flip` settles it in the file",
}


class Position(NamedTuple):
    """Where the ramp of a journey stands.

    `settings` is a digest of the ramp it belongs to. `stage` counts from 0, and is BEFORE until the first begins;
    `share` (of BUCKETS) is what that stage gives the new side. `since` is when it began or was resumed (Unix seconds):
    evidence counts from then on. `sequence` grows by 1 with every step; `approved` are the stages that a person has
    approved; `why` and `by` tell of the last step, `by` being "" where that was the gateway itself.
    """

    journey: str
    settings: str
    state: State
    stage: int
    share: int
    since: float
    sequence: int = 0
    approved: tuple[int, ...] = ()
    why: str = ""
    by: str = ""

    def to_plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**self._asdict(), "state": str(self.state), "approved": list(self.approved)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Position":
        """What `to_plain` gave."""
        return cls(**{**plain, "state": State(plain["state"]), "approved": tuple(plain["approved"])})


@lru_cache(maxsize=1024)
def settings_of(ramp: Ramp) -> str:
    """A digest of a ramp's settings, the same on every replica."""
    return blake2b(repr(ramp).encode(), digest_size=8).hexdigest()


def begun(journey: str, ramp: Ramp, now: float) -> Position:
    """A ramp before its first stage, which the next decision lets begin (or has approved first)."""
    return Position(journey, settings_of(ramp), State.CLIMBING, BEFORE, 0, now, why="the ramp begins")


def refitted(position: Position, ramp: Ramp, now: float) -> Position:
    """A position after the settings of its ramp changed: nobody is moved to the new side by that.

    It stands in the highest stage whose share is not above what it had, and begins that anew; approvals end. What was
    paused or rolled back stays so; what waited or had finished climbs on.
    """
    stage = max((index for index, each in enumerate(ramp.stages) if each.share <= position.share), default=BEFORE)
    return _anew(position, now, "the settings of the ramp changed")._replace(
        settings=settings_of(ramp),
        state=position.state if position.state in _STOPPED else State.CLIMBING,
        stage=stage,
        share=share_of(ramp, stage),
        approved=(),
    )


def reviewed(position: Position, now: float) -> Position:
    """A position after its answers come from elsewhere or are compared in another way: what was seen counts no more."""
    return _anew(position, now, "answers are compared in another way, or come from elsewhere: the stage begins anew")


def _anew(position: Position, now: float, why: str) -> Position:
    """The same stage from now on; of one that is stopped, what is told is still why and by whom."""
    begun_again = position._replace(since=now, sequence=position.sequence + 1)
    return begun_again if position.state in _STOPPED else begun_again._replace(why=why, by="")


def share_of(ramp: Ramp, stage: int) -> int:
    """The new side's share of reads in a stage, of BUCKETS; nothing before the first."""
    return ramp.stages[stage].share if stage >= 0 else 0


def acted(position: Position, action: Action, ramp: Ramp, now: float, by: str, why: str = "") -> Position:
    """The position after a person's action; what that state does not allow is a CommandError that says what it does."""
    state = TRANSITIONS.get((position.state, action))
    if state is None or (action is Action.APPROVE and not needs_approval(ramp, position)):
        raise CommandError(refusal(position, action))
    changed = position._replace(state=state, sequence=position.sequence + 1, why=why or f"{action} by {by}", by=by)
    following = position.stage + 1
    match action:
        case Action.APPROVE:
            return changed._replace(approved=tuple(sorted({*position.approved, following})))
        case Action.PROMOTE if following >= len(ramp.stages):
            return changed._replace(state=State.FINISHED, since=now)
        case Action.PROMOTE:
            return changed._replace(stage=following, share=share_of(ramp, following), since=now)
        case Action.RESTART:
            settings = settings_of(ramp)
            return changed._replace(settings=settings, stage=BEFORE, share=0, since=now, approved=())
        case Action.RESUME:
            return changed._replace(since=now)
        case _:
            return changed


def needs_approval(ramp: Ramp, position: Position) -> bool:
    """Whether the next stage waits for a person who has not spoken yet."""
    following = position.stage + 1
    return following < len(ramp.stages) and ramp.stages[following].approve and following not in position.approved


def refusal(position: Position, action: Action) -> str:
    """Why an action is refused, and what can be done instead."""
    state = str(position.state).replace("_", " ")
    if (position.state, action) in TRANSITIONS:
        return (
            f"cannot approve {position.journey}: its next stage needs no approval (any more); `promote` moves it there"
        )
    return f"cannot {action} {position.journey}: it is {state}; {INSTEAD[position.state]}"


def standing_of(position: Position) -> Standing:
    """What a position means for the routes of its journey: the new side's share, and why it has that.

    Paused and waiting, it keeps the share it has reached; rolled back, it has none.
    """
    match position.state:
        case State.CLIMBING | State.AWAITING_APPROVAL:
            return Standing(ramp=position.share, why="climbing")
        case State.PAUSED:
            return Standing(ramp=position.share, why="paused")
        case State.FINISHED:
            return Standing(ramp=position.share, why="finished")
        case State.ROLLED_BACK:
            return Standing(ramp=0, why="rolled_back")
        case _:
            assert_never(position.state)
