"""Values are the same by type and by value, whatever Python thinks of true and 1."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.comparing.values import (
    ABSENT,
    Element,
    Repeated,
    canonical,
    number,
    pointer_of,
    pointer_text,
    same_scalar,
    text_of,
    type_of,
)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "boolean"),
        (1, "number"),
        (1.5, "number"),
        (Decimal(1), "number"),
        ("1", "string"),
        ([], "array"),
        (Repeated(), "array"),
        ({}, "object"),
        (Element(), "object"),
        (ABSENT, "absent"),
    ],
)
def test_types_have_the_names_of_json(value: Any, name: str) -> None:
    """Exact numbers are numbers, and XML elements objects."""
    assert type_of(value) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (100, 1e2), (Decimal("0.1"), 0.1), (Decimal("1.0"), 1), ("a", "a"), (None, None), (0, -0.0)],
)
def test_numbers_are_the_same_by_value(one: Any, other: Any) -> None:
    """However they are written, and however they were read."""
    assert same_scalar(one, other)
    assert same_scalar(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, "1"), (1, True), (0, False), (None, False), (None, 0), ("", None), (1, 2), (Decimal("0.1"), 0.2), ("a", "A")],
)
def test_types_are_never_mixed(one: Any, other: Any) -> None:
    """True is not 1 here, as it is in Python."""
    assert not same_scalar(one, other)
    assert not same_scalar(other, one)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("1.50", Decimal("1.5")),
        (0.1, Decimal("0.1")),
        (7, Decimal(7)),
        (True, None),
        (None, None),
        ("seven", None),
        ("NaN", None),
        ("Infinity", None),
    ],
)
def test_numbers_are_exact(value: Any, found: Decimal | None) -> None:
    """0.1 is one tenth, and texts that are numbers are read, too."""
    assert number(value) == found


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3), st.lists, max_leaves=9))
def test_the_canonical_form_tells_types_apart(value: Any) -> None:
    """Values with equal canonical forms are equal, and no exact number is taken for a text."""
    assert canonical(value) == canonical([value][0])
    assert canonical(value) != canonical([value])
    assert canonical(Decimal(5)) != canonical("5")
    assert canonical({"b": 1, "a": Decimal("0.10")}) == b'{"a":{"\\u0000":"0.10"},"b":1}'


def test_scalars_are_written_as_in_tables() -> None:
    """Texts stand for themselves, the rest as in JSON."""
    assert [text_of(each) for each in ("A", True, None, 1.5, Decimal("0.10"))] == ["A", "true", "null", "1.5", "0.10"]


def test_pointers_are_escaped() -> None:
    """`~` and `/` in names are written `~0` and `~1`."""
    assert pointer_text(("a/b", "c~d", "0")) == "/a~1b/c~0d/0"
    assert pointer_text(()) == ""


@given(st.lists(st.text()).map(tuple))
def test_a_written_pointer_is_read_back(pointer: tuple[str, ...]) -> None:
    """Whatever is in its tokens; "" is the whole document."""
    assert pointer_of(pointer_text(pointer)) == pointer
