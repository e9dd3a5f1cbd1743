"""Repairs of definitions: references in messages, port types and bindings that lead nowhere.

What nobody needs for calling an operation is taken out (a header, a fault, a port without a binding); a part of an
unknown type may be anything. What an operation cannot do without is left as it is: it cannot be bound then.
"""

from collections.abc import Iterator

from lxml import etree

from connectors.soap.documents import Document, at
from connectors.soap.repairs import BUILT_IN_TYPES, WSDL, XSD

SOAP_11 = "http://schemas.xmlsoap.org/wsdl/soap/"
SOAP_12 = "http://schemas.xmlsoap.org/wsdl/soap12/"


class Names:
    """What is declared: messages by their qualified names, and the names of global elements and types."""

    def __init__(self, definitions: tuple[Document, ...], elements: frozenset[str], types: frozenset[str]) -> None:
        self.elements = elements
        self.types = types | BUILT_IN_TYPES
        self.messages: dict[str, etree._Element] = {}
        self.port_types: dict[str, etree._Element] = {}
        self.bindings: set[str] = set()
        for document in definitions:
            for node in document.root.findall(f"{{{WSDL}}}message"):
                self.messages[qualified(document.root, node.get("name", ""))] = node
            for node in document.root.findall(f"{{{WSDL}}}portType"):
                self.port_types[qualified(document.root, node.get("name", ""))] = node
            for node in document.root.findall(f"{{{WSDL}}}binding"):
                self.bindings.add(qualified(document.root, node.get("name", "")))

    def problem(self, node: etree._Element, part: str | None = None) -> str | None:
        """Why the message that a node names cannot be used, or that part of it."""
        name = node.get("message", "")
        message = self.messages.get(referred(node, name))
        if message is None:
            return f"names the message {name}, which is not there"
        parts = message.findall(f"{{{WSDL}}}part")
        for each in parts:
            element = each.get("element")
            if element is not None and resolved(each, element) not in self.elements:
                return f"is of the message {name}, whose element {element} no schema declares"
        if part is not None and all(each.get("name") != part for each in parts):
            return f"names the part {part}, which its message does not have"
        return None


def mended(definitions: tuple[Document, ...], names: Names) -> Iterator[str]:
    """Repairs the definitions; says what was done, and where."""
    for document in definitions:
        for repair in (parts, headers, faults, bindings, ports):
            for node, sentence in repair(document.root, names):
                yield f"{at(document, node)}: {sentence}"


Repaired = Iterator[tuple[etree._Element, str]]


def parts(root: etree._Element, names: Names) -> Repaired:
    """A part may name a type where it should name an element; one of an unknown type may be anything."""
    for node in root.iterfind(f"{{{WSDL}}}message/{{{WSDL}}}part"):
        element, kind = node.get("element"), node.get("type")
        prefix = next((each for each, namespace in node.nsmap.items() if namespace == XSD and each), None)
        if element is not None:
            name = resolved(node, element)
            if name not in names.elements and name in names.types:
                node.set("type", node.attrib.pop("element"))
                yield node, f"the part {node.get('name')} names the type {element} as its element; taken as its type"
        elif kind is not None and resolved(node, kind) not in names.types and prefix is not None:
            node.set("type", f"{prefix}:anyType")
            yield node, f"no schema declares the type {kind} of the part {node.get('name')}, which may be anything now"


def headers(root: etree._Element, names: Names) -> Repaired:
    """A header of a message that is not there, or not declared, is left out."""
    for soap in (SOAP_11, SOAP_12):
        for node in list(root.iter(f"{{{soap}}}header")):
            node.set("use", node.get("use", "literal"))
            problem = names.problem(node, node.get("part", ""))
            if problem:
                node.getparent().remove(node)
                yield node, f"the header {problem}; it is left out"


def faults(root: etree._Element, names: Names) -> Repaired:
    """A fault of a message that is not there, or not declared, is left out; it can still come, undeclared."""
    for node in list(root.iterfind(f"{{{WSDL}}}portType/{{{WSDL}}}operation/{{{WSDL}}}fault")):
        problem = names.problem(node)
        if problem:
            node.getparent().remove(node)
            yield node, f"the fault {node.get('name')} {problem}; it is left out"


def bindings(root: etree._Element, names: Names) -> Repaired:
    """A binding of a port type that is not there is one of the only port type there is, if that has its operations."""
    if len(names.port_types) != 1:
        return
    ((name, only),) = names.port_types.items()
    known = {each.get("name") for each in only.iterfind(f"{{{WSDL}}}operation")}
    for node in root.iterfind(f"{{{WSDL}}}binding"):
        kind = node.get("type")
        own = {each.get("name") for each in node.iterfind(f"{{{WSDL}}}operation")}
        prefix = next(
            (each for each, namespace in node.nsmap.items() if each and name.startswith(f"{{{namespace}}}")), ""
        )
        if own and own <= known and prefix and (kind is None or referred(node, kind) != name):
            node.set("type", f"{prefix}:{only.get('name')}")
            said = "has no type" if kind is None else f"is of the port type {kind}, which is not there"
            yield node, f"the binding {node.get('name')} {said}; the only one there is, {only.get('name')}, is taken"


def ports(root: etree._Element, names: Names) -> Repaired:
    """A port without a binding, or of one that is not there, is left out."""
    for node in list(root.iterfind(f"{{{WSDL}}}service/{{{WSDL}}}port")):
        binding = node.get("binding")
        if binding is None or referred(node, binding) not in names.bindings:
            said = "has no binding" if binding is None else f"names the binding {binding}, which is not there"
            node.getparent().remove(node)
            yield node, f"the port {node.get('name')} {said}; it is left out"


def qualified(root: etree._Element, name: str) -> str:
    """A name in the target namespace of a document; where it says none, in the default one."""
    namespace = root.get("targetNamespace") or root.nsmap.get(None)
    return f"{{{namespace}}}{name}" if namespace else name


def referred(node: etree._Element, value: str) -> str:
    """What the name of a message, a port type or a binding means: without a prefix, one of the same document."""
    return resolved(node, value) if ":" in value else qualified(node.getroottree().getroot(), value.strip())


def resolved(node: etree._Element, value: str) -> str:
    """What a qualified name means where it stands."""
    prefix, _, local = value.strip().rpartition(":")
    namespace = node.nsmap.get(prefix or None)
    return f"{{{namespace}}}{local}" if namespace else local
