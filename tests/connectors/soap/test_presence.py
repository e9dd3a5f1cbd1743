"""What must be there, and what excludes each other."""

import pytest

from connectors.soap.content import Model
from connectors.soap.plan import Facets, Field, Group, Particle, Simple, Wild
from connectors.soap.presence import presence

TEXT = Simple("string", "string", Facets())


def field(name: str, least: int = 1, most: int | None = 1) -> Field:
    return Field(name, name, TEXT, least, most)


A, B, C = field("a"), field("b"), field("c", 0)
MANY = field("m", 0, None)


def sequence(*parts: Particle, least: int = 1, most: int | None = 1) -> Group:
    return Group("sequence", parts, least, most)


def choice(*parts: Particle, least: int = 1, most: int | None = 1) -> Group:
    return Group("choice", parts, least, most)


def test_a_sequence_needs_its_members() -> None:
    """Those of an optional group, and optional ones, may be absent."""
    model = Model(sequence(A, C, sequence(B, least=0), sequence(field("d"), field("e", 2, 3))))
    assert presence(model) == ({"a": 1, "d": 1, "e": 2}, [])


def test_repeated_groups_need_their_arrays() -> None:
    """Unless they may be absent, or a list of `$items` tells the order."""
    turns = sequence(A, B, least=2, most=None)
    assert presence(Model(sequence(turns, Wild()))) == ({"a": 2, "b": 2, "$any": 1}, [])
    assert presence(Model(sequence(sequence(A, B, least=0, most=None)))) == ({}, [])
    assert presence(Model(sequence(choice(A, B, most=None), field("z")))) == ({"z": 1}, [])
    assert presence(Model(choice(A, B, most=None))) == ({}, [])


def test_a_choice_of_elements_is_one_of_them() -> None:
    """The simplest choice is told simply."""
    expected = {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert presence(Model(sequence(choice(A, B)))) == ({}, [expected])


def test_an_optional_choice_may_be_none_of_them() -> None:
    """A way is added for that."""
    none = {"properties": {"a": False, "b": False}}
    expected = {"oneOf": [{"required": ["a"]}, {"required": ["b"]}, none]}
    assert presence(Model(sequence(choice(A, B, least=0)))) == ({}, [expected])


def test_a_larger_way_excludes_the_members_of_the_others() -> None:
    """An absent array is an empty one."""
    found = presence(Model(sequence(choice(sequence(A, C), field("m", 1, None)))))
    assert found[1] == [
        {
            "oneOf": [
                {"required": ["a"], "properties": {"m": {"maxItems": 0}}},
                {"required": ["m"], "properties": {"m": {"minItems": 1}, "a": False, "c": False}},
            ]
        }
    ]


def test_ways_that_an_object_can_have_both() -> None:
    """Then any of them will do."""
    found = presence(Model(sequence(choice(sequence(A, C), sequence(A, MANY)))))
    assert [list(rule) for rule in found[1]] == [["anyOf"]]


def test_a_way_with_nothing_it_must_have() -> None:
    """A choice with an optional branch needs no way for none."""
    found = presence(Model(sequence(choice(A, C, least=0))))
    assert found[1] == [{"oneOf": [{"required": ["a"], "properties": {"c": False}}, {"properties": {"a": False}}]}]


def test_the_same_way_twice_is_told_once() -> None:
    """A choice of one element in two branches is that element."""
    assert presence(Model(sequence(choice(A, A))))[1] == [{"anyOf": [{"required": ["a"]}]}]


@pytest.mark.parametrize(("ways", "told"), [(5, True), (6, False)])
def test_too_large_a_choice_is_not_told(ways: int, told: bool) -> None:
    """A reader would not get through it."""
    branches = [sequence(field(f"a{n}"), field(f"b{n}")) for n in range(2 * ways)]
    assert bool(presence(Model(sequence(choice(*branches))))[1]) is told


def test_ways_may_hold_lists_and_turns() -> None:
    """A branch that is a repeated choice is its `$items`, and one of turns is its arrays."""
    listed, turns = choice(A, B, most=None), sequence(field("k"), field("v"), most=None)
    found = presence(Model(sequence(choice(listed, turns))))
    assert found[1][0]["oneOf" if "oneOf" in found[1][0] else "anyOf"][1]["required"] == ["k", "v"]
