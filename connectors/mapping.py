"""Mappings between a route's contract and what a backend speaks: JMESPath, compiled once.

A request is mapped from `{path, query, header, body}`, a reply from what the backend's message says. A mapping is one
expression that gives the whole, or an object of expressions, in which what is missing is left out.
"""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.expressions import JSON, Expression, MappingFailed, MappingInvalid, is_true, short

__all__ = ["Expression", "Given", "Mapped", "MappingFailed", "MappingInvalid", "is_true"]

DEEPEST = 100
"""Objects in objects, in a mapping."""
Given = str | bool | int | float | list[Any] | Mapping[str, Any]
_MISSING = object()


class Mapped:
    """A mapping, ready to be applied. Raises MappingInvalid when it is not one.

    In an object a key with dots is one of objects within; numbers, truths and empty objects stand for themselves.
    """

    __slots__ = ("_apply",)

    def __init__(self, given: Given) -> None:
        self._apply = _step(given, DEEPEST)

    def __call__(self, document: JSON) -> JSON:
        """The value it makes of a document. Raises MappingFailed."""
        value = self._apply(document)
        return {} if value is _MISSING else value


Step = Callable[[JSON], JSON]


def _step(given: Given, room: int) -> Step:
    if not room:
        raise MappingInvalid(f"The mapping is nested more than {DEEPEST} deep.")
    match given:
        case str():
            return Expression(given)
        case bool() | int() | float():
            return lambda _document: given
        case list():
            return _array([_step(each, room - 1) for each in given])
        case Mapping():
            return _object({key: _step(each, room - 1) for key, each in _nested(given).items()})
    raise MappingInvalid("A mapping is made of expressions, which are texts, and of objects and lists of them.")


def _nested(given: Mapping[str, Any]) -> dict[str, Any]:
    """An object whose keys have no dots. Raises MappingInvalid where two keys mean the same member."""
    nested: dict[str, Any] = {}
    for key, value in given.items():
        first, dot, rest = str(key).partition(".")
        if not first or (dot and not rest):
            raise MappingInvalid(f"`{short(str(key))}` is not the name of a member.")
        if not dot and first not in nested:
            nested[first] = value
        elif dot and first not in nested:
            nested[first] = {rest: value}
        elif isinstance(nested[first], Mapping) and (dot or isinstance(value, Mapping)):
            more = {rest: value} if dot else value
            twice = nested[first].keys() & more.keys()
            if twice:
                raise MappingInvalid(f"`{first}.{min(twice)}` is given twice.")
            nested[first] = {**nested[first], **more}
        else:
            raise MappingInvalid(f"`{first}` is given twice.")
    return nested


def _object(steps: dict[str, Step]) -> Step:
    def apply(document: JSON) -> JSON:
        found = {key: step(document) for key, step in steps.items()}
        kept = {key: value for key, value in found.items() if value is not None and value is not _MISSING}
        return kept if kept or not steps else _MISSING

    return apply


def _array(steps: list[Step]) -> Step:
    def apply(document: JSON) -> JSON:
        found = [step(document) for step in steps]
        return [value for value in found if value is not None and value is not _MISSING]

    return apply
