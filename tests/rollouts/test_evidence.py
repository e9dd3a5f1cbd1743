"""What counts for the stage of a ramp, and what does not."""

from typing import Any

from gateway.core.evidence import Attempts
from gateway.core.model import Serve
from gateway.core.policies import Ramp
from gateway.core.positions import begun
from gateway.rollouts.evidence import StageEvidence
from gateway.rollouts.standings import RampOf
from tests.support.observations import observed
from tests.support.values import route

SINCE = 1_000.0


def gathering(pattern: str, *, safe: bool | None = None) -> StageEvidence:
    """The evidence of one ramp, of a route that is named `a`."""
    found = StageEvidence("replica")
    ramp = RampOf("a", Ramp(), (route(pattern, Serve.RAMP, name="a", safe=safe),))
    found.follow([ramp], {"a": begun("a", Ramp(), SINCE)})
    return found


def legacy_of(found: StageEvidence) -> Attempts:
    return found.of("a")[0].legacy


def test_writes_tell_nothing_about_a_side() -> None:
    """They all go to the record: slow ones there would let a slower new side pass, failing ones a failing one."""
    found = gathering("ANY /a")
    batch = [observed(route="a", at=SINCE + 1, method=method) for method in (b"GET", b"HEAD", b"POST", b"DELETE")]
    found.observed(batch)
    assert legacy_of(found).attempts == 2


def test_what_a_route_declares_safe_counts() -> None:
    """Searches by POST, and operations of SOAP."""
    found = gathering("ANY /a", safe=True)
    found.observed([observed(route="a", at=SINCE + 1, method=b"POST")])
    assert legacy_of(found).attempts == 1


def test_only_clients_own_requests_of_this_stage_count() -> None:
    """No copies, no testers, nothing that was answered here, that is of before, or that the client gave up."""
    found = gathering("ANY /a")
    ordinary = observed(route="a", at=SINCE + 1)
    others: list[dict[str, Any]] = [
        {"role": "shadow"},
        {"role": "tester"},
        {"side": ""},
        {"at": SINCE - 1},
        {"error": "client_gone"},
    ]
    found.observed([ordinary._replace(**other) for other in others])
    assert legacy_of(found).attempts == 0
    found.observed([ordinary, ordinary._replace(outcome="timeout")])
    assert (legacy_of(found).attempts, legacy_of(found).errors) == (2, 1)
