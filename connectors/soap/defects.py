"""Why a WSDL cannot be compiled, in words for people, with file and line.

The compilers say it in words of their own, which seldom name a place. So when one of them gives up, the documents are
looked through for what neither of them can make sense of: elements that XML Schema does not have, and names that lead
nowhere. It costs nothing as long as nothing is wrong.
"""

from collections.abc import Iterable, Iterator

from lxml import etree

from connectors.soap.documents import Document, at
from connectors.soap.linking import Linked
from connectors.soap.mending import Names, referred, resolved
from connectors.soap.repairs import BUILT_IN_TYPES, NAMING, WSDL, XSD, Source, declared
from connectors.soap.slips import ELEMENTS

DERIVING = frozenset({"simpleContent", "complexContent"})
SAID = {"element": "element", "attribute": "attribute", "group": "group", "attributeGroup": "attribute group"}
"""What a `ref` on an element of XML Schema refers to: a global declaration of its own kind."""


def defects(linked: Linked) -> Iterator[str]:
    """Everything that is wrong with linked documents beyond repair; schemas first, as the compilers read them."""
    known = Declared(linked.schemas)
    for source in linked.schemas:
        file = source.place.rpartition(":")[0]
        for node in source.root.iter(etree.Element):
            reason = misplaced(node) or known.unknown(node, source.namespace)
            if reason is not None:
                yield f"{file}:{node.sourceline}: {reason}"
    for document in linked.definitions:
        for node, reason in dangling(document, linked.names):
            yield f"{at(document, node)}: {reason}"


def misplaced(node: etree._Element) -> str | None:
    """Why an element cannot stand in a schema."""
    parent = node.getparent()
    if parent is None or _in_annotation(node):
        return None
    name = etree.QName(node)
    if name.namespace != XSD:
        is_meant = name.namespace is None and name.localname in ELEMENTS
        return f"{name.localname} has no namespace here; give it the prefix of XML Schema" if is_meant else None
    if name.localname not in ELEMENTS:
        return f"XML Schema has no element {name.localname}"
    if name.localname == "extension" and etree.QName(parent).localname not in DERIVING:
        return f"an extension cannot stand in {etree.QName(parent).localname}, only in simpleContent or complexContent"
    return None


def _in_annotation(node: etree._Element) -> bool:
    return next(node.iterancestors(f"{{{XSD}}}annotation"), None) is not None


class Declared:
    """All that schemas declare, by kind."""

    def __init__(self, sources: Iterable[Source]) -> None:
        sources = tuple(sources)
        self._types = declared(sources, "complexType", "simpleType") | BUILT_IN_TYPES
        self._kinds = {kind: declared(sources, kind) for kind in SAID}

    def unknown(self, node: etree._Element, own: str) -> str | None:
        """Why a name in an element of a schema leads nowhere. A name without any namespace may be of the `own`."""
        if _in_annotation(node):
            return None
        given = ((attribute, name) for attribute in NAMING for name in node.get(attribute, "").split())
        return next(filter(None, (self._unknown(node, attribute, name, own) for attribute, name in given)), None)

    def _unknown(self, node: etree._Element, attribute: str, name: str, own: str) -> str | None:
        prefix = name.rpartition(":")[0]
        if prefix and prefix not in node.nsmap and prefix != "xml":
            return no_prefix(name, prefix)
        referring = {"ref": etree.QName(node).localname, "substitutionGroup": "element"}
        kind = referring.get(attribute, "type")
        known = self._types if kind == "type" else self._kinds.get(kind)
        full = resolved(node, name)
        if known is None or prefix == "xml" or {full, f"{{{own}}}{full}"} & known:
            return None
        return f"no schema declares the {SAID.get(kind, kind)} {full}; give the schema that does"


def dangling(document: Document, names: Names) -> Iterator[tuple[etree._Element, str]]:
    """The names in definitions that lead nowhere, each with the reason. Missing messages are no obstacle."""
    for node in document.root.iter(f"{{{WSDL}}}*"):
        kind = etree.QName(node).localname
        for attribute in REFERRING.get(kind, ()):
            name = node.get(attribute)
            if name is None:
                if kind == "binding":
                    yield node, f"the binding {node.get('name')} has no type; name its port type"
                continue
            prefix = name.rpartition(":")[0]
            if prefix and prefix not in node.nsmap:
                yield node, no_prefix(name, prefix)
            elif kind == "binding" and referred(node, name) not in names.port_types:
                yield node, f"names the port type {name}, which is not there; correct the name or its prefix"


REFERRING = {
    "part": ("element", "type"),
    "binding": ("type",),
    **dict.fromkeys(("input", "output", "fault"), ("message",)),
}
"""The attributes by which elements of WSDL refer to others."""


def no_prefix(name: str, prefix: str) -> str:
    return f"names {name}, but nothing declares the prefix {prefix}; declare it"
