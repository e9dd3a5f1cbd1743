"""What a file has routes serve that they do not serve yet: a file may have to wait, and somebody may say otherwise
meanwhile.

A flip ends overrides, and what a ramp has come to. One that was seen before a rollback must not end that: the later
word holds, until a person says the earlier one again.
"""

from time import time
from typing import NamedTuple

from gateway.core.model import Estate, Route, Serve
from gateway.core.planning import most_of, reads_of
from gateway.core.policies import NO_STANDING
from gateway.rollouts.standings import Standings, Word


class Wish(NamedTuple):
    """What a route is to serve, and the last word on it when that was seen first."""

    serve: tuple[Serve, int]
    word: Word


class Wishes:
    """The wishes of the file, by route. They outlast its other changes, and mistakes in it."""

    def __init__(self, standings: Standings) -> None:
        self._standings = standings
        self._wishes: dict[str, Wish] = {}

    def see(self, served: Estate, wanted: Estate) -> None:
        """A file wants this."""
        serves, wishes = {route.name: route for route in served.routes}, {}
        for route in wanted.routes:
            serve, now = (route.serve, route.share), serves.get(route.name)
            if now is not None and (now.serve, now.share) != serve:
                known = self._wishes.get(route.name)
                new = Wish(serve, self._word_on(now))
                wishes[route.name] = known if known is not None and known.serve == serve else new
        self._wishes = wishes

    def renew(self, name: str) -> None:
        """Somebody says once more what a route is to serve."""
        self._wishes.pop(name, None)

    def gone_back(self, served: Estate) -> list[str]:
        """The routes that were rolled back or overridden since the file was seen to wish something of them, where it
        would send more to new than goes there now."""
        now, back = self._standings.of(time()), []
        for route in served.routes:
            wish = self._wishes.get(route.name)
            more = wish is not None and most_of(*wish.serve) > reads_of(route, now.get(route.name, NO_STANDING))
            if wish is not None and more and self._word_on(route).is_later_than(wish.word):
                back.append(route.name)
        return back

    def _word_on(self, route: Route) -> Word:
        return self._standings.word_on(route.name, route.journey, time())
