"""Linking: from one WSDL to all definitions and schemas it needs, with every import and include resolved.

What comes out refers to nothing any more: includes have become schemas of the same namespace, and imports name a
namespace only. So the compilers behind this (zeep and xmlschema) get the same documents and have nothing left to open.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from lxml import etree

from connectors.soap.documents import Document, Library, WsdlError, at
from connectors.soap.mending import Names, mended, resolved
from connectors.soap.redefining import Redefined, declarations, written_out
from connectors.soap.repairs import (
    BUILT_IN,
    WSDL,
    XML,
    XSD,
    Source,
    completed,
    declared,
    declares,
    loosened,
    straightened,
)
from connectors.soap.slips import corrected

SCHEMA = f"{{{XSD}}}schema"
IMPORT = f"{{{XSD}}}import"
INCLUDES = (f"{{{XSD}}}include", f"{{{XSD}}}redefine")
DEFINITIONS = f"{{{WSDL}}}definitions"
ADDRESSES = "http://wsdl.invalid/"
"""How linked definitions name each other: an address that nothing can open."""


class Linked(NamedTuple):
    """Everything a WSDL needs: its definitions (the first is the one asked for), its schemas, what was repaired; and
    the names of all that these declare."""

    definitions: tuple[Document, ...]
    schemas: tuple[Source, ...]
    warnings: tuple[str, ...]
    names: Names


class Wanted(NamedTuple):
    """An import that names nothing that could be opened: its namespace may yet be found elsewhere."""

    document: Document
    node: etree._Element
    namespace: str
    location: str


def address(name: str) -> str:
    """The address that stands for a document."""
    return ADDRESSES + quote(name)


class Linker:
    """Follows imports and includes, and keeps what it found."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._definitions: dict[str, Document] = {}
        self._schemas: dict[tuple[str, int, str], Source] = {}
        self._wanted: list[Wanted] = []
        self._redefined: list[Redefined] = []
        self._warnings: dict[str, None] = {}

    def link(self, document: Document) -> Linked:
        """All that `document`, a WSDL, needs."""
        if document.root.tag != DEFINITIONS:
            raise WsdlError(f"{document.name} is not a WSDL 1.1 file: its root is not wsdl:definitions.")
        self._define(document)
        self._find_wanted()
        definitions, schemas = tuple(self._definitions.values()), self._completed()
        names = Names(definitions, declared(schemas, "element"), declared(schemas, "complexType", "simpleType"))
        self._warn(*mended(definitions, names))
        return Linked(definitions, schemas, (*self._library.warnings, *self._warnings), names)

    def _completed(self) -> tuple[Source, ...]:
        """The schemas that say anything themselves, with the imports they lack, and without references to nothing."""
        self._warn(*written_out(self._redefined, self._schemas.values()))
        said = [source for source in self._schemas.values() if declares(source)]
        known = {source.namespace for source in said}
        types = declared(said, "complexType", "simpleType")
        schemas = []
        for source in said:
            self._warn(*loosened(source, types))
            complete, warnings = completed(source, known)
            schemas.append(complete)
            self._warn(*warnings)
        return tuple(schemas)

    def _warn(self, *sentences: str) -> None:
        self._warnings.update(dict.fromkeys(sentences))

    def _find(self, document: Document, node: etree._Element, location: str) -> Path | None:
        path = self._library.find(document, location) if location else None
        if path is not None and document.path is not None and path != (document.path.parent / location).resolve():
            self._warn(f"{at(document, node)}: {location} is not there; the one in a higher folder is taken")
        return path

    def _define(self, document: Document) -> None:
        if document.name in self._definitions:
            return
        self._definitions[document.name] = document
        for types in document.root.findall(f"{{{WSDL}}}types"):
            for schema in types.findall(SCHEMA):
                self._add(document, schema, schema.get("targetNamespace", ""))
        for node in document.root.findall(f"{{{WSDL}}}import"):
            self._import_definitions(document, node)

    def _import_definitions(self, document: Document, node: etree._Element) -> None:
        location = node.get("location", "").strip()
        path = self._find(document, node, location)
        if path is None:
            namespace = node.get("namespace", "")
            document.root.remove(node)
            if not (self._well_known(namespace) or self._well_known(location)) and location:
                raise self._library.missing(document, node, location)
            return
        target = self._library.open(path)
        if target.root.tag == DEFINITIONS:
            self._define(target)
            node.set("location", address(target.name))
        else:
            self._warn(f"{at(document, node)}: wsdl:import of a schema is taken as an xs:import")
            document.root.remove(node)
            self._open(document, node, target, node.get("namespace", ""))

    def _add(self, document: Document, schema: etree._Element, namespace: str) -> None:
        key = (document.name, schema.sourceline, namespace)
        if key in self._schemas or namespace == XSD:
            return
        source, warnings = straightened(document, schema, namespace)
        self._schemas[key] = source
        self._warn(*warnings, *corrected(source))
        for node in list(source.root):
            if node.tag == IMPORT:
                self._import(document, source, node)
            elif node.tag in INCLUDES:
                source.root.remove(node)
                self._include(document, source, node)

    def _import(self, document: Document, source: Source, node: etree._Element) -> None:
        namespace = node.get("namespace", "").strip()
        location = node.attrib.pop("schemaLocation", "").strip()
        if namespace in BUILT_IN:
            return
        path = None if namespace == XML else self._find(document, node, location)
        if path is None:
            self._wanted.append(Wanted(document, node, namespace, location))
            return
        real = self._open(document, node, self._library.open(path), namespace)
        if real != namespace:
            self._warn(f"{at(document, node)}: {location} is of the namespace {real}, not {namespace or 'of none'}")
            node.set("namespace", real)
        if real == source.namespace:
            source.root.remove(node)
            self._warn(f"{at(document, node)}: {location} is of the schema's own namespace; taken as an include")

    def _open(self, document: Document, node: etree._Element, target: Document, namespace: str) -> str:
        """Adds what a document found by an import holds; the namespace that it really has."""
        if target.root.tag == SCHEMA:
            real = target.root.get("targetNamespace", "") or namespace
            self._add(target, target.root, real)
            return real
        if target.root.tag == DEFINITIONS:
            self._define(target)
            return namespace
        raise WsdlError(f"{at(document, node)} imports {target.name}, which is neither a schema nor a WSDL.")

    def _include(self, document: Document, source: Source, node: etree._Element) -> None:
        location = node.get("schemaLocation", "").strip()
        if not location:
            self._warn(f"{at(document, node)}: the include names no schemaLocation; it is left out")
            return
        self._redefined += declarations(source, node)  # an xs:include holds none
        path = self._find(document, node, location)
        if path is None:
            raise self._library.missing(document, node, location)
        target = self._library.open(path)
        real = self._open(document, node, target, source.namespace)
        if real != source.namespace:
            self._warn(f"{at(document, node)}: the included {location} is of the namespace {real}; taken as an import")

    def _well_known(self, key: str) -> bool:
        document = self._library.well_known(key) if key else None
        if document is None:
            return False
        self._add(document, document.root, document.root.get("targetNamespace", ""))
        return True

    def _find_wanted(self) -> None:
        """Imports without a file: by the namespace, among what is here, in the catalogue, then in the same folder.

        Then the well-known namespaces that are used without being imported.
        """
        while self._wanted or self._assume_well_known():
            for wanted in self._wanted.copy():
                self._wanted.remove(wanted)
                self._find_one(*wanted)

    def _find_one(self, document: Document, node: etree._Element, namespace: str, location: str) -> None:
        if namespace in self._namespaces():
            if location:
                self._warn(f"{at(document, node)}: {location} is not there; what is known of its namespace is taken")
        elif self._well_known(namespace) or self._well_known(location):
            pass
        elif location:
            raise self._library.missing(document, node, location)
        elif not self._beside(document, namespace):
            self._warn(f"{at(document, node)}: nothing is known of the imported namespace {namespace}")

    def _namespaces(self) -> set[str]:
        return {source.namespace for source in self._schemas.values()}

    def _assume_well_known(self) -> bool:
        """Whether anything was added because a value names its namespace."""
        names = (resolved(part, part.get(kind, "")) for part in self._parts() for kind in ("element", "type"))
        used = {name.rpartition("}")[0][1:] for name in names}
        for source in self._schemas.values():
            used |= source.used
        added = [self._well_known(namespace) for namespace in sorted(used - self._namespaces() - {XSD})]
        return any(added)

    def _parts(self) -> Iterator[etree._Element]:
        for document in self._definitions.values():
            yield from document.root.iter(f"{{{WSDL}}}part")

    def _beside(self, document: Document, namespace: str) -> bool:
        """Whether a file in the folder of `document` is the schema of this namespace; it is taken."""
        path = self._library.beside(document, namespace)
        if path is None:
            return False
        target = self._library.open(path)
        self._add(target, target.root, namespace)
        self._warn(f"{target.name} is taken for the namespace {namespace}, which {document.name} imports from nowhere")
        return True
