"""The journal of flips tells who flipped last, and never stands in anybody's way."""

import json
from pathlib import Path

import pytest

from gateway.config.flips import FLIPS, Flipped, flips, journal
from gateway.errors import CommandError

LINE = {"at": "2026-11-29T02:40:00+00:00", "user": "ann", "route": "list", "reason": "Zoë said so", "digest": "d1"}


def write(folder: Path, *lines: dict[str, str]) -> None:
    with journal(folder) as file:
        file.writelines(json.dumps({**each, "line": 7}, ensure_ascii=False) + "\n" for each in lines)


def test_the_latest_flips_are_told_in_their_order(tmp_path: Path) -> None:
    """However many there were before, and however long they are."""
    write(tmp_path, {**LINE, "reason": "x" * 100_000})
    write(tmp_path, *[LINE | {"digest": f"d{number}"} for number in range(1_000)])
    found = flips(tmp_path)
    assert found[-1] == Flipped(LINE["at"], "ann", "list", "Zoë said so", "d999")
    assert [each.digest for each in found] == [f"d{number}" for number in range(1_000 - len(found), 1_000)]
    assert len(found) > 100


@pytest.mark.parametrize(
    "line",
    ["", '{"at": "2026', "[1]", '"x"', "1", json.dumps({**LINE, "user": 7}), '{"at": "x"}', "\xff", "[" * 60_000],
    ids=lambda line: line[:9],
)
def test_a_line_that_tells_nothing_is_no_trouble(tmp_path: Path, line: str) -> None:
    """One of an earlier version, one that was cut off, one that is none: those beside it are told."""
    write(tmp_path, LINE)
    with (tmp_path / FLIPS).open("a", encoding="latin-1") as file:
        file.write(f"{line}\n")
    write(tmp_path, LINE)
    assert flips(tmp_path)[-1].digest == "d1"
    assert {each.user for each in flips(tmp_path)} == {"ann"}


def test_without_a_journal_nobody_flipped(tmp_path: Path) -> None:
    """It begins with the first flip."""
    assert flips(tmp_path / "nowhere") == []


def test_a_journal_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    """Before anything is changed."""
    (tmp_path / FLIPS).mkdir()
    with (
        pytest.raises(CommandError, match=r"cannot be recorded in .*flips\.jsonl.*Nothing was changed"),
        journal(tmp_path),
    ):
        pass
