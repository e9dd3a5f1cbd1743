"""Which items of two lists belong together, so that one item too many does not make all later ones differ.

Items are told apart by a token. Best is a member that identifies them, named by a rule or found: a text or a whole
number that is different in every item of a list, and mostly the same in both lists. It holds where each item has noise
of its own. Without one, whole items are the tokens.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any, NamedTuple

from gateway.core.comparing.values import ABSENT, SCALARS, canonical, number

MOST_WORK = 40_000
"""The most pairs of items that a search for the longest common part looks at; larger lists are paired by position."""
MOST_MEMBERS = 12
_IDENTIFYING = SCALARS - {float, bool, type(None)}

Items = Sequence[Any]
Tokens = Sequence[Hashable]


class Reading(NamedTuple):
    """How items are read under rules: the token of an item of legacy, of one of new, and the members without a rule.

    What a rule lets pass, or a value table changes, cannot tell items apart.
    """

    legacy: Callable[[Any], Hashable]
    new: Callable[[Any], Hashable]
    tells: Callable[[str], bool]


class Alignment(NamedTuple):
    """Pairs of items (the index in either list), those without a partner, and whether partners stand in other order."""

    pairs: tuple[tuple[int, int], ...]
    missing: tuple[int, ...] = ()
    extra: tuple[int, ...] = ()
    moved: bool = False


def ordered(old: Items, new: Items, reading: Reading) -> Alignment:
    """Items of two lists whose order counts."""
    by_position = Alignment(tuple((index, index) for index in range(len(old))))
    if len(old) == len(new) == 1:
        return by_position
    member = identifying(old, new, reading)
    if member is not None:
        values, others = [each[member] for each in old], [each[member] for each in new]
        return by_position if values == others else _ranked(_matched(values, others))
    before, after = [reading.legacy(each) for each in old], [reading.new(each) for each in new]
    if len(old) != len(new):
        return _longest_common(before, after)
    return _matched(before, after) if Counter(before) == Counter(after) else by_position


def by_member(old: Items, new: Items, member: str, reading: Reading) -> Alignment:
    """Items of two lists without order, told apart by a member; an item without it, by all of it."""

    def identity(item: Any, token: Callable[[Any], Hashable]) -> Hashable:
        value = item.get(member, ABSENT) if isinstance(item, dict) else ABSENT
        return value if value.__class__ in _IDENTIFYING else token(item)

    before, after = [identity(each, reading.legacy) for each in old], [identity(each, reading.new) for each in new]
    return _matched(before, after)._replace(moved=False)


def as_multisets(old: Items, new: Items, reading: Reading) -> Alignment:
    """Items of two lists without order: those that something identifies; of the rest, equal ones; then by rank."""
    member = identifying(old, new, reading)
    if member is None:
        known = Alignment((), tuple(range(len(old))), tuple(range(len(new))))
    else:
        known = _matched([each[member] for each in old], [each[member] for each in new])
    left = sorted(known.missing, key=lambda index: _rank(old[index]))
    right = sorted(known.extra, key=lambda index: _rank(new[index]))
    rest = _ranked(_matched([reading.legacy(old[each]) for each in left], [reading.new(new[each]) for each in right]))
    return Alignment(
        (*known.pairs, *((left[one], right[other]) for one, other in rest.pairs)),
        tuple(left[index] for index in rest.missing),
        tuple(right[index] for index in rest.extra),
    )


def _rank(item: Any) -> tuple[Decimal, bytes]:
    """An order in which numbers that a tolerance takes for the same stand in the same places of both lists."""
    return number(item) or Decimal(0), canonical(item)


def identifying(old: Items, new: Items, reading: Reading) -> str | None:
    """The member that tells items of both lists apart; None where there is none."""
    if not old or not new or not all(isinstance(each, dict) for items in (old, new) for each in items):
        return None
    best, most = None, (0, -1)
    for member in filter(reading.tells, list(old[0])[:MOST_MEMBERS]):
        before, after = _values(old, member), _values(new, member)
        if before is None or after is None:
            continue
        common = len(before.keys() & after.keys())
        in_place = sum(1 for value, index in before.items() if after.get(value) == index)
        if 2 * common >= min(len(old), len(new)) and (common, in_place) > most:
            best, most = member, (common, in_place)
        if in_place == len(old) == len(new):
            break
    return best


def _values(items: Items, member: str) -> dict[Any, int] | None:
    """Each item's value of a member, and its index; None unless they can tell the items apart."""
    found: dict[Any, int] = {}
    for index, item in enumerate(items):
        value = item.get(member)
        if value.__class__ not in _IDENTIFYING or value in found:
            return None
        found[value] = index
    return found


def _matched(old: Tokens, new: Tokens) -> Alignment:
    """Equal tokens, the first with the first; `moved` unless all partners stand in one order."""
    following: dict[Hashable, int] = {}  # the first index of a token, and behind each index the next of the same token
    after = [-1] * len(new)
    for index in range(len(new) - 1, -1, -1):
        after[index] = following.get(new[index], -1)
        following[new[index]] = index
    pairs, missing, extra = [], [], set(range(len(new)))
    for index, token in enumerate(old):
        partner = following.get(token, -1)
        if partner < 0:
            missing.append(index)
        else:
            following[token] = after[partner]
            pairs.append((index, partner))
            extra.discard(partner)
    places = [other for _, other in pairs]
    return Alignment(tuple(pairs), tuple(missing), tuple(sorted(extra)), places != sorted(places))


def _ranked(found: Alignment) -> Alignment:
    """Items left over on both sides are taken for changed ones: the first for the first."""
    count = min(len(found.missing), len(found.extra))
    changed = zip(found.missing, found.extra, strict=False)
    pairs = (*found.pairs, *changed)
    return Alignment(pairs, found.missing[count:], found.extra[count:], found.moved)


def _longest_common(old: Tokens, new: Tokens) -> Alignment:
    """Items that both lists have in the same order; what stands between them is paired by position."""
    start = _common(old, new)
    stop = _common(old[start:][::-1], new[start:][::-1])
    pairs = [(index, index) for index in range(start)]
    pairs += [(len(old) - index, len(new) - index) for index in range(stop, 0, -1)]
    missing: list[int] = []
    extra: list[int] = []
    for begin, end, new_begin, new_end in _blocks(old[start : len(old) - stop], new[start : len(new) - stop]):
        count = min(end - begin, new_end - new_begin)
        pairs += [(start + begin + index, start + new_begin + index) for index in range(count)]
        missing += range(start + begin + count, start + end)
        extra += range(start + new_begin + count, start + new_end)
    return Alignment(tuple(pairs), tuple(missing), tuple(extra))


def _common(old: Tokens, new: Tokens) -> int:
    """How many tokens are the same from the beginning on."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def _blocks(old: Tokens, new: Tokens) -> list[tuple[int, int, int, int]]:
    """Where items of the one list stand for items of the other: the bounds in either."""
    if len(old) * len(new) > MOST_WORK:
        return [(0, len(old), 0, len(new))]
    return [each[1:] for each in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()]
