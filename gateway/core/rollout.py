"""What a ramp does next: evidence in, a decision out. Nothing is stored and nobody is moved here.

Asked every second. It may roll back at any time and in any state that serves the new side; it promotes only when the
stage has lasted, the hours are right, nothing is missing, and who must approve has done so.
"""

from typing import NamedTuple, assert_never

from gateway.core.evidence import NO_EVIDENCE, Evidence
from gateway.core.guards import Case, Missing, breach_of, missing_of
from gateway.core.model import BUCKETS
from gateway.core.policies import Ramp
from gateway.core.positions import BEFORE, Position, State, needs_approval, settings_of, share_of


class Promote(NamedTuple):
    """Go on to `stage`; one beyond the last finishes the ramp."""

    stage: int
    why: str


class Hold(NamedTuple):
    """Stay. `missing` is what the next stage waits for, all of it."""

    missing: tuple[Missing, ...] = ()


class NeedsApproval(NamedTuple):
    """Everything is there for `stage` but a person's word."""

    stage: int
    why: str


class RollBack(NamedTuple):
    """Back to legacy, at once. `why` is a sentence for somebody who was woken by it."""

    guard: str
    why: str


class Pause(NamedTuple):
    """Stay, until a person resumes: a guard was broken, and the ramp says `on_breach: pause`."""

    guard: str
    why: str


_SECONDS = 120
"""A stage that is shorter is told of in seconds."""
Decision = Promote | Hold | NeedsApproval | RollBack | Pause


def decide(
    ramp: Ramp,
    position: Position,
    evidence: Evidence,
    now: float,
    open_hours: bool,
    *,
    before: Evidence = NO_EVIDENCE,
    worst: str = "",
    overridden: str = "",
) -> Decision:
    """What to do at `now` (Unix seconds) with what was seen since `position.since`.

    `before` is what the earlier stages saw: how legacy did then is what a stage of all traffic is held against, since
    that leaves legacy none. `worst` is the pointer of the field that differs most; `overridden` names a route that has
    a live override. A finished ramp is left alone.
    """
    if position.state is State.FINISHED:
        return Hold()
    if position.state is State.ROLLED_BACK:
        return Hold((_waiting("it was rolled back: a person must resume or restart it"),))
    legacy = evidence.legacy if position.share < BUCKETS else before.legacy
    case = Case(ramp.guards, evidence, legacy, worst)
    broken = None if position.stage == BEFORE else breach_of(case)
    if broken is not None and ramp.on_breach == "roll_back":
        return RollBack(*broken)
    if position.state is State.PAUSED:
        return Hold((_waiting("it is paused: a person must resume it"),))
    if broken is not None:
        return Pause(*broken)
    held = (*_other_settings(ramp, position), *_overridden(overridden))
    return _onwards(ramp, position, case, now, open_hours, held)


def _onwards(
    ramp: Ramp, position: Position, case: Case, now: float, open_hours: bool, held: tuple[Missing, ...]
) -> Decision:
    following = position.stage + 1
    missing = held if position.stage == BEFORE else (*held, *_time(ramp, position, now), *missing_of(case))
    if not open_hours:
        missing = (*missing, Missing("only", 0, 1, "stages begin only in the hours that `only` gives"))
    if needs_approval(ramp, position):
        sentence = f"stage {following + 1} needs a person's approval"
        if not missing and position.state is not State.AWAITING_APPROVAL:
            return NeedsApproval(following, sentence)
        missing = (*missing, _waiting(sentence, "approval"))
    return Hold(missing) if missing else Promote(following, _why(position, case.evidence))


def _why(position: Position, evidence: Evidence) -> str:
    if position.stage == BEFORE:
        return "the first stage begins"
    if not evidence.judged:
        return "no guard holds it"
    return (
        f"{evidence.agreeing:,} of {evidence.telling:,} answers with content agree, of {evidence.requests:,} requests"
    )


def _time(ramp: Ramp, position: Position, now: float) -> tuple[Missing, ...]:
    lasted = now - position.since
    if lasted >= ramp.every:
        return ()
    unit, words = (1, "seconds") if ramp.every < _SECONDS else (60, "minutes")
    told = f"{lasted // unit:.0f} of {ramp.every / unit:g} {words} have passed"
    return (Missing("every", lasted, ramp.every, told),)


def _other_settings(ramp: Ramp, position: Position) -> tuple[Missing, ...]:
    """A position counts the stages of its own settings, which may be those of another gateway's file."""
    if position.settings == settings_of(ramp):
        return ()
    sentence = "another gateway of this store goes by other settings of this ramp: have all of them serve one file"
    return (_waiting(f"{sentence}, or restart it", "settings"),)


def _overridden(route: str) -> tuple[Missing, ...]:
    """Nobody watches the stage that it would reach, and the override's end would move the traffic there at once."""
    return (
        (_waiting(f"an override of {route} is live: the ramp goes on when that has ended", "override"),)
        if route
        else ()
    )


def _waiting(sentence: str, guard: str = "state") -> Missing:
    return Missing(guard, 0, 1, sentence)


def advanced(position: Position, decision: Decision, ramp: Ramp, now: float) -> Position:
    """The position after a decision: the same one, unless the decision is a step."""
    stepped = position._replace(sequence=position.sequence + 1, by="")
    match decision:
        case Hold():
            return position
        case Promote(stage, why) if stage >= len(ramp.stages):
            return stepped._replace(state=State.FINISHED, since=now, why=why)
        case Promote(stage, why):
            share = share_of(ramp, stage)
            return stepped._replace(state=State.CLIMBING, stage=stage, share=share, since=now, why=why)
        case NeedsApproval(_, why):
            return stepped._replace(state=State.AWAITING_APPROVAL, why=why)
        case RollBack(_, why):
            return stepped._replace(state=State.ROLLED_BACK, why=why)
        case Pause(_, why):
            return stepped._replace(state=State.PAUSED, why=why)
        case _:
            assert_never(decision)
