"""Facets become checks; what is not asked for costs nothing. What each kind makes of them is in test_simple.py."""

import pytest

from connectors.soap.facets import Measure, checked, checks, literals
from connectors.soap.fitting import Unfit, collapse
from connectors.soap.lexical import SHAPES, shaped
from connectors.soap.plan import Facets

TEXT = Measure(collapse)


def test_no_facets_are_no_check() -> None:
    """A type without them is only tidied."""
    assert checks(Facets(), TEXT) is None
    assert checked(collapse, None) is collapse


def test_all_facets_are_checked() -> None:
    """The first that is broken is told."""
    check = checks(Facets(max_length=2, enumeration=("a", "abc"), patterns=(("[a-z]*",),)), TEXT)
    assert check is not None
    assert check("a") is None
    with pytest.raises(Unfit, match="has 3 characters, at most 2 are allowed"):
        check("abc")
    with pytest.raises(Unfit, match="is not one of a, abc"):
        check("b")


def test_what_is_checked_is_the_tidy_text() -> None:
    """And that is what comes of it."""
    read = checked(collapse, checks(Facets(length=3), TEXT))
    assert read("  a   b ") == "a b"


def test_a_literal_that_is_none_of_its_type_allows_nothing() -> None:
    """Schemas have such ones; they are passed over."""
    measure = Measure(shaped(*SHAPES["date"]))
    assert list(literals(("soon", " 2024-02-29 "), measure)) == ["2024-02-29"]
