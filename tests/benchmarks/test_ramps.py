"""The routes and requests of benchmarks of ramps."""

from pathlib import Path

from benchmarks.ramps import BY_ATTEMPTS, Journey, first_requests, routes_yaml
from benchmarks.receiver import Receiver
from benchmarks.turning import Sides
from gateway.config.check import load
from gateway.core.splitting import bucket_of

JOURNEYS = (Journey("one"), Journey("two", [0.4, 100], "1s", "10%", BY_ATTEMPTS))


def test_the_routes_are_valid(tmp_path: Path) -> None:
    """Each journey is two routes that ramp together, and events go to the receiver."""
    with Sides() as sides, Receiver() as receiver:
        (tmp_path / "routes.yaml").write_text(routes_yaml(sides, JOURNEYS, receiver.entry))
        estate = load(tmp_path / "routes.yaml", {}).estate
    assert [(route.name, route.journey) for route in estate.routes] == [
        ("told-one", "one"),
        ("steady-one", "one"),
        ("told-two", "two"),
        ("steady-two", "two"),
    ]
    assert len(estate.gateway.webhooks) == 1


def test_the_first_client_is_moved_by_the_first_stage() -> None:
    """All those requests are one client's, whose bucket is below the first share."""
    cookies = {request.partition(b"session=")[2].partition(b"\r\n")[0] for request in first_requests(JOURNEYS[1])}
    assert [bucket_of(b"two", cookie) < 40 for cookie in cookies] == [True]
