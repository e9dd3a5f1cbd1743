"""White space as XML has it, and how a value is named to people."""

import pytest

from connectors.soap.fitting import JSON, WHITE_SPACE, kind_of, must_be


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("preserve", " a\t\n b\xa0 "), ("replace", " a   b\xa0 "), ("collapse", "a b\xa0")],
)
def test_white_space_is_xml_s_own(rule: str, expected: str) -> None:
    """Space, tab, and the two ends of lines; a space that does not break is text like any other."""
    assert WHITE_SPACE[rule](" a\t\n b\xa0 ") == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "a boolean"),
        (1, "a number"),
        (1.5, "a number"),
        ("a", "a string"),
        ([], "an array"),
        ({}, "an object"),
        (None, "null"),
    ],
)
def test_a_value_is_named(value: JSON, words: str) -> None:
    """By what it is in JSON, never by what it says."""
    assert (kind_of(value), str(must_be("a date", value))) == (words, f"must be a date, not {words}")
