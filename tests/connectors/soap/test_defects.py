"""Why a WSDL cannot be compiled."""

from pathlib import Path

import pytest

from connectors.soap.wsdl import WsdlError, load
from tests.connectors.soap.wsdls import BINDING, PORT_TYPE, SCHEMA, put, schema, wsdl


def refusal(folder: Path, text: str) -> str:
    """What is said of a WSDL that cannot be compiled."""
    with pytest.raises(WsdlError) as caught:
        load(put(folder, text))
    said = str(caught.value)
    assert said.startswith("rents.wsdl cannot be compiled: ")
    return said.removeprefix("rents.wsdl cannot be compiled: ")


def within(content: str) -> str:
    """A WSDL with something wrong in its schema, on line 7."""
    return wsdl(SCHEMA.replace("</xs:schema>", f"{content}</xs:schema>"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<xs:string/>", "XML Schema has no element string"),
        ('<element name="a"/>', "element has no namespace here; give it the prefix of XML Schema"),
        (
            '<xs:simpleType name="a"><xs:extension base="xs:string"/></xs:simpleType>',
            "an extension cannot stand in simpleType, only in simpleContent or complexContent",
        ),
        ('<xs:element name="a" type="odd:T"/>', "names odd:T, but nothing declares the prefix odd; declare it"),
        (
            '<xs:group name="a"><xs:sequence><xs:element ref="t:Gone"/></xs:sequence></xs:group>',
            "no schema declares the element {urn:rents}Gone; give the schema that does",
        ),
        (
            '<xs:complexType name="a"><xs:attributeGroup ref="t:Gone"/></xs:complexType>',
            "no schema declares the attribute group {urn:rents}Gone; give the schema that does",
        ),
        (
            '<xs:simpleType name="a"><xs:restriction base="t:Gone"/></xs:simpleType>',
            "no schema declares the type {urn:rents}Gone; give the schema that does",
        ),
    ],
)
def test_schemas(content: str, said: str, tmp_path: Path) -> None:
    """What is wrong in a schema is told with file, line and name."""
    assert refusal(tmp_path, within(content)) == f"rents.wsdl:7: {said}."


def test_in_another_file(tmp_path: Path) -> None:
    """The file that is named is the one in which the defect stands."""
    put(tmp_path, schema("<xs:string/>", "urn:other"), "o.xsd")
    text = SCHEMA.replace('qualified">', 'qualified"><xs:import namespace="urn:other" schemaLocation="o.xsd"/>', 1)
    assert refusal(tmp_path, wsdl(text)) == "o.xsd:2: XML Schema has no element string."


def test_what_is_right(tmp_path: Path) -> None:
    """What stands in annotations, and what is of other namespaces, is nobody's business; what is declared is found."""
    rest = """
    <xs:annotation><xs:appinfo><element xmlns=""/><xs:oddity type="odd:T"/></xs:appinfo></xs:annotation>
    <o:note>a</o:note>
    <xs:element name="Head" type="xs:string"/><xs:element name="Other" substitutionGroup="t:Head" type="xs:string"/>
    <xs:attribute name="Kind" type="xs:string"/>
    <xs:complexType name="T"><xs:sequence><xs:element ref="t:Head"/></xs:sequence><xs:attribute ref="xml:lang"/>
    <xs:attribute ref="t:Kind"/></xs:complexType>
    <xs:string/>"""
    assert refusal(tmp_path, within(rest)) == "rents.wsdl:14: XML Schema has no element string."


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"binding": BINDING.replace('type="t:Rents"', 'type="t:Gone"').replace("GetB", "SetB")},
            "18: names the port type t:Gone, which is not there; correct the name or its prefix",
        ),
        (
            {"binding": BINDING.replace(' type="t:Rents"', "").replace("GetB", "SetB")},
            "18: the binding Rents11 has no type; name its port type",
        ),
        (
            {"port_type": PORT_TYPE.replace("t:AskIn", "odd:AskIn")},
            "15: names odd:AskIn, but nothing declares the prefix odd; declare it",
        ),
    ],
)
def test_definitions(wrong: dict[str, str], said: str, tmp_path: Path) -> None:
    """Names in definitions that lead nowhere are told with file, line and what to do."""
    assert refusal(tmp_path, wsdl(**wrong)) == f"rents.wsdl:{said}."


def test_something_else(tmp_path: Path) -> None:
    """Where nothing is found, it is said in the compiler's words."""
    twice = '<xs:complexType name="T"><xs:sequence/><xs:sequence/><xs:choice/></xs:complexType>'
    assert refusal(tmp_path, within(twice)) != ""
