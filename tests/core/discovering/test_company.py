"""Whether words are values: one rule at a time, and all of them together."""

from typing import Any

import pytest

from gateway.core.discovering.company import NEVER, RULES, Company, novelty, position, weight
from gateway.core.discovering.words import is_by, is_deed, is_fixed, is_general, is_plural, is_program

PLAIN = Company(
    words=8,
    requests=16,
    rare=0.5,
    plural=0.2,
    deeds=0.0,
    odd=0.0,
    followed=0.0,
    valued=0.0,
    before=b"housing",
    listed=False,
    beside="nothing",
)
SURNAMES = PLAIN._replace(words=30, requests=40, rare=0.9, before=b"tenants")


@pytest.mark.parametrize(
    ("rule", "more"),
    [
        ("number", {"words": 16}),
        ("novelty", {"requests": 8}),
        ("continuation", {"followed": 1.0}),
        ("position", {"before": b"tenants"}),
        ("position", {"before": b"by-surname"}),
        ("oddity", {"odd": 0.5}),
        ("precedent", {"beside": "words"}),
    ],
)
def test_what_speaks_for_values(rule: str, more: dict[str, Any]) -> None:
    """Many words, new ones all the time, a common continuation, a collection before them."""
    assert RULES[rule](PLAIN._replace(**more)) > RULES[rule](PLAIN)


@pytest.mark.parametrize(
    ("rule", "more"),
    [
        ("number", {"words": 4}),
        ("novelty", {"requests": 200, "rare": 0.0}),
        ("continuation", {"valued": 1.0}),
        ("position", {"before": None}),
        ("position", {"before": b"Rents.svc"}),
        ("plurals", {"plural": 1.0}),
        ("deeds", {"deeds": 1.0}),
        ("precedent", {"beside": "values"}),
    ],
)
def test_what_speaks_against_values(rule: str, more: dict[str, Any]) -> None:
    """Few words that all come again, values behind them, plurals, verbs, identifiers beside them."""
    assert RULES[rule](PLAIN._replace(**more)) < RULES[rule](PLAIN)


def test_no_junk_at_the_top_makes_a_parameter() -> None:
    """Not if there are thousands of words. Only what they have in common can: council tenants, each with the same."""
    flood = PLAIN._replace(words=5_000, requests=5_000, rare=1.0, before=b"")
    assert position(flood) == NEVER
    assert weight(flood) < 0 < weight(flood._replace(followed=1.0))


def test_a_closed_set_that_goes_on_in_the_same_way_is_one_of_values() -> None:
    """Wards are all known soon. What is asked about each of them tells that they are values."""
    wards = SURNAMES._replace(words=12, requests=2_000, rare=0.0, before=b"wards")
    assert novelty(wards) == -3.0
    assert weight(wards) < 0 < weight(wards._replace(followed=1.0))


def test_the_rules_together() -> None:
    """Surnames are values; forms, operations and reports are each an endpoint."""
    assert weight(SURNAMES) > 0
    assert weight(SURNAMES._replace(deeds=1.0)) < 0
    assert weight(SURNAMES._replace(before=None, words=10, requests=300, rare=0.0)) < 0
    assert weight(PLAIN) < 0


def test_what_words_tell_by_themselves() -> None:
    """Plurals, verbs, programs, versions, and what is done with a collection."""
    assert [word for word in (b"repairs", b"people", b"status", b"address", b"fees") if is_plural(word)] == [
        b"repairs",
        b"people",
        b"fees",
    ]
    assert [word for word in (b"GetTenant", b"pay-rent", b"payments", b"$x") if is_deed(word)] == [
        b"GetTenant",
        b"pay-rent",
    ]
    assert [word for word in (b"Rents.asmx", b"asmx", b"a.csv") if is_program(word)] == [b"Rents.asmx"]
    assert [word for word in (b"", b"search", b"Index.php", b"v2", b"smith") if is_fixed(word)] == [
        b"",
        b"search",
        b"Index.php",
        b"v2",
    ]
    assert [word for word in (b"", b"api", b"V1", b"repairs") if is_general(word)] == [b"", b"api", b"V1"]
    assert [word for word in (b"by-surname", b"bypass") if is_by(word)] == [b"by-surname"]
