import os
from pathlib import Path

import pytest

from gateway.config import files
from tests.config.files import route_problems

FIELDS = 'name: a, match: GET /a, legacy: office, new: repairs, replay: {from: r.har, daily: "02:30"}'


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("{", "the file 'r.har' is not JSON; `banyan capture` records one"),
        ("\xff", "the file 'r.har' is not JSON; `banyan capture` records one"),
        ("[" * 100_000, "the file 'r.har' is not JSON; `banyan capture` records one"),
        ("[]", "the file 'r.har' is JSON, but no HTTP archive"),
        ('{"log": []}', "the file 'r.har' is JSON, but no HTTP archive"),
        ('{"log": {"entries": 1}}', "the file 'r.har' is JSON, but no HTTP archive"),
    ],
)
def test_recorded_requests_that_cannot_be_read_are_found_before_the_night(
    tmp_path: Path, content: str, wrong: str
) -> None:
    """A file that is no HTTP archive is a problem of routes.yaml, not of the replay at half past two."""
    (tmp_path / "r.har").write_text(content, encoding="latin-1")
    (told,) = route_problems(tmp_path, FIELDS)
    assert told.startswith(f"route a: replay.from: {wrong}")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """The message says why it cannot be read; a folder is no file."""
    assert route_problems(tmp_path, FIELDS) == [
        "route a: replay.from: the file 'r.har' cannot be read: No such file or directory"
    ]
    (tmp_path / "r.har").mkdir()
    assert route_problems(tmp_path, FIELDS) == ["route a: replay.from: the file 'r.har' cannot be read: Is a directory"]


def test_a_file_that_was_mended_is_read_again(tmp_path: Path) -> None:
    """A file is read once for as long as it stays the same."""
    path = tmp_path / "r.har"
    path.write_text("{")
    assert len(route_problems(tmp_path, FIELDS)) == 1
    path.write_text('{"log": {"entries": []}}')
    os.utime(path, ns=(1, 1))
    assert route_problems(tmp_path, FIELDS) == []


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong file name must not fill the memory."""
    (tmp_path / "r.har").write_text('{"log": {"entries": []}}')
    monkeypatch.setattr(files, "LARGEST_HAR", 5)
    (told,) = route_problems(tmp_path, FIELDS)
    assert "is larger than 0 MiB; record fewer requests" in told
