"""Loading a WSDL: its files are read and repaired once (`documents`, `linking`, `repairs`), then compiled by two.

zeep knows WSDL: services, ports, bindings, messages. xmlschema knows XML Schema: facets, abstract types, substitution
groups, mixed content and repeated choices, all of which zeep drops. Both get the same trees and open nothing.
`load` is synchronous and takes a moment: call it in a thread, once.
"""

import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import zeep.exceptions
from lxml import etree
from xmlschema import XMLSchema10, XMLSchemaException
from xmlschema.loaders import SchemaLoader
from zeep.settings import Settings
from zeep.wsdl import Document as Compiled
from zeep.wsdl.bindings.soap import Soap11Binding, Soap12Binding

from connectors.soap.bound import Body, Bound, Fault, Part, offered
from connectors.soap.defects import defects
from connectors.soap.documents import Document, Library, WsdlError
from connectors.soap.linking import Linked, Linker, address
from connectors.soap.published import published
from connectors.soap.repairs import SOAP_ENCODING, WSDL, XML, Source
from gateway.core.published import Published

__all__ = ["Body", "Bound", "Fault", "Part", "Wsdl", "WsdlError", "load"]

TYPES = "types"
UNASKED = {XML: "https://www.w3.org/2001/xml.xsd", SOAP_ENCODING: SOAP_ENCODING}
"""What zeep loads by itself, whether or not it was told where: namespaces, and where it looks for them."""
MOST_WARNINGS = 200
MOST_TEXT = 300
FOREIGN = (
    zeep.exceptions.Error,
    XMLSchemaException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    RecursionError,
)
"""What the compilers raise about a WSDL they do not understand."""
EMPTY = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'/>"


@dataclass(frozen=True)
class Wsdl:
    """A loaded WSDL.

    `documents` are its files as they were read, by their names below the root; `schemas` is where every element and
    type is found by `{namespace}name` (in `schemas.maps`); `left_out` are the operations that could not be bound.
    """

    path: Path
    name: str
    documents: dict[str, bytes]
    warnings: tuple[str, ...]
    schemas: XMLSchema10
    bound: tuple[Bound, ...]
    left_out: tuple[str, ...] = ()

    @cached_property
    def published(self) -> Published | None:
        """The files as the gateway serves them; None where they cannot be."""
        return published(self.name, self.documents)


def load(path: Path, root: Path | None = None) -> Wsdl:
    """The WSDL at `path`. Only files below `root` (the WSDL's own folder, unless a higher one is named) are read."""
    library = Library(root or path.parent)
    document = library.open(path)
    try:
        linked = Linker(library).link(document)
    except RecursionError as error:
        raise WsdlError(f"{document.name} imports too deeply: one file another, and so on.") from error
    compiled = compiled_by_zeep(linked)
    schemas = compiled_by_xmlschema(linked.schemas)
    bound, left_out = offered(compiled, linked.definitions, linked.names)
    if left_out and not bound:
        raise WsdlError(f"{document.name} has no operation that can be used: {left_out[0]}.")
    for operation in bound:
        check(operation, schemas)
    told = (*linked.warnings, *left_out, *(said(error) for error in schemas.maps.all_errors))
    return Wsdl(path, document.name, library.kept, told[:MOST_WARNINGS], schemas, bound, left_out)


class Transport:
    """What zeep asks for documents: they are all here already. Bindings other than SOAP's are nothing to it."""

    binding_classes = (Soap11Binding, Soap12Binding)

    def __init__(self, linked: Linked) -> None:
        self._texts: dict[str, bytes] = {
            address(document.name): etree.tostring(document.root) for document in linked.definitions
        }
        for source in linked.schemas:
            if source.namespace in UNASKED:
                self._texts[UNASKED[source.namespace]] = etree.tostring(source.root)
        self._texts[address(TYPES)] = types(linked.schemas)

    def load(self, url: str) -> bytes:
        """The document at an address; zeep knows of no other than those handed out."""
        if url not in self._texts:
            raise WsdlError(f"The WSDL refers to {url}, which is not among its documents.")
        return self._texts[url]


def types(schemas: tuple[Source, ...]) -> bytes:
    """A WSDL of nothing but types: all schemas in one place."""
    texts = b"".join(etree.tostring(source.root) for source in schemas)
    return b'<w:definitions xmlns:w="%s"><w:types>%s</w:types></w:definitions>' % (WSDL.encode(), texts)


def compiled_by_zeep(linked: Linked) -> Any:
    """The compiled document. What zeep warns of is told better by `offered`, with file and line."""
    main = linked.definitions[0]
    prepare(linked.definitions)
    transport: Any = Transport(linked)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Compiled(address(main.name), transport, settings=Settings(force_https=False))
        except FOREIGN as error:
            raise WsdlError(f"{main.name} cannot be compiled: {next(defects(linked), said(error))}.") from error


def prepare(definitions: tuple[Document, ...]) -> None:
    """Takes the types out of the definitions; the first of them imports them all."""
    for document in definitions:
        for node in document.root.findall(f"{{{WSDL}}}types"):
            document.root.remove(node)
    first = etree.Element(f"{{{WSDL}}}import", namespace=TYPES, location=address(TYPES))
    definitions[0].root.insert(0, first)


class Loader(SchemaLoader):
    """xmlschema's loader, which loads nothing: all schemas are handed over."""

    def import_namespace(self, schema: Any, namespace: str, location: str | None = None) -> None:
        """Nothing: what is not here was not found."""


def compiled_by_xmlschema(schemas: tuple[Source, ...]) -> XMLSchema10:
    """The model of all types. The documents are not checked against the schema of schemas, which takes most of the time
    and says little: what is wrong with a component shows when it is built."""
    texts = [etree.tostring(each.root, encoding="unicode") for each in schemas if each.namespace != XML] or [EMPTY]
    try:
        model = XMLSchema10(
            texts, validation="skip", loader_class=Loader, use_fallback=False, allow="none", defuse="never", build=False
        )
        for schema in model.maps.schemas:
            if schema.maps is model.maps:
                schema.validation = "lax"
        model.build()
    except FOREIGN as error:
        raise WsdlError(f"The schemas of the WSDL cannot be compiled: {said(error)}.") from error
    return model


def check(operation: Bound, schemas: XMLSchema10) -> None:
    """Everything an operation names must be in the schemas."""
    bodies = [operation.input] if operation.output is None else [operation.input, operation.output]
    parts = [part for body in bodies for part in (*body.parts, *body.headers)]
    for part in (*parts, *(fault.part for fault in operation.faults)):
        known = part.element in schemas.maps.elements if part.element else part.type in schemas.maps.types
        if not known:
            name = part.element or part.type or f"no type for {part.name}"
            raise WsdlError(f"{operation.port}.{operation.operation} names {name}, which no schema declares.")


def said(error: Exception) -> str:
    """What a compiler says, in one line, without the addresses that only we know."""
    text = str(getattr(error, "message", None) or error)
    return " ".join(text.replace(f" in {address(TYPES)}", "").split()).rstrip(".")[:MOST_TEXT]
