"""Everything that goes to the store and comes from it, in one place, beside the traffic and beside the decisions.

Whatever the store does, only this waits for it, and asks again until it answers. What was counted meanwhile is kept,
within bounds; what other replicas changed is taken up within a second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from secrets import token_hex
from time import monotonic, time
from typing import TYPE_CHECKING, cast

from gateway.core.comparing.differences import Kind as FieldDiffers
from gateway.core.comparing.noise import FieldCount
from gateway.core.comparing.values import pointer_of
from gateway.core.events import Event
from gateway.core.policies import Keep
from gateway.core.positions import Position
from gateway.errors import CommandError, StoreUnavailable
from gateway.rollouts.counts import Counts
from gateway.rollouts.evidence import BEFORE, Stage, StageEvidence
from gateway.rollouts.judging import Judge
from gateway.rollouts.standings import Standings
from gateway.rollouts.telling import Teller
from gateway.store.values import Flush, StageKey, StoredEvidence, Told
from gateway.telemetry.logging import log
from gateway.telemetry.metrics import Traffic

if TYPE_CHECKING:
    from gateway.store.repository import Store

LOOK = 0.5
"""Seconds between looks at what other replicas changed."""
LOOK_ANYWAY = 5.0
"""Seconds after which the store is asked even where nothing has been written: whether it answers counts as well."""
FLUSH = 10.0
"""Seconds from one flush to the next; they fall on the clock's tens, so that counts are those of their minute."""
PRUNE = 3_600.0
Opening = Callable[[], Awaitable["Store"]]


class Keeper:
    """The store, as long as it can be had. `changed` is called when other replicas changed or saw something.

    `available` tells whether it answered last, `why` it did not; `looked` is set once it has been asked for the first
    time, whatever it said. While `flushing` is locked, what was counted is on its way from here to there.
    """

    def __init__(
        self,
        opening: Opening,
        replica: str,
        standings: Standings,
        evidence: StageEvidence,
        judge: Judge,
        traffic: Traffic,
        teller: Teller,
        changed: Callable[[], None],
    ) -> None:
        self._opening = opening
        self._replica = replica
        self._standings = standings
        self._evidence = evidence
        self._judge = judge
        self._traffic = traffic
        self._teller = teller
        self._changed = changed
        self._seen = -1
        self._written: object = None
        self._number = int(time() * 1_000)  # above those of every earlier process of this replica
        self._flush: Flush | None = None
        self._shared: list[StoredEvidence] = []
        self._unread: set[str] = set()
        self._last = {"look": monotonic(), "prune": monotonic()}
        self._turn = int(time() // FLUSH)
        self._pruning: asyncio.Task[None] | None = None
        self.flushing = asyncio.Lock()
        self.counts = Counts()
        self.keep = Keep()
        self.store: Store | None = None
        self.available = False
        self.why = "it has not been opened yet."
        self.looked = asyncio.Event()

    async def run(self) -> None:
        """Keep, for as long as this runs."""
        while True:
            try:
                await self._once()
            except (StoreUnavailable, CommandError) as error:
                self._lost(str(error))
            except Exception as error:  # noqa: BLE001 - a defect here must not end the gateway, which serves without it
                if self.available or not self.looked.is_set():
                    log().exception("keeper_failed")
                self._lost(f"Keeping failed ({type(error).__name__}); the log has more.")
            else:
                self._had()
            self.looked.set()
            await asyncio.sleep(LOOK)

    async def _once(self) -> None:
        if self.store is None:
            self.store = await self._opening()
        await self._look(self.store)
        await self._share(self.store)
        await self._read(self.store)
        await self._tell(self.store)
        if (turn := int(time() // FLUSH)) != self._turn:
            self._turn = turn
            await self.flush(self.store)
        if self._is_due("prune", PRUNE) and (self._pruning is None or self._pruning.done()):
            self._pruning = asyncio.get_running_loop().create_task(self._prune(self.store))

    async def _prune(self, store: "Store") -> None:
        """Drop what is too old, beside everything else: after a while without it, that may take its time."""
        try:
            await store.prune(self.keep, time())
        except StoreUnavailable as error:
            log().warning("store_not_pruned", why=str(error))

    def _is_due(self, what: str, every: float) -> bool:
        if monotonic() - self._last[what] < every:
            return False
        self._last[what] = monotonic()
        return True

    def _lost(self, why: str) -> None:
        if self.available or not self.looked.is_set():
            self._teller.tell("store_unavailable", why=why)
        self.available, self.why = False, why
        self.counts.gather(self._traffic, time())

    def _had(self) -> None:
        if not self.available and self.looked.is_set():
            self._teller.tell("store_recovered", why="the store answers again")
        self.available, self.why = True, ""

    def opened(self) -> "Store":
        """The store, to be asked. Raises StoreUnavailable while it has not been opened."""
        if self.store is None:
            raise StoreUnavailable(f"The store cannot be had: {self.why}")
        return self.store

    async def close(self) -> None:
        """Put away what there is, if the store takes it now."""
        if self._pruning is not None:
            self._pruning.cancel()
            await asyncio.gather(self._pruning, return_exceptions=True)
        if self.store is not None:
            try:
                await self._share(self.store)
                await self._tell(self.store)
                await self.flush(self.store)
            except StoreUnavailable as error:
                self._lost(str(error))
            await self.store.close()

    # -------------------------------------------------------------------------------------------- from the store

    def read(self, routes: Iterable[str]) -> None:
        """What is known of the fields of these routes is to be read."""
        self._unread |= set(routes)

    async def _look(self, store: "Store") -> None:
        """Take up what others changed. A store that nobody has written to since the last look need not be asked."""
        written = store.written()
        known = written is not None and written == self._written and self._seen >= 0 and self.available
        if known and not self._is_due("look", LOOK_ANYWAY):
            return
        changes = await store.changes()
        if changes != self._seen:
            await self._take_up(store, changes)
        self._written = written

    async def _take_up(self, store: "Store", changes: int) -> None:
        positions = [Position.from_plain(each.document) for each in await store.positions()]
        if self._standings.merge(positions, await store.overrides()):
            self._changed()
        self._seen = changes
        known = {each.journey: each.sequence for each in positions}
        for position in list(self._standings.positions.values()):
            if known.get(position.journey, 0) < position.sequence:
                await self._put(store, position)  # another store than it was, or one that a backup was put back into

    async def _read(self, store: "Store") -> None:
        stages = [(stage, _keys(stage)) for stage in self._evidence.stages()]
        seen = await store.evidence(key for _, keys in stages for key in keys) if stages else {}
        for stage, (present, before) in stages:
            if self._evidence.take(stage, seen.get(present, {}), seen.get(before, {})):
                self._changed()
        for route in sorted(self._unread):
            found = await store.fields(route)
            keys = [(pointer_of(each.field), cast(FieldDiffers, each.kind)) for each in found]
            counts = [FieldCount(each.differs, each.odd_candidate, each.odd_control, each.all_differ) for each in found]
            self._judge.of(route).know(zip(keys, counts, strict=True))
            self._unread.discard(route)

    # -------------------------------------------------------------------------------------------- to the store

    async def step(self, position: Position, sequence_before: int, event: Event) -> bool:
        """Have the store take a ramp's step, before anything else does; False when another replica stepped first.

        Raises StoreUnavailable.
        """
        told = self._told(event)
        return await self.opened().put_position(position.journey, sequence_before, position.to_plain(), told)

    def _told(self, event: Event) -> Told:
        return Told(event, self._teller.webhooks_of(event))

    async def _tell(self, store: "Store") -> None:
        """Tell the store what was changed and told without it."""
        standings = self._standings
        for kind, name in sorted(standings.untold):
            if kind == "position":
                await self._put(store, standings.positions[name])
                continue
            await self._put_override(store, name)
        while self._teller.untold:
            event = self._teller.untold[0]
            await store.add_event(*self._told(event))
            self._teller.stored(event)

    async def _put(self, store: "Store", position: Position) -> None:
        """Have the store know where a ramp stands, unless it knows better."""
        stored = {each.journey: each.sequence for each in await store.positions()}.get(position.journey, 0)
        steps = position.sequence - stored
        if steps > 0 and await store.put_position(position.journey, stored, position.to_plain(), steps=steps):
            if self._standings.positions.get(position.journey) is position:
                self._standings.untold.discard(("position", position.journey))
        else:
            self._seen = -1  # look again: somebody else has stepped

    async def _put_override(self, store: "Store", name: str) -> None:
        """Have the store know of a route's override, or of its end, unless another replica has set one later."""
        standings = self._standings
        ours = standings.overrides.get(name)
        theirs = next((each for each in await store.overrides() if each.route == name), None)
        if theirs is not None and theirs.set_at > (ours.set_at if ours is not None else standings.cleared[name]):
            self._seen = -1  # look again, and take it up
        elif ours is not None:
            await store.set_override(ours)
        elif theirs is not None:
            await store.clear_override(name, set_at=theirs.set_at)
        if standings.overrides.get(name) is ours:
            standings.told("override", name)

    async def _share(self, store: "Store") -> None:
        """Have other replicas know what was seen here: together they may have seen enough to go back at once."""
        seen = self._evidence.to_store()
        if seen != self._shared:
            await store.put_evidence(self._replica, time(), seen)
            self._shared = seen

    async def flush(self, store: "Store") -> None:
        """Put the counts into the store. A flush that failed is sent again as it was: it may have been taken."""
        async with self.flushing:
            self.counts.gather(self._traffic, time() - LOOK)  # a turn may have begun so long ago
            if self._flush is None:
                counts, self.counts = self.counts, Counts()
                self._number += 1
                self._flush = counts.flush(self._replica, self._number, self._judge, self.keep)
            await store.flush(self._flush)
            self._flush = None


def replica_of(folder: Path) -> str:
    """This gateway's name in the store: its data folder's, for as long as that exists."""
    path = folder / "replica"
    try:
        name = path.read_text().strip()
    except FileNotFoundError:
        name = ""
    if not name:
        name = token_hex(8)
        path.write_text(f"{name}\n")
    return name


def _keys(stage: Stage) -> tuple[StageKey, StageKey]:
    """By which the store knows what was seen in a stage, and before it."""
    at = stage.position
    return (at.journey, stage.generation, at.stage), (at.journey, at.settings, BEFORE)
