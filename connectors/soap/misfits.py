"""Why elements do not fit their content model, in words for people.

Matching only tells that they do not. The reasons come from counting: what is missing, what comes too often, what
excludes what. Where the counts are right, it must be the order.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from connectors.soap.content import ANY, ITEMS, Model, is_many, key_of, keys_in, may_be_absent
from connectors.soap.plan import Field, Group, Particle, Wild
from connectors.soap.problems import At, object_to

Counts = Mapping[str, int]
_MOST_NAMES = 8


class Misfit(NamedTuple):
    """A reason, and the key of the member it is about ("" for the whole)."""

    key: str
    reason: str


def object_to_misfits(model: Model, letters: str, at: At | None) -> None:
    """Note why these letters do not fit a model, if after a second look they do not. Raises Broken."""
    if model.allows(letters):
        return
    if at is None:
        object_to(at, "the elements do not fit")
    if at is None or at.is_full:
        return
    told = {problem.pointer for problem in at.problems}
    keys = {letter: model.keys[name] for name, letter in model.letters.items()}
    for key, reason in misfits(model.group, Counter(keys.get(letter, ANY) for letter in letters)):
        where = at if not key else at[ITEMS] if key in model.listed else at[key]
        if where.pointer not in told and (key or not any(each.startswith(f"{at.pointer}/") for each in told)):
            where.problem(f"{key} {reason}" if key in model.listed else reason)


def misfits(group: Group, counts: Counts) -> list[Misfit]:
    """Every reason, given how many elements there are of each key."""
    found = list(_judged(group, counts))
    return found or [Misfit("", "has elements in an order that the schema does not allow")]


def _judged(particle: Particle, counts: Counts) -> Iterator[Misfit]:
    match particle:
        case Field() | Wild():
            yield from _counted(particle, counts.get(key_of(particle), 0))
        case Group(kind="choice"):
            yield from _judged_choice(particle, counts)
        case _:
            if particle.least or _present(particle, counts):
                yield from _judged_parts(particle, counts)


def _judged_parts(group: Group, counts: Counts) -> Iterator[Misfit]:
    """All parts of a sequence. Where an element has several places in it, its number says nothing of any of them."""
    places = Counter(key for part in group.parts for key in keys_in(part))
    for part in group.parts:
        several = is_many(group) and not isinstance(part, Group)
        found = _judged(part._replace(most=None) if several else part, counts)
        yield from (each for each in found if places[each.key] < 2)


def _judged_choice(choice: Group, counts: Counts) -> Iterator[Misfit]:
    present = _present(choice, counts)
    if not present:
        if not may_be_absent(choice):
            names = list(dict.fromkeys(name for part in choice.parts for name in _openings(part)))
            more = " ..." if len(names) > _MOST_NAMES else ""
            yield Misfit("", f"needs one of {', '.join(names[:_MOST_NAMES])}{more}")
    elif not is_many(choice):
        candidates = [part for part in choice.parts if present <= keys_in(part)]
        if candidates:
            yield from min((list(_judged(part, counts)) for part in candidates), key=len)
        else:
            first = next(keys_in(part) & present for part in choice.parts if keys_in(part) & present)
            second = min(present - first)
            yield Misfit(second, f"excludes {min(first)}: only one of them may come")


def _counted(leaf: Field | Wild, count: int) -> Iterator[Misfit]:
    if count < leaf.least:
        reason = "is missing" if not count else f"comes {count} times, at least {leaf.least} are needed"
        yield Misfit(key_of(leaf), reason)
    elif leaf.most is not None and count > leaf.most:
        yield Misfit(key_of(leaf), f"comes {count} times, at most {leaf.most} are allowed")


def _present(particle: Particle, counts: Counts) -> frozenset[str]:
    """The keys of a particle that there are elements of."""
    return frozenset(key for key in keys_in(particle) if counts.get(key))


def _openings(particle: Particle) -> Iterator[str]:
    """The elements by which a branch of a choice is known that has to have some: the first of those."""
    if not isinstance(particle, Group):
        yield key_of(particle)
    elif particle.kind == "choice":
        for part in particle.parts:
            yield from _openings(part)
    else:
        yield from _openings(next(part for part in particle.parts if not may_be_absent(part)))
