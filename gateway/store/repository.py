"""The store, as the rest of the control process sees it: what may be asked of it, and one door for what goes wrong.

Each call is one transaction with a deadline, after which the caller goes on, whatever the database does. What is done
inside stands in `counting`, `steering`, `events` and `keeping`, as plain functions of a connection.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.core.access import Session, Token
from gateway.core.auditing import Act, Head, Record
from gateway.core.crosswalk import Pair
from gateway.core.discovering import Endpoint
from gateway.core.events import Event
from gateway.core.policies import Keep
from gateway.core.sharing import Wanted
from gateway.core.writing import Ending, Intent, Kept, Receipt, Signal, State
from gateway.errors import CommandError, StoreUnavailable
from gateway.store import (
    access,
    claims,
    counting,
    events,
    history,
    keeping,
    migrating,
    pairs,
    sharing,
    steering,
    writes,
)
from gateway.store.addresses import Address, address_of
from gateway.store.engines import open_engine, unavailable
from gateway.store.values import (
    Calls,
    Configuration,
    Delivery,
    Document,
    Example,
    FieldSeen,
    Flush,
    Override,
    Replica,
    StageKey,
    StoredEvidence,
    StoredPosition,
    Told,
    Total,
    TrafficCount,
    VerdictCount,
)

P = ParamSpec("P")
T = TypeVar("T")

DEADLINE = 5.0
MIGRATING = 60.0
"""Seconds that a migration may take, and the wait for another gateway's."""


class Store:
    """Everything kept. Each call raises StoreUnavailable when the database does not do it within `deadline` seconds.

    What a call was to write may be written all the same: a flush can be sent again, a step of a ramp finds out by
    reading the positions.
    """

    def __init__(self, address: Address, deadline: float = DEADLINE) -> None:
        self.name = address.name
        self._address = address
        self._deadline = deadline
        self._engine = open_engine(address, deadline)
        self._under_way: set[asyncio.Task[Any]] = set()

    @classmethod
    async def open(cls, url: str | None, data: Path, *, upgrade: bool, deadline: float = DEADLINE) -> "Store":
        """The store at a URL (None: a file in the data folder), its schema brought up to date or found to be.

        Raises CommandError for a URL that is none, and for a schema of another version.
        """
        store = cls(address_of(url, data), deadline)
        try:
            await store.check(upgrade=upgrade)
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """Close the connections, after what is under way; one that hangs is left to itself."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=self._deadline)
        await self._in_time(self._engine.reading.dispose())

    # ------------------------------------------------------------------------------------------ the schema

    async def revision(self) -> str | None:
        """The version of the schema that is there; None in an empty database."""
        return await self._read(migrating.revision_of)

    async def upgrade(self) -> str | None:
        """Bring the schema up to date; the version that was there. Others that do the same are waited for."""
        patient = Store(self._address, MIGRATING)
        try:
            return await patient._write(migrating.upgrade)
        finally:
            await patient.close()

    async def check(self, *, upgrade: bool) -> None:
        """See that the schema is this program's, having brought it up to date if `upgrade`. Raises CommandError."""
        revision = await self.revision()
        if upgrade and migrating.standing_of(revision) == "behind":
            await self.upgrade()
            return
        if problem := migrating.problem_of(revision, self.name):
            raise CommandError(problem)

    # ------------------------------------------------------------------------------------------ counts

    async def flush(self, counts: Flush) -> bool:
        """Add what a replica has counted; False when this flush had been counted before."""
        return await self._write(counting.flush, counts)

    async def traffic(
        self, begin: float, end: float, *, route: str | None = None, step: int | None = None
    ) -> list[TrafficCount]:
        """Traffic of `begin <= minute < end`, added up over `step` seconds (None: over all of the time)."""
        return await self._read(counting.read_traffic, begin, end, route, step)

    async def verdicts(
        self, begin: float, end: float, *, route: str | None = None, step: int | None = None
    ) -> list[VerdictCount]:
        """Verdicts of `begin <= minute < end`, added up over `step` seconds (None: over all of the time)."""
        return await self._read(counting.read_verdicts, begin, end, route, step)

    async def fields(self, route: str, *, since: float = 0) -> list[FieldSeen]:
        """Fields of a route that differed at `since` or later, those that did most often first."""
        return await self._read(counting.read_fields, route, since)

    async def examples(self, route: str, *, field: str | None = None) -> list[Example]:
        """Examples of what differed, the latest first."""
        return await self._read(counting.read_examples, route, field)

    async def replicas(self, *, since: float = 0) -> list[Replica]:
        """The gateways that have flushed something at `since` or later."""
        return await self._read(counting.read_replicas, since)

    # ------------------------------------------------------------------------------------------ ramps, overrides

    async def changes(self) -> int:
        """How often positions and overrides were changed so far: cheap to ask, twice a second."""
        return await self._read(steering.changes)

    def written(self) -> object:
        """What the latest write looks like from outside, so that nobody asks after changes where nothing was written.

        None where that cannot be told: then it may have been written a moment ago.
        """
        return self._engine.written()

    async def positions(self) -> list[StoredPosition]:
        """Where each ramp stands."""
        return await self._read(steering.read_positions)

    async def put_position(
        self, journey: str, sequence_before: int, document: Document, told: Told | None = None, *, steps: int = 1
    ) -> bool:
        """Take a ramp's next step, from where it stood after `sequence_before` steps (0: it begins).

        `steps` is more than one where several were taken without the store. True when it was taken now, and by this
        call: what is told of it is noted with it. False when the ramp stands elsewhere.
        """
        return await self._write(steering.put_position, journey, sequence_before, document, told, steps)

    async def evidence(self, stages: Iterable[StageKey]) -> dict[StageKey, dict[str, Document]]:
        """What each replica has seen in stages of ramps; a stage in which nobody has seen anything is left out."""
        return await self._read(steering.read_evidence, list(stages))

    async def put_evidence(self, replica: str, at: float, seen: Sequence[StoredEvidence]) -> None:
        """Put all that a replica has seen so far in the place of what it had said before."""
        await self._write(steering.put_evidence, replica, at, seen)

    async def overrides(self) -> list[Override]:
        """All overrides, also those whose time is over and that nobody has cleared yet."""
        return await self._read(steering.read_overrides)

    async def set_override(self, override: Override, told: Told | None = None) -> None:
        """Set a route's override, in the place of one that it has."""
        await self._write(steering.set_override, override, told)

    async def clear_override(self, route: str, *, set_at: float | None = None, told: Told | None = None) -> bool:
        """End a route's override; with `set_at`, only the one set then. True, and `told` noted, if there was one."""
        return await self._write(steering.clear_override, route, set_at, told)

    # ------------------------------------------------------------------------------------------ events

    async def add_event(self, event: Event, webhooks: Iterable[str] = ()) -> None:
        """Note an event, and that these webhooks are to be sent it. Told again, it is there once.

        Whoever told it sends it at once: `take_deliveries` gives it to nobody within LEASE seconds of the event.
        """
        await self._write(events.add_event, Told(event, tuple(webhooks)))

    async def events(
        self, limit: int = 50, *, before: str | None = None, route: str | None = None, journey: str | None = None
    ) -> list[Event]:
        """The latest events first; `before` an event's id, to go on from there."""
        return await self._read(events.read_events, limit, before, route, journey)

    async def take_deliveries(self, webhook: str, now: float, lease: float, limit: int) -> list[Delivery]:
        """What is to be sent to a webhook by now, the oldest first. Nobody else is given it within `lease` seconds."""
        return await self._write(events.take_deliveries, webhook, now, lease, limit)

    async def delivered(self, event_id: str, webhook: str) -> None:
        """A webhook has taken an event, which may be noted later than this."""
        await self._write(events.delivered, event_id, webhook)

    async def delivery_failed(
        self, event_id: str, webhook: str, attempts: int, next_try: float | None, why: str
    ) -> None:
        """So many attempts failed. From `next_try` on it may be taken again (None: never)."""
        await self._write(events.delivery_failed, event_id, webhook, attempts, next_try, why)

    # ------------------------------------------------------------------------------------------ who may, and did

    async def tokens(self) -> list[Token]:
        """All tokens, also those that have ended."""
        return await self._read(access.read_tokens)

    async def add_token(self, token: Token) -> None:
        await self._write(access.add_token, token)

    async def end_token(self, token_id: str, at: float) -> bool:
        """Revoke a token, and end the sessions begun with it; False where there is none to be revoked."""
        return await self._write(access.end_token, token_id, at)

    async def sessions(self, now: float) -> list[Session]:
        """Browsers that are signed in."""
        return await self._read(access.read_sessions, now)

    async def add_session(self, session: Session) -> None:
        """Keep a session that has begun; told again, it is there once."""
        await self._write(access.add_session, session)

    async def use_session(self, session_id: str, at: float) -> None:
        """Note that a session was used, if nobody has ended it."""
        await self._write(access.use_session, session_id, at)

    async def end_session(self, session_id: str, now: float) -> None:
        await self._write(access.end_session, session_id, now)

    async def add_acts(self, acts: Sequence[Act]) -> Head:
        """Put what people did at the end of the audit, each act once; where it ends now."""
        return await self._write(access.add_acts, acts)

    async def audit(self, after: int | None, most: int) -> list[Record]:
        """The audit's records after a number, in order; with None from the very first."""
        return await self._read(access.read_records, after, most)

    async def latest_acts(self, most: int, *, before: int | None = None, subject: str | None = None) -> list[Record]:
        """The audit's records, the latest first."""
        return await self._read(access.latest_records, most, before, subject)

    # ------------------------------------------------------------------------------------------ the ledger

    async def add_configuration(self, told: Configuration, act: Act | None = None) -> bool:
        """Note what serves now, and who brought it where the audit does not know; False where it was the last noted."""
        return await self._write(history.add_configuration, told, act)

    async def configurations(self, most: int, *, before: int | None = None) -> list[Configuration]:
        """What served, the latest first, without the files."""
        return await self._read(history.read_configurations, most, before)

    async def configuration(self, number: int) -> Configuration | None:
        """One of them, with its files."""
        return await self._read(history.read_configuration, number)

    async def totals(self, begin: float, end: float, step: int) -> list[Total]:
        """What either side answered clients, all routes together, added up over `step` seconds."""
        return await self._read(history.read_totals, begin, end, step)

    async def add_endpoints(self, route: str, seen: Sequence[Endpoint]) -> None:
        """Add what a catch-all route was asked for to what it was before."""
        await self._write(history.add_endpoints, route, seen)

    async def endpoints(self) -> dict[str, list[Endpoint]]:
        """What catch-all routes were asked for, by route."""
        return await self._read(history.read_endpoints)

    async def calls(self) -> list[Calls]:
        """All that backends were asked for, and when last."""
        return await self._read(history.read_calls)

    # ------------------------------------------------------------------------------------------ claims

    async def claim_day(self, what: str, day: int) -> bool:
        """Take on what is done once a day, by one replica; False when that day was taken.

        What nobody has heard of yet begins with the next day.
        """
        return await self._write(claims.claim, f"daily {what}", day)

    # ------------------------------------------------------------------------------------------ shares

    async def renew_share(self, replica: str, parts: int, lasts: float) -> Wanted:
        """Tell that a gateway is there and uses one of so many parts of what backends can bear; what it may use now."""
        return await self._write(sharing.renew, replica, parts, lasts)

    async def leave_share(self, replica: str) -> None:
        """A gateway uses no part any more."""
        await self._write(sharing.leave, replica)

    # ------------------------------------------------------------------------------------------ writes

    async def store_writes(
        self, asked: Sequence[Intent | Ending | Receipt], owner: str, now: float
    ) -> list[writes.Answer]:
        """Store intents, and what came of them, all at once; an answer for each (see `writes.begin`)."""
        return await self._write(writes.store, asked, owner, now)

    async def turn_writes(
        self, tried: Iterable[writes.Tried], owner: str, now: float, most: int, known: Sequence[str] | None = None
    ) -> list[writes.Owed]:
        """Note what tries to deliver writes came to, and take so many more that are due, in the order of their lanes;
        nobody else is given them. `known` are those that the owner knows to have, where it may have been given more."""
        return await self._write(writes.turn, list(tried), owner, now, most, known)

    async def count_open_writes(self, routes: Sequence[str]) -> int:
        """How many writes of these routes are not done."""
        return await self._read(writes.count_open, routes)

    async def settled(self, within: float) -> None:
        """Wait until nothing is under way that nobody waits for any more: what was given up may still be done."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within)

    async def pairs(self, after: int, most: int) -> list[tuple[int, Pair]]:
        """Identifiers of one thing on both sides, with their numbers, in order."""
        return await self._read(pairs.read, after, most)

    async def orphaned_writes(self, alive: Iterable[str], replica: str, now: float) -> int:
        """Take care of the writes that were with a process which is no more; how many are unresolved by that."""
        return await self._write(writes.orphaned, alive, replica, now)

    async def find_write(self, write_id: str) -> tuple[writes.Standing, Kept | None] | None:
        """Where a write stands, and what it sends."""
        return await self._read(writes.find, write_id)

    async def list_writes(
        self, states: Sequence[State], *, route: str | None = None, limit: int = 50, after: int = 0
    ) -> list[tuple[int, writes.Standing]]:
        """Writes in these states, the oldest first, each with its number."""
        return await self._read(writes.listed, states, route, limit, after)

    async def count_writes(
        self, states: Sequence[State] = tuple(State)
    ) -> dict[tuple[str, str, str], tuple[int, float]]:
        """How many writes there are of each route, kind and state of these, and when the oldest came. Those that are
        done are kept for days: who asks often asks for the others alone."""
        return await self._read(writes.counted, states)

    async def steer_write(self, write_id: str, signal: Signal, why: str, until: float | None, now: float) -> bool:
        """Have a write delivered (again) or dropped; False where it is in no state for that."""
        return await self._write(writes.steer, write_id, signal, why, until, now)

    # ------------------------------------------------------------------------------------------ keeping

    async def prune(self, keep: Keep, now: float) -> None:
        """Join old minutes into hours and drop what is too old. It may take long; others get their turns."""
        while await self._write(keeping.prune_step, keep, now):
            pass

    # ------------------------------------------------------------------------------------------ the door

    async def _read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._in_time(_transact(self._engine.reading, work, *args, **kwargs))

    async def _write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._in_time(_transact(self._engine.writing, work, *args, **kwargs))

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """Await something for `deadline` seconds, and then go on without it.

        It is not cancelled: that would leave a transaction open. The databases' own timeouts end it.
        """
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        await asyncio.wait({task}, timeout=self._deadline)
        if not task.done():
            raise StoreUnavailable(
                f"The store ({self.name}) did not answer within {self._deadline:g} s. Is it overloaded, or gone?"
            )
        try:
            return task.result()
        except self._engine.foreign as error:
            raise unavailable(self._address, error) from error

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Hear what became of something, whether anybody still waits for it or not."""
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()


async def _transact(
    engine: AsyncEngine, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    async with engine.begin() as connection:
        return await connection.run_sync(work, *args, **kwargs)
