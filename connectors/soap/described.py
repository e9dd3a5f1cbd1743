"""Simple types for those who read them: as JSON Schema (2020-12), and in a few words for a comment.

Only what holds for the JSON value is said by keywords. Exact decimals are strings, and dates are as XML Schema spells
them, so their bounds and enumerations, which go by value, are said in words (`description`). Patterns are kept where
every reader of JSON Schema understands them (ECMA-262); the others are left out.
"""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from connectors.soap.examples import examples
from connectors.soap.fitting import Unfit
from connectors.soap.lexical import CALENDAR
from connectors.soap.marks import SWA_REF
from connectors.soap.numeric import RANGES, SAFE, whole_range
from connectors.soap.plan import Facets, Kind, Simple
from connectors.soap.simple import decoder, narrowed

Document = dict[str, Any]

FORMATS = {"dateTime": "date-time", "date": "date", "time": "time", "duration": "duration", "anyURI": "uri-reference"}
NUMBER_FORMATS = {"int": "int32", "long": "int64", "float": "float", "double": "double"}
BOUNDS = {
    "min_inclusive": ("minimum", "at least"),
    "max_inclusive": ("maximum", "at most"),
    "min_exclusive": ("exclusiveMinimum", "more than"),
    "max_exclusive": ("exclusiveMaximum", "less than"),
}
SPELLED: frozenset[Kind] = frozenset({"string", "qname", "verbatim", "integer", "boolean"})
"""Kinds of which equal values are spelled alike in JSON, apart from dates and times."""

ATTACHMENT = Simple("base64", "base64Binary")
"""What stands in JSON for what travels beside the envelope."""
MANY = 12
"""No more values of an enumeration than these are said in words."""


def json_schema(simple: Simple, *, request: bool) -> Document:
    """What a value may be; `request` tells that it is sent to the gateway, which also takes other spellings."""
    simple = ATTACHMENT if simple.name == SWA_REF else simple
    document = KINDS[simple.kind](simple, request)
    told = ", ".join(notes(simple))
    if told:
        document["description"] = f"{told[0].upper()}{told[1:]}."
    return document


def in_words(simple: Simple) -> str:
    """The same for people: `decimal, at most 2 decimal places`."""
    if simple.name == SWA_REF:
        return f"{in_words(ATTACHMENT)}, beside the envelope"
    words = [WORDS.get(simple.base, simple.base), *length_words(simple), *notes(simple, bounds_of_numbers=True)]
    if simple.kind == "list":
        words[0] = f"array of {in_words(simple.item)}" if simple.item else "array"
    if simple.kind == "union":
        words[0] = " or ".join(dict.fromkeys(map(in_words, simple.members)))
    if is_spelled(simple) and simple.facets.enumeration:
        words.append(one_of(simple.facets.enumeration))
    return ", ".join(words)


WORDS = {
    **dict.fromkeys(("normalizedString", "token", "NMTOKEN", "anySimpleType"), "string"),
    **dict.fromkeys(("int", "integer", "short", "byte"), "whole number"),
    **dict.fromkeys(("unsignedInt", "unsignedShort", "unsignedByte", "unsignedLong"), "whole number from 0"),
    "long": "whole number",
    "nonNegativeInteger": "whole number from 0",
    "positiveInteger": "whole number from 1",
    "dateTime": "date and time",
    "base64Binary": "base64",
    "hexBinary": "hexadecimal",
    "boolean": "true or false",
    "float": "number",
    "double": "number",
    "anyURI": "address",
}


# ------------------------------------------------------------------------------------------------ by kind


def text(simple: Simple, request: bool) -> Document:
    document: Document = {"type": "string"}
    if simple.base in FORMATS:
        document["format"] = FORMATS[simple.base]
    if simple.kind != "qname":
        document |= lengths(simple.facets, "minLength", "maxLength", lambda octets: octets)
    document |= patterns(simple.facets)
    if document != {"type": "string"} and not simple.facets.enumeration:
        document |= first_example(simple)
    return document | enumeration(simple)


def boolean(simple: Simple, request: bool) -> Document:
    return {"type": "boolean"} | enumeration(simple)


def integer(simple: Simple, request: bool) -> Document:
    low, high = whole_range(simple)
    if simple.form:
        return {"type": ["string", "integer"] if request else "string", "pattern": "^-?[0-9]+$"} | first_example(simple)
    document: Document = {"type": "integer"}
    if low < -SAFE or high > SAFE:
        document = {"type": ["integer", "string"], "pattern": "^-?[0-9]+$"}
    if simple.base in NUMBER_FORMATS:
        document["format"] = NUMBER_FORMATS[simple.base]
    if (low, high) != RANGES["int"]:
        document |= {word: int(each) for word, each in (("minimum", low), ("maximum", high)) if abs(each) <= SAFE}
    return document | enumeration(simple)


def decimal(simple: Simple, request: bool) -> Document:
    usual, other = ("number", "string") if simple.form else ("string", "number")
    return {"type": [usual, other] if request else usual, "format": "decimal"} | first_example(simple)


def floating(simple: Simple, request: bool) -> Document:
    document: Document = {
        "type": ["number", "string"],
        "format": NUMBER_FORMATS[simple.base],
        "pattern": "^(-?INF|NaN)$",
    }
    for name, (keyword, _) in BOUNDS.items():
        literal = getattr(simple.facets, name)
        if literal is not None and math.isfinite(bound := float(literal)):
            document[keyword] = bound
    return document


def base64(simple: Simple, request: bool) -> Document:
    measured = lengths(simple.facets, "minLength", "maxLength", lambda octets: (octets + 2) // 3 * 4)
    return {"type": "string", "contentEncoding": "base64"} | measured | first_example(simple)


def hexadecimal(simple: Simple, request: bool) -> Document:
    measured = lengths(simple.facets, "minLength", "maxLength", lambda octets: octets * 2)
    return (
        {"type": "string", "contentEncoding": "base16", "pattern": "^([0-9a-fA-F]{2})*$"}
        | measured
        | first_example(simple)
    )


def listed(simple: Simple, request: bool) -> Document:
    items = json_schema(simple.item, request=request) if simple.item is not None else {}
    return {"type": "array", "items": items} | lengths(simple.facets, "minItems", "maxItems", lambda items: items)


def either(simple: Simple, request: bool) -> Document:
    members: list[Document] = []
    for member in narrowed(simple):
        document = json_schema(member, request=request)
        if document not in members:
            members.append(document)
    return members[0] if len(members) == 1 else {"anyOf": members or [{"type": "string"}]}


KINDS: dict[Kind, Callable[[Simple, bool], Document]] = {
    "string": text,
    "boolean": boolean,
    "integer": integer,
    "decimal": decimal,
    "float": floating,
    "dateTime": text,
    "base64": base64,
    "hex": hexadecimal,
    "qname": text,
    "verbatim": text,
    "list": listed,
    "union": either,
}


# ------------------------------------------------------------------------------------------------ facets


def is_spelled(simple: Simple) -> bool:
    """Whether equal values are spelled alike, so that JSON Schema can compare them."""
    return simple.kind in SPELLED and simple.base not in CALENDAR


def enumeration(simple: Simple) -> Document:
    values = [value for text in simple.facets.enumeration for value in readable(simple, text)]
    return {"enum": values} if values and is_spelled(simple) else {}


def readable(simple: Simple, text: str) -> Iterator[Any]:
    """The value that a literal of the schema stands for; none where the type itself refuses it."""
    try:
        yield decoder(simple)(text)
    except Unfit:
        return


def constant(simple: Simple, text: str) -> Document:
    """What says that a value is fixed."""
    values = list(readable(simple, text))
    return {"const": values[0]} if values and is_spelled(simple) else {}


def first_example(simple: Simple) -> Document:
    example = next(examples(simple), None)
    return {} if example is None else {"examples": [example]}


def lengths(facets: Facets, least: str, most: str, size: Callable[[int], int]) -> Document:
    low = facets.min_length if facets.length is None else facets.length
    high = facets.max_length if facets.length is None else facets.length
    bounds = {least: size(low)} if low else {}
    return bounds if high is None else bounds | {most: size(high)}


def length_words(simple: Simple) -> Iterator[str]:
    """`1 to 20 characters`."""
    if simple.kind == "qname":
        return
    sizes = lengths(simple.facets, "least", "most", lambda size: size)
    unit = {"list": "items", "base64": "octets", "hex": "octets"}.get(simple.kind, "characters")
    match sizes.get("least"), sizes.get("most"):
        case None, None:
            return
        case None, most:
            yield f"at most {most} {unit}"
        case least, None:
            yield f"at least {least} {unit}"
        case least, most:  # pragma: no branch - mypy knows that there is no other
            yield f"{least} {unit}" if least == most else f"{least} to {most} {unit}"


def notes(simple: Simple, *, bounds_of_numbers: bool = False) -> Iterator[str]:
    """What the keywords of JSON Schema cannot say about a type."""
    facets = simple.facets
    if simple.kind == "decimal" or simple.base in CALENDAR or bounds_of_numbers:
        for name, (_, words) in BOUNDS.items():
            if getattr(facets, name) is not None:
                yield f"{words} {getattr(facets, name)}"
    if simple.kind == "decimal" and facets.total_digits is not None:
        yield f"at most {facets.total_digits} digits"
    if simple.kind == "decimal" and facets.fraction_digits is not None:
        yield f"at most {facets.fraction_digits} decimal places"
    if facets.enumeration and not is_spelled(simple) and simple.kind != "union":
        yield one_of(facets.enumeration)


def one_of(values: tuple[str, ...]) -> str:
    more = ", ..." if len(values) > MANY else ""
    return f"one of {', '.join(values[:MANY])}{more}"


# Patterns come as Python has them: anchored, and with the classes of XML Schema written out.

_WRAPPED = re.compile(r"\^\(\?:(.*)\)\$\(\?!\\n\\Z\)", re.DOTALL)
_COMMON = re.compile(r"(?:[ -Z_a-z{|}~]|\[|\]|\^|\\[\^$.*+?()\[\]{}|/\\dDsStnr-])*")
_ONLY_HERE = re.compile(r"\(\?(?!:)|[*+?}]\+")
LONGEST_PATTERN = 300


def patterns(facets: Facets) -> Document:
    """The patterns that mean the same to everyone."""
    found = [f"^(?:{'|'.join(map(bare, choices))})$" for choices in facets.patterns]
    kept = [each for each in found if len(each) <= LONGEST_PATTERN and is_common(each[4:-2])]
    if len(kept) < 2:
        return {"pattern": kept[0]} if kept else {}
    return {"allOf": [{"pattern": each} for each in kept]}


def bare(pattern: str) -> str:
    wrapped = _WRAPPED.fullmatch(pattern)
    return wrapped[1] if wrapped else pattern


def is_common(pattern: str) -> bool:
    """Whether ECMA-262 reads a pattern as Python does."""
    return _COMMON.fullmatch(pattern) is not None and _ONLY_HERE.search(pattern) is None
