"""Simple types: text in XML, values in JSON.

A type is compiled once into two functions. Each first tidies (white space, the lexical form of the kind), then checks
the facets on the tidy text, then gives the value. What a type does not ask for costs nothing: the closures differ.
Source: XML Schema Part 2; what a kind becomes in JSON is the project's own rule (numbers, exact decimals as strings).
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from connectors.soap.facets import Measure, checked, checks
from connectors.soap.fitting import JSON, SPACES, Codec, Decode, Encode, Unfit, collapse, kind_of, must_be
from connectors.soap.lexical import SHAPES
from connectors.soap.numeric import boolean, decimal, floating, integer
from connectors.soap.plan import Facets, Kind, Simple
from connectors.soap.textual import base64, hexadecimal, string, verbatim

__all__ = ["JSON", "Codec", "Unfit", "codec", "decoder", "encoder", "is_text", "must_be", "narrowed"]


def decoder(type: Simple) -> Decode:
    """From the text of an element or attribute to its value. Empty text fits only strings, lists and unions of them."""
    return codec(type).decode


def encoder(type: Simple) -> Encode:
    """From a value to its text, which is not yet escaped for XML."""
    return codec(type).encode


@lru_cache(maxsize=4096)
def codec(type: Simple) -> Codec:
    """Both directions, compiled together, and once however many elements and attributes are of the type."""
    return CODECS[type.kind](type)


def is_text(type: Simple) -> bool:
    """Whether decoding leaves every text as it is."""
    return type.kind == "string" and type.base not in SHAPES and type.facets == Facets(white_space="preserve")


# Types made of other types.

_TOKEN = Simple("string", "token")


def listed(simple: Simple) -> Codec:
    """Items between white space."""
    item = codec(simple.item or _TOKEN)

    def words(text: str) -> list[str]:
        return text.split(" ") if text else []

    def items(text: str) -> list[JSON]:
        return [one(item.decode, number, word) for number, word in enumerate(words(text), 1)]

    # JSON values compare as their own spelling: 1 is not true.
    measure = Measure(collapse, lambda text: repr(items(text)), lambda text: len(words(text)), "item")
    read = checked(collapse, checks(simple.facets, measure))

    def decode(text: str) -> JSON:
        return items(read(text))

    def encode(value: JSON) -> str:
        if not isinstance(value, list):
            raise must_be("an array", value)
        return read(
            " ".join([one(lambda it: word_of(item.encode(it)), number, it) for number, it in enumerate(value, 1)])
        )

    return Codec(decode, encode)


def one(convert: Callable[[Any], Any], number: int, value: Any) -> Any:
    """One item of a list; what is wrong with it is said with its place, the first being item 1."""
    try:
        return convert(value)
    except Unfit as error:
        raise Unfit(f"item {number} {error}") from error


def word_of(text: str) -> str:
    if not text or SPACES.search(text):
        raise Unfit("is empty or has white space, which is what stands between items")
    return text


def union(simple: Simple) -> Codec:
    """Whatever one of the members accepts; the first in order decides what a text is."""
    members = [codec(member) for member in narrowed(simple)]

    def decode(text: str) -> JSON:
        problems = []
        for member in members:
            try:
                return member.decode(text)
            except Unfit as error:
                problems.append(str(error))
        raise Unfit(together(problems))

    def encode(value: JSON) -> str:
        """The text that is read back as the very value; or, for a number, as what its type makes of it (1.5: "1.5")."""
        problems, second = [], None
        for member in members:
            try:
                text = member.encode(value)
            except Unfit as error:
                problems.append(str(error))
                continue
            back, own = decode(text), member.decode(text)
            if repr(back) == repr(value):
                return text
            if (
                second is None
                and repr(back) == repr(own)
                and (kind_of(own) == kind_of(value) or not isinstance(value, str))
            ):
                second = text
            problems.append(f"would be read back as {kind_of(back)}, another value")
        if second is None:
            raise Unfit(together(problems))
        return second

    return Codec(decode, encode)


def together(problems: list[str]) -> str:
    return ", and ".join(dict.fromkeys(problems)) or "is of a type that allows nothing"


def narrowed(simple: Simple) -> Iterator[Simple]:
    """The members of a union with the facets of the union added to their own, where that leaves anything."""
    for member in simple.members:
        facets = member.facets._replace(patterns=member.facets.patterns + simple.facets.patterns)
        fits = codec(member).decode
        if simple.facets.enumeration:
            facets = facets._replace(
                enumeration=tuple(text for text in simple.facets.enumeration if accepts(fits, text))
            )
        if facets.enumeration or not simple.facets.enumeration:
            yield member._replace(facets=facets)


def accepts(function: Callable[[Any], object], value: object) -> bool:
    try:
        function(value)
    except Unfit:
        return False
    return True


CODECS: dict[Kind, Callable[[Simple], Codec]] = {
    "string": string,
    "boolean": boolean,
    "integer": integer,
    "decimal": decimal,
    "float": floating,
    "dateTime": verbatim,
    "base64": base64,
    "hex": hexadecimal,
    "qname": verbatim,
    "verbatim": verbatim,
    "list": listed,
    "union": union,
}
