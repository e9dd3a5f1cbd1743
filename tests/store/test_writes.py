"""Writes that are owed are kept on either database: in order, once each, and never forgotten."""

import asyncio
from itertools import pairwise

import pytest

from gateway.core.policies import Keep
from gateway.core.writing import Claim, Ending, Given, Receipt, Signal, State
from gateway.store.repository import Store
from gateway.store.writes import ABANDONED, Owed, Tried
from tests.store.owing import KEPT, intent
from tests.support.databases import Place

OWNER = "r s"
GIVEN = Given(201, b"Content-Type: text/plain\r\n", b"\0done")


async def state_of(store: Store, write_id: str) -> State | None:
    found = await store.find_write(write_id)
    return None if found is None else found[0].state


async def taken(store: Store, now: float = 200.0) -> list[str]:
    """What is given out at a time, by id."""
    return [each.id for each in await store.turn_writes([], OWNER, now, 10)]


async def copied(store: Store, write_id: str, key: str = "1") -> None:
    """A copy that the record has taken."""
    [answer] = await store.store_writes([intent(write_id, key)], OWNER, 100)
    assert answer == ("go",)
    await store.store_writes([Ending(write_id, Signal.TOOK)], OWNER, 101)


async def test_a_copy_is_given_out_once_the_record_took_it(store: Store) -> None:
    """As it came, to the other side; and to nobody else meanwhile."""
    await store.store_writes([intent("a")], OWNER, 100)
    assert await store.turn_writes([], OWNER, 200, 10) == []
    await store.store_writes([Ending("a", Signal.TOOK)], OWNER, 101)
    found = await store.turn_writes([], OWNER, 200, 10)
    assert found == [Owed("a", "copy", "a", "new", False, True, 1_000.0, 1, KEPT)]
    assert await taken(store) == []
    await store.turn_writes([Tried(found[0], Signal.DELIVERED, "", 0, None)], OWNER, 300, 0)
    standing, kept = await store.find_write("a") or pytest.fail("it is gone")
    assert (standing.state, standing.tries, standing.changed, kept) == (State.DELIVERED, 1, 300, None)


@pytest.mark.parametrize(
    ("signal", "state"),
    [(Signal.TOOK, State.READY), (Signal.NOTHING, None), (Signal.UNKNOWN, State.UNRESOLVED)],
)
async def test_what_came_of_a_write_is_noted_once(store: Store, signal: Signal, state: State | None) -> None:
    """Told twice it is the same, and so is what was never begun."""
    await store.store_writes([intent("a")], OWNER, 100)
    for _ in range(2):
        assert await store.store_writes([Ending("a", signal, "why")], OWNER, 101) == [("done",)]
        assert await state_of(store, "a") == state
    assert await store.store_writes([Ending("b", signal)], OWNER, 101) == [("done",)]


async def test_writes_of_a_lane_take_turns(store: Store) -> None:
    """The next one begins when the one before it has ended, whichever gateway it comes through; others do not wait."""
    answers = await store.store_writes([intent("a"), intent("b"), intent("c", "2")], OWNER, 100)
    assert answers == [("go",), ("busy",), ("go",)]
    answers = await store.store_writes([Ending("a", Signal.NOTHING), intent("b")], "other s", 100)
    assert answers == [("done",), ("go",)]


async def test_of_gateways_that_begin_at_once_one_does(place: Place) -> None:
    """Both databases tell the others to wait."""
    stores = [await Store.open(*place, upgrade=True) for _ in range(3)]
    work = [each.store_writes([intent(str(at))], f"{at} s", 100) for at, each in enumerate(stores)]
    found = await asyncio.gather(*work)
    assert sorted(answer for [answer] in found) == [("busy",), ("busy",), ("go",)]
    for each in stores:
        await each.close()


async def test_gateways_whose_writes_cross_do_not_block_each_other(place: Place) -> None:
    """Each begins many lanes at once, in whatever order they came: one of the two has them."""
    stores = [await Store.open(*place, upgrade=True) for _ in range(2)]
    for turn in range(5):
        lanes = [f"{turn} {at}" for at in range(50)]
        batches = [
            [intent(f"{name} {lane}", lane) for lane in order] for name, order in (("a", lanes), ("b", lanes[::-1]))
        ]
        work = [
            store.store_writes(batch, f"{at} s", 100)
            for at, (store, batch) in enumerate(zip(stores, batches, strict=True))
        ]
        one, other = await asyncio.gather(*work)
        assert sorted([one, other]) == [[("busy",)] * 50, [("go",)] * 50]
    for each in stores:
        await each.close()


async def test_a_lane_keeps_its_order(store: Store) -> None:
    """Only the first is given out; one that is dead or unresolved parks the others of its lane, and nobody else's."""
    for write_id in ("a", "b"):
        await copied(store, write_id)
    await copied(store, "c", "2")
    owed = {each.id: each for each in await store.turn_writes([], OWNER, 200, 10)}
    assert set(owed) == {"a", "c"}
    await store.turn_writes([Tried(owed["a"], Signal.GAVE_UP, "too late", 0, None)], OWNER, 300, 0)
    assert await state_of(store, "a") == State.DEAD
    assert await taken(store) == []
    assert await store.steer_write("a", Signal.DROP, "jo: no use", None, 400)
    assert await taken(store) == ["b"]
    standing, _ = await store.find_write("a") or pytest.fail("it is gone")
    assert (standing.state, standing.why) == (State.DROPPED, "jo: no use")


async def test_what_failed_is_given_out_again_when_it_is_due(store: Store) -> None:
    """And counts its tries."""
    await copied(store, "a")
    [owed] = await store.turn_writes([], OWNER, 200, 10)
    await store.turn_writes([Tried(owed, Signal.AGAIN, "timeout", 260, None)], OWNER, 201, 0)
    assert await taken(store, 259) == []
    [again] = await store.turn_writes([], OWNER, 260, 10)
    assert (again.id, again.tries) == ("a", 2)


async def test_a_queued_write_is_taken_back_until_it_was_tried(store: Store) -> None:
    """Its client was told that it was not made; but nobody may forget what may have been done."""
    await store.store_writes([intent("a", queue="now", copy=False), Ending("a", Signal.NOTHING)], OWNER, 100)
    assert (await state_of(store, "a"), await taken(store)) == (None, [])
    await store.store_writes([intent("b", queue="now", copy=False)], OWNER, 100)
    [owed] = await store.turn_writes([], OWNER, 200, 10)
    await store.turn_writes([Tried(owed, Signal.AGAIN, "", 300, None)], OWNER, 201, 0)
    await store.store_writes([Ending("b", Signal.NOTHING)], OWNER, 202)
    assert await state_of(store, "b") == State.READY


async def test_what_was_given_out_and_not_heard_of_is_given_out_anew(store: Store) -> None:
    """To the same gateway, that tells what it knows of; another one's are its own."""
    for write_id, key in (("a", "1"), ("b", "2"), ("c", "3")):
        await copied(store, write_id, key)
    given = await store.turn_writes([], OWNER, 200, 2)
    [other] = await store.turn_writes([], "other s", 200, 1)
    assert [each.id for each in await store.turn_writes([], OWNER, 201, 10, [given[0].id])] == [given[1].id]
    assert {given[0].id, given[1].id, other.id} == {"a", "b", "c"}


async def test_only_who_has_a_write_says_what_came_of_it(store: Store) -> None:
    """And only of the try that is under way: a late word of an earlier one changes nothing."""
    await copied(store, "a")
    [first] = await store.turn_writes([], OWNER, 200, 10)
    [second] = await store.turn_writes([], OWNER, 201, 10, [])
    for owner, owed in (("other s", second), (OWNER, first)):
        await store.turn_writes([Tried(owed, Signal.DELIVERED, "", 0, None)], owner, 202, 0)
        assert await state_of(store, "a") == State.DELIVERING
    await store.turn_writes([Tried(second, Signal.DELIVERED, "", 0, None)], OWNER, 203, 0)
    assert await state_of(store, "a") == State.DELIVERED


async def test_a_queued_write_waits_and_so_do_those_after_it(store: Store) -> None:
    """Of its lane alone. What the record answers is kept for whoever has the receipt."""
    queued = intent("a", queue="now", copy=False)
    answers = await store.store_writes(
        [queued, intent("b", queue="behind", copy=False), intent("c", "2", queue="behind", copy=False)], OWNER, 100
    )
    assert answers == [("queued", "a"), ("queued", "b"), ("go",)]
    assert await store.store_writes([Receipt("a"), Receipt("c")], OWNER, 100) == [
        ("receipt", State.READY, 100.0, None),
        ("none",),
    ]
    [owed] = await store.turn_writes([], OWNER, 200, 10)
    assert (owed.id, owed.side, owed.repeatable) == ("a", "legacy", False)
    await store.turn_writes([Tried(owed, Signal.DELIVERED, "", 0, GIVEN)], OWNER, 300, 0)
    assert await store.store_writes([Receipt("a")], OWNER, 100) == [("receipt", State.DELIVERED, 100.0, GIVEN)]
    assert await taken(store) == ["b"]


async def test_a_queued_write_is_copied_once_it_is_done(store: Store) -> None:
    """The other side gets it after those that the record took before it."""
    await store.store_writes([intent("a", queue="now"), intent("b", queue="behind")], OWNER, 100)
    for _ in range(2):
        [owed, *_] = await store.turn_writes([], OWNER, 200, 10)
        assert (owed.side, owed.copy) == ("legacy", True)
        await store.turn_writes([Tried(owed, Signal.DELIVERED, "", 0, GIVEN)], OWNER, 200, 0)
    copies = await store.list_writes([State.READY, State.DELIVERING])
    assert [(each.id, each.side, each.kind) for _, each in copies] == [
        ("a-copy", "new", "copy"),
        ("b-copy", "new", "copy"),
    ]
    await store.store_writes([Receipt("a-copy")], OWNER, 100)
    assert await store.store_writes([Receipt("a-copy")], OWNER, 100) == [("none",)]


async def test_a_refused_write_is_copied_to_nobody(store: Store) -> None:
    """The receipt tells what the record said."""
    await store.store_writes([intent("a", queue="now")], OWNER, 100)
    [owed] = await store.turn_writes([], OWNER, 200, 10)
    await store.turn_writes([Tried(owed, Signal.REFUSED, "422", 0, GIVEN._replace(status=422))], OWNER, 200, 0)
    assert await store.store_writes([Receipt("a")], OWNER, 100) == [
        ("receipt", State.REFUSED, 100.0, GIVEN._replace(status=422))
    ]
    assert await store.list_writes([State.READY]) == []


async def test_what_was_with_a_process_that_is_gone_is_found(store: Store) -> None:
    """Nobody knows whether a record has a write; a copy comes again; and what other gateways do is theirs."""
    await store.store_writes([intent("pending")], "r gone", 100)
    await store.store_writes([intent("alive", "2")], "r s", 100)
    await store.store_writes([intent("theirs", "3")], "r2 gone", 100)
    await copied(store, "copy", "4")
    await store.store_writes([intent("queued", "5", queue="now", copy=False)], OWNER, 100)
    await store.store_writes([intent("twice", "6", queue="now", copy=False, repeatable=True)], OWNER, 100)
    assert len(await store.turn_writes([], "r gone", 200, 10)) == 3
    assert await store.orphaned_writes(["r s"], "r", 300) == 2
    states = {name: await state_of(store, name) for name in ("pending", "alive", "theirs", "copy", "queued", "twice")}
    assert states == {
        "pending": State.UNRESOLVED,
        "alive": State.PENDING,
        "theirs": State.PENDING,
        "copy": State.READY,
        "queued": State.UNRESOLVED,
        "twice": State.READY,
    }
    assert await store.orphaned_writes(["r s"], "r", 101 + ABANDONED) == 2  # nobody takes so long


async def test_people_see_what_is_owed(store: Store) -> None:
    """The oldest first, some at a time, of one route or all; and how many there are."""
    for at in range(5):
        await copied(store, str(at), str(at))
    await store.store_writes([intent("other", "x", route="b")], OWNER, 90)
    first = await store.list_writes([State.READY], limit=2)
    assert [each.id for _, each in first] == ["0", "1"]
    rest = await store.list_writes([State.READY], limit=10, after=first[-1][0])
    assert [each.id for _, each in rest] == ["2", "3", "4"]
    assert [each.id for _, each in await store.list_writes([State.PENDING], route="b")] == ["other"]
    assert all(one < other for (one, _), (other, _) in pairwise(first + rest))
    assert await store.count_writes() == {("a", "copy", "ready"): (5, 100.0), ("b", "copy", "pending"): (1, 100.0)}
    assert await store.count_writes([State.PENDING]) == {("b", "copy", "pending"): (1, 100.0)}


async def test_only_what_waits_can_be_steered(store: Store) -> None:
    """What is delivered is delivered; a retry has more time."""
    await copied(store, "a")
    [owed] = await store.turn_writes([], OWNER, 200, 10)
    assert not await store.steer_write("a", Signal.DROP, "", None, 300)
    await store.turn_writes([Tried(owed, Signal.REFUSED, "no", 0, None)], OWNER, 300, 0)
    assert await store.steer_write("a", Signal.RETRY, "jo: mended", 9_000, 400)
    [again] = await store.turn_writes([], OWNER, 401, 10)
    assert (again.id, again.until) == ("a", 9_000)
    assert not await store.steer_write("none", Signal.RETRY, "", None, 400)


async def test_a_person_may_know_that_it_was_made(store: Store) -> None:
    """A copy goes to the other side then, and a queued write is done, and copied where it shall be."""
    await store.store_writes([intent("a"), Ending("a", Signal.UNKNOWN)], OWNER, 100)
    assert await store.steer_write("a", Signal.TOOK, "jo: it is there", 500, 200)
    assert await state_of(store, "a") == State.READY
    await store.store_writes([intent("b", "2", queue="now")], OWNER, 100)
    assert not await store.steer_write("b", Signal.TOOK, "jo: no", None, 200)
    owed = {each.id: each for each in await store.turn_writes([], OWNER, 200, 10)}
    await store.turn_writes([Tried(owed["b"], Signal.UNKNOWN, "timeout", 0, None)], OWNER, 201, 0)
    assert await store.steer_write("b", Signal.TOOK, "jo: it is there", None, 202)
    assert await state_of(store, "b") == State.DELIVERED
    assert await state_of(store, "b-copy") == State.READY


async def test_what_is_done_goes_after_a_while(store: Store) -> None:
    """And what is owed never does."""
    await copied(store, "a")
    await copied(store, "b", "2")
    owed = {each.id: each for each in await store.turn_writes([], OWNER, 200, 10)}
    await store.turn_writes([Tried(owed["a"], Signal.DELIVERED, "", 0, None)], OWNER, 300, 0)
    await store.turn_writes([Tried(owed["b"], Signal.GAVE_UP, "", 0, None)], OWNER, 300, 0)
    await store.prune(Keep(writes=100), 399)
    assert await state_of(store, "a") == State.DELIVERED
    await store.prune(Keep(writes=100), 401)
    assert (await state_of(store, "a"), await state_of(store, "b")) == (None, State.DEAD)


# ------------------------------------------------------------------------------------------------ clients' own keys

CLAIM = Claim("scope", "print", 500.0)
ANSWER = Given(201, b"Location: /b\r\n", b"\0made")


async def test_a_write_under_a_key_is_made_once(store: Store) -> None:
    """Sent again while it is under way, and afterwards; something else under the key is no such write."""
    first = intent("a", claim=CLAIM)
    again = first._replace(id="b", claim=CLAIM)
    assert await store.store_writes([first, again], OWNER, 100) == [("go",), ("in_flight",)]
    other = again._replace(claim=CLAIM._replace(fingerprint="other"))
    await store.store_writes([Ending("a", Signal.TOOK, scope="scope", given=ANSWER)], OWNER, 101)
    assert await store.store_writes([again, other], OWNER, 102) == [("replay", ANSWER), ("mismatch",)]
    assert [each.id for _, each in await store.list_writes(list(State))] == ["a"]


async def test_what_was_not_made_may_be_made_under_its_key(store: Store) -> None:
    """And so may what is too old; a write that waits for its turn has claimed nothing yet."""
    await store.store_writes([intent("a", claim=CLAIM), Ending("a", Signal.NOTHING, scope="scope")], OWNER, 100)
    assert await store.store_writes([intent("b", claim=CLAIM)], OWNER, 101) == [("go",)]
    await store.store_writes([Ending("b", Signal.TOOK, scope="scope", given=ANSWER)], OWNER, 102)
    late = intent("c", claim=CLAIM._replace(until=900.0))
    assert await store.store_writes([late, intent("d", claim=CLAIM._replace(scope="other"))], OWNER, 500) == [
        ("go",),
        ("busy",),
    ]
    await store.store_writes([Ending("c", Signal.NOTHING, scope="scope")], OWNER, 501)
    other = intent("d", claim=CLAIM._replace(scope="other", until=900.0))
    assert await store.store_writes([other], OWNER, 502) == [("go",)]


async def test_what_was_refused_is_refused_again(store: Store) -> None:
    """The record's word on a write is its word, and no reason to ask again."""
    refused = Given(422, b"", b"no")
    ending = Ending("a", Signal.NOTHING, scope="scope", given=refused)
    await store.store_writes([intent("a", claim=CLAIM), ending], OWNER, 100)
    assert await store.store_writes([intent("b", claim=CLAIM)], OWNER, 101) == [("replay", refused)]


async def test_a_queued_write_has_one_receipt(store: Store) -> None:
    """However often it is sent."""
    queued = intent("a", queue="now", claim=CLAIM)
    answers = await store.store_writes([queued, queued._replace(id="b")], OWNER, 100)
    assert answers == [("queued", "a"), ("queued", "a")]


async def test_nobody_knows_what_came_of_a_key_whose_process_is_gone(store: Store) -> None:
    """Until it is told late; what has no answer that could be kept stays so."""
    asked = [intent("a", claim=CLAIM), intent("b", "2", claim=CLAIM._replace(scope="other"))]
    await store.store_writes(asked, "r gone", 100)
    await store.orphaned_writes(["r s"], "r", 200)
    assert await store.store_writes([intent("c", claim=CLAIM)], OWNER, 201) == [("unknown",)]
    endings = [
        Ending("a", Signal.TOOK, scope="scope", given=ANSWER),
        Ending("b", Signal.TOOK, scope="other"),
    ]
    await store.store_writes(endings, OWNER, 202)
    again = [intent("c", claim=CLAIM), intent("d", claim=CLAIM._replace(scope="other"))]
    assert await store.store_writes(again, OWNER, 203) == [("replay", ANSWER), ("unknown",)]


async def test_keys_go_when_their_time_is_over(store: Store) -> None:
    """And not before."""
    await store.store_writes(
        [intent("a", claim=CLAIM), Ending("a", Signal.TOOK, scope="scope", given=ANSWER)], OWNER, 1
    )
    await store.prune(Keep(), 499)
    assert await store.store_writes([intent("b", claim=CLAIM)], OWNER, 499) == [("replay", ANSWER)]
    await store.prune(Keep(), 501)
    assert await store.store_writes([intent("b", claim=CLAIM)], OWNER, 100) == [("go",)]
