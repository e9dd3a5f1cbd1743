"""How parameters are called."""

import pytest

from gateway.core.discovering.looks import Look
from gateway.core.discovering.names import look_of, parameter, singular


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("repairs tenancies addresses statuses houses licences taxes branches", None),
        ("repair tenancy address status house licence tax branch", None),
        ("people children premises news", "person child premises news"),
        ("council-tax councilTax Council_Tax", "council_tax council_tax council_tax"),
        ("by-surname for-account getTenants search_by_name Rents.asmx", "surname account tenant name rent"),
        ("uses gas ties 2026 $", "use gas tie  "),
    ],
)
def test_singular(words: str, expected: str | None) -> None:
    """A parameter is called like one of what the word before it names."""
    wanted = "repair tenancy address status house licence tax branch" if expected is None else expected
    assert [singular(word) for word in words.split(" ")] == wanted.split(" ")


@pytest.mark.parametrize(
    ("before", "looks", "expected"),
    [
        (b"repairs", {"id"}, "repair"),
        (b"repairs", {"uuid"}, "repair"),
        (b"slots", {"date"}, "date"),
        (b"slots", {"date", "id"}, "slot"),
        (b"zones", {"postcode"}, "postcode"),
        (b"tenants", {"word"}, "tenant_name"),
        (b"tenants", {"word", "id"}, "tenant_name"),
        (b"by-surname", {"word"}, "surname"),
        (b"v2", {"uuid"}, "uuid"),
        (b"v2", {"id"}, "id"),
        (None, {"id"}, "id"),
        (None, {"word"}, "name"),
        (None, {"date"}, "date"),
    ],
)
def test_parameters(before: bytes | None, looks: set[Look], expected: str) -> None:
    """After the word before them, unless what stands there says more; and by it, where there is no such word."""
    assert parameter(before, looks, ()) == expected


def test_no_name_twice() -> None:
    """A path has each name once."""
    assert parameter(b"notes", {"id"}, ("note", "note2")) == "note3"


def test_names_tell_what_stands_there() -> None:
    """Whoever reads a template knows whether words are values there."""
    names = ("repair", "date", "month", "year", "email", "postcode", "uuid", "tenant_name", "name2", "date2")
    assert [look_of(name) for name in names] == [
        "id",
        "date",
        "month",
        "year",
        "email",
        "postcode",
        "uuid",
        "word",
        "word",
        "date",
    ]
