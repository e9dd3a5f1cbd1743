"""Values beside zeep's: the same as values, however they are spelled or typed."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from benchmarks.agreeing import Walk, same
from connectors.soap.plan import ANY_TYPE, Complex, Field, Group, Kind, Schema, Simple

STRING, INT = Simple("string", "string"), Simple("integer", "int")


class Value:
    """What zeep makes of a complex type."""

    def __init__(self, **values: Any) -> None:
        self.__values__ = values


@pytest.mark.parametrize(
    ("kind", "base", "ours", "theirs"),
    [
        ("decimal", "decimal", "1.50", Decimal("1.5")),
        ("integer", "long", str(2**60), 2**60),
        ("float", "double", "NaN", float("nan")),
        ("verbatim", "date", "2024-02-29", date(2024, 2, 29)),
        ("verbatim", "duration", "P1DT12H", timedelta(days=1, hours=12)),
        ("base64", "base64Binary", "YWI=", b"ab"),
        ("string", "string", "", None),
        ("boolean", "boolean", True, True),
    ],
)
def test_values_are_compared_as_values(kind: Kind, base: str, ours: object, theirs: object) -> None:
    """A decimal by its number, a date by its day, bytes by what they are."""
    assert same(Simple(kind, base), ours, theirs)


def test_lists_and_unions_are_compared_by_what_is_in_them() -> None:
    """Item by item; a member of a union by any that fits, or as the text zeep leaves it."""
    numbers = Simple("list", "anySimpleType", item=INT)
    either = Simple("union", "anySimpleType", members=(INT, STRING))
    assert same(numbers, [1, 2], [1, 2])
    assert not same(numbers, [1, 2], [1])
    assert same(either, 5, "5")
    assert same(either, 5, 5)
    assert not same(either, 5, "6")


def walked(group: Group, ours: object, theirs: object) -> tuple[list[str], set[str]]:
    walk = Walk(Schema((Complex("{urn:t}T", content=group),)))
    return [str(each) for each in walk.compare(0, ours, theirs)], walk.passed


A, B, MANY = (
    Field("{urn:t}a", "a", INT, least=0),
    Field("{urn:t}b", "b", STRING, least=0),
    Field("m", "m", INT, 0, None),
)


def test_a_difference_is_told_with_its_place() -> None:
    """The pointer, our value and zeep's; lengths of arrays where these differ."""
    sequence = Group("sequence", (A, MANY))
    assert walked(sequence, {"a": 1, "m": [1]}, Value(a=2, m=[1])) == (["/a: 1 here, 2 by zeep"], set())
    assert walked(sequence, {"m": [1]}, Value(a=None, m=[])) == (["/m: '1 items' here, '0 items' by zeep"], set())
    assert walked(sequence, {"a": 1, "m": [1, 2]}, Value(a=1, m=[1, 2])) == ([], set())


def test_what_zeep_does_not_model_is_passed_over() -> None:
    """Repeated groups and falsy values in choices are told, and are no difference."""
    items = Group("choice", (A, B), least=0, most=None)
    assert walked(items, {"$items": [{"a": 1}]}, Value(_value_1=[])) == ([], {"a repeated group"})
    assert walked(Group("choice", (A, B)), {"a": 0}, Value(a=None, b=None)) == ([], {"0, false or nothing in a choice"})


def test_values_without_a_type_are_compared_by_what_they_say() -> None:
    """A plain value by its own type, a told one by the type told."""
    walk = Walk(Schema())
    told = {"$type": "xs:date", "$value": "2024-02-29"}
    assert list(walk.compare(ANY_TYPE, told, date(2024, 2, 29))) == []
    assert list(walk.compare(ANY_TYPE, 5, 5)) == []
    assert [str(each) for each in walk.compare(ANY_TYPE, 5, 6)] == ["/: 5 here, 6 by zeep"]
    assert list(walk.compare(ANY_TYPE, {"$xml": "<x/>"}, None)) == []
