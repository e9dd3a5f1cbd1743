from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError

from connectors import expressions
from connectors.expressions import LONGEST, Expression, MappingFailed, MappingInvalid, is_true

REQUEST = {"path": {"account": "R1"}, "query": {"date": "2026-01-01"}, "header": {"x-user": "ann"}, "body": None}
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=20,
)
"""Documents of few names, so that expressions find something."""
LEAVES = [
    "a",
    "b",
    "c",
    "@",
    "[]",
    "[*]",
    "*",
    "[0]",
    "[-1]",
    "[5]",
    "[0:2]",
    "`1`",
    "'a'",
    "length(@)",
    "keys(@)",
    "a == b",
]
TEXTS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("abc"), inner.filter(lambda text: text[0] in "abc[*")).map(
            lambda both: f"{both[0]}{both[1]}" if both[1][0] == "[" else f"{both[0]}.{both[1]}"
        ),
        st.tuples(inner, inner).map(" | ".join),
        st.tuples(inner, inner).map(lambda both: f"{both[0]} || {both[1]}"),
        st.tuples(inner, inner).map(lambda both: f"{both[0]} && {both[1]}"),
        st.tuples(inner, inner).map(lambda both: f"[{both[0]}, {both[1]}]"),
        st.tuples(inner, inner).map(lambda both: f"{{x: {both[0]}, y: {both[1]}}}"),
        st.tuples(inner, inner).map(lambda both: f"a[?{both[0]}].[{both[1]}]"),
        st.tuples(inner, inner).map(lambda both: f"b[].{{x: {both[0]}, y: {both[1]}}}"),
        inner.map(lambda text: f"!({text})"),
    ),
    max_leaves=6,
)


# ------------------------------------------------------------------------------------------------ expressions


def test_an_expression_finds_something() -> None:
    """JMESPath, over whatever it is given; what is not there is null."""
    assert Expression("path.account")(REQUEST) == "R1"
    assert Expression('header."x-user"')(REQUEST) == "ann"
    assert Expression("body.no.such")(REQUEST) is None


@pytest.mark.parametrize("text", ["", "a.", "a ||", "[", "{a: }", "a\x00", "(" * 5_000, "foo(", "a b"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    """Whoever wrote it is told at once, in one line."""
    with pytest.raises(MappingInvalid, match="is not a JMESPath expression") as caught:
        Expression(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_an_expression_has_a_bound() -> None:
    """No expression of a person is that long."""
    Expression("a" * LONGEST)
    with pytest.raises(MappingInvalid, match="longer than 10,000 characters"):
        Expression("a" * (LONGEST + 1))


@pytest.mark.parametrize(
    "text", ["sum(path)", "no_such(path)", "length(body)", "avg(path.account)", "abs('x')", "sort(@)"]
)
def test_an_expression_that_fails_says_so(text: str) -> None:
    """Whatever goes wrong in it is one error that names the expression."""
    with pytest.raises(MappingFailed) as caught:
        Expression(text)(REQUEST)
    assert str(caught.value).startswith(f"`{text}` cannot be applied: ")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[(None, False), (False, False), ("", False), ([], False), ({}, False)],
        *[(True, True), (0, True), (0.0, True), ("0", True), ([0], True), ({"a": None}, True)],
    ],
)
def test_truth_is_that_of_jmespath(value: Any, expected: bool) -> None:
    """Zero is true there, and empty things are false."""
    assert is_true(value) is expected
    assert Expression("!@")(value) is not expected


# ------------------------------------------------------------------------------------------------ as the library does


@settings(max_examples=150, deadline=None)
@given(TEXTS, PLAIN)
def test_an_expression_finds_what_the_library_finds(text: str, document: Any) -> None:
    """Compiled or interpreted, any expression on any document gives the same, or fails in both."""
    try:
        expected = jmespath.search(text, document)
    except (JMESPathError, AttributeError):
        with pytest.raises((MappingInvalid, MappingFailed)):
            Expression(text)(document)
    else:
        found = Expression(text)(document)
        assert (found, repr(found)) == (expected, repr(expected))


@pytest.mark.parametrize(
    ("text", "document", "expected"),
    [
        ("a.b", {"a": {"b": 1}}, 1),
        ("a.b", {"a": [1]}, None),
        ("a[0]", {"a": [1]}, 1),
        ("a[-2]", {"a": [1]}, None),
        ("a[1]", {"a": {"1": 1}}, None),
        ("a[]", {"a": [1, [2, [3]], None]}, [1, 2, [3]]),
        ("a[]", {"a": {}}, None),
        ("a[].b", {"a": [{"b": 1}, {}, [{"b": 2}]]}, [1, 2]),
        ("a[*].b", {"a": 1}, None),
        ("a[?b].c", {"a": [{"b": 0, "c": 1}, {"b": "", "c": 2}, {"b": 1}]}, [1]),
        ("a[?b].c", {"a": {"b": 1}}, None),
        ("a.{x: b, y: c}", {"a": {"b": 1}}, {"x": 1, "y": None}),
        ("a.{x: b}", {}, None),
        ("a.[b, c]", {"a": {"c": 1}}, [None, 1]),
        ("a.[b]", {}, None),
        ("a | @", {"a": [1]}, [1]),
        ("a.*", {"a": {"b": 1}}, [1]),
        ("'x'", None, "x"),
    ],
)
def test_what_expressions_find(text: str, document: Any, expected: Any) -> None:
    """Each kind of step, on what it fits and on what it does not."""
    assert Expression(text)(document) == jmespath.search(text, document) == expected


# ------------------------------------------------------------------------------------------------ bounds


@pytest.mark.parametrize(
    "text",
    [
        "[@, @]" + " | [@, @]" * 30,
        "{a: @, b: @}" + " | {a: @, b: @}" * 30,
        "a[].[@, @, @]" + ".[@, @, @][].[@, @, @]" * 10,
        "merge({a: @}, {b: @})" + " | merge({a: @}, {b: @})" * 20,
        "map(&[@, @, @, @], " * 10 + "@" + ")" * 10,
        f"`{[0] * 120}` | [].[`{[0] * 120}`]",
        "*." * 10 + "[@, @, @, @, @] | " * 10 + "a",
    ],
)
def test_an_expression_that_multiplies_its_input_is_refused(text: str) -> None:
    """What could fill the memory from a small document is not compiled."""
    with pytest.raises(MappingInvalid, match="can give more than 10,000 times what it is given"):
        Expression(text)


@pytest.mark.parametrize(
    "text",
    [
        "{" + ", ".join(f"m{n}: a.b[].{{x: c, y: d}}" for n in range(250)) + "}",
        "a[?b == 'x' && !(c)].{x: b || c, y: length(d)} | [0]",
        "sort_by(a, &b)[*].[c, d]",
    ],
)
def test_expressions_of_people_are_within_the_bound(text: str) -> None:
    """Long objects and the usual functions stay far below it."""
    Expression(text)


@settings(max_examples=80, deadline=None)
@given(TEXTS, PLAIN)
def test_a_result_is_not_larger_than_it_was_said(text: str, document: Any) -> None:
    """The bound that is worked out from the expression holds for what it finds."""
    try:
        found = Expression(text)(document)
    except (MappingInvalid, MappingFailed):
        return
    assert size(found) <= expressions._copies(jmespath.compile(text).parsed) * (size(document) + 1)


def size(value: Any) -> int:
    """How many values are in one."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(size, inside))
