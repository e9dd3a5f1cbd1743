"""Rows on their way out of a database into a backup, and out of a backup into a database, of either kind.

They are read in one transaction that sees one moment, and written in one that counts whole. Documents go as the text
that they are kept as; the numbers that a database gives to rows go on after the last one given.
"""

from collections.abc import Iterator, Sequence
from time import time
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Insert,
    Select,
    String,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.sql import ColumnElement, TableClause, column, literal, table

from gateway import __version__
from gateway.errors import CommandError
from gateway.store.backups import ROWS, Contents, Head, TableHead, Told, Writing
from gateway.store.migrating import revision_of
from gateway.store.migrations import REVISIONS
from gateway.store.reading import Reading
from gateway.store.shapes import TYPES, Columns, Kind, Shape, shape_of

WIDE = 4
"""Rows that are read at once of a table whose rows may hold whole bodies."""
_given = table("sqlite_sequence", column("name", String), column("seq", BigInteger))
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def save(connection: Connection, backup: Writing, told: Told) -> str:
    """Put everything into a backup; the version of the schema, which must be one that this program knows."""
    revision = str(revision_of(connection))
    backup.begin(Head(revision, time(), __version__, _NAMES[connection.dialect.name]))
    done = 0
    for name, columns in shape_of(revision).items():
        backup.table(TableHead(name, columns, _last_given(connection, name, columns)))
        for rows in _rows(connection, name, columns):
            backup.add(rows)
            told(done := done + len(rows))
    return revision


def load(connection: Connection, backup: Reading, contents: Contents, told: Told) -> None:
    """Fill empty tables, which are those of the backup's version of the schema. Raises CommandError."""
    done = 0
    into = {head.name: _insert(connection, head) for head in contents.tables}
    for head, rows in backup.slices():
        if rows:
            connection.execute(into[head.name], [{f"v{at}": value for at, value in enumerate(row)} for row in rows])
            told(done := done + len(rows))
    for head in contents.tables:
        _go_on_after(connection, head)


def must_fit(contents: Contents) -> None:
    """A backup must have a version of the schema that is known, and its tables and columns. Raises CommandError."""
    if contents.head.schema not in REVISIONS:
        raise CommandError(
            f"The backup has schema {contents.head.schema}, which this banyan does not know. Restore it with the one "
            f"that made it ({contents.head.program}), or a newer one."
        )
    shape = shape_of(contents.head.schema)
    found: Shape = {each.name: each.columns for each in contents.tables}
    for name in sorted({*shape, *found}):
        if shape.get(name) != found.get(name):
            raise CommandError(
                f"The backup says that it has schema {contents.head.schema}, but its table {name} is another. Restore "
                f"it with the banyan that made it ({contents.head.program})."
            )


def is_empty(connection: Connection, shape: Shape) -> bool:
    """Whether there is no row in any of the tables."""
    return all(
        connection.execute(select(literal(1)).select_from(table(name)).limit(1)).first() is None for name in shape
    )


def count(connection: Connection, name: str) -> int:
    """How many rows a table has."""
    return connection.execute(select(func.count()).select_from(table(name))).scalar_one()


# ------------------------------------------------------------------------------------------------ rows


def _rows(connection: Connection, name: str, columns: Columns) -> Iterator[Sequence[Sequence[Any]]]:
    """All rows of a table, some at a time: no more of them are in memory."""
    whole = _table(name, columns)
    wanted = [_read_as(whole.c[each], kind) for each, kind in columns.items()]
    at_once = WIDE if "bytes" in columns.values() else ROWS
    options = {"stream_results": True, "yield_per": at_once}
    with connection.execute(select(*wanted), execution_options=options) as result:
        yield from result.partitions()


def _table(name: str, columns: Columns) -> TableClause:
    return table(name, *(column(each, TYPES[kind]) for each, kind in columns.items()))


def _read_as(value: ColumnElement[Any], kind: Kind) -> ColumnElement[Any]:
    return cast(value, Text) if kind == "json" else value


def _insert(connection: Connection, head: TableHead) -> Insert:
    """The statement that takes a row's values as `v0`, `v1` ..."""
    values: dict[str, Any] = {}
    for at, (name, kind) in enumerate(head.columns.items()):
        given = bindparam(f"v{at}", type_=Text() if kind == "json" else TYPES[kind])
        # SQLite has no type for documents: a cast to one would be to a number
        as_document = kind == "json" and connection.dialect.name == "postgresql"
        values[name] = cast(given, TYPES["json"]) if as_document else given
    return insert(_table(head.name, head.columns)).values(values)


# ------------------------------------------------------------------------------------------------ numbers


def _last_given(connection: Connection, name: str, columns: Columns) -> int | None:
    """The last number that the database gave to a row of the table by itself."""
    if connection.dialect.name == "sqlite":
        return connection.execute(select(_given.c.seq).where(_given.c.name == name)).scalar()
    _, sequence = _sequence(connection, name, columns)
    return connection.execute(select(func.pg_sequence_last_value(cast(sequence, REGCLASS)))).scalar()


def _go_on_after(connection: Connection, head: TableHead) -> None:
    """Have new rows of a filled table get numbers that it has not given before."""
    if connection.dialect.name == "sqlite":
        _go_on_in_sqlite(connection, head)
        return
    numbered, sequence = _sequence(connection, head.name, head.columns)
    if not sequence:
        return
    highest = connection.execute(select(func.max(column(numbered))).select_from(table(head.name))).scalar()
    if last := max(highest or 0, head.last or 0):
        connection.execute(select(func.setval(cast(sequence, REGCLASS), last)))


def _go_on_in_sqlite(connection: Connection, head: TableHead) -> None:
    """It knows the highest number that it was given; only of tables that are to remember it has it a row."""
    asked: Select[str] = (
        select(column("sql", String)).select_from(table("sqlite_master")).where(column("name", String) == head.name)
    )
    if head.last is None or "AUTOINCREMENT" not in connection.execute(asked).scalar_one():
        return
    mine = _given.c.name == head.name
    highest = connection.execute(select(_given.c.seq).where(mine)).scalar()
    connection.execute(delete(_given).where(mine))
    connection.execute(insert(_given).values(name=head.name, seq=max(highest or 0, head.last)))


def _sequence(connection: Connection, name: str, columns: Columns) -> tuple[str, str | None]:
    """The column of a table that numbers its rows, and what gives the numbers, in PostgreSQL."""
    quoted = connection.dialect.identifier_preparer.quote(name)
    for each, kind in columns.items():
        if kind == "integer":
            found = connection.execute(select(func.pg_get_serial_sequence(quoted, each))).scalar()
            if found is not None:
                return each, str(found)
    return "", None
