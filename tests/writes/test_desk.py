"""People see what is owed, and have it delivered or dropped, with a reason."""

import pytest

from gateway.core.writing import Ending, Given, Signal, State
from gateway.errors import CommandError
from gateway.store.repository import Store
from gateway.store.writes import Tried
from gateway.writes.desk import WritesDesk
from tests.store.owing import KEPT, intent


class Counted:
    """How often there was something to deliver."""

    def __init__(self) -> None:
        self.due = 0

    def __call__(self) -> None:
        self.due += 1


async def test_what_is_owed_is_told(store: Store) -> None:
    """With its times and its reason; by states, or all that are not done."""
    await store.store_writes([intent("a"), Ending("a", Signal.UNKNOWN, "timeout"), intent("b", "2")], "r s", 100)
    desk = WritesDesk(lambda: store, Counted())
    found = await desk.listed([], None, 10, 0)
    assert [(each["id"], each["state"], each["why"]) for each in found["writes"]] == [
        ("a", "unresolved", "timeout"),
        ("b", "pending", ""),
    ]
    assert found["counts"][0] == {
        "route": "a",
        "kind": "copy",
        "state": "pending",
        "writes": 1,
        "oldest": "1970-01-01T00:01:40+00:00",
    }
    assert [each["id"] for each in (await desk.listed(["unresolved"], "a", 10, 0))["writes"]] == ["a"]
    with pytest.raises(CommandError, match="'odd' is no state of a write; there are pending, unresolved, ready"):
        await desk.listed(["odd"], None, 10, 0)


async def test_secrets_of_a_write_are_masked(store: Store) -> None:
    """What it sends is told, but not who its client is."""
    kept = KEPT._replace(fields=b"Authorization: Bearer x\r\nAccept: */*\r\n")
    await store.store_writes([intent("a", kept=kept, queue="now")], "r s", 100)
    desk = WritesDesk(lambda: store, Counted())
    assert (await desk.one("a"))["request"] == {
        "method": "PUT",
        "target": "/a/1",
        "fields": ["Authorization: ***", "Accept: */*"],
        "bytes": 5,
    }
    [owed] = await store.turn_writes([], "r s", 200, 1)
    await store.turn_writes([Tried(owed, Signal.DELIVERED, "", 0, Given(201, b"", b"made"))], "r s", 300, 0)
    done = await desk.one("a")
    assert (done["answer"], "request" in done) == ({"status": 201, "bytes": 4}, False)


async def test_a_person_decides(store: Store) -> None:
    """Whoever it was and why stays with the write; what is done cannot be undone."""
    await store.store_writes([intent("a"), Ending("a", Signal.UNKNOWN)], "r s", 100)
    due = Counted()
    desk = WritesDesk(lambda: store, due)
    done = await desk.steer("a", "retry", "jo", "legacy has it")
    assert (done["message"], done["write"]["why"], due.due) == (
        "The write a is to be delivered now.",
        "jo: legacy has it",
        1,
    )
    assert (await desk.steer("a", "drop", "jo", "no"))["write"]["state"] == State.DROPPED
    with pytest.raises(CommandError, match="The write a is dropped: there is nothing to retry"):
        await desk.steer("a", "retry", "jo", "oh")
    with pytest.raises(CommandError, match="'burn' is nothing that can be done to a write"):
        await desk.steer("a", "burn", "jo", "oh")
    with pytest.raises(CommandError, match="There is no write 'b'"):
        await desk.steer("b", "retry", "jo", "oh")


async def test_without_a_store_it_says_so() -> None:
    """A sentence, and no traceback."""
    desk = WritesDesk(lambda: None, Counted())
    with pytest.raises(CommandError, match="has not been opened yet"):
        await desk.one("a")
