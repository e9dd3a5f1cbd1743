"""Prefixes that a document uses and nowhere declares: it is not well-formed then, and every parser refuses it.

Some programs forget only those that everybody knows: node's servers write `xsi:nil` and no `xmlns:xsi`. A second try,
after a parser has refused a document for that, declares such prefixes in the start tag of its root. Nothing else of it
changes, and it is parsed within the same bounds.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from connectors.soap.words import SOAP_ENCODING
from connectors.soap.xmltext import XSD, XSI, quoted
from gateway.core.problems import SOAP_11, SOAP_12

IN_SCHEMAS = {"xs": XSD, "xsd": XSD, "xsi": XSI, "soapenc": SOAP_ENCODING, "SOAP-ENC": SOAP_ENCODING}
_OF_ENVELOPES = ("soap", "soapenv", "soap-env", "SOAP-ENV")
IN_WSDLS = {
    **IN_SCHEMAS,
    "wsdl": "http://schemas.xmlsoap.org/wsdl/",
    **dict.fromkeys(("soap", "soap11"), "http://schemas.xmlsoap.org/wsdl/soap/"),
    "soap12": "http://schemas.xmlsoap.org/wsdl/soap12/",
    "mime": "http://schemas.xmlsoap.org/wsdl/mime/",
    "wsp": "http://schemas.xmlsoap.org/ws/2004/09/policy",
    "sp": "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702",
    "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
}
"""What prefixes usually mean, in WSDLs. Policies are not read, so their version does not matter."""

_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s++|<\?.*?\?>|<!--.*?-->)*+<[A-Za-z_][^\s/>\"'=<]*+"
    rb"(?P<attributes>(?:\s++[^\s/>\"'=<]++\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'))*+)",
    re.DOTALL,
)


class Declared(NamedTuple):
    """A document with more declarations at its root: those of these `prefixes`."""

    data: bytes
    prefixes: tuple[str, ...]


def in_message(data: bytes) -> Declared:
    """A message with the well-known prefixes declared that it uses; an envelope's own is that of 1.2 if it names it."""
    envelope = SOAP_12 if SOAP_12.encode() in data else SOAP_11
    return declared(data, {**IN_SCHEMAS, **dict.fromkeys(_OF_ENVELOPES, envelope)})


def declared(data: bytes, known: Mapping[str, str]) -> Declared:
    """A document with those `known` prefixes declared that it uses and that its root does not declare."""
    root = _ROOT.match(data)
    if root is None:
        return Declared(data, ())
    used = [prefix for prefix in known if _uses(data, prefix) and not _declares(root["attributes"], prefix)]
    more = "".join(f" xmlns:{prefix}={quoted(known[prefix])}" for prefix in used)
    at = root.end("attributes")
    return Declared(data[:at] + more.encode() + data[at:], tuple(used))


def _uses(data: bytes, prefix: str) -> bool:
    name = prefix.encode() + b":"
    return name in data and re.search(rb"[<\s/\"']" + re.escape(name), data) is not None


def _declares(attributes: bytes, prefix: str) -> bool:
    return re.search(rb"\sxmlns:" + re.escape(prefix.encode()) + rb"\s*=", attributes) is not None
