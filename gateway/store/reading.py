"""A backup that is read: row by row, and no further than it is what was once written.

That can only be known at its end, where the counts and the hash are. So whoever loads one has read all of it before,
and believes in what was loaded when it has come to the end once more.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from gateway.errors import CommandError
from gateway.store.backups import BYTES, FORMAT, ROWS, Contents, Head, Row, TableHead, Told, bytes_of
from gateway.store.shapes import KINDS

_LONGEST = 4_096
"""Bytes of the first line: what is no backup need not have lines at all."""


class Reading:
    """A backup that is there. Each call reads the file anew, from its beginning to its end."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file

    def verified(self, told: Told = lambda _: None) -> Contents:
        """What it holds, having read all of it. Raises CommandError unless it is whole and as it was written."""
        tables: list[TableHead] = []
        rows: dict[str, int] = {}
        for head, some in self.slices():
            if head.name not in rows:
                tables.append(head)
            rows[head.name] = rows.get(head.name, 0) + len(some)
            told(sum(rows.values()))
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
            ours, newer = found["banyan"] == "store", found["format"] > FORMAT
            head = Head(str(found["schema"]), float(found["at"]), str(found["program"]), str(found["from"]))
        except (ValueError, TypeError, KeyError):
            ours = False
        if not ours:
            raise CommandError(
                f"{self.path} is no backup that `banyan db backup` made. If it was packed since, unpack it before."
            )
        if newer:
            raise CommandError(
                f"{self.path} is a backup of a newer banyan (format {found['format']}). Restore it with that."
            )
        return head

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
            for at in bytes_of(table):
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
        if not file.seekable():
            raise CommandError(f"{path} cannot be read twice, which is needed. Write it to a file, and restore that.")
        yield Reading(path, file)


def _unreadable(path: Path, error: OSError) -> CommandError:
    return CommandError(f"{path} cannot be read: {error.strerror or error}.")
