"""Schemas without what lxml refuses them for, and everybody else overlooks, so that it can judge messages by them.

Names of types that are not global, numbers of global elements, stray text, and second declarations of a name (the first
is what the gateway goes by) say nothing about messages. Annotations are left out whole.
"""

from collections.abc import Iterable
from copy import deepcopy

from lxml import etree

from connectors.soap.repairs import XSD, Source
from connectors.soap.xmltext import local

NUMBERS = ("minOccurs", "maxOccurs")


def tidied(sources: Iterable[Source]) -> list[Source]:
    """Copies of schemas as lxml takes them."""
    declared: set[tuple[str, str, str]] = set()
    copies = [source._replace(root=deepcopy(source.root)) for source in sources]
    for source in copies:
        for node in list(source.root.iter(f"{{{XSD}}}annotation")):
            _remove(node)
        for node in list(source.root):
            kind, name = _kind(node), (source.namespace, node.get("name", ""))
            if name[1] and (kind, *name) in declared:
                _remove(node)
            declared.add((kind, *name))
            for number in NUMBERS:
                node.attrib.pop(number, None)
        for node in source.root.iter(f"{{{XSD}}}*"):
            node.text = node.tail = None
            if local(node.tag) in ("complexType", "simpleType") and node.getparent() is not source.root:
                node.attrib.pop("name", None)
    return copies


def _kind(node: etree._Element) -> str:
    """What shares its names with a declaration: simple and complex types have the same."""
    return local(node.tag).replace("simpleType", "complexType")


def _remove(node: etree._Element) -> None:
    node.getparent().remove(node)
