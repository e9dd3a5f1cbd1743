"""JMESPath expressions as functions.

The library parses, and walks the tree anew for every value; here the tree becomes functions once, which are quicker.
What is rare (JMESPath's own functions, comparisons, slices) is left to the library. How much larger than its input a
result can be is known beforehand, from the tree alone.
"""

import math
from collections.abc import Callable
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

from gateway.errors import BanyanError

LONGEST = 10_000
"""Characters of one expression."""
MOST_COPIES = 10_000
"""How many times its input, at most, a result may hold: pipes can double it again and again."""
JSON = Any
Node = Any
Find = Callable[[JSON], JSON]
_LEAKS = (JMESPathError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What JMESPath raises: its own errors, and those of Python that its functions let through."""


class MappingInvalid(BanyanError):
    """A mapping cannot be compiled; says what is wrong with it, for whoever wrote it."""


class MappingFailed(BanyanError):
    """A mapping cannot be applied to a value."""


class Expression:
    """One JMESPath expression. Raises MappingInvalid when it is not one."""

    __slots__ = ("_find", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > LONGEST:
            raise MappingInvalid(f"The expression is longer than {LONGEST:,} characters.")
        try:
            tree = jmespath.compile(text).parsed
            copies = _copies(tree)
            self._find = _function(tree)
        except _LEAKS as error:
            reason = " ".join(str(error).split())
            raise MappingInvalid(f"`{short(text)}` is not a JMESPath expression: {short(reason)}") from error
        if copies > MOST_COPIES:
            raise MappingInvalid(f"`{short(text)}` can give more than {MOST_COPIES:,} times what it is given.")

    def __call__(self, document: JSON) -> JSON:
        """What it finds; None where there is nothing. Raises MappingFailed."""
        try:
            return self._find(document)
        except _LEAKS as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise MappingFailed(f"`{short(self.text)}` cannot be applied: {short(reason)}") from error


def is_true(value: JSON) -> bool:
    """What JMESPath takes for true: anything but null, false, and empty strings, arrays and objects."""
    return value is not None and value is not False and value not in ("", [], {})


def short(text: str) -> str:
    """A text as it stands in a message."""
    return text if len(text) <= 200 else f"{text[:200]}..."


# ------------------------------------------------------------------------------------------------ functions


def _function(node: Node) -> Find:
    make = _MAKERS.get(node["type"])
    return make(node) if make is not None else _left_to_the_library(node)


def _left_to_the_library(node: Node) -> Find:
    visit = TreeInterpreter().visit
    return lambda value: visit(node, value)


def _field(node: Node) -> Find:
    name = node["value"]
    return lambda value: value.get(name) if value.__class__ is dict else None


def _itself(_node: Node) -> Find:
    return lambda value: value


def _chain(node: Node) -> Find:
    """Each on what the one before it found."""
    steps = [_function(child) for child in node["children"]]

    def find(value: JSON) -> JSON:
        for step in steps:
            value = step(value)
        return value

    return find


def _index(node: Node) -> Find:
    at = node["value"]

    def find(value: JSON) -> JSON:
        fits = value.__class__ is list and -len(value) <= at < len(value)
        return value[at] if fits else None

    return find


def _flatten(node: Node) -> Find:
    base = _function(node["children"][0])

    def find(value: JSON) -> JSON:
        items = base(value)
        if items.__class__ is not list:
            return None
        flat: list[JSON] = []
        for item in items:
            if item.__class__ is list:
                flat.extend(item)
            else:
                flat.append(item)
        return flat

    return find


def _projection(node: Node) -> Find:
    base, each = (_function(child) for child in node["children"])

    def find(value: JSON) -> JSON:
        items = base(value)
        if items.__class__ is not list:
            return None
        return [found for item in items if (found := each(item)) is not None]

    return find


def _filter(node: Node) -> Find:
    base, each, condition = (_function(child) for child in node["children"])

    def find(value: JSON) -> JSON:
        items = base(value)
        if items.__class__ is not list:
            return None
        return [found for item in items if is_true(condition(item)) and (found := each(item)) is not None]

    return find


def _object(node: Node) -> Find:
    members = [(child["value"], _function(child["children"][0])) for child in node["children"]]

    def find(value: JSON) -> JSON:
        return None if value is None else {key: member(value) for key, member in members}

    return find


def _array(node: Node) -> Find:
    items = [_function(child) for child in node["children"]]
    return lambda value: None if value is None else [item(value) for item in items]


_MAKERS: dict[str, Callable[[Node], Find]] = {
    "field": _field,
    "current": _itself,
    "identity": _itself,
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "index": _index,
    "flatten": _flatten,
    "projection": _projection,
    "filter_projection": _filter,
    "multi_select_dict": _object,
    "multi_select_list": _array,
}

# ------------------------------------------------------------------------------------------------ how large a result is


def _copies(node: Node) -> int:
    """How many times its input a result may hold, at most; a literal counts by its values."""
    children = [_copies(child) for child in node["children"] if isinstance(child, dict)]
    match node["type"]:
        case "multi_select_dict" | "multi_select_list":
            return 1 + sum(children)
        case "or_expression" | "and_expression":
            return max(children)
        case "literal":
            return _values(node["value"])
        case "comparator" | "not_expression":
            return 1
    return math.prod(children) * (len(children) if node["type"] == "function_expression" else 1)


def _values(literal: JSON) -> int:
    """How many values are in one."""
    inside = literal.values() if isinstance(literal, dict) else literal if isinstance(literal, list) else ()
    return 1 + sum(map(_values, inside))
