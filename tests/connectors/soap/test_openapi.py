"""JSON Schemas of messages: what the codec gives and takes is what they allow."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from connectors.soap.described import Document
from connectors.soap.openapi import Components, numbered
from connectors.soap.plan import ArrayOf, Complex, Field, Group, Message, Schema, Simple
from tests.support.generated import values
from tests.support.soap import Typed

LINE = """<xs:complexType name="Line"><xs:sequence><xs:element name="code" type="xs:string"/>
<xs:element name="next" type="t:Line" minOccurs="0"/></xs:sequence>
<xs:attribute name="id" type="xs:int" use="required"/></xs:complexType>"""
BASES = """<xs:complexType name="Base" {0}><xs:sequence><xs:element name="a" type="xs:string"/></xs:sequence>
</xs:complexType><xs:complexType name="More"><xs:complexContent><xs:extension base="t:Base"><xs:sequence>
<xs:element name="b" type="xs:string"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:element name="it" type="t:Base"/>"""


def element(content: str, name: str = "it") -> str:
    return f'<xs:element name="{name}"><xs:complexType>{content}</xs:complexType></xs:element>'


class Described:
    """An element's JSON Schema in both directions."""

    def __init__(self, xsd: str) -> None:
        self.typed = Typed(xsd, "it")
        self.schemas: dict[str, Document] = {}
        components = Components(self.typed.schema, self.schemas)
        self.documents = {reply: components.element(self.typed.field, reply=reply) for reply in (True, False)}

    def reply(self, name: str = "it") -> Document:
        return self.schemas[name]

    def allows(self, value: Any, *, reply: bool = True) -> bool:
        return bool(self._validator(reply).is_valid(value))

    def _validator(self, reply: bool) -> Draft202012Validator:
        return Draft202012Validator({"allOf": [self.documents[reply]], "components": {"schemas": self.schemas}})

    def check(self) -> None:
        """Every value that the schema of the XML allows is allowed, in both directions."""
        Draft202012Validator.check_schema({"$defs": self.schemas})
        found = list(values(self.typed.schema, self.typed.field))
        assert found
        assert [value for value in found if not (self.allows(value) and self.allows(value, reply=False))] == []


def test_a_type_becomes_a_component_in_each_direction() -> None:
    """A type that contains itself refers to itself; in a request it has a name of its own."""
    described = Described(LINE + '<xs:element name="it" type="t:Line"/>')
    assert described.documents == {
        True: {"$ref": "#/components/schemas/Line"},
        False: {"$ref": "#/components/schemas/Line.Request"},
    }
    assert described.reply("Line") == {
        "type": "object",
        "properties": {
            "@id": {"type": "integer", "format": "int32"},
            "code": {"type": "string"},
            "next": {"$ref": "#/components/schemas/Line"},
        },
        "additionalProperties": False,
        "required": ["@id", "code"],
    }
    described.check()


def test_arrays_are_always_there_in_replies() -> None:
    """A request may leave an empty one out; one that must not be empty says so."""
    described = Described(
        element(
            """<xs:sequence><xs:element name="a" type="xs:int" minOccurs="0" maxOccurs="3"/>
            <xs:element name="b" type="xs:string" minOccurs="2" maxOccurs="unbounded"/></xs:sequence>"""
        )
    )
    assert described.reply()["required"] == ["b", "a"]
    assert described.reply()["properties"]["a"]["maxItems"] == 3
    assert described.reply()["properties"]["b"]["minItems"] == 2
    assert described.reply("it.Request")["required"] == ["b"]
    described.check()


def test_nil_is_null() -> None:
    """A nillable element may be null, whatever its type: plain, of several, listed values, fixed, any, or an object."""
    listed = '<xs:simpleType name="E"><xs:restriction base="xs:string"><xs:enumeration value="x"/></xs:restriction>'
    described = Described(
        LINE
        + f"{listed}</xs:simpleType>"
        + element(
            """<xs:sequence><xs:element name="a" type="xs:string" nillable="true"/>
            <xs:element name="b" type="xs:long" nillable="true"/><xs:element name="c" type="t:E" nillable="true"/>
            <xs:element name="d" type="xs:int" fixed="7"/><xs:element name="e" nillable="true"/>
            <xs:element name="f" type="t:Line" nillable="true"/></xs:sequence>"""
        )
    )
    found = described.reply()["properties"]
    assert found["a"] == {"type": ["string", "null"]}
    assert found["b"]["type"] == ["integer", "string", "null"]
    assert found["c"] == {"type": ["string", "null"], "enum": ["x", None]}
    assert found["d"]["const"] == 7
    assert found["e"].keys() == {"description"}
    assert found["f"] == {"anyOf": [{"$ref": "#/components/schemas/Line"}, {"type": "null"}]}
    described.check()


def test_a_fixed_element_may_be_nil() -> None:
    """Then it is its value, or null."""
    schema = Schema((), ())
    text = Typed('<xs:element name="it" type="xs:string"/>', "it").field.type
    field = Field("it", "it", text, nillable=True, fixed="x")
    assert Components(schema, {}).element(field, reply=True) == {"type": ["string", "null"], "enum": ["x", None]}


def test_content_that_is_text_and_content_that_is_mixed() -> None:
    """`$value` stands beside attributes, and `$xml` for what has both text and elements."""
    text = Described(
        element(
            """<xs:simpleContent><xs:extension base="xs:decimal"><xs:attribute name="unit" type="xs:string" fixed="m"/>
            </xs:extension></xs:simpleContent>"""
        )
    )
    assert text.reply()["properties"]["@unit"] == {"type": "string", "const": "m"}
    assert text.reply()["required"] == ["$value"]
    text.check()
    mixed = Described(
        '<xs:element name="it"><xs:complexType mixed="true"><xs:sequence><xs:element name="a" minOccurs="0"/>'
        "</xs:sequence></xs:complexType></xs:element>"
    )
    assert mixed.reply()["required"] == ["$xml"]
    mixed.check()


def test_an_empty_type_is_an_empty_object() -> None:
    """Nothing may be in it; with xs:anyAttribute, attributes may."""
    nothing = Described(element("<xs:sequence/>"))
    assert nothing.reply() == {"type": "object", "properties": {}, "additionalProperties": False}
    open_to_any = Described(element("<xs:sequence/><xs:anyAttribute processContents='lax'/>"))
    assert open_to_any.allows({"@x": "1"})
    assert not open_to_any.allows({"x": "1"})
    open_to_any.check()


def test_a_repeated_choice_is_a_list_of_one_member_objects() -> None:
    """`$items` keeps the order; a wildcard in it is XML."""
    described = Described(
        element(
            """<xs:choice minOccurs="0" maxOccurs="unbounded"><xs:element name="x" type="xs:int"/>
            <xs:element name="y" type="xs:string"/><xs:any namespace="##other" processContents="lax"/></xs:choice>"""
        )
    )
    described.check()
    assert described.allows({"$items": [{"x": 1}, {"y": "a"}, {"$any": "<q/>"}, {"x": 2}]})
    assert not described.allows({"$items": [{"x": 1, "y": "a"}]})
    assert not described.allows({})
    assert described.allows({}, reply=False)


def test_a_repeated_sequence_is_arrays() -> None:
    """Its members come in turns, so each is an array."""
    described = Described(
        element(
            """<xs:sequence minOccurs="0" maxOccurs="unbounded"><xs:element name="k" type="xs:string"/>
            <xs:element name="v" type="xs:string"/></xs:sequence>"""
        )
    )
    assert described.allows({"k": ["a"], "v": ["b"]})
    described.check()


def test_elements_of_one_name_in_an_order_that_matters() -> None:
    """An item list of one kind of element needs no choice."""
    described = Described(
        element(
            """<xs:sequence><xs:element name="a" type="xs:int"/><xs:element name="b" type="xs:int"/>
            <xs:element name="a" type="xs:int"/></xs:sequence>"""
        )
    )
    assert described.allows({"$items": [{"a": 1}, {"b": 1}, {"a": 2}]})
    described.check()


def test_wildcards_are_xml() -> None:
    """`$any` holds elements as text; its example is of a namespace that may stand there."""
    described = Described(
        element(
            """<xs:sequence><xs:element name="a" type="xs:int"/>
            <xs:any namespace="urn:q" processContents="lax" maxOccurs="2"/></xs:sequence>"""
        )
    )
    found = described.reply()["properties"]["$any"]
    assert found["items"]["examples"] == ['<q:example xmlns:q="urn:q"/>']
    assert found["minItems"] == 1
    local = Described(element("<xs:sequence><xs:any namespace='##local' processContents='lax'/></xs:sequence>"))
    assert local.reply()["properties"]["$any"]["items"]["examples"] == ["<example/>"]
    strict = Described(element("<xs:sequence><xs:any processContents='strict'/></xs:sequence>"))
    assert strict.reply()["properties"]["$any"]["items"]["examples"] == ['<q:it xmlns:q="urn:t"/>']


def test_derived_types_are_told_apart_by_their_word() -> None:
    """A type that others may stand for is one of several; `$type` is needed for the others."""
    described = Described(BASES.format(""))
    assert described.reply("Base") == {
        "oneOf": [{"$ref": "#/components/schemas/Base.Itself"}, {"$ref": "#/components/schemas/More.Typed"}]
    }
    assert described.allows({"a": "x"})
    assert described.allows({"$type": "More", "a": "x", "b": "y"})
    assert not described.allows({"a": "x", "b": "y"})
    described.check()


def test_an_abstract_type_has_a_discriminator() -> None:
    """It never stands for itself; with no type derived from it, nothing can stand there."""
    described = Described(BASES.format('abstract="true"'))
    assert described.reply("Base")["discriminator"] == {
        "propertyName": "$type",
        "mapping": {"More": "#/components/schemas/More.Typed"},
    }
    assert not described.allows({"a": "x"})
    described.check()
    alone = Complex("{urn:t}Alone", abstract=True)
    schemas: dict[str, Document] = {}
    Components(Schema((alone,)), schemas).element(Field("it", "it", 0), reply=True)
    assert schemas["Alone"]["not"] == {}


def test_an_encoded_array_is_an_array() -> None:
    """Its items may be null."""
    text = Typed('<xs:element name="it" type="xs:string"/>', "it").field.type
    names = Complex("{urn:t}Names", array=ArrayOf(text, "{urn:t}Name"))
    schemas: dict[str, Document] = {}
    Components(Schema((names,)), schemas).element(Field("it", "it", 0), reply=True)
    assert schemas["Names"] == {"type": "array", "items": {"type": ["string", "null"]}}


def test_names_of_components_are_unique() -> None:
    """Types of the same name in two plans, or in two namespaces, get names of their own that OpenAPI allows."""
    first, second = Complex("{urn:a}A b"), Complex("{urn:b}A b")
    schemas: dict[str, Document] = {}
    for plan in (first, second, first, second):
        Components(Schema((plan,)), schemas).element(Field("it", "it", 0), reply=True)
    assert list(schemas) == ["A_b", "A_b.Reply", "A_b-2", "A_b-3"]
    assert next(numbered("x")) == "x-2"


# ------------------------------------------------------------------------------------------------ messages


@pytest.mark.parametrize(
    ("encoded", "reply", "required"),
    [(False, True, ["a", "b"]), (False, False, ["a", "b"]), (True, False, ["a", "b"]), (True, True, None)],
)
def test_an_rpc_message_is_an_object_of_its_parts(encoded: bool, reply: bool, required: list[str] | None) -> None:
    """All parts must be there, but in an encoded reply any may be missing; encoded parts may be null."""
    text = Typed('<xs:element name="it" type="xs:string"/>', "it").field.type
    parts = (Field("a", "a", text), Field("b", "b", text))
    message = Message(parts, wrapper="{urn:t}Op", encoded=encoded)
    found = Components(Schema(), {}).message(message, reply=reply)
    assert found.get("required") == required
    assert found["properties"]["a"]["type"] == (["string", "null"] if encoded else "string")


def test_a_document_message_is_what_its_element_holds() -> None:
    """The wrapper is unwrapped."""
    typed = Typed('<xs:element name="it" type="xs:string"/>', "it")
    assert Components(typed.schema, {}).message(Message((typed.field,)), reply=True) == {"type": "string"}


def test_attachments_are_members() -> None:
    """Of the object that the envelope holds, or beside the value that it is."""
    parts = Message((Field("a", "a", 0),), wrapper="{urn:t}Op", attachments=("photo",))
    types = (Complex(None, content=Group("sequence", (Field("b", "b", Simple("integer", "int")),))),)
    schemas: dict[str, Document] = {}
    components = Components(Schema(types), schemas)
    photo = {"type": "string", "contentEncoding": "base64"}
    value = {"a": {"b": 1}, "photo": "aGk="}
    for message, given in ((parts, value), (parts._replace(wrapper=None), {"b": 1, "photo": "aGk="})):
        document = components.message(message, reply=False)
        assert {key: document["properties"]["photo"][key] for key in photo} == photo
        allows = Draft202012Validator({**document, "components": {"schemas": schemas}}).is_valid
        assert (allows(given), allows({**given, "photo": 1}), allows({"photo": "aGk="})) == (True, False, False)
    plain = Message((Field("a", "a", Simple("integer", "int")),), attachments=("photo",))
    assert components.message(plain, reply=True)["required"] == ["$value", "photo"]
