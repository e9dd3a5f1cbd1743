"""A backup is a file that is there when it is whole, for its owner alone, and in nobody's place."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.errors import CommandError
from gateway.store import backups
from gateway.store.backups import writing
from tests.store.saved import HEAD, made


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask says: owed writes are in it, with credentials."""
    before = os.umask(0)
    try:
        assert made(tmp_path / "x").stat().st_mode & 0o777 == 0o600
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
    path = made(tmp_path / "x")
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
