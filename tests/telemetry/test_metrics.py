"""Every number that is shown was counted from an observation, and belongs to a route that is there."""

from gateway.core.model import Serve
from gateway.core.policies import Standing
from gateway.telemetry.metrics import Traffic
from tests.support.measured import estate, samples
from tests.support.observations import observed


def test_requests_are_counted_by_what_became_of_them() -> None:
    """Route, side, backend, role and class of status: nothing that grows with paths or clients."""
    traffic = Traffic()
    traffic.observe([observed(), observed(method=b"HEAD"), observed(status=404), observed(side="new", backend="new")])
    found = samples(traffic)
    assert found["banyan_requests_total", ("old", "2xx", "live", "repairs", "legacy")] == 2
    assert found["banyan_requests_total", ("old", "4xx", "live", "repairs", "legacy")] == 1
    assert found["banyan_requests_total", ("new", "2xx", "live", "repairs", "new")] == 1


def test_durations_are_spread_over_buckets() -> None:
    """The histogram is cumulative, and its sum is what was observed."""
    traffic = Traffic()
    traffic.observe([observed(duration=seconds) for seconds in (0.001, 0.005, 0.02, 100.0)])
    found = samples(traffic)
    name = "banyan_request_duration_seconds_bucket"
    assert [
        found[name, (bound, "live", "repairs", "legacy")] for bound in ("0.005", "0.01", "0.025", "60.0", "+Inf")
    ] == [
        2,
        2,
        3,
        3,
        4,
    ]
    assert found["banyan_request_duration_seconds_count", ("live", "repairs", "legacy")] == 4
    assert abs(found["banyan_request_duration_seconds_sum", ("live", "repairs", "legacy")] - 100.026) < 1e-9


def test_failures_are_counted_by_kind() -> None:
    """What succeeded is no failure, also when it is a 500 of the backend's own."""
    traffic = Traffic()
    traffic.observe([observed(error="timeout"), observed(error="timeout"), observed(status=500)])
    failures = {key: value for key, value in samples(traffic).items() if key[0] == "banyan_errors_total"}
    assert failures == {("banyan_errors_total", ("timeout", "live", "repairs", "legacy")): 2}


def test_series_of_routes_that_left_disappear() -> None:
    """A new table forgets them, and keeps what the gateway answered by itself."""
    traffic = Traffic()
    traffic.observe([observed(), observed(route="other"), observed(route="", side="", backend="", status=404)])
    traffic.follow(estate("other"))
    routes = {key[1][3] for key in samples(traffic) if key[0] == "banyan_requests_total"}
    assert routes == {"other", ""}


def test_the_share_of_each_side_is_shown() -> None:
    """As a fraction of reads; a retired route has none."""
    traffic = Traffic()
    traffic.follow(estate("split"))
    found = samples(traffic)
    assert (found["banyan_route_share", ("split", "new")], found["banyan_route_share", ("split", "legacy")]) == (
        0.25,
        0.75,
    )
    traffic.follow(estate("gone", serve=Serve.RETIRED))
    found = samples(traffic)
    assert (found["banyan_route_share", ("gone", "new")], found["banyan_route_share", ("gone", "legacy")]) == (0, 0)
    assert found["banyan_config_info", ("digest-1",)] == 1


def test_a_refused_configuration_shows() -> None:
    """The gauge that alerts are made of."""
    traffic = Traffic()
    assert samples(traffic)["banyan_config_last_reload_successful", ()] == 1
    traffic.config_ok = False
    assert samples(traffic)["banyan_config_last_reload_successful", ()] == 0


def test_people_see_requests_and_errors_by_side() -> None:
    """Failures of a backend are errors; what the gateway refused by itself stands apart."""
    traffic = Traffic()
    traffic.observe(
        [
            observed(),
            observed(status=502, outcome="backend_error"),
            observed(status=504, outcome="timeout", side="new"),
            observed(side="", status=410, outcome="refused"),
        ]
    )
    assert traffic.by_route() == {
        "repairs": {
            "legacy": {"requests": 2, "errors": 1},
            "new": {"requests": 1, "errors": 1},
            "refused": 1,
        }
    }


def test_copies_are_no_traffic() -> None:
    """They have their own role in the metrics, and no place in what people read of what clients were served."""
    traffic = Traffic()
    traffic.observe([observed(), observed(role="shadow", side="new"), observed(role="probe"), observed(role="tester")])
    assert traffic.by_route()["repairs"]["legacy"]["requests"] == 2
    assert traffic.by_route()["repairs"]["new"]["requests"] == 0
    assert samples(traffic)["banyan_requests_total", ("old", "2xx", "shadow", "repairs", "new")] == 1


def test_what_was_not_compared_is_counted() -> None:
    """By route and reason, as long as the route is there."""
    traffic = Traffic()
    traffic.skip({("repairs", "queue_full"): 3, ("gone", "late"): 1})
    traffic.skip({("repairs", "queue_full"): 2})
    assert samples(traffic)["banyan_shadow_skipped_total", ("queue_full", "repairs")] == 5
    traffic.follow(estate("repairs"))
    assert ("banyan_shadow_skipped_total", ("late", "gone")) not in samples(traffic)


def test_verdicts_are_counted() -> None:
    """By route, as long as the route is there."""
    traffic = Traffic()
    traffic.judge({("repairs", "matched"): 3, ("gone", "matched"): 1})
    traffic.judge({("repairs", "matched"): 2, ("repairs", "mismatched"): 1})
    found = samples(traffic)
    assert found["banyan_verdicts_total", ("repairs", "matched")] == 5
    assert found["banyan_verdicts_total", ("repairs", "mismatched")] == 1
    traffic.follow(estate("repairs"))
    assert ("banyan_verdicts_total", ("gone", "matched")) not in samples(traffic)


def test_the_share_is_where_the_route_stands() -> None:
    """By its ramp, and before that by its override; a retired route has none, whatever was set."""
    traffic = Traffic()
    traffic.follow(estate("a", "b", "c", serve=Serve.RAMP))
    traffic.standings = {"a": Standing(ramp=100, why="climbing"), "b": Standing(override=7_500, ramp=100)}
    found = samples(traffic)
    shares = [[found["banyan_route_share", (name, side)] for side in ("new", "legacy")] for name in "abc"]
    assert shares == [[0.01, 0.99], [0.75, 0.25], [0, 1]]


def test_what_is_fresh_is_given_once() -> None:
    """By way, with how long it took; what is counted later is given later, and nothing is lost to the metrics."""
    traffic = Traffic()
    traffic.observe([observed(duration=0.02), observed(duration=0.03), observed(side="new", duration=1.0)])
    first = {way.side: tally for way, tally in traffic.fresh()}
    assert {side: tally.count for side, tally in first.items()} == {"legacy": 2, "new": 1}
    assert abs(first["legacy"].seconds - 0.05) < 1e-9
    assert traffic.fresh() == []
    traffic.observe([observed(duration=5.0)])
    ((way, tally),) = traffic.fresh()
    assert (way.side, tally.count, tally.buckets.index(1), tally.seconds) == ("legacy", 1, 9, 5.0)
    assert samples(traffic)["banyan_requests_total", ("old", "2xx", "live", "repairs", "legacy")] == 3


def test_a_route_that_comes_back_is_counted_from_nothing() -> None:
    """What was given of it before it left is forgotten with it."""
    traffic = Traffic()
    for number in (2, 1):
        traffic.observe([observed()] * number)
        assert [tally.count for _, tally in traffic.fresh()] == [number]
        traffic.follow(estate("other"))
