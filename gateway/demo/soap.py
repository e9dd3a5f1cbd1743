"""SOAP envelopes, read and written by hand with the standard library.

SOAP 1.1 and 1.2 differ, for what is needed here, in a namespace, a content type and the words of a fault. A document
type declaration is refused when it begins: SOAP forbids it, and entities that grow without end need one.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat
from xml.sax.saxutils import escape

Field = tuple[str, "str | tuple[Field, ...]"]
"""An element: its name, and its text or its children."""


class Version(NamedTuple):
    """One of the two envelope versions."""

    namespace: str
    content_type: str


SOAP_11 = Version("http://schemas.xmlsoap.org/soap/envelope/", "text/xml; charset=utf-8")
SOAP_12 = Version("http://www.w3.org/2003/05/soap-envelope", "application/soap+xml; charset=utf-8")
VERSIONS = {version.namespace: version for version in (SOAP_11, SOAP_12)}


class Message(NamedTuple):
    """A request: the operation is the first child of the Body, the arguments are its children's texts."""

    version: Version
    namespace: str
    operation: str
    arguments: Mapping[str, str]


class SoapFault(Exception):
    """The request cannot be served; `sender` says whose mistake it is."""

    def __init__(self, reason: str, *, sender: bool = True, version: Version = SOAP_11) -> None:
        self.reason = reason
        self.sender = sender
        self.version = version
        super().__init__(reason)


def read(body: bytes) -> Message:
    """The message in an envelope of either version, or SoapFault."""
    envelope = _parse(body)
    namespace, name = _split(envelope.tag)
    version = VERSIONS.get(namespace)
    if version is None or name != "Envelope":
        raise SoapFault(f"expected a SOAP 1.1 or 1.2 Envelope, got {name!r}")
    content = [child for part in envelope if _split(part.tag) == (namespace, "Body") for child in part]
    if not content:
        raise SoapFault("the Body names no operation", version=version)
    operation = content[0]
    arguments = {_split(child.tag)[1]: (child.text or "").strip() for child in operation}
    return Message(version, *_split(operation.tag), arguments)


def write(version: Version, namespace: str, operation: str, fields: Iterable[Field]) -> bytes:
    """An envelope of this version around one operation's element."""
    content = f'<{operation} xmlns="{escape(namespace)}">{_elements(fields)}</{operation}>'
    return _envelope(version, content)


def write_fault(fault: SoapFault) -> tuple[int, bytes]:
    """The status and envelope of a fault (SOAP 1.1, section 6.2; SOAP 1.2 part 2, table 20)."""
    reason = escape(fault.reason)
    if fault.version is SOAP_11:
        code = "Client" if fault.sender else "Server"
        content = f"<soap:Fault><faultcode>soap:{code}</faultcode><faultstring>{reason}</faultstring></soap:Fault>"
        return 500, _envelope(fault.version, content)
    code = "Sender" if fault.sender else "Receiver"
    content = (
        f"<soap:Fault><soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code>"
        f'<soap:Reason><soap:Text xml:lang="en">{reason}</soap:Text></soap:Reason></soap:Fault>'
    )
    return 400 if fault.sender else 500, _envelope(fault.version, content)


def _envelope(version: Version, content: str) -> bytes:
    start = f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{version.namespace}">'
    return f"{start}<soap:Body>{content}</soap:Body></soap:Envelope>".encode()


def _elements(fields: Iterable[Field]) -> str:
    return "".join(
        f"<{name}>{escape(value) if isinstance(value, str) else _elements(value)}</{name}>" for name, value in fields
    )


def _parse(body: bytes) -> Element:
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = lambda tag, attributes: builder.start(tag, attributes)
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise SoapFault(f"the envelope is not well-formed XML: {error}") from error
    return builder.close()


def _refuse_doctype(*_: object) -> None:
    raise SoapFault("a document type declaration is not allowed in SOAP")


def _split(tag: str) -> tuple[str, str]:
    """Namespace and local name of a tag as expat joins them."""
    namespace, _, name = tag.rpartition("}")
    return namespace, name
