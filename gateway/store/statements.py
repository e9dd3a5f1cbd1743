"""Statements that both databases understand, though SQLAlchemy tells their `ON CONFLICT` apart."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, case, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import marks

Insert = sqlite.Insert | postgresql.Insert
Row = dict[str, Any]
T = TypeVar("T")

SLICE = 200
"""Rows that are handed to the database at once: a millisecond or two of this program's own work."""
_LONGEST = 400
"""Characters of a text in a key: PostgreSQL's indexes take 2,704 bytes a row."""


def inserting(connection: Connection, table: Table) -> Insert:
    """`INSERT INTO table`, which may go on with `ON CONFLICT`."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def replacing(connection: Connection, table: Table) -> Insert:
    """Insert rows, or put them in the place of those with their keys."""
    insert = inserting(connection, table)
    rest = {column.name: insert.excluded[column.name] for column in table.c if not column.primary_key}
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest)


def adding(connection: Connection, table: Table, *, earliest: str = "", latest: str = "") -> Insert:
    """Insert rows, or add their numbers to those with their keys; `earliest` and `latest` are times, not added up."""
    insert = inserting(connection, table)
    changed: dict[str, Any] = {}
    for column in table.c:
        other = insert.excluded[column.name]
        if column.name == earliest:
            changed[column.name] = case((other < column, other), else_=column)
        elif column.name == latest:
            changed[column.name] = case((other > column, other), else_=column)
        elif not column.primary_key:
            changed[column.name] = column + other
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)


def marked(connection: Connection, name: str) -> int:
    """The number of a mark, 0 for a new one. Whoever has it is alone with it until the transaction ends: in PostgreSQL
    its row is locked, in SQLite nobody else writes anyway."""
    connection.execute(inserting(connection, marks).values(name=name, number=0).on_conflict_do_nothing())
    return int(connection.execute(select(marks.c.number).where(marks.c.name == name).with_for_update()).scalar_one())


def execute_sliced(connection: Connection, statement: Insert, rows: Iterable[Row]) -> None:
    """Execute for many rows, which are made and handed over in slices: in between, the loop turns."""
    for some in slices(rows):
        connection.execute(statement, some)


def slices(rows: Iterable[T]) -> Iterator[list[T]]:
    """Rows in lists of at most SLICE."""
    rest = iter(rows)
    while some := list(islice(rest, SLICE)):
        yield some


def clean(text: str) -> str:
    """A text from outside, as either database takes it: no U+0000, no half of a character."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def clean_row(row: Row) -> Row:
    """A row with its texts clean."""
    return {name: clean(value) if isinstance(value, str) else value for name, value in row.items()}


def clean_key(text: str) -> str:
    """A clean text that is short enough for a key."""
    return clean(text[:_LONGEST])
