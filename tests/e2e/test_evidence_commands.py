"""People look at evidence and move traffic with commands, and the traffic of a running gateway goes there."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, eventually

COUNTER = count()
JSON = "Content-Type: application/json"


def routes_yaml(origin: Origin, serve: str = "new", compare: str = "") -> str:
    return f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  old: {{url: "{origin.url}"}}
  new: {{url: "{origin.url}/new"}}
routes:
  - {{name: list, match: GET /list, legacy: old, new: new, serve: {serve}}}
  - name: balance
    match: GET /balance/**
    legacy: old
    new: new
    serve: ramp
    journey: rents
    shadow: {{share: 100%, noise: 100%}}
{compare}    ramp: {{stages: [50%, 100%], guards: {{parity: off, samples: 1000}}}}
"""


def balance(amount: float) -> Any:
    """An answer whose time differs each time, and whose amount is this side's."""

    def script(talk: Talk) -> None:
        document = {"at": f"2026-11-28T12:00:{next(COUNTER):06}", "amount": amount}
        talk.send(answer(json.dumps(document).encode(), JSON))

    return script


@pytest.fixture
def gateway(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    origin.on("/list", answer(b"legacy"))
    origin.on("/new/list", answer(b"new"))
    for number in range(30):
        origin.on(f"/balance/{number}", balance(10.00))
        origin.on(f"/new/balance/{number}", balance(10.01))
    with Gateway(tmp_path_factory.mktemp("gateway"), routes_yaml(origin)) as gateway:
        assert eventually(lambda: "climbing" in row(gateway, "balance")["standing"], 5)
        yield gateway


def row(gateway: Gateway, name: str) -> dict[str, Any]:
    """What `banyan routes` is made from, of one route."""
    rows = json.loads(gateway.look("/api/v1/routes")[1])["routes"]
    return next(each for each in rows if each["name"] == name)


def told(gateway: Gateway, *arguments: str) -> str:
    """What a command says that ends well."""
    done = gateway.banyan(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


WHY = ("--reason", "500s since 02:40")


def test_an_override_is_live_when_the_command_returns_and_ends_with_its_time(gateway: Gateway) -> None:
    """The very next request goes there; nobody has to remember to take it back."""
    assert gateway.get("/list").body == b"new"
    told(gateway, "override", "list", "legacy", "--for", "3s", *WHY)
    assert gateway.get("/list").body == b"legacy"
    assert "legacy by override until" in told(gateway, "routes", "--config", str(gateway.config))
    assert "override       list: legacy by override until" in told(gateway, "status")
    assert "500s since 02:40" in told(gateway, "override")
    assert eventually(lambda: gateway.get("/list").body == b"new", 6)
    assert told(gateway, "override").startswith("There is no override")
    assert "override.ended" in told(gateway, "events", "--route", "list")


def test_an_override_ends_when_the_file_says_something_else(gateway: Gateway, origin: Origin) -> None:
    """Whoever flips the route is obeyed: the override was about another word."""
    gateway.edit(routes_yaml(origin, "legacy"))
    told(gateway, "override", "list", "new", *WHY)
    assert gateway.get("/list").body == b"new"
    gateway.edit(routes_yaml(origin, "retired"))
    assert gateway.get("/list").status == 410
    gateway.edit(routes_yaml(origin, "legacy"))
    assert gateway.get("/list").body == b"legacy"
    assert told(gateway, "override").startswith("There is no override")


def test_a_route_that_does_not_ramp_is_rolled_back_and_cleared(gateway: Gateway) -> None:
    """At 3 a.m. one word is enough for any route; the way back is told."""
    assert "banyan override list --clear" in told(gateway, "rollback", "list", *WHY)
    assert gateway.get("/list").body == b"legacy"
    told(gateway, "override", "list", "--clear", *WHY)
    assert gateway.get("/list").body == b"new"


def test_a_rollback_holds_over_a_restart(gateway: Gateway) -> None:
    """Rolled back means legacy, in this process and in the next, until a person resumes it."""
    assert eventually(lambda: row(gateway, "balance")["share"] == 50.0, 5)
    told(gateway, "rollback", "rents", *WHY)
    assert shares(gateway) == {10.00}
    gateway.terminate()
    assert gateway.wait() == 0
    gateway.start()
    assert row(gateway, "balance")["standing"] == "0 %, rolled back"
    assert shares(gateway) == {10.00}
    assert "500s since 02:40" in told(gateway, "ramp", "rents")
    assert eventually(lambda: gateway.banyan("resume", "balance", *WHY).returncode == 0, 5)
    assert shares(gateway) == {10.00, 10.01}


def shares(gateway: Gateway) -> set[float]:
    """The amounts that many clients are told: whose side answers."""
    return {json.loads(gateway.get(f"/balance/{number % 30}").body)["amount"] for number in range(40)}


def test_a_planted_difference_is_shown_and_noise_is_suggested_away(gateway: Gateway, origin: Origin) -> None:
    """The wrong amount is found and stays; for the time that always differs there is a rule, and it can be pasted."""
    for number in range(120):
        gateway.get(f"/balance/{number % 30}")

    def fields() -> dict[str, str]:
        document = json.loads(told(gateway, "shadow", "balance", "--json"))
        return {each["pointer"]: each["state"] for each in document["fields"]}

    assert eventually(lambda: fields() == {"/at": "noise", "/amount": "wrong"}, 10), fields()
    shown = told(gateway, "shadow", "balance")
    assert "/amount (value): wrong" in shown
    assert "number, 4 characters" in shown
    suggested = told(gateway, "shadow", "balance", "--suggest")
    assert "ignore: [/at]" in suggested
    assert "# stays, differs more often than from itself: /amount (value)" in suggested
    gateway.edit(routes_yaml(origin, compare=suggested))
