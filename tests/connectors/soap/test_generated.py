"""Values generated from schemas, and by them the codec: all that a schema allows goes to XML and back unchanged."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from lxml import etree
from xmlschema import XMLSchema10

from connectors.soap.codec import Codec, needs_names
from connectors.soap.envelope import Frame, opened
from connectors.soap.plan import Field, Message, Schema
from connectors.soap.schema import Compiler
from connectors.soap.words import JSON
from tests.support.generated import MOST_VALUES, OTHER, values

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
CHOICE = """<xs:element name="root"><xs:complexType><xs:choice>
    <xs:element name="cash" type="xs:int"/>
    <xs:sequence><xs:element name="card" type="xs:string"/>
      <xs:element name="cvv" type="xs:string" minOccurs="0"/></xs:sequence>
    <xs:element name="token" type="xs:hexBinary"/>
  </xs:choice></xs:complexType></xs:element>"""
ARRAY = """<xs:element name="root"><xs:complexType><xs:sequence>
    <xs:element name="line" type="xs:decimal" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="pair" type="xs:boolean" minOccurs="2" maxOccurs="3"/>
  </xs:sequence></xs:complexType></xs:element>"""
ITEMS = """<xs:element name="root"><xs:complexType><xs:choice minOccurs="0" maxOccurs="unbounded">
    <xs:element name="x" type="xs:int"/><xs:element name="y" type="xs:date"/>
  </xs:choice></xs:complexType></xs:element>"""
PAIRS = """<xs:element name="root"><xs:complexType><xs:sequence minOccurs="0" maxOccurs="unbounded">
    <xs:element name="key" type="xs:token"/><xs:element name="value" type="xs:double"/>
  </xs:sequence></xs:complexType></xs:element>"""
NIL = """<xs:element name="root"><xs:complexType><xs:sequence>
    <xs:element name="note" type="xs:string" nillable="true"/>
    <xs:element name="seen" nillable="true"><xs:complexType>
      <xs:attribute name="at" type="xs:dateTime" use="required"/></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>"""
DERIVED = """
  <xs:complexType name="Shape" abstract="true"><xs:sequence><xs:element name="id" type="xs:int"/></xs:sequence>
    </xs:complexType>
  <xs:complexType name="Circle"><xs:complexContent><xs:extension base="t:Shape"><xs:sequence>
    <xs:element name="radius" type="xs:decimal"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
  <xs:complexType name="Square"><xs:complexContent><xs:extension base="t:Shape"><xs:sequence>
    <xs:element name="side" type="xs:decimal"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
  <xs:element name="root" type="t:Shape"/>"""
RECURSIVE = """
  <xs:complexType name="Node"><xs:sequence>
    <xs:element name="name" type="xs:NCName"/>
      <xs:element name="child" type="t:Node" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType>
  <xs:element name="root" type="t:Node"/>"""
EXPRESSION = """
  <xs:complexType name="Expression"><xs:choice>
    <xs:element name="not" type="t:Expression"/>
    <xs:sequence><xs:element name="left" type="t:Expression"/><xs:element name="right" type="t:Expression"/>
      </xs:sequence>
    <xs:element name="leaf" type="xs:anyURI"/>
  </xs:choice></xs:complexType>
  <xs:element name="root" type="t:Expression"/>"""
ATTRIBUTES = """<xs:element name="root"><xs:complexType><xs:simpleContent><xs:extension base="xs:long">
    <xs:attribute name="unit" use="required"><xs:simpleType><xs:restriction base="xs:string">
      <xs:enumeration value="kg"/><xs:enumeration value="lb"/></xs:restriction></xs:simpleType></xs:attribute>
    <xs:attribute name="exact" type="xs:boolean"/><xs:attribute name="version" type="xs:string" fixed="1"/>
    <xs:anyAttribute namespace="##other" processContents="lax"/>
  </xs:extension></xs:simpleContent></xs:complexType></xs:element>"""
WILD = """<xs:element name="root"><xs:complexType><xs:sequence>
    <xs:element name="before" type="xs:gYear"/>
      <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="2"/>
  </xs:sequence></xs:complexType></xs:element>"""
WILD_ITEMS = """<xs:element name="root"><xs:complexType><xs:choice minOccurs="0" maxOccurs="unbounded">
    <xs:element name="known" type="xs:time"/><xs:any namespace="##other" processContents="lax"/>
  </xs:choice></xs:complexType></xs:element>"""
MIXED = """<xs:element name="root"><xs:complexType mixed="true"><xs:sequence>
    <xs:any namespace="##other" processContents="lax" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>"""
UNTYPED = '<xs:element name="root"/>'
FACETS = """<xs:element name="root"><xs:complexType><xs:sequence>
    <xs:element name="code" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
      <xs:pattern value="[A-Z]{2}[0-9]{3}"/></xs:restriction></xs:simpleType></xs:element>
    <xs:element name="share"><xs:simpleType><xs:restriction base="xs:decimal">
      <xs:minInclusive value="0"/><xs:maxInclusive value="100"/><xs:fractionDigits value="1"/></xs:restriction>
        </xs:simpleType></xs:element>
    <xs:element name="days"><xs:simpleType><xs:list itemType="xs:date"/></xs:simpleType></xs:element>
    <xs:element name="either"><xs:simpleType><xs:union memberTypes="xs:int xs:boolean xs:string"/>
      </xs:simpleType></xs:element>
  </xs:sequence></xs:complexType></xs:element>"""
ALL = """<xs:element name="root"><xs:complexType><xs:all>
    <xs:element name="a" type="xs:unsignedLong"/><xs:element name="b" type="xs:base64Binary" minOccurs="0"/>
  </xs:all></xs:complexType></xs:element>"""
HEADS = """
  <xs:element name="head" abstract="true"/><xs:element name="one" type="xs:int" substitutionGroup="t:head"/>
  <xs:element name="two" type="xs:string" substitutionGroup="t:head"/>
  <xs:element name="root"><xs:complexType><xs:sequence><xs:element ref="t:head" maxOccurs="2"/></xs:sequence>
    </xs:complexType></xs:element>"""
SCHEMAS = {
    "choice": CHOICE,
    "array": ARRAY,
    "items": ITEMS,
    "pairs": PAIRS,
    "nil": NIL,
    "derived": DERIVED,
    "recursive": RECURSIVE,
    "expression": EXPRESSION,
    "attributes": ATTRIBUTES,
    "wild": WILD,
    "wild items": WILD_ITEMS,
    "mixed": MIXED,
    "untyped": UNTYPED,
    "facets": FACETS,
    "all": ALL,
    "heads": HEADS,
}


class Made(NamedTuple):
    """A schema in all its forms, and the values made from it."""

    text: str
    schema: Schema
    field: Field
    values: list[Any]


def made(declarations: str) -> Made:
    start = f'<xs:schema {XS} xmlns:t="urn:t" targetNamespace="urn:t" elementFormDefault="qualified">'
    text = f"{start}{declarations}</xs:schema>"
    compiler = Compiler(XMLSchema10(text).maps)
    field = compiler.element("{urn:t}root")
    schema = compiler.schema()
    return Made(text, schema, field, list(values(schema, field)))


def everything(value: JSON) -> Iterator[JSON]:
    """A value and all values in it."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(inner)


@pytest.mark.parametrize("name", SCHEMAS)
def test_values_go_to_xml_and_back_unchanged(name: str) -> None:
    """Whatever a schema allows: as JSON, as XML, as JSON again it is the same."""
    _, schema, field, found = made(SCHEMAS[name])
    codec, frame, message = Codec(schema), Frame("1.2", schema), Message((field,))
    for value in found:
        body = opened(frame.around(codec.encode(message, value)), names=needs_names(schema, message)).body
        assert codec.decode(message, body, strict=True) == (value, ())


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_written_is_valid(name: str) -> None:
    """Another validator has nothing to say against the XML."""
    text, schema, field, found = made(SCHEMAS[name])
    codec, frame, message = Codec(schema), Frame("1.1", schema), Message((field,))
    judge = etree.XMLSchema(etree.fromstring(text))
    for value in found:
        element = etree.fromstring(frame.around(codec.encode(message, value)))[0][0]
        judge.assertValid(etree.fromstring(etree.tostring(element)))


@pytest.mark.parametrize("name", SCHEMAS)
def test_values_are_few_and_the_same_every_time(name: str) -> None:
    """Generated values are bounded, each is there once, and another day makes the same."""
    found = made(SCHEMAS[name]).values
    assert 0 < len(found) <= MOST_VALUES
    assert len({repr(value) for value in found}) == len(found)
    assert found == made(SCHEMAS[name]).values


def test_every_branch_is_taken() -> None:
    """Every branch of a choice comes, with and without what is optional in it."""
    assert {frozenset(value) for value in made(CHOICE).values} == {
        frozenset({"cash"}),
        frozenset({"card"}),
        frozenset({"card", "cvv"}),
        frozenset({"token"}),
    }


def test_arrays_have_no_one_and_two_items_within_their_bounds() -> None:
    """Lengths of 0, 1 and 2 come where the schema allows them, and the least it allows otherwise."""
    found = made(ARRAY).values
    assert {len(value["line"]) for value in found} == {0, 1, 2}
    assert {len(value["pair"]) for value in found} == {2}


def test_repeated_choices_come_in_several_orders() -> None:
    """A repeated choice is an ordered list, in which either element comes first."""
    orders = {tuple(next(iter(item)) for item in value["$items"]) for value in made(ITEMS).values}
    assert () in orders
    assert {order[0] for order in orders if order} == {"x", "y"}
    assert any(set(order) == {"x", "y"} for order in orders)


def test_null_comes_only_where_nothing_is_lost_by_it() -> None:
    """A nillable element is null once; one that has to have an attribute never is."""
    found = made(NIL).values
    assert {value["note"] is None for value in found} == {True, False}
    assert not any(value["seen"] is None for value in found)


def test_every_derived_type_comes_and_an_abstract_one_never() -> None:
    """`$type` names each type that may stand in an abstract one's place."""
    assert {value.get("$type") for value in made(DERIVED).values} == {"Circle", "Square"}


@pytest.mark.parametrize("declarations", [RECURSIVE, EXPRESSION])
def test_recursion_ends(declarations: str) -> None:
    """A type that contains itself does so a few times, then takes the shortest way out."""
    found = made(declarations).values
    assert max(sum(1 for _ in everything(value)) for value in found) < 1000
    assert any(isinstance(inner, dict) for value in found for inner in everything(list(value.values())))


def test_attributes_come_and_stay_away() -> None:
    """Required attributes are always there, optional and open ones now and then, fixed ones with their value."""
    found = made(ATTRIBUTES).values
    assert {value["@unit"] for value in found} == {"kg", "lb"}
    assert {"@exact" in value for value in found} == {True, False}
    assert {value["@version"] for value in found if "@version" in value} == {"1"}
    assert {f"@{{{OTHER}}}note" in value for value in found} == {True, False}


def test_wildcards_let_in_what_they_allow() -> None:
    """An element of another namespace comes not at all, once and twice."""
    assert {len(value.get("$any", [])) for value in made(WILD).values} == {0, 1, 2}


def test_a_named_namespace_is_respected() -> None:
    """A wildcard for one namespace gets an element of that one, and one for none an element without."""
    pattern = """<xs:element name="root"><xs:complexType><xs:sequence>
        <xs:any namespace="{}" processContents="skip"/></xs:sequence></xs:complexType></xs:element>"""
    assert made(pattern.format("urn:named")).values == [{"$any": ['<q:any xmlns:q="urn:named">x</q:any>']}]
    assert made(pattern.format("##local")).values == [{"$any": ["<any>x</any>"]}]


def test_facets_are_met_to_their_limits() -> None:
    """Limits are among the examples."""
    assert {"0", "100"} <= {value["share"] for value in made(FACETS).values}


def test_what_has_no_end_has_no_value() -> None:
    """A type that must contain itself allows no finite value."""
    endless = """<xs:complexType name="Endless"><xs:sequence><xs:element name="more" type="t:Endless"/>
      </xs:sequence></xs:complexType>
        <xs:element name="root" type="t:Endless"/>"""
    assert made(endless).values == []


def test_mixed_content_with_needed_elements_has_no_value() -> None:
    """The plan of mixed content is text; where certain elements must be in it, none is known that is right."""
    needed = """<xs:element name="root"><xs:complexType mixed="true"><xs:sequence>
        <xs:element name="b" type="xs:string"/></xs:sequence></xs:complexType></xs:element>"""
    assert made(needed).values == []
