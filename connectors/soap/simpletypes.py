"""Simple types of a schema to those of a plan: what kind of value, and everything that restricts it.

xmlschema knows a type as a chain of restrictions down to one that is built in, a list or a union.
"""

from typing import Any

from xmlschema.validators import XsdList, XsdUnion

from connectors.soap.anything import builtin
from connectors.soap.plan import Facets, Simple
from connectors.soap.xmltext import XSD, local, namespace

_STRING = Simple("string", "string", Facets(white_space="preserve"))
_SIZES = {
    "length": "length",
    "minLength": "min_length",
    "maxLength": "max_length",
    "totalDigits": "total_digits",
    "fractionDigits": "fraction_digits",
}
_BOUNDS = {
    "minInclusive": "min_inclusive",
    "maxInclusive": "max_inclusive",
    "minExclusive": "min_exclusive",
    "maxExclusive": "max_exclusive",
}


class SimpleTypes:
    """Compiles simple types, each once."""

    def __init__(self) -> None:
        self._made: dict[Any, Simple] = {}

    def simple(self, xsd: Any) -> Simple:
        """A simple type, with everything that its bases restrict."""
        made = self._made.get(xsd)
        if made is None:
            made = self._made[xsd] = self._make(xsd)
        return made

    def _make(self, xsd: Any) -> Simple:
        chain = _chain(xsd)
        origin = chain[-1]
        facets = _facets([each for each in chain if not _is_builtin(each)])
        if isinstance(origin, XsdUnion):
            members = tuple(self.simple(each) for each in origin.member_types)
            return Simple("union", "anySimpleType", facets, members=members, name=xsd.name)
        if isinstance(origin, XsdList):
            facets = facets._replace(min_length=1) if facets.min_length is None and _is_plural(chain) else facets
            return Simple("list", "anySimpleType", facets, item=self.simple(origin.item_type), name=xsd.name)
        known = (builtin(local(origin.name)) if origin.name else None) or _STRING
        if not any("whiteSpace" in _named(each) for each in chain[:-1]):
            facets = facets._replace(white_space=known.facets.white_space)
        if known.kind == "qname":  # what is said of its text means nothing: prefixes come and go
            facets = Facets(enumeration=facets.enumeration)
        return known._replace(facets=facets, name=xsd.name)


def _chain(xsd: Any) -> list[Any]:
    """A type and its bases, to the first that is built in, or a list or union; NMTOKENS and its like are lists."""
    chain = [xsd]
    while not isinstance(chain[-1], XsdUnion | XsdList):
        base = chain[-1].base_type
        if base is None or (_is_builtin(chain[-1]) and not isinstance(base, XsdList)):
            break
        chain.append(base)
    return chain


def _is_builtin(xsd: Any) -> bool:
    return namespace(xsd.name or "") == XSD


def _is_plural(chain: list[Any]) -> bool:
    """Whether a type comes from NMTOKENS, IDREFS or ENTITIES: those have one item at least."""
    return any(map(_is_builtin, chain))


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
                found.setdefault("enumeration", tuple(_literals(xsd, facet)))
            elif name == "whiteSpace":
                found.setdefault("white_space", facet.value)
            elif name in _SIZES:
                found.setdefault(_SIZES[name], facet.value)
            else:
                found.setdefault(_BOUNDS[name], facet.elem.get("value"))
    return Facets(**found, patterns=tuple(patterns))


def _literals(xsd: Any, facet: Any) -> list[str]:
    """The values of an enumeration as they are spelled; of names, `{namespace}local`."""
    names = xsd.root_type.name in (f"{{{XSD}}}QName", f"{{{XSD}}}NOTATION")
    return list(facet.enumeration) if names else [each.get("value", "") for each in facet]
