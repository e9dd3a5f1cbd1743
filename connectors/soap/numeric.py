"""Numbers and truth: numbers in JSON where every reader keeps them exact, strings of digits where not.

A pattern may want a number spelled in another way than ours ("007", "1.50", "+1"): its value is what counts in JSON, so
the other spellings are tried before it is refused.
"""

import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal

from connectors.soap.facets import Measure, checks, literals, matchers
from connectors.soap.fitting import JSON, SPACE, Check, Codec, Tidy, Unfit, must_be, preserve
from connectors.soap.lexical import shaped
from connectors.soap.plan import Facets, Simple


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

    def spelled(text: str) -> str:
        return str(decode(text))

    def encode(value: JSON) -> str:
        if type(value) is int and least <= value <= most:
            return str(value)
        number = within(whole_of(value))
        try:
            text = str(number)
        except ValueError as error:
            raise Unfit("has too many digits") from error
        return text if check is None else spell(text)

    return Codec(spelled if simple.form else decode, encode)


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


SHORTEST = "shortest"
"""The form of decimals that are to be compared: 12.50 is read as "12.5", as every other spelling of it."""
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

    def number(text: str) -> JSON:
        exact = Decimal(decode(text))
        return int(exact) if exact == exact.to_integral_value() and abs(exact) <= SAFE else float(exact)

    def shortest(text: str) -> str:
        whole, _, fraction = decode(text).partition(".")
        found = f"{whole.lstrip('-0') or '0'}.{fraction.rstrip('0')}".rstrip(".")
        return f"-{found}" if whole.startswith("-") and found != "0" else found

    def encode(value: JSON) -> str:
        if check is None and isinstance(value, str) and _decimal(value):
            return value
        return spell(_signed(value if isinstance(value, str) else decimal_of(value)).removeprefix("+"))

    return Codec({"": decode, SHORTEST: shortest}.get(simple.form, number), encode)


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
