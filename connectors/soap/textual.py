"""The kinds that are text in JSON too: strings, dates and names as they are spelled, base64 and hexadecimal."""

import re
from binascii import a2b_base64, b2a_base64

from connectors.soap.facets import Measure, checked, checks
from connectors.soap.fitting import JSON, WHITE_SPACE, WITHOUT_SPACE, Codec, Unfit, collapse, illegal, must_be
from connectors.soap.lexical import CALENDAR, SHAPES, moment_of, shaped
from connectors.soap.marks import SWA_REF, reference
from connectors.soap.plan import Simple
from connectors.soap.zones import zoned


def string(simple: Simple) -> Codec:
    """Text; it is sent as it is given, and judged as it will be read."""
    space = WHITE_SPACE[simple.facets.white_space]
    tidy = shaped(*SHAPES[simple.base], space) if simple.base in SHAPES else space
    read = checked(tidy, checks(simple.facets, Measure(tidy)))

    def encode(value: JSON) -> str:
        if not isinstance(value, str):
            raise must_be("a string", value)
        if not value.isprintable() and illegal(value):
            raise Unfit("has a character that XML cannot carry")
        if read is not space:
            read(value)
        return value

    return Codec(read, encode)


def textual(simple: Simple, measure: Measure) -> Codec:
    """A kind whose value in JSON is its tidy text."""
    decode = checked(measure.tidy, checks(simple.facets, measure))

    def encode(value: JSON) -> str:
        if not isinstance(value, str):
            raise must_be("a string", value)
        return decode(value)

    return Codec(decode, encode)


def verbatim(simple: Simple) -> Codec:
    """Dates and times, durations, names and whatever else is kept as it is spelled."""
    shape = simple.base if simple.base in SHAPES else simple.kind
    tidy = shaped(*SHAPES[shape]) if shape in SHAPES else plain_words
    if shape in CALENDAR:
        plain = textual(simple, Measure(tidy, moment_of(shape), ordered=True))
        return zoned(plain, simple.form) if simple.form else plain
    made = textual(simple, Measure(tidy, size=None if simple.kind == "qname" else len))
    return reference(made) if simple.name == SWA_REF else made


def plain_words(text: str) -> str:
    text = collapse(text)
    if not text:
        raise Unfit("is empty")
    if illegal(text):
        raise Unfit("has a character that XML cannot carry")
    return text


def base64(simple: Simple) -> Codec:
    def tidy(text: str) -> str:
        try:
            octets = a2b_base64(text.translate(WITHOUT_SPACE), strict_mode=True)
        except ValueError as error:
            raise Unfit("is not base64") from error
        if not octets:
            raise Unfit("is empty")
        return b2a_base64(octets, newline=False).decode("ascii")

    return textual(simple, Measure(tidy, size=lambda text: len(text) // 4 * 3 - text.count("="), unit="octet"))


def hexadecimal(simple: Simple) -> Codec:
    tidy = shaped(re.compile("(?:[0-9a-fA-F]{2})+").fullmatch, "pairs of hexadecimal digits")
    return textual(simple, Measure(tidy, str.upper, lambda text: len(text) // 2, "octet"))
