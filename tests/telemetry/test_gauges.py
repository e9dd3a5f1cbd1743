"""Everything else about a gateway is read as it stands; what is not known is absent."""

from typing import Any

from gateway.telemetry.gauges import RampReading, Readings
from gateway.telemetry.metrics import Traffic
from tests.support.measured import empty, everything, samples, shapes

RENTS = RampReading("rents", "climbing", 2, 5, 900.0, ("parity", "parity", "every"))


def read(**fields: Any) -> dict[tuple[str, tuple[str, ...]], float]:
    """What is rendered where things stand so."""
    traffic = Traffic()
    traffic.readings = Readings()._replace(**fields)
    return samples(traffic)


def test_the_data_process_is_described() -> None:
    """Its connections, its stalls, its restarts, and what was lost of what it observed."""
    found = read(connections=7, data_process_up=True, dropped=3, pools={"old": (2, 5)})
    assert found["banyan_connections", ()] == 7
    assert found["banyan_data_process_up", ()] == 1
    assert found["banyan_observations_dropped_total", ()] == 3
    assert found["banyan_data_process_restarts_total", ()] == 0
    assert found["banyan_backend_connections", ("old", "busy")] == 2
    assert found["banyan_backend_connections", ("old", "idle")] == 5


def test_protected_backends_are_described() -> None:
    """What is under way and waits there, whether it is left alone, and how often it was asked again."""
    guards = {"old": (3, 2, "open", 7, 0.0), "new": (0, 0, "half_open", 0, 0.0), "rate": (1, 0, "", 0, 1e9)}
    found = read(guards=guards)
    assert found["banyan_backend_requests", ("old", "under_way")] == 3
    assert found["banyan_backend_requests", ("old", "waiting")] == 2
    assert found["banyan_breaker_open", ("old",)] == 1
    assert found["banyan_breaker_open", ("new",)] == 0.5
    assert ("banyan_breaker_open", ("rate",)) not in found
    assert found["banyan_retries_total", ("old",)] == 7
    assert found["banyan_backend_closed", ("old",)] == 0
    assert found["banyan_backend_closed", ("rate",)] == 1


def test_addresses_are_described() -> None:
    """Which of several are asked."""
    told = [("a:1", 3, False, False), ("b:2", 0, True, False), ("c:3", 0, False, True)]
    found = read(addresses={"old": told}, unstored=4, late=0.25)
    assert [found["banyan_backend_address_up", (address, "old")] for address, *_ in told] == [1, 0, 0]
    assert found["banyan_writes_unstored", ()] == 4
    assert found["banyan_loop_late_seconds", ()] == 0.25


def test_it_shows_whether_the_store_answers() -> None:
    """Nothing is promoted without it, so somebody should know."""
    assert read()["banyan_store_up", ()] == 0
    assert read(store_up=True)["banyan_store_up", ()] == 1


def test_bounds_are_shown_beside_what_is_under_way() -> None:
    """With the same labels, so that one can be divided by the other; what has no bound has no number."""
    bounds = {"old": (20.0, 40.0), "rate": (float("inf"), 5.0)}
    found = read(bounds=bounds, opened={"old": 3}, copies={"old": (1, 2)}, parts=2)
    assert found["banyan_backend_requests_max", ("old", "under_way")] == 20
    assert found["banyan_backend_requests_max", ("old", "waiting")] == 40
    assert ("banyan_backend_requests_max", ("rate", "under_way")) not in found
    assert found["banyan_breaker_opened_total", ("old",)] == 3
    assert found["banyan_backend_copies", ("old", "under_way")] == 1
    assert found["banyan_backend_copies", ("old", "waiting")] == 2
    assert found["banyan_bound_parts", ()] == 2


def test_stalls_and_what_is_kept_are_counted() -> None:
    """How often the loop was away, for how long in all, and how many bytes of answers are kept."""
    found = read(stalls=(3, 0.75), cached=4096, untold=2)
    assert (found["banyan_loop_stalls_total", ()], found["banyan_loop_stalled_seconds_total", ()]) == (3, 0.75)
    assert (found["banyan_cache_bytes", ()], found["banyan_store_untold", ()]) == (4096, 2)


def test_both_processes_are_measured() -> None:
    """Their memory and files, under names of their own; of a data process that is not there, nothing."""
    found = shapes(everything())
    assert {"banyan_control_process_resident_memory_bytes", "banyan_data_process_open_fds"} <= found.keys()
    assert not [name for name, _ in read() if name.startswith("banyan_data_process_open")]


def test_ramps_are_described() -> None:
    """Which of all states each is in, its stage of how many, since when, and what the next one waits for."""
    idle = RampReading("rents", "not_begun", 0, 5, 0.0)
    found = read(ramps=(RENTS, idle._replace(journey="repairs")))
    states = {key[1]: value for key, value in found.items() if key[0] == "banyan_ramp_state"}
    assert [states["rents", state] for state in ("climbing", "paused")] == [1, 0]
    assert sum(states.values()) == 2
    assert (found["banyan_ramp_stage", ("rents",)], found["banyan_ramp_stages", ("rents",)]) == (2, 5)
    assert found["banyan_ramp_stage_since_timestamp_seconds", ("rents",)] == 900
    assert ("banyan_ramp_stage_since_timestamp_seconds", ("repairs",)) not in found
    assert {key[1] for key in found if key[0] == "banyan_ramp_waits"} == {("parity", "rents"), ("every", "rents")}


def test_steps_of_ramps_are_counted_from_nothing_on() -> None:
    """A roll back shows as an increase, also the first one; steps of ramps that are gone do not show."""
    steps = {("rents", "rolled_back", "gateway"): 1, ("gone", "promoted", "person"): 4}
    found = read(ramps=(RENTS,), steps=steps)
    told = {key[1]: value for key, value in found.items() if key[0] == "banyan_ramp_steps_total"}
    assert told["gateway", "rents", "rolled_back"] == 1
    assert told["person", "rents", "rolled_back"] == told["gateway", "rents", "promoted"] == 0
    assert {journey for _, journey, _ in told} == {"rents"}


def test_overrides_are_shown_while_they_are_live() -> None:
    """How many, and since when each is."""
    assert read()["banyan_overrides", ()] == 0
    found = read(overrides={"a": 5.0, "b": 6.0})
    assert found["banyan_overrides", ()] == 2
    assert found["banyan_override_since_timestamp_seconds", ("b",)] == 6


def test_the_file_that_serves_has_an_age() -> None:
    """And one that waits for a person shows."""
    found = read(loaded_at=7.0, held=True, version="1.2")
    assert found["banyan_config_last_reload_success_timestamp_seconds", ()] == 7
    assert found["banyan_config_held", ()] == 1
    assert found["banyan_build_info", ("1.2",)] == 1


def test_what_is_owed_is_counted_by_route_kind_and_state() -> None:
    """Zeros for what a route might owe, also one that is gone and still owes; the oldest has an age."""
    owed = {("a", "copy", "dead"): (2, 940.0), ("gone", "queued", "ready"): (1, 2_000.0)}
    found = read(now=1_000.0, owed=owed, owing=[("a", "copy")])
    counts = {key[1]: value for key, value in found.items() if key[0] == "banyan_writes_owed"}
    ages = {key[1]: value for key, value in found.items() if key[0] == "banyan_writes_owed_oldest_seconds"}
    assert (counts["copy", "a", "dead"], counts["copy", "a", "ready"], counts["queued", "gone", "ready"]) == (2, 0, 1)
    assert len(counts) == 6
    assert ages == {("copy", "a", "dead"): 60, ("queued", "gone", "ready"): 0}


def test_what_the_store_does_not_tell_is_not_zero() -> None:
    """While it is away nobody knows what is owed, and nothing is said."""
    found = read(owed=None, owing=[("a", "copy")])
    assert not [key for key in found if key[0].startswith("banyan_writes_owed")]


def test_deliveries_are_counted_by_what_came_of_them() -> None:
    """From nothing on for what a route may owe."""
    found = read(owing=[("a", "copy")], deliveries={("a", "copy", "delivered"): 3})
    told = {key[1]: value for key, value in found.items() if key[0] == "banyan_deliveries_total"}
    assert (told["copy", "delivered", "a"], told["copy", "refused", "a"], len(told)) == (3, 0, 5)


def test_webhooks_are_counted_by_receiver() -> None:
    """What was delivered and given up, and what waits."""
    found = read(webhooks={("https://a", "given_up"): 2}, webhooks_waiting={"https://a": 3})
    assert found["banyan_webhooks_total", ("given_up", "https://a")] == 2
    assert found["banyan_webhooks_waiting", ("https://a",)] == 3


def test_everything_has_a_sample() -> None:
    """What tests of dashboards and of the documentation go by leaves no metric out."""
    assert empty(everything()) == []
