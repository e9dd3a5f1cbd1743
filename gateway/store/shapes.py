"""What each version of the schema consists of: tables, and columns with what they hold, the same in both databases.

It is found by making that version in an empty database in memory. So what handles all tables of any version needs no
list of them, and a database that holds other people's tables as well is read by no more than what is ours.
"""

from typing import Any, Literal, get_args

from sqlalchemy import JSON, BigInteger, Boolean, Double, Float, Integer, LargeBinary, MetaData, String, Text
from sqlalchemy import create_engine as create_sync_engine
from sqlalchemy.types import TypeEngine

from gateway.store.migrating import move

Kind = Literal["integer", "real", "text", "json", "bytes", "boolean"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Columns = dict[str, Kind]
Shape = dict[str, Columns]
"""The columns of each table, in an order in which the tables can be filled: what is referred to comes first."""

TYPES: dict[Kind, TypeEngine[Any]] = {
    "integer": BigInteger(),
    "real": Double(),
    "text": Text(),
    "json": JSON(),
    "bytes": LargeBinary(),
    "boolean": Boolean(),
}
"""The type of a column of each kind."""
_KINDS: tuple[tuple[type[TypeEngine[Any]], Kind], ...] = (
    (Boolean, "boolean"),
    (Integer, "integer"),
    (Float, "real"),
    (JSON, "json"),
    (LargeBinary, "bytes"),
    (String, "text"),
)


def shape_of(revision: str) -> Shape:
    """The tables of a version that this program knows."""
    engine = create_sync_engine("sqlite://")
    try:
        with engine.begin() as connection:
            move(connection, revision)
            found = MetaData()
            found.reflect(connection)
    finally:
        engine.dispose()
    return shape_in(found)


def shape_in(metadata: MetaData) -> Shape:
    """The tables of a description of some."""
    tables = [table for table in metadata.sorted_tables if table.name != "alembic_version"]
    return {table.name: {column.name: kind_of(column.type) for column in table.c} for table in tables}


def kind_of(kept_as: TypeEngine[Any]) -> Kind:
    """What a column of this type holds. Raises TypeError for a type that a backup has no way to write."""
    for known, kind in _KINDS:
        if isinstance(kept_as, known):
            return kind
    raise TypeError(f"A backup cannot hold {kept_as!r}: teach `shapes` and `transfer` how to.")


def lost_between(before: Shape, after: Shape) -> tuple[list[str], list[tuple[str, str]]]:
    """What the second has no place for: tables, and columns of tables that stay."""
    tables = [name for name in before if name not in after]
    stay = [name for name in before if name in after]
    return tables, [(name, column) for name in stay for column in before[name] if column not in after[name]]
