"""Schemas as lxml takes them."""

from pathlib import Path

import pytest
from lxml import etree

from benchmarks.legs import compiled_by_lxml
from benchmarks.tidying import tidied
from connectors.soap.documents import Library
from connectors.soap.linking import Linked, Linker
from tests.connectors.soap.wsdls import SCHEMA, put, wsdl


def linked(folder: Path, *contents: str) -> Linked:
    """The schemas of a WSDL: its own with something more in it, and others of the same namespace."""
    own, *others = contents
    more = (f'<xs:schema targetNamespace="urn:rents">{each}</xs:schema>' for each in others)
    text = wsdl(SCHEMA.replace("</xs:schema>", f"{own}</xs:schema>") + "".join(more))
    library = Library(folder)
    return Linker(library).link(library.open(put(folder, text)))


@pytest.mark.parametrize(
    "contents",
    [
        ('<xs:element name="a"><xs:complexType name="no"/></xs:element>',),
        ('<xs:element name="a" minOccurs="0" maxOccurs="5"/>',),
        ("stray <xs:annotation/> text",),
        ('<xs:element name="a"/><xs:element name="a"/>',),
        ('<xs:complexType name="a"/>', '<xs:simpleType name="a"><xs:list itemType="xs:int"/></xs:simpleType>'),
    ],
)
def test_what_lxml_refuses_a_schema_for(contents: tuple[str, ...], tmp_path: Path) -> None:
    """It is taken out, so that messages can be judged; the schemas themselves stay as they were."""
    found = linked(tmp_path, *contents)
    before = [etree.tostring(each.root) for each in found.schemas]
    assert isinstance(compiled_by_lxml(found, []), etree.XMLSchema)
    assert [etree.tostring(each.root) for each in found.schemas] == before


def test_the_first_declaration_counts(tmp_path: Path) -> None:
    """As it does for the gateway; elements and types of one name do not get into each other's way."""
    own = '<xs:element name="a" type="xs:int"/><xs:simpleType name="a"><xs:list itemType="xs:int"/></xs:simpleType>'
    first, second = tidied(linked(tmp_path, own, '<xs:element name="a" type="xs:date"/>').schemas)
    assert [each.get("type") for each in first.root if each.get("name") == "a"] == ["xs:int", None]
    assert list(second.root) == []
