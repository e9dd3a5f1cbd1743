"""Simple types: text in XML, values in JSON.

A type is compiled once into two functions. Each first tidies (white space, the lexical form of the kind), then checks
the facets on the tidy text, then gives the value. What a type does not ask for costs nothing: the closures differ.
Source: XML Schema Part 2; what a kind becomes in JSON is the project's own rule (numbers, exact decimals as strings).
"""

import math
import operator
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from connectors.soap.plan import Facets, Kind, Simple

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


def kind_of(value: JSON) -> str:
    """What a value is, for people."""
    words = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return words.get(value.__class__, "null")


def must_be(what: str, value: JSON) -> Unfit:
    return Unfit(f"must be {what}, not {kind_of(value)}")


# White space is XML's own four characters: Python's idea of it is wider.

SPACE = " \t\n\r"
_spaces = re.compile(f"[{SPACE}]+")
_replaced = str.maketrans("\t\n\r", "   ")
_removed = str.maketrans("", "", SPACE)
ILLEGAL = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
_illegal = re.compile(f"[{ILLEGAL}]").search


def preserve(text: str) -> str:
    return text


def replace(text: str) -> str:
    return text.translate(_replaced)


def collapse(text: str) -> str:
    text = text.strip(SPACE)
    if text.isprintable() and "  " not in text:
        return text  # nearly always, and much faster
    return _spaces.sub(" ", text)


WHITE_SPACE: dict[str, Tidy] = {"preserve": preserve, "replace": replace, "collapse": collapse}


# Facets: each becomes a check of the tidy text, or nothing.


class Measure(NamedTuple):
    """What the facets of a kind go by: its tidy text, what that is worth, and what its length counts."""

    tidy: Tidy
    value: Callable[[str], Any] = str
    size: Callable[[str], int] | None = len
    unit: str = "character"
    ordered: bool = False


def checks(facets: Facets, measure: Measure) -> Check | None:
    """All that the facets ask for, the most telling first; None if that is nothing."""
    found = [
        *enumeration_check(facets, measure),
        *length_check(facets, measure),
        *digit_checks(facets),
        *bound_checks(facets, measure),
        *pattern_checks(facets),
    ]
    if len(found) < 2:
        return found[0] if found else None

    def check(text: str) -> None:
        for one in found:
            one(text)

    return check


def literals(texts: tuple[str, ...], measure: Measure) -> Iterator[Any]:
    """What the literals of a facet are worth, without those that the type itself refuses: no value could equal them."""
    for text in texts:
        try:
            yield measure.value(measure.tidy(text))
        except Unfit:
            continue


def enumeration_check(facets: Facets, measure: Measure) -> Iterator[Check]:
    if not facets.enumeration:
        return
    allowed, value = frozenset(literals(facets.enumeration, measure)), measure.value
    words = f"is not one of {', '.join(facets.enumeration[:5])}{', ...' if len(facets.enumeration) > 5 else ''}"

    def check(text: str) -> None:
        if value(text) not in allowed:
            raise Unfit(words)

    yield check


def length_check(facets: Facets, measure: Measure) -> Iterator[Check]:
    exactly, size = facets.length, measure.size
    least = (facets.min_length or 0) if exactly is None else exactly
    most = (math.inf if facets.max_length is None else facets.max_length) if exactly is None else exactly
    if size is None or (least == 0 and most == math.inf):
        return
    too_few = limit("at least" if exactly is None else "exactly", least, "required")
    too_many = limit("at most" if exactly is None else "exactly", most, "allowed")

    def check(text: str) -> None:
        found = size(text)
        if not least <= found <= most:
            raise Unfit(f"has {count(found, measure.unit)}, {too_few if found < least else too_many}")

    yield check


def count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def limit(words: str, number: float, end: str) -> str:
    return f"{words} {number} {'is' if number == 1 else 'are'} {end}"


def digit_checks(facets: Facets) -> Iterator[Check]:
    """Digits are counted by value: zeros that lead or trail count for nothing."""
    if facets.total_digits is not None:
        yield digit_check(facets.total_digits, "digit", lambda whole, fraction: len(whole) + len(fraction))
    if facets.fraction_digits is not None:
        yield digit_check(facets.fraction_digits, "decimal place", lambda _, fraction: len(fraction))


def digit_check(most: int, unit: str, size: Callable[[str, str], int]) -> Check:
    def check(text: str) -> None:
        whole, _, fraction = text.lstrip("+-").partition(".")
        found = size(whole.lstrip("0"), fraction.rstrip("0"))
        if found > most:
            raise Unfit(f"has {count(found, unit)}, {limit('at most', most, 'allowed')}")

    return check


BOUNDS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("min_inclusive", operator.ge, "is less than"),
    ("max_inclusive", operator.le, "is more than"),
    ("min_exclusive", operator.gt, "is not more than"),
    ("max_exclusive", operator.lt, "is not less than"),
)


def bound_checks(facets: Facets, measure: Measure) -> Iterator[Check]:
    for name, holds, words in BOUNDS:
        literal: str | None = getattr(facets, name)
        if measure.ordered and literal is not None:
            for limit in literals((literal,), measure):
                yield bound_check(holds, limit, f"{words} {literal}", measure.value)


def bound_check(holds: Callable[[Any, Any], bool], limit: Any, words: str, value: Callable[[str], Any]) -> Check:
    def check(text: str) -> None:
        found = value(text)
        if isinstance(found, Moment) and found.zoned != limit.zoned:
            return  # which of the two comes first nobody can say
        if not holds(found, limit):
            raise Unfit(words)

    return check


def pattern_checks(facets: Facets) -> Iterator[Check]:
    for choices, matches in zip(facets.patterns, matchers(facets), strict=True):
        yield pattern_check(matches, choices[0])


def matchers(facets: Facets) -> list[Callable[[str], object]]:
    return [re.compile("|".join(f"(?:{choice})" for choice in choices)).fullmatch for choices in facets.patterns]


def pattern_check(matches: Callable[[str], object], shown: str) -> Check:
    words = f"does not match the pattern {shown}" if len(shown) <= 60 else "does not match its pattern"

    def check(text: str) -> None:
        if not matches(text):
            raise Unfit(words)

    return check


def checked(tidy: Tidy, check: Check | None) -> Tidy:
    """Tidies a text and sees that the facets allow it."""
    if check is None:
        return tidy

    def read(text: str) -> str:
        text = tidy(text)
        check(text)
        return text

    return read


# Lexical forms, by the local name of the built-in type.

_ZONE = "(?P<zone>Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_YEAR, _MONTH = "(?P<year>-?(?!0000)(?:[1-9][0-9]{4,8}|[0-9]{4}))", "(?P<month>0[1-9]|1[0-2])"
_DAY = "(?P<day>0[1-9]|[12][0-9]|3[01])"
_TIME = (
    r"(?:(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9](?:\.[0-9]{1,50})?)"
    r"|(?P<midnight>24:00:00(?:\.0{1,50})?))"
)
CALENDAR = {
    "dateTime": (re.compile(f"{_YEAR}-{_MONTH}-{_DAY}T{_TIME}{_ZONE}"), "a date and time (2024-02-29T12:30:00Z)"),
    "date": (re.compile(f"{_YEAR}-{_MONTH}-{_DAY}{_ZONE}"), "a date (2024-02-29)"),
    "time": (re.compile(f"{_TIME}{_ZONE}"), "a time of day (12:30:00)"),
    "gYear": (re.compile(f"{_YEAR}{_ZONE}"), "a year (2024)"),
    "gYearMonth": (re.compile(f"{_YEAR}-{_MONTH}{_ZONE}"), "a month of a year (2024-02)"),
    "gMonthDay": (re.compile(f"--{_MONTH}-{_DAY}{_ZONE}"), "a day of the year (--02-29)"),
    "gMonth": (re.compile(f"--{_MONTH}{_ZONE}"), "a month (--02)"),
    "gDay": (re.compile(f"---{_DAY}{_ZONE}"), "a day of the month (---29)"),
}
_FIRST = (
    ":A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_LATER = f"{_FIRST}0-9.\xb7\u0300-\u036f\u203f\u2040-"
_NAME = f"[{_FIRST[1:]}][{_LATER[1:]}]*"
_DURATION = (
    r"-?P(?=[0-9T])(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+D)?(?:T(?=[0-9])(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+(?:\.[0-9]+)?S)?)?"
)


def month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


_ORDINARY_DAY = "(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
"""Days that every month has: most of those that come. They are told apart for speed alone."""
_ORDINARY_TIME = "T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"


def calendar_fits(pattern: re.Pattern[str]) -> Callable[[str], object]:
    """Whether a text has the form, and its day exists. Where there is no year, it may be a leap year."""
    match, groups = pattern.fullmatch, pattern.groupindex
    if "day" not in groups or "month" not in groups:
        return match
    ordinary = re.compile(_ORDINARY_DAY + (_ORDINARY_TIME if "hour" in groups else "") + "Z?").fullmatch
    has_year = "year" in groups

    def fits(text: str) -> bool:
        if has_year and ordinary(text):
            return True
        found = match(text)
        if found is None:
            return False
        year = int(found["year"]) if has_year else 2000
        return found["day"] < "29" or int(found["day"]) <= month_length(year, int(found["month"]))

    return fits


class Moment(NamedTuple):
    """A point in time, in seconds from any beginning. One with a zone cannot be compared to one without."""

    zoned: bool
    seconds: Fraction


def moment_of(base: str) -> Callable[[str], Moment]:
    match = CALENDAR[base][0].fullmatch

    def moment(text: str) -> Moment:
        found = match(text)
        parts = {name: part for name, part in (found.groupdict() if found else {}).items() if part}
        year, month, day = (int(parts.get(name, start)) for name, start in (("year", 2000), ("month", 1), ("day", 1)))
        past = year - 1
        days = past * 365 + past // 4 - past // 100 + past // 400 + day + ("midnight" in parts)
        hours = 24 * (days + sum(month_length(year, before) for before in range(1, month))) + int(parts.get("hour", 0))
        seconds = 60 * (60 * hours + int(parts.get("minute", 0))) + Fraction(parts.get("second", 0))
        zone = parts.get("zone", "Z")
        if zone != "Z":
            offset = 60 * int(zone[1:3]) + int(zone[4:])
            seconds -= 60 * (offset if zone[0] == "+" else -offset)
        return Moment("zone" in parts, seconds)

    return moment


SHAPES: dict[str, tuple[Callable[[str], object], str]] = {
    **{base: (calendar_fits(pattern), what) for base, (pattern, what) in CALENDAR.items()},
    "duration": (re.compile(_DURATION).fullmatch, "a duration (P1DT12H)"),
    "qname": (re.compile(f"(?:{_NAME}:)?{_NAME}").fullmatch, "a qualified name"),
    "language": (re.compile("[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*").fullmatch, "a language (en-GB)"),
    "NMTOKEN": (re.compile(f"[{_LATER}]+").fullmatch, "a name token"),
    "Name": (re.compile(f"[{_FIRST}][{_LATER}]*").fullmatch, "a name"),
    **dict.fromkeys(("NCName", "ID", "IDREF", "ENTITY"), (re.compile(_NAME).fullmatch, "a name without colon")),
}


# The kinds that are text in JSON too.


def string(simple: Simple) -> Codec:
    """Text; it is sent as it is given, and judged as it will be read."""
    space = WHITE_SPACE[simple.facets.white_space]
    tidy = shaped(*SHAPES[simple.base], space) if simple.base in SHAPES else space
    read = checked(tidy, checks(simple.facets, Measure(tidy)))

    def encode(value: JSON) -> str:
        if not isinstance(value, str):
            raise must_be("a string", value)
        if not value.isprintable() and _illegal(value):
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


def shaped(fits: Callable[[str], object], what: str, space: Tidy = collapse) -> Tidy:
    def tidy(text: str) -> str:
        if not fits(text):
            text = space(text)
            if not fits(text):
                raise Unfit(f"is not {what}")
        return text

    return tidy


def verbatim(simple: Simple) -> Codec:
    """Dates and times, durations, names and whatever else is kept as it is spelled."""
    shape = simple.base if simple.base in SHAPES else simple.kind
    tidy = shaped(*SHAPES[shape]) if shape in SHAPES else plain_words
    if shape in CALENDAR:
        return textual(simple, Measure(tidy, moment_of(shape), ordered=True))
    return textual(simple, Measure(tidy, size=None if simple.kind == "qname" else len))


def plain_words(text: str) -> str:
    text = collapse(text)
    if not text:
        raise Unfit("is empty")
    if _illegal(text):
        raise Unfit("has a character that XML cannot carry")
    return text


def base64(simple: Simple) -> Codec:
    def tidy(text: str) -> str:
        try:
            octets = a2b_base64(text.translate(_removed), strict_mode=True)
        except ValueError as error:
            raise Unfit("is not base64") from error
        if not octets:
            raise Unfit("is empty")
        return b2a_base64(octets, newline=False).decode("ascii")

    return textual(simple, Measure(tidy, size=lambda text: len(text) // 4 * 3 - text.count("="), unit="octet"))


def hexadecimal(simple: Simple) -> Codec:
    tidy = shaped(re.compile("(?:[0-9a-fA-F]{2})+").fullmatch, "pairs of hexadecimal digits")
    return textual(simple, Measure(tidy, str.upper, lambda text: len(text) // 2, "octet"))


# Numbers and truth. A pattern may want a number spelled in another way than ours ("007", "1.50", "+1"): its value is
# what counts in JSON, so the other spellings are tried before it is refused.


def speller(facets: Facets, check: Check | None, others: Callable[[str], Iterator[str]]) -> Tidy:
    """The function that gives a value's text the spelling that its facets allow."""
    if check is None:
        return preserve

    def spell(text: str) -> str:
        check(text)
        return text

    matching = matchers(facets)

    def respell(text: str) -> str:
        try:
            check(text)
        except Unfit:
            for other in others(text):
                if all(matches(other) for matches in matching):
                    return spell(other)
            raise
        return text

    return respell if facets.patterns else spell


def other_numbers(text: str) -> Iterator[str]:
    """Other spellings of a number: without exponent, with up to 6 decimal places, up to 20 digits, or a plus sign."""
    if not text[-1].isdigit():
        return  # INF and NaN have one spelling
    fixed = format(Decimal(text), "f")
    sign = "-" if fixed.startswith("-") else ""
    whole, _, fraction = fixed.removeprefix("-").partition(".")
    fraction = fraction.rstrip("0")
    yield fixed
    for places in range(len(fraction), 7):
        yield f"{sign}{whole}.{fraction.ljust(places, '0')}" if places else f"{sign}{whole}"
    for width in range(len(whole) + 1, 21):
        yield f"{sign}{whole.zfill(width)}" + (f".{fraction}" if fraction else "")
    if not sign:
        yield f"+{fixed}"


TRUTH = {"true": True, "1": True, "false": False, "0": False}


def boolean(simple: Simple) -> Codec:
    def tidy(text: str) -> str:
        text = text.strip(SPACE)
        if text not in TRUTH:
            raise Unfit("is not true or false")
        return text

    check = checks(simple.facets, Measure(tidy, TRUTH.__getitem__, None))
    spell = speller(simple.facets, check, lambda text: iter("1" if text == "true" else "0"))

    def decode(text: str) -> bool:
        if text not in TRUTH or check is not None:
            text = tidy(text)
            if check is not None:
                check(text)
        return TRUTH[text]

    def encode(value: JSON) -> str:
        if value is True:
            return spell("true")
        if value is False:
            return spell("false")
        raise must_be("true or false", value)

    return Codec(decode, encode)


SAFE = 2**53
"""Whole numbers up to here are exact in every reader of JSON; beyond, they are strings of digits."""

RANGES: dict[str, tuple[float, float]] = {
    "byte": (-(2**7), 2**7 - 1),
    "short": (-(2**15), 2**15 - 1),
    "int": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
    "unsignedByte": (0, 2**8 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedLong": (0, 2**64 - 1),
    "nonNegativeInteger": (0, math.inf),
    "positiveInteger": (1, math.inf),
    "nonPositiveInteger": (-math.inf, 0),
    "negativeInteger": (-math.inf, -1),
}
_digits = shaped(re.compile("[+-]?[0-9]+").fullmatch, "a whole number")


def whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:  # Python reads some thousands of digits, no more
        raise Unfit("has too many digits") from error


def whole_range(simple: Simple) -> tuple[float, float]:
    """The least and the greatest whole number that the built-in type and the bounds allow (an infinity where none)."""
    (low, high), facets = RANGES.get(simple.base, (-math.inf, math.inf)), simple.facets
    measure = Measure(_digits, whole)
    for literal, step in ((facets.min_inclusive, 0), (facets.min_exclusive, 1)):
        low = max([low, *(limit + step for limit in literals((literal or "",), measure))])
    for literal, step in ((facets.max_inclusive, 0), (facets.max_exclusive, 1)):
        high = min([high, *(limit - step for limit in literals((literal or "",), measure))])
    return low, high


def integer(simple: Simple) -> Codec:
    low, high = whole_range(simple)
    check = checks(simple.facets, Measure(_digits, whole, None))
    spell = speller(simple.facets, check, other_numbers)
    # A number in here is surely allowed, and nothing else about it matters.
    least, most = (max(low, -SAFE), min(high, SAFE)) if check is None else (1, 0)

    def within(number: int) -> int:
        if not low <= number <= high:
            raise Unfit(f"is less than {low}" if number < low else f"is more than {high}")
        return number

    def decode(text: str) -> JSON:
        if len(text) < 17 and text.isdigit() and text.isascii() and least <= (number := int(text)) <= most:
            return number
        text = _digits(text)
        number = within(whole(text))
        if check is not None:
            check(text)
        return number if -SAFE <= number <= SAFE else str(number)

    def encode(value: JSON) -> str:
        if type(value) is int and least <= value <= most:
            return str(value)
        number = within(whole_of(value))
        try:
            text = str(number)
        except ValueError as error:
            raise Unfit("has too many digits") from error
        return text if check is None else spell(text)

    return Codec(decode, encode)


def whole_of(value: JSON) -> int:
    """The whole number that a value of JSON stands for."""
    match value:
        case bool():
            raise must_be("a whole number", value)
        case int():
            return value
        case float() if not value.is_integer():
            raise Unfit("is not a whole number")
        case float() if abs(value) > SAFE:
            raise Unfit("is too large to be exact as a number; a string of digits would be")
        case float():
            return int(value)
        case str():
            return whole(_digits(value))
    raise must_be("a whole number", value)


_decimal = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)").fullmatch
_signed = shaped(re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)").fullmatch, "a decimal number")


def decimal(simple: Simple) -> Codec:
    check = checks(simple.facets, Measure(_signed, Decimal, None, ordered=True))
    spell = speller(simple.facets, check, other_numbers)

    def decode(text: str) -> str:
        if check is None and _decimal(text):
            return text
        text = _signed(text)
        if check is not None:
            check(text)
        return text.removeprefix("+")

    def encode(value: JSON) -> str:
        if check is None and isinstance(value, str) and _decimal(value):
            return value
        return spell(_signed(value if isinstance(value, str) else decimal_of(value)).removeprefix("+"))

    return Codec(decode, encode)


def decimal_of(value: JSON) -> str:
    """The text of a number that is to be exact: a float is what it is written as."""
    if isinstance(value, float) and math.isfinite(value):
        return format(Decimal(repr(value)), "f")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(Decimal(value))
    raise must_be("a decimal number in a string", value)


FAR = {"INF": math.inf, "-INF": -math.inf, "NaN": math.nan}
_float = shaped(
    re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|-?INF|NaN").fullmatch, "a number"
)


def floating(simple: Simple) -> Codec:
    # `nan in {nan}` holds for one and the same object only, and XML Schema says that NaN equals itself.
    check = checks(
        simple.facets, Measure(_float, lambda text: FAR[text] if text in FAR else float(text), None, ordered=True)
    )
    spell = speller(simple.facets, check, other_numbers)

    def decode(text: str) -> JSON:
        text = _float(text)
        if check is not None:
            check(text)
        if text in FAR:
            return text
        number = float(text)
        return number if math.isfinite(number) else "INF" if number > 0 else "-INF"

    def encode(value: JSON) -> str:
        return spell(float_text(value))

    return Codec(decode, encode)


def float_text(value: JSON) -> str:
    if isinstance(value, str) and value in FAR:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            finite = math.isfinite(value)
        except OverflowError as error:
            raise Unfit("is too large") from error
        if finite:
            return repr(value)
    raise must_be("a number, or one of INF, -INF, NaN in a string", value)


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
    if not text or _spaces.search(text):
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
