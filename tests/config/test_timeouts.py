from gateway.config.timeouts import BackendTimeoutSpec, RouteTimeoutSpec, TimeoutSpec
from gateway.core.model import Timeouts


def test_each_level_has_the_timeouts_that_make_sense_there() -> None:
    """The gateway has all of the core's; a route all but the head; a backend only its own."""
    assert set(TimeoutSpec.model_fields) == set(Timeouts._fields)
    assert set(RouteTimeoutSpec.model_fields) == set(Timeouts._fields) - {"head"}
    assert set(BackendTimeoutSpec.model_fields) == set(Timeouts._fields) - {"head", "body_idle"}
