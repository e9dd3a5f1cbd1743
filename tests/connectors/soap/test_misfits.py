"""Why elements do not fit: every reason, at the member it is about."""

import pytest

from connectors.soap.content import Model
from connectors.soap.misfits import misfits, object_to_misfits
from connectors.soap.plan import Group, Wild
from connectors.soap.problems import MOST_PROBLEMS, At, Broken, Problem
from tests.connectors.soap.test_content import alt, f, mix, seq

ORDER = ("", "has elements in an order that the schema does not allow")


def test_what_is_missing_and_what_comes_too_often_is_counted() -> None:
    """Each member that is missing, or there in the wrong number, is listed."""
    group = seq(f("a"), f("b", 2, 3), f("c", 0, 2), f("d"), Wild())
    assert misfits(group, {"b": 1, "c": 4, "d": 1}) == [
        ("a", "is missing"),
        ("b", "comes 1 times, at least 2 are needed"),
        ("c", "comes 4 times, at most 2 are allowed"),
        ("$any", "is missing"),
    ]


@pytest.mark.parametrize(
    ("group", "counts", "expected"),
    [
        (alt(f("a"), seq(f("b", 0), f("c"))), {}, [("", "needs one of a, c")]),
        (alt(f("a"), alt(f("b"), seq(f("c", 0)))), {}, [ORDER]),
        (alt(f("a"), alt(f("b"), f("c"))), {}, [("", "needs one of a, b, c")]),
        (alt(seq(f("b", 0), f("c", 0)), f("a")), {"x": 1}, [ORDER]),
        (alt(*(f(name) for name in "abcdefghij")), {}, [("", "needs one of a, b, c, d, e, f, g, h ...")]),
        (alt(f("a"), f("b")), {"a": 1, "b": 1}, [("b", "excludes a: only one of them may come")]),
        (alt(seq(f("a"), f("c")), seq(f("b"), f("c"))), {"a": 1}, [("c", "is missing")]),
        (alt(seq(f("a"), f("c")), seq(f("b"), f("c"))), {"a": 1, "c": 1}, [ORDER]),
        (alt(f("a"), f("b", 0), least=0, most=None), {"a": 5}, [ORDER]),
        (alt(seq(least=1), f("a")), {"a": 2}, [("a", "comes 2 times, at most 1 are allowed")]),
    ],
)
def test_choices_tell_what_they_need(group: Group, counts: dict[str, int], expected: list[tuple[str, str]]) -> None:
    """No branch: which there are. Two: that one excludes the other. One that is not whole: what it lacks."""
    assert misfits(group, counts) == expected


def test_an_optional_group_that_has_begun_has_to_be_whole() -> None:
    """An optional group asks for nothing until one of its elements is there."""
    group = seq(f("a"), seq(f("b"), f("c"), least=0))
    assert misfits(group, {}) == [("a", "is missing")]
    assert misfits(group, {"a": 1, "b": 1}) == [("c", "is missing")]


def test_a_repeated_group_sets_no_limit() -> None:
    """In a group that may come again, elements may too."""
    assert misfits(seq(seq(f("a"), f("b"), most=None)), {"a": 3}) == [("b", "is missing")]


def test_an_element_with_two_places_is_not_counted_against_one() -> None:
    """Where the numbers mean nothing, it is the order that is wrong."""
    assert misfits(seq(f("a"), f("b"), f("a")), {"a": 2, "b": 1}) == [ORDER]


def test_nothing_missing_in_any_order() -> None:
    """Members of xs:all are counted like those of a sequence."""
    assert misfits(mix(f("a"), f("b", 0)), {"b": 2}) == [
        ("a", "is missing"),
        ("b", "comes 2 times, at most 1 are allowed"),
    ]


# ------------------------------------------------------------------------------------------------ noting them


def noted(group: Group, elements: str, before: list[Problem] | None = None) -> list[Problem]:
    model = Model(group)
    problems = before or []
    object_to_misfits(model, "".join(model.letters[each] for each in elements), At(problems)["x"])
    return problems


def test_reasons_stand_at_their_members() -> None:
    """A reason is noted at the member it is about, and one about the whole at the object."""
    assert noted(seq(f("a"), f("b")), "b") == [("/x/a", "is missing")]
    assert noted(seq(f("a"), f("b")), "ba") == [("/x", ORDER[1])]


def test_what_stands_in_a_list_is_told_at_the_list() -> None:
    """Members of `$items` have no pointer of their own: the reason names them."""
    assert noted(seq(alt(f("a"), f("b"), most=None), f("c")), "a") == [("/x/c", "is missing")]
    assert noted(seq(f("a"), f("b"), f("a"), f("c")), "a") == [
        ("/x/$items", "b is missing"),
        ("/x/$items", "c is missing"),
    ]


def test_what_fits_at_a_second_look_is_no_problem() -> None:
    """The quick match may be too strict for a schema that can be read in two ways."""
    assert noted(seq(f("a", 0), f("a")), "a") == []


def test_nobody_keeping_track_ends_it_at_once() -> None:
    """Without a place the first problem is the last."""
    model = Model(seq(f("a")))
    with pytest.raises(Broken):
        object_to_misfits(model, "", None)


def test_a_member_is_objected_to_once() -> None:
    """What is wrong in itself is not said to be missing as well."""
    assert noted(seq(f("a")), "", [Problem("/x/a", "is odd")]) == [("/x/a", "is odd")]
    assert noted(alt(f("a"), f("b")), "", [Problem("/x/a", "is odd")]) == [("/x/a", "is odd")]


def test_enough_is_enough() -> None:
    """Where the list of problems is full, nothing more is worked out."""
    assert len(noted(seq(f("a")), "", [Problem(f"/{each}", "") for each in range(MOST_PROBLEMS)])) == MOST_PROBLEMS
