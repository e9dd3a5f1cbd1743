"""What replicas know of one another through the store, and what it is told once it is there again."""

from collections.abc import AsyncIterator
from pathlib import Path
from time import time

import pytest

from gateway.config.check import load
from gateway.core.positions import Position, State, begun
from gateway.rollouts.asking import Asking
from gateway.rollouts.deliveries import Unstored
from gateway.rollouts.evidence import StageEvidence
from gateway.rollouts.judging import Judge
from gateway.rollouts.keeper import Keeper
from gateway.rollouts.standings import Standings, ramps_of
from gateway.rollouts.telling import Teller
from gateway.rollouts.webhooks import Webhooks
from gateway.store.repository import Store
from gateway.store.values import Override
from gateway.telemetry.metrics import Traffic
from tests.support.databases import Place

ROUTES = """\
version: 1
backends: {office: {url: "http://127.0.0.1:9001"}, repairs: {url: "http://127.0.0.1:9002"}}
routes:
  - {name: rents, match: GET /rents, legacy: office, new: repairs, serve: ramp, shadow: 100%}
"""


class Replica:
    """A keeper with what it keeps, which looks at the store when it is told to. `nudged` counts what is new."""

    def __init__(self, name: str, place: Place, folder: Path, webhooks: Webhooks) -> None:
        self.place = place
        self.nudged = 0
        self.standings = Standings(folder)
        self.evidence = StageEvidence(name)
        self.teller = Teller(webhooks, self.standings.events)
        judge = Judge(b"", lambda found: None, Asking(lambda *question: False))
        self.keeper = Keeper(
            self._opened, name, self.standings, self.evidence, judge, Traffic(), self.teller, self._nudged
        )
        (folder / "routes.yaml").write_text(ROUTES)
        self.ramp = next(ramps_of(load(folder / "routes.yaml", {}).estate))

    async def _opened(self) -> Store:
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
