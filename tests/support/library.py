"""The WSDL of a small public library, invented for the tests of what people see: two ports, a fault, a one-way call."""

from pathlib import Path

PLACE = "http://127.0.0.1:1/Library.asmx"


def operation(version: str, name: str, *, fault: bool = False, answers: bool = True) -> str:
    literal = f'<{version}:body use="literal"/>'
    output = f"<output>{literal}</output>" if answers else ""
    refused = f'<fault name="NotAllowed"><{version}:fault name="NotAllowed" use="literal"/></fault>' if fault else ""
    return (
        f'<operation name="{name}"><{version}:operation soapAction="urn:library/{name}"/>'
        f"<input>{literal}</input>{output}{refused}</operation>"
    )


def binding(version: str) -> str:
    operations = operation(version, "Borrow", fault=True) + operation(version, "Ping", answers=False)
    return (
        f'<binding name="Library-{version}" type="l:Library">'
        f'<{version}:binding transport="http://schemas.xmlsoap.org/soap/http"/>{operations}</binding>'
    )


def library(place: str = PLACE, imports: str = "") -> str:
    """The WSDL. `imports` stand in its schema."""
    return f"""\
<definitions name="Library" targetNamespace="urn:library" xmlns="http://schemas.xmlsoap.org/wsdl/"
    xmlns:l="urn:library" xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:o="urn:other"
    xmlns:s11="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:s12="http://schemas.xmlsoap.org/wsdl/soap12/">
  <types><s:schema targetNamespace="urn:library" elementFormDefault="qualified">{imports}
    <s:simpleType name="Kind"><s:restriction base="s:string">
      <s:enumeration value="book"/><s:enumeration value="film"/></s:restriction></s:simpleType>
    <s:element name="Borrow"><s:complexType><s:sequence>
      <s:element name="Card" type="s:string"/>
      <s:element name="Kind" type="l:Kind" minOccurs="0"/>
      <s:element name="Reserve" type="s:boolean" minOccurs="0"/>
    </s:sequence></s:complexType></s:element>
    <s:element name="BorrowResponse"><s:complexType><s:sequence>
      <s:element name="Loan" minOccurs="0" maxOccurs="unbounded"><s:complexType><s:sequence>
        <s:element name="Title" type="s:string"/><s:element name="Due" type="s:date"/>
      </s:sequence><s:attribute name="id" type="s:int"/></s:complexType></s:element>
      <s:element name="Fee" type="s:decimal" minOccurs="0"/>
    </s:sequence></s:complexType></s:element>
    <s:element name="NotAllowed"><s:complexType><s:sequence>
      <s:element name="Why" type="s:string"/></s:sequence></s:complexType></s:element>
    <s:element name="Ping" type="s:string"/>
  </s:schema></types>
  <message name="BorrowIn"><part name="body" element="l:Borrow"/></message>
  <message name="BorrowOut"><part name="body" element="l:BorrowResponse"/></message>
  <message name="NotAllowed"><part name="detail" element="l:NotAllowed"/></message>
  <message name="PingIn"><part name="body" element="l:Ping"/></message>
  <portType name="Library">
    <operation name="Borrow"><documentation>Lends things out.</documentation>
      <input message="l:BorrowIn"/><output message="l:BorrowOut"/>
      <fault name="NotAllowed" message="l:NotAllowed"/></operation>
    <operation name="Ping"><input message="l:PingIn"/></operation>
  </portType>
  {binding("s11")}{binding("s12")}
  <service name="Library">
    <port name="Old" binding="l:Library-s11"><s11:address location="{place}"/></port>
    <port name="New" binding="l:Library-s12"><s12:address location="{place}"/></port>
  </service>
</definitions>
"""


def written(folder: Path, text: str = "") -> Path:
    """The WSDL in a folder."""
    path = folder / "library.wsdl"
    path.write_text(text or library(), encoding="utf-8")
    return path
