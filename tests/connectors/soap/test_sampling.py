"""Examples made from JSON Schemas are what the codec takes."""

from typing import Any

import pytest

from connectors.soap.described import Document
from connectors.soap.openapi import Components
from connectors.soap.sampling import sample
from tests.support.soap import Typed


def sampled(xsd: str) -> tuple[Typed, Any]:
    typed = Typed(xsd, "it")
    schemas: dict[str, Document] = {}
    document = Components(typed.schema, schemas).element(typed.field, reply=False)
    return typed, sample(document, schemas)


def it(content: str) -> str:
    return f'<xs:element name="it"><xs:complexType>{content}</xs:complexType></xs:element>'


RECURSIVE = """<xs:complexType name="T"><xs:sequence><xs:element name="t" type="t:T" minOccurs="0"/>
<xs:element name="u" type="t:T" minOccurs="0" maxOccurs="unbounded"/>
<xs:element name="v" type="t:T" minOccurs="0" nillable="true"/></xs:sequence></xs:complexType>
<xs:element name="it" type="t:T"/>"""
ABSTRACT = """<xs:complexType name="T" abstract="true"/>
<xs:complexType name="U"><xs:complexContent><xs:extension base="t:T"><xs:choice><xs:element name="t" type="t:T"/>
<xs:element name="n" type="xs:int"/></xs:choice></xs:extension></xs:complexContent></xs:complexType>
<xs:complexType name="V"><xs:complexContent><xs:extension base="t:T"/></xs:complexContent></xs:complexType>
<xs:element name="it" type="t:T"/>"""


@pytest.mark.parametrize(
    "xsd",
    [
        it('<xs:sequence><xs:element name="a" type="xs:decimal"/><xs:element name="b" type="xs:date"/></xs:sequence>'),
        it('<xs:choice><xs:element name="a" type="xs:int"/><xs:element name="b" type="xs:date"/></xs:choice>'),
        it('<xs:choice maxOccurs="9"><xs:element name="a" type="xs:int"/><xs:element name="b"/></xs:choice>'),
        it('<xs:sequence><xs:element name="a" type="xs:boolean" fixed="true"/></xs:sequence>'),
        it('<xs:sequence><xs:element name="a" type="xs:base64Binary" nillable="true"/></xs:sequence>'),
        it('<xs:sequence><xs:element name="a" type="xs:double" minOccurs="2" maxOccurs="2"/></xs:sequence>'),
        it('<xs:sequence><xs:any namespace="##other" processContents="lax"/></xs:sequence>'),
        it('<xs:sequence><xs:any namespace="##other" processContents="lax" minOccurs="0"/></xs:sequence>'),
        it("<xs:choice><xs:sequence><xs:element name='a'/><xs:element name='b' minOccurs='0'/></xs:sequence>"
           "<xs:element name='c' maxOccurs='3' type='xs:int'/></xs:choice>"),
        RECURSIVE,
        ABSTRACT,
    ],
)  # fmt: skip
def test_an_example_fits_its_schema(xsd: str) -> None:
    """The codec writes it without a problem, whatever the type."""
    typed, example = sampled(xsd)
    assert typed.problems(example) == []


def test_an_example_shows_everything_once() -> None:
    """Optional members are there, arrays have an item."""
    _, example = sampled(
        it(
            """<xs:sequence><xs:element name="a" type="xs:string" minOccurs="0"/>
            <xs:element name="b" type="xs:int" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>"""
        )
    )
    assert example == {"a": "text", "b": [1]}


def test_a_large_example_takes_only_what_it_must() -> None:
    """Beyond so many values, optional members and items are left out."""
    fields = "".join(f'<xs:element name="a{n}" type="xs:string" minOccurs="0"/>' for n in range(150))
    arrays = '<xs:element name="z" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>'
    _, example = sampled(it(f"<xs:sequence>{fields}{arrays}</xs:sequence>"))
    assert 90 < len(example) < 110
    assert sample({"type": "array", "items": {}, "minItems": 120}, {}) == ["text"] * 120


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"type": "boolean"}, True),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "maximum": -5}, -5),
        ({"type": ["number", "string"], "exclusiveMaximum": 0.0}, -1.0),
        ({"type": "string", "enum": ["x"]}, "x"),
        ({"type": "string", "const": "y"}, "y"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text"),
        ({}, "text"),
    ],
)
def test_plain_examples(document: Document, expected: object) -> None:
    """Each plain schema has an example within its bounds."""
    assert sample(document, {}) == expected
