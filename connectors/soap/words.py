"""Names that the codec gives meaning to: in JSON (`$value`), and in XML (`xsi:nil`)."""

from typing import Any

from connectors.soap.xmltext import XSI

JSON = Any
"""None, bool, int, float, str, list or dict of them."""
MISSING = object()
"""What stands for a member that is not there."""

VALUE = "$value"
"""The text of an element that has attributes beside it."""
XML = "$xml"
"""Everything inside an element with mixed content."""
TYPE_WORD = "$type"
"""The derived type that stands in place of the declared one."""

NIL, TYPE = f"{{{XSI}}}nil", f"{{{XSI}}}type"
TRUE = frozenset({"true", "1"})
SOAP_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"


def any_key(name: str) -> str:
    """The key of an attribute that the schema does not name: `@name`, or `@{namespace}name`."""
    return f"@{name}"
