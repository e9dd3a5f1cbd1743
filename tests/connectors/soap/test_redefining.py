"""Declarations that take the place of others."""

from pathlib import Path

import pytest
from lxml import etree

from connectors.soap.codec import Codec
from connectors.soap.plan import Schema
from connectors.soap.problems import Invalid
from connectors.soap.service import service_of
from connectors.soap.words import JSON
from connectors.soap.wsdl import Wsdl, load
from tests.connectors.soap.wsdls import MESSAGES, PORT_TYPE, put, schema, wsdl

BASE = """
<xs:simpleType name="Code"><xs:restriction base="xs:string"><xs:maxLength value="3"/></xs:restriction></xs:simpleType>
<xs:complexType name="Line"><xs:sequence><xs:element name="Code" type="t:Code"/><xs:group ref="t:Parts"/></xs:sequence>
<xs:attributeGroup ref="t:Marks"/></xs:complexType>
<xs:group name="Parts"><xs:sequence><xs:element name="Part" type="xs:int"/></xs:sequence></xs:group>
<xs:attributeGroup name="Marks"><xs:attribute name="mark" type="xs:int"/></xs:attributeGroup>
<xs:element name="Ask" type="t:Line"/>
"""
TYPES = """<xs:redefine schemaLocation="base.xsd"><xs:annotation/>
<xs:simpleType name="Code"><xs:restriction base="{0}Code"><xs:pattern value="[A-Z]*"/></xs:restriction></xs:simpleType>
<xs:complexType name="Line"><xs:complexContent><xs:extension base="{0}Line"><xs:sequence>
<xs:element name="Note" type="xs:string"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:group name="Parts"><xs:sequence><xs:group ref="{0}Parts"/><xs:element name="More" type="xs:int"/></xs:sequence>
</xs:group>
<xs:attributeGroup name="Marks"><xs:attributeGroup ref="{0}Marks"/><xs:attribute name="other" type="xs:int"/>
</xs:attributeGroup></xs:redefine>"""
WHOLE: JSON = {"@mark": 1, "@other": 2, "Code": "ABC", "Part": 3, "More": 4, "Note": "n"}


def redefined(folder: Path, text: str) -> Wsdl:
    """A WSDL whose schema redefines another, loaded."""
    own = f'<xs:schema targetNamespace="urn:rents" elementFormDefault="qualified">{text}</xs:schema>'
    port_type = PORT_TYPE.replace('<w:output message="t:AskOut"/>', "")
    return load(put(folder, wsdl(own, messages=MESSAGES.split("\n")[0], port_type=port_type)))


def is_valid(folder: Path, text: str, xml: str, plan: Schema) -> bool:
    """Whether lxml, which redefines by itself, finds an element valid."""
    own = schema(text, "urn:rents", 'elementFormDefault="qualified" xmlns:t="urn:rents"')
    put(folder, schema(BASE, "urn:rents", 'elementFormDefault="qualified" xmlns:t="urn:rents"'), "base.xsd")
    model = etree.XMLSchema(etree.parse(put(folder, own, "own.xsd")))
    declared = "".join(f' xmlns:{prefix}="{space}"' for space, prefix in plan.prefixes)
    element = etree.fromstring(f"<E{declared}>{xml}</E>")[0]
    return bool(model.validate(etree.fromstring(etree.tostring(element))))


@pytest.mark.parametrize("prefix", ["t:", ""])
@pytest.mark.parametrize("namespace", ["urn:rents", ""])
def test_everything_that_can_be_redefined(prefix: str, namespace: str, tmp_path: Path) -> None:
    """Types and groups are what they were and what was added, wherever they are named; nothing of it is a repair.

    What is redefined may have no namespace of its own; and some forget to say that of a name.
    """
    base = schema(BASE, namespace, 'elementFormDefault="qualified" xmlns:t="urn:rents"')
    put(tmp_path, base if namespace else base.replace("t:", ""), "base.xsd")
    loaded = redefined(tmp_path, TYPES.format(prefix))
    assert [each for each in loaded.warnings if "prefix" not in each] == []
    service = service_of(loaded)
    codec, message = Codec(service.schema), service.operations[0].input
    xml = codec.encode(message, WHOLE)
    assert is_valid(tmp_path, TYPES.format("t:"), xml, service.schema)
    for wrong in ("abc", "ABCD"):  # the one by what was added, the other by what was there
        with pytest.raises(Invalid) as caught:
            codec.encode(message, {**WHOLE, "Code": wrong})
        assert [each.pointer for each in caught.value.problems] == ["/Code"]


def test_nothing_to_redefine(tmp_path: Path) -> None:
    """A redefinition of what is not there is a declaration, and that is told."""
    put(tmp_path, schema('<xs:element name="Ask" type="xs:string"/>', "urn:rents"), "base.xsd")
    text = '<xs:redefine schemaLocation="base.xsd">\n<xs:simpleType name="Code"><xs:list itemType="xs:int"/>'
    loaded = redefined(tmp_path, text + "</xs:simpleType></xs:redefine>")
    assert loaded.warnings == ("rents.wsdl:4: there is no Code to redefine; it is taken as a declaration",)
    assert "{urn:rents}Code" in loaded.schemas.maps.types


def test_without_a_namespace(tmp_path: Path) -> None:
    """Two schemas without a namespace redefine as others do."""
    put(tmp_path, schema(BASE.replace("t:", "")), "base.xsd")
    put(tmp_path, schema(TYPES.format("")), "more.xsd")
    loaded = redefined(tmp_path, '<xs:import schemaLocation="more.xsd"/><xs:element name="Ask"/>')
    assert loaded.warnings == ()
    assert {"Line", "Line.redefined"} <= loaded.schemas.maps.types.keys()


def test_a_base_in_the_wrong_namespace(tmp_path: Path) -> None:
    """What a type redefines is itself: nothing else can be meant, even where its namespace has no prefix."""
    put(tmp_path, schema(BASE, "urn:rents", 'xmlns:t="urn:rents"'), "base.xsd")
    text = TYPES[: TYPES.index("<xs:complexType")].format("") + "</xs:redefine>"
    own = f'<xs:schema targetNamespace="urn:rents">{text}</xs:schema>'.replace("t:", "")
    document = wsdl(own, messages="", port_type="", binding="", service="")
    loaded = load(put(tmp_path, document.replace(' xmlns:t="urn:rents"', ' xmlns="urn:x"')))
    assert loaded.warnings == ()
    found = loaded.schemas.maps.types
    assert found["{urn:rents}Code"].base_type is found["{urn:rents}Code.redefined"]


@pytest.mark.parametrize(
    "content",
    ['<xs:restriction base="xs:int"/>', '<xs:list itemType="xs:int"/>'],
)
def test_a_type_that_does_not_go_by_itself(content: str, tmp_path: Path) -> None:
    """It takes the place of the other all the same."""
    put(tmp_path, schema(BASE, "urn:rents", 'xmlns:t="urn:rents"'), "base.xsd")
    text = f'<xs:redefine schemaLocation="base.xsd"><xs:simpleType name="Code">{content}</xs:simpleType></xs:redefine>'
    code = redefined(tmp_path, text).schemas.maps.types["{urn:rents}Code"]
    assert (code.is_valid("5"), code.is_valid("A")) == (True, False)
