"""Which members of an object must be there, and which exclude each other: a content model in JSON Schema's words.

What must be there whatever else is there goes into `required`. A choice becomes one document of oneOf, with a branch
for each of its ways (anyOf where an object can be two of them); an absent array is an empty one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from connectors.soap.content import ITEMS, Entry, Items, Model, Zip, is_many, key_of, may_be_absent
from connectors.soap.described import Document
from connectors.soap.plan import Field, Group, Particle, Wild

MOST_BRANCHES = 10
"""A choice of larger branches than one element is only told up to so many: each must name the members of all others."""


class Branch(NamedTuple):
    """One way of a choice: the members it may have, and how often those come at least that it must have."""

    keys: frozenset[str]
    needed: Mapping[str, int]


def presence(model: Model) -> tuple[dict[str, int], list[Document]]:
    """Which members must be there, and how often at least; and what choices ask for, one document each."""
    needed: dict[str, int] = {}
    rules: list[Document] = []
    if not any(isinstance(entry, Items) and entry.group is model.group for entry in model.entries):
        _presence(model.group, model, True, needed, rules)
    return needed, rules


def _presence(part: Particle, model: Model, must: bool, needed: dict[str, int], rules: list[Document]) -> None:
    must = must and part.least > 0
    if isinstance(part, Group) and len(part.parts) > 1 and part.kind == "choice" and not is_many(part):
        rules += _choice(part, model, must)
    elif isinstance(part, Group) and not is_many(part):
        for each in part.parts:
            _presence(each, model, must, needed, rules)
    elif must:
        for key, least in least_of(part).items():
            needed[key] = needed.get(key, 0) + least


def least_of(part: Particle) -> dict[str, int]:
    """How often at least the members come that an element, a wildcard or a repeated group is."""
    least: dict[str, int] = {}
    for entry in entries_of(part) if not may_be_absent(part) else ():
        match entry:
            case Zip(fields=fields):
                least |= {field.key: part.least for field in fields}
            case Field() | Wild():
                least[key_of(entry)] = entry.least
    return least


def entries_of(part: Particle) -> tuple[Entry, ...]:
    return Model(Group("sequence", (part,))).entries


def keys_of(entries: Iterable[Entry]) -> frozenset[str]:
    """The members that entries are written from."""
    keys: set[str] = set()
    for entry in entries:
        match entry:
            case Zip(fields=fields):
                keys.update(field.key for field in fields)
            case Items():
                keys.add(ITEMS)
            case _:
                keys.add(key_of(entry))
    return frozenset(keys)


def _choice(choice: Group, model: Model, must: bool) -> Iterator[Document]:
    """What a choice asks for; nothing where that would be too much to read."""
    branches = [_branch(part, model) for part in choice.parts]
    single = all(len(branch.keys) == 1 and branch.needed for branch in branches)
    if not single and len(branches) > MOST_BRANCHES:
        return
    every = frozenset[str]().union(*(branch.keys for branch in branches))
    found = [_way(branch, frozenset() if single else every - branch.keys, model) for branch in branches]
    if not must and all(branch.needed for branch in branches):
        branches.append(Branch(frozenset(), {}))
        found.append(_way(branches[-1], every, model))
    unique = [each for place, each in enumerate(found) if each not in found[:place]]
    yield {"oneOf" if exclude_each_other(branches) else "anyOf": unique}


def _branch(part: Particle, model: Model) -> Branch:
    needed: dict[str, int] = {}
    _presence(part, model, True, needed, [])
    return Branch(keys_of(entries_of(part)), needed)


def _way(branch: Branch, others: frozenset[str], model: Model) -> Document:
    """A branch: what it needs is there, and what only others have is not."""
    rules: dict[str, object] = {key: {"minItems": least} for key, least in branch.needed.items() if key in model.arrays}
    for key in sorted(others):
        rules[key] = {"maxItems": 0} if key in model.arrays else False
    return ({"required": list(branch.needed)} if branch.needed else {}) | ({"properties": rules} if rules else {})


def exclude_each_other(branches: list[Branch]) -> bool:
    """Whether no object can be two of the branches."""
    return not any(
        one.needed.keys() <= other.keys and other.needed.keys() <= one.keys
        for place, one in enumerate(branches)
        for other in branches[:place]
    )
