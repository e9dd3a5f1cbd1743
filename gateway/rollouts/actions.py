"""What people do to ramps and routes while they serve. Each takes a name and a reason, and holds once it returns."""

from time import time
from typing import Any

from gateway.config.words import serve_text
from gateway.core.events import Kind
from gateway.core.model import BUCKETS, Route, Serve, Side
from gateway.core.positions import Action, Position, State, acted, begun
from gateway.errors import CommandError, StoreUnavailable
from gateway.rollouts.loop import Loop
from gateway.rollouts.standings import RampOf, Standings
from gateway.rollouts.telling import event_of
from gateway.store.values import Override

_TOLD: dict[Action, Kind] = {
    Action.PAUSE: "paused",
    Action.RESUME: "resumed",
    Action.APPROVE: "approved",
    Action.PROMOTE: "promoted",
    Action.ROLLBACK: "rolled_back",
    Action.RESTART: "started",
}
_NEEDS_NO_STORE = frozenset({Action.PAUSE, Action.ROLLBACK})
"""These only ever make things safer."""


class Actions:
    """Pause, resume, approve, promote, roll back, restart; set an override and clear it."""

    def __init__(self, standings: Standings, loop: Loop) -> None:
        self._standings = standings
        self._loop = loop

    async def act(self, name: str, action: str, by: str, reason: str) -> Position:
        """Do something to the ramp of a route or journey. Raises CommandError."""
        wanted = _action(action)
        ramp = self.ramp(name)
        position = self._standings.positions.get(ramp.journey)
        if position is None and wanted is Action.ROLLBACK:  # it shall not begin when the store is there, either
            position = begun(ramp.journey, ramp.ramp, time())
        if position is None:
            raise CommandError(f"The ramp {ramp.journey} has not begun: it waits for the store. See `banyan status`.")
        after = acted(position, wanted, ramp.ramp, time(), by, reason)
        if wanted in _NEEDS_NO_STORE:
            self._loop.go_back(after)
            await self._loop.save()
            return after
        kind = "finished" if after.state is State.FINISHED else _TOLD[wanted]
        try:
            taken = await self._loop.step(position, after, kind)
        except StoreUnavailable as error:
            raise CommandError(
                f"The ramp stays where it is: {error} Pausing and rolling back do without it."
            ) from error
        if not taken:
            raise CommandError(f"The ramp {ramp.journey} took another step just now. See `banyan ramp {name}`.")
        return after

    async def override(
        self, name: str, share: int, *, record: Side | None, until: float | None, by: str, why: str
    ) -> Override:
        """Have a route serve something else than the file says, at once. Raises CommandError."""
        route = self.route(name)
        if route.serve is Serve.RETIRED:
            raise CommandError(f"{name} is retired: it answers 410, and no override changes that. Flip it first.")
        for side, target, needed in (("legacy", route.legacy, share < BUCKETS), ("new", route.new, share > 0)):
            if needed and target is None:
                raise CommandError(f"{name} has no {side} side, so it cannot serve. See `banyan explain`.")
        override = Override(name, share, record, why, by, time(), until, serve_text(route.serve, route.share))
        self._standings.override(override)
        self._loop.stand(time())
        details: dict[str, Any] = {"share": share / 100, "until": until, "record": record}
        await self._loop.tell(event_of("override_set", route=name, by=by, why=why, details=details))
        return override

    async def clear_override(self, name: str, by: str, why: str) -> Override:
        """End a route's override. Raises CommandError when there is none."""
        self.route(name)
        ended = self._standings.clear(name)
        if ended is None:
            raise CommandError(f"{name} has no override. `banyan routes` shows those that are live.")
        self._loop.stand(time())
        await self._loop.tell(event_of("override_cleared", route=name, by=by, why=why))
        return ended

    def ramp(self, name: str) -> RampOf:
        """The ramp of a route or journey. Raises CommandError when it does not ramp."""
        for each in self._standings.ramps:
            if name == each.journey or any(name == route.name for route in each.routes):
                return each
        if name in self._standings.routes:
            raise CommandError(
                f"{name} does not ramp: its `serve` is no ramp. "
                f"`banyan override {name} legacy --reason ...` moves its traffic now, `banyan flip` in the file."
            )
        raise CommandError(f"There is no route and no journey {name!r}. `banyan ramp` lists the ramps.")

    def route(self, name: str) -> Route:
        """A route by its name. Raises CommandError."""
        route = self._standings.routes.get(name)
        if route is None:
            raise CommandError(f"There is no route {name!r}. `banyan routes` lists them.")
        return route


def _action(word: str) -> Action:
    try:
        return Action(word)
    except ValueError:
        raise CommandError(f"{word!r} is nothing that can be done to a ramp: {', '.join(Action)}.") from None
