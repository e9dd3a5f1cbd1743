"""An example out of a JSON Schema as `openapi` makes them: every member once, of each choice the first way.

Deep down, within a type that contains itself, and when much has been written already, only what must be there is.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.soap.content import ANY
from connectors.soap.described import Document
from connectors.soap.openapi import REFERENCE

LARGE = 100
"""An example of so many values takes only what it must from there on."""
DEEP = 8
TEXT = "text"


def sample(document: Document, schemas: Mapping[str, Document]) -> Any:
    """An example; `schemas` are the components that the document refers to."""
    return _Sampling(schemas).value(document)


class _Sampling:
    def __init__(self, schemas: Mapping[str, Document]) -> None:
        self._schemas = schemas
        self._inside: list[str] = []
        self._size = 0

    def value(self, document: Document) -> Any:
        self._size += 1
        for key in ("examples", "enum"):
            if key in document:
                return document[key][0]
        if "const" in document:
            return document["const"]
        if "$ref" in document:
            return self._referred(document["$ref"].removeprefix(REFERENCE))
        if "properties" in document:
            return self._object(document)
        for key in ("oneOf", "anyOf"):
            if key in document:
                return self.value(self._least(document[key]))
        kind = document.get("type", "string")
        if kind == "array":
            return self._array(document)
        return plain(kind if isinstance(kind, str) else kind[0], document)

    def _referred(self, name: str) -> Any:
        self._inside.append(name)
        found = self.value(self._schemas[name])
        self._inside.pop()
        return found

    @property
    def _is_lean(self) -> bool:
        return self._size > LARGE or len(self._inside) > DEEP

    def _least(self, documents: list[Document]) -> Document:
        """The first, unless that is a type that this is within."""
        return next((each for each in documents if not self._returns(each)), documents[0])

    def _returns(self, document: Document) -> bool:
        """Whether a value would contain one of its own type: by name, or an array of such."""
        name = document.get("$ref", "").removeprefix(REFERENCE)
        return name in self._inside or any(self._returns(each) for each in _below(document))

    def _array(self, document: Document) -> list[Any]:
        least = document.get("minItems", 0)
        if not least and (self._is_lean or self._returns(document["items"])):
            return []
        return [self.value(document["items"]) for _ in range(max(least, 1))]

    def _object(self, document: Document) -> dict[str, Any]:
        required = set(document.get("required", ()))
        excluded = {ANY}
        rules = document.get("allOf", [document])
        for rule in rules:
            ways = rule.get("oneOf", rule.get("anyOf", []))
            for other in ways[1:]:
                excluded.update(other.get("required", ()))
            for way in ways[:1]:
                required.update(way.get("required", ()))
                excluded.update(key for key, each in way.get("properties", {}).items() if _is_absent(each))
        found = {}
        for key, each in document["properties"].items():
            optional = key in excluded or self._is_lean or self._returns(each)
            if key in required or not optional:
                found[key] = self.value(each)
        return found


def _below(document: Document) -> Iterator[Document]:
    for key in ("anyOf", "oneOf"):
        yield from document.get(key, ())[:1]
    if document.get("minItems"):
        yield document["items"]


def _is_absent(document: Any) -> bool:
    return document is False or document.get("maxItems") == 0


def plain(kind: str, document: Document) -> Any:
    """A value of a plain type."""
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        low = document.get("minimum", document.get("exclusiveMinimum", 0) + 1)
        high = document.get("maximum", document.get("exclusiveMaximum", low + 2) - 1)
        return min(max(1, low), high)
    return TEXT
