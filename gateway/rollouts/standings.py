"""Where every route stands beside the file: positions of ramps and live overrides, in memory and in a synced file.

The file is what a restart goes by while the store cannot be asked; what the store has not been told yet is kept there
too. Replicas may have stepped without knowing of one another: then the safer step is the one that holds.
"""

import json
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.config.words import serve_text
from gateway.core.events import Event
from gateway.core.model import Estate, Route, Serve
from gateway.core.planning import can_stand
from gateway.core.policies import NO_STANDING, Ramp, Standing
from gateway.core.positions import BEFORE, Position, State, standing_of
from gateway.store.values import Override

FILE = "standings.json"
EVENTS = 10_000
"""Events kept while the store cannot be had; beyond them the oldest stand in the log alone."""
_UNKNOWN = Standing(why="unknown")
_SAFEST = (State.ROLLED_BACK, State.PAUSED, State.AWAITING_APPROVAL, State.CLIMBING, State.FINISHED)


class Word(NamedTuple):
    """What was said last of a route beside the file: its live override, and how often its ramp was sent back."""

    override: Override | None
    back: int

    def is_later_than(self, other: "Word") -> bool:
        """Whether somebody has set an override, or sent the ramp back, since the other was the last word."""
        set_since = self.override is not None and self.override != other.override
        return set_since or self.back > other.back


class Standings:
    """What is known of positions and overrides, by journey and by route.

    `untold` are the changes, and `events` the events, that the store does not have yet; `cleared` tells when the
    overrides were set whose end it does not know.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.positions: dict[str, Position] = {}
        self.overrides: dict[str, Override] = {}
        self.cleared: dict[str, float] = {}
        self.untold: set[tuple[str, str]] = set()
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self.read = False
        self.routes: dict[str, Route] = {}
        self.ramps: tuple[RampOf, ...] = ()
        self._back = Counter[str]()

    def follow(self, estate: Estate, now: float) -> None:
        """The routes that there are now. A ramp that the file has ended would begin with its first stage again."""
        self.routes = {route.name: route for route in estate.routes}
        self.ramps = tuple(ramps_of(estate))
        for journey, position in list(self.positions.items()):
            if not self._ramps(journey) and (position.stage, position.state) != (BEFORE, State.CLIMBING):
                self.move(begun_anew(position, now))

    # -------------------------------------------------------------------------------------------- the file

    def load(self) -> None:
        """Take up what the file says; `read` tells whether there was one. A broken one is as good as none."""
        try:
            document = json.loads(self._path.read_bytes())
            positions = [Position.from_plain(each) for each in document["positions"]]
            overrides = [Override(**each) for each in document["overrides"]]
            cleared, untold = dict(document["cleared"]), {(kind, name) for kind, name in document["untold"]}
            events = [Event(*each) for each in document["events"]]
        except (OSError, ValueError, KeyError, TypeError):
            return
        self.positions = {each.journey: each for each in positions}
        self.overrides = {each.route: each for each in overrides}
        self.cleared = cleared
        known = {("position", journey) for journey in self.positions}
        self.untold = untold & (known | {("override", route) for route in (*self.overrides, *cleared)})
        self.events.extend(events)
        self.read = True

    def content(self) -> bytes:
        """What the file is to say now."""
        document = {
            "positions": [each.to_plain() for each in self.positions.values()],
            "overrides": [each._asdict() for each in self.overrides.values()],
            "cleared": self.cleared,
            "untold": sorted(self.untold),
            "events": list(self.events),
        }
        return json.dumps(document, indent=1).encode()

    def save(self, content: bytes) -> None:
        """Put the file in its place, and see it on the disk before anybody is told. Raises OSError."""
        temporary = self._path.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        temporary.rename(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    # -------------------------------------------------------------------------------------------- changes

    def move(self, position: Position) -> None:
        """A ramp has taken a step here, which the store has yet to be told."""
        self._stand(position)
        self.untold.add(("position", position.journey))

    def _stand(self, position: Position) -> None:
        known = self.positions.get(position.journey)
        if position.state is State.ROLLED_BACK and (known is None or known.state is not State.ROLLED_BACK):
            self.send_back(position.journey)
        self.positions[position.journey] = position

    def send_back(self, journey: str) -> None:
        """A ramp goes back, or is told to once more."""
        self._back[journey] += 1

    def override(self, override: Override) -> None:
        """A person has set an override here: later than the one that they saw, whatever the clocks of replicas say."""
        before = self.overrides.get(override.route, override)
        override = override._replace(set_at=max(override.set_at, before.set_at))
        self.overrides[override.route] = override
        self.cleared.pop(override.route, None)
        self.untold.add(("override", override.route))

    def clear(self, route: str) -> Override | None:
        """An override is ended here; the one that was."""
        ended = self.overrides.pop(route, None)
        if ended is not None:
            self.cleared[route] = ended.set_at
            self.untold.add(("override", route))
        return ended

    def merge(self, positions: Iterable[Position], overrides: Iterable[Override]) -> bool:
        """Take up what the store has; whether anything is different now.

        What is safer matters of ramps that go on here; that the file has ended one is the last word on it.
        """
        before = (dict(self.positions), dict(self.overrides))
        for theirs in positions:
            key = ("position", theirs.journey)
            ours, untold = (
                self.positions.get(theirs.journey, theirs),
                key in self.untold and self._ramps(theirs.journey),
            )
            holds = merged(ours, theirs, untold=untold)
            self._stand(holds)
            if holds == theirs:
                self.untold.discard(key)
        stored = {each.route: each for each in overrides}
        for route in {*stored, *self.overrides}:
            if ("override", route) not in self.untold:
                self.overrides.pop(route, None)
                if route in stored:
                    self.overrides[route] = stored[route]
        return before != (self.positions, self.overrides)

    def told(self, kind: str, name: str) -> None:
        """The store has it now."""
        self.untold.discard((kind, name))
        if kind == "override":
            self.cleared.pop(name, None)

    def _ramps(self, journey: str) -> bool:
        return any(each.journey == journey for each in self.ramps)

    # -------------------------------------------------------------------------------------------- what they mean

    def of(self, now: float) -> dict[str, Standing]:
        """What each route that stands elsewhere than the file says is to go by."""
        found: dict[str, Standing] = {}
        for each in self.ramps:
            position = self.positions.get(each.journey)
            ramp = standing_of(position) if position is not None else _UNKNOWN
            found |= {route.name: ramp for route in each.routes}
        for name, override in self.overrides.items():
            if name in self.routes and self.holds(override, now):
                found[name] = found.get(name, NO_STANDING)._replace(override=override.share, record=override.record)
        return found

    def holds(self, override: Override, now: float) -> bool:
        """Whether an override is still live: its time is not over, the file says what it said when it was set, and it
        has the sides that the override names."""
        route = self.routes.get(override.route)
        if route is None or is_over(override, now) or not can_stand(route, override.share, override.record):
            return False
        return override.serve == serve_text(route.serve, route.share)

    def word_on(self, route: str, journey: str, now: float) -> Word:
        """What people and guards have said of a route last."""
        override = self.overrides.get(route)
        live = override if override is not None and self.holds(override, now) else None
        return Word(live, self._back[journey])

    def overridden(self, routes: Iterable[Route], now: float) -> str:
        """The first of these routes that has a live override; "" where none has."""
        live = (self.overrides.get(route.name) for route in routes)
        return next((each.route for each in live if each is not None and self.holds(each, now)), "")


def is_over(override: Override, now: float) -> bool:
    return override.until is not None and override.until <= now


def merged(ours: Position, theirs: Position, *, untold: bool) -> Position:
    """Where a ramp stands of which the store says `theirs`.

    A higher sequence holds: the store may have been asked just before a step. But if it has not been told of ours yet,
    both may have stepped from one place; then the safer one holds, as the next step.
    """
    if not untold:
        return max(theirs, ours, key=_sequence)
    holds, gives_way = sorted((theirs, ours), key=lambda each: (_danger(each), -each.sequence))
    if holds.sequence > gives_way.sequence or (holds is theirs and theirs.sequence == ours.sequence):
        return holds
    return holds._replace(sequence=gives_way.sequence + 1)


def _sequence(position: Position) -> int:
    return position.sequence


def _danger(position: Position) -> tuple[int, int]:
    """How much is at stake where a ramp stands: by what it is doing, then by its share."""
    return _SAFEST.index(position.state), position.share


def begun_anew(position: Position, now: float) -> Position:
    """Where a ramp stands that the file has ended."""
    return position._replace(
        state=State.CLIMBING,
        stage=BEFORE,
        share=0,
        since=now,
        sequence=position.sequence + 1,
        approved=(),
        why="the file says that it does not ramp any more",
        by="",
    )


class RampOf(NamedTuple):
    """A journey that ramps: its ramp, and its routes."""

    journey: str
    ramp: Ramp
    routes: tuple[Route, ...]


def ramps_of(estate: Estate) -> Iterator[RampOf]:
    """Each journey that ramps."""
    journeys: dict[str, list[Route]] = {}
    for route in estate.routes:
        if route.serve is Serve.RAMP:
            journeys.setdefault(route.journey, []).append(route)
    for journey, routes in journeys.items():
        yield RampOf(journey, routes[0].ramp or Ramp(), tuple(routes))
