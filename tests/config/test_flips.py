"""The journal of flips tells who flipped last, and never stands in anybody's way."""

import json
from pathlib import Path

import pytest

from gateway.config.flips import FLIPS, Flipped, journal, last_flip
from gateway.errors import CommandError

LINE = {"at": "2026-11-29T02:40:00+00:00", "user": "ann", "route": "list", "reason": "Zoë said so", "digest": "d1"}


def write(folder: Path, *lines: dict[str, str]) -> None:
    with journal(folder) as file:
        file.writelines(json.dumps({**each, "line": 7}, ensure_ascii=False) + "\n" for each in lines)


def test_the_last_flip_is_told(tmp_path: Path) -> None:
    """However many there were before, and however long they are."""
    write(tmp_path, {**LINE, "reason": "x" * 100_000})
    write(tmp_path, *[LINE | {"digest": f"d{number}"} for number in range(1_000)])
    assert last_flip(tmp_path) == Flipped(LINE["at"], "ann", "list", "Zoë said so", "d999")


@pytest.mark.parametrize(
    "text", ["", "\n", '{"at": "2026', "[1]", '"x"', "1", json.dumps({**LINE, "user": 7}), '{"at": "x"}', "\xff"]
)
def test_a_journal_that_tells_nothing_is_no_trouble(tmp_path: Path, text: str) -> None:
    """One of an earlier version, one that was cut off, one that is none."""
    (tmp_path / FLIPS).write_text(text, encoding="latin-1")
    assert last_flip(tmp_path) is None


def test_without_a_journal_nobody_flipped(tmp_path: Path) -> None:
    """It begins with the first flip."""
    assert last_flip(tmp_path / "nowhere") is None


def test_a_journal_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    """Before anything is changed."""
    (tmp_path / FLIPS).mkdir()
    with (
        pytest.raises(CommandError, match=r"cannot be recorded in .*flips\.jsonl.*Nothing was changed"),
        journal(tmp_path),
    ):
        pass
