"""Envelopes of both versions, built and opened.

Every prefix that may occur is declared on the Envelope, so that what stands inside is plain text written by the codec.
What is opened must be an envelope and nothing else; its version is what its namespace says, not its content type.
"""

from typing import Literal, NamedTuple

from connectors.soap.plan import Schema
from connectors.soap.words import SOAP_ENCODING, TRUE
from connectors.soap.xmltext import XML_NAMESPACE, XSD, XSI, Element, XmlRefused, local, parse, quoted
from gateway.core.problems import SOAP_11, SOAP_12

Version = Literal["1.1", "1.2"]
NAMESPACES: dict[Version, str] = {"1.1": SOAP_11, "1.2": SOAP_12}
VERSIONS: dict[str, Version] = {SOAP_11: "1.1", SOAP_12: "1.2"}
_SPACES = {f"{{{space}}}Envelope": space for space in VERSIONS}
_FAULTS = frozenset(f"{{{space}}}Fault" for space in VERSIONS)
ENVELOPE = "soap"
"""The envelope's own prefix. Header blocks and parts may use it."""
_HERE = {
    "1.1": frozenset({"", "http://schemas.xmlsoap.org/soap/actor/next"}),
    "1.2": frozenset({"", f"{SOAP_12}/role/next", f"{SOAP_12}/role/ultimateReceiver"}),
}
"""Whom a header must be for to be for us (SOAP 1.1, section 4.2.2; SOAP 1.2, part 1, section 2.2)."""


class Frame:
    """An envelope of one version but for what stands in it, made once for a schema."""

    def __init__(self, version: Version, schema: Schema, *, encoded: bool = False) -> None:
        spaces = {ENVELOPE: NAMESPACES[version], "xsi": XSI, "xsd": XSD}
        if encoded or any(each.array is not None for each in schema.types):
            spaces["soapenc"] = SOAP_ENCODING
        spaces |= {prefix: space for space, prefix in schema.prefixes if space != XML_NAMESPACE}  # `xml` needs none
        self.declared = "".join(f" xmlns:{prefix}={quoted(space)}" for prefix, space in spaces.items())
        self._start = f'<?xml version="1.0" encoding="utf-8"?>\n<{ENVELOPE}:Envelope{self.declared}>'

    def around(self, body: str, headers: str = "") -> bytes:
        """The whole message: header blocks and the Body's content are XML text."""
        header = f"<{ENVELOPE}:Header>{headers}</{ENVELOPE}:Header>" if headers else ""
        return f"{self._start}{header}<{ENVELOPE}:Body>{body}</{ENVELOPE}:Body></{ENVELOPE}:Envelope>".encode()


class Opened(NamedTuple):
    """An envelope that came: its version, its header blocks, its Body, and the Fault in it, if that is what came."""

    version: Version
    headers: tuple[Element, ...]
    body: Element
    fault: Element | None


def opened(data: bytes, *, names: bool) -> Opened:
    """What is in an envelope. `names` asks for a tree that knows its prefixes. Raises XmlRefused."""
    root = parse(data, names=names)
    space = _SPACES.get(root.tag)
    if space is None:
        raise XmlRefused("The message is not a SOAP envelope.")
    parts = [(child.tag, child) for child in root]
    bodies = [part for tag, part in parts if tag == f"{{{space}}}Body"]
    headers = [part for tag, part in parts if tag == f"{{{space}}}Header"]
    if len(bodies) != 1:
        raise XmlRefused(f"The envelope has {'more than one' if bodies else 'no'} Body.")
    if len(headers) > 1:
        raise XmlRefused("The envelope has more than one Header.")
    blocks = tuple(headers[0]) if headers else ()
    return Opened(VERSIONS[space], blocks, bodies[0], _fault(bodies[0]))


def _fault(body: Element) -> Element | None:
    """The fault in a Body; servers put one of SOAP 1.1 into an envelope of 1.2, too."""
    first = next(iter(body), None)
    return first if first is not None and first.tag in _FAULTS else None


def not_understood(message: Opened, known: frozenset[str]) -> tuple[str, ...]:
    """The header blocks that have to be understood here and are not `known`: their names, without namespaces."""
    insists = f"{{{NAMESPACES[message.version]}}}mustUnderstand"
    return tuple(
        local(block.tag)
        for block in headers_for_us(message)
        if block.get(insists, "").strip() in TRUE and block.tag not in known
    )


def headers_for_us(message: Opened) -> tuple[Element, ...]:
    """The header blocks that are for whoever gets the message at last, or next."""
    role = f"{{{NAMESPACES[message.version]}}}{'actor' if message.version == '1.1' else 'role'}"
    return tuple(block for block in message.headers if block.get(role, "").strip() in _HERE[message.version])
