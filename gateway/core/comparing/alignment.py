"""Which items of two lists belong together, so that one item too many does not make all later ones differ.

Items are told apart by a token. Best is a member that identifies them, named by a rule or found: a text or a whole
number that is different in every item of a list, and mostly the same in both lists. It holds where each item has noise
of its own. Without one, whole items are the tokens.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any, NamedTuple

from gateway.core.comparing.values import ABSENT, SCALARS

MOST_WORK = 250_000
"""The most pairs of items that a search for the longest common part looks at; larger lists are paired by position."""
MOST_MEMBERS = 12
_IDENTIFYING = SCALARS - {float, bool, type(None)}

Items = Sequence[Any]
Tokens = Sequence[Hashable]
Token = Callable[[Any], Hashable]
TokenPair = tuple[Token, Token]
"""The token of an item of the one list, and of the other: rules may read their values differently."""


class Alignment(NamedTuple):
    """Pairs of items (the index in either list), those without a partner, and whether partners stand in other order."""

    pairs: tuple[tuple[int, int], ...]
    missing: tuple[int, ...] = ()
    extra: tuple[int, ...] = ()
    moved: bool = False


def ordered(old: Items, new: Items, token: Token) -> Alignment:
    """Items of two lists whose order counts."""
    if len(old) == len(new) == 1:
        return Alignment(((0, 0),))
    member = identifying(old, new)
    if member is not None:
        return _ranked(_matched([each[member] for each in old], [each[member] for each in new]))
    before, after = [token(each) for each in old], [token(each) for each in new]
    if len(old) == len(new):
        if Counter(before) == Counter(after):
            return _matched(before, after)
        return Alignment(tuple((index, index) for index in range(len(old))))
    return _longest_common(before, after)


def by_member(old: Items, new: Items, member: str, tokens: TokenPair) -> Alignment:
    """Items of two lists without order, told apart by a member; an item without it, by all of it."""

    def identity(item: Any, token: Token) -> Hashable:
        value = item.get(member, ABSENT) if isinstance(item, dict) else ABSENT
        return value if value.__class__ in _IDENTIFYING else token(item)

    before, after = [identity(each, tokens[0]) for each in old], [identity(each, tokens[1]) for each in new]
    return _matched(before, after)._replace(moved=False)


def as_multisets(old: Items, new: Items, tokens: TokenPair) -> Alignment:
    """Items of two lists without order: equal ones; of the rest, those that something identifies; then by rank."""
    equal = _matched([tokens[0](each) for each in old], [tokens[1](each) for each in new])
    rest_old, rest_new = [old[index] for index in equal.missing], [new[index] for index in equal.extra]
    member = identifying(rest_old, rest_new)
    if member is None:
        rest = Alignment((), tuple(range(len(rest_old))), tuple(range(len(rest_new))))
    else:
        rest = _matched([each[member] for each in rest_old], [each[member] for each in rest_new])
    rest = _ranked(rest)
    return Alignment(
        (*equal.pairs, *((equal.missing[one], equal.extra[other]) for one, other in rest.pairs)),
        tuple(equal.missing[index] for index in rest.missing),
        tuple(equal.extra[index] for index in rest.extra),
    )


def identifying(old: Items, new: Items) -> str | None:
    """The member that tells items of both lists apart; None where there is none."""
    if not old or not new or not all(isinstance(each, dict) for items in (old, new) for each in items):
        return None
    best, most = None, (0, -1)
    for member in list(old[0])[:MOST_MEMBERS]:
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
    waiting: dict[Hashable, deque[int]] = defaultdict(deque)
    for index, token in enumerate(new):
        waiting[token].append(index)
    pairs, missing = [], []
    for index, token in enumerate(old):
        if partners := waiting.get(token):
            pairs.append((index, partners.popleft()))
        else:
            missing.append(index)
    extra = sorted(index for partners in waiting.values() for index in partners)
    places = [other for _, other in pairs]
    return Alignment(tuple(pairs), tuple(missing), tuple(extra), places != sorted(places))


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
