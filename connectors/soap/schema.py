"""Schemas to plans: what xmlschema knows of a type, written down as the codec needs it.

xmlschema's model is complete (facets, occurrence of choices, abstract types, mixed content, substitution groups, all of
which zeep drops), so everything about types comes from it alone. Types are compiled once each, as they are reached.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from xmlschema.validators import XsdAnyElement, XsdElement, XsdGroup

from connectors.soap.content import fields_of
from connectors.soap.plan import (
    ANY_TYPE,
    AnyAttribute,
    ArrayOf,
    Attribute,
    Complex,
    Derived,
    Field,
    Group,
    Particle,
    Schema,
    TypeRef,
    Wild,
)
from connectors.soap.simpletypes import SimpleTypes
from connectors.soap.wildcards import lets_in
from connectors.soap.words import SOAP_ENCODING
from connectors.soap.xmltext import XML_NAMESPACE, XSD, local, namespace

WSDL = "http://schemas.xmlsoap.org/wsdl/"
_ANY = (f"{{{XSD}}}anyType", f"{{{XSD}}}anySimpleType", f"{{{XSD}}}anyAtomicType")


class Compiler:
    """Compiles the types that elements need. `maps` is xmlschema's registry of everything global."""

    def __init__(self, maps: Any) -> None:
        self._maps = maps
        self._places: dict[Any, int] = {}
        self._types: list[Complex | None] = []
        self._prefixes: dict[str, str] = {}
        self._waiting: list[tuple[int, Any]] = []
        self._simples = SimpleTypes()
        self._open: dict[AnyAttribute, AnyAttribute] = {}
        self._strict: dict[Wild, tuple[str, ...]] = {}
        self._below = _derivations(maps)

    def schema(self) -> Schema:
        """All types that have been reached, and those they reach."""
        while self._waiting:  # no recursion: schemas may be long chains of types
            place, xsd = self._waiting.pop()
            self._types[place] = self._complex(xsd)
        return Schema(tuple(each for each in self._types if each is not None), tuple(self._prefixes.items()))

    def element(self, name: str) -> Field:
        """A global element. Raises KeyError when the schema has none of that name."""
        return self._field(self._maps.elements[name], key=local(name))

    def part(self, name: str, type_name: str) -> Field:
        """A part of an RPC message: an element without a namespace, of a type of the schema. Raises KeyError."""
        return Field(name, name, self.type_named(type_name))

    def type_named(self, name: str) -> TypeRef:
        if name in _ANY:
            return ANY_TYPE
        return self.type(self._maps.types[name])

    # -------------------------------------------------------------------------------------------- types

    def type(self, xsd: Any) -> TypeRef:
        """A type itself, or its place; what is in that place is for `schema` to say."""
        if xsd.name in _ANY:
            return ANY_TYPE
        if xsd.is_simple():
            return self._simples.simple(xsd)
        if namespace(xsd.name or "") == SOAP_ENCODING and not isinstance(xsd.content, XsdGroup):
            return self._simples.simple(xsd.content)  # soapenc:string is a string; its id and href are for references
        place = self._places.get(xsd)
        if place is None:
            place = self._places[xsd] = len(self._types)
            self._types.append(None)
            self._waiting.append((place, xsd))
        return place

    def _complex(self, xsd: Any) -> Complex:
        derived = tuple(self._derived(xsd))
        array = self._array(xsd)
        is_text = not isinstance(xsd.content, XsdGroup)
        content = self._group(xsd.content) if array is None and not is_text else None
        self._note(xsd.name)
        return Complex(
            name=xsd.name,
            attributes=tuple(self._attributes(xsd)),
            any_attribute=self._any_attribute(xsd.attributes[None]) if None in xsd.attributes else None,
            text=self._simples.simple(xsd.content) if is_text else None,
            content=content if content is not None and content.parts else None,
            mixed=bool(xsd.mixed),
            abstract=bool(xsd.abstract),
            derived=derived,
            array=array,
        )

    def _derived(self, xsd: Any) -> Iterator[Derived]:
        """The named types that may stand in this one's place."""
        below = self._below.get(xsd.name, []) if xsd.name else []
        words = _words([each.name for each in below])
        blocked = [derivation for derivation in ("extension", "restriction") if derivation in xsd.block]
        for each in below:
            if not each.abstract and not any(each.is_derived(xsd, derivation) for derivation in blocked):
                self._note(each.name)
                yield Derived(each.name, words[each.name], self.type(each))

    def _attributes(self, xsd: Any) -> Iterator[Attribute]:
        words = _words([name for name in xsd.attributes if name is not None])
        for name, each in xsd.attributes.items():
            if name is not None and each.use != "prohibited" and namespace(name) != SOAP_ENCODING:
                self._note(name)
                simple, required = self._simples.simple(each.type), each.use == "required"
                yield Attribute(name, f"@{words[name]}", simple, required, each.default, each.fixed)

    def _any_attribute(self, xsd: Any) -> AnyAttribute:
        """A wildcard for attributes. Many types have the same one, so it is made once."""
        wild = AnyAttribute(tuple(sorted(xsd.namespace)), xsd.target_namespace, strict=xsd.process_contents == "strict")
        if xsd.process_contents == "skip":
            return wild
        if wild not in self._open:
            found = (each for name, each in sorted(self._maps.attributes.items()) if lets_in(wild, name))
            declared = tuple(self._global_attribute(each) for each in found)
            self._open[wild] = wild._replace(declared=declared)
        return self._open[wild]

    def _global_attribute(self, xsd: Any) -> Attribute:
        return Attribute(xsd.name, f"@{xsd.name}", self._simples.simple(xsd.type), fixed=xsd.fixed)

    def _array(self, xsd: Any) -> ArrayOf | None:
        """What a SOAP-encoded array is of; None for any other type."""
        base = xsd
        while base is not None and base.name != f"{{{SOAP_ENCODING}}}Array":
            base = base.base_type if base.base_type is not base else None
        if base is None:
            return None
        for node in xsd.elem.iter() if xsd.elem is not None else ():
            given = node.get(f"{{{WSDL}}}arrayType") if isinstance(node.tag, str) else None
            if given:
                name, *sizes = given.split("[")
                return self._array_of(self._expanded(xsd, name), len(sizes))
        fields = [each for each in xsd.content.iter_elements() if isinstance(each, XsdElement)]
        if fields and fields[0].type.name:
            self._note(fields[0].type.name)
            return ArrayOf(self.type(fields[0].type), fields[0].type.name, fields[0].local_name)
        return ArrayOf(ANY_TYPE, f"{{{XSD}}}anyType")

    def _array_of(self, name: str, ranks: int) -> ArrayOf:
        """An array of a type by its name; of several ranks, `string[][]`, an array of arrays."""
        self._note(name)
        array = ArrayOf(self.type_named(name), name)
        for rank in range(1, ranks):
            self._types.append(Complex(None, array=array))
            array = ArrayOf(len(self._types) - 1, name + rank * "[]")
        return array

    def _expanded(self, xsd: Any, name: str) -> str:
        prefix, _, plain = name.strip().rpartition(":")
        space = xsd.schema.namespaces.get(prefix, "")
        return f"{{{space}}}{plain}" if space else plain

    # -------------------------------------------------------------------------------------------- content

    def _group(self, xsd: Any) -> Group:
        parts = [part for each in xsd if each.max_occurs != 0 and (part := self._particle(each)) is not None]
        words = _words({field.name for part in parts for field in fields_of(part)})
        some = tuple(_renamed(part, words) for part in parts if not isinstance(part, Group) or part.parts)
        kind: Literal["sequence", "choice", "all"] = xsd.model if xsd.model in ("choice", "all") else "sequence"
        least = 0 if kind == "choice" and len(some) < len(parts) else xsd.min_occurs  # a branch may be nothing at all
        return Group(kind, some, least, xsd.max_occurs)

    def _particle(self, xsd: Any) -> Particle | None:
        if isinstance(xsd, XsdGroup):
            return self._group(xsd)
        if isinstance(xsd, XsdAnyElement):
            return self._wild(xsd)
        return self._element_particle(xsd)

    def _wild(self, xsd: Any) -> Wild:
        """A wildcard for elements. Those that are strict share the names they ask for."""
        wild = Wild(tuple(sorted(xsd.namespace)), target=xsd.target_namespace)
        if _is_strict(xsd):
            if wild not in self._strict:
                self._strict[wild] = tuple(name for name in sorted(self._maps.elements) if lets_in(wild, name))
            wild = wild._replace(only=self._strict[wild])
        return wild._replace(least=xsd.min_occurs, most=xsd.max_occurs)

    def _element_particle(self, xsd: Any) -> Particle | None:
        """An element; where others may substitute for it, a choice among all of them."""
        found = {each.name: each for each in ([] if xsd.ref is None else xsd.iter_substitutes()) if not each.abstract}
        if not found:
            return None if xsd.abstract else self._field(xsd, local(xsd.name))
        members = [*([] if xsd.abstract else [xsd.ref]), *(found[name] for name in sorted(found))]
        parts = tuple(self._field(each, local(each.name))._replace(least=1, most=1) for each in members)
        return Group("choice", parts, xsd.min_occurs, xsd.max_occurs)

    def _field(self, xsd: Any, key: str) -> Field:
        name = xsd.name.strip()  # white space around a name is none of it
        self._note(name)
        occurs = xsd.min_occurs, xsd.max_occurs
        return Field(name, key.strip(), self.type(xsd.type), *occurs, bool(xsd.nillable), xsd.default, xsd.fixed)

    def _note(self, name: str | None) -> None:
        """Give the namespace of a name a prefix; every message has those of XML and of XML Schema."""
        space = namespace(name) if name else ""
        if space and space not in self._prefixes and space not in (XML_NAMESPACE, XSD):
            self._prefixes[space] = f"n{len(self._prefixes)}"


def _derivations(maps: Any) -> dict[str, list[Any]]:
    """Global complex types by the names of all types they derive from."""
    below: dict[str, list[Any]] = {}
    for name, xsd in maps.types.items():
        if namespace(name) in (XSD, SOAP_ENCODING) or not xsd.is_complex():
            continue
        base, seen = xsd.base_type, {None, *_ANY}
        while base is not None and base.is_complex() and base.name not in seen:
            below.setdefault(base.name, []).append(xsd)
            seen.add(base.name)
            base = base.base_type
    return below


def _is_strict(xsd: Any) -> bool:
    """Whether a wildcard asks for declared elements.

    By the letter it does, too, if it says nothing; but .NET says nothing where DataSets come, which nobody declares.
    """
    return bool(xsd.elem.get("processContents") == "strict")


def _words(names: Iterable[str]) -> dict[str, str]:
    """What names are called in JSON: their local names; where two are the same, with the namespace."""
    names = list(names)
    times = Counter(map(local, names))
    return {name: local(name) if times[local(name)] == 1 else name for name in names}


def _renamed(part: Particle, words: dict[str, str]) -> Particle:
    if isinstance(part, Field):
        return part._replace(key=words[part.name])
    if isinstance(part, Group):
        return part._replace(parts=tuple(_renamed(each, words) for each in part.parts))
    return part
