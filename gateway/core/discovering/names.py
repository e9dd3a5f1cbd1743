"""How parameters are called: after the word before them, in the singular, and by what they look like.

A name also tells what stands there when rows are read again: `{date}` a date, `{tenant_name}` words, `{repair}`
identifiers. So rows that replicas have stored say all that was known.
"""

import re
from collections.abc import Collection, Set

from gateway.core.discovering.looks import WORD, Look
from gateway.core.discovering.words import PROGRAMS, is_general

TELLING: frozenset[Look] = frozenset({"date", "month", "year", "email", "postcode"})
"""Looks that say more than the word before."""
_UNCHANGED = frozenset({"premises", "news", "series", "species", "means", "gas"})
_IRREGULAR = {"people": "person", "children": "child"}
_CAMEL = re.compile(r"(?<=[a-z\d])(?=[A-Z])")
_NO_NAME = re.compile(r"[^a-z\d]+")
_NUMBER = re.compile(r"\d+$")
_ENDING = "|".join(sorted(each.decode() for each in PROGRAMS))
_AFFIX = re.compile(rf"^(?:by|find|for|get|list|search|with)_|_(?:by|for|json|xml|{_ENDING})$")


def parameter(before: bytes | None, looks: Set[Look], taken: Collection[str]) -> str:
    """A name for what stands after a word (None: after a value), other than those taken in the same path."""
    name = unique = _parameter(before, looks)
    number = 1
    while unique in taken:
        number += 1
        unique = f"{name}{number}"
    return unique


def _parameter(before: bytes | None, looks: Set[Look]) -> str:
    base = "" if before is None or is_general(before) else singular(before.decode("latin-1"))
    if WORD in looks:
        return f"{base}_name" if base and not base.endswith("name") else base or "name"
    only = next(iter(looks)) if len(looks) == 1 else "id"
    if only in TELLING:
        return only
    return base or ("uuid" if only == "uuid" else "id")


def look_of(name: str) -> Look:
    """What stands for a parameter of this name."""
    plain = _NUMBER.sub("", name)
    if plain.endswith("name"):
        return WORD
    return next((look for look in (*TELLING, "uuid") if look == plain), "id")


def singular(word: str) -> str:
    """`repairs` as `repair`, `councilTax` as `council_tax`, `by-surname` as `surname`; "" where no name is left."""
    snake = _NO_NAME.sub("_", _CAMEL.sub("_", word).lower()).strip("_")
    while (shorter := _AFFIX.sub("", snake)) != snake:
        snake = shorter
    head, joint, last = snake.rpartition("_")
    name = head + joint + _singular(last)
    return name if name[:1].isalpha() else ""


def _singular(noun: str) -> str:
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if noun in _UNCHANGED or len(noun) < 4 or not noun.endswith("s") or noun.endswith(("ss", "us", "is")):
        return noun
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("sses", "xes", "ches", "shes", "zzes")) or (
        noun.endswith("uses") and noun[-5:-4] not in ("o", "a", "")
    ):
        return noun[:-2]
    return noun[:-1]
