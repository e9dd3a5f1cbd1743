"""Both sides are read key by key; what differs is told, and put right by what the record says."""

import re
from time import time
from typing import Any

import pytest

from gateway.core.captured import CapturedAnswer, CapturedRequest, Sample
from gateway.core.comparing.judging import Judgement, judge
from gateway.core.comparing.rules import Rules
from gateway.core.matching import RoutingTable
from gateway.core.model import Serve
from gateway.core.policies import Writes
from gateway.core.writing import Ending, Signal, State, lane_of
from gateway.errors import CommandError
from gateway.proxy.chance import fresh_digits
from gateway.store.repository import Store
from gateway.writes.reconciling import MOST, Reconciling, Shell, target_of
from tests.core.comparing.answers import as_json
from tests.store.owing import KEPT, intent
from tests.support.values import plan_of, route, table

COPIES = Writes(copy=True)
ROUTES = (
    route("GET /a/{id}", name="read", journey="things"),
    route("PUT /a/{id}", name="put", journey="things", writes=COPIES),
    route("GET /b/{of}/{id}", name="two"),
    route("GET /c/{id}", name="moved", serve=Serve.NEW),
    route("POST /d", name="post"),
    route("GET /e", name="one", new=None),
    route("GET /f/**", name="rest"),
)


class World:
    """Both sides: what they answer by target, and what they were asked."""

    def __init__(self, store: Store | None) -> None:
        self.table: RoutingTable = table(*ROUTES)
        self.answers: dict[bytes, tuple[CapturedAnswer, CapturedAnswer]] = {}
        self.asked: list[CapturedRequest] = []
        self.due = 0
        self.reconciling = Reconciling(
            Shell(lambda: self.table, lambda: store, self._read, self._compare, self._is_due, fresh_digits)
        )

    async def _read(self, name: str, asked: CapturedRequest) -> tuple[CapturedAnswer, CapturedAnswer]:
        self.asked.append(asked)
        return self.answers[asked.target]

    def _compare(self, sample: Sample) -> Judgement:
        return judge(sample, Rules())

    def _is_due(self) -> None:
        self.due += 1

    async def run(self, name: str, *keys: str, repair: bool = False) -> list[dict[str, Any]]:
        found = await self.reconciling.run(name, keys, repair, ["X-A: 1"], "jo: why")
        return list(found["results"])


def same(value: object) -> tuple[CapturedAnswer, CapturedAnswer]:
    return as_json({"a": value}), as_json({"a": value})


async def test_each_key_is_read_on_both_sides(store: Store) -> None:
    """With the headers that are given; what differs is told by its field."""
    world = World(store)
    world.answers = {
        b"/a/1": same(1),
        b"/a/2": (as_json({"a": 1}), as_json({"a": 2})),
        b"/a/3": (as_json({"a": 1}), CapturedAnswer(404)),
        b"/a/4": (CapturedAnswer(0, error="timeout"), as_json({"a": 1})),
        b"/a/5": (as_json({"a": 1}), CapturedAnswer(500)),
        b"/a/6%2F7": same(1),
    }
    found = await world.run("read", "1", "2", "3", "4", "5", "6/7")
    assert [(each["key"], each["verdict"]) for each in found] == [
        ("1", "same"),
        ("2", "differs"),
        ("3", "differs"),
        ("4", "legacy_error"),
        ("5", "new_error"),
        ("6/7", "same"),
    ]
    assert found[1]["fields"] == [{"field": "/a", "kind": "value"}]
    assert all(each["repair"] == "" for each in found)
    assert (world.asked[0].method, world.asked[0].fields) == (b"GET", ((b"X-A", b"1"),))
    assert await store.list_writes(list(State)) == []


async def test_the_record_wins(store: Store) -> None:
    """What it says is owed to the other side, as a copy of a write that it took."""
    world = World(store)
    world.answers = {b"/a/1": same(1), b"/a/2": (as_json({"a": 1}), as_json({"a": 2}))}
    one, two = await world.run("read", "1", "2", repair=True)
    assert one["repair"] == ""
    found = re.fullmatch(r"queued for new as ([0-9a-f]{32})", two["repair"])
    assert found is not None
    assert world.due == 1
    [owed] = await store.turn_writes([], "r s", time() + 1, 10)
    assert (owed.id, owed.route, owed.side, owed.kind) == (found[1], "put", "new", "copy")
    assert (owed.kept.method, owed.kept.target, owed.kept.body) == (b"PUT", b"/a/2", b'{"a":1}')
    assert b"Content-Type: application/json\r\n" in owed.kept.fields
    assert b"X-A: 1\r\n" in owed.kept.fields
    assert b"X-Request-ID: " in owed.kept.lines


async def test_what_cannot_be_put_right_says_why(store: Store) -> None:
    """A record that does not have it; a route that takes no such write; a write that is under way."""
    world = World(store)
    world.answers = {
        b"/a/1": (CapturedAnswer(404), as_json({"a": 1})),
        b"/c/1": (as_json({"a": 1}), as_json({"a": 2})),
        b"/a/2": (as_json({"a": 1}), as_json({"a": 2})),
    }
    [gone] = await world.run("read", "1", repair=True)
    assert gone["repair"] == "not repaired: the record answered 404, which cannot be put to the other side"
    [moved] = await world.run("moved", "1", repair=True)
    assert moved["repair"] == "not repaired: no route with `writes: {copy: true}` takes a PUT there"
    await store.store_writes([intent("w", lane=lane_of(b"things", "/a/2"))], "r s", 100)
    [busy] = await world.run("read", "2", repair=True)
    assert busy["repair"] == "not repaired: a write of it is under way; look again"


async def test_the_outbox_says_what_to_look_at(store: Store) -> None:
    """The paths of what is unresolved or dead, of the same journey."""
    world = World(store)
    for write_id, name in (("u", "put"), ("v", "put"), ("w", "two")):
        kept = KEPT._replace(path=b"/a/" + write_id.encode())
        await store.store_writes([intent(write_id, write_id, route=name, kept=kept)], "r s", 100)
    await store.store_writes([Ending("u", Signal.UNKNOWN), Ending("w", Signal.UNKNOWN)], "r s", 100)
    assert await world.reconciling.keys("read") == {"keys": ["/a/u"]}


@pytest.mark.parametrize(
    ("name", "key", "target"),
    [
        ("read", "7", b"/a/7"),
        ("read", "a b/c", b"/a/a%20b%2Fc"),
        ("read", "/a/7?x=1", b"/a/7?x=1"),
        ("two", "/b/1/2", b"/b/1/2"),
    ],
)
def test_a_key_names_an_address(name: str, key: str, target: bytes) -> None:
    """By what stands in the route's one place, or whole."""
    planned = next(plan_of(each) for each in ROUTES if each.name == name)
    assert target_of(planned, key) == target


@pytest.mark.parametrize(
    ("name", "key", "why"),
    [
        ("none", "1", "There is no route 'none'"),
        ("post", "1", "post cannot be read on both sides"),
        ("one", "1", "one cannot be read on both sides"),
        ("two", "1", "two has no single place for a key"),
        ("rest", "1", "rest has no single place for a key"),
    ],
)
async def test_what_cannot_be_read_is_refused(store: Store, name: str, key: str, why: str) -> None:
    """With what to do instead."""
    with pytest.raises(CommandError, match=why):
        await World(store).run(name, key)


async def test_orders_that_are_none_are_refused(store: Store) -> None:
    """Too many keys, headers that are none, and a store that is not there."""
    world = World(store)
    with pytest.raises(CommandError, match=f"At most {MOST} keys at a time"):
        await world.run("read", *map(str, range(MOST + 1)))
    with pytest.raises(CommandError, match="'odd' is no header"):
        await world.reconciling.run("read", ["1"], False, ["odd"], "jo")
    with pytest.raises(CommandError, match="has not been opened yet"):
        await World(None).reconciling.keys("read")
