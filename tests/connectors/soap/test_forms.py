"""Other forms of values: each is what was asked for, both ways, and everything else stays as it was."""

from typing import Any

import pytest

from connectors.soap.codec import Codec
from connectors.soap.forms import Forms, formed
from connectors.soap.openapi import Components
from connectors.soap.plan import Message, Operation, Service
from connectors.soap.problems import Invalid
from connectors.soap.xmltext import XSI, parse
from tests.support.soap import Typed

SCHEMA = """
<xs:complexType name="Money"><xs:simpleContent><xs:extension base="xs:decimal">
  <xs:attribute name="currency" type="xs:string"/></xs:extension></xs:simpleContent></xs:complexType>
<xs:complexType name="Weight"><xs:simpleContent><xs:extension base="xs:decimal">
  <xs:attribute name="unit" type="xs:string" use="required"/></xs:extension></xs:simpleContent></xs:complexType>
<xs:complexType name="Line"><xs:sequence>
  <xs:element name="At" type="xs:dateTime"/><xs:element name="Amount" type="t:Money" nillable="true" minOccurs="0"/>
</xs:sequence></xs:complexType>
<xs:complexType name="ArrayOfLine"><xs:sequence>
  <xs:element name="Line" type="t:Line" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
<xs:complexType name="Marked"><xs:sequence>
  <xs:element name="Tag" type="xs:string" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
  <xs:attribute name="by" type="xs:string"/></xs:complexType>
<xs:element name="it"><xs:complexType><xs:sequence>
  <xs:element name="Big" type="xs:long" minOccurs="0"/>
  <xs:element name="Small" type="xs:int" minOccurs="0"/>
  <xs:element name="Sums" minOccurs="0"><xs:simpleType><xs:list itemType="xs:decimal"/></xs:simpleType></xs:element>
  <xs:element name="Weight" type="t:Weight" minOccurs="0"/>
  <xs:element name="Lines" type="t:ArrayOfLine" minOccurs="0" nillable="true"/>
  <xs:element name="Marked" type="t:Marked" minOccurs="0"/>
</xs:sequence><xs:attribute name="since" type="xs:dateTime"/></xs:complexType></xs:element>
<xs:element name="list"><xs:complexType><xs:sequence>
  <xs:element name="Item" type="xs:decimal" minOccurs="0" maxOccurs="unbounded"/>
</xs:sequence></xs:complexType></xs:element>
<xs:complexType name="Base"><xs:sequence>
  <xs:element name="A" type="xs:string" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
<xs:complexType name="More"><xs:complexContent><xs:extension base="t:Base"/></xs:complexContent></xs:complexType>
<xs:element name="kinds"><xs:complexType><xs:sequence>
  <xs:element name="One" type="t:Base"/></xs:sequence></xs:complexType></xs:element>
"""
LINES = (
    "<t:Lines><t:Line><t:At>2026-07-01T09:00:00</t:At><t:Amount currency='GBP'>12.50</t:Amount></t:Line>"
    "<t:Line><t:At>2026-01-01T09:00:00</t:At><t:Amount xsi:nil='true'/></t:Line></t:Lines>"
)


class Formed:
    """An element of the schema, in other forms."""

    def __init__(self, name: str = "it", **forms: Any) -> None:
        typed = Typed(SCHEMA, name)
        message = Message((typed.field,))
        operation = Operation("Op", "S", "P", "http://h/", "1.1", None, message, message, (("Fault", typed.field),))
        self.service = formed(Service((operation,), typed.schema), Forms(**forms))
        self.operation = self.service.operations[0]
        self._codec = Codec(self.service.schema)
        self._name = name

    def json(self, content: str, attributes: str = "") -> Any:
        text = f'<b xmlns:t="urn:t" xmlns:xsi="{XSI}"><t:{self._name} {attributes}>{content}</t:{self._name}></b>'
        value, problems = self._codec.decode(self.operation.input, parse(text.encode(), names=True))
        assert problems == ()
        return value

    def xml(self, value: Any) -> str:
        return self._codec.encode(self.operation.input, value)

    def inside(self, value: Any) -> str:
        start, end = f"<t:{self._name}>", f"</t:{self._name}>"
        return self.xml(value).replace("n0:", "t:").removeprefix(start).removesuffix(end)

    def problems(self, value: Any) -> list[tuple[str, str]]:
        with pytest.raises(Invalid) as caught:
            self.xml(value)
        return [(each.pointer, each.reason) for each in caught.value.problems]


def test_the_usual_forms_change_nothing() -> None:
    """Who asks for nothing gets the very plan that the WSDL gave."""
    service = Formed().service
    assert formed(service, Forms()) is service


def test_dates_and_times_get_the_offset_of_their_system() -> None:
    """What has no zone is in that of the system, in elements and attributes; written, it is local time again."""
    there = Formed(timezone="Europe/London")
    found = there.json(LINES, 'since="2026-07-01T00:00:00"')
    assert found["@since"] == "2026-07-01T00:00:00+01:00"
    assert [each["At"] for each in found["Lines"]["Line"]] == ["2026-07-01T09:00:00+01:00", "2026-01-01T09:00:00Z"]
    line = {"At": "2026-07-01T10:30:00Z"}
    assert "<t:At>2026-07-01T11:30:00</t:At>" in there.inside({"Lines": {"Line": [line]}})


def test_decimals_may_be_numbers() -> None:
    """Whole ones are whole; a request may still give a string."""
    there = Formed(decimals="number")
    found = there.json(f"<t:Sums>1.50 2 -0.1 99999999999999999999</t:Sums>{LINES}")
    assert found["Sums"] == [1.5, 2, -0.1, 1e20]
    assert found["Lines"]["Line"][0]["Amount"] == {"@currency": "GBP", "$value": 12.5}
    assert there.inside({"Sums": [1.5, "2.00", 3]}) == "<t:Sums>1.5 2.00 3</t:Sums>"


def test_whole_numbers_that_may_be_large_may_be_strings_always() -> None:
    """A client in a typed language wants one type; what always fits stays a number."""
    there = Formed(integers="string")
    assert there.json("<t:Big>7</t:Big><t:Small>7</t:Small>") == {"Big": "7", "Small": 7}
    assert there.inside({"Big": "7", "Small": 7}) == "<t:Big>7</t:Big><t:Small>7</t:Small>"


def test_arrays_with_a_type_of_their_own_may_be_plain() -> None:
    """ArrayOfX is its items, both ways; nil is null, and what has more than items stays an object."""
    there = Formed(arrays="plain")
    assert [each["At"] for each in there.json(LINES)["Lines"]] == ["2026-07-01T09:00:00", "2026-01-01T09:00:00"]
    assert there.json("<t:Lines/>") == {"Lines": []}
    assert there.json('<t:Lines xsi:nil="true"/>') == {"Lines": None}
    assert there.json("<t:Marked><t:Tag>a</t:Tag></t:Marked>") == {"Marked": {"Tag": ["a"]}}
    line = "<t:Line><t:At>2026-07-01T09:00:00</t:At></t:Line>"
    for value in ([{"At": "2026-07-01T09:00:00"}], {"Line": [{"At": "2026-07-01T09:00:00"}]}):
        assert there.inside({"Lines": value}) == f"<t:Lines>{line}</t:Lines>"


def test_text_beside_attributes_may_stand_alone() -> None:
    """The attributes go, unless one of them must be there; a request may still give them."""
    there = Formed(text="plain")
    assert [each.get("Amount") for each in there.json(LINES)["Lines"]["Line"]] == ["12.50", None]
    assert there.json('<t:Weight unit="kg">1</t:Weight>') == {"Weight": {"@unit": "kg", "$value": "1"}}
    at = {"At": "2026-07-01T09:00:00"}
    lines = [{**at, "Amount": "1.00"}, {**at, "Amount": {"$value": "2.00", "@currency": "EUR"}}, {**at, "Amount": None}]
    written = there.inside({"Lines": {"Line": lines}})
    assert "<t:Amount>1.00</t:Amount>" in written
    assert '<t:Amount currency="EUR">2.00</t:Amount>' in written
    assert '<t:Amount xsi:nil="true"/>' in written


def test_problems_are_told_where_they_stand_in_the_plain_form() -> None:
    """A pointer leads to what the client sent, and not to where it stands in XML."""
    there = Formed(arrays="plain", text="plain")
    lines = [{"At": "2026-07-01T09:00:00", "Amount": "much"}, {"At": "soon"}]
    assert there.problems({"Lines": lines}) == [
        ("/Lines/0/Amount", "is not a decimal number"),
        ("/Lines/1/At", "is not a date and time (2024-02-29T12:30:00Z)"),
    ]
    assert there.problems({"Lines": {"Line": [{}]}}) == [("/Lines/Line/0/At", "is missing")]
    assert there.problems({"Lines": "none"}) == [("/Lines", "must be an array")]


def test_a_reply_that_breaks_its_schema_is_told_of_alike() -> None:
    """What is wrong with an item of a plain array has the pointer of the item."""
    there = Formed(arrays="plain")
    text = '<b xmlns:t="urn:t"><t:it><t:Lines><t:Line><t:At>soon</t:At></t:Line></t:Lines></t:it></b>'
    _, problems = Codec(there.service.schema).decode(there.operation.input, parse(text.encode(), names=True))
    assert [each.pointer for each in problems] == ["/Lines/0/At"]


def test_whole_messages_and_types_with_kin_stay_objects() -> None:
    """A message is an object even if it is nothing but an array; so is what `$type` has to tell apart."""
    assert Formed("list", arrays="plain").json("<t:Item>1</t:Item>") == {"Item": ["1"]}
    assert Formed("kinds", arrays="plain").json("<t:One><t:A>x</t:A></t:One>") == {"One": {"A": ["x"]}}


def test_headers_and_faults_have_the_forms_too() -> None:
    """Everything that the operation says is in one form, and what it does not say stays away."""
    typed = Typed(SCHEMA, "it")
    message = Message((typed.field,), headers=(typed.field,))
    one_way = Operation("Op", "S", "P", "http://h/", "1.1", None, message, None, (("Fault", typed.field),))
    found = formed(Service((one_way,), typed.schema), Forms(decimals="number")).operations[0]
    assert found.output is None
    assert (found.faults[0][0], len(found.input.headers)) == ("Fault", 1)


def test_the_document_tells_the_forms() -> None:
    """OpenAPI says number for a number, array for an array, string for the text that stands alone."""
    there = Formed(decimals="number", integers="string", arrays="plain", text="plain")
    schemas: dict[str, Any] = {}
    Components(there.service.schema, schemas).message(there.operation.input, reply=True)
    Components(there.service.schema, schemas).message(there.operation.input, reply=False)
    assert schemas["ArrayOfLine"] == {"type": "array", "items": {"$ref": "#/components/schemas/Line"}}
    assert (schemas["Money"]["type"], schemas["Money"]["examples"]) == ("number", [1.5])
    assert schemas["Money.Request"]["type"] == ["number", "string"]
    assert schemas["it"]["properties"]["Big"]["type"] == "string"
    assert schemas["it.Request"]["properties"]["Big"] == {
        "type": ["string", "integer"],
        "pattern": "^-?[0-9]+$",
        "examples": ["1"],
    }
