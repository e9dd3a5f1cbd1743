"""Counts: what replicas add up together, and what is read of it.

A flush is one transaction, and its number is written with it: sent again because nobody knows what became of it, it
finds its number there and changes nothing. Rows are sorted, so that two replicas never wait for each other in a circle.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, cast, delete, func, literal, select

from gateway.store.statements import Row, adding, clean_key, execute_sliced, inserting
from gateway.store.tables import calls, examples, fields, replicas, totals, traffic, verdicts
from gateway.store.values import Example, FieldSeen, Flush, Replica, Total, TrafficCount, VerdictCount

KEYS = {traffic: 5, totals: 2, verdicts: 3}
"""Of the counts by the minute: how many of a table's columns are its key. They come first; the others are numbers."""
_COUNTED = len(TrafficCount._fields) - 1


def flush(connection: Connection, counts: Flush) -> bool:
    """Add what a replica has counted; False when this flush had been counted before."""
    if not _is_new(connection, counts):
        return False
    execute_sliced(connection, adding(connection, traffic), map(_traffic_row, sorted(counts.traffic)))
    execute_sliced(connection, adding(connection, totals), map(_total_row, sorted(counts.totals)))
    asked = adding(connection, calls, earliest="first_seen", latest="last_seen")
    execute_sliced(connection, asked, (each._asdict() for each in sorted(counts.calls)))
    execute_sliced(connection, adding(connection, verdicts), (each._asdict() for each in sorted(counts.verdicts)))
    seen = adding(connection, fields, earliest="first_seen", latest="last_seen")
    execute_sliced(connection, seen, sorted(map(_field_row, counts.fields), key=_place))
    if counts.examples:
        execute_sliced(connection, inserting(connection, examples), map(_field_row, counts.examples))
        _keep_latest(connection, {each.route for each in counts.examples}, counts.examples_kept)
    return True


def _is_new(connection: Connection, counts: Flush) -> bool:
    """Note that the replica lives, and its flush' number, where that is above the last one's."""
    insert = inserting(connection, replicas).values(id=counts.replica, last_seen=counts.at, flush=counts.number)
    noted = insert.on_conflict_do_update(
        index_elements=["id"],
        set_={"last_seen": insert.excluded.last_seen, "flush": insert.excluded.flush},
        where=replicas.c.flush < insert.excluded.flush,
    )
    return connection.execute(noted.returning(replicas.c.id)).first() is not None


def _traffic_row(count: TrafficCount) -> Row:
    return dict(zip(traffic.c.keys(), (*count[:_COUNTED], *count.latencies), strict=True))


def _total_row(total: Total) -> Row:
    return dict(zip(totals.c.keys(), (*total[:-1], *total.latencies), strict=True))


def _field_row(seen: FieldSeen | Example) -> Row:
    """Names of fields come out of answers."""
    return {**seen._asdict(), "field": clean_key(seen.field)}


def _place(row: Row) -> tuple[str, ...]:
    return row["route"], row["field"], row["kind"]


def _keep_latest(connection: Connection, routes: Iterable[str], kept: int) -> None:
    """Drop all but the latest examples of each field."""
    of_a_field = func.row_number().over(
        partition_by=(examples.c.route, examples.c.field, examples.c.kind),
        order_by=(examples.c.at.desc(), examples.c.id.desc()),
    )
    ranked = select(examples.c.id, of_a_field.label("rank")).where(examples.c.route.in_(sorted(routes))).subquery()
    connection.execute(delete(examples).where(examples.c.id.in_(select(ranked.c.id).where(ranked.c.rank > kept))))


# ------------------------------------------------------------------------------------------------ reading


def read_traffic(
    connection: Connection, begin: float, end: float, route: str | None, step: int | None
) -> list[TrafficCount]:
    rows = connection.execute(summed(traffic, KEYS[traffic], begin, end, route, step))
    return [TrafficCount._make((*row[:_COUNTED], tuple(row[_COUNTED:]))) for row in rows]


def read_verdicts(
    connection: Connection, begin: float, end: float, route: str | None, step: int | None
) -> list[VerdictCount]:
    return [VerdictCount(*row) for row in connection.execute(summed(verdicts, KEYS[verdicts], begin, end, route, step))]


def summed(table: Table, keys: int, begin: float, end: float, route: str | None, step: int | None) -> Select[Any]:
    """Rows of `begin <= minute < end`, added up over `step` seconds or the whole time. The first columns are keys."""
    columns = list(table.c)
    minute: ColumnElement[int] = literal(int(begin)) if step is None else table.c.minute - table.c.minute % step
    groups = [minute.label("minute"), *columns[1:keys]]
    sums = [cast(func.sum(column), column.type).label(column.name) for column in columns[keys:]]
    query = select(*groups, *sums).where(table.c.minute >= begin, table.c.minute < end)
    if route is not None:
        query = query.where(table.c.route == route)
    return query.group_by(*groups).order_by(*groups)


def read_fields(connection: Connection, route: str, since: float) -> list[FieldSeen]:
    query = select(fields).where(fields.c.route == route, fields.c.last_seen >= since)
    return [FieldSeen(*row) for row in connection.execute(query.order_by(fields.c.differs.desc(), fields.c.field))]


def read_examples(connection: Connection, route: str, field: str | None) -> list[Example]:
    query = select(*(examples.c[name] for name in Example._fields)).where(examples.c.route == route)
    if field is not None:
        query = query.where(examples.c.field == clean_key(field))
    return [Example(*row) for row in connection.execute(query.order_by(examples.c.at.desc(), examples.c.id.desc()))]


def read_replicas(connection: Connection, since: float) -> list[Replica]:
    query = select(replicas.c.id, replicas.c.last_seen).where(replicas.c.last_seen >= since)
    return [Replica(*row) for row in connection.execute(query.order_by(replicas.c.id))]
