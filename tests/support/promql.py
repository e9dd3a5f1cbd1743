"""What a PromQL expression asks for, read just far enough to see whether there is such a thing.

No parser: names, labels and calls are told apart by what stands around them. Whatever is neither a function nor a word
of the language is taken for a metric, so that a slip cannot hide.
"""

import re
from typing import NamedTuple

FUNCTIONS = frozenset({"sum", "min", "max", "count", "rate", "increase", "histogram_quantile", "time", "vector"})
"""Those that are used."""
COUNTING = ("rate(", "increase(")
WORDS = frozenset({"and", "or", "unless", "bool"})
_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
_SPAN = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_MATCHERS = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:\\.|[^"\\])*)"')
_NAME = re.compile(r"\b[a-zA-Z_]\w*\b")
_PLACEHOLDER = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


class Asked(NamedTuple):
    """A metric that is asked for: `matchers` are its labels and what they are to be, `counted` whether it is asked how
    fast it grows."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]
    counted: bool


class Expression(NamedTuple):
    """`grouped` are the labels of each grouping, in order; `quantile` whether it asks for a quantile."""

    asked: tuple[Asked, ...]
    grouped: tuple[frozenset[str], ...]
    quantile: bool


def read(text: str) -> Expression:
    """An expression."""
    grouped = tuple(frozenset(_NAME.findall(labels)) for _, labels in _GROUPING.findall(_without_strings(text)))
    flat = _SPAN.sub("", _GROUPING.sub(" ", text))
    blank = _without_strings(flat)
    asked = []
    for found in _NAME.finditer(blank):
        before, after = blank[: found.start()], blank[found.end() :]
        is_word = found[0] in WORDS or (found[0] in FUNCTIONS and after.lstrip().startswith("("))
        if is_word or before.count("{") != before.count("}"):
            continue
        end = found.end() + after.index("}") if after.lstrip().startswith("{") else found.end()
        counted = re.sub(r"\s", "", before).endswith(COUNTING)
        asked.append(Asked(found[0], tuple(_MATCHERS.findall(flat[found.end() : end])), counted))
    return Expression(tuple(asked), grouped, "histogram_quantile" in flat)


def _without_strings(text: str) -> str:
    """The same, at the same places, with strings left blank."""
    return _STRING.sub(lambda found: " " * len(found[0]), text)


def placeholders(text: str) -> set[str]:
    """The labels that a legend, or the text of an alarm, puts in: `{{side}}`, `{{ $labels.side }}`."""
    return set(_PLACEHOLDER.findall(text))
