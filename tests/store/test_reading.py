"""A backup is read as it was written; whatever has happened to it since is noticed before any of it is used."""

import os
from pathlib import Path

import pytest

from gateway.errors import CommandError
from gateway.store import reading as read_back
from gateway.store.backups import Contents, writing
from gateway.store.reading import Reading, reading
from tests.store.saved import EVENTS, HEAD, MARKS, ROWS, made


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Heads, tables and rows come back as they went in, bytes and missing values as well."""
    with reading(made(tmp_path / "x")) as backup:
        contents = backup.verified()
        assert contents == Contents(HEAD, (EVENTS, MARKS), {"events": 2, "marks": 0})
        assert list(backup.slices()) == [(EVENTS, []), (EVENTS, [list(row) for row in ROWS]), (MARKS, [])]


def test_rows_come_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither many rows nor large ones are ever together in memory."""
    monkeypatch.setattr(read_back, "ROWS", 3)
    monkeypatch.setattr(read_back, "BYTES", 1_000)
    with writing(tmp_path / "x") as backup:
        backup.begin(HEAD)
        backup.table(EVENTS)
        for size in (*(1,) * 7, *(2_000,) * 3):
            backup.add([[1, "x", bytes(size)]])
    with reading(tmp_path / "x") as there:
        assert [len(rows) for _, rows in there.slices()] == [0, 3, 3, 2, 1, 1]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="x cannot be read: No such file or directory"), reading(tmp_path / "x"):
        pass
    with open("/proc/self/mem", "rb") as bad, pytest.raises(CommandError, match="y cannot be read: Input/output error"):
        Reading(tmp_path / "y", bad).verified()


def test_a_pipe_is_refused() -> None:
    """A backup is read through before it is used: what comes only once is to be written down before."""
    read, write = os.pipe()
    with (
        open(read, "rb"),
        open(write, "wb"),
        pytest.raises(CommandError, match=r"cannot be read twice, which is needed\. Write it to a file"),
        reading(Path(f"/dev/fd/{read}")),
    ):
        pass


def _refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with reading(path) as backup, pytest.raises(CommandError) as caught:
        backup.verified()
    return str(caught.value)


def test_a_backup_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    """Wherever it ends, that is noticed; mostly it is said to be that."""
    data = made(tmp_path / "x").read_bytes()
    told = [_refused(tmp_path / "y", data[:length]) for length in range(len(data) - 1)]
    first = data.index(b"\n")
    assert all("y is no backup that `banyan db backup` made" in each for each in told[:first])
    assert all("y was cut off: its end is missing. Nothing was changed" in each for each in told[first + 1 :])


def test_a_backup_that_was_changed_is_refused(tmp_path: Path) -> None:
    """Any byte of it that is another one is noticed, and so is what was put to its end."""
    data = made(tmp_path / "x").read_bytes()
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
    head, table, *rest = made(tmp_path / "x").read_bytes().splitlines(keepends=True)
    for lines in ([head, table, line + b"\n", *rest], [head, line + b"\n", table, *rest]):
        assert "y is not as it was written" in _refused(tmp_path / "y", b"".join(lines))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SQLite format 3\0" + bytes(10_000),
        b"\x1f\x8b\x08",
        b"{}\n",
        b'{"banyan":"flips","format":1}\n',
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
    data = made(tmp_path / "x").read_bytes().replace(b'"format":1', b'"format":2')
    assert _refused(tmp_path / "y", data).endswith("is a backup of a newer banyan (format 2). Restore it with that.")
