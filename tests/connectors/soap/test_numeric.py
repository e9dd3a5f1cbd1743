"""Numbers, and the ways to spell them. What each type reads and writes is in test_simple.py."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.numeric import other_numbers, whole_range
from connectors.soap.plan import Facets, Simple


@given(st.decimals(-1_000, 1_000, places=3))
def test_every_spelling_is_of_the_same_number(number: Decimal) -> None:
    """With zeros before and after, and a plus sign where there is no minus."""
    spelled = list(other_numbers(str(number)))
    assert {Decimal(each) for each in spelled} == {number}
    assert any(each.startswith("+") for each in spelled) is not spelled[0].startswith("-")


def test_what_is_no_number_has_one_spelling() -> None:
    """INF is INF."""
    assert list(other_numbers("-INF")) == []


@pytest.mark.parametrize(
    ("base", "facets", "expected"),
    [
        ("integer", Facets(), (-math.inf, math.inf)),
        ("byte", Facets(), (-128, 127)),
        ("byte", Facets(min_inclusive="1", max_exclusive="10"), (1, 9)),
        ("byte", Facets(min_exclusive="-500", max_inclusive="500"), (-128, 127)),
        ("positiveInteger", Facets(max_inclusive="many"), (1, math.inf)),
    ],
)
def test_a_whole_number_has_a_range(base: str, facets: Facets, expected: tuple[float, float]) -> None:
    """Of the built-in type and the bounds together, whichever is narrower."""
    assert whole_range(Simple("integer", base, facets)) == expected
