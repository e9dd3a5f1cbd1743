"""What is old is joined into hours, and what is too old goes: in small steps, each a short transaction of its own.

For FINE seconds counts stand minute by minute. After that an hour's rows of the same key become one, at the beginning
of the hour; a mark tells how far that was done.
"""

from sqlalchemy import Connection, Table, delete, func, select, update

from gateway.core.policies import Keep
from gateway.core.writing import OPEN
from gateway.store.counting import KEYS, summed
from gateway.store.statements import adding, marked
from gateway.store.tables import (
    deliveries,
    endpoints,
    events,
    evidence,
    examples,
    fields,
    idempotency,
    marks,
    replicas,
    totals,
    traffic,
    verdicts,
    writes,
)

FINE = 2 * 86_400
"""Seconds for which counts are kept by the minute."""
HOUR = 3_600
TOTALS = 3 * 365 * 86_400
"""Seconds for which the figures of all routes together are kept at least: a migration takes years."""
PIECE = 600
"""Seconds whose counts are joined at once: others who want to write wait for a tenth of a second or two."""


def prune_step(connection: Connection, keep: Keep, now: float) -> bool:
    """One step; whether there is more to do."""
    return (
        _drop_hour(connection, traffic, now - keep.traffic)
        or _drop_hour(connection, verdicts, now - keep.evidence)
        or _drop_hour(connection, totals, now - max(keep.traffic, TOTALS))
        or _join_piece(connection, traffic, now - FINE)
        or _join_piece(connection, totals, now - FINE)
        or _join_piece(connection, verdicts, now - FINE)
        or _drop_rest(connection, keep, now)
    )


def _drop_hour(connection: Connection, table: Table, before: float) -> bool:
    """Drop the oldest hour, if it is over before a time."""
    oldest = connection.execute(select(func.min(table.c.minute))).scalar()
    if oldest is None or (end := oldest - oldest % HOUR + HOUR) > before:
        return False
    connection.execute(delete(table).where(table.c.minute < end))
    return True


def _join_piece(connection: Connection, table: Table, before: float) -> bool:
    """Add the oldest piece that is by the minute still, and is over before a time, to the row of its hour."""
    name = f"joined_{table.name}"
    joined = marked(connection, name)  # two must not join the same piece
    oldest = connection.execute(select(func.min(table.c.minute)).where(table.c.minute >= joined)).scalar()
    if oldest is None or (end := oldest - oldest % PIECE + PIECE) > before:
        return False
    begin = max(end - PIECE, oldest - oldest % HOUR + 1)  # the hour's first minute is where the others go
    minutes = summed(table, KEYS[table], begin, end, None, HOUR)
    connection.execute(adding(connection, table).from_select(list(table.c.keys()), minutes))
    connection.execute(delete(table).where(table.c.minute >= begin, table.c.minute < end))
    connection.execute(update(marks).where(marks.c.name == name).values(number=end))
    return True


def _drop_rest(connection: Connection, keep: Keep, now: float) -> bool:
    """Drop what there is less of, all at once: nothing is left to do then."""
    for time, kept in (
        (examples.c.at, keep.evidence),
        (fields.c.last_seen, keep.evidence),
        (evidence.c.at, keep.evidence),
        (replicas.c.last_seen, keep.evidence),
        (endpoints.c.last_seen, keep.traffic),
        (events.c.at, keep.events),
    ):
        connection.execute(delete(time.table).where(time < now - kept))
    done = writes.c.state.not_in(OPEN) & (writes.c.changed < now - keep.writes)
    connection.execute(delete(writes).where(done))
    connection.execute(delete(idempotency).where(idempotency.c.until < now))
    connection.execute(delete(deliveries).where(deliveries.c.event.not_in(select(events.c.id))))
    return False
