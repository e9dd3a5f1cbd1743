"""Small WSDLs, written out of parts, and put into folders."""

from pathlib import Path

SPACES = (
    'xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" '
    'xmlns:s12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:m="http://schemas.xmlsoap.org/wsdl/mime/" '
    'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:rents" xmlns:o="urn:other"'
)
ELEMENTS = """\
<xs:element name="Ask"><xs:complexType><xs:sequence>
 <xs:element name="Account" type="xs:string"/>
</xs:sequence></xs:complexType></xs:element>
<xs:element name="Answer" type="xs:decimal"/>
"""
SCHEMA = f'<xs:schema targetNamespace="urn:rents" elementFormDefault="qualified">{ELEMENTS}</xs:schema>'
MESSAGES = """\
<w:message name="AskIn"><w:part name="body" element="t:Ask"/></w:message>
<w:message name="AskOut"><w:part name="body" element="t:Answer"/></w:message>
"""
PORT_TYPE = """\
<w:portType name="Rents">
 <w:operation name="GetBalance">
  <w:documentation>What is
   owed.</w:documentation>
  <w:input message="t:AskIn"/><w:output message="t:AskOut"/>
 </w:operation>
</w:portType>
"""
BINDING = """\
<w:binding name="Rents11" type="t:Rents">
 <s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
 <w:operation name="GetBalance">
  <s:operation soapAction="urn:rents#GetBalance"/>
  <w:input><s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output>
 </w:operation>
</w:binding>
"""
SERVICE = """\
<w:service name="RentService">
 <w:port name="RentPort" binding="t:Rents11"><s:address location="http://rents.test/soap"/></w:port>
</w:service>
"""


def definitions(*parts: str) -> str:
    """A WSDL document of these parts."""
    return f'<w:definitions targetNamespace="urn:rents" {SPACES}>\n{"".join(parts)}</w:definitions>\n'


def wsdl(
    schemas: str = SCHEMA,
    *,
    imports: str = "",
    messages: str = MESSAGES,
    port_type: str = PORT_TYPE,
    binding: str = BINDING,
    service: str = SERVICE,
) -> str:
    """A whole WSDL: one operation, unless told otherwise."""
    return definitions(imports, f"<w:types>\n{schemas}\n</w:types>\n", messages, port_type, binding, service)


def schema(content: str, namespace: str = "", spaces: str = "") -> str:
    """A schema document of its own."""
    target = f'targetNamespace="{namespace}" ' if namespace else ""
    return f'<xs:schema {target}xmlns:xs="http://www.w3.org/2001/XMLSchema" {spaces}>\n{content}\n</xs:schema>\n'


def put(folder: Path, text: str | bytes, name: str = "rents.wsdl") -> Path:
    """Writes a file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
