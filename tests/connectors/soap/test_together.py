"""Members written together, and lists of names for people.

How they are written is in test_encoding.
"""

from connectors.soap.content import Model
from connectors.soap.plan import Group, Wild
from connectors.soap.together import any_written, listed, some, wild_writer


def test_absent_members_write_nothing() -> None:
    """No `$any` and no `$items` is no element."""
    wild = wild_writer(Model(Group("sequence", (Wild(),))))
    pieces: list[str] = []
    assert any_written(wild)({}, pieces.append, None) == (0, "")
    assert listed({}, wild)({}, pieces.append, None) == (0, "")
    assert pieces == []


def test_names_are_shown_in_moderation() -> None:
    """The first eight, and that there are more."""
    assert some(["a", "b"]) == "a, b"
    assert some(dict.fromkeys("abcdefghi")) == "a, b, c, d, e, f, g, h ..."
