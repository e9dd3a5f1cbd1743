"""Where a ramp stands, and what may be owed, in the words of the metrics."""

from gateway.core.guards import Missing
from gateway.core.policies import Ramp, Writes
from gateway.core.positions import Position, State
from gateway.core.rollout import Hold, NeedsApproval
from gateway.processes.readings import owing, ramp
from gateway.rollouts.standings import RampOf
from gateway.telemetry.gauges import RAMP_STATES, RampReading
from tests.support.measured import estate

RENTS = RampOf("rents", Ramp(), ())
AT = Position("rents", "", State.CLIMBING, 1, 500, 900.0)


def test_a_ramp_tells_its_stage_and_what_it_waits_for() -> None:
    """Stages count from 1, as everywhere; what it waits for are the guards."""
    hold = Hold((Missing("parity", 0.9, 0.995, "parity is low"), Missing("every", 1, 30, "1 of 30 minutes")))
    assert ramp(RENTS, AT, hold) == RampReading("rents", "climbing", 2, 5, 900.0, ("parity", "every"))
    assert ramp(RENTS, AT, NeedsApproval(2, "stage 3")).waits == ("approval",)
    assert ramp(RENTS, AT, None).waits == ()


def test_a_ramp_that_has_not_begun_waits_for_the_store() -> None:
    """Its first step has to be kept."""
    assert ramp(RENTS, None, None) == RampReading("rents", "not_begun", 0, 5, 0.0, ("state",))


def test_every_state_of_a_ramp_has_a_series() -> None:
    """None is left out of what dashboards add up."""
    assert set(RAMP_STATES) == {"not_begun", *map(str, State)}


def test_routes_that_may_owe_are_known_beforehand() -> None:
    """One may owe copies, or what waits for its record, or both."""
    routes = estate("a", "b", "c").routes
    promised = (Writes(), Writes(copy=True), Writes(copy=True, queue=True))
    found = [each._replace(writes=writes) for each, writes in zip(routes, promised, strict=True)]
    assert list(owing(found)) == [("b", "copy"), ("c", "copy"), ("c", "queued")]
