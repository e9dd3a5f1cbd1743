"""Why a WSDL cannot be compiled, in words for people, with file and line.

The compilers say it in words of their own, which seldom name a place. So when one of them gives up, the documents are
looked through for what neither of them can make sense of: elements that XML Schema does not have, and names that lead
nowhere. It costs nothing as long as nothing is wrong.
"""

from collections.abc import Iterable, Iterator

from lxml import etree

from connectors.soap.documents import Document, at
from connectors.soap.linking import Linked
from connectors.soap.mending import qualified, resolved
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
        for node, reason in dangling(document, linked.definitions):
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
        if not isinstance(node.tag, str) or _in_annotation(node):
            return None
        kind = etree.QName(node).localname
        for attribute in NAMING:
            for name in node.get(attribute, "").split():
                prefix = name.rpartition(":")[0]
                if prefix == "xml":
                    continue
                if prefix and prefix not in node.nsmap:
                    return no_prefix(name, prefix)
                refers = kind if attribute == "ref" else "element" if attribute == "substitutionGroup" else "type"
                found = self._types if refers == "type" else self._kinds.get(refers)
                full = resolved(node, name)
                if found is None or {full, f"{{{own}}}{full}"} & found:
                    continue
                return f"no schema declares the {SAID.get(refers, refers)} {full}; give the schema that does"
        return None


def dangling(document: Document, definitions: Iterable[Document]) -> Iterator[tuple[etree._Element, str]]:
    """The names in definitions that lead nowhere, each with the reason."""
    names = {
        (kind, qualified(each.root, node.get("name", "")))
        for each in definitions
        for kind in ("portType", "binding", "message")
        for node in each.root.findall(f"{{{WSDL}}}{kind}")
    }
    for node in document.root.iter(f"{{{WSDL}}}*"):
        for attribute, kind in REFERRING.get(etree.QName(node).localname, {}).items():
            name = node.get(attribute)
            if name is None:
                if attribute == "type" and kind == "portType":
                    yield node, f"the binding {node.get('name')} has no type; name its port type"
                continue
            prefix = name.rpartition(":")[0]
            if prefix and prefix not in node.nsmap:
                yield node, no_prefix(name, prefix)
            elif kind in SPOKEN and (kind, resolved(node, name)) not in names:
                yield node, f"names the {SPOKEN[kind]} {name}, which is not there; correct the name or its prefix"


REFERRING = {
    "part": {"element": "element", "type": "type"},
    "binding": {"type": "portType"},
    "port": {"binding": "binding"},
    "input": {"message": "message"},
    "output": {"message": "message"},
    "fault": {"message": "message"},
}
"""What elements of WSDL refer to, by their attributes."""
SPOKEN = {"portType": "port type", "binding": "binding", "message": "message"}


def no_prefix(name: str, prefix: str) -> str:
    return f"names {name}, but nothing declares the prefix {prefix}; declare it"
