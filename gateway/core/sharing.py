"""How several gateways on one store share what a backend can bear: each uses one of so many equal parts of every bound.

What a gateway uses is written in the store: a smaller part is taken first and told afterwards, a larger one is told
first and taken afterwards. So the parts that are written, and those that are used, never add up to more than one whole,
whoever comes, goes, or dies.
"""

from collections.abc import Iterable
from typing import NamedTuple

NOTHING = 0
"""The number of parts of one that uses none of them."""
LASTS = 300.0
"""Seconds for which a part may be used after it was renewed last. A store may be away for so long; and what a gateway
used that died stays unused for so long."""


class Wanted(NamedTuple):
    """Of how many parts a gateway may use one from now on (`parts`; NOTHING: it may use none yet), and of how many it
    is to use one as soon as it can (`next`): that may be a smaller part."""

    parts: int
    next: int


def wanted(parts: int, others: Iterable[int]) -> Wanted:
    """What a gateway may use that uses one of `parts` now, beside others that each use one of so many."""
    theirs = tuple(others)
    count = len(theirs) + 1
    if NOTHING < parts < count:
        return Wanted(parts, count)  # somebody has come, and waits for it
    if all(each >= count for each in theirs if each != NOTHING):
        return Wanted(count, count)
    return Wanted(parts, parts or count)
