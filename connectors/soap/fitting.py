"""What the code of every simple type is made of: what its functions are, how they refuse, and what white space is."""

import re
from collections.abc import Callable
from typing import NamedTuple

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]
Decode = Callable[[str], JSON]
Encode = Callable[[JSON], str]
Tidy = Callable[[str], str]
Check = Callable[[str], None]


class Unfit(ValueError):
    """A value that its type does not allow; says why in words that follow a JSON pointer, without quoting the value."""


class Codec(NamedTuple):
    """Both directions of one type."""

    decode: Decode
    encode: Encode


def kind_of(value: JSON) -> str:
    """What a value is, for people."""
    words = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        list: "an array",
        dict: "an object",
    }
    return "a string" if isinstance(value, str) else words.get(value.__class__, "null")


def must_be(what: str, value: JSON) -> Unfit:
    return Unfit(f"must be {what}, not {kind_of(value)}")


# White space is XML's own four characters: Python's idea of it is wider.

SPACE = " \t\n\r"
SPACES = re.compile(f"[{SPACE}]+")
_replaced = str.maketrans("\t\n\r", "   ")
WITHOUT_SPACE = str.maketrans("", "", SPACE)
ILLEGAL = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
illegal = re.compile(f"[{ILLEGAL}]").search


def preserve(text: str) -> str:
    return text


def replace(text: str) -> str:
    return text.translate(_replaced)


def collapse(text: str) -> str:
    text = text.strip(SPACE)
    if text.isprintable() and "  " not in text:
        return text  # nearly always, and much faster
    return SPACES.sub(" ", text)


WHITE_SPACE: dict[str, Tidy] = {"preserve": preserve, "replace": replace, "collapse": collapse}
