"""Repairs of what is wrong in many WSDLs and harms nobody, on the parsed tree, before any compiler sees it.

Each names what it did with file and line. A schema is also straightened: it becomes a tree that stands by itself, with
all the prefixes its values use declared at its root, whatever was declared around it or inside it.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import NamedTuple

from lxml import etree
from zeep.xsd.types.builtins import default_types

from connectors.soap.documents import Document, at

XSD = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
SOAP_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
BUILT_IN = frozenset({XSD, XSI})
BUILT_IN_TYPES = frozenset(name.text for name in default_types)

ARRAY_TYPE = f"{{{WSDL}}}arrayType"
NAMING = ("type", "base", "ref", "itemType", "substitutionGroup", "memberTypes", ARRAY_TYPE)
IDENTITY = tuple(f"{{{XSD}}}{name}" for name in ("key", "keyref", "unique"))
CUSTOMARY = {"xs": XSD, "xsd": XSD, "wsdl": WSDL}


class Source(NamedTuple):
    """A schema ready to be compiled: where it stands, its namespace, its tree, and the namespaces its values name."""

    place: str
    namespace: str
    root: etree._Element
    used: frozenset[str]


class Prefixes:
    """The prefixes at the root of a schema, and those that must be added for what is declared further in."""

    def __init__(self, first: Mapping[str | None, str]) -> None:
        self.map = dict(first)
        self.used: set[str] = set()
        self.unknown: set[str] = set()

    def renamed(self, value: str, scope: Mapping[str | None, str]) -> str:
        """A qualified name as it must be written to mean at the root what it means in `scope`."""
        prefix, _, local = value.rpartition(":")
        here = XML if prefix == "xml" else scope.get(prefix or None)
        if here is None and prefix in CUSTOMARY:
            self.unknown.add(prefix)
            here = CUSTOMARY[prefix]
        if here is None and prefix:
            return value  # declared nowhere: an error that the compilers tell
        self.used.add(here or "")
        if here is None or here == XML or self.map.get(prefix or None) == here:
            return value
        return f"{self.prefix_of(here, prefix)}:{local}"

    def prefix_of(self, namespace: str, wish: str) -> str:
        """The prefix of a namespace at the root, which gets one if it has none."""
        for prefix, known in self.map.items():
            if known == namespace and prefix:
                return prefix
        prefix = wish if wish and wish not in self.map else f"ns{len(self.map)}"
        self.map[prefix] = namespace
        return prefix


def straightened(document: Document, schema: etree._Element, namespace: str) -> tuple[Source, list[str]]:
    """A copy of `schema` that stands by itself and belongs to `namespace`, and what had to be repaired."""
    prefixes = Prefixes(schema.nsmap)
    copy = deepcopy(schema)
    for node, copied in zip(schema.iter(f"{{{XSD}}}*"), copy.iter(f"{{{XSD}}}*"), strict=True):
        named = [name for name in NAMING if name in node.attrib]
        if named:
            scope = node.nsmap
        for name in named:
            copied.set(name, " ".join(prefixes.renamed(each, scope) for each in node.get(name, "").split()))
    for constraint in list(copy.iter(*IDENTITY)):  # they say nothing about the shape of a message
        constraint.getparent().remove(constraint)
    if namespace and copy.find(f"{{{XSD}}}redefine") is not None:
        prefixes.prefix_of(namespace, "own")  # what is redefined has to be named
    if namespace:
        copy.set("targetNamespace", namespace)
        if not schema.get("targetNamespace") and None not in prefixes.map:
            prefixes.map[None] = namespace
            prefixes.used.discard("")
    root = rerooted(copy, prefixes.map)
    place = at(document, schema)
    warnings = [f"{place}: the prefix {each} is not declared; its usual meaning is taken" for each in prefixes.unknown]
    return Source(place, namespace, root, frozenset(prefixes.used)), sorted(warnings)


def rerooted(schema: etree._Element, prefixes: Mapping[str | None, str]) -> etree._Element:
    """The same schema with other prefixes at its root (lxml cannot change those of an element that exists)."""
    root = etree.Element(schema.tag, dict(schema.attrib), nsmap=dict(prefixes))
    root.extend(list(schema))
    return root


def imports(source: Source) -> set[str]:
    """The namespaces a schema imports."""
    return {node.get("namespace", "").strip() for node in source.root.findall(f"{{{XSD}}}import")}


def declares(source: Source) -> bool:
    """Whether a schema says anything itself; some do nothing but import others."""
    return any(node.tag != f"{{{XSD}}}import" for node in source.root)


def completed(source: Source, known: Iterable[str]) -> tuple[Source, list[str]]:
    """A schema with an import for every known namespace that it names, and what had to be repaired."""
    known = set(known)
    missing = (source.used & known) - imports(source) - {source.namespace, XSD, XSI}
    for namespace in sorted(missing):
        node = etree.Element(f"{{{XSD}}}import", {"namespace": namespace} if namespace else {})
        source.root.insert(0, node)
    warnings = [
        f"{source.place}: the namespace {namespace or 'without a name'} is used but not imported; it is now"
        for namespace in sorted(missing)
    ]
    if "" in source.used and "" not in known and source.namespace and None not in source.root.nsmap:
        warnings.append(f"{source.place}: names without a prefix are taken to be of the schema's own namespace")
        source = source._replace(root=rerooted(source.root, source.root.nsmap | {None: source.namespace}))
    return source, warnings


def declared(sources: Iterable[Source], *kinds: str) -> frozenset[str]:
    """The names of all global declarations of some kinds."""
    names = []
    for source in sources:
        for kind in kinds:
            for node in source.root.iterfind(f"{{{XSD}}}{kind}"):
                names.append(f"{{{source.namespace}}}{node.get('name')}" if source.namespace else node.get("name", ""))
    return frozenset(names)


def loosened(source: Source, types: frozenset[str]) -> Iterator[str]:
    """Gives elements and attributes whose type nobody declares the type of anything; says which."""
    scope = source.root.nsmap
    anything = {"element": "anyType", "attribute": "anySimpleType"}
    file = source.place.rpartition(":")[0]
    for kind, instead in anything.items():
        for node in source.root.iter(f"{{{XSD}}}{kind}"):
            name = node.get("type")
            if name is None or known_type(name, scope, source.namespace, types):
                continue
            yield f"{file}:{node.sourceline}: no schema declares the type {name}; {node.get('name')} may be anything"
            prefix = next(each for each, namespace in scope.items() if namespace == XSD)
            node.set("type", f"{prefix}:{instead}" if prefix else instead)


def known_type(name: str, scope: Mapping[str | None, str], own: str, types: frozenset[str]) -> bool:
    """Whether a type is declared; a name without any namespace may be meant to be of the schema's own."""
    prefix, _, local = name.rpartition(":")
    namespace = scope.get(prefix or None)
    if prefix and namespace is None:
        return True  # a prefix that is nowhere declared, which is another error
    return bool({f"{{{namespace or own}}}{local}", local if namespace is None else ""} & (types | BUILT_IN_TYPES))
