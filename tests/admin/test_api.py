"""The admin port tells; the control socket tells and takes orders."""

from base64 import b64encode
from typing import Any

import pytest

from gateway.admin.api import QUESTIONS
from gateway.admin.estate import estate_document
from gateway.admin.openapi import document
from gateway.admin.steering import ReloadResult, Steering
from tests.admin.fakes import FakeSteering, problem

TOLD = sorted(
    each.path
    for each in QUESTIONS
    if each.method == "GET" and each.answers in ("application/json", "text/plain") and each.path != "/api/v1/live"
)
"""What scripts ask."""


def filled(path: str) -> str:
    """An address with its names filled in."""
    return path.format(name="list", route="list", id="list", action="pause", backend="office")


def test_the_fake_is_a_steering(steering: FakeSteering) -> None:
    """What the tests steer with has the shape that the admin room asks for."""
    real: Steering = steering
    assert real.order("probe_stalls", True) is True


# ------------------------------------------------------------------------------------------------ probes


async def test_the_process_lives(reading: Any) -> None:
    """Liveness asks nothing of anybody."""
    answer = await reading.get("/livez")
    assert (answer.status, await answer.text()) == (200, "ok")


async def test_readiness_follows_the_data_process(reading: Any, steering: FakeSteering) -> None:
    """The gateway is ready while its data process serves, and not otherwise."""
    ready = await reading.get("/readyz")
    steering.serving = False
    not_ready = await reading.get("/readyz")
    assert (ready.status, await ready.text()) == (200, "ok")
    assert (not_ready.status, await not_ready.text()) == (503, "not ready")


async def test_a_bad_file_shows_though_the_gateway_is_ready(reading: Any, steering: FakeSteering) -> None:
    """`?verbose` tells of a refused or held file; neither stops a gateway that serves the last good one."""
    steering.problems = ["routes.yaml:3:1: what is this?"]
    steering.held = "it looks half-written"
    answer = await reading.get("/readyz?verbose")
    document = await answer.json()
    assert (answer.status, document["ready"]) == (200, True)
    assert {each["check"]: (each["ok"], each["detail"]) for each in document["checks"]} == {
        "data_process_serving": (True, "process 101, table 1"),
        "configuration_accepted": (True, f"{steering.config} {steering.loaded.estate.digest}"),
        "last_reload": (False, "routes.yaml:3:1: what is this?"),
        "file_held": (False, "it looks half-written"),
        "store": (True, "it answers; this replica is a1"),
    }


async def test_all_checks_pass_on_a_quiet_day(reading: Any, steering: FakeSteering) -> None:
    """With nothing wrong, every check is fine; without a data process, the one about it is not."""
    document = await (await reading.get("/readyz?verbose")).json()
    assert [each["ok"] for each in document["checks"]] == [True] * 5
    steering.serving = False
    answer = await reading.get("/readyz?verbose")
    assert (answer.status, [each["ok"] for each in (await answer.json())["checks"]]) == (
        503,
        [False, False, True, True, True],
    )


async def test_a_store_that_is_down_is_told_and_no_reason_not_to_be_ready(reading: Any, steering: FakeSteering) -> None:
    """Traffic never waits for the store, so neither does readiness; but an operator sees why it cannot be had."""
    steering.store_why = "disk full"
    answer = await reading.get("/readyz?verbose")
    document = await answer.json()
    assert (answer.status, document["checks"][-1]) == (200, {"check": "store", "ok": False, "detail": "disk full"})


async def test_metrics_are_passed_on(reading: Any, steering: FakeSteering) -> None:
    """Prometheus gets its text in the type it expects."""
    answer = await reading.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert await answer.read() == await steering.metrics()


# ------------------------------------------------------------------------------------------------ questions


async def test_the_status_is_told(reading: Any, steering: FakeSteering) -> None:
    """The status is what control says, as it says it."""
    assert await (await reading.get("/api/v1/status")).json() == steering.status()


async def test_routes_come_with_their_traffic(reading: Any, steering: FakeSteering) -> None:
    """Each route has its counts, and a route that nobody asked for has zeros."""
    document = await (await reading.get("/api/v1/routes")).json()
    everything, listed, _ = document["routes"]
    assert document["digest"] == steering.loaded.estate.digest
    assert (listed["serve"], listed["share"], listed["traffic"]) == ("25% new", 25.0, steering.traffic()["list"])
    assert everything["traffic"]["legacy"] == {"requests": 0, "errors": 0}


async def test_routes_come_with_where_they_stand(reading: Any, steering: FakeSteering) -> None:
    """A ramp's or an override's share stands in the place of the file's, and words tell whose it is."""
    steering.desk.standings["list"] = {"share": 0.0, "standing": "legacy by override"}
    everything, listed, _ = (await (await reading.get("/api/v1/routes")).json())["routes"]
    assert (listed["serve"], listed["share"], listed["standing"]) == ("25% new", 0.0, "legacy by override")
    assert (everything["share"], everything["standing"]) == (0.0, "")


async def test_the_estate_is_told_without_secrets(reading: Any, steering: FakeSteering) -> None:
    """What the file says can be read by anyone on the admin port; the tester's secret cannot."""
    answer = await reading.get("/api/v1/estate")
    assert await answer.json() == estate_document(steering.loaded.estate)
    assert "opensesame" not in await answer.text()


async def test_a_request_is_explained(reading: Any) -> None:
    """The query gives method, address, headers and the client's address."""
    query = {"method": "GET", "url": "/repairs", "header": "Cookie: tenancy=a", "address": "192.0.2.9"}
    document = await (await reading.get("/api/v1/explain", params=query)).json()
    assert document["route"] == "list"
    assert {"Cookie: tenancy=a", "X-Forwarded-For: 192.0.2.9"} <= set(document["sends"][0]["head"])


async def test_what_cannot_be_explained_is_a_problem(reading: Any) -> None:
    """A question that makes no sense is answered with what to ask instead."""
    assert "Write a path" in await problem(await reading.get("/api/v1/explain"), 400)
    assert "501" in await problem(await reading.get("/api/v1/explain?method=FOO&url=/"), 400)


async def test_the_openapi_document_is_served(reading: Any, steering: FakeSteering) -> None:
    """Front ends and their tools find what the gateway serves at one address."""
    answer = await reading.get("/openapi.json")
    assert await answer.json() == document(steering.loaded.estate)


# ------------------------------------------------------------------------------------------------ orders


@pytest.mark.parametrize("path", TOLD)
async def test_the_control_socket_tells_the_same(ordering: Any, steering: FakeSteering, path: str) -> None:
    """Everything that the admin port tells can be asked on the control socket as well."""
    steering.desk.told["ramps"] = [{"ramp": "list", "routes": []}]
    assert (await ordering.get(filled(path), params={"url": "/repairs"})).status == 200


async def test_a_reload_is_ordered(ordering: Any, steering: FakeSteering) -> None:
    """The order is passed on, and its result is told whole."""
    steering.result = ReloadResult("refused", "The file has problems.", ("routes.yaml:1:1: no",), 4)
    answer = await ordering.post("/api/v1/reload", json={"accept": True})
    assert steering.accepted == [True]
    assert await answer.json() == {
        "outcome": "refused",
        "message": "The file has problems.",
        "problems": ["routes.yaml:1:1: no"],
        "revision": 4,
    }


async def test_the_stall_probe_is_switched(ordering: Any, steering: FakeSteering) -> None:
    """Benchmarks switch the probe of the data process on and off."""
    answer = await ordering.post("/api/v1/probe-stalls", json={"on": True})
    assert (await answer.json(), steering.orders) == ({"sent": True}, [("probe_stalls", True)])


async def test_a_soap_call_is_explained_by_its_body(ordering: Any) -> None:
    """The control socket takes a body, which decides the operation."""
    envelope = (
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><Balance/></e:Body></e:Envelope>'
    )
    order = {"method": "POST", "url": "/rents", "headers": [], "address": "127.0.0.1", "size": 0}
    answer = await ordering.post("/api/v1/explain", json={**order, "body": b64encode(envelope).decode()})
    assert (await answer.json())["route"] == "balance"
    bad = await ordering.post("/api/v1/explain", json={**order, "body": "%"})
    assert await problem(bad, 400) == "`body` is not base64."
