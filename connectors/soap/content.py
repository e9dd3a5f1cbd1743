"""Content models: which elements may stand in a complex type, in which order, and how that looks in JSON.

A model becomes three things. A regular expression over one letter per element tells in one call whether a sequence
of elements fits. `entries` say in which order the members of a JSON object are written. And where order means something
that an object cannot say (a repeated choice), the elements stand in a list of one-member objects, `$items`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import chain, pairwise
from math import inf
from typing import NamedTuple

from connectors.soap.plan import Field, Group, Particle, Wild

ITEMS = "$items"
ANY = "$any"
_FIRST_LETTER = 0x4E00
_MANY = 2**31
"""No message has so many elements; regular expressions do not count further."""
WILD_LETTER = "*"
UNKNOWN_LETTER = "!"


class Zip(NamedTuple):
    """A repeated sequence whose members come exactly once each: arrays of the same length, written in turns."""

    fields: tuple[Field, ...]


class Items(NamedTuple):
    """A group whose order matters: its elements stand in `$items`."""

    group: Group


Entry = Field | Wild | Zip | Items


class Model:
    """A content model, taken apart. `group` is the outermost group of a complex type."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.keys = {field.name: field.key for field in fields_of(group)}
        self.letters = {name: chr(_FIRST_LETTER + number) for number, name in enumerate(self.keys)}
        self.wilds = tuple(each for each in leaves_of(group) if isinstance(each, Wild))
        self.entries = _entries(group)
        self.listed = frozenset(
            key for entry in self.entries if isinstance(entry, Items) for key in keys_in(entry.group)
        )
        self.most = {key: None if most == inf else int(most) for key, most in _most(group).items()}

    def is_many(self, key: str) -> bool:
        """Whether a member is an array: because its element, or a group around it, may come several times."""
        most = self.most[key]
        return most is None or most > 1

    @cached_property
    def arrays(self) -> tuple[str, ...]:
        """The members that are always there, if only as []."""
        many = (key for key in self.most if self.is_many(key) and key not in self.listed)
        return (*many, *([ITEMS] if self.listed else []))

    @cached_property
    def fits(self) -> Callable[[str], object]:
        """Tells (by truth) whether letters, in their order, fit the model.

        It never goes back on a part once it has matched, so that no schema makes it slow. Schemas that can be read in
        one way only, as they should (XML Schema Part 1, section 3.8.6), lose nothing by that; the others have `allows`.
        """
        return re.compile(self._pattern(self.group)).fullmatch

    def allows(self, letters: str) -> bool:
        """Whether letters fit, for any schema: what `fits` refuses deserves this second look, where it may be wrong."""
        return bool(self.fits(letters)) or (not self._is_sure and len(letters) in self._ends(self.group, {0}, letters))

    @cached_property
    def _is_sure(self) -> bool:
        """Whether `fits` is right for certain: each element has one place, and nobody has to count."""
        leaves = list(map(key_of, leaves_of(self.group)))
        return len(leaves) == len(set(leaves)) and not _counts(self.group)

    # -------------------------------------------------------------------------------------------- matching

    def _pattern(self, particle: Particle) -> str:
        times = _times(particle.least, particle.most)
        match particle:
            case Field(name=name):
                return f"{self.letters[name]}{times}{'+' if times else ''}"
            case Wild():
                return f"{re.escape(WILD_LETTER)}{times}{'+' if times else ''}"
            case Group(kind="choice", parts=parts):
                inner = self._one_of(parts)
            case Group(kind="sequence", parts=parts):
                inner = f"(?:{''.join(map(self._pattern, parts))})"
            case _:
                inner = f"(?:{self._any_order(particle)})"
        return f"(?>{inner}{times})" if times else inner

    def _one_of(self, parts: tuple[Particle, ...]) -> str:
        """The branches of a choice. One that may be nothing is taken only where an element of it follows."""
        if not parts:
            return "(?!)"
        certain = [self._pattern(part) for part in parts if not may_be_absent(part)]
        others = [part for part in parts if may_be_absent(part)]
        perhaps = [f"(?=[{self._letters(part)}]){self._pattern(part)}" for part in others if keys_in(part)]
        return f"(?>{'|'.join([*certain, *perhaps, *([''] if others else [])])})"

    def _letters(self, particle: Particle) -> str:
        """The letters of all elements in a particle, as in a set of characters."""
        leaves = leaves_of(particle)
        return "".join(self.letters[leaf.name] if isinstance(leaf, Field) else WILD_LETTER for leaf in leaves)

    def _any_order(self, group: Group) -> str:
        """Each part once, in any order: nothing twice, nothing missing. It is all that a type has, if it has one."""
        sets = [(f"[{self._letters(part)}]", part) for part in group.parts]
        none_twice = "".join(f"(?!.*{letters}.*{letters})" for letters, part in sets if part.most == 1)
        all_there = "".join(f"(?=.*{letters})" for letters, part in sets if not may_be_absent(part))
        return f"{none_twice}{all_there}[{''.join(letters[1:-1] for letters, _ in sets)}]*+"

    def _ends(self, particle: Particle, starts: set[int], letters: str) -> set[int]:
        """Where a particle that begins at one of these places may end: every way it can be read, side by side."""
        least = 0 if may_be_absent(particle) else particle.least
        found = set(starts) if least == 0 else set()
        times, most = 0, inf if particle.most is None else particle.most
        while starts and times < most:
            starts, times = self._ends_once(particle, starts, letters), times + 1
            if times >= least:
                starts -= found
                found |= starts
        return found

    def _ends_once(self, particle: Particle, starts: set[int], letters: str) -> set[int]:
        match particle:
            case Field(name=name):
                return {start + 1 for start in starts if letters.startswith(self.letters[name], start)}
            case Wild():
                return {start + 1 for start in starts if letters.startswith(WILD_LETTER, start)}
            case Group(kind="choice", parts=parts):
                return {end for part in parts for end in self._ends(part, starts, letters)}
            case Group(kind="sequence", parts=parts):
                for part in parts:
                    starts = self._ends(part, starts, letters)
                return set(starts)
            case _:
                match_here = re.compile(self._any_order(particle)).match
                return {found.end() for start in starts if (found := match_here(letters, start))}


def _times(least: int, most: int | None) -> str:
    least, most = min(least, _MANY), most if most is None or most < _MANY else None
    match least, most:
        case 1, 1:
            return ""
        case 0, 1:
            return "?"
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case _, None:
            return f"{{{least},}}"
        case _:
            return f"{{{least},{most}}}"


# ------------------------------------------------------------------------------------------------ what is in a model


def leaves_of(particle: Particle) -> Iterator[Field | Wild]:
    """All elements and wildcards, in their order."""
    if isinstance(particle, Group):
        for part in particle.parts:
            yield from leaves_of(part)
    else:
        yield particle


def fields_of(particle: Particle) -> Iterator[Field]:
    """All elements that are named."""
    return (each for each in leaves_of(particle) if isinstance(each, Field))


def key_of(leaf: Field | Wild) -> str:
    return leaf.key if isinstance(leaf, Field) else ANY


def keys_in(particle: Particle) -> frozenset[str]:
    return frozenset(map(key_of, leaves_of(particle)))


def is_many(particle: Particle) -> bool:
    """Whether a particle may come several times by itself."""
    return particle.most is None or particle.most > 1


def _counts(particle: Particle) -> bool:
    """Whether anything in it has to be counted: what comes neither once at most nor any number of times."""
    inner = any(map(_counts, particle.parts)) if isinstance(particle, Group) else False
    return inner or particle.least > 1 or particle.most not in (1, None)


def may_be_absent(particle: Particle) -> bool:
    """Whether nothing at all fits a particle."""
    if particle.least == 0:
        return True
    if not isinstance(particle, Group):
        return False
    judge = any if particle.kind == "choice" else all
    return judge(map(may_be_absent, particle.parts))


def _most(particle: Particle) -> dict[str, float]:
    """How many elements of each key may come at most."""
    most = inf if particle.most is None else particle.most
    if isinstance(particle, Wild):
        return {}
    if isinstance(particle, Field):
        return {particle.key: most}
    counts: dict[str, float] = {}
    for part in particle.parts:
        for key, count in _most(part).items():
            before = counts.get(key, 0)
            counts[key] = max(before, count) if particle.kind == "choice" else before + count
    return {key: count * most for key, count in counts.items()}


# ------------------------------------------------------------------------------------------------ the order of members


class _Ordered(Exception):
    """The order of these elements cannot be told from an object."""


def _entries(group: Group) -> tuple[Entry, ...]:
    """In which order members are written; the whole group as `$items` where an object cannot say it."""
    try:
        entries = tuple(_written(group))
        _check(entries)
    except _Ordered:
        return (Items(group),)
    return entries


def _written(particle: Particle) -> list[Entry]:
    if not isinstance(particle, Group):
        return [particle]
    if is_many(particle):
        return [_repeated(particle)]
    branches = [_written(part) for part in particle.parts]
    return _merged(branches) if particle.kind == "choice" else _joined(chain.from_iterable(branches))


def _repeated(group: Group) -> Entry:
    """What a group that comes several times is in JSON."""
    leaves = list(leaves_of(group))
    if len(set(map(key_of, leaves))) == 1:
        return leaves[0]
    fields = [part for part in group.parts if isinstance(part, Field) and (part.least, part.most) == (1, 1)]
    if group.kind == "sequence" and len(group.parts) == len(fields) == len({field.key for field in fields}):
        return Zip(tuple(fields))
    return Items(group)


def _joined(entries: Iterable[Entry]) -> list[Entry]:
    """A sequence: what comes again at once has still one place (and is an array)."""
    joined: list[Entry] = []
    for entry in entries:
        if joined and _keys(joined[-1]) == _keys(entry):
            joined[-1] = _either(joined[-1], entry, "sequence")
        else:
            joined.append(entry)
    return joined


def _merged(branches: Collection[list[Entry]]) -> list[Entry]:
    """The branches of a choice in one order: a member of several branches has to have one place that suits all."""
    known: dict[frozenset[str], Entry] = {}
    order: TopologicalSorter[frozenset[str]] = TopologicalSorter()
    for branch in branches:
        for entry in branch:
            keys = _keys(entry)
            known[keys] = _either(known[keys], entry, "choice") if keys in known else entry
            order.add(keys)
        for before, after in pairwise(branch):
            order.add(_keys(after), _keys(before))
    try:
        return [known[keys] for keys in order.static_order()]
    except CycleError as error:
        raise _Ordered from error


def _either(one: Entry, other: Entry, kind: str) -> Entry:
    """Two entries of the same members as one."""
    if isinstance(one, Items) and isinstance(other, Items):
        return Items(Group("choice" if kind == "choice" else "sequence", (one.group, other.group)))
    return one


def _keys(entry: Entry) -> frozenset[str]:
    match entry:
        case Zip(fields=fields):
            return frozenset(field.key for field in fields)
        case Items():
            return frozenset({ITEMS})
        case _:
            return frozenset({key_of(entry)})


def _check(entries: tuple[Entry, ...]) -> None:
    """Raise unless each key is written in one place, and no element stands both inside and outside `$items`."""
    seen: set[str] = set()
    inside = {key for entry in entries if isinstance(entry, Items) for key in keys_in(entry.group)}
    for entry in entries:
        keys = _keys(entry)
        if keys & (seen | inside):
            raise _Ordered
        seen |= keys
