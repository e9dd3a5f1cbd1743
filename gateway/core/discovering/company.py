"""Whether words at one place of a path are values after all: surnames, slugs, names of streets.

A word is known by the company it keeps. Values of one parameter go on in the same ways, new ones keep coming, and they
follow the name of a collection; words for different things go on in ways of their own, and all of them are soon known.
No number decides alone: each rule below speaks for values or against them, in bits, and the sum counts.
"""

from collections.abc import Callable
from math import log, log2
from typing import Literal, NamedTuple

from gateway.core.discovering.words import is_by, is_general, is_plural, is_program


class Company(NamedTuple):
    """Words at one place that go on in the same ways: how many, and how often they were asked for in all.

    Shares, 0 to 1: `rare` of those asked for twice at most; `plural`, `deeds` and `odd` of those that are; `followed`
    of those followed by a word that follows others, too; `valued` of those followed by a value. `before` is the word
    before them (None: a value), `listed` tells whether that place is read itself. `beside` is what else stands here:
    nothing, values that look like values, or words that were found to be values.
    """

    words: int
    requests: int
    rare: float
    plural: float
    deeds: float
    odd: float
    followed: float
    valued: float
    before: bytes | None
    listed: bool
    beside: Literal["nothing", "values", "words"]


MANY, DOZEN = 8, 12
"""So many words speak neither for values nor against them; so many names, and hardly more, are designed for a place."""
NEVER = -1000.0
MATURE = 20
"""Requests per word, after which names that were designed have been seen more than twice."""


def number(company: Company) -> float:
    """The more there are, the less likely is it that somebody designed each of them."""
    return 3 * log2(company.words / MANY)


def novelty(company: Company) -> float:
    """New values keep coming: fewer come again than if there were only a dozen. Designed names are all known at last.

    The former is a likelihood ratio, with the number of those that came again taken as Poisson's.
    """
    if company.requests > MATURE * company.words and company.rare < 0.05:
        return 3 * (company.followed - 1)
    again = company.requests - company.words
    expected = company.requests - DOZEN * (1 - (1 - 1 / DOZEN) ** company.requests)
    if again >= expected:
        return 0.0
    return min(6.0, (expected - again + again * log(max(again, 1) / expected)) / log(2))


def continuation(company: Company) -> float:
    """A value is followed by what can be asked about it; a collection by a value."""
    return 4 * (company.followed - company.valued)


def position(company: Company) -> float:
    """Values follow the name of a collection. After a value stand names of what it has, at the top those of services.

    At the top not even a flood of junk makes a parameter.
    """
    before = company.before
    if before is None:
        return -5.0
    if is_general(before):
        return -6.0 if company.followed > 0.5 else NEVER
    if is_by(before):
        return 3.0
    if is_program(before):
        return -6.0
    return 1.5 * is_plural(before) + 0.5 * company.listed


def plurals(company: Company) -> float:
    """Collections are named in the plural, and most values are not."""
    return -6 * max(0.0, company.plural - 0.4)


def deeds(company: Company) -> float:
    """What begins with a verb is an operation, a form or a page of its own."""
    return -20 * max(0.0, company.deeds - 0.3)


def oddity(company: Company) -> float:
    """Figures and many hyphens are unusual in names that somebody chose."""
    return 3 * company.odd


def precedent(company: Company) -> float:
    """Where words are values others are, too; beside identifiers a word most likely says what is done with them all."""
    return {"nothing": -3.0, "values": -6.0, "words": 2.0}[company.beside]


Rule = Callable[[Company], float]
RULES: dict[str, Rule] = {
    "number": number,
    "novelty": novelty,
    "continuation": continuation,
    "position": position,
    "plurals": plurals,
    "deeds": deeds,
    "oddity": oddity,
    "precedent": precedent,
}


def weight(company: Company) -> float:
    """How much speaks for these words being values (positive) or not, in bits."""
    return sum(rule(company) for rule in RULES.values())
