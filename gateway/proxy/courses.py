"""A request that is more than passed on, while it is being answered."""

from connectors.base import Caller
from gateway.proxy.attempts import Attempt
from gateway.proxy.caching import Look
from gateway.proxy.live import Live
from gateway.proxy.watching import Watched
from gateway.wire.exchange import Exchange
from gateway.wire.pool import Pool


class Course:
    """What it has come to: the `attempt` that is under way, by whose `caller` and on whose `pool`, which may be another
    one in the end (None: nobody is asked); who has a look at the answer; and what is kept of it."""

    __slots__ = ("attempt", "caller", "exchange", "live", "looked", "pool", "watched")

    def __init__(
        self, exchange: Exchange, live: Live, attempt: Attempt, caller: Caller, pool: Pool, watched: Watched | None
    ) -> None:
        self.exchange = exchange
        self.live = live
        self.attempt: Attempt | None = attempt
        self.caller = caller
        self.pool = pool
        self.watched = watched
        self.looked: Look | None = None

    @property
    def taken(self) -> Attempt:
        """The attempt, where there is one."""
        assert self.attempt is not None, "somebody is asked"
        return self.attempt

    def give_up(self, reason: str) -> None:
        """Nobody needs to look at the answer: it is not that of the side that serves."""
        watched, self.watched = self.watched, None
        if watched is not None:
            watched.give_up(reason)
