"""The schemas everybody refers to."""

from pathlib import Path

import pytest
from lxml import etree
from xmlschema import XMLSchema10

from connectors.soap import catalogue
from connectors.soap.repairs import XML
from connectors.soap.wsdl import load
from tests.connectors.soap.wsdls import put, wsdl


@pytest.mark.parametrize("key", [*catalogue.OURS, *catalogue.THEIRS])
def test_each_is_a_schema(key: str) -> None:
    """Every well-known namespace, and every well-known address, leads to a schema."""
    entry = catalogue.find(key)
    assert entry is not None
    assert etree.fromstring(entry.read_bytes()).tag == "{http://www.w3.org/2001/XMLSchema}schema"


@pytest.mark.parametrize("namespace", [key for key in catalogue.OURS if not key.endswith("ws-addr.xsd")])
def test_ours_are_valid(namespace: str) -> None:
    """Our own schemas are of the namespace they are found by, and valid by the schema of schemas."""
    entry = catalogue.find(namespace)
    assert entry is not None
    text = entry.read_text(encoding="utf-8")
    assert etree.fromstring(text.encode()).get("targetNamespace") == namespace
    errors = XMLSchema10(text, validation="lax", allow="none", build=False).all_errors
    assert errors == []


@pytest.mark.parametrize("namespace", [key for key in catalogue.OURS if not key.endswith("ws-addr.xsd")])
def test_ours_compile(namespace: str, tmp_path: Path) -> None:
    """Our own schemas compile, in both compilers, with nothing to warn of."""
    schemas = f'<xs:schema targetNamespace="urn:rents"><xs:import namespace="{namespace}"/></xs:schema>'
    part = '<xs:element name="Ask" type="xs:string"/><xs:element name="Answer" type="xs:string"/>'
    loaded = load(put(tmp_path, wsdl(schemas.replace("</xs:schema>", f"{part}</xs:schema>"))))
    assert loaded.warnings == ()


def test_others_are_not_there() -> None:
    """Of a namespace that is not well known, there is nothing."""
    assert catalogue.find("urn:nobody") is None
    assert catalogue.find(XML) is not None
