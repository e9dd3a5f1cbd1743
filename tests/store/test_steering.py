"""A step of a ramp is taken once, by one replica; what a person sets is there at once."""

import asyncio

from gateway.store.repository import Store
from gateway.store.values import Override, StoredEvidence, StoredPosition, Told
from tests.store.happenings import happened
from tests.support.databases import Place

OVERRIDE = Override("repairs", 0, "legacy", "500s since 02:40", "ada", 100.5, 7_300.25, "10% new")


async def test_a_ramp_goes_step_by_step(store: Store) -> None:
    """A step is taken from where the ramp stands, and from nowhere else."""
    assert await store.put_position("rents", 0, {"stage": 0}) is True
    assert await store.put_position("rents", 1, {"stage": 1}) is True
    assert [await store.put_position("rents", before, {"stage": 9}) for before in (0, 1, 3)] == [False] * 3
    assert await store.put_position("other", 1, {"stage": 9}) is False
    assert await store.positions() == [StoredPosition("rents", 2, {"stage": 1})]


async def test_steps_without_the_store_are_taken_together(store: Store) -> None:
    """A ramp that took three steps while the store was away goes on from where it stands by then."""
    assert await store.put_position("rents", 0, {"stage": 0}) is True
    assert await store.put_position("rents", 1, {"stage": 1}, steps=3) is True
    assert await store.positions() == [StoredPosition("rents", 4, {"stage": 1})]
    assert await store.put_position("rents", 4, {"stage": 2}) is True


async def test_of_two_replicas_one_takes_the_step(place: Place) -> None:
    """Two replicas that decide the same at the same time take one step, and the event of that one is noted."""
    replicas = [await Store.open(*place, upgrade=True) for _ in range(2)]
    expected: list[str] = []
    for before in range(5):
        steps = (
            replica.put_position("rents", before, {}, Told(happened(f"{before}{name}"), ("hook",)))
            for name, replica in zip("ab", replicas, strict=True)
        )
        taken = await asyncio.gather(*steps)
        assert sorted(taken) == [False, True]
        expected.append(f"{before}{'ab'[taken.index(True)]}")
    assert [event.id for event in await replicas[0].events()] == expected[::-1]
    owed = await replicas[0].take_deliveries("hook", 1_000, 60, 20)
    assert [delivery.event.id for delivery in owed] == expected
    for replica in replicas:
        await replica.close()


async def test_changes_are_seen(store: Store) -> None:
    """Whatever moves the traffic raises the number of changes; what does not, does not."""
    assert await store.changes() == 0
    await store.put_position("rents", 0, {})
    await store.put_position("rents", 7, {})
    await store.set_override(OVERRIDE)
    await store.clear_override("other")
    assert await store.changes() == 2
    await store.clear_override("repairs")
    assert await store.changes() == 3


async def test_an_override_comes_back_as_it_was_set(store: Store) -> None:
    """Every field of it; a second one takes the place of the first; one without an end has none."""
    await store.set_override(OVERRIDE)
    assert await store.overrides() == [OVERRIDE]
    lasting = OVERRIDE._replace(share=10_000, record=None, until=None)
    await store.set_override(lasting)
    assert await store.overrides() == [lasting]


async def test_any_reason_can_be_given(store: Store) -> None:
    """A reason is a person's text, and a command line may hold bytes that are no characters."""
    await store.set_override(OVERRIDE._replace(reason="wrong \udcff"))
    assert [override.reason for override in await store.overrides()] == ["wrong ?"]


async def test_an_override_is_cleared_once(store: Store) -> None:
    """Who clears it learns whether there was one; only then the event is noted."""
    await store.set_override(OVERRIDE, Told(happened("set")))
    cleared = [await store.clear_override("repairs", told=Told(happened(each))) for each in ("once", "twice")]
    assert cleared == [True, False]
    assert [event.id for event in await store.events()] == ["once", "set"]


async def test_an_override_that_was_set_anew_is_not_cleared_for_the_old_one(store: Store) -> None:
    """A replica that sees the first one's time end must not take away what a person has set since."""
    await store.set_override(OVERRIDE)
    await store.set_override(OVERRIDE._replace(set_at=200))
    assert await store.clear_override("repairs", set_at=OVERRIDE.set_at) is False
    assert await store.clear_override("repairs", set_at=200) is True


async def test_evidence_is_kept_by_replica(store: Store) -> None:
    """Each replica says all that it has seen; what it said before is replaced, and others' is not touched."""
    await store.put_evidence("a", 1, [StoredEvidence("rents", "g1", 0, {"seen": 1})])
    await store.put_evidence("b", 1, [StoredEvidence("rents", "g1", 0, {"seen": 5})])
    await store.put_evidence(
        "a", 2, [StoredEvidence("rents", "g1", 0, {"seen": 2}), StoredEvidence("rents", "g1", 1, {"seen": 3})]
    )
    first, second, other = ("rents", "g1", 0), ("rents", "g1", 1), ("rents", "g2", 0)
    assert await store.evidence([first, second, other]) == {
        first: {"a": {"seen": 2}, "b": {"seen": 5}},
        second: {"a": {"seen": 3}},
    }
