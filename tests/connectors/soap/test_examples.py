"""Examples of simple types."""

import re

import pytest
from hypothesis import given

from connectors.soap.examples import LONG, MOST, examples, matching
from connectors.soap.plan import Facets, Simple
from connectors.soap.simple import JSON, codec, decoder
from tests.connectors.soap.test_simple import (
    BASE64,
    BOOLEAN,
    DATE,
    DATE_TIME,
    DECIMAL,
    DOUBLE,
    HEX,
    INT,
    INTEGER,
    STRING,
    TOKEN,
    TYPES,
    either,
    listing,
    of,
)


def shown(type: Simple) -> list[JSON]:
    return list(examples(type))


@given(TYPES)
def test_examples_are_valid(type: Simple) -> None:
    """Every example is written and read back as the very same value; there are a handful, each once."""
    decode, encode = codec(type)
    found = shown(type)
    assert [repr(value) for value in found] == [repr(decode(encode(value))) for value in found]
    assert len({repr(value) for value in found}) == len(found) <= MOST


def lengths(type: Simple) -> set[int]:
    return {len(value) for value in shown(type) if isinstance(value, str | list)}


def test_lengths() -> None:
    """The shortest and the longest are there, but the longest keeps within reason unless the type insists."""
    assert {1, 4} <= lengths(of(STRING, min_length=1, max_length=4))
    assert {0, LONG} <= lengths(STRING)
    assert {60} == lengths(of(STRING, min_length=60))
    assert {3} == lengths(of(STRING, length=3))
    assert {4, 10} == lengths(of(HEX, min_length=2, max_length=5))
    assert {4, 8} == lengths(of(BASE64, max_length=4))
    assert {0, 1, 2, 3} == lengths(listing(INT, max_length=3))


def test_enumeration() -> None:
    """Of an enumeration the first five are shown, and nothing else."""
    assert shown(of(STRING, enumeration=tuple("ABCDEF"))) == ["A", "B", "C", "D", "E"]
    assert sorted(shown(of(INT, enumeration=("1", "02", "x"))), key=repr) == [1, 2]
    assert shown(either(INT, STRING, enumeration=("b", "1"))) == ["b", 1]


@pytest.mark.parametrize(
    ("type", "some"),
    [
        (BOOLEAN, [True, False]),
        (INT, [0, -1, 2**31 - 1, -(2**31)]),
        (INTEGER, [2**53, str(2**53 + 1)]),
        (of(INTEGER, total_digits=3), [999, -999, 0]),
        (of(INTEGER, min_exclusive="5", max_inclusive="9"), [6, 9]),
        (DECIMAL, ["0", "-1", "1.50"]),
        (of(DECIMAL, total_digits=5, fraction_digits=2), ["999.99", "-999.99", "0.01"]),
        (of(DECIMAL, total_digits=2, fraction_digits=2), [".99", "0.99"][1:]),
        (of(DECIMAL, fraction_digits=0), ["999999999999", "1"]),
        (of(DECIMAL, min_inclusive="10.5", max_inclusive="20"), ["10.5", "20"]),
        (of(DECIMAL, min_exclusive="100", max_exclusive="200.5"), ["101"]),
        (DOUBLE, [0.0, -2.25, "INF", "-INF", "NaN"]),
        (of(DOUBLE, min_exclusive="200", max_inclusive="300"), [201.0, 200.5, 300.0]),
        (of(DOUBLE, max_exclusive="x"), [1.5]),
        (DATE_TIME, ["2024-02-29T12:30:00Z", "2024-02-29T12:30:00"]),
        (of(DATE, min_inclusive="2030-01-01"), ["2030-01-01"]),
        (Simple("verbatim", "anyURI"), ["urn:example:1"]),
        (Simple("verbatim", "strange"), ["banyan"]),
        (Simple("qname", "QName"), ["name"]),
        (Simple("string", "language"), ["en-GB"]),
        (TOKEN, ["banyan"]),
        (listing(INT), [[]]),
        (Simple("list", "NMTOKENS", Facets(length=1)), [["banyan"]]),
        (listing(of(INT, enumeration=("x",))), [[]]),
        (either(INT, BOOLEAN), [0, True]),
    ],
)
def test_limits(type: Simple, some: list[JSON]) -> None:
    """Zero, negative, the least and the greatest, with and without zone: what the kind has is shown."""
    found = [repr(value) for value in shown(type)]
    assert [value for value in some if repr(value) not in found] == []


PATTERNS = [
    r"[A-Z]{2}\d{6}[A-D]?",
    r"[A-Z]{1,2}[0-9R][0-9A-Z]? [0-9][A-Z]{2}",
    r"\d{4}-(?:0[1-9]|1[0-2])",
    r"[^\s].*",
    r"[^a-zA-Z0-9]x",
    r"\D\w\W\S\s?",
    r"(?>ab)c++d+?",
    r"[^a]b|c",
    r"^x$",
    r"[\u4e00-\u9fff][ß]",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns(pattern: str) -> None:
    """Texts that match a pattern are found, and a type with that pattern has examples."""
    assert any(re.fullmatch(pattern, text) for text in matching(pattern))
    assert shown(of(STRING, patterns=((pattern,),))) != []


def test_patterns_together() -> None:
    """Of several patterns and a length, texts are found that fit all."""
    type = of(STRING, patterns=(("[A-Z]+", "[0-9]+"), ("[0-9A]{2,}",)), max_length=5)
    assert shown(type) != []
    assert [decoder(type)(str(text)) for text in shown(type)] == shown(type)


def test_nothing() -> None:
    """A type that allows nothing, or nothing that could be found, has no examples."""
    assert shown(either()) == []
    assert shown(of(STRING, patterns=((r"[^\s\S]",),))) == []
    assert shown(of(STRING, patterns=((r"(abc)\1(?=d)d[^\x00-\U0010ffff]",),))) == []
