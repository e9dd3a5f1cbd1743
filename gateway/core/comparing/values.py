"""The values that documents are made of: those of JSON, whatever the body was written in.

Numbers are compared by value (1, 1.0 and 1e0 are one number), but never across types: neither 1 and "1" nor 1 and true
are the same. Python says otherwise of the last pair, so equality is asked here.
"""

from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final

import orjson

from gateway.core.policies import Pointer


class Absent(Enum):
    """What stands in the place of a value where there is none."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Element(dict[str, Any]):
    """The content of an XML element: attributes first (`@name`), then children in order, by their local names."""


class Repeated(list[Any]):
    """XML elements of one name beside each other, or fields of a form. Pointers pass through it without an index."""


SCALARS = frozenset({str, int, float, bool, type(None), Decimal})
_NAMES: dict[type, str] = {
    str: "string",
    int: "number",
    float: "number",
    Decimal: "number",
    bool: "boolean",
    type(None): "null",
    Absent: "absent",
    list: "array",
    Repeated: "array",
    dict: "object",
    Element: "object",
}


def type_of(value: Any) -> str:
    """A value's type as JSON names it; "absent" of no value."""
    return _NAMES[value.__class__]


def same_scalar(one: Any, other: Any) -> bool:
    """Whether two scalars are the same: of one type, and equal by value."""
    if type_of(one) != type_of(other):
        return False
    if one.__class__ is not other.__class__ and Decimal in (one.__class__, other.__class__):
        return number(one) == number(other)
    return bool(one == other)


_FURTHEST = 400
"""Powers of ten. Doubles end at 308; a text of a few characters can name a billion, and would be written out whole."""


def number(value: Any) -> Decimal | None:
    """The exact number that a number, or a text that is one, stands for; None of anything else.

    None also of one that is far beyond what doubles reach: no sum could be done with it.
    """
    if value.__class__ not in (int, float, Decimal, str):
        return None
    try:
        found = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) <= _FURTHEST else None


def text_of(value: Any) -> str:
    """A scalar as people write it in a table of values: strings without quotes, the rest as in JSON."""
    return str(value) if isinstance(value, str | Decimal) else canonical(value).decode()


def canonical(value: Any) -> bytes:
    """A value as JSON with its members sorted: the same bytes, the same value (not always the other way round).

    Raises TypeError where it is nested more than 254 deep, which is as deep as orjson writes.
    """
    return orjson.dumps(value, default=_exactly, option=orjson.OPT_SORT_KEYS)


def in_order(value: Any) -> bytes:
    """A value as JSON whose members keep their order, which counts in XML."""
    return orjson.dumps(value)


def _exactly(value: Any) -> Any:
    """An exact number, in a shape that no value read from a body is confused with."""
    return {"\0": str(value)}


def pointer_of(text: str) -> Pointer:
    """A written pointer as its tokens."""
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in text.split("/")[1:])


def pointer_text(pointer: Pointer) -> str:
    """A pointer as it is written (RFC 6901, section 3)."""
    return "".join(f"/{token.replace('~', '~0').replace('/', '~1')}" for token in pointer)
