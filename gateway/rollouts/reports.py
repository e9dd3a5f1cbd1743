"""Ramps and overrides as plain JSON values, for people, pages and scripts: positions and evidence in, documents out.

Shares are per cent, rates and parts from 0 to 1, latencies seconds, times ISO 8601 in UTC; null where nothing is known.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from gateway.config.told import told
from gateway.config.words import serve_text
from gateway.core.evidence import Attempts, Evidence
from gateway.core.guards import Missing, named
from gateway.core.hours import is_open
from gateway.core.model import BUCKETS, Serve
from gateway.core.policies import Guards, Hours
from gateway.core.positions import BEFORE, Action, Position, State, needs_approval, share_of
from gateway.core.rollout import Decision, Hold, NeedsApproval
from gateway.core.statistics import Interval, newcombe, ratio_interval, wilson
from gateway.rollouts.standings import RampOf
from gateway.store.values import Override

Document = dict[str, Any]

DAY = 86_400
VERDICTS = ("matched", "mismatched", "unsure", "candidate_error", "control_error", "incomparable", "skipped")
NOT_BEGUN = "not begun"


def instant(at: float) -> str:
    """Unix seconds, as ISO 8601 has them."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def rate(count: int, trials: int) -> Document:
    """So many of so many, and the 95 % interval of the rate behind that."""
    interval = wilson(count, trials)
    return {"count": count, "of": trials, "rate": count / trials if trials else None, **interval._asdict()}


# ------------------------------------------------------------------------------------------------ where routes stand


def ramp_text(position: Position | None) -> str:
    """Where a ramp stands, in a few words: `25 %, climbing`."""
    if position is None:
        return f"0 %, {NOT_BEGUN}"
    share = 0 if position.state is State.ROLLED_BACK else position.share
    return f"{percent(share)}, {state_text(position)}"


def state_text(position: Position | None) -> str:
    """What a ramp is doing, in a word or two."""
    return NOT_BEGUN if position is None else str(position.state).replace("_", " ")


def override_text(override: Override, now: float) -> str:
    """What an override does, in a few words: `legacy by override until 14:00 UTC`."""
    until = "" if override.until is None else f" until {_clock(override.until, now)}"
    writes = f", writes to {override.record}" if override.record else ""
    return f"{_serves(override.share)} by override{until}{writes}"


def override_report(override: Override, now: float) -> Document:
    """An override: what it serves instead of what the file says, who takes the writes, until when, by whom and why."""
    return {
        "route": override.route,
        "serve": _serves(override.share),
        "writes": override.record,
        "until": None if override.until is None else instant(override.until),
        "since": instant(override.set_at),
        "file": override.serve,
        "by": override.by,
        "reason": override.reason,
        "text": override_text(override, now),
    }


def percent(share: int) -> str:
    """Parts of BUCKETS, to be read: `25 %`."""
    return f"{share / 100:g} %"


def _serves(share: int) -> str:
    return {0: "legacy", BUCKETS: "new"}.get(share) or serve_text(Serve.SPLIT, share)


def _clock(at: float, now: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%H:%M} UTC" if at - now < DAY else f"{moment:%Y-%m-%d %H:%M} UTC"


# ------------------------------------------------------------------------------------------------ a ramp


def ramp_report(
    each: RampOf,
    position: Position | None,
    decision: Decision | None,
    seen: tuple[Evidence, Evidence],
    now: float,
) -> Document:
    """A ramp whole: where it stands and why, the stage's evidence, what is missing for the next one.

    `stage` counts from 1, 0 before the first; `seen` is what the present stage saw, and the earlier ones.
    """
    ramp, (present, before) = each.ramp, seen
    legacy = present.legacy if position is None or position.share < BUCKETS else before.legacy
    return {
        "ramp": each.journey,
        "routes": [route.name for route in each.routes],
        "text": ramp_text(position),
        "state": state_text(position),
        "stage": 0 if position is None else position.stage + 1,
        "stages": [{"share": stage.share / 100, "approve": stage.approve} for stage in ramp.stages],
        "share": 0.0 if position is None or position.state is State.ROLLED_BACK else position.share / 100,
        "since": None if position is None else instant(position.since),
        "why": "" if position is None else position.why,
        "by": "" if position is None else position.by,
        "sequence": 0 if position is None else position.sequence,
        "approved": [] if position is None else [stage + 1 for stage in position.approved],
        "on_breach": ramp.on_breach,
        "hours": told(ramp).get("only"),
        "evidence": evidence_report(present, legacy, ramp.guards),
        "missing": [missing._asdict() for missing in _missing(position, decision)],
        "next": None if position is None else _next(each, position, now),
    }


def _missing(position: Position | None, decision: Decision | None) -> tuple[Missing, ...]:
    if position is None:
        return (Missing("state", 0, 1, "its first step must be kept, and the store cannot be had"),)
    match decision:
        case Hold(missing):
            return missing
        case NeedsApproval(_, why):
            return (Missing("approval", 0, 1, why),)
        case _:
            return ()


def _next(each: RampOf, position: Position, now: float) -> Document | None:
    """The stage that comes after the present one (or the end), and when at the earliest; None where none comes."""
    if position.state not in (State.CLIMBING, State.AWAITING_APPROVAL):
        return None
    ramp, following = each.ramp, position.stage + 1
    lasted = position.since + ramp.every if position.stage != BEFORE else now
    earliest = opens_at(ramp.only, max(now, lasted))
    ends = following == len(ramp.stages)
    return {
        "stage": None if ends else following + 1,
        "share": position.share / 100 if ends else share_of(ramp, following) / 100,
        "needs_approval": needs_approval(ramp, position),
        "earliest": None if earliest is None else instant(earliest),
    }


def opens_at(hours: Hours | None, at: float) -> float | None:
    """The first moment from `at` on that lies within the hours, by the minute; None where none does for a week."""
    if is_open(hours, at):
        return at
    minutes = range(int(at // 60 + 1) * 60, int(at) + 8 * DAY, 60)
    return next((float(minute) for minute in minutes if is_open(hours, minute)), None)


# ------------------------------------------------------------------------------------------------ its evidence


def evidence_report(evidence: Evidence, legacy: Attempts, guards: Guards) -> Document:
    """What a stage has seen, as its guards look at it; `legacy` are the attempts that the new side is held against."""
    new, part = evidence.new, guards.percentile
    return {
        "judged": evidence.judged,
        "verdicts": {verdict: getattr(evidence, verdict) for verdict in VERDICTS},
        "parity": {**rate(evidence.agreeing, evidence.telling), "needed": guards.parity},
        "requests": {"different": evidence.requests, "with_content": evidence.full, "wrong": evidence.wrong},
        "shapes": dict(sorted(evidence.shapes.items(), key=lambda shape: (-shape[1], shape[0]))),
        "samples": {"needed": guards.samples},
        "legacy": _side(legacy, part),
        "new": _side(new, part),
        "errors": {
            **_bounds(newcombe(new.errors, new.attempts, legacy.errors, legacy.attempts)),
            "allowed": guards.errors,
        },
        "latency": {
            "percentile": named(part),
            "ratio": _ratio(legacy, new, part),
            **_bounds(ratio_interval(new.latency, legacy.latency, part)),
            "allowed": guards.latency,
        },
    }


def _side(seen: Attempts, part: float) -> Document:
    latency = seen.latency.percentile(part) if seen.latency.total else None
    return {"attempts": seen.attempts, "errors": seen.errors, "latency": latency}


def _ratio(legacy: Attempts, new: Attempts, part: float) -> float | None:
    if not legacy.latency.total or not new.latency.total:
        return None
    return new.latency.percentile(part) / legacy.latency.percentile(part)


def _bounds(interval: Interval) -> Document:
    """JSON has no infinity."""
    return {name: bound if isfinite(bound) else None for name, bound in interval._asdict().items()}


# ------------------------------------------------------------------------------------------------ what was done


def action_text(action: Action, position: Position, stages: int) -> str:
    """What a person's action has done, and how to go on or back."""
    return DONE[action](position, f"stage {position.stage + 1} of {stages}, {percent(position.share)}")


def _paused(position: Position, stage: str) -> str:
    return (
        f"{position.journey} is paused at {percent(position.share)}: it stays there, and a broken guard still turns it "
        f"back. To go on: banyan resume {position.journey}"
    )


def _resumed(position: Position, stage: str) -> str:
    where = NOT_BEGUN if position.stage == BEFORE else stage
    return (
        f"{position.journey} goes on ({where}); its evidence counts anew from now. "
        f"To go back: banyan rollback {position.journey}"
    )


def _approved(position: Position, stage: str) -> str:
    return (
        f"Stage {position.stage + 2} of {position.journey} is approved: it begins as soon as nothing else is missing. "
        f"See: banyan ramp {position.journey}"
    )


def _promoted(position: Position, stage: str) -> str:
    if position.state is State.FINISHED:
        return (
            f"{position.journey} has finished: new keeps {percent(position.share)} of the reads. `banyan flip` settles "
            f"it in the file. To go back: banyan rollback {position.journey}"
        )
    return f"{position.journey} is at {stage}, by your word. To go back: banyan rollback {position.journey}"


def _rolled_back(position: Position, stage: str) -> str:
    return (
        f"{position.journey} is rolled back: legacy serves all reads, until a person says otherwise. "
        f"To go on where it was: banyan resume {position.journey}; from the first stage: banyan restart "
        f"{position.journey}"
    )


def _restarted(position: Position, stage: str) -> str:
    return (
        f"{position.journey} begins with its first stage again; until then legacy serves all reads. "
        f"To stop it: banyan pause {position.journey}"
    )


DONE: Mapping[Action, Callable[[Position, str], str]] = {
    Action.PAUSE: _paused,
    Action.RESUME: _resumed,
    Action.APPROVE: _approved,
    Action.PROMOTE: _promoted,
    Action.ROLLBACK: _rolled_back,
    Action.RESTART: _restarted,
}
