"""A backup as a file: lines of JSON that either database can be filled from, read and written row by row.

    {"banyan": "store", "format": 1, "schema": "0003", "at": 1795338000.0, "program": "1.0.0", "from": "SQLite"}
    {"table": "events", "columns": {"number": "integer", "id": "text", ...}, "last": 57}
    [56, "evt_1", ...]                          a row; bytes are base64
    ...                                         more rows, more tables
    {"rows": {"events": 2, ...}, "sha256": "..."}   of all lines before this one

`last` is the last number that the table gave to a row by itself, which may be gone: it is not given again. A file is
there when it is whole, or not at all; one that was cut off or changed is known by its last line.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, NamedTuple

from gateway import __version__
from gateway.errors import CommandError
from gateway.store.shapes import KINDS, Columns

FORMAT = 1
ROWS, BYTES = 500, 1 << 20
"""How many rows are handed over at once at most, and beyond how many bytes of the file no more are taken to them."""
_LONGEST = 4_096
"""Bytes of the first line: what is no backup need not have lines at all."""
Row = list[Any]


class Head(NamedTuple):
    """Whose backup it is: the version of the schema; when it was made, in Unix seconds, by which banyan, from what."""

    schema: str
    at: float
    program: str
    origin: str


class TableHead(NamedTuple):
    """A table that begins: its columns in the order of the rows' values; the last number that it gave (None: none)."""

    name: str
    columns: Columns
    last: int | None


class Contents(NamedTuple):
    """What a whole backup holds: its tables in their order, and how many rows of each."""

    head: Head
    tables: tuple[TableHead, ...]
    rows: Mapping[str, int]


# ------------------------------------------------------------------------------------------------ writing


class Writing:
    """A backup that is being written. `rows` counts those of each table so far, `size` the bytes."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.rows: dict[str, int] = {}
        self.size = 0
        self._path = path
        self._file = file
        self._digest = sha256()
        self._table = ""
        self._bytes: list[int] = []

    def begin(self, head: Head) -> None:
        told = {"schema": head.schema, "at": head.at, "program": head.program, "from": head.origin}
        self._put({"banyan": "store", "format": FORMAT, **told})

    def table(self, head: TableHead) -> None:
        """Begin a table: the rows that follow are its."""
        self._table, self._bytes = head.name, _bytes_of(head)
        self.rows[head.name] = 0
        self._put({"table": head.name, "columns": head.columns, "last": head.last})

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Rows of the table that was begun last."""
        self._write(map(self._line, rows))
        self.rows[self._table] += len(rows)

    def end(self) -> None:
        self._put({"rows": self.rows, "sha256": self._digest.hexdigest()})

    def _line(self, row: Sequence[Any]) -> bytes:
        values = list(row)
        for at in self._bytes:
            if values[at] is not None:
                values[at] = b64encode(values[at]).decode()
        return _encode(values)

    def _put(self, document: dict[str, Any]) -> None:
        self._write([_encode(document)])

    def _write(self, lines: Iterable[bytes]) -> None:
        with _written(self._path):
            for line in lines:
                self._digest.update(line)
                self.size += len(line)
                self._file.write(line)


@contextmanager
def writing(path: Path) -> Iterator[Writing]:
    """A new backup, for its owner alone: under its name once it is whole, gone if it is not. Raises CommandError."""
    _must_be_new(path)
    with _written(path):
        file = NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False)  # noqa: SIM115 - renamed
    part = Path(file.name)
    try:
        yield (backup := Writing(path, file))
        backup.end()
        with _written(path):
            file.flush()
            os.fsync(file.fileno())
            file.close()
            _must_be_new(path)
            part.rename(path)
            _sync(path.parent)
    finally:
        part.unlink(missing_ok=True)
        with _written(path):
            file.close()


def _must_be_new(path: Path) -> None:
    if path.exists():
        raise CommandError(f"{path} is there already. Name another file, or remove it.")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written: {error.strerror or error}. See to its folder, or name another file."
        ) from error


def _encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


# ------------------------------------------------------------------------------------------------ reading


class Reading:
    """A backup that is there. Each call reads the file anew, from its beginning to its end."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file

    def verified(self) -> Contents:
        """What it holds, having read all of it. Raises CommandError unless it is whole and as it was written."""
        tables: list[TableHead] = []
        rows: dict[str, int] = {}
        for head, some in self.slices():
            if head.name not in rows:
                tables.append(head)
            rows[head.name] = rows.get(head.name, 0) + len(some)
        self._file.seek(0)
        return Contents(self._head(self._line()), tuple(tables), rows)

    def slices(self) -> Iterator[tuple[TableHead, list[Row]]]:
        """The rows, some at a time, with the table that they are of; each table comes once without rows at first.

        Raises CommandError when the file turns out not to be whole: that is known at its end.
        """
        table: TableHead | None = None
        some: list[Row] = []
        size = 0
        counts: dict[str, int] = {}
        for value, length in self._values():
            if table is not None and some and (isinstance(value, dict) or len(some) == ROWS or size > BYTES):
                yield table, some
                some, size = [], 0
            if isinstance(value, list):
                if table is None:
                    raise self._damaged()
                some.append(self._row(table, value))
                size += length
                counts[table.name] += 1
            elif "table" in value:
                table = self._table(value)
                counts[table.name] = 0
                yield table, []
            elif value.get("rows") != counts:
                raise self._damaged()

    def _values(self) -> Iterator[tuple[dict[str, Any] | Row, int]]:
        """What the lines after the first say, each with its length; the last one comes when it has proved true."""
        self._file.seek(0)
        first = self._line()
        self._head(first)
        digest = sha256(first)
        for line in self._lines():
            value = self._value(line)
            if isinstance(value, dict) and "sha256" in value:
                if value["sha256"] != digest.hexdigest() or self._line():
                    raise self._damaged()
                yield value, len(line)
                return
            digest.update(line)
            yield value, len(line)
        raise self._cut()

    def _lines(self) -> Iterator[bytes]:
        while line := self._line(-1):
            yield line

    def _line(self, most: int = _LONGEST) -> bytes:
        try:
            return self._file.readline(most)
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def _head(self, line: bytes) -> Head:
        """The first line. Raises CommandError for what is no backup, or a newer one than can be read."""
        try:
            found = json.loads(line)
            if found["banyan"] != "store" or found["format"] > FORMAT:
                raise CommandError(
                    f"{self.path} is a backup of a newer banyan (format {found['format']}). Restore it with that."
                )
            return Head(str(found["schema"]), float(found["at"]), str(found["program"]), str(found["from"]))
        except (ValueError, TypeError, KeyError) as error:
            raise CommandError(
                f"{self.path} is no backup that `banyan db backup` made. If it was packed since, unpack it before."
            ) from error

    def _value(self, line: bytes) -> dict[str, Any] | Row:
        try:
            value = json.loads(line)
        except ValueError as error:
            raise (self._damaged() if line.endswith(b"\n") else self._cut()) from error
        if not isinstance(value, dict | list):
            raise self._damaged()
        return value

    def _table(self, found: Mapping[str, Any]) -> TableHead:
        try:
            head = TableHead(str(found["table"]), dict(found["columns"]), found["last"])
        except (ValueError, TypeError, KeyError) as error:
            raise self._damaged() from error
        if any(kind not in KINDS for kind in head.columns.values()):
            raise self._damaged()
        return head

    def _row(self, table: TableHead, values: Row) -> Row:
        if len(values) != len(table.columns):
            raise self._damaged()
        try:
            for at in _bytes_of(table):
                if values[at] is not None:
                    values[at] = b64decode(values[at], validate=True)
        except (ValueError, TypeError) as error:
            raise self._damaged() from error
        return values

    def _cut(self) -> CommandError:
        return CommandError(f"{self.path} was cut off: its end is missing. Nothing was changed; take another backup.")

    def _damaged(self) -> CommandError:
        return CommandError(f"{self.path} is not as it was written. Nothing was changed; take another backup.")


@contextmanager
def reading(path: Path) -> Iterator[Reading]:
    """A backup, to be read. Raises CommandError."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        yield Reading(path, file)


def _unreadable(path: Path, error: OSError) -> CommandError:
    return CommandError(f"{path} cannot be read: {error.strerror or error}.")


def _bytes_of(table: TableHead) -> list[int]:
    """Where a table's rows have bytes."""
    return [at for at, kind in enumerate(table.columns.values()) if kind == "bytes"]


def head_now(schema: str, at: float, origin: str) -> Head:
    """The head of a backup that this program makes."""
    return Head(schema, at, __version__, origin)
