"""Members written together: which elements wildcards let in, and lists of names for people.

How they are written is in test_encoding.
"""

import pytest

from connectors.soap.content import Model
from connectors.soap.plan import Group, Wild
from connectors.soap.together import admission, any_written, listed, some, wild_writer


@pytest.mark.parametrize(
    ("namespaces", "target", "allowed"),
    [
        (("##any",), "urn:t", ["a", "{urn:t}a", "{urn:u}a"]),
        (("##other",), "urn:t", ["{urn:u}a"]),
        (("##other",), "", ["{urn:t}a", "{urn:u}a"]),
        (("##local",), "urn:t", ["a"]),
        (("",), "urn:t", ["a"]),
        (("##targetNamespace",), "urn:t", ["{urn:t}a"]),
        (("urn:u", "##local"), "urn:t", ["a", "{urn:u}a"]),
        ((), "urn:t", []),
    ],
)
def test_wildcards_let_in_some_namespaces(namespaces: tuple[str, ...], target: str, allowed: list[str]) -> None:
    """As the schema says: any, other than its own, none, its own, or those that are listed."""
    admits = admission((Wild(namespaces, target=target),))
    assert [name for name in ("a", "{urn:t}a", "{urn:u}a") if admits(name)] == allowed


def test_one_of_several_wildcards_is_enough() -> None:
    """An element may stand where any of them lets it in."""
    admits = admission((Wild(("urn:a",)), Wild(("urn:b",))))
    assert [admits(name) for name in ("{urn:a}x", "{urn:b}x", "{urn:c}x")] == [True, True, False]


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
