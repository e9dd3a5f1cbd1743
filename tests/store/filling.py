"""Rows in every table of a schema, whatever tables that has, and all that is in a store, to be compared."""

from math import inf
from typing import Any

from sqlalchemy import JSON, Connection, insert, inspect, select
from sqlalchemy.sql import column, table

from gateway.store.addresses import address_of
from gateway.store.engines import open_engine
from gateway.store.shapes import TYPES, Kind, Shape
from gateway.store.tables import METADATA
from tests.support.databases import Place

ROWS = 3
Rows = dict[str, list[tuple[Any, ...]]]


def fill(connection: Connection, shape: Shape) -> None:
    """Put ROWS rows into each table; what may be missing is, in the first one."""
    for name, columns in shape.items():
        there = {each["name"]: each for each in inspect(connection).get_columns(name)}
        typed = (
            column(each, JSON(none_as_null=True) if kind == "json" else TYPES[kind]) for each, kind in columns.items()
        )
        into = insert(table(name, *typed))
        for at in range(ROWS):
            missing = {each for each in columns if at == 0 and there[each]["nullable"]}
            row = {each: None if each in missing else _value(kind, each, at) for each, kind in columns.items()}
            connection.execute(into.values(row))


def _value(kind: Kind, name: str, at: int) -> Any:
    match kind:
        case "integer":
            return at + 1
        case "real":
            return (0.1, -1e300, inf)[at]
        case "text":
            return f'{name} {at}: "é" \\ \u2028 \U0001f333'
        case "json":
            return {"at": at, "text": "é\0", "list": [1.5, None, True], "b": 1, "a": 2}
        case "bytes":
            return bytes(range(256)) * at
        case "boolean":
            return at % 2 == 0


def rows(connection: Connection) -> Rows:
    """All rows of all tables of this program, in some order that does not change."""
    return {
        each.name: sorted((tuple(row) for row in connection.execute(select(each))), key=repr)
        for each in METADATA.sorted_tables
    }


async def filled(place: Place, shape: Shape) -> Rows:
    """Fill a store whose schema is there; its rows."""
    engine = open_engine(address_of(*place), 5)
    async with engine.writing.begin() as connection:
        await connection.run_sync(fill, shape)
        found = await connection.run_sync(rows)
    await engine.reading.dispose()
    return found


async def rows_in(place: Place) -> Rows:
    engine = open_engine(address_of(*place), 5)
    async with engine.reading.begin() as connection:
        found = await connection.run_sync(rows)
    await engine.reading.dispose()
    return found
