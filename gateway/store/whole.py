"""The store as a whole: saved to a file, filled from one, taken back to an earlier schema.

Saving reads one moment while gateways go on. Whatever changes the whole has the store alone, and is one transaction:
all of it or nothing. None of this has a deadline but for single statements; a store may be large.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import time
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import Connection, func, select, update

from gateway.core.writing import OPEN, State
from gateway.errors import CommandError
from gateway.store import migrating, sharing, transfer
from gateway.store.addresses import Address
from gateway.store.backups import Contents, Told, Writing
from gateway.store.engines import Engine, open_engine, unavailable
from gateway.store.reading import Reading
from gateway.store.shapes import lost_between, shape_of
from gateway.store.tables import writes

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 5.0
"""Seconds to wait for a connection, or for a lock that somebody holds."""
LONGEST = 3_600.0
"""Seconds that one statement may take."""
GONE = 60.0
"""Seconds after which a gateway that has not used the store is held to be gone: it does so at least every ten."""
HELD = "restored from a backup; it may have been delivered since"


class Filled(NamedTuple):
    """What a store has become: the schema that the backup brought, and the writes that are owed in it (`held`: none is
    delivered before a person says so)."""

    schema: str
    owed: int
    held: bool


class Loss(NamedTuple):
    """What an earlier schema has no place for: tables and how many rows they have, and columns with their tables."""

    tables: dict[str, int]
    columns: tuple[tuple[str, str], ...]


class Whole:
    """The store at an address, for whoever handles all of it. Every call raises StoreUnavailable and CommandError."""

    def __init__(self, address: Address) -> None:
        self.name = address.name
        self._address = address

    async def save(self, backup: Writing, told: Told) -> str:
        """Put everything there is at one moment into a backup; the version of the schema. Gateways go on meanwhile."""
        async with self._door() as engine, engine.reading.connect() as connection:
            await connection.run_sync(migrating.still)
            await connection.commit()  # a moment that begins now is not before a migration that was waited for
            if connection.dialect.name == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ")
            async with connection.begin():
                return await connection.run_sync(self._save, backup, told)

    async def look(self, contents: Contents, *, replace: bool) -> bool:
        """Whether there is anything in the store, having seen that the backup could be loaded now."""
        return await self._alone(self._look, contents, replace)

    async def load(self, backup: Reading, contents: Contents, told: Told, *, replace: bool, hold: bool) -> Filled:
        """Have in the store what is in a backup, and nothing else. With `replace`, whatever was there goes.

        `hold`: writes that are owed wait for a person.
        """
        return await self._alone(self._load, backup, contents, told, replace, hold)

    async def loss(self, revision: str) -> Loss:
        """What would be lost by going back to a version."""
        async with self._door() as engine, engine.reading.begin() as connection:
            return await connection.run_sync(self._loss, revision)

    async def lower(self, revision: str) -> Loss:
        """Go back to an earlier version of the schema; what was lost by it."""
        return await self._alone(self._lower, revision)

    # ------------------------------------------------------------------------------------------ inside a transaction

    def _save(self, connection: Connection, backup: Writing, told: Told) -> str:
        self._known(migrating.revision_of(connection))
        return transfer.save(connection, backup, told)

    def _look(self, connection: Connection, contents: Contents, replace: bool) -> bool:
        transfer.must_fit(contents)
        revision = migrating.revision_of(connection)
        filled = revision is not None and not transfer.is_empty(connection, shape_of(self._known(revision)))
        if filled and not replace:
            raise CommandError(f"The store ({self.name}) is not empty. Name another, or replace all of it: --replace")
        return filled

    def _load(
        self,
        connection: Connection,
        backup: Reading,
        contents: Contents,
        told: Told,
        replace: bool,
        hold: bool,
    ) -> Filled:
        self._look(connection, contents, replace)
        if migrating.revision_of(connection) is not None:
            migrating.move(connection, "base")
        migrating.move(connection, contents.head.schema)
        transfer.load(connection, backup, contents, told)
        migrating.upgrade(connection)
        return Filled(contents.head.schema, _owed(connection, hold=hold), hold)

    def _loss(self, connection: Connection, revision: str) -> Loss:
        before = self._known(migrating.revision_of(connection))
        earlier = migrating.earlier_than(before)
        if revision not in earlier:
            there = f"earlier ones are {', '.join(earlier)}" if earlier else "it is the first"
            raise CommandError(f"The store ({self.name}) has schema {before}; {there}.")
        tables, columns = lost_between(shape_of(before), shape_of(revision))
        return Loss({name: transfer.count(connection, name) for name in tables}, tuple(columns))

    def _lower(self, connection: Connection, revision: str) -> Loss:
        loss = self._loss(connection, revision)
        migrating.move(connection, revision)
        return loss

    def _known(self, revision: str | None) -> str:
        """The version of the schema that is there. Raises CommandError for none, and for one of a newer program."""
        if revision is None or migrating.standing_of(revision) == "ahead":
            raise CommandError(migrating.problem_of(revision, self.name))
        return revision

    # ------------------------------------------------------------------------------------------ the door

    async def _alone(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something in a transaction, while nobody else uses the store."""

        def alone(connection: Connection) -> T:
            migrating.alone(connection)
            if connection.dialect.name == "postgresql":  # a file that somebody else has open cannot be had at all
                self._unused(connection)
            return work(connection, *args, **kwargs)

        async with self._door(alone=True) as engine, engine.writing.begin() as connection:
            return await connection.run_sync(alone)

    def _unused(self, connection: Connection) -> None:
        if seen := sharing.seen(connection, GONE):
            who = ", ".join(f"{replica} ({ago:.0f} s ago)" for replica, ago in sorted(seen.items()))
            raise CommandError(
                f"The store ({self.name}) is in use by {who}. Stop every gateway on it, and try "
                f"again {GONE:.0f} s after the last has used it."
            )

    @asynccontextmanager
    async def _door(self, *, alone: bool = False) -> AsyncIterator[Engine]:
        engine = open_engine(self._address, LONGEST, patience=PATIENCE, alone=alone)
        try:
            yield engine
        except engine.foreign as error:
            raise unavailable(self._address, error) from error
        finally:
            await engine.reading.dispose()


def _owed(connection: Connection, *, hold: bool) -> int:
    """How many writes are owed to somebody; if they are to be held, having left them to a person."""
    if hold:
        waits = writes.c.state.in_((State.PENDING, State.READY, State.DELIVERING))
        held = {"state": State.UNRESOLVED.value, "owner": "", "changed": time(), "why": HELD}
        connection.execute(update(writes).where(waits).values(**held))
    return connection.execute(select(func.count()).select_from(writes).where(writes.c.state.in_(OPEN))).scalar_one()
