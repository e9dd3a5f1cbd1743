"""A library that speaks SOAP: its WSDL, and configurations that refer to it."""

from pathlib import Path
from typing import Any

from gateway.core.model import Estate
from tests.config.files import problems

WSDL = """\
<definitions name="Loans" targetNamespace="urn:loans" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:l="urn:loans"
    xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/">
  <types><s:schema targetNamespace="urn:loans" elementFormDefault="qualified">
    <s:element name="ListLoansRequest"><s:complexType><s:sequence>
      <s:element name="Card" type="s:string"/>
    </s:sequence></s:complexType></s:element>
    <s:element name="ListLoansResponse"><s:complexType><s:sequence>
      <s:element name="Title" type="s:string" minOccurs="0" maxOccurs="unbounded"/>
    </s:sequence></s:complexType></s:element>
  </s:schema></types>
  <message name="In"><part name="body" element="l:ListLoansRequest"/></message>
  <message name="Out"><part name="body" element="l:ListLoansResponse"/></message>
  <portType name="Loans"><operation name="ListLoans">
    <input message="l:In"/><output message="l:Out"/>
  </operation></portType>
  <binding name="Loans11" type="l:Loans">
    <soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="ListLoans"><soap:operation soapAction="urn:loans/list"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
  </binding>
  <binding name="Loans12" type="l:Loans">
    <soap12:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="ListLoans"><soap12:operation soapAction="urn:loans/list"/>
      <input><soap12:body use="literal"/></input><output><soap12:body use="literal"/></output></operation>
  </binding>
  <service name="Loans">
    <port name="Old" binding="l:Loans11"><soap:address location="http://127.0.0.1:1/Loans"/></port>
    <port name="New" binding="l:Loans12"><soap12:address location="http://127.0.0.1:1/Loans"/></port>
  </service>
</definitions>
"""


def frame(backend: str = "", *routes: str) -> str:
    listed = "".join(f"  - {{{each}}}\n" for each in routes)
    return (
        "version: 1\nbackends:\n"
        f'  loans: {{type: soap, wsdl: loans.wsdl, url: "http://127.0.0.1:9001/Loans"{backend}}}\n'
        '  books: {url: "http://127.0.0.1:9002"}\n'
        f"routes:\n{listed}"
    )


CALLS = (
    'name: a, match: "GET /loans/{card}", legacy: {backend: loans, operation: ListLoans, request: {Card: path.card}}'
)
FACES = 'name: a, match: "SOAP /l#ListLoans", legacy: loans, new: {backend: books, method: GET, path: "/l/{body.Card}"}'
PLAIN = 'name: a, match: "GET /a", legacy: loans'


def call_of(found: Estate, side: str = "legacy") -> Any:
    target = getattr(found.routes[0], side)
    return target.call


def told(folder: Path, text: str) -> list[str]:
    """What is wrong, without the places."""
    return [each.split(": ", 1)[1] for each in problems(folder, text)]
