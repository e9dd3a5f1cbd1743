"""A backup is a file that is there when it is whole; whatever happens to it afterwards is noticed before it is used."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import CommandError
from gateway.store import backups
from gateway.store.backups import Head, TableHead, reading, writing

HEAD = Head("0003", 1_700_000_000.5, "0.1.0", "SQLite")
EVENTS = TableHead("events", {"number": "integer", "id": "text", "body": "bytes"}, 57)
MARKS = TableHead("marks", {"name": "text", "number": "integer"}, None)
ROWS: Sequence[Sequence[Any]] = ([1, "sha256", b"\0\xff"], [2, "é\u2028\n", None])


def _made(path: Path) -> Path:
    with writing(path) as backup:
        backup.begin(HEAD)
        backup.table(EVENTS)
        backup.add(ROWS)
        backup.table(MARKS)
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Heads, tables and rows come back as they went in, bytes and missing values as well."""
    with reading(_made(tmp_path / "x")) as backup:
        contents = backup.verified()
        assert contents == backups.Contents(HEAD, (EVENTS, MARKS), {"events": 2, "marks": 0})
        assert list(backup.slices()) == [(EVENTS, []), (EVENTS, [list(row) for row in ROWS]), (MARKS, [])]


def test_rows_come_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither many rows nor large ones are ever together in memory."""
    monkeypatch.setattr(backups, "ROWS", 3)
    monkeypatch.setattr(backups, "BYTES", 1_000)
    with writing(tmp_path / "x") as backup:
        backup.begin(HEAD)
        backup.table(EVENTS)
        for size in (*(1,) * 7, *(2_000,) * 3):
            backup.add([[1, "x", bytes(size)]])
    with reading(tmp_path / "x") as there:
        assert [len(rows) for _, rows in there.slices()] == [0, 3, 3, 2, 1, 1]


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask says: owed writes are in it, with credentials."""
    before = os.umask(0)
    try:
        assert _made(tmp_path / "x").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_nothing_is_there_unless_it_is_whole(tmp_path: Path) -> None:
    """Until the end there is nothing under its name; and after a failure, nothing under any."""
    with ExitStack() as ending:
        ending.enter_context(pytest.raises(ZeroDivisionError))
        ending.enter_context(writing(tmp_path / "x")).begin(HEAD)
        assert not (tmp_path / "x").exists()
        assert len(list(tmp_path.iterdir())) == 1
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    """A backup never takes another one's place, not even one that was written at the same time."""
    path = _made(tmp_path / "x")
    before = path.read_bytes()
    with pytest.raises(CommandError, match=r"x is there already. Name another file, or remove it\."), writing(path):
        pass
    with pytest.raises(CommandError, match="y is there already"), writing(tmp_path / "y"):
        path.rename(tmp_path / "y")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("y", before)]


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    """The reason is the system's, and what to do stands beside it."""
    expected = r"there/x cannot be written: No such file or directory\. See to its folder, or name another file\."
    with pytest.raises(CommandError, match=expected), writing(tmp_path / "there" / "x"):
        pass


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """What cannot be written ends the backup, with a sentence."""
    with open("/dev/full", "wb", buffering=0) as full:
        backup = backups.Writing(tmp_path / "x", full)
        with pytest.raises(CommandError, match="x cannot be written: No space left on device"):
            backup.begin(HEAD)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="x cannot be read: No such file or directory"), reading(tmp_path / "x"):
        pass
    with open("/proc/self/mem", "rb") as bad, pytest.raises(CommandError, match="y cannot be read: Input/output error"):
        backups.Reading(tmp_path / "y", bad).verified()


def _refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with reading(path) as backup, pytest.raises(CommandError) as caught:
        backup.verified()
    return str(caught.value)


def test_a_backup_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    """Wherever it ends, that is noticed; mostly it is said to be that."""
    data = _made(tmp_path / "x").read_bytes()
    told = [_refused(tmp_path / "y", data[:length]) for length in range(len(data) - 1)]
    first = data.index(b"\n")
    assert all("y is no backup that `banyan db backup` made" in each for each in told[:first])
    assert all("y was cut off: its end is missing. Nothing was changed" in each for each in told[first + 1 :])


def test_a_backup_that_was_changed_is_refused(tmp_path: Path) -> None:
    """Any byte of it that is another one is noticed, and so is what was put to its end."""
    data = _made(tmp_path / "x").read_bytes()
    for at in range(len(data) - 1):
        _refused(tmp_path / "y", data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert "y is not as it was written. Nothing was changed" in _refused(tmp_path / "y", data + b"{}\n")
    assert "y is not as it was written" in _refused(
        tmp_path / "y", data.replace(b'{"table":"events"', b'{"tab":"events"')
    )


@pytest.mark.parametrize(
    "line",
    [
        b"5",
        b'{"table":"x","columns":{"a":"colour"},"last":null}',
        b'{"table":"x","columns":5,"last":null}',
        b"[1]",
        b'[1,"x","?"]',
        b'[1,"x",5]',
    ],
)
def test_a_line_that_nobody_wrote_is_refused(tmp_path: Path, line: bytes) -> None:
    """Each line is looked at as it comes: nothing strange gets as far as a database."""
    head, table, *rest = _made(tmp_path / "x").read_bytes().splitlines(keepends=True)
    assert "y is not as it was written" in _refused(tmp_path / "y", b"".join([head, table, line + b"\n", *rest]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SQLite format 3\0" + bytes(10_000),
        b"\x1f\x8b\x08",
        b"{}\n",
        b"[]\n",
        b'{"banyan":"store","format":"x"}\n',
    ],
)
def test_what_is_no_backup_is_refused(tmp_path: Path, data: bytes) -> None:
    """A database, a packed file, somebody's JSON: one sentence for all of them."""
    expected = "y is no backup that `banyan db backup` made. If it was packed since, unpack it before."
    assert _refused(tmp_path / "y", data).endswith(expected)


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    """What only a newer program can read is left to that."""
    data = _made(tmp_path / "x").read_bytes().replace(b'"format":1', b'"format":2')
    assert _refused(tmp_path / "y", data).endswith("is a backup of a newer banyan (format 2). Restore it with that.")
