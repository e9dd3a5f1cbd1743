"""Facets: each becomes a check of the tidy text, or nothing.

What a facet compares is decided by its type (`Measure`): digits by value, moments by time, base64 by octets.
"""

import math
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from connectors.soap.fitting import Check, Tidy, Unfit
from connectors.soap.lexical import Moment
from connectors.soap.plan import Facets


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
