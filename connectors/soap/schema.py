"""Schemas to plans: what xmlschema knows of a type, written down as the codec needs it.

xmlschema's model is complete (facets, occurrence of choices, abstract types, mixed content, substitution groups, all of
which zeep drops), so everything about types comes from it alone. Types are compiled once each, as they are reached.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from xmlschema.validators import XsdAnyElement, XsdElement, XsdGroup, XsdList, XsdUnion

from connectors.soap.anything import builtin
from connectors.soap.plan import (
    ANY_TYPE,
    ArrayOf,
    Attribute,
    Complex,
    Derived,
    Facets,
    Field,
    Group,
    Particle,
    Schema,
    Simple,
    TypeRef,
    Wild,
)
from connectors.soap.repairs import XML
from connectors.soap.words import SOAP_ENCODING
from connectors.soap.xmltext import XSD, local, namespace

WSDL = "http://schemas.xmlsoap.org/wsdl/"
_ANY = (f"{{{XSD}}}anyType", f"{{{XSD}}}anySimpleType", f"{{{XSD}}}anyAtomicType")
_STRING = Simple("string", "string", Facets(white_space="preserve"))
_SIZES = {"length": "length", "minLength": "min_length", "maxLength": "max_length"} | {
    "totalDigits": "total_digits",
    "fractionDigits": "fraction_digits",
}
_BOUNDS = {"minInclusive": "min_inclusive", "maxInclusive": "max_inclusive"} | {
    "minExclusive": "min_exclusive",
    "maxExclusive": "max_exclusive",
}


class Compiler:
    """Compiles the types that elements need. `maps` is xmlschema's registry of everything global."""

    def __init__(self, maps: Any) -> None:
        self._maps = maps
        self._places: dict[int, int] = {}
        self._types: list[Complex | None] = []
        self._prefixes: dict[str, str] = {}
        self._simples: dict[int, Simple] = {}
        self._kept: list[Any] = []
        self._below = _derivations(maps)

    def schema(self) -> Schema:
        """All types that have been reached."""
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
        """A type, compiled."""
        if xsd.name == _ANY[0]:
            return ANY_TYPE
        if xsd.is_simple():
            return self.simple(xsd)
        place = self._places.get(id(xsd))
        if place is None:
            place = self._places[id(xsd)] = len(self._types)
            self._kept.append(xsd)  # its identity must not be given to another
            self._types.append(None)
            self._types[place] = self._complex(xsd)
        return place

    def _complex(self, xsd: Any) -> Complex:
        derived = tuple(self._derived(xsd))
        array = self._array(xsd)
        simple = xsd.content if not isinstance(xsd.content, XsdGroup) else None
        content = None
        if simple is None and array is None:
            content = self._group(xsd.content)
        self._note(xsd.name)
        return Complex(
            name=xsd.name,
            attributes=tuple(self._attributes(xsd)),
            any_attribute=None in xsd.attributes,
            text=self.simple(simple) if simple is not None and not xsd.mixed else None,
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
        for each in below:
            if not each.abstract:
                self._note(each.name)
                yield Derived(each.name, words[each.name], self.type(each))

    def _attributes(self, xsd: Any) -> Iterator[Attribute]:
        words = _words([name for name in xsd.attributes if name is not None])
        for name, each in xsd.attributes.items():
            if name is not None and each.use != "prohibited" and namespace(name) != SOAP_ENCODING:
                self._note(name)
                fixed = each.fixed
                yield Attribute(
                    name, f"@{words[name]}", self.simple(each.type), each.use == "required", each.default, fixed
                )

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
                name = self._expanded(xsd, given.partition("[")[0])
                self._note(name)
                return ArrayOf(self.type_named(name), name)
        fields = [each for each in xsd.content.iter_elements() if isinstance(each, XsdElement)]
        if fields and fields[0].type.name:
            self._note(fields[0].type.name)
            return ArrayOf(self.type(fields[0].type), fields[0].type.name, fields[0].local_name)
        return ArrayOf(ANY_TYPE, f"{{{XSD}}}anyType")

    def _expanded(self, xsd: Any, name: str) -> str:
        prefix, _, plain = name.strip().rpartition(":")
        space = xsd.schema.namespaces.get(prefix, "")
        return f"{{{space}}}{plain}" if space else plain

    # -------------------------------------------------------------------------------------------- content

    def _group(self, xsd: Any) -> Group:
        parts = [part for each in xsd if (part := self._particle(each)) is not None]
        names = {field.name for field in _fields(parts)}
        words = _words(names)
        return Group(
            xsd.model if xsd.model in ("choice", "all") else "sequence",
            tuple(_renamed(part, words) for part in parts),
            xsd.min_occurs,
            xsd.max_occurs,
        )

    def _particle(self, xsd: Any) -> Particle | None:
        if xsd.max_occurs == 0:
            return None
        if isinstance(xsd, XsdGroup):
            group = self._group(xsd)
            return group if group.parts else None
        if isinstance(xsd, XsdAnyElement):
            spaces = tuple(xsd.namespace) if not isinstance(xsd.namespace, str) else (xsd.namespace,)
            return Wild(spaces or ("##any",), xsd.min_occurs, xsd.max_occurs, xsd.target_namespace)
        return self._element_particle(xsd)

    def _element_particle(self, xsd: Any) -> Particle | None:
        """An element; where others may substitute for it, a choice among all of them."""
        head = xsd.ref if xsd.ref is not None else xsd
        members = [] if xsd.ref is None else [each for each in xsd.iter_substitutes() if not each.abstract]
        if not members:
            return None if head.abstract else self._field(xsd, local(xsd.name))
        if not head.abstract:
            members.insert(0, head)
        unique = {each.name: each for each in members}
        parts = tuple(self._field(each, local(name))._replace(least=1, most=1) for name, each in unique.items())
        return Group("choice", parts, xsd.min_occurs, xsd.max_occurs)

    def _field(self, xsd: Any, key: str) -> Field:
        name = xsd.name.strip()  # white space around a name is none of it
        self._note(name)
        occurs = xsd.min_occurs, xsd.max_occurs
        return Field(name, key.strip(), self.type(xsd.type), *occurs, bool(xsd.nillable), xsd.default, xsd.fixed)

    def _note(self, name: str | None) -> None:
        """Give the namespace of a name a prefix."""
        space = namespace(name) if name else ""
        if space and space not in self._prefixes and space != XML:
            self._prefixes[space] = f"n{len(self._prefixes)}" if space != XSD else "xsd"

    # -------------------------------------------------------------------------------------------- simple types

    def simple(self, xsd: Any) -> Simple:
        """A simple type, with everything that its bases restrict."""
        made = self._simples.get(id(xsd))
        if made is None:
            made = self._simples[id(xsd)] = self._simple(xsd)
            self._kept.append(xsd)
        return made

    def _simple(self, xsd: Any) -> Simple:
        chain = [xsd]
        while namespace(chain[-1].name or "") != XSD and chain[-1].base_type is not None and not _is_origin(chain[-1]):
            chain.append(chain[-1].base_type)
        origin = chain[-1]
        facets = _facets([each for each in chain if namespace(each.name or "") != XSD])
        if isinstance(origin, XsdUnion):
            members = tuple(self.simple(each) for each in origin.member_types)
            return Simple("union", "anySimpleType", facets, members=members, name=xsd.name)
        if isinstance(origin, XsdList):
            return Simple("list", "anySimpleType", facets, item=self.simple(origin.item_type), name=xsd.name)
        known = builtin(local(origin.name)) if origin.name else None
        known = known or _STRING
        if facets.white_space == "collapse" and not any("whiteSpace" in _named(each) for each in chain[:-1]):
            facets = facets._replace(white_space=known.facets.white_space)
        return known._replace(facets=facets, name=xsd.name)


def _is_origin(xsd: Any) -> bool:
    return isinstance(xsd, XsdUnion | XsdList)


def _named(xsd: Any) -> dict[str, Any]:
    """The facets a type gives itself, by their local names."""
    return {local(name): facet for name, facet in xsd.facets.items() if name is not None}


def _facets(chain: list[Any]) -> Facets:
    """What types restrict, the most derived first: the nearest value of each facet counts, and every pattern."""
    found: dict[str, Any] = {}
    patterns: list[tuple[str, ...]] = []
    for xsd in chain:
        for name, facet in _named(xsd).items():
            if name == "pattern":
                patterns.append(tuple(each.pattern for each in facet.patterns))
            elif name == "enumeration":
                found.setdefault("enumeration", tuple(each.get("value", "") for each in facet))
            elif name == "whiteSpace":
                found.setdefault("white_space", facet.value)
            elif name in _SIZES:
                found.setdefault(_SIZES[name], facet.value)
            elif name in _BOUNDS:
                found.setdefault(_BOUNDS[name], facet.elem.get("value"))
    return Facets(**found, patterns=tuple(patterns))


def _derivations(maps: Any) -> dict[str, list[Any]]:
    """Global complex types by the names of all types they derive from."""
    below: dict[str, list[Any]] = {}
    for name, xsd in maps.types.items():
        if namespace(name) in (XSD, SOAP_ENCODING) or not xsd.is_complex():
            continue
        base = xsd.base_type
        for _ in range(100):
            if base is None or not base.is_complex() or base.name in _ANY:
                break
            if base.name:
                below.setdefault(base.name, []).append(xsd)
            base = base.base_type
    return below


def _words(names: Iterable[str]) -> dict[str, str]:
    """What names are called in JSON: their local names; where two are the same, with the namespace."""
    names = list(names)
    locals_ = [local(name) for name in names]
    return {name: local(name) if locals_.count(local(name)) == 1 else name for name in names}


def _fields(parts: Iterable[Particle]) -> Iterator[Field]:
    for part in parts:
        if isinstance(part, Field):
            yield part
        elif isinstance(part, Group):
            yield from _fields(part.parts)


def _renamed(part: Particle, words: dict[str, str]) -> Particle:
    if isinstance(part, Field):
        return part._replace(key=words[part.name])
    if isinstance(part, Group):
        return part._replace(parts=tuple(_renamed(each, words) for each in part.parts))
    return part
