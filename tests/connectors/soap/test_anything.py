"""Values of no declared type: what xsi:type says, kept and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.anything import base_of, builtin
from connectors.soap.words import JSON
from tests.support.soap import MANY, Typed, of, one, sequence, typed

WRONG = "must be a plain value, or an object with $value or $xml, with $type or without"


def anything() -> Typed:
    return of(sequence('<xs:element name="v" minOccurs="0" nillable="true"/>'))


@pytest.mark.parametrize(
    ("value", "xml"),
    [
        ("a & b", ' xsi:type="xsd:string">a &amp; b'),
        ("", ' xsi:type="xsd:string">'),
        (True, ' xsi:type="xsd:boolean">true'),
        (7, ' xsi:type="xsd:int">7'),
        (2**31, ' xsi:type="xsd:long">2147483648'),
        (1.5, ' xsi:type="xsd:double">1.5'),
        ({"$type": "xs:date", "$value": "2024-02-29"}, ' xsi:type="xsd:date">2024-02-29'),
        ({"$type": "xs:long", "$value": 7}, ' xsi:type="xsd:long">7'),
        ({"$type": "xs:decimal", "$value": "1.50"}, ' xsi:type="xsd:decimal">1.50'),
        ({"$type": "xs:double", "$value": "INF"}, ' xsi:type="xsd:double">INF'),
        ({"$type": "xs:long", "$value": str(2**62)}, f' xsi:type="xsd:long">{2**62}'),
        ({"$type": "xs:QName", "$value": "{urn:u}a"}, ' xmlns:q="urn:u" xsi:type="xsd:QName">q:a'),
        ({"$xml": "<a>1</a>"}, "><a>1</a>"),
        ({"@a": "1", "$value": "x"}, ' a="1">x'),
    ],
)
def test_values_say_what_they_are(value: JSON, xml: str) -> None:
    """Plain values have the type they look like; others name theirs; elements are XML. All comes back unchanged."""
    assert anything().same({"v": value}) == f"<n0:root><n0:v{xml}</n0:v></n0:root>"


def test_types_that_are_not_built_in_keep_their_names() -> None:
    """A type nobody here knows is told by its full name, and written back with a prefix."""
    codec = anything()
    for value, xml in (
        ({"$type": "{urn:u}Colour", "$value": "red"}, ' xmlns:t="urn:u" xsi:type="t:Colour">red'),
        ({"$type": "{urn:u}Line", "$xml": "<a/>"}, ' xmlns:t="urn:u" xsi:type="t:Line"><a/>'),
        ({"$type": "Plain", "$value": "x"}, ' xsi:type="Plain">x'),
    ):
        assert codec.xml({"v": value}) == f"<n0:root><n0:v{xml}</n0:v></n0:root>"
        assert codec.json(codec.xml({"v": value})) == {"v": value}


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        ("<t:v>plain</t:v>", "plain"),
        ("<t:v/>", ""),
        ('<t:v xsi:nil="true"/>', None),
        ('<t:v xsi:nil="1" a="2"/>', {"@a": "2", "$value": None}),
        ('<t:v xsi:type="xsd:int"/>', None),
        ('<t:v xsi:type="xsd:int" a="2"/>', {"@a": "2", "$value": None}),
        ('<t:v a="1"><b/></t:v>', {"@a": "1", "$xml": "<b/>"}),
        ('<t:v xsi:type="xsd:anyURI">urn:x</t:v>', {"$type": "xs:anyURI", "$value": "urn:x"}),
        (
            '<t:v xsi:type="soapenc:string">x</t:v>',
            {"$type": "{http://schemas.xmlsoap.org/soap/encoding/}string", "$value": "x"},
        ),
        ('<t:v xsi:type="nobody:x">y</t:v>', {"$type": "x", "$value": "y"}),
    ],
)
def test_what_servers_send_is_read(xml: str, value: JSON) -> None:
    """Without a type it is text; nil and empty are null; what is beside the value is kept."""
    assert anything().json(f"<t:root>{xml}</t:root>") == {"v": value}


def test_a_value_its_own_type_refuses_is_flagged() -> None:
    """The text stands for it."""
    value, problems = anything().flaws('<t:root><t:v xsi:type="xsd:int">x</t:v></t:root>')
    assert value == {"v": {"$type": "xs:int", "$value": "x"}}
    assert problems == [("/v", "is not a whole number")]


def test_nil_beside_attributes_is_written() -> None:
    """An object whose `$value` is null is nil."""
    value = {"v": {"@a": "2", "$value": None}}
    codec = anything()
    assert codec.json(codec.xml(value)) == value
    assert 'xsi:nil="true"' in codec.xml(value)


def test_null_needs_a_nillable_element() -> None:
    """Null is nil where the schema allows that, and a problem elsewhere."""
    assert anything().same({"v": None}) == '<n0:root><n0:v xsi:nil="true"/></n0:root>'
    assert of(sequence('<xs:element name="v"/>')).problems({"v": None}) == [("/v", "must not be null")]


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"a": 1},
        {"$value": 1, "$xml": ""},
        {"$value": {}},
        {"$value": []},
        {"$type": 1, "$value": 1},
        {"$type": "xs:int"},
    ],
)
def test_other_shapes_are_refused(value: JSON) -> None:
    """Neither arrays nor objects have a type of their own."""
    assert anything().problems({"v": value}) == [("/v", WRONG)]


@pytest.mark.parametrize(
    ("value", "pointer", "reason"),
    [
        ({"$type": "xs:int", "$value": "x"}, "/v/$value", "is not a whole number"),
        ({"$type": "xs:nothing", "$value": "x"}, "/v/$value", "is of the type xs:nothing, which there is not"),
        ({"$type": "{urn:u}a b", "$value": "x"}, "/v/$value", "is not a name without colon"),
        ({"$type": '{urn:u}a" b="', "$xml": "x"}, "/v/$xml", "is not a name without colon"),
        ({"$type": "{urn:u}a", "$value": 1}, "/v/$value", "must be a string, not a number"),
        ({"$xml": "</n0:v>"}, "/v/$xml", "is not well-formed XML that stands by itself"),
        ({"$value": 1, "more": 2}, "/v/more", "is not in the schema"),
        ({"$value": 1, "@xmlns": "urn:x"}, "/v/@xmlns", "is not an attribute that can stand here"),
        ("\x00", "/v", "has a character that XML cannot carry"),
    ],
)
def test_what_is_wrong_is_told(value: JSON, pointer: str, reason: str) -> None:
    """Values are judged by the type they name, and nothing in them breaks out of the element."""
    assert anything().problems({"v": value}) == [(pointer, reason)]


def test_large_numbers_have_a_type_too() -> None:
    """Whole numbers beyond long are integers."""
    assert [base_of(value) for value in (2**62, 2**70, -(2**70))] == ["long", "integer", "integer"]


def test_any_simple_type_is_anything() -> None:
    """An element of anySimpleType says its type as well."""
    codec = of(sequence(one("v", "xs:anySimpleType", MANY)))
    codec.same({"v": [1, True, "x", {"$type": "xs:date", "$value": "2024-02-29"}]})


def test_anything_at_the_top() -> None:
    """A whole message may be of no declared type."""
    assert typed('<xs:element name="root"/>').same("x") == '<n0:root xsi:type="xsd:string">x</n0:root>'


@given(
    st.one_of(
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text("aé<&> \n]"),
    )
)
def test_any_plain_value_comes_back(value: JSON) -> None:
    """Booleans, numbers and texts keep their kind, or say what it is."""
    codec = anything()
    back = codec.json(codec.xml({"v": value}))["v"]
    assert (back if not isinstance(back, dict) else back["$value"]) == value


def test_built_in_types_are_known_by_name() -> None:
    """Each with its kind and what it does to white space."""
    assert builtin("nothing") is None
    for name, kind, space in (
        ("string", "string", "preserve"),
        ("normalizedString", "string", "replace"),
        ("int", "integer", "collapse"),
    ):
        simple = builtin(name)
        assert simple is not None
        assert (simple.kind, simple.base, simple.facets.white_space) == (kind, name, space)
