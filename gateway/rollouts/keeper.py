"""Everything that goes to the store and comes from it, in one place beside the traffic and beside the decisions.

Whatever the store does, nobody here waits for it but this: it is asked again until it answers. What was counted
meanwhile is kept, within bounds; what other replicas changed is taken up within a second.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from gateway.core.policies import Keep
from gateway.core.positions import Position
from gateway.errors import BanyanError, CommandError, StoreUnavailable
from gateway.rollouts.evidence import BEFORE, Stage, StageEvidence
from gateway.rollouts.judging import Judge
from gateway.rollouts.standings import Standings
from gateway.rollouts.telling import Teller
from gateway.store.values import Example, FieldSeen, Flush, StoredPosition, TrafficCount, VerdictCount
from gateway.telemetry.logging import log
from gateway.telemetry.metrics import Traffic

if TYPE_CHECKING:
    from gateway.store.repository import Store

LOOK = 0.5
"""Seconds between looks at what other replicas changed."""
FLUSH = 2.0
PRUNE = 3_600.0
MOST_ROWS = 100_000
"""Rows of counts that are kept while the store cannot be had; beyond them the oldest minutes go."""
Row = tuple[int, str, str, str, int]


class Counts:
    """What was counted and is not in the store yet: traffic and verdicts by minute."""

    def __init__(self) -> None:
        self.traffic: dict[Row, TrafficCount] = {}
        self.verdicts: Counter[tuple[int, str, str]] = Counter()
        self.lost = 0

    def gather(self, traffic: Traffic, now: float) -> None:
        """Take what was counted since the last time; it counts for the minute that `now` is in."""
        minute = int(now // 60) * 60
        for way, tally in traffic.fresh():
            row = (minute, way.route, way.side, way.role, way.status // 100)
            errors = tally.count if way.outcome in ("backend_error", "timeout") else 0
            count = TrafficCount(*row, tally.count, errors, tally.seconds, tuple(tally.buckets))
            old = self.traffic.get(row)
            self.traffic[row] = count if old is None else _added(old, count)
        while len(self.traffic) > MOST_ROWS:
            oldest = min(row[0] for row in self.traffic)
            gone = [row for row in self.traffic if row[0] == oldest]
            self.lost += len(gone)
            for row in gone:
                del self.traffic[row]

    def judged(self, verdicts: Counter[tuple[str, str]], now: float) -> None:
        minute = int(now // 60) * 60
        for (route, verdict), count in verdicts.items():
            self.verdicts[minute, route, verdict] += count


class Keeper:
    """The store, as long as it can be had. `changed` is called when others changed where routes stand.

    `opening` opens it; `available` tells whether it answered last.
    """

    def __init__(
        self,
        opening: "Callable[[], Any]",
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
        self._number = int(time() * 1_000)
        self._flush: Flush | None = None
        self._loaded_fields: set[str] = set()
        self.counts = Counts()
        self.keep = Keep()
        self.store: Store | None = None
        self.available = False
        self.why = "it has not been opened yet"
        self.looked = asyncio.Event()

    async def run(self) -> None:
        """Keep, for as long as this runs. Each part is tried again by itself."""
        flushed = pruned = monotonic()
        while True:
            try:
                await self._open()
                await self._look()
                await self._tell()
                now = monotonic()
                if now - flushed >= FLUSH:
                    flushed = now
                    await self.flush()
                if now - pruned >= PRUNE and self.store is not None:
                    pruned = now
                    await self.store.prune(self.keep, time())
            except StoreUnavailable as error:
                self._lost(str(error))
            else:
                self._had()
            await asyncio.sleep(LOOK)

    async def close(self) -> None:
        """Put away what there is, if the store takes it now."""
        if self.store is None:
            return
        try:
            await self._tell()
            await self.flush()
        except StoreUnavailable as error:
            log().warning("counts_lost", why=str(error))
        await self.store.close()

    async def _open(self) -> None:
        if self.store is None:
            self.store = await self._opening()

    def _lost(self, why: str) -> None:
        self.why = why
        self.looked.set()
        if self.available or self._seen < 0:
            self._seen = max(self._seen, 0)
            self._teller.tell("store_unavailable", why=why)
        self.available = False
        self.counts.gather(self._traffic, time())

    def _had(self) -> None:
        if not self.available and self.why and self._teller.untold:
            pass
        if not self.available and self._flush is not None:
            pass
        self.available, self.why = True, ""
        self.looked.set()

    # -------------------------------------------------------------------------------------------- from the store

    async def _look(self) -> None:
        assert self.store is not None
        changes = await self.store.changes()
        if changes != self._seen or self._standings.untold:
            positions = [Position.from_plain(each.document) for each in await self.store.positions()]
            if self._standings.merge(positions, await self.store.overrides()):
                self._changed()
            self._seen = changes
        for stage in self._evidence.stages():
            await self.take(stage, own=False)

    async def take(self, stage: Stage, *, own: bool) -> None:
        """Take up what the store has of a ramp's stage."""
        if self.store is not None:
            journey, at = stage.position.journey, stage.position
            present = await self.store.evidence(journey, stage.generation, at.stage)
            before = await self.store.evidence(journey, at.settings, BEFORE)
            self._evidence.take(stage, present, before, own=own)

    # -------------------------------------------------------------------------------------------- to the store

    async def step(self, position: Position, sequence_before: int) -> bool:
        """Have the store take a ramp's step, before anything else does; False when another replica stepped first.

        Raises StoreUnavailable.
        """
        if self.store is None:
            raise StoreUnavailable(self.why)
        return await self.store.put_position(position.journey, sequence_before, position.to_plain())

    async def _tell(self) -> None:
        """Tell the store what was changed and told without it."""
        store, standings = self.store, self._standings
        assert store is not None
        for kind, name in sorted(standings.untold):
            if kind == "position":
                position = standings.positions[name]
                if await self._put(position):
                    standings.told(kind, name)
            elif name in standings.overrides:
                await store.set_override(standings.overrides[name])
                standings.told(kind, name)
            else:
                await store.clear_override(name)
                standings.told(kind, name)
        while self._teller.untold:
            event = self._teller.untold[0]
            await store.add_event(event, self._teller.webhooks.urls(event.kind))
            if self._teller.untold and self._teller.untold[0] is event:
                self._teller.untold.popleft()

    async def _put(self, position: Position) -> bool:
        """Whether the store has this position now, or one that comes after it."""
        assert self.store is not None
        stored = {each.journey: each for each in await self.store.positions()}.get(position.journey)
        before = stored.sequence if stored is not None else 0
        if before >= position.sequence:
            return self._standings.positions[position.journey] != position
        return await self.store.put_position(position.journey, before, position.to_plain())

    async def flush(self) -> None:
        """Put the counts into the store. One that failed is sent again as it was: it may have been taken."""
        assert self.store is not None
        self.counts.gather(self._traffic, time())
        if self._flush is None:
            self._flush = self._counted()
        await self.store.flush(self._flush)
        self._flush = None
        await self.store.put_evidence(self._replica, time(), self._evidence.to_store())

    def _counted(self) -> Flush:
        counts, self.counts = self.counts, Counts()
        self._number += 1
        fields = [
            FieldSeen(route, "".join(f"/{token}" for token in field), kind, *seen.count, seen.first, seen.last)
            for route, known in self._judge.fields.items()
            for (field, kind), seen in known.fresh.items()
        ]
        for known in self._judge.fields.values():
            known.fresh = {}
        examples, self._judge.examples = self._judge.examples, []
        return Flush(
            self._replica,
            self._number,
            time(),
            list(counts.traffic.values()),
            [VerdictCount(*key, count) for key, count in counts.verdicts.items()],
            fields,
            [Example(route, each.field, each.kind, at, each.plain()) for route, at, each in examples],
            self.keep.examples,
        )


def _added(one: TrafficCount, other: TrafficCount) -> TrafficCount:
    latencies = tuple(mine + theirs for mine, theirs in zip(one.latencies, other.latencies, strict=True))
    return one._replace(
        requests=one.requests + other.requests,
        errors=one.errors + other.errors,
        seconds=one.seconds + other.seconds,
        latencies=latencies,
    )


def replica_of(folder: Path) -> str:
    """This gateway's name in the store: its data folder's, for as long as that exists."""
    path = folder / "replica"
    try:
        name = path.read_text().strip()
    except FileNotFoundError:
        name = ""
    if not name:
        name = token_hex(8)
        path.write_text(name + "\n")
    return name


__all__ = ["BanyanError", "CommandError", "Counts", "Keeper", "StoredPosition", "replica_of"]
