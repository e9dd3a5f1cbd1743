"""Examples of a simple type: a handful of JSON values that go right up to what its facets allow.

Candidates come from the kind, the facets and the patterns, plausible ones first; the codec itself is the judge. What it
gives back unchanged after a round trip is an example, so nothing here has to be right about every facet.
"""

import math
import string
from base64 import b64encode
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import cycle, islice, product
from re import fullmatch
from typing import Any

from connectors.soap.fitting import JSON, Unfit
from connectors.soap.numeric import SAFE, whole_range
from connectors.soap.plan import Kind, Simple
from connectors.soap.simple import codec

MOST = 16
"""No more examples than these of one type."""

LONG = 50
"""A longest text or list is no longer than this, unless the type insists."""


def examples(type: Simple) -> Iterator[JSON]:
    """Valid values, each once, the most plausible first; none where none could be found."""
    yield from islice(distinct(type), MOST)


def distinct(type: Simple) -> Iterator[JSON]:
    decode, encode = codec(type)
    seen = set()
    for candidate in candidates(type, decode):
        try:
            same = repr(decode(encode(candidate))) == repr(candidate)
        except Unfit:
            continue  # the type refuses this one: there are others
        if same and repr(candidate) not in seen:
            seen.add(repr(candidate))
            yield candidate


def candidates(type: Simple, decode: Callable[[str], JSON]) -> Iterator[JSON]:
    """Values that may be examples: those the schema spells out, those of the kind, those that a pattern describes."""
    facets = type.facets
    bounds = (facets.min_inclusive, facets.max_inclusive, facets.min_exclusive, facets.max_exclusive)
    yield from read_all(facets.enumeration[:5], decode)
    yield from KINDS[type.kind](type)
    yield from read_all([bound for bound in bounds if bound is not None], decode)
    for choices in facets.patterns:
        for pattern in choices[:5]:
            yield from read_all(matching(pattern), decode)


def read_all(texts: Any, decode: Callable[[str], JSON]) -> Iterator[JSON]:
    for text in texts:
        try:
            yield decode(text)
        except Unfit:
            continue  # as above


def lengths(type: Simple, usual: int) -> list[int]:
    """A usual length, the shortest and the longest."""
    facets = type.facets
    if facets.length is not None:
        return [facets.length]
    least = facets.min_length or 0
    most = LONG if facets.max_length is None else min(facets.max_length, LONG)
    most = max(least, most)
    return [max(least, min(usual, most)), least, most]


def texts(type: Simple) -> Iterator[JSON]:
    for length in lengths(type, 6):
        yield filled("banyan", length)
        yield filled("en-GB", length)
    yield from ("en-GB", "1234", "é & <ü> 'x' \"y\"")


def filled(words: str, length: int) -> str:
    return "".join(islice(cycle(words), length))


def truths(_: Simple) -> Iterator[JSON]:
    yield from (True, False)


def whole_numbers(type: Simple) -> Iterator[JSON]:
    low, high = whole_range(type)
    digits = type.facets.total_digits
    widest = [10**digits - 1, 1 - 10**digits] if digits is not None else [SAFE, SAFE + 1, 10**17]
    for number in (1, low, high, 0, -1, low + 1, high - 1, 10, 12345, *widest):
        if math.isfinite(number):
            yield int(number) if -SAFE <= number <= SAFE and not type.form else str(int(number))


def decimals(type: Simple) -> Iterator[JSON]:
    facets = type.facets
    places = 2 if facets.fraction_digits is None else facets.fraction_digits
    before = max(0, (12 if facets.total_digits is None else facets.total_digits) - places)
    widest = ("9" * before or "0") + ("." + "9" * places if places else "")
    least_step = "0." + "0" * (places - 1) + "1" if places else "1"
    if type.form:
        yield from (1.5, 0, 1, -1, 0.25)
    yield from ("1.50", "0", "1", "-1", "0.5", "-0.25", widest, f"-{widest}", least_step, f"-{least_step}")
    for bound in (facets.min_exclusive, facets.max_exclusive, facets.min_inclusive, facets.max_inclusive):
        if bound is not None and fullmatch("-?[0-9]+", bound):
            yield from (str(int(bound) + step) for step in (1, -1))


def floats(type: Simple) -> Iterator[JSON]:
    yield from (1.5, 0.0, -2.25, 1e30, 1e-7, 100.0, "INF", "-INF", "NaN")
    for bound in (type.facets.min_exclusive, type.facets.max_exclusive):
        if bound is not None and fullmatch("-?[0-9]+([.][0-9]+)?", bound):
            yield from (float(bound) + step for step in (1.0, -1.0, 0.5, -0.5))


SPELLED = {
    "dateTime": ("2024-02-29T12:30:00Z", "2024-02-29T12:30:00", "2024-02-29T23:59:59.125+01:00", "1999-12-31T00:00:00"),
    "date": ("2024-02-29", "2024-02-29Z", "2024-02-29+01:00", "1999-12-31"),
    "time": ("12:30:00", "12:30:00Z", "23:59:59.125+01:00"),
    "gYear": ("2024", "1999Z"),
    "gYearMonth": ("2024-02", "1999-12Z"),
    "gMonthDay": ("--02-29", "--12-31Z"),
    "gMonth": ("--02", "--12Z"),
    "gDay": ("---29", "---31Z"),
    "duration": ("P1DT12H", "P1Y2M3DT4H5M6.5S", "-P1D", "PT0S"),
    "anyURI": ("https://example.com/rents/1?a=b&c=d", "urn:example:1"),
    "QName": ("name",),
    "NOTATION": ("name",),
}


def spelled(type: Simple) -> Iterator[JSON]:
    yield from SPELLED.get(type.base, SPELLED.get(type.kind, ()))
    yield from (filled("banyan", length) for length in lengths(type, 6))


def octets(type: Simple) -> Iterator[bytes]:
    for length in lengths(type, 6):
        yield filled("banyan", length).encode()
        yield bytes(255 - place for place in range(max(length, 1)))


def base64s(type: Simple) -> Iterator[JSON]:
    yield from (b64encode(value).decode() for value in octets(type))


def hexes(type: Simple) -> Iterator[JSON]:
    yield from (value.hex().upper() for value in octets(type))


def lists(type: Simple) -> Iterator[JSON]:
    items = list(examples(type.item or Simple("string", "token")))
    if items:
        for length in lengths(type, 2):
            yield list(islice(cycle(items), length))
        yield items[:1]
    else:
        yield []


def either(type: Simple) -> Iterator[JSON]:
    """Of each member some: of those one by one, so that none is crowded out by the first."""
    members = [list(islice(examples(member), 6)) for member in type.members]
    for place in range(6):
        yield from (found[place] for found in members if place < len(found))


KINDS: dict[Kind, Callable[[Simple], Iterator[JSON]]] = {
    "string": texts,
    "boolean": truths,
    "integer": whole_numbers,
    "decimal": decimals,
    "float": floats,
    "dateTime": spelled,
    "base64": base64s,
    "hex": hexes,
    "qname": spelled,
    "verbatim": spelled,
    "list": lists,
    "union": either,
}


# Texts that match a pattern: Python's own parser gives the tree, and each node is written in the simplest way that the
# wish (which branch or character, how many repetitions beyond the least) allows.

parse = import_module("re._parser").parse
PLAUSIBLE = "a1A0-" + string.ascii_letters + string.digits + " " + string.punctuation + "é"
CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}


def matching(pattern: str) -> Iterator[str]:
    """Texts that probably match a regular expression of Python, short ones first."""
    tree = parse(pattern)
    for more, pick in product((0, 1, 2, 4, 9, 19), range(4)):
        yield written(tree, pick, more)


def written(tree: Any, pick: int, more: int) -> str:
    return "".join(node_written(operation.name, argument, pick, more) for operation, argument in tree)


def node_written(name: str, argument: Any, pick: int, more: int) -> str:
    """One node as text; what takes no room (an anchor, a look around, a reference) is left to the judge."""
    match name:
        case "LITERAL":
            return chr(argument)
        case "NOT_LITERAL":
            return picked([char for char in PLAUSIBLE if ord(char) != argument], pick)
        case "ANY":
            return picked(list(PLAUSIBLE), pick)
        case "IN":
            return picked(list(dict.fromkeys(members_of(argument))), pick)
        case "BRANCH":
            branches = argument[1]
            return written(branches[pick % len(branches)], pick, more)
        case "SUBPATTERN":
            return written(argument[3], pick, more)
        case "ATOMIC_GROUP":
            return written(argument, pick, more)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, part = argument
            times: int = min(least + more, most)
            return written(part, pick, more) * times
    return ""


def picked(characters: list[str], pick: int) -> str:
    return characters[pick % len(characters)] if characters else ""


def members_of(items: list[Any]) -> Iterator[str]:
    """Characters of a set, plausible ones first."""
    tests = [(operation.name, argument) for operation, argument in items if operation.name != "NEGATE"]
    negated = len(tests) < len(items)
    for char in PLAUSIBLE:
        if any(contains(name, argument, char) for name, argument in tests) != negated:
            yield char
    if not negated:
        for name, argument in tests:
            if name != "CATEGORY":
                yield chr(argument if name == "LITERAL" else argument[0])


def contains(name: str, argument: Any, char: str) -> bool:
    match name:
        case "LITERAL":
            return bool(ord(char) == argument)
        case "RANGE":
            return bool(argument[0] <= ord(char) <= argument[1])
    return fullmatch(CATEGORIES[argument.name], char) is not None
