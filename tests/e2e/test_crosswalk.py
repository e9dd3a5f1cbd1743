"""Both sides invent identifiers: whichever a client has, the right thing is found on the side that serves."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gateway import Gateway
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, eventually

JSON = "Content-Type: application/json"


class Register:
    """A side that gives each new tenancy an identifier of its own, and finds tenancies by it alone."""

    def __init__(self, origin: Origin, first: int, prefix: str = "") -> None:
        self.origin = origin
        self.tenancies: dict[str, str] = {}
        self._numbers = itertools.count(first)
        self._prefix = prefix
        origin.on("/tenancies", self._make)

    def _make(self, talk: Talk) -> None:
        name = json.loads(talk.body())["name"]
        identifier = f"{self._prefix}{next(self._numbers)}"
        self.tenancies[identifier] = name
        self.origin.on(f"/tenancies/{identifier}", lambda talk: self._tell(talk, identifier))
        shown = identifier if self._prefix else int(identifier)
        talk.send(answer(json.dumps({"id": shown}).encode(), "Content-Type: application/json", status=201))

    def _tell(self, talk: Talk, identifier: str) -> None:
        data = talk.body()
        if data:
            self.tenancies[identifier] = json.loads(data)["name"]
        told = {"id": identifier, "name": self.tenancies[identifier]}
        talk.send(answer(json.dumps(told).encode(), "Content-Type: application/json"))


class World:
    """A gateway in front of both registers."""

    def __init__(self, gateway: Gateway, old: Register, new: Register) -> None:
        self.gateway = gateway
        self.old = old
        self.new = new

    def make(self, name: str) -> str:
        made = self.gateway.call("POST", "/tenancies", JSON, body=json.dumps({"name": name}).encode())
        assert made.status == 201
        return str(json.loads(made.body)["id"])

    def name_of(self, identifier: str) -> object:
        found = self.gateway.get(f"/tenancies/{identifier}")
        return json.loads(found.body)["name"] if found.body.startswith(b"{") and found.status == 200 else found.status

    def serve(self, side: str, record: str = "legacy") -> None:
        text = self.gateway.config.read_text()
        for word in ("legacy", "new"):
            text = text.replace(f"serve: {word}", f"serve: {side}").replace(f"record: {word}", f"record: {record}")
        self.gateway.config.write_text(text)
        self.gateway.banyan("reload")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Origin() as old, Origin() as new:
        text = f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  old: {{url: "{old.url}"}}
  new: {{url: "{new.url}"}}
routes:
  - name: make
    journey: tenancies
    match: POST /tenancies
    legacy: old
    new: new
    serve: legacy
    writes: {{copy: true, record: legacy, key: body.name}}
    crosswalk: {{legacy: response.id, new: response.id}}
  - name: tenancy
    journey: tenancies
    match: ANY /tenancies/{{id}}
    legacy: old
    new: new
    serve: legacy
    writes: {{copy: true, record: legacy}}
    crosswalk: {{at: path.id}}
"""
        with Gateway(tmp_path, text) as gateway:
            yield World(gateway, Register(old, 100), Register(new, 1, "N-"))


def test_either_identifier_finds_the_thing_on_the_side_that_serves(world: World) -> None:
    """And so does a write by either; a restart changes nothing."""
    first, second = world.make("ann"), world.make("bob")
    assert (first, second) == ("100", "101")
    assert eventually(lambda: sorted(world.new.tenancies.values()) == ["ann", "bob"])
    named = {name: identifier for identifier, name in world.new.tenancies.items()}
    for _ in range(2):
        for side in ("legacy", "new"):
            world.serve(side)
            for old, name in (("100", "ann"), ("101", "bob")):
                assert eventually(lambda old=old, name=name: world.name_of(old) == name)  # type: ignore[misc]
                assert eventually(lambda name=name: world.name_of(named[name]) == name)  # type: ignore[misc]
        world.gateway.kill_data()
        world.gateway.kill_control()
        world.gateway.start()
    changed = world.gateway.call("PUT", f"/tenancies/{named['ann']}", JSON, body=b'{"name": "eve"}')
    assert changed.status == 200
    assert world.old.tenancies == {"100": "eve", "101": "bob"}
    assert eventually(lambda: world.new.tenancies == {named["ann"]: "eve", named["bob"]: "bob"})


def test_what_the_other_side_does_not_have_yet_is_read_on_the_record(world: World) -> None:
    """Though new serves; and what is written of it there waits until it is there."""
    world.serve("new")
    world.new.origin.on("/tenancies", answer(b"", status=503))
    made = world.make("ann")
    assert world.name_of(made) == "ann"
    assert world.gateway.call("PUT", f"/tenancies/{made}", JSON, body=b'{"name": "eve"}').status == 200
    assert world.name_of(made) == "eve"
    assert world.new.tenancies == {}
    world.new.origin.on("/tenancies", world.new._make)
    assert eventually(lambda: list(world.new.tenancies.values()) == ["eve"], 15)
    assert eventually(lambda: world.name_of(made) == "eve" and world.new.origin.seen("/tenancies/N-1") != [])


def test_the_record_moves_and_identifiers_stay_good(world: World) -> None:
    """What new makes first is known by its own identifier, and found on legacy, too."""
    made = world.make("ann")
    assert eventually(lambda: list(world.new.tenancies.values()) == ["ann"])
    world.serve("legacy", record="new")
    later = world.make("bob")
    assert later == "N-2"
    assert eventually(lambda: sorted(world.old.tenancies.values()) == ["ann", "bob"])
    for identifier, name in ((made, "ann"), (later, "bob"), ("101", "bob"), ("N-1", "ann")):
        assert eventually(lambda identifier=identifier, name=name: world.name_of(identifier) == name)  # type: ignore[misc]


def test_what_drifted_apart_is_found_and_put_right(world: World) -> None:
    """By the identifiers that each side knows; the record wins."""
    made = world.make("ann")
    assert eventually(lambda: world.new.tenancies == {"N-1": "ann"})
    keys = world.gateway.folder / "keys"
    keys.write_text(f"{made}\n")
    assert eventually(
        lambda: world.gateway.banyan("reconcile", "tenancy", "--keys", str(keys), "--again").returncode == 0
    )
    world.new.tenancies["N-1"] = "eve"
    ran = world.gateway.banyan("reconcile", "tenancy", "--keys", str(keys), "--again")
    assert (ran.returncode, ran.stdout.splitlines()[0]) == (1, f"{made}: differs: /name (value)")
    order = ("--repair", "record-wins", "--reason", "drift")
    ran = world.gateway.banyan("reconcile", "tenancy", "--keys", str(keys), *order)
    assert "queued for new as " in ran.stdout
    assert eventually(lambda: world.new.tenancies == {"N-1": "ann"})
