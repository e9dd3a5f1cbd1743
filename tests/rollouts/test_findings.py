"""What is known of comparisons is what the store has and what it has yet to be told, each counted once."""

import asyncio
from pathlib import Path

import pytest

from gateway.core.comparing.differences import FieldKind
from gateway.rollouts.comparisons import Known
from gateway.rollouts.findings import known_of
from gateway.store.values import Flush
from tests.rollouts.running import Running, running, sample, until

AT: FieldKind = (("at",), "value")
AMOUNT: FieldKind = (("amount",), "value")


async def judge(found: Running) -> None:
    """Seven answers are compared: one is right, six have another amount, of which both sides' times are their own."""
    rollouts = found.rollouts
    same = b'{"at": 0, "amount": 1}'
    wrong = [
        sample(b'{"at": %d, "amount": 1}' % at, b'{"at": %d, "amount": 2}' % (at + 1), b'{"at": %d, "amount": 1}' % -at)
        for at in range(1, 7)
    ]
    rollouts.sampled([sample(same, same), *wrong], {("balance", "queue_full"): 3}, {})
    counts = rollouts.keeper.counts
    await until(lambda: sum(count for (_, _, verdict), count in counts.verdicts.items() if verdict != "skipped") == 7)


def check(known: Known) -> None:
    assert {verdict: count for verdict, count in known.verdicts.items() if count} == {
        "matched": 1,
        "mismatched": 6,
        "skipped": 3,
    }
    assert sum(known.compared.values()) == 7
    assert known.reasons == {("skipped", "queue_full"): 3}
    assert {key: seen.counted.differs for key, seen in known.fields.items()} == {AT: 6, AMOUNT: 6}
    assert known.states == {AT: "noise", AMOUNT: "wrong"}
    assert all(seen.last >= seen.first > 0 for seen in known.fields.values())
    assert len(known.examples) == 10
    assert {(each.field, each.kind) for each in known.examples} == {("/at", "value"), ("/amount", "value")}


async def test_what_the_store_has_not_been_told_is_known(tmp_path: Path) -> None:
    """Just judged, or flushed a moment ago: the same is told, and every answer counts once."""
    async with running(tmp_path) as found:
        await judge(found)
        known, why = await known_of(found.rollouts, "balance", 0)
        assert why == ""
        check(known._replace(examples=known.examples[-10:]))
        keeper = found.rollouts.keeper
        await keeper.flush(keeper.opened())
        known, why = await known_of(found.rollouts, "balance", 0)
        assert why == ""
        check(known)


async def test_both_are_added(tmp_path: Path) -> None:
    """What came since the last flush stands on top of what the store has."""
    async with running(tmp_path) as found:
        await judge(found)
        keeper = found.rollouts.keeper
        await keeper.flush(keeper.opened())
        await judge(found)
        known, _ = await known_of(found.rollouts, "balance", 0)
        assert (known.verdicts["matched"], known.verdicts["mismatched"]) == (2, 12)
        assert {key: seen.counted.differs for key, seen in known.fields.items()} == {AT: 12, AMOUNT: 12}
        assert sum(known.compared.values()) == 14


async def test_what_is_on_its_way_to_the_store_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked in the middle of a flush, the answer waits until the counts are in one place."""
    async with running(tmp_path) as found:
        await judge(found)
        keeper = found.rollouts.keeper
        store = keeper.opened()
        flush, under_way, go_on = store.flush, asyncio.Event(), asyncio.Event()

        async def slow(counts: Flush) -> bool:
            under_way.set()
            await go_on.wait()
            return await flush(counts)

        monkeypatch.setattr(store, "flush", slow)
        flushing = asyncio.create_task(keeper.flush(store))
        await under_way.wait()
        asking = asyncio.create_task(known_of(found.rollouts, "balance", 0))
        await asyncio.sleep(0.05)
        go_on.set()
        await flushing
        known, _ = await asking
        assert (known.verdicts["matched"], known.verdicts["mismatched"]) == (1, 6)


async def test_without_a_store_this_replica_tells_what_it_has(tmp_path: Path) -> None:
    """While the store is away, what was judged meanwhile is told, with what is known of its fields, and why no more."""
    async with running(tmp_path, stored=False) as found:
        await judge(found)
        known, why = await known_of(found.rollouts, "balance", 0)
        assert why == "The store cannot be had: The store is away."
        check(known._replace(examples=known.examples[:10]))


async def test_what_is_in_hand_is_unsure(tmp_path: Path) -> None:
    """An answer that differs in a field of which nobody knows yet what it is counts as unsure, not as nothing."""
    async with running(tmp_path, stored=False) as found:
        found.rollouts.sampled([sample(b'{"amount": 1}', b'{"amount": 2}')], {}, {})
        await until(lambda: len(found.rollouts.judge.of("balance").in_hand) == 1)
        known, _ = await known_of(found.rollouts, "balance", 0)
        assert (known.verdicts["unsure"], sum(known.compared.values())) == (1, 1)
        assert known.states == {AMOUNT: "unsure"}


async def test_only_the_time_asked_for_counts(tmp_path: Path) -> None:
    """Verdicts before it are left out; the rate of a field is still of all answers since it was first seen."""
    async with running(tmp_path, stored=False) as found:
        await judge(found)
        known, _ = await known_of(found.rollouts, "balance", 2**40)
        assert sum(known.verdicts.values()) == 0
        assert sum(known.compared.values()) == 7


async def test_of_a_route_that_is_not_compared_nothing_is_known(tmp_path: Path) -> None:
    """That is no error: it has simply no shadow."""
    async with running(tmp_path, stored=False) as found:
        known, _ = await known_of(found.rollouts, "rest", 0)
        assert (sum(known.verdicts.values()), known.fields, known.examples) == (0, {}, [])
