"""A backup as a file: lines of JSON that either database can be filled from, and how they are written.

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
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, NamedTuple

from gateway.errors import CommandError
from gateway.store.shapes import Columns

FORMAT = 1
ROWS, BYTES = 500, 1 << 20
"""How many rows are handed over at once at most, and beyond how many bytes of the file no more are taken to them."""
Row = list[Any]
Told = Callable[[int], None]
"""Is told, again and again, how many rows are done."""


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


def bytes_of(table: TableHead) -> list[int]:
    """Where a table's rows have bytes."""
    return [at for at, kind in enumerate(table.columns.values()) if kind == "bytes"]


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
        self._table, self._bytes = head.name, bytes_of(head)
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
