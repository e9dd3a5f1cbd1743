"""Schemas that everybody refers to and nobody ships: found by namespace, or by an address they are published at.

Those of SOAP 1.1, XML, XLink, XML Signature and XML Encryption come with the package xmlschema. The others lie beside
this file: written for this gateway from the specifications, and no larger than what WSDLs refer to.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable

OURS = {
    "http://www.w3.org/2003/05/soap-envelope": "soap12-envelope.xsd",
    "http://www.w3.org/2003/05/soap-encoding": "soap12-encoding.xsd",
    "http://www.w3.org/2005/05/xmlmime": "xmlmime.xsd",
    "http://www.w3.org/2004/08/xop/include": "xop.xsd",
    "http://www.w3.org/2005/08/addressing": "addressing-2005.xsd",
    "http://www.w3.org/2006/03/addressing/ws-addr.xsd": "addressing-2005.xsd",
    "http://schemas.xmlsoap.org/ws/2004/08/addressing": "addressing-2004.xsd",
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd": "wss-utility.xsd",
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd": "wss-secext.xsd",
}
THEIRS = {
    "http://schemas.xmlsoap.org/soap/encoding/": "WSDL/soap-encoding.xsd",
    "http://schemas.xmlsoap.org/soap/envelope/": "WSDL/soap-envelope.xsd",
    "http://schemas.xmlsoap.org/wsdl/": "WSDL/wsdl.xsd",
    "http://www.w3.org/XML/1998/namespace": "XML/xml.xsd",
    "http://www.w3.org/2001/xml.xsd": "XML/xml.xsd",
    "http://www.w3.org/1999/xlink": "XLINK/xlink.xsd",
    "http://www.w3.org/2000/09/xmldsig#": "DSIG/xmldsig-core-schema.xsd",
    "http://www.w3.org/TR/xmldsig-core/xmldsig-core-schema.xsd": "DSIG/xmldsig-core-schema.xsd",
    "http://www.w3.org/2001/04/xmlenc#": "XENC/xenc-schema.xsd",
}


def find(key: str) -> Traversable | None:
    """The schema of a namespace, or at an address; None where it is not one of the well-known ones."""
    if key in OURS:
        return files(__name__) / OURS[key]
    if key in THEIRS:
        return files("xmlschema") / "schemas" / THEIRS[key]
    return None
