"""What happens to the file, and when the traffic shows it."""

import os
from pathlib import Path

from gateway.core.model import Serve
from gateway.demo.changes import Edit, FileWatch, Note, Step, edits, serve_text
from gateway.demo.tally import Seen, Tally
from tests.demo.support_estate import estate, route


def test_serve_is_written_as_the_file_says_it() -> None:
    """Shares without needless decimals."""
    texts = [serve_text(route("r", Serve.SPLIT, share)) for share in (0, 25, 1000, 10_000)]
    assert texts == ["0% new", "0.25% new", "10% new", "100% new"]
    assert [serve_text(route("r", s)) for s in (Serve.LEGACY, Serve.NEW, Serve.RETIRED)] == ["legacy", "new", "retired"]


def test_edits_are_the_routes_that_serve_otherwise() -> None:
    """Routes that came or went, and those that stayed as they were, are no edits."""
    before = estate(route("a"), route("b"), route("gone"))
    after = estate(route("a", Serve.NEW), route("b"), route("came"))
    assert [Edit(5.0, "a", "legacy", "new", 3)] == edits(before, after, 5.0, 3)


def test_an_edit_tells_when_the_traffic_followed() -> None:
    """Until a client is seen on the other side it says so; then how long it took, and what was lost."""
    tally = Tally(0.0)
    edit = Edit(10.0, "r", "legacy", "new", 0)
    tally.note(Seen(9.0, "a", "r", "legacy", 0.01))
    assert edit.told(tally) == "r: legacy -> new, not seen in the traffic yet, 0 failed requests"
    tally.note(Seen(10.25, "a", "r", "new", 0.01))
    tally.note(Seen(10.5, "b", "r", "", 0.01, "GET /: answered 502"))
    assert edit.told(tally) == "r: legacy -> new, seen after 0.2 s, 1 failed request"
    assert Note(1.0, "as it is").told(tally) == "as it is"
    assert Step(1.0, "r", 25.0, "r: 25 % on new").told(tally) == "r: 25 % on new"


def test_a_change_is_told_once_and_when_it_has_settled(tmp_path: Path) -> None:
    """A file that is being written is waited for; one that is saved unchanged is no change."""
    path = tmp_path / "routes.yaml"
    path.write_text("a")
    watch = FileWatch(path)
    path.write_text("b")
    os.utime(path, (1e9, path.stat().st_mtime + 5))
    at = path.stat().st_mtime
    assert [None, at, None] == [watch.changed(at + look) for look in (1, 2, 3)]
    path.write_text("b")
    assert [watch.changed(at + look) for look in (4, 5)] == [None, None]


def test_a_file_that_is_away_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    """Editors replace files: in between there is none, and its time may be older than the last change."""
    path = tmp_path / "routes.yaml"
    path.write_text("a")
    now = path.stat().st_mtime
    watch = FileWatch(path)
    path.unlink()
    assert watch.changed(now + 1) is None
    path.write_text("b")
    os.utime(path, (1.0, 1.0))
    assert [None, now] == [watch.changed(now + look) for look in (2, 3)]
