"""What comes by way of the file is in the audit as well, under the name of whoever flipped it, or the file's own."""

import json
from pathlib import Path
from typing import Any

from gateway.access.provenance import MOST, Provenance
from gateway.config.changes import RouteChange
from gateway.config.flips import journal
from gateway.core.auditing import Act

OLD, NEW = "0123456789abcdef", "fedcba9876543210"
SERVE = RouteChange("list", "serve", "legacy", "new")
EDIT = {
    "who": "the file",
    "role": "owner",
    "via": "file",
    "address": "",
    "action": "edit",
    "reason": "the file was changed",
}


def flipped(folder: Path, **fields: str) -> None:
    told = {"at": "2026-11-29T02:40:00+00:00", "user": "ann", "route": "list", "reason": "parity", "digest": NEW}
    with journal(folder) as file:
        file.write(json.dumps(told | fields) + "\n")


def told(act: Act) -> dict[str, Any]:
    """An act without what is another one each time."""
    return {name: value for name, value in act._asdict().items() if name not in ("id", "at")}


def test_one_word_is_about_its_route(tmp_path: Path) -> None:
    """So that who asks what happened to a route finds it, before and after."""
    assert told(Provenance(tmp_path).of([SERVE], OLD, NEW)) == EDIT | {
        "subject": "list",
        "before": {"serve": "legacy", "text": "legacy", "digest": OLD},
        "after": {"serve": "new", "text": "new", "digest": NEW},
        "outcome": "done",
    }


def test_a_flip_is_its_flipper_s(tmp_path: Path) -> None:
    """With the reason that was given on the command line."""
    flipped(tmp_path)
    found = Provenance(tmp_path).of([SERVE], OLD, NEW)
    assert told(found) == told(Provenance(tmp_path / "none").of([SERVE], OLD, NEW)) | {
        "who": "ann",
        "action": "flip",
        "reason": "parity",
    }


def test_the_same_word_by_hand_is_not_the_flipper_s(tmp_path: Path) -> None:
    """A flip explains the file once: who writes the same later is somebody else, until it is flipped again."""
    flipped(tmp_path)
    provenance = Provenance(tmp_path)
    assert [provenance.of([SERVE], OLD, NEW).who for _ in range(2)] == ["ann", "the file"]
    flipped(tmp_path, user="olu", at="2026-11-29T02:41:00+00:00")
    assert provenance.of([SERVE], OLD, NEW).who == "olu"


def test_what_a_flip_does_not_explain_is_not_put_down_to_it(tmp_path: Path) -> None:
    """Another digest, another route, another setting, or more than one word."""
    provenance = Provenance(tmp_path)
    flipped(tmp_path)
    other = SERVE._replace(name="more")
    for changes, after in (
        ([SERVE], OLD),
        ([other], NEW),
        ([SERVE._replace(field="fallback")], NEW),
        ([SERVE, other], NEW),
        ([SERVE, SERVE._replace(field="fallback")], NEW),
        ([], NEW),
    ):
        assert provenance.of(changes, OLD, after).who == "the file"


def test_several_are_told_one_by_one(tmp_path: Path) -> None:
    """Each under its name, and all together by the digests: the configurations have the whole files."""
    url = RouteChange("backend old", "url", "http://a", "http://b")
    found = Provenance(tmp_path).of([SERVE, url], OLD, NEW)
    assert (found.subject, found.before, found.after) == (
        "",
        {"list, serve": "legacy", "backend old, url": "http://a", "text": OLD[:7], "digest": OLD},
        {"list, serve": "new", "backend old, url": "http://b", "text": NEW[:7], "digest": NEW},
    )


def test_what_is_no_route_is_about_the_file(tmp_path: Path) -> None:
    """Backends and the gateway have no page of their own, and a comment changes nothing that is served."""
    for name in ("backend old", "gateway"):
        found = Provenance(tmp_path).of([RouteChange(name, "x", "1", "2")], OLD, NEW)
        assert (found.subject, found.before) == ("", {f"{name}, x": "1", "text": "1", "digest": OLD})
    assert Provenance(tmp_path).of([], OLD, NEW).before == {"text": OLD[:7], "digest": OLD}


def test_of_many_the_first_are_told(tmp_path: Path) -> None:
    """A file that was replaced by another one would have thousands."""
    changes = [SERVE._replace(name=f"r{number}") for number in range(MOST + 1)]
    assert len(Provenance(tmp_path).of(changes, OLD, NEW).after) == MOST + 2


def test_what_was_changed_while_no_gateway_ran_has_only_the_file(tmp_path: Path) -> None:
    """What was there before is the store's to say."""
    flipped(tmp_path)
    assert told(Provenance(tmp_path).of_start(NEW)) == EDIT | {
        "subject": "",
        "reason": "read as the gateway began",
        "before": {},
        "after": {"digest": NEW},
        "outcome": "done",
    }
