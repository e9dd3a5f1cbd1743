"""Slips of the pen in schemas, put right on the straightened tree: each has one meaning only, and is told.

An element of XML Schema in the wrong case (`xs:simpletype`) is the one that is meant; a simple type that restricts
`xs:anyType`, which none may, restricts `xs:anySimpleType`.
"""

from collections.abc import Iterator

from connectors.soap.repairs import XSD, Source
from connectors.soap.xmltext import local

ELEMENTS = frozenset(
    [
        *("schema", "import", "include", "redefine", "annotation", "appinfo", "documentation", "notation"),
        *("element", "attribute", "attributeGroup", "complexType", "simpleType", "any", "anyAttribute"),
        *("group", "all", "choice", "sequence", "complexContent", "simpleContent", "extension", "restriction"),
        *("list", "union", "length", "minLength", "maxLength", "pattern", "enumeration", "whiteSpace"),
        *("minInclusive", "maxInclusive", "minExclusive", "maxExclusive", "totalDigits", "fractionDigits"),
        *("key", "keyref", "unique", "selector", "field"),
    ]
)
"""The elements of XML Schema 1.0."""
_RIGHT = {name.lower(): name for name in ELEMENTS}


def corrected(source: Source) -> Iterator[str]:
    """Puts a schema right; says what was wrong, and where."""
    file = source.place.rpartition(":")[0]
    for node in source.root.iter(f"{{{XSD}}}*"):
        name = local(node.tag)
        right = _RIGHT.get(name.lower(), name)
        if right != name:
            node.tag = f"{{{XSD}}}{right}"
            yield f"{file}:{node.sourceline}: {name} is taken as {right}, as XML Schema spells it"
    for node in source.root.iterfind(f".//{{{XSD}}}simpleType/{{{XSD}}}restriction[@base]"):
        prefix, _, base = node.get("base", "").rpartition(":")
        if base == "anyType" and node.nsmap.get(prefix or None) == XSD:
            node.set("base", f"{prefix}:anySimpleType" if prefix else "anySimpleType")
            yield f"{file}:{node.sourceline}: a simple type cannot restrict anyType; anySimpleType is taken"
