"""Content models: what fits, in which order members are written, and when `$items` is needed."""

import re
import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.soap.content import (
    ANY,
    ITEMS,
    WILD_LETTER,
    Items,
    Model,
    Zip,
    fields_of,
    is_many,
    key_of,
    keys_in,
    leaves_of,
    may_be_absent,
)
from connectors.soap.plan import Field, Group, Particle, Simple, Wild

TEXT = Simple("string", "string")


def f(name: str, least: int = 1, most: int | None = 1) -> Field:
    return Field(name, name, TEXT, least, most)


def seq(*parts: Particle, least: int = 1, most: int | None = 1) -> Group:
    return Group("sequence", parts, least, most)


def alt(*parts: Particle, least: int = 1, most: int | None = 1) -> Group:
    return Group("choice", parts, least, most)


def mix(*parts: Particle, least: int = 1) -> Group:
    return Group("all", parts, least)


def fits(group: Group, elements: str) -> bool:
    """Whether elements named by letters (* for one that a wildcard lets in) fit; if quickly so, then exactly so."""
    model = Model(group)
    letters = "".join(WILD_LETTER if each == "*" else model.letters.get(each, "?") for each in elements)
    found = model.allows(letters)
    assert found or not model.fits(letters)
    return found


def keys(group: Group) -> list[object]:
    """What is written, in order: keys, ITEMS, ANY, or tuples of keys that take turns."""
    found: list[object] = []
    for entry in Model(group).entries:
        match entry:
            case Zip(fields=fields):
                found.append(tuple(each.key for each in fields))
            case Items():
                found.append(ITEMS)
            case _:
                found.append(key_of(entry))
    return found


# ------------------------------------------------------------------------------------------------ what fits


@pytest.mark.parametrize(
    ("group", "right", "wrong"),
    [
        (seq(f("a"), f("b", 0), f("c", 1, None)), ["abc", "ac", "accc"], ["", "ab", "bac", "abbc", "cab"]),
        (seq(f("a", 2, 3)), ["aa", "aaa"], ["a", "aaaa"]),
        (seq(f("a", 2, None)), ["aa", "aaaaa"], ["a"]),
        (alt(f("a"), seq(f("b"), f("c", 0))), ["a", "b", "bc"], ["", "ab", "c"]),
        (alt(f("a"), f("b"), least=0, most=None), ["", "abba"], ["c"]),
        (alt(f("a"), alt(f("b"), f("c"))), ["a", "b", "c"], ["bc", ""]),
        (seq(f("a"), seq(f("b"), f("c"), least=0), f("d")), ["ad", "abcd"], ["abd", "acd"]),
        (seq(f("a"), Wild(least=0, most=2)), ["a", "a*", "a**"], ["*a", "a***"]),
        (seq(Wild()), ["*"], ["", "**"]),
        (mix(f("a"), f("b", 0), f("c")), ["abc", "cab", "ca"], ["ab", "abca", "aabc", "bb"]),
        (mix(f("a"), f("b"), least=0), ["", "ab", "ba"], ["a", "b"]),
        (mix(alt(f("a"), f("b")), f("c", 0)), ["a", "cb", "bc"], ["ab", "c", ""]),
        (seq(seq(f("a"), f("b")), least=2, most=3), ["abab", "ababab"], ["ab", "aba", "abababab"]),
        (seq(alt(f("a"), seq()), f("b")), ["ab", "b"], ["a"]),
        (seq(), [""], ["a"]),
        (alt(), [], ["", "a"]),
    ],
)
def test_elements_fit_or_do_not(group: Group, right: list[str], wrong: list[str]) -> None:
    """Occurrence, order, choices, wildcards and xs:all are as XML Schema has them."""
    assert [each for each in right if not fits(group, each)] == []
    assert [each for each in wrong if fits(group, each)] == []


@pytest.mark.parametrize(
    ("group", "right", "wrong"),
    [
        (seq(f("a", 0), f("a")), ["a", "aa"], ["", "aaa"]),
        (seq(seq(f("a", 2, 3)), least=2, most=2), ["aaaa", "aaaaa", "aaaaaa"], ["aaa", "aaaaaaa"]),
        (alt(f("a"), seq(f("a"), f("b"))), ["a", "ab"], ["b", ""]),
        (seq(seq(f("a", 0, None), f("b", 0), least=0, most=None), f("a"), f("b")), ["ab", "abab", "aab"], ["aba"]),
        (seq(Wild(least=0, most=None), Wild()), ["*", "***"], [""]),
        (seq(mix(f("a"), f("b")), f("c")), ["abc", "bac"], ["ac", "abcc"]),
        (seq(mix(f("a"), f("b")), f("c", 2, 3)), ["abcc", "baccc"], ["abc", "acc"]),
        (
            seq(alt(f("a", 0), seq(f("b", 0), f("c", 0)), Wild(least=0)), f("d", 0)),
            ["", "ad", "bcd", "cd", "*d"],
            ["ab"],
        ),
        (seq(seq(f("a", 0), f("b", 0), least=3, most=None)), ["", "a", "ba", "abab"], ["c"]),
    ],
)
def test_schemas_that_can_be_read_in_two_ways_are_read_in_both(
    group: Group, right: list[str], wrong: list[str]
) -> None:
    """Foreign schemas break the rule of unique attribution; what they mean is accepted all the same."""
    assert [each for each in right if not fits(group, each)] == []
    assert [each for each in wrong if fits(group, each)] == []


occurs = st.sampled_from([(1, 1), (0, 1), (0, None), (1, None), (2, 3), (0, 2)])
leaves = st.builds(lambda name, times: f(name, *times), st.sampled_from("abc"), occurs)
groups = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda kind, parts, times: Group(kind, tuple(parts), *times),
        st.sampled_from(["sequence", "choice"]),
        st.lists(inner, min_size=1, max_size=3),
        occurs,
    ),
    max_leaves=5,
)


def pattern(particle: Particle) -> str:
    """A content model as an ordinary regular expression."""
    if isinstance(particle, Field):
        inner = particle.name
    else:
        assert isinstance(particle, Group)
        inner = ("|" if particle.kind == "choice" else "").join(map(pattern, particle.parts))
    return f"(?:{inner}){{{particle.least},{'' if particle.most is None else particle.most}}}"


@settings(deadline=None)
@given(groups)
def test_matching_agrees_with_regular_expressions(particle: Particle) -> None:
    """Whatever the model, short sequences fit exactly if they match it as an expression."""
    group = seq(particle)
    expected = re.compile(pattern(group)).fullmatch
    for length in range(4):
        for elements in map("".join, product("abc", repeat=length)):
            assert fits(group, elements) == bool(expected(elements))


@pytest.mark.parametrize(
    "group",
    [
        seq(seq(f("a", 0, None), least=0, most=None)),
        seq(seq(seq(f("a", 0, None), least=0, most=None), least=0, most=None)),
        seq(alt(f("a"), seq(f("a"), f("a")), least=0, most=None)),
        seq(*(f("a", 0, None) for _ in range(12)), f("b")),
        seq(seq(f("a", 0), f("c", 0), least=0, most=None), f("b")),
        mix(f("a"), f("b"), f("c")),
    ],
)
@pytest.mark.parametrize("end", ["", "b", "c"])
def test_no_schema_makes_matching_slow(group: Group, end: str) -> None:
    """A foreign schema with nested repetitions takes time in proportion, whether a message fits or not."""
    start = time.process_time()
    fits(group, "a" * 20_000 + end)
    assert time.process_time() - start < 5


def test_any_number_is_a_number() -> None:
    """Occurrences beyond what machines count to mean any number."""
    assert fits(seq(f("a", 0, 10**30)), "aaa")
    assert not fits(seq(f("a", 10**30, 10**30)), "aaa")


# ------------------------------------------------------------------------------------------------ what is in a model


def test_leaves_are_listed_in_order() -> None:
    """Elements and wildcards come in the order of the schema; elements alone leave the wildcards out."""
    group = seq(f("a"), alt(f("b"), Wild()), f("c"))
    assert [key_of(each) for each in leaves_of(group)] == ["a", "b", ANY, "c"]
    assert [each.key for each in fields_of(group)] == ["a", "b", "c"]
    assert keys_in(group) == {"a", "b", "c", ANY}


@pytest.mark.parametrize(
    ("particle", "absent"),
    [
        (f("a"), False),
        (f("a", 0), True),
        (Wild(), False),
        (seq(f("a", 0), f("b", 0)), True),
        (seq(f("a", 0), f("b")), False),
        (alt(f("a"), f("b", 0)), True),
        (alt(f("a"), f("b")), False),
        (seq(f("a"), least=0), True),
    ],
)
def test_what_may_be_absent(particle: Particle, absent: bool) -> None:
    """A particle may be absent when nothing has to be there: itself, all of a sequence, one branch of a choice."""
    assert may_be_absent(particle) == absent


def test_a_member_is_an_array_when_its_element_may_come_again() -> None:
    """By itself, through a group around it, or because it has two places; never because of another branch."""
    model = Model(seq(f("a", 0, 2), seq(f("b"), least=0, most=None), f("c"), f("c"), alt(f("d"), seq(f("d"), f("e")))))
    assert {key: model.is_many(key) for key in model.most} == {"a": True, "b": True, "c": True, "d": False, "e": False}
    assert model.most == {"a": 2, "b": None, "c": 2, "d": 1, "e": 1}
    assert model.arrays == ("a", "b", "c")
    assert is_many(f("a", 0, None))


# ------------------------------------------------------------------------------------------------ order


@pytest.mark.parametrize(
    ("group", "written"),
    [
        (seq(f("a"), f("b")), ["a", "b"]),
        (mix(f("a"), f("b")), ["a", "b"]),
        (seq(f("a"), alt(f("b"), f("c")), f("d")), ["a", "b", "c", "d"]),
        (seq(f("a"), Wild()), ["a", ANY]),
        (seq(Wild(least=0), Wild()), [ANY]),
        (alt(Wild(), seq(f("a"), Wild())), ["a", ANY]),
    ],
)
def test_members_are_written_in_the_order_of_the_schema(group: Group, written: list[object]) -> None:
    """The schema's order counts; wildcards that touch are one member."""
    assert keys(group) == written


@pytest.mark.parametrize(
    ("group", "written"),
    [
        (alt(seq(f("a"), f("c")), seq(f("b"), f("c"))), ["a", "b", "c"]),
        (alt(seq(f("c"), f("a")), seq(f("c"), f("b"))), ["c", "a", "b"]),
        (alt(f("a"), f("b"), seq(f("b"), f("a"))), ["b", "a"]),
        (alt(seq(f("a"), f("b")), seq(f("b"), f("a"))), [ITEMS]),
        (alt(seq(f("a"), f("b"), f("a")), f("c")), [ITEMS]),
    ],
)
def test_an_element_of_several_branches_has_one_place_if_that_suits_all(group: Group, written: list[object]) -> None:
    """Branches that agree about the order make one object; those that contradict each other, a list."""
    assert keys(group) == written


@pytest.mark.parametrize(
    ("group", "written"),
    [
        (seq(seq(f("a"), least=0, most=None)), ["a"]),
        (seq(alt(f("a"), seq(f("a")), most=3)), ["a"]),
        (seq(seq(Wild(), most=None)), [ANY]),
        (seq(seq(f("a"), f("b"), most=None)), [("a", "b")]),
        (seq(seq(f("a"), f("b", 0), most=None)), [ITEMS]),
        (seq(seq(f("a"), f("b"), f("a"), most=None)), [ITEMS]),
        (seq(f("x"), alt(f("a"), f("b"), most=None)), ["x", ITEMS]),
        (seq(f("a"), alt(f("a"), f("b"), most=None)), [ITEMS]),
        (seq(alt(f("a"), f("b"), most=None), alt(f("c"), f("d"), most=None)), [ITEMS]),
        (alt(alt(f("a"), f("b"), most=None), alt(f("c"), f("d"), most=None)), [ITEMS]),
        (seq(alt(f("a"), f("b"), most=None), f("x"), alt(f("c"), f("d"), most=None)), [ITEMS]),
        (seq(Wild(), f("a"), Wild()), [ITEMS]),
        (seq(f("a"), f("b"), f("a")), [ITEMS]),
        (seq(f("a"), f("a", 0), f("b")), ["a", "b"]),
        (alt(seq(f("a"), f("b"), most=None), f("a")), [ITEMS]),
    ],
)
def test_repeated_groups(group: Group, written: list[object]) -> None:
    """One element alone is an array; elements once each take turns; all else is a list whose order counts."""
    assert keys(group) == written


def test_two_lists_that_touch_are_one() -> None:
    """Whether one after another or one or the other: `$items` holds the elements of both."""
    for group in (seq, alt):
        model = Model(group(alt(f("a"), f("b"), most=None), alt(f("c"), f("d"), most=None)))
        assert model.listed == {"a", "b", "c", "d"}
        assert model.arrays == (ITEMS,)
