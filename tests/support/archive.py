"""An archive that speaks SOAP: documents go in and come out as base64, or as attachments beside the envelope."""

SPACE = "urn:example:archive"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
INCLUDE = "http://www.w3.org/2004/08/xop/include"
_OPERATIONS = ("Fetch", "Store", "Scan")

WSDL = f"""<w:definitions targetNamespace="{SPACE}" xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:t="{SPACE}"
 xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:m="http://schemas.xmlsoap.org/wsdl/mime/"
 xmlns:xs="http://www.w3.org/2001/XMLSchema">
<w:types><xs:schema targetNamespace="{SPACE}" elementFormDefault="qualified" xmlns:x="http://www.w3.org/2005/05/xmlmime">
 <xs:import namespace="http://www.w3.org/2005/05/xmlmime"/>
 <xs:element name="Fetch"><xs:complexType><xs:sequence>
  <xs:element name="No" type="xs:string"/>
 </xs:sequence></xs:complexType></xs:element>
 <xs:element name="Fetched"><xs:complexType><xs:sequence>
  <xs:element name="No" type="xs:string"/>
  <xs:element name="Page" type="x:base64Binary" maxOccurs="unbounded"/>
 </xs:sequence></xs:complexType></xs:element>
 <xs:element name="Store"><xs:complexType><xs:sequence>
  <xs:element name="No" type="xs:string"/>
  <xs:element name="Page" type="xs:base64Binary" maxOccurs="unbounded"/>
 </xs:sequence></xs:complexType></xs:element>
 <xs:element name="Stored" type="xs:int"/>
 <xs:element name="Scan"><xs:complexType><xs:sequence>
  <xs:element name="No" type="xs:string"/>
 </xs:sequence></xs:complexType></xs:element>
</xs:schema></w:types>
<w:message name="FetchIn"><w:part name="body" element="t:Fetch"/></w:message>
<w:message name="FetchOut"><w:part name="body" element="t:Fetched"/></w:message>
<w:message name="StoreIn"><w:part name="body" element="t:Store"/></w:message>
<w:message name="StoreOut"><w:part name="body" element="t:Stored"/></w:message>
<w:message name="ScanIn"><w:part name="body" element="t:Scan"/><w:part name="image" type="xs:hexBinary"/></w:message>
<w:message name="ScanOut"><w:part name="body" element="t:Stored"/><w:part name="thumb" type="xs:hexBinary"/></w:message>
<w:portType name="Archive">
 <w:operation name="Fetch"><w:input message="t:FetchIn"/><w:output message="t:FetchOut"/></w:operation>
 <w:operation name="Store"><w:input message="t:StoreIn"/><w:output message="t:StoreOut"/></w:operation>
 <w:operation name="Scan"><w:input message="t:ScanIn"/><w:output message="t:ScanOut"/></w:operation>
</w:portType>
<w:binding name="Archive" type="t:Archive">
 <s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
 <w:operation name="Fetch"><s:operation soapAction="urn:Fetch"/>
  <w:input><s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output></w:operation>
 <w:operation name="Store"><s:operation soapAction="urn:Store"/>
  <w:input><s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output></w:operation>
 <w:operation name="Scan"><s:operation soapAction="urn:Scan"/>
  <w:input><m:multipartRelated><m:part><s:body parts="body" use="literal"/></m:part>
   <m:part><m:content part="image" type="image/png"/></m:part></m:multipartRelated></w:input>
  <w:output><m:multipartRelated><m:part><s:body parts="body" use="literal"/></m:part>
   <m:part><m:content part="thumb" type="image/png"/></m:part></m:multipartRelated></w:output></w:operation>
</w:binding>
<w:service name="ArchiveService">
 <w:port name="ArchivePort" binding="t:Archive"><s:address location="http://archive.test/archive"/></w:port>
</w:service>
</w:definitions>
"""


def envelope(content: str) -> bytes:
    """An envelope around an element of the archive's own."""
    return f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Body>{content}</e:Body></e:Envelope>'.encode()


def include(name: str) -> str:
    return f'<x:Include xmlns:x="{INCLUDE}" href="cid:{name}"/>'


def fetched(*pages: str) -> bytes:
    """The reply of Fetch; pages are base64 or Includes."""
    inside = "".join(f"<Page>{page}</Page>" for page in pages)
    return envelope(f'<Fetched xmlns="{SPACE}"><No>7</No>{inside}</Fetched>')


def stored(*pages: str) -> bytes:
    """A request of Store."""
    inside = "".join(f"<Page>{page}</Page>" for page in pages)
    return envelope(f'<Store xmlns="{SPACE}"><No>7</No>{inside}</Store>')


def part(name: str, data: bytes, kind: str = "application/octet-stream") -> bytes:
    """A part of a package whose boundary is `cut`, with the boundary before it."""
    return f"\r\n--cut\r\nContent-Type: {kind}\r\nContent-ID: <{name}>\r\n\r\n".encode() + data


END = b"\r\n--cut--\r\n"
MTOM_TYPE = (
    'Content-Type: multipart/related; type="application/xop+xml"; start="<root>"; start-info="text/xml"; boundary=cut'
)
SWA_TYPE = 'Content-Type: multipart/related; type="text/xml"; boundary=cut'
