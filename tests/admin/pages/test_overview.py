"""The overview tells how far the move is, and draws no line where little is known."""

import pytest

from gateway.admin.pages.figures import Figures
from gateway.admin.pages.overview import Area, Health, Point, areas, health_of, points, progress, step_of
from gateway.store.values import Total
from tests.admin.fakes import FakeSteering
from tests.admin.pages.conftest import Steering, look_at

MORE = """\
  - {name: tax, match: "GET /council-tax/{account}", legacy: office, new: repairs, serve: new}
  - {name: bands, match: GET /council-tax/bands, legacy: office, new: repairs, serve: legacy}
  - {name: gone, match: GET /council-tax/old, legacy: repairs, serve: retired}
  - {name: climbing, match: GET /rents, legacy: office, new: repairs, serve: ramp, shadow: 5%}
"""
SHARES = {"everything": 0.0, "list": 25.0, "balance": 0.0, "tax": 100.0, "bands": 0.0, "climbing": 0.0}
DAY = 1_800_000_000 // 600 * 600


@pytest.fixture
def steering(steering_of: Steering) -> FakeSteering:
    return steering_of(MORE)


def standings() -> dict[str, dict[str, float]]:
    return {name: {"share": share} for name, share in SHARES.items()}


def total(at: int, side: str, requests: int) -> Total:
    return Total(at, side, requests, 0, 1.0, ())


# ------------------------------------------------------------------------------------------------ traffic


def test_points_are_requests_a_minute() -> None:
    """Of the time in each step in which this gateway served; the one that is still going is told by what has passed."""
    day = [total(DAY, "legacy", 600), total(DAY, "new", 60), total(DAY + 600, "legacy", 100)]
    assert points(day, 0.0, DAY + 660) == [Point(DAY, 6.0, 60.0), Point(DAY + 600, 0.0, 100.0)]
    assert points(day, DAY + 300, DAY + 660)[0] == Point(DAY, 12.0, 120.0)


def test_what_has_hardly_begun_is_no_point() -> None:
    """Gateways tell what they have counted every ten seconds: before that a rate would be nought."""
    day = [total(DAY, "legacy", 600), total(DAY + 600, "legacy", 1)]
    assert [each.at for each in points(day, 0.0, DAY + 609)] == [DAY]
    assert [each.at for each in points(day, 0.0, DAY + 610)] == [DAY, DAY + 600]


def test_the_step_is_what_lies_between_two_figures() -> None:
    """By minute or by ten minutes, as the store has them; ten where one figure tells nothing."""
    assert step_of([]) == step_of([total(DAY, "new", 1), total(DAY, "legacy", 1)]) == 600
    assert step_of([total(DAY + at, "new", 1) for at in (0, 180, 120)]) == 60


# ------------------------------------------------------------------------------------------------ how far it is


def test_each_route_is_finished_moving_or_on_legacy(steering: FakeSteering) -> None:
    """A ramp moves from its first moment on; what is retired is finished, and so is what new serves whole."""
    assert progress(steering.loaded.estate, standings()) == {"finished": 2, "moving": 2, "legacy": 3}


def test_areas_are_told_by_their_traffic(steering: FakeSteering) -> None:
    """The furthest first; of those without traffic only the routes count. A finished route needs no legacy system."""
    figures = Figures(rates={"tax": {"new": 30.0}, "bands": {"legacy": 10.0}, "list": {"legacy": 75.0, "new": 25.0}})
    assert areas(steering.loaded.estate, standings(), figures) == [
        Area("Council tax", 0.75, 2, 3, ("office",)),
        Area("Repairs", 0.25, 0, 1, ("office",)),
        Area("All paths", None, 0, 1, ("office",)),
        Area("Rents", None, 0, 2, ("office",)),
    ]


def test_backends_of_a_side_are_counted_once(steering: FakeSteering) -> None:
    """However many routes name them; one whose breaker is open or that has no address left is not well."""
    look = look_at(steering)
    estate = steering.loaded.estate
    assert [health_of(look, estate, side) for side in ("legacy", "new")] == [Health(2, 2, 0), Health(1, 1, 0)]
    look.status["data"] |= {
        "guards": {"office": [0, 0, "open", 0, 0.0]},
        "addresses": {"repairs": [["a:1", 0, True, False]]},
    }
    assert [health_of(look, estate, side) for side in ("legacy", "new")] == [Health(0, 2, 1), Health(0, 1, 0)]
