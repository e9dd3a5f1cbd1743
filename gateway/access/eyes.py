"""Four eyes: what a route asks a second person for is done once two people have said the same, within an hour."""

from collections.abc import Callable
from time import time
from typing import NamedTuple

LASTS = 3_600.0
MOST = 1_000


class Asked(NamedTuple):
    """What somebody asked for that waits for a second person: `what` it was, word for word."""

    action: str
    subject: str
    what: str
    by: str
    proof: str
    reason: str
    at: float


class FourEyes:
    """What waits for a second person. Nothing of it outlives the process: it is asked for again."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._asked: dict[tuple[str, str, str], Asked] = {}

    @property
    def waiting(self) -> list[Asked]:
        """What waits, the oldest first."""
        now = self._clock()
        self._asked = {key: each for key, each in self._asked.items() if now - each.at < LASTS}
        return list(self._asked.values())

    def second(self, action: str, subject: str, what: str, by: str, proof: str, reason: str) -> Asked | None:
        """Somebody asks for something: who asked for the same before, if that was somebody else, by name and by `proof`
        (the token, say, by which they came in). Otherwise it waits."""
        known = {(each.action, each.subject, each.what): each for each in self.waiting}
        first = known.get((action, subject, what))
        if first is not None and first.by != by and first.proof != proof:
            del self._asked[action, subject, what]
            return first
        if len(self._asked) >= MOST:
            del self._asked[next(iter(self._asked))]
        self._asked[action, subject, what] = Asked(action, subject, what, by, proof, reason, self._clock())
        return None
