"""Prefixes that nothing declares."""

import pytest
from lxml import etree

from connectors.soap.prefixes import declared, in_message
from connectors.soap.xmltext import XSD, XSI
from gateway.core.problems import SOAP_11, SOAP_12


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<a xsi:nil='1'/>", "<a xsi:nil='1' xmlns:xsi=\"urn:i\"/>"),
        ("<xsi:a/>", '<xsi:a xmlns:xsi="urn:i"/>'),
        ('\ufeff<?xml version="1.0"?> <!-- <b> -->\n<a x = "&gt;>">xsi:<b xsi:nil="1"/></a>', None),
        ("<a>xsi:nil</a>", "<a>xsi:nil</a>"),
        ("<a xmlns:xsi = 'urn:other'><b xsi:nil='1'/></a>", "<a xmlns:xsi = 'urn:other'><b xsi:nil='1'/></a>"),
        ("<!DOCTYPE a><a xsi:nil='1'/>", "<!DOCTYPE a><a xsi:nil='1'/>"),
        ("xsi:", "xsi:"),
    ],
)
def test_declared(before: str, after: str | None) -> None:
    """A prefix that is used is declared in the root's start tag, unless that declares it; nothing else changes."""
    expected = before.replace('">xsi', '" xmlns:xsi="urn:i">xsi') if after is None else after
    found = declared(before.encode(), {"xsi": "urn:i", "xsd": "urn:d"})
    assert found.data.decode() == expected
    assert found.prefixes == (("xsi",) if expected != before else ())


def test_values() -> None:
    """A prefix in a value needs its declaration too: an xsi:type means nothing without it."""
    found = in_message(b'<a><b xsi:type="xsd:int">1</b></a>')
    root = etree.fromstring(found.data)
    assert found.prefixes == ("xsd", "xsi")
    assert {prefix: root.nsmap[prefix] for prefix in found.prefixes} == {"xsd": XSD, "xsi": XSI}


@pytest.mark.parametrize(("more", "space"), [("", SOAP_11), (f' xmlns:x="{SOAP_12}"', SOAP_12)])
def test_envelopes(more: str, space: str) -> None:
    """An envelope whose prefix is not declared is that of 1.1, or of 1.2 where it names that."""
    found = in_message(f"<soap-env:Envelope{more}><soap-env:Body/></soap-env:Envelope>".encode())
    assert found.prefixes == ("soap-env",)
    assert etree.fromstring(found.data).tag == f"{{{space}}}Envelope"
