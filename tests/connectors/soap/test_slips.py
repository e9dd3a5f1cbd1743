"""Slips of the pen in schemas."""

from pathlib import Path

from connectors.soap.wsdl import load
from tests.connectors.soap.wsdls import SCHEMA, put, wsdl


def test_wrong_case(tmp_path: Path) -> None:
    """An element of XML Schema in the wrong case is the one that is meant."""
    restriction = '<xs:restriction base="xs:string"><xs:maxlength value="2"/></xs:restriction>'
    slip = f'<xs:simpletype name="Code">{restriction}</xs:simpletype>'
    loaded = load(put(tmp_path, wsdl(SCHEMA.replace("</xs:schema>", f"{slip}</xs:schema>"))))
    assert loaded.warnings == (
        "rents.wsdl:7: simpletype is taken as simpleType, as XML Schema spells it",
        "rents.wsdl:7: maxlength is taken as maxLength, as XML Schema spells it",
    )
    assert not loaded.schemas.maps.types["{urn:rents}Code"].is_valid("ABC")


def test_simple_type_of_anything(tmp_path: Path) -> None:
    """A simple type that restricts anyType restricts anySimpleType; a type of that name elsewhere is another matter."""
    for base, own in (("xs:anyType", ""), ("anyType", ' xmlns="http://www.w3.org/2001/XMLSchema"')):
        slip = f'<xs:simpleType name="Any"{own}><xs:restriction base="{base}"/></xs:simpleType>'
        loaded = load(put(tmp_path, wsdl(SCHEMA.replace("</xs:schema>", f"{slip}</xs:schema>"))))
        assert loaded.warnings[0] == "rents.wsdl:7: a simple type cannot restrict anyType; anySimpleType is taken"
    fine = '<xs:simpleType name="Any"><xs:restriction base="t:anyType"/></xs:simpleType>'
    fine += '<xs:simpleType name="anyType"><xs:restriction base="xs:string"/></xs:simpleType>'
    loaded = load(put(tmp_path, wsdl(SCHEMA.replace("</xs:schema>", f"{fine}</xs:schema>"))))
    assert loaded.warnings == ()
