"""`xs:redefine`: declarations that take the place of others, which they extend or restrict (Part 1, section 4.2.2).

The compilers get schemas that refer to nothing, so what is redefined is written out. The original keeps its content
under another name, `Amount.redefined`, which only the redefinition goes by; the redefinition is a declaration like any
other, and all that named the original now name it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lxml import etree

from connectors.soap.mending import resolved
from connectors.soap.repairs import XSD, Source

KINDS = tuple(f"{{{XSD}}}{kind}" for kind in ("simpleType", "complexType", "group", "attributeGroup"))


class Redefined(NamedTuple):
    """A declaration within an xs:redefine: the schema it stands in, and its node."""

    source: Source
    node: etree._Element


def declarations(source: Source, redefine: etree._Element) -> Iterator[Redefined]:
    """What stands in an xs:redefine."""
    return (Redefined(source, node) for node in redefine if node.tag in KINDS)


def written_out(redefined: Iterable[Redefined], sources: Iterable[Source]) -> Iterator[str]:
    """Puts redefinitions in the place of what they redefine; says of which there is nothing to redefine, and where."""
    sources = tuple(sources)
    for source, node in redefined:
        name = node.get("name", "")
        original = _original(node, [each for each in sources if each.namespace == source.namespace])
        source.root.append(node)
        if original is None:
            file = source.place.rpartition(":")[0]
            yield f"{file}:{node.sourceline}: there is no {name} to redefine; it is taken as a declaration"
            continue
        original.set("name", f"{name}.redefined")
        named = _prefixed(f"{name}.redefined", source)
        for each, attribute in _own(node, source):
            each.set(attribute, named)


def _prefixed(name: str, source: Source) -> str:
    """A name in a schema's own namespace, as it is written in that schema."""
    spaces = source.root.nsmap.items()
    return next((f"{prefix}:{name}" for prefix, space in spaces if prefix and space == source.namespace), name)


def _original(node: etree._Element, sources: Iterable[Source]) -> etree._Element | None:
    found = (each for source in sources for each in source.root.iterfind(str(node.tag)))
    return next((each for each in found if each.get("name") == node.get("name")), None)


def _own(node: etree._Element, source: Source) -> Iterator[tuple[etree._Element, str]]:
    """Where a redefinition goes by what it redefines.

    A type does so in its derivation, which can name nothing else, whatever namespace it says; a group where it refers
    to itself, and a name without any namespace may be meant to be of its own.
    """
    name = node.get("name", "")
    if str(node.tag).endswith("Type"):
        derivation = next((each for each in node.iter(f"{{{XSD}}}*") if "base" in each.attrib), None)
        if derivation is not None and derivation.get("base", "").rpartition(":")[2] == name:
            yield derivation, "base"
        return
    full = f"{{{source.namespace}}}{name}" if source.namespace else name
    for each in node.iter(node.tag):
        if "ref" in each.attrib and resolved(each, each.get("ref", "")) in (full, name):
            yield each, "ref"
