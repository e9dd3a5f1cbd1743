"""Rules lead to their places, by names and by `*`, and say when values pass for the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.comparing.rules import PLAIN, RULES, Place, Rules, compiled, normal
from gateway.core.policies import Compare
from tests.core.comparing.answers import pointer, rules


def place(found: Rules, text: str) -> Place:
    here = found.across
    for token in pointer(text):
        here = here.step(token)
    return here


def test_without_rules_every_place_is_plain() -> None:
    """Wherever a pointer leads; nothing is made for it."""
    assert compiled(Compare()) == Rules(PLAIN, PLAIN, (b"content-type", b"location"))
    assert place(compiled(Compare()), "/a/b") is PLAIN


def test_a_rule_is_for_its_place_only() -> None:
    """Neither above it, nor below, nor beside."""
    found = rules(case=["/a/b"])
    assert [bool(place(found, text).leniences) for text in ("", "/a", "/a/b", "/a/b/c", "/a/c")] == [0, 0, 1, 0, 0]


def test_the_whole_document_has_a_pointer() -> None:
    """The empty one (RFC 6901, section 5)."""
    assert compiled(Compare(ignore=((),))).across.ignore
    assert compiled(Compare(unordered=(((), "id"),))).across.unordered == "id"


def test_a_star_is_any_one_token() -> None:
    """Beside names, whose own rules are joined to those of the star."""
    found = rules(ignore=["/*/b"], case=["/a/b", "/a/*"])
    assert [place(found, text).ignore for text in ("/a/b", "/x/b", "/b", "/x/y/b")] == [True, True, False, False]
    assert [bool(place(found, text).leniences) for text in ("/a/b", "/a/x", "/x/b")] == [True, True, False]


def test_places_tell_what_lies_below() -> None:
    """So that the walk may skip what no rule is for."""
    found = rules(ignore=["/a/x"], map={"/b/x": (("A", "1"),)}, redact=["/c/x"], show=["/d/x"])
    assert [place(found, text).plain for text in ("", "/a", "/b", "/c", "/d", "/e")] == [0, 0, 0, 1, 1, 1]
    assert [place(found, text).skips for text in ("", "/a", "/b", "/b/x", "/c")] == [0, 1, 0, 0, 1]
    assert [place(found, text).hides for text in ("", "/a", "/c", "/c/x")] == [1, 0, 1, 1]
    assert place(found, "/d/x").show
    assert not rules(map={"/*/x": (("A", "1"),)}).across.skips


def test_every_rule_of_a_route_is_compiled() -> None:
    """Each word of `compare:` but `headers`, which are no places."""
    assert set(RULES) == set(Compare._fields) - {"headers"}


def test_tables_are_for_two_sides_only() -> None:
    """Between two answers of one side nothing is translated; all other rules hold."""
    found = rules(map={"/a": (("A", "1"),)}, ignore=["/b"])
    assert found.across.step("a").table == {"A": "1"}
    assert found.within.step("a").table is None
    assert found.within.step("b").ignore


def test_headers_are_compared_by_lower_case_names() -> None:
    """Whatever case they are written in."""
    assert rules(headers=["X-Total"]).headers == (b"x-total",)


def passes(one: Any, other: Any, **said: Any) -> bool:
    (lenience,) = place(rules(**said), "/a").leniences
    assert lenience.same(one, other) == lenience.same(other, one)
    return lenience.same(one, other)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1.0, 1.005, True),
        (1.0, 1.0051, False),
        (0.1 + 0.2, 0.3, True),
        ("1.00", "1.005", True),
        ("1.00", "1.1", False),
        ("1", 1, False),
        ("a", "a", False),
        (True, 1, False),
    ],
)
def test_tolerance_is_exact(one: Any, other: Any, same: bool) -> None:
    """Decimal arithmetic on what was written, of numbers or of texts that are numbers, not of one and the other."""
    assert passes(one, other, tolerance={"/a": "0.005"}) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2026-11-22T12:00:00Z", "2026-11-22T13:00:00+01:00", True),
        ("2026-11-22T12:00:00", "2026-11-22T12:00:00+01:00", False),
        ("soon", "soon", False),
        (1, "2026-11-22", False),
    ],
)
def test_instants_are_compared_as_such(one: Any, other: Any, same: bool) -> None:
    """A local time is not the same as one with an offset."""
    assert passes(one, other, same_instant=["/a"]) is same


@pytest.mark.parametrize(("one", "other", "same"), [("Straße", "STRASSE", True), ("a", "b", False), (1, "a", False)])
def test_letters_of_either_case_are_the_same(one: Any, other: Any, same: bool) -> None:
    """As Unicode folds them."""
    assert passes(one, other, case=["/a"]) is same


@pytest.mark.parametrize(
    ("said", "one", "other"),
    [
        ({"ignore": ["/a"]}, {"a": 1, "b": 2}, {"b": 2}),
        ({"absent_is_null": ["/a"]}, {"a": None, "b": 2}, {"b": 2}),
        ({"tolerance": {"/a": "1"}}, {"a": 1}, {"a": 2}),
        ({"same_instant": ["/a"]}, {"a": "2026-11-22"}, {"a": "2026-11-22T00:00:00Z"}),
        ({"case": ["/a"]}, {"a": "A"}, {"a": "a"}),
        ({"unordered": {"/a": ""}}, {"a": [1, 2]}, {"a": [2, 1]}),
        ({"case": ["/*/0"]}, {"a": ["A", "b"]}, {"a": ["a", "b"]}),
        ({"map": {"/a": (("A", "1"), ("null", "0"))}}, {"a": "A"}, {"a": "1"}),
        ({"map": {"/a": (("A", "1"), ("null", "0"))}}, {"a": None}, {"a": "0"}),
    ],
)
def test_the_normal_form_is_one_for_what_passes(said: dict[str, Any], one: Any, other: Any) -> None:
    """So that items of lists without order find their partners."""
    found = rules(**said).across
    assert normal(one, found, legacy=True) == normal(other, found, legacy=False)


@pytest.mark.parametrize("value", [None, 5, "x", "soon", [1, 2]])
def test_the_normal_form_leaves_the_rest(value: Any) -> None:
    """What a rule is not for stays as it is."""
    found = rules(case=["/a"], same_instant=["/a"], tolerance={"/b": "1"}, absent_is_null=["/c"], unordered={"/d": ""})
    said = {"a": value, "b": "word", "c": value or 1, "d": 7, "e": [value]}
    assert normal(said, found.across, legacy=True) == said


@given(st.lists(st.lists(st.sampled_from("ab*"), max_size=4), max_size=5), st.lists(st.sampled_from("abc"), max_size=4))
def test_the_tree_agrees_with_the_pointers(written: list[list[str]], path: list[str]) -> None:
    """A place has a rule exactly where one of its pointers, read token by token, leads."""
    found = compiled(Compare(ignore=tuple(tuple(each) for each in written))).across
    for token in path:
        found = found.step(token)

    def leads(pointer: list[str]) -> bool:
        return len(pointer) == len(path) and all(
            each in ("*", token) for each, token in zip(pointer, path, strict=True)
        )

    assert found.ignore == any(leads(each) for each in written)
