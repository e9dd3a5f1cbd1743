"""How a control process stands, as the metrics want it. Everything is at hand already: nobody is asked, nothing waits.

It is read in control's own loop, where it changes, and rendered elsewhere.
"""

from collections.abc import Iterable, Iterator
from time import time
from typing import TYPE_CHECKING, Any

from gateway import __version__
from gateway.core.model import Route
from gateway.core.positions import Position
from gateway.core.rollout import Decision, Hold, NeedsApproval
from gateway.rollouts.room import Rollouts
from gateway.rollouts.standings import RampOf
from gateway.telemetry.gauges import RampReading, Readings

if TYPE_CHECKING:
    from gateway.processes.control import Control

AS_TOLD = frozenset(
    """connections dropped unstored late stalls stall_max cached pools guards bounds opened
    addresses""".split()  # noqa: SIM905 - a list of words reads better as words
)
"""What the data process says of itself under the name that it has here."""


def read(control: "Control", *, loaded_at: float, held: bool) -> Readings:
    """Everything, as it stands now."""
    supervisor, rollouts, now = control.supervisor, control.rollouts, time()
    told: dict[str, Any] = {name: each for name, each in supervisor.stats.items() if name in AS_TOLD}
    webhooks, waiting = rollouts.teller.webhooks.counts()
    keeper, standings = rollouts.keeper, rollouts.standings
    return Readings(
        now=now,
        version=__version__,
        data_pid=supervisor.pid,
        data_process_up=supervisor.serving,
        restarts=supervisor.restarts,
        copies=control.copying.slots(),
        store_up=keeper.available,
        untold=len(standings.untold) + len(standings.events),
        parts=control.sharing.count,
        loaded_at=loaded_at,
        held=held,
        ramps=tuple(_ramps(rollouts)),
        steps=dict(rollouts.teller.steps),
        overrides={each.route: each.set_at for each in standings.overrides.values() if standings.holds(each, now)},
        owed=control.owing.counts if keeper.available else None,
        owing=tuple(owing(control.loaded.estate.routes)),
        deliveries=dict(control.outbox.tries),
        webhooks=webhooks,
        webhooks_waiting=waiting,
        spans_dropped=control.telemetry.lost,
        **told,
    )


def _ramps(rollouts: Rollouts) -> Iterator[RampReading]:
    for each in rollouts.standings.ramps:
        position = rollouts.standings.positions.get(each.journey)
        yield ramp(each, position, rollouts.loop.decisions.get(each.journey))


def ramp(each: RampOf, position: Position | None, decision: Decision | None) -> RampReading:
    """Where a ramp stands; without a position its first step waits for the store."""
    stages = len(each.ramp.stages)
    if position is None:
        return RampReading(each.journey, "not_begun", 0, stages, 0.0, ("state",))
    return RampReading(
        each.journey, str(position.state), position.stage + 1, stages, position.since, tuple(_waits(decision))
    )


def _waits(decision: Decision | None) -> Iterator[str]:
    match decision:
        case Hold(missing):
            yield from (each.guard for each in missing)
        case NeedsApproval():
            yield "approval"


def owing(routes: Iterable[Route]) -> Iterator[tuple[str, str]]:
    """The routes that may owe writes, and which kind: shown also while there are none."""
    for route in routes:
        if route.writes.copy:
            yield route.name, "copy"
        if route.writes.queue:
            yield route.name, "queued"
