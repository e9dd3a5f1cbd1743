"""Of each backend is told how it is, how near its bound, and which routes need it, whatever is known of it."""

from typing import Any

import pytest

from gateway.admin.pages.backends import Held, held, routes_by
from gateway.admin.pages.figures import Figures
from gateway.store.values import Calls
from tests.admin.fakes import ROUTES, FakeSteering
from tests.admin.pages.conftest import Steering, look_at

PROTECT = 'office: {url: "http://127.0.0.1:9001", protect: {max_concurrent: 20, queue: {size: 40, wait: 2s}}}'


def told(steering: FakeSteering, data: dict[str, Any], *calls: Calls) -> dict[str, Held]:
    """Each backend, as the data process and the store tell of it."""
    look = look_at(steering, figures=Figures(calls=list(calls)))
    look.status["data"] |= data
    return {each.backend.name: each for each in held(look)}


@pytest.fixture
def steering(steering_of: Steering) -> FakeSteering:
    steering = steering_of("")
    text = ROUTES.replace('office: {url: "http://127.0.0.1:9001"}', PROTECT)
    steering.config.write_text(text)
    steering.take()
    return steering


def test_what_is_under_way_is_told_against_its_bound(steering: FakeSteering) -> None:
    """Where it is protected its guard tells, otherwise its connections."""
    found = told(steering, {"guards": {"office": [5, 3, "closed", 2, 0.0]}, "pools": {"repairs": [7, 4]}})
    office, repairs = found["office"], found["repairs"]
    assert (office.under_way, office.waiting, office.bound, office.queue, office.used) == (5, 3, 20, 40, 0.25)
    assert (office.breaker, office.again, office.idle) == ("closed", 2, 0)
    assert (repairs.under_way, repairs.waiting, repairs.bound, repairs.used, repairs.idle) == (7, None, 0, None, 4)


def test_what_is_not_known_is_no_nought(steering: FakeSteering) -> None:
    """While the data process is away nobody can tell what is under way."""
    found = told(steering, {"guards": None, "pools": None, "addresses": None})
    assert {(each.under_way, each.waiting, each.used, each.state) for each in found.values()} == {
        (None, None, None, "well")
    }


@pytest.mark.parametrize(
    ("guard", "addresses", "state"),
    [
        ([0, 0, "closed", 0, 0.0], [], "well"),
        ([0, 0, "half_open", 0, 0.0], [], "well"),
        ([0, 0, "open", 0, 0.0], [], "open"),
        ([0, 0, "open", 0, 1_800_003_600.0], [], "closed"),
        ([0, 0, "closed", 0, 0.0], [["a:1", 0, False, False], ["a:2", 0, True, False]], "well"),
        ([0, 0, "closed", 0, 0.0], [["a:1", 0, False, True], ["a:2", 0, True, False]], "out"),
    ],
)
def test_how_a_backend_is(steering: FakeSteering, guard: list[Any], addresses: list[list[Any]], state: str) -> None:
    """Closed for maintenance before anything else; out where no address is left; a breaker that tries is no alarm."""
    assert told(steering, {"guards": {"office": guard}, "addresses": {"office": addresses}})["office"].state == state


def test_who_needs_it_still(steering: FakeSteering) -> None:
    """The routes that name it, as which side, and when a client's request was sent to it last: copies are none."""
    calls = [
        Calls("office", "list", "legacy", 1, 9, 0, 100.0, 200.0),
        Calls("office", "everything", "legacy", 1, 9, 0, 100.0, 300.0),
        Calls("office", "list", "legacy", 0, 9, 0, 100.0, 900.0),
    ]
    found = told(steering, {}, *calls)
    names = {
        name: ([route.name for route in each.legacy], [route.name for route in each.new])
        for name, each in found.items()
    }
    assert names == {"office": (["everything", "list", "balance"], []), "repairs": ([], ["list"])}
    assert (found["office"].live, found["repairs"].live) == (calls[1], None)
    assert routes_by(steering.loaded.estate, "new").keys() == {"repairs"}
