"""A small backup, made by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.store.backups import Head, TableHead, writing

HEAD = Head("0003", 1_700_000_000.5, "0.1.0", "SQLite")
EVENTS = TableHead("events", {"number": "integer", "id": "text", "body": "bytes"}, 57)
MARKS = TableHead("marks", {"name": "text", "number": "integer"}, None)
ROWS: Sequence[Sequence[Any]] = ([1, "sha256", b"\0\xff"], [2, "é\u2028\n", None])


def made(path: Path) -> Path:
    with writing(path) as backup:
        backup.begin(HEAD)
        backup.table(EVENTS)
        backup.add(ROWS)
        backup.table(MARKS)
    return path
