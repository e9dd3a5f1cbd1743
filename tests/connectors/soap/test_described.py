"""Simple types as JSON Schema, and in words."""

import pytest

from connectors.soap.described import Document, constant, in_words, is_common, json_schema
from connectors.soap.marks import SWA_REF
from connectors.soap.plan import Facets, Kind, Simple


def simple(kind: Kind, base: str, **facets: object) -> Simple:
    return Simple(kind, base, Facets(**facets))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("type", "expected"),
    [
        (simple("string", "string"), {"type": "string"}),
        (
            simple("string", "string", min_length=2, max_length=3),
            {"type": "string", "minLength": 2, "maxLength": 3, "examples": ["ban"]},
        ),
        (simple("string", "token", enumeration=("A", "B")), {"type": "string", "enum": ["A", "B"]}),
        (simple("boolean", "boolean"), {"type": "boolean"}),
        (simple("boolean", "boolean", enumeration=("1",)), {"type": "boolean", "enum": [True]}),
        (simple("integer", "int"), {"type": "integer", "format": "int32"}),
        (simple("integer", "short"), {"type": "integer", "minimum": -32768, "maximum": 32767}),
        (simple("integer", "int", min_inclusive="1", max_exclusive="10"), {"minimum": 1, "maximum": 9}),
        (simple("integer", "int", enumeration=("1", "x", "2")), {"enum": [1, 2]}),
        (simple("integer", "long"), {"type": ["integer", "string"], "format": "int64", "pattern": "^-?[0-9]+$"}),
        (simple("integer", "positiveInteger"), {"type": ["integer", "string"], "minimum": 1}),
        (simple("decimal", "decimal"), {"type": "string", "format": "decimal", "examples": ["1.50"]}),
        (
            simple("float", "double", min_inclusive="0", max_exclusive="INF"),
            {"type": ["number", "string"], "format": "double", "pattern": "^(-?INF|NaN)$", "minimum": 0.0},
        ),
        (simple("dateTime", "dateTime"), {"type": "string", "format": "date-time"}),
        (simple("verbatim", "date"), {"type": "string", "format": "date", "examples": ["2024-02-29"]}),
        (simple("verbatim", "gYear"), {"type": "string"}),
        (simple("verbatim", "anyURI"), {"type": "string", "format": "uri-reference"}),
        (simple("qname", "QName", length=3), {"type": "string"}),
        (simple("base64", "base64Binary", length=4), {"contentEncoding": "base64", "minLength": 8, "maxLength": 8}),
        (simple("hex", "hexBinary", max_length=2), {"contentEncoding": "base16", "maxLength": 4}),
    ],
)
def test_a_type_is_described(type: Simple, expected: Document) -> None:
    """Each kind has its own keywords, and its facets those that hold for its JSON value."""
    found = json_schema(type, request=False)
    assert {key: found[key] for key in expected} == expected
    assert found.keys() - expected.keys() <= {"type", "format", "pattern", "examples"}


def test_a_request_may_give_a_decimal_as_a_number() -> None:
    """In a reply it is always a string."""
    money = simple("decimal", "decimal")
    assert json_schema(money, request=True)["type"] == ["string", "number"]
    assert json_schema(money, request=False)["type"] == "string"


def test_what_keywords_cannot_say_is_said_in_words() -> None:
    """Bounds, digits and enumerations of values that are strings only in JSON are a description."""
    money = simple("decimal", "decimal", min_exclusive="0", total_digits=8, fraction_digits=2)
    assert json_schema(money, request=False)["description"] == (
        "More than 0, at most 8 digits, at most 2 decimal places."
    )
    day = simple("verbatim", "date", min_inclusive="2000-01-01", enumeration=("2024-02-29",))
    assert json_schema(day, request=False)["description"] == "At least 2000-01-01, one of 2024-02-29."
    assert "enum" not in json_schema(day, request=False)


def test_a_list_is_an_array_of_its_items() -> None:
    """Its lengths count items; a list of an unknown type holds anything."""
    item = simple("integer", "int")
    numbers = Simple("list", "anySimpleType", Facets(min_length=1, max_length=3), item=item)
    assert json_schema(numbers, request=False) == {
        "type": "array",
        "items": {"type": "integer", "format": "int32"},
        "minItems": 1,
        "maxItems": 3,
    }
    assert json_schema(Simple("list", "anySimpleType"), request=False) == {"type": "array", "items": {}}


def test_a_union_is_any_of_its_members() -> None:
    """Members that look the same in JSON are one; a union of nothing is a string."""
    number, word = simple("integer", "int"), simple("string", "token")
    both = Simple("union", "anySimpleType", members=(number, word, word))
    assert json_schema(both, request=False) == {"anyOf": [{"type": "integer", "format": "int32"}, {"type": "string"}]}
    same = Simple("union", "anySimpleType", members=(word, word))
    assert json_schema(same, request=False) == {"type": "string"}
    assert json_schema(Simple("union", "anySimpleType"), request=False) == {"anyOf": [{"type": "string"}]}


# ------------------------------------------------------------------------------------------------ patterns


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ((("[A-Z]{2}",),), {"pattern": "^(?:[A-Z]{2})$"}),
        (((r"^(?:[0-9]{10})$(?!\n\Z)",),), {"pattern": "^(?:[0-9]{10})$"}),
        ((("a", "b"),), {"pattern": "^(?:a|b)$"}),
        ((("[a-z]+",), ("a.*",)), {"allOf": [{"pattern": "^(?:[a-z]+)$"}, {"pattern": "^(?:a.*)$"}]}),
        ((("[a-z\u00e9]",),), {}),
    ],
)
def test_patterns_are_kept_where_everybody_reads_them(
    patterns: tuple[tuple[str, ...], ...], expected: Document
) -> None:
    """Anchors are written out; alternatives are one pattern, and several patterns hold together."""
    found = json_schema(simple("string", "string", patterns=patterns), request=False)
    assert {key: found[key] for key in ("pattern", "allOf") if key in found} == expected


@pytest.mark.parametrize("pattern", [r"\d{4}-\d", r"(?:a|b)\.c", r"[\]x]"])
def test_a_common_pattern(pattern: str) -> None:
    """What ECMA-262 and Python read alike is common."""
    assert is_common(pattern)


@pytest.mark.parametrize("pattern", ["(?>a)", "a++", "(?=a)", r"\w", r"[\,]", "é"])
def test_a_pattern_of_python_alone(pattern: str) -> None:
    """Possessive repetition, look-arounds, other classes and escapes are not common."""
    assert not is_common(pattern)


# ------------------------------------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("type", "expected"),
    [
        (simple("string", "string", min_length=1, max_length=20), "string, 1 to 20 characters"),
        (simple("string", "string", length=6), "string, 6 characters"),
        (simple("string", "string", min_length=1), "string, at least 1 characters"),
        (simple("base64", "base64Binary", max_length=9), "base64, at most 9 octets"),
        (simple("qname", "QName", length=3), "QName"),
        (simple("integer", "int", min_inclusive="1"), "whole number, at least 1"),
        (simple("string", "string", enumeration=tuple("abc")), "string, one of a, b, c"),
        (simple("decimal", "decimal", enumeration=("1.0",)), "decimal, one of 1.0"),
        (Simple("list", "anySimpleType", item=simple("integer", "int")), "array of whole number"),
        (Simple("list", "anySimpleType"), "array"),
        (
            Simple("union", "anySimpleType", members=(simple("integer", "int"), simple("verbatim", "date"))),
            "whole number or date",
        ),
    ],
)
def test_a_type_in_words(type: Simple, expected: str) -> None:
    """A person reads what a field takes without knowing XML Schema."""
    assert in_words(type) == expected


def test_many_values_are_not_all_told() -> None:
    """Of a long enumeration some are named."""
    assert in_words(simple("string", "string", enumeration=tuple(map(str, range(20))))).endswith("10, 11, ...")


def test_a_fixed_value_is_a_constant() -> None:
    """Where equal values are spelled alike; elsewhere nothing is said."""
    assert constant(simple("integer", "int"), "07") == {"const": 7}
    assert constant(simple("decimal", "decimal"), "1.0") == {}
    assert constant(simple("integer", "int"), "x") == {}


def test_a_reference_to_an_attachment_is_base64() -> None:
    """That is what stands in its place in JSON."""
    reference = Simple("verbatim", "anyURI", name=SWA_REF)
    assert json_schema(reference, request=True)["contentEncoding"] == "base64"
    assert in_words(reference) == "base64, beside the envelope"
