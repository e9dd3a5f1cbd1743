"""The loop that ramps go by: evidence, decision, step; and what each step means for the traffic.

Going back needs nobody's leave: the data process is told first, then the synced file, then the store. Going on is the
store's step before it is anybody's, so that nothing is promoted without it, and of two replicas one takes the step.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Set
from contextlib import suppress
from dataclasses import replace
from time import time
from typing import Any

from gateway.core.events import Event, Kind
from gateway.core.evidence import Evidence
from gateway.core.hours import is_open
from gateway.core.model import Estate, Route
from gateway.core.policies import Standing
from gateway.core.positions import Position, State, begun, refitted, reviewed, settings_of
from gateway.core.rollout import Decision, NeedsApproval, Pause, Promote, RollBack, advanced, decide
from gateway.errors import StoreUnavailable
from gateway.rollouts.evidence import StageEvidence
from gateway.rollouts.judging import Judge
from gateway.rollouts.keeper import Keeper
from gateway.rollouts.standings import RampOf, Standings, is_over
from gateway.rollouts.telling import Teller, event_of
from gateway.telemetry.logging import log

TICK = 0.5
"""Seconds between looks at everything."""
PAUSE = 0.05
"""Seconds between two looks at least, however much there is to decide on."""
Apply = Callable[[Mapping[str, Standing]], None]


class Loop:
    """Decides about every ramp, again and again. `apply` has the data process go by standings, at once.

    `decisions` are the last ones, by journey.
    """

    def __init__(
        self,
        standings: Standings,
        evidence: StageEvidence,
        judge: Judge,
        keeper: Keeper,
        teller: Teller,
        apply: Apply,
    ) -> None:
        self._standings = standings
        self._evidence = evidence
        self._judge = judge
        self._keeper = keeper
        self._teller = teller
        self._apply = apply
        self._applied: dict[str, Standing] | None = None
        self._nudged = asyncio.Event()
        self._touched: set[str] = set()
        self._stepping: set[str] = set()
        self._failed: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._compared: dict[str, object] = {}
        self._saved, self._unsaved = b"", ""
        self._saving = asyncio.Lock()
        self.decisions: dict[str, Decision] = {}

    def nudge(self, journeys: Iterable[str] = ()) -> None:
        """There is something new to decide on: about these journeys, or (none named) about where things stand."""
        self._touched |= set(journeys)
        self._nudged.set()

    async def run(self) -> None:
        """Decide, for as long as this runs."""
        whole = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):  # not wait_for, which swallows being cancelled just as it is nudged
                    await self._nudged.wait()
            self._nudged.clear()
            now = time()
            if self._touched and now - whole < TICK:
                self.tick(now, self._touched)
            else:
                whole = now
                self.tick(now)
            self._touched = set()
            await self.save()
            await asyncio.sleep(PAUSE)

    def follow(self, estate: Estate, now: float) -> None:
        """A new table serves: ramps whose settings or ways of comparing changed go on accordingly."""
        self._standings.follow(estate, now)
        compared = {}
        for journey, ramp, routes in self._standings.ramps:
            compared[journey] = _compared(routes)
            position = self._standings.positions.get(journey)
            if position is None:
                continue
            if position.settings != settings_of(ramp):
                self._standings.move(refitted(position, ramp, now))
            elif self._compared.get(journey, compared[journey]) != compared[journey]:
                self._standings.move(reviewed(position, now))
        self._compared = compared
        self.decisions = {journey: each for journey, each in self.decisions.items() if journey in compared}
        self.tick(now)

    # -------------------------------------------------------------------------------------------- one look

    def tick(self, now: float, journeys: Set[str] | None = None) -> None:
        """Look once, at everything or at these journeys. Whatever has to be waited for goes on beside this."""
        self._end_overrides(now)
        self._evidence.follow(self._standings.ramps, self._standings.positions)
        for each in self._standings.ramps:
            if journeys is None or each.journey in journeys:
                self._look_safely_at(each, now)
        self.stand(now)

    def stand(self, now: float) -> None:
        """Have the traffic go where things stand."""
        wanted = self._standings.of(now)
        if wanted != self._applied:
            self._applied = wanted
            self._apply(wanted)

    def seen(self, ramp: RampOf) -> tuple[Evidence, Evidence]:
        """What a ramp's present stage has seen, with what is still unsure; and what the stages before it saw."""
        present, before = self._evidence.of(ramp.journey)
        position = self._standings.positions.get(ramp.journey)
        since = position.since if position is not None else 0.0
        in_hand = self._judge.unsure((route.name for route in ramp.routes), since)
        return replace(present, unsure=present.unsure + in_hand), before

    def _look_safely_at(self, each: RampOf, now: float) -> None:
        """A defect in one decision holds that ramp, and neither the others nor the gateway; it is told once."""
        try:
            self._look_at(each, now)
            self._failed.pop(each.journey, None)
        except Exception as error:  # noqa: BLE001 - see above
            if self._failed.get(each.journey) != repr(error):
                log().exception("ramp_not_decided", journey=each.journey)
            self._failed[each.journey] = repr(error)

    def _look_at(self, each: RampOf, now: float) -> None:
        journey, ramp, routes = each
        position = self._standings.positions.get(journey)
        if position is None:
            if self._keeper.available and journey not in self._stepping:
                self._step(None, begun(journey, ramp, now)._replace(sequence=1), "started")
            return
        present, before = self.seen(each)
        worst = self._judge.worst(route.name for route in routes)
        overridden = self._standings.overridden(routes, now)
        open_hours = is_open(ramp.only, now)
        decision = decide(ramp, position, present, now, open_hours, before=before, worst=worst, overridden=overridden)
        self.decisions[journey] = decision
        match decision:
            case RollBack() | Pause():
                self.go_back(advanced(position, decision, ramp, now), decision.guard)
            case Promote() | NeedsApproval() if self._keeper.available and journey not in self._stepping:
                step = advanced(position, decision, ramp, now)
                self._step(position, step, _KINDS.get(step.state, "promoted"))

    def _end_overrides(self, now: float) -> None:
        for name, override in list(self._standings.overrides.items()):
            if not self._standings.holds(override, now):
                self._standings.clear(name)
                why = "its time is over" if is_over(override, now) else "the file says something else now"
                self.tell(event_of("override_ended", route=name, why=why))

    # -------------------------------------------------------------------------------------------- steps

    def go_back(self, position: Position, guard: str = "") -> None:
        """A ramp goes back, or stays where it is: now. The rest of the world is told afterwards."""
        self._standings.move(position)
        self.stand(time())
        kind: Kind = "rolled_back" if position.state is State.ROLLED_BACK else "paused"
        self.tell(_event(kind, position, guard))

    def tell(self, event: Event) -> "asyncio.Task[None]":
        """Tell what has happened here, once it is on the disk.

        What is told must hold after a restart, and what holds must be told.
        """
        self._teller.untold.append(event)
        return self._then(self._tell_saved(event))

    async def _tell_saved(self, event: Event) -> None:
        await self.save()
        self._teller.told(event)

    def _step(self, before: Position | None, after: Position, kind: Kind) -> None:
        """Take a step that the store must take first; one at a time for each journey."""
        self._stepping.add(after.journey)
        self._then(self._stepped(before, after, kind))

    async def _stepped(self, before: Position | None, after: Position, kind: Kind) -> None:
        try:
            await self.step(before, after, kind)
        except StoreUnavailable as error:
            log().warning("ramp_waits_for_the_store", journey=after.journey, why=str(error))
        finally:
            self._stepping.discard(after.journey)

    async def step(self, before: Position | None, after: Position, kind: Kind) -> bool:
        """Go on, once the store has; False when the ramp stands elsewhere by now. Raises StoreUnavailable."""
        event = _event(kind, after)
        taken = await self._keeper.step(after, before.sequence if before is not None else 0, event)
        if not taken or self._standings.positions.get(after.journey) not in (before, after):
            return False  # somebody else has stepped, or it went back meanwhile
        self._standings.positions[after.journey] = after
        await self.save()
        self._teller.told(event)
        self.nudge()
        return True

    async def save(self) -> None:
        """See on the disk where things stand, if that has changed."""
        async with self._saving:
            content = self._standings.content()
            if content == self._saved:
                return
            try:
                await asyncio.to_thread(self._standings.save, content)
            except OSError as error:
                why = error.strerror or str(error)
                if self._unsaved != why:
                    log().error("standings_not_saved", why=why)
                self._unsaved = why
            else:
                self._saved, self._unsaved = content, ""

    def _then(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


_KINDS: dict[State, Kind] = {State.FINISHED: "finished", State.AWAITING_APPROVAL: "approval_needed"}


def _event(kind: Kind, position: Position, guard: str = "") -> Event:
    details: dict[str, Any] = {"stage": position.stage + 1, "share": position.share / 100}
    details |= {"sequence": position.sequence, **({"guard": guard} if guard else {})}
    return event_of(kind, journey=position.journey, by=position.by, why=position.why, details=details)


def _compared(routes: tuple[Route, ...]) -> object:
    """What evidence is about: with another of these, what was seen before says nothing."""
    return [(route.name, route.compare, route.legacy, route.new) for route in routes]
