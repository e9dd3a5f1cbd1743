"""What replicas know of one another through the store, and what it is told once it is there again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic, time

import pytest
from structlog.testing import capture_logs

from gateway.config.check import load
from gateway.core.comparing.noise import FieldCount
from gateway.core.policies import Keep
from gateway.core.positions import Position, State, begun
from gateway.errors import StoreUnavailable
from gateway.rollouts import keeper
from gateway.rollouts.asking import Asking
from gateway.rollouts.evidence import StageEvidence
from gateway.rollouts.judging import Judge
from gateway.rollouts.keeper import Keeper, replica_of
from gateway.rollouts.standings import Standings, ramps_of
from gateway.rollouts.telling import Teller, event_of
from gateway.rollouts.webhooks import Webhooks
from gateway.store.repository import Store
from gateway.store.values import Flush, Override
from gateway.telemetry.metrics import Traffic
from tests.rollouts.running import Sent, Unstored, until
from tests.support.databases import Place
from tests.support.observations import observed

ROUTES = """\
version: 1
backends: {office: {url: "http://127.0.0.1:9001"}, repairs: {url: "http://127.0.0.1:9002"}}
routes:
  - {name: rents, match: GET /rents, legacy: office, new: repairs, serve: ramp, shadow: 100%}
"""


class Replica:
    """A keeper with what it keeps, which looks at the store when it is told to.

    `nudged` counts what is new; `away` is why the store cannot be opened, "" where it can.
    """

    def __init__(self, name: str, place: Place, folder: Path, webhooks: Webhooks) -> None:
        self.place = place
        self.nudged = 0
        self.standings = Standings(folder)
        self.evidence = StageEvidence(name)
        self.teller = Teller(webhooks, self.standings.events)
        self.traffic = Traffic()
        self.judge = Judge(b"", lambda found: None, Asking(lambda *question: False))
        self.away = ""
        self.keeper = Keeper(
            self._opened, name, self.standings, self.evidence, self.judge, self.traffic, self.teller, self._nudged
        )
        (folder / "routes.yaml").write_text(ROUTES)
        self.ramp = next(ramps_of(load(folder / "routes.yaml", {}).estate))

    async def _opened(self) -> Store:
        if self.away:
            raise StoreUnavailable(self.away)
        return await Store.open(*self.place, upgrade=True)

    def _nudged(self) -> None:
        self.nudged += 1

    def stand(self, position: Position) -> None:
        """A step was taken here."""
        self.standings.move(position)
        self.evidence.follow([self.ramp], self.standings.positions)

    async def look(self) -> None:
        """One round of what is done twice a second."""
        await self.keeper._once()
        self.evidence.follow([self.ramp], self.standings.positions)


@pytest.fixture
async def replicas(place: Place, tmp_path: Path) -> AsyncIterator[tuple[Replica, Replica]]:
    """Two replicas, whose ramp has begun and is known to both."""
    made = []
    webhooks = Webhooks(Unstored())
    for name in "ab":
        (tmp_path / name).mkdir()
        made.append(Replica(name, place, tmp_path / name, webhooks))
    one, other = made
    one.stand(begun("rents", one.ramp.ramp, time())._replace(sequence=1, stage=0, share=100))
    for each in (one, other, one, other):
        await each.look()
    yield one, other
    for each in made:
        await each.keeper.close()
    await webhooks.close()


@pytest.fixture
async def replica(local: Place, tmp_path: Path) -> AsyncIterator[Replica]:
    """One alone, which looks all the time once it is run."""
    webhooks = Sent()
    made = Replica("a", local, tmp_path, webhooks)
    yield made
    await made.keeper.close()
    await webhooks.close()


@asynccontextmanager
async def kept(given: Replica) -> AsyncIterator[None]:
    """The keeper runs."""
    task = asyncio.create_task(given.keeper.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_one_replica_sees_the_other_knows_at_its_next_look(replicas: tuple[Replica, Replica]) -> None:
    """Two replicas that have seen half of what is needed each go back together, and are told that there is more."""
    one, other = replicas
    before = other.nudged
    one.evidence.judged("rents", "mismatched", "legacy", time(), b"1")
    await one.look()
    await other.look()
    assert other.evidence.of("rents")[0].wrong == 1
    assert other.nudged == before + 1
    await other.look()
    assert other.nudged == before + 1


async def test_several_steps_without_the_store_are_one_for_it(replicas: tuple[Replica, Replica]) -> None:
    """A ramp that was paused and rolled back while the store was away can be moved again, by any replica."""
    one, other = replicas
    position = one.standings.positions["rents"]
    back = position._replace(state=State.ROLLED_BACK, sequence=3, why="by hand")
    one.stand(position._replace(state=State.PAUSED, sequence=2))
    one.stand(back)
    await one.look()
    await other.look()
    assert (other.standings.positions["rents"], one.standings.untold) == (back, set())
    event = other.teller.tell("resumed", journey="rents")
    assert await other.keeper.step(back._replace(state=State.CLIMBING, sequence=4), 3, event) is True


@pytest.mark.parametrize("known", [0, 3])
async def test_another_store_learns_where_ramps_stand(
    replicas: tuple[Replica, Replica], tmp_path: Path, known: int
) -> None:
    """A store that is new, or that a backup was put back into: or else no step could be taken ever again."""
    one, _ = replicas
    position = one.standings.positions["rents"]._replace(sequence=5)
    (tmp_path / "c").mkdir()
    moved = Replica("c", Place(None, tmp_path / "c"), tmp_path / "c", one.teller.webhooks)
    if known:
        store = await moved._opened()
        await store.put_position("rents", 0, position._replace(sequence=known).to_plain(), steps=known)
        await store.close()
    moved.stand(position)
    moved.standings.untold.clear()
    await moved.look()
    event = moved.teller.tell("promoted", journey="rents")
    assert await moved.keeper.step(position._replace(stage=1, sequence=6), 5, event) is True
    await moved.keeper.close()


# ------------------------------------------------------------------------------------------------ away and back


async def test_it_is_told_once_that_the_store_is_away_and_once_that_it_is_back(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is asked meanwhile; and everybody may know why."""
    monkeypatch.setattr(keeper, "LOOK", 0.01)
    replica.away = "The store is away."
    told = replica.teller.webhooks
    assert isinstance(told, Sent)
    assert (replica.keeper.available, replica.keeper.why) == (False, "it has not been opened yet.")
    with pytest.raises(StoreUnavailable, match="cannot be had: it has not been opened yet"):
        replica.keeper.opened()
    async with kept(replica):
        await replica.keeper.looked.wait()
        await asyncio.sleep(0.1)
        assert [(each.kind, each.why) for each in told.events] == [("store_unavailable", "The store is away.")]
        assert (replica.keeper.available, replica.keeper.why) == (False, "The store is away.")
        replica.away = ""
        await until(lambda: replica.keeper.available)
        await asyncio.sleep(0.1)
        assert [each.kind for each in told.events] == ["store_unavailable", "store_recovered"]
        assert replica.keeper.why == ""
        await until(lambda: not replica.teller.untold)
    stored = await replica.keeper.opened().events()
    assert [each.kind for each in stored] == ["store_recovered", "store_unavailable"]


async def test_a_store_that_is_there_at_once_is_not_told_of(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what changes is news."""
    monkeypatch.setattr(keeper, "LOOK", 0.01)
    async with kept(replica):
        await until(lambda: replica.keeper.available)
        await asyncio.sleep(0.05)
    assert list(replica.teller.untold) == []


async def test_a_defect_in_keeping_is_a_store_that_is_away(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends nothing; the log has it once."""
    monkeypatch.setattr(keeper, "LOOK", 0.01)

    async def broken() -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(replica.keeper, "_once", broken)
    with capture_logs() as logged:
        async with kept(replica):
            await replica.keeper.looked.wait()
            await asyncio.sleep(0.05)
            assert replica.keeper.why == "Keeping failed (ZeroDivisionError); the log has more."
    assert [each["event"] for each in logged] == ["keeper_failed", "store_unavailable"]


async def test_minutes_are_right_though_the_store_is_away(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted meanwhile counts for the minute it happened in, not for that of the next flush."""
    replica.traffic.observe([observed()])
    monkeypatch.setattr(keeper, "time", lambda: 1_800_000_000.0)
    replica.keeper._lost("away")
    replica.traffic.observe([observed()])
    monkeypatch.setattr(keeper, "time", lambda: 1_800_000_060.0)
    replica.keeper._lost("away")
    assert [(each.minute, each.requests) for each in replica.keeper.counts.traffic.values()] == [
        (1_800_000_000, 1),
        (1_800_000_060, 1),
    ]


# ------------------------------------------------------------------------------------------------ flushes


class Flushing:
    """Watches a store's flushes: `lost` are those whose answer does not come, though they are done."""

    def __init__(self, store: Store, lost: int = 0) -> None:
        self._flush = store.flush
        self.lost = lost
        self.flushes: list[Flush] = []
        store.flush = self  # type: ignore[method-assign]

    async def __call__(self, counts: Flush) -> bool:
        self.flushes.append(counts)
        counted = await self._flush(counts)
        if self.lost:
            self.lost -= 1
            raise StoreUnavailable("It did not answer.")
        return counted


async def test_a_flush_that_failed_is_sent_again_as_it_was(replicas: tuple[Replica, Replica]) -> None:
    """It may have been taken: so nothing counts twice, and what was counted meanwhile goes with the next."""
    one, _ = replicas
    store = one.keeper.opened()
    watched = Flushing(store, lost=2)
    one.traffic.observe([observed()])
    one.keeper.counts.judged({("rents", "matched"): 1}, time())
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await one.keeper.flush(store)
        one.traffic.observe([observed()])
        one.keeper.counts.judged({("rents", "matched"): 1}, time())
    for _ in range(2):
        await one.keeper.flush(store)
    first, second, third, fourth = watched.flushes
    assert first is second is third
    assert fourth.number == first.number + 1
    hour = time() - 3_600
    assert sum(each.requests for each in await store.traffic(hour, time() + 60)) == 3
    assert sum(each.samples for each in await store.verdicts(hour, time() + 60)) == 3


async def test_a_later_process_counts_on(replicas: tuple[Replica, Replica], tmp_path: Path) -> None:
    """Its flushes have higher numbers than those of the one before, or else they would count as told already."""
    one, _ = replicas
    store = one.keeper.opened()
    await one.keeper.flush(store)
    await asyncio.sleep(0.01)
    later = Replica("a", one.place, tmp_path / "a", one.teller.webhooks)
    later.traffic.observe([observed()])
    await later.keeper.flush(store)
    assert sum(each.requests for each in await store.traffic(time() - 3_600, time() + 60)) == 1


async def test_closing_puts_away_what_there_is(replica: Replica) -> None:
    """Counts, and what was told: the next process need not know."""
    await replica.keeper._once()
    replica.traffic.observe([observed()])
    replica.teller.tell("config_changed", why="flipped")
    await replica.keeper.close()
    store = await Store.open(*replica.place, upgrade=True)
    assert sum(each.requests for each in await store.traffic(time() - 3_600, time() + 60)) == 1
    assert [each.kind for each in await store.events()] == ["config_changed"]
    await store.close()


async def test_flushing_and_pruning_have_their_times(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ten seconds by the clock, every hour; a look alone writes nothing."""
    began = now = monotonic()
    monkeypatch.setattr(keeper, "monotonic", lambda: now)
    monkeypatch.setattr(keeper, "time", lambda: 1_800_000_000.0 + now - began)
    replica.keeper._turn = 180_000_000
    await replica.keeper._once()
    store = replica.keeper.opened()
    watched, pruned = Flushing(store), list[Keep]()

    async def prune(keep: Keep, _now: float) -> None:
        pruned.append(keep)

    monkeypatch.setattr(store, "prune", prune)
    replica.keeper.keep = Keep(examples=9)
    counts = []
    for seconds in (9.9, 0.2, 9.7, 3_600):
        now += seconds
        await replica.keeper._once()
        await asyncio.sleep(0)
        counts.append((len(watched.flushes), len(pruned)))
    assert counts == [(0, 0), (1, 0), (1, 0), (2, 1)]
    assert (pruned, watched.flushes[0].examples_kept) == ([Keep(examples=9)], 9)


# ------------------------------------------------------------------------------------------------ from the store


async def test_what_is_known_of_fields_is_read_once(replicas: tuple[Replica, Replica]) -> None:
    """A restart goes on from what all replicas saw of a route; what it saw itself is not added again."""
    one, other = replicas
    one.judge.of("rents").add([((("lines", "a/b"), "value"), FieldCount(3, 2, 1))], 10.0)
    await one.keeper.flush(one.keeper.opened())
    other.keeper.read(["rents"])
    for _ in range(2):
        await other.look()
    assert other.judge.of("rents").counts == {(("lines", "a/b"), "value"): FieldCount(3, 2, 1)}
    assert other.judge.of("rents").taken() == {}


async def test_a_store_that_nobody_has_written_to_is_left_alone(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked when that cannot be told, when it was written, when it was away, and now and then all the same."""
    now, asked, written = monotonic(), 0, list[object]()
    monkeypatch.setattr(keeper, "monotonic", lambda: now)
    await replica.keeper._once()
    store = replica.keeper.opened()

    async def changes() -> int:
        nonlocal asked
        asked += 1
        return 0

    monkeypatch.setattr(store, "changes", changes)
    monkeypatch.setattr(store, "written", lambda: written[-1])
    found = []
    for mark, available, seconds in (
        (None, True, 0),
        (1, True, 0),
        (1, True, 0),
        (2, True, 0),
        (2, True, 4.9),
        (2, True, 0.2),
        (2, True, 0),
        (2, False, 0),
        (None, True, 0),
    ):
        written.append(mark)
        now += seconds
        replica.keeper.available = available
        await replica.keeper._look(store)
        found.append(asked)
    assert found == [1, 2, 2, 3, 3, 4, 4, 5, 6]


async def test_overrides_reach_every_replica(replicas: tuple[Replica, Replica]) -> None:
    """Set on one and cleared on the other, within a look each."""
    one, other = replicas
    override = Override("rents", 0, None, "slow", "ann", 1.0, None, "ramp")
    one.standings.override(override)
    await one.look()
    await other.look()
    assert other.standings.overrides == {"rents": override}
    other.standings.clear("rents")
    await other.look()
    await one.look()
    assert one.standings.overrides == {}
    assert one.standings.untold == other.standings.untold == set()


async def test_an_override_that_changes_while_it_is_told_is_told_again(
    replicas: tuple[Replica, Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store gets the last word that was said here."""
    one, _ = replicas
    store = one.keeper.opened()
    override, set_override = Override("rents", 0, None, "slow", "ann", 1.0, None, "ramp"), store.set_override

    async def setting(given: Override) -> None:
        await set_override(given)
        if given == override:
            one.standings.override(override._replace(share=500))

    monkeypatch.setattr(store, "set_override", setting)
    one.standings.override(override)
    await one.look()
    assert one.standings.untold == {("override", "rents")}
    await one.look()
    assert [each.share for each in await store.overrides()] == [500]
    assert one.standings.untold == set()


async def test_events_are_stored_once_in_their_order(replicas: tuple[Replica, Replica]) -> None:
    """Told again after a kill, an event is there once."""
    one, _ = replicas
    first, second = one.teller.tell("paused", journey="rents"), one.teller.tell("resumed", journey="rents")
    await one.look()
    one.teller.untold.extend([first, second])
    await one.look()
    assert list(one.teller.untold) == []
    assert [each.id for each in await one.keeper.opened().events()] == [second.id, first.id]


async def test_of_two_steps_one_is_taken(replicas: tuple[Replica, Replica]) -> None:
    """The second replica learns that somebody stepped; what it would have told is not told."""
    one, other = replicas
    at = one.standings.positions["rents"]
    taken = [
        await each.keeper.step(at._replace(stage=1, sequence=2), 1, event_of("promoted", why=name))
        for each, name in ((one, "one"), (other, "other"))
    ]
    assert taken == [True, False]
    assert [each.why for each in await one.keeper.opened().events()] == ["one"]


# ------------------------------------------------------------------------------------------------ names


def test_a_replica_keeps_its_name(tmp_path: Path) -> None:
    """For as long as its data folder is there; another folder is another replica."""
    name = replica_of(tmp_path)
    (tmp_path / "other").mkdir()
    assert replica_of(tmp_path) == name != replica_of(tmp_path / "other")
    (tmp_path / "replica").write_text("\n")
    assert len(replica_of(tmp_path)) == len(name) == 16


@pytest.mark.parametrize("ends", [True, False])
async def test_of_two_overrides_the_later_one_holds(replicas: tuple[Replica, Replica], ends: bool) -> None:
    """Set or ended while the store was away, an override gives way to what a person did later on another replica."""
    one, other = replicas
    first = Override("rents", 0, None, "why", "kim", 1_000.0, None, "ramp")
    last = first._replace(share=10_000, set_at=2_000.0)
    one.standings.override(first)
    for each in (one, other):
        await each.look()
    other.standings.override(last)
    await other.look()
    if ends:
        one.standings.clear("rents")
    else:
        one.standings.override(first._replace(share=2_500, set_at=1_500.0))
    for each in (one, other, one):
        await each.look()
    assert one.standings.overrides == other.standings.overrides == {"rents": last}
    assert (one.standings.untold, one.standings.cleared) == (set(), {})


async def test_what_a_person_sees_they_can_change(replicas: tuple[Replica, Replica]) -> None:
    """Also where the clock of the replica that set the override is ahead of the one that replaces and ends it."""
    one, other = replicas
    ahead = Override("rents", 0, None, "why", "kim", 1_000.0, None, "ramp")
    one.standings.override(ahead)
    for each in (one, other):
        await each.look()
    other.standings.override(ahead._replace(share=2_500, set_at=990.0))
    for each in (other, one):
        await each.look()
    assert one.standings.overrides["rents"].share == 2_500
    other.standings.clear("rents")
    for each in (other, one):
        await each.look()
    assert one.standings.overrides == {}
    assert other.standings.cleared == {}


async def test_pruning_holds_nothing_up(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take long, and fail: looks go on meanwhile, and closing does not wait for it."""
    now = monotonic()
    monkeypatch.setattr(keeper, "monotonic", lambda: now)
    await replica.keeper._once()
    begun = 0

    async def prune(keep: Keep, _now: float) -> None:
        nonlocal begun
        begun += 1
        await asyncio.Event().wait()

    monkeypatch.setattr(replica.keeper.opened(), "prune", prune)
    for _ in range(2):
        now += 3_700
        await replica.keeper._once()
        await asyncio.sleep(0)
    assert begun == 1
    await replica.keeper.close()
