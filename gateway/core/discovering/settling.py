"""Places of words that turn out to be values become one place, and what was learned below them is added up.

From the leaves to the root, since values are recognised by how they go on; and once more below a place that has become
one, since more is known there than at any of its parts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from gateway.core.discovering.company import Company, weight
from gateway.core.discovering.looks import WORD, is_odd
from gateway.core.discovering.places import Node
from gateway.core.discovering.words import is_deed, is_fixed, is_plural

FEW = 50
"""Requests that one of many values may have had before the others were known."""
STEEPEST = 1.5
SLACK = 4
"""The use of values falls with their rank hardly ever faster than by this power of it (Zipf's law has 1), and lies no
more than so many times above that."""
Trait = str | bytes | None
"""How a word goes on: a method that was used there, a word behind it, or (None) a value behind it."""
Ways = Mapping[bytes, set[Trait]]


def settle(node: Node, sure: float = 0.0) -> None:
    """Make one place of the places of words that are values by more than `sure` bits, here and below."""
    for each in node.below():
        settle(each, sure)
    if join(node, sure) and node.one is not None:
        settle(node.one, sure)


def join(node: Node, sure: float) -> int:
    """Make one place of the places of words that are values, here alone; how many places that saves."""
    if len(node.words) < (2 if node.one is None else 1):
        return 0  # as at most places
    saved = 0
    ways = {word: traits(each, node.one) for word, each in node.words.items() if not is_fixed(word)}
    crowd = _crowd(node, ways)
    if crowd and weight(_company(node, crowd, ways)) > sure:
        node.looks.add(WORD)
        if node.one is None:
            node.one = Node(None)
            saved = -1
        saved += _take_in(node, node.one, crowd)
    if node.one is not None:
        rest = ways.keys() & node.words.keys()
        saved += _take_in(node, node.one, [word for word in rest if _is_stray(node, node.one, word)])
    return saved


def _take_in(node: Node, one: Node, words: Iterable[bytes]) -> int:
    return sum(one.absorb(node.words.pop(word)) for word in words)


def traits(node: Node, beside: Node | None = None) -> set[Trait]:
    """How a place goes on. Where words are values below the place `beside` it, words below this one are, too."""
    found: set[Trait] = {*node.calls, *node.words}
    if node.one is not None:
        found.add(None)
    if beside is not None and beside.is_open:
        return {None if isinstance(each, bytes) and not is_fixed(each) else each for each in found}
    return found


def _crowd(node: Node, ways: Ways) -> list[bytes]:
    """The words at a place that go on in no way of their own, and are not asked for much more than the rest of them.

    No endpoint is drowned in a flood of junk. What to expect follows from how many were asked for more than twice.
    """
    often = Counter(trait for each in ways.values() for trait in each)
    common = {trait for trait, times in often.items() if times > 1}
    if node.one is not None:
        common |= traits(node.one)
    words = sorted((word for word, each in ways.items() if each <= common), key=lambda word: -node.words[word].asked)
    asked = [node.words[word].asked for word in words]
    tail = sum(each > 2 for each in asked) + 1
    level = 2 if tail <= len(asked) else min(asked, default=0)
    bounds = (SLACK * level * max(1.0, tail / rank) ** STEEPEST for rank in range(1, len(asked) + 1))
    return [word for word, each, bound in zip(words, asked, bounds, strict=True) if each <= bound]


def _company(node: Node, crowd: list[bytes], ways: Ways) -> Company:
    count = len(crowd)
    asked = [node.words[word].asked for word in crowd]
    often = Counter(trait for word in crowd for trait in ways[word])
    following = {trait for trait, times in often.items() if isinstance(trait, bytes) and times > 1}
    following = {word for word in following if not is_fixed(word)}
    beside: Literal["nothing", "values", "words"] = (
        "nothing" if node.one is None else "words" if node.is_open else "values"
    )
    return Company(
        words=count,
        requests=sum(asked),
        rare=sum(each <= 2 for each in asked) / count,
        plural=sum(map(is_plural, crowd)) / count,
        deeds=sum(map(is_deed, crowd)) / count,
        odd=sum(is_odd(word.decode("latin-1")) for word in crowd) / count,
        followed=sum(not ways[word].isdisjoint(following) for word in crowd) / count,
        valued=often[None] / count,
        before=node.word,
        listed="GET" in node.calls,
        beside=beside,
    )


def _is_stray(node: Node, one: Node, word: bytes) -> bool:
    """Whether a word goes with the values that are known here, though words like it are too few to tell.

    It goes on as they do and is asked for as seldom as one of them; and where no words are values so far it looks odd.
    """
    place = node.words[word]
    if not traits(place, one) <= traits(one):
        return False
    if node.is_open:
        return place.asked <= FEW
    return place.asked <= max(2, one.asked // FEW) and is_odd(word.decode("latin-1"))
