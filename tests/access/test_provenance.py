"""What comes by way of the file is in the audit as well, under the name of whoever flipped it, or the file's own."""

import json
from pathlib import Path
from typing import Any

from gateway.access.provenance import MOST, Provenance
from gateway.config.changes import RouteChange
from gateway.config.flips import journal
from gateway.core.auditing import Act
from gateway.core.model import Backend, Estate, Gateway, Match, Route, Serve, Target

BEFORE, AFTER = "0123456789abcdef", "fedcba9876543210"
SERVE = RouteChange("list", "serve", "legacy", "new")
EDIT = {
    "who": "the file",
    "role": "owner",
    "via": "file",
    "address": "",
    "action": "edit",
    "reason": "the file was changed",
    "outcome": "done",
}


def estate(digest: str) -> Estate:
    routes = [Route(name, name, Match((b"GET",), ()), "GET /x", Serve.LEGACY, Target("old"), None)
              for name in ("list", "more")]  # fmt: skip
    return Estate(Gateway(), (Backend("old", "localhost", 80),), tuple(routes), digest)


OLD, NEW = estate(BEFORE), estate(AFTER)


def flipped(folder: Path, **fields: str) -> None:
    told = {"at": "2026-11-29T02:40:00+00:00", "user": "ann", "route": "list", "reason": "parity", "digest": AFTER}
    with journal(folder) as file:
        file.write(json.dumps(told | fields) + "\n")


def taken(one: Provenance, *changes: RouteChange, old: Estate = OLD, new: Estate = NEW) -> Act:
    """A file is taken that changes that."""
    return one.of(one.journal(), changes, old, new)


def told(act: Act) -> dict[str, Any]:
    """An act without what is another one each time."""
    return {name: value for name, value in act._asdict().items() if name not in ("id", "at")}


def test_one_word_is_about_its_route(tmp_path: Path) -> None:
    """So that who asks what happened to a route finds it, before and after."""
    assert told(taken(Provenance(tmp_path), SERVE)) == EDIT | {
        "subject": "list",
        "before": {"serve": "legacy", "text": "legacy", "digest": BEFORE},
        "after": {"serve": "new", "text": "new", "digest": AFTER},
    }


def test_a_flip_is_its_flipper_s(tmp_path: Path) -> None:
    """With the reason that was given on the command line."""
    flipped(tmp_path)
    by_file = told(taken(Provenance(tmp_path / "none"), SERVE))
    found = told(taken(Provenance(tmp_path), SERVE))
    assert found == by_file | {"who": "ann", "action": "flip", "reason": "parity"}


def test_the_same_word_by_hand_is_not_the_flipper_s(tmp_path: Path) -> None:
    """A flip explains the file once: who writes the same later is somebody else, until it is flipped again."""
    flipped(tmp_path)
    one = Provenance(tmp_path)
    assert [taken(one, SERVE).who for _ in range(2)] == ["ann", "the file"]
    flipped(tmp_path, user="olu", at="2026-11-29T02:41:00+00:00")
    assert taken(one, SERVE).who == "olu"


def test_nor_is_it_after_a_restart(tmp_path: Path) -> None:
    """What a gateway finds in the journal as it begins explains what it begins with, and nothing that comes later."""
    flipped(tmp_path)
    for digest in (AFTER, BEFORE):
        one = Provenance(tmp_path)
        one.of_start(digest)
        assert taken(one, SERVE).who == "the file"


def test_flips_that_come_close_together_are_told_apart(tmp_path: Path) -> None:
    """The next one may be in the journal before the first one's file is taken."""
    flipped(tmp_path, digest=BEFORE)
    flipped(tmp_path, user="bob", route="more")
    one = Provenance(tmp_path)
    first = taken(one, SERVE, new=OLD)
    second = taken(one, SERVE._replace(name="more"))
    assert [(each.who, each.subject) for each in (first, second)] == [("ann", "list"), ("bob", "more")]


def test_a_flip_that_was_overtaken_explains_nothing_later(tmp_path: Path) -> None:
    """Its file never served; who writes it again is somebody else."""
    flipped(tmp_path)
    flipped(tmp_path, user="bob", digest="d2")
    one = Provenance(tmp_path)
    assert taken(one, SERVE, new=estate("d2")).who == "bob"
    assert taken(one, SERVE).who == "the file"


def test_what_a_flip_does_not_explain_is_not_put_down_to_it(tmp_path: Path) -> None:
    """Another digest, another route, another setting, or more than one word."""
    other, more = SERVE._replace(name="more"), SERVE._replace(field="fallback")
    for changes, new in (
        ((SERVE,), OLD),
        ((other,), NEW),
        ((more,), NEW),
        ((SERVE, other), NEW),
        ((SERVE, more), NEW),
        ((), NEW),
    ):
        folder = tmp_path / str(len([*tmp_path.iterdir()]))
        flipped(folder)
        assert taken(Provenance(folder), *changes, new=new).who == "the file"


def test_several_are_told_one_by_one(tmp_path: Path) -> None:
    """Each under its name, and all together by the digests: the configurations have the whole files."""
    url = RouteChange("backend old", "url", "http://a", "http://b")
    found = taken(Provenance(tmp_path), SERVE, url)
    assert (found.subject, found.before, found.after) == (
        "",
        {"list, serve": "legacy", "backend old, url": "http://a", "text": BEFORE[:7], "digest": BEFORE},
        {"list, serve": "new", "backend old, url": "http://b", "text": AFTER[:7], "digest": AFTER},
    )


def test_what_is_no_route_is_about_the_file(tmp_path: Path) -> None:
    """Backends and the gateway have no page of their own, and a comment changes nothing that is served."""
    for name in ("backend old", "gateway"):
        found = taken(Provenance(tmp_path), RouteChange(name, "x", "1", "2"))
        assert (found.subject, found.before) == ("", {f"{name}, x": "1", "text": "1", "digest": BEFORE})
    assert taken(Provenance(tmp_path)).before == {"text": BEFORE[:7], "digest": BEFORE}


def test_of_many_the_first_are_told(tmp_path: Path) -> None:
    """A file that was replaced by another one would have thousands."""
    changes = [SERVE._replace(name=f"r{number}") for number in range(MOST + 1)]
    assert len(taken(Provenance(tmp_path), *changes).after) == MOST + 2


def test_a_flip_that_explains_nothing_is_used_up_all_the_same(tmp_path: Path) -> None:
    """The file that it made was taken, by somebody's word or with more in it: who writes it again is somebody else."""
    flipped(tmp_path)
    one = Provenance(tmp_path)
    assert [taken(one, *changes).who for changes in ((), (SERVE,))] == ["the file", "the file"]


def test_what_was_changed_while_no_gateway_ran_is_nobody_s(tmp_path: Path) -> None:
    """Whoever flipped last may not have been the only one; what was there before is the store's to say."""
    flipped(tmp_path)
    edit = {"subject": "", "reason": "read as the gateway began", "before": {}, "after": {"digest": AFTER}}
    assert told(Provenance(tmp_path).of_start(AFTER)) == EDIT | edit
