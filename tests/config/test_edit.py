import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config.check import load
from gateway.config.edit import Flip, flip, starter, write
from gateway.core.model import Serve
from gateway.errors import CommandError, ConfigError
from tests.config.files import FRAME, FRAME_LINES

BLOCK = (
    FRAME
    + """\
  - name: repairs            # the list
    match: GET /repairs
    legacy: office
    new: repairs
    serve: legacy            # flip this word
  - {name: detail, match: "GET /repairs/{id}", legacy: office, new: repairs, serve: "5% new"}
  - name: letters
    match: GET /letters
    legacy: office
    new: repairs
"""
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "routes.yaml"
    path.write_bytes(BLOCK.encode())
    return path


@pytest.mark.parametrize(
    ("word", "text", "serve", "share"),
    [
        ("new", "new", Serve.NEW, 0),
        ("retired", "retired", Serve.RETIRED, 0),
        ("10%", "10% new", Serve.SPLIT, 1000),
        ("0.25% new", "0.25% new", Serve.SPLIT, 25),
    ],
)
def test_a_flip_changes_one_word(path: Path, word: str, text: str, serve: Serve, share: int) -> None:
    """Only the word after `serve:` changes; comments and everything else stay byte for byte."""
    found = flip(path, "repairs", word, {})
    assert found == Flip(
        file=path,
        line=FRAME_LINES + 5,
        before="    serve: legacy            # flip this word",
        after=f"    serve: {text}            # flip this word",
        old_text=BLOCK.encode(),
        new_text=BLOCK.replace("serve: legacy ", f"serve: {text} ").encode(),
        digest=found.digest,
    )
    assert path.read_bytes() == BLOCK.encode()
    write(found)
    estate = load(path, {}).estate
    assert (estate.routes[0].serve, estate.routes[0].share, estate.digest) == (serve, share, found.digest)


def test_quotes_and_flow_style_stay(path: Path) -> None:
    """A route written on one line stays on one line, and a quoted word stays quoted."""
    assert flip(path, "detail", "new", {}).new_text == BLOCK.replace('"5% new"', '"new"').encode()


def test_line_ends_and_byte_order_marks_stay(path: Path) -> None:
    """Files of Windows editors keep their line ends."""
    data = b"\xef\xbb\xbf" + BLOCK.replace("\n", "\r\n").encode()
    path.write_bytes(data)
    assert flip(path, "repairs", "new", {}).new_text == data.replace(b"serve: legacy ", b"serve: new ")
    added = flip(path, "letters", "new", {})
    assert added.new_text == data.replace(b"GET /letters\r\n", b"GET /letters\r\n    serve: new\r\n")


def test_a_route_without_the_key_gets_it_below_its_match(path: Path) -> None:
    """The new line stands where people look for it, indented like the others."""
    found = flip(path, "letters", "5%", {})
    assert found.new_text == BLOCK.replace("GET /letters\n", "GET /letters\n    serve: 5% new\n").encode()
    assert (found.line, found.before, found.after) == (FRAME_LINES + 9, "", "    serve: 5% new")


@pytest.mark.parametrize(
    ("route", "flipped"),
    [
        ("  - legacy: office\n    new: repairs\n    name: a\n    match: GET /a", "\n    serve: new"),
        (
            "  - name: a\n    new: repairs\n    legacy: office\n    match:\n      path: /a # here\n      host: x.org\n",
            "    serve: new\n",
        ),
        (
            "  - name: a\n    legacy: office\n    new: repairs\n    match: {path: /a,\n      host: x.org}\n",
            "    serve: new\n",
        ),
    ],
)
def test_matches_of_all_shapes_get_the_line_below(path: Path, route: str, flipped: str) -> None:
    """A match over several lines, or at the end of a file without a last line end, is no obstacle."""
    path.write_text(FRAME + route)
    assert flip(path, "a", "new", {}).new_text == (FRAME + route + flipped).encode()


def test_a_route_on_one_line_gets_the_key_on_it(path: Path) -> None:
    """In flow style the key follows the match."""
    path.write_text(FRAME + "  - {name: a, match: GET /a, legacy: office, new: repairs}\n")
    assert flip(path, "a", "new", {}).after == "  - {name: a, match: GET /a, serve: new, legacy: office, new: repairs}"


def test_included_files_are_flipped_where_the_route_stands(path: Path) -> None:
    """A route is found in whichever file holds it, and only that file changes."""
    path.write_text("version: 1\ninclude: more.yaml\n" + BLOCK.partition("\n")[2])
    more = path.with_name("more.yaml")
    more.write_text("routes:\n  - {name: x, match: GET /x, legacy: office, new: repairs, serve: legacy}\n")
    found = flip(path, "x", "new", {})
    assert (found.file, found.line) == (more, 2)
    write(found)
    assert "serve: new" in more.read_text()


def test_flipping_to_what_is_served_already_changes_nothing(path: Path) -> None:
    """A script may flip twice: the second time says so and leaves the file alone."""
    found = flip(path, "repairs", "legacy", {})
    assert found.before == found.after
    assert found.line == FRAME_LINES + 5
    before = path.stat()
    write(found)
    assert path.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize(
    ("name", "word", "message"),
    [
        ("repair", "new", "There is no route repair; did you mean repairs?"),
        ("zzz", "new", "There is no route zzz; `banyan routes` lists them"),
        ("repairs", "nwe", "'nwe' is not a word for serve"),
        ("repairs", "101%", "'101%' is more than everything"),
        ("repairs", "ramp", "repairs cannot serve ramp; nothing was changed:"),
    ],
)
def test_what_cannot_be_flipped_is_explained(path: Path, name: str, word: str, message: str) -> None:
    """A misspelt route or word is answered with what would do."""
    with pytest.raises(CommandError) as caught:
        flip(path, name, word, {})
    assert message in str(caught.value)


def test_a_route_is_flipped_to_its_ramp_and_back(path: Path) -> None:
    """Whether the ramp is written or goes by its defaults, only the word changes."""
    route = "  - {name: a, match: GET /a, legacy: office, new: repairs, shadow: 5%%, serve: legacy%s}\n"
    for ramp in ("", ", ramp: {}", ", ramp: {every: 1h}"):
        path.write_text(FRAME + route % ramp)
        there = flip(path, "a", "ramp", {})
        assert there.new_text == (FRAME + route % ramp).replace("serve: legacy", "serve: ramp").encode()
        write(there)
        assert load(path, {}).estate.routes[0].serve is Serve.RAMP
        assert flip(path, "a", "legacy", {}).new_text == (FRAME + route % ramp).encode()


def test_a_flip_that_would_break_the_file_is_refused(path: Path) -> None:
    """A side that is not there cannot serve, and the reason names the line."""
    path.write_text(FRAME + "  - {name: a, match: POST /a, legacy: office, serve: legacy}\n")
    with pytest.raises(CommandError) as caught:
        flip(path, "a", "new", {})
    assert str(caught.value).startswith("a cannot serve new; nothing was changed:\n")
    assert "there is no new side" in str(caught.value)


def test_a_broken_file_is_not_flipped(path: Path) -> None:
    """A file with problems is mended first."""
    path.write_text(BLOCK + "x: 1\n")
    with pytest.raises(ConfigError):
        flip(path, "repairs", "new", {})


@pytest.mark.parametrize(
    ("serve", "message"),
    [
        ("serve: ${SERVE}", "serve comes from the environment (${SERVE}); change it there"),
        ("serve: >-\n      legacy", "serve is written as a block; write `serve: new` in one line by hand"),
        ("match: >-\n      GET /a", "add the line `serve: new` to this route by hand"),
    ],
)
def test_odd_ways_of_writing_are_left_to_a_person(path: Path, serve: str, message: str) -> None:
    """Where one word cannot simply be replaced, the message says what to write."""
    match = "" if serve.startswith("match") else "    match: GET /a\n"
    path.write_text(FRAME + f"  - name: a\n{match}    legacy: office\n    new: repairs\n    {serve}\n")
    with pytest.raises(CommandError) as caught:
        flip(path, "a", "new", {"SERVE": "legacy"})
    assert message in str(caught.value)


class TestWriting:
    """The file on disk is the old one or the new one, never half of either."""

    def test_mode_and_owner_are_kept(self, path: Path) -> None:
        """Who could read the file before can read it after."""
        path.chmod(0o640)
        write(flip(path, "repairs", "new", {}))
        status = path.stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o640, os.getuid())
        assert os.listdir(path.parent) == ["routes.yaml"]

    def test_links_are_followed(self, path: Path, tmp_path: Path) -> None:
        """A link stays a link; what it leads to is changed."""
        link = tmp_path / "link.yaml"
        link.symlink_to("routes.yaml")
        write(flip(link, "repairs", "new", {}))
        assert link.is_symlink()
        assert load(path, {}).estate.routes[0].serve is Serve.NEW

    def test_a_file_changed_meanwhile_is_not_overwritten(self, path: Path) -> None:
        """Two people flipping at once do not undo one another."""
        first, second = flip(path, "repairs", "new", {}), flip(path, "detail", "new", {})
        write(first)
        with pytest.raises(CommandError, match="changed by someone else meanwhile"):
            write(second)

    @pytest.mark.parametrize("read_only", ["routes.yaml", "."])
    def test_a_read_only_place_is_refused_with_advice(self, path: Path, read_only: str) -> None:
        """A mounted configuration is changed where it comes from."""
        place = path.parent / read_only
        found = flip(path, "repairs", "new", {})
        mode = stat.S_IMODE(place.stat().st_mode)
        place.chmod(mode & ~0o222)
        try:
            with pytest.raises(CommandError, match="is read-only; change the file where it is kept"):
                write(found)
        finally:
            place.chmod(mode)

    def test_a_failed_write_leaves_nothing_behind(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A full disk or a mount point leaves the old file, no half one and no litter."""

        def fails(*_: object) -> None:
            raise OSError(16, "Device or resource busy")

        monkeypatch.setattr(os, "replace", fails)
        with pytest.raises(CommandError, match="Device or resource busy"):
            write(flip(path, "repairs", "new", {}))
        assert os.listdir(path.parent) == ["routes.yaml"]
        assert path.read_bytes() == BLOCK.encode()


WORDS = st.sampled_from(["legacy", "new", "retired", "10%", "0.5%", "99.99% new"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["repairs", "detail", "letters"]), WORDS, WORDS, st.booleans())
def test_flips_change_exactly_one_scalar(path: Path, name: str, first: str, second: str, crlf: bool) -> None:
    """Whatever was flipped before, a flip changes one line, and nothing but that route's serve."""
    path.write_bytes(BLOCK.replace("\n", "\r\n" if crlf else "\n").encode())
    write(flip(path, name, first, {}))
    before = load(path, {}).estate.routes
    found = flip(path, name, second, {})
    lines, new_lines = found.old_text.split(b"\n"), found.new_text.split(b"\n")
    assert len(lines) == len(new_lines)
    assert sum(line != new for line, new in zip(lines, new_lines, strict=True)) == (found.before != found.after)
    write(found)
    after = load(path, {}).estate.routes
    assert [
        (one.name, one.serve, one.share) == (two.name, two.serve, two.share)
        for one, two in zip(before, after, strict=True)
    ] == [one.name != name or found.before == found.after for one in before]


def test_the_starter_file_is_valid(tmp_path: Path) -> None:
    """`banyan init` writes a file that loads as it is."""
    path = tmp_path / "routes.yaml"
    path.write_text(starter())
    assert [route.name for route in load(path, {}).estate.routes] == [
        "everything-else",
        "repairs-list",
        "repair-detail",
    ]
