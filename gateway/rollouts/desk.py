"""What people ask about ramps, overrides and comparisons, and what they order: the admin room and its pages talk to it.

Every answer is plain JSON values (see `reports`). An order's answer says what was done, and whether the traffic goes by
it on this replica; the others follow within a second.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, asynccontextmanager
from time import time
from typing import Protocol

from gateway.config import words
from gateway.config.problems import Unreadable
from gateway.core.events import TYPES, Event
from gateway.core.model import BUCKETS, LEGACY, NEW, Serve, Side
from gateway.core.planning import only_reads, reads_of, record_of
from gateway.core.policies import NO_STANDING
from gateway.core.positions import Action, State
from gateway.errors import CommandError, StoreUnavailable
from gateway.rollouts.comparisons import HOUR, shadow_report
from gateway.rollouts.findings import known_of
from gateway.rollouts.reports import (
    Document,
    action_text,
    instant,
    override_report,
    override_text,
    ramp_report,
    ramp_text,
)
from gateway.rollouts.room import Rollouts
from gateway.rollouts.standings import RampOf
from gateway.store.values import Override

_NOT_YET = " The data process does not go by it yet: see `banyan status`."


class Moving(Protocol):
    """Whoever holds writes while their record moves."""

    def still(self, routes: Iterable[str]) -> AbstractContextManager[None]:
        """New writes of these routes wait, until this is left."""
        ...

    async def drained(self, routes: Iterable[str]) -> int:
        """How many writes of these routes, which are `still`, are not done after a moment. Raises StoreUnavailable."""
        ...


class Desk:
    """Answers and carries out. `stands` waits until the data process goes by what it was told, and tells if it does."""

    def __init__(self, rollouts: Rollouts, stands: Callable[[], Awaitable[bool]], moving: Moving) -> None:
        self._moving = moving
        self._rollouts = rollouts
        self._standings = rollouts.standings
        self._stands = stands

    # -------------------------------------------------------------------------------------------- ramps, overrides

    def routes(self) -> dict[str, Document]:
        """Each route's share of reads on new that holds now (per cent), and where it stands beside the file, in words.

        `standing` is "" for a route that goes by the file alone.
        """
        now, texts = time(), self.texts()
        applied = self._standings.of(now)
        ramping = {route.name: each.journey for each in self._standings.ramps for route in each.routes}
        found = {}
        for name, route in self._standings.routes.items():
            standing = applied.get(name, NO_STANDING)
            share = reads_of(route, standing)
            text = texts["overrides"].get(name) or texts["ramps"].get(ramping.get(name, ""), "")
            found[name] = {"share": None if route.serve is Serve.RETIRED else share / 100, "standing": text}
        return found

    def texts(self) -> dict[str, dict[str, str]]:
        """Where every ramp stands, and what every override does, in a few words each."""
        now, positions = time(), self._standings.positions
        ramps = {each.journey: ramp_text(positions.get(each.journey)) for each in self._standings.ramps}
        return {"ramps": ramps, "overrides": {each.route: override_text(each, now) for each in self._live(now)}}

    def ramps(self) -> list[Document]:
        """Every ramp whole."""
        return [self._ramp(each) for each in self._standings.ramps]

    def ramp(self, name: str) -> Document:
        """The ramp of a route or journey. Raises CommandError."""
        return self._ramp(self._rollouts.actions.ramp(name))

    def overrides(self) -> list[Document]:
        """Every override that is live."""
        now = time()
        return [override_report(each, now) for each in self._live(now)]

    def _ramp(self, each: RampOf) -> Document:
        loop = self._rollouts.loop
        position = self._standings.positions.get(each.journey)
        return ramp_report(each, position, loop.decisions.get(each.journey), loop.seen(each), time())

    def _live(self, now: float) -> list[Override]:
        standings = self._standings
        return [override for _, override in sorted(standings.overrides.items()) if standings.holds(override, now)]

    # -------------------------------------------------------------------------------------------- orders

    async def act(self, name: str, action: str, by: str, reason: str) -> Document:
        """Pause, resume, approve, promote, roll back or restart a ramp. Raises CommandError.

        Rolled back, a ramp's routes keep no override that would leave reads on new; and a route that does not ramp gets
        an override to legacy without an end. Writes stay where they are.
        """
        actions = self._rollouts.actions
        if action == Action.ROLLBACK and self._does_not_ramp(name):
            override = await self._reads_back(name, None, by, reason)
            return await self._held({"override": override_report(override, time())}, self._rolled_back(name))
        if action == Action.ROLLBACK and self._is_back(name):
            self._standings.send_back(actions.ramp(name).journey)  # it is a word against whatever waits
            cleared = await self._cleared(actions.ramp(name), by, reason)
            return await self._held({"ramp": self.ramp(name)}, f"The ramp is on legacy already.{cleared}")
        position = await actions.act(name, action, by, reason)
        message = action_text(Action(action), position, len(actions.ramp(name).ramp.stages))
        if action == Action.ROLLBACK:
            cleared = await self._cleared(actions.ramp(name), by, reason)
            message += f".{cleared}" if cleared else ""
        return await self._held({"ramp": self.ramp(name)}, message)

    async def override(
        self, name: str, serve: str, seconds: float | None, *, writes: bool, by: str, reason: str
    ) -> Document:
        """Have a route serve `legacy`, `new` or `25% new` for so long (None: without an end). Raises CommandError.

        With `writes` the same side takes the writes, too; otherwise they stay where they are.
        """
        share, now = _share(serve), time()
        record = _record(share, serve) if writes else self._given(name)
        until = None if seconds is None else now + seconds
        if not writes and until is not None:
            self._keeps_writes(name, until)
        async with self._record_moves(name, record, back=not share):
            override = await self._rollouts.actions.override(name, share, record=record, until=until, by=by, why=reason)
        report = override_report(override, now)
        message = f"{name}: {report['text']}. To go back to the file: banyan override {name} --clear --reason ..."
        return await self._held({"override": report}, message)

    def _given(self, name: str) -> Side | None:
        """The side that a live override has given a route's writes; None where they go by the file."""
        return self._standings.of(time()).get(name, NO_STANDING).record

    def _keeps_writes(self, name: str, until: float) -> None:
        """Raises CommandError where an override that says nothing of writes would end sooner than the one that holds
        them: they would go back with it, unasked."""
        live, route = self._standings.overrides.get(name), self._rollouts.actions.route(name)
        if self._given(name) in (None, record_of(route)) or live is None:
            return
        if live.until is None or until < live.until:
            raise CommandError(
                f"An override holds the writes of {name} on {live.record}, and this one would send them back when it "
                f"ends. Leave its end out, say --writes, or clear that one first: banyan override {name} --clear"
            )

    @asynccontextmanager
    async def _record_moves(self, name: str, record: Side | None, *, back: bool) -> AsyncIterator[None]:
        """A route's writes are given to `record` (None: the file's) meanwhile; where that moves them, new ones wait.

        Raises CommandError where some are owed that would come too late: a copy must not undo a newer write. And unless
        all goes `back` to legacy, where somebody has said something else of the route meanwhile, or a guard has.
        """
        route = self._rollouts.actions.route(name)
        now, then = self._given(name) or record_of(route), record or record_of(route)
        if not (route.writes.copy or route.writes.queue) or now == then:
            yield
            return
        before = self._standings.word_on(name, route.journey, time())
        with self._moving.still([name]):
            try:
                left = await self._moving.drained([name])
            except StoreUnavailable as error:
                raise CommandError(
                    f"The writes of {name} stay where they are: it is not known what is owed. {error}"
                ) from error
            if left:
                raise CommandError(
                    f"The writes of {name} stay where they are: {left} of them are not delivered yet, and a copy that "
                    f"comes late would undo a newer write. See `banyan outbox --route {name}`."
                )
            if not back and self._standings.word_on(name, route.journey, time()).is_later_than(before):
                raise CommandError(f"{name} was rolled back or overridden meanwhile, and nothing was done. Look first.")
            yield

    async def _reads_back(self, name: str, until: float | None, by: str, reason: str) -> Override:
        """Have legacy serve all reads of a route; its writes stay where they are."""
        record = self._given(name)
        return await self._rollouts.actions.override(name, 0, record=record, until=until, by=by, why=reason)

    async def clear_override(self, name: str, by: str, reason: str) -> Document:
        """End a route's override. Raises CommandError when it has none, and where it holds writes that are owed."""
        async with self._record_moves(name, None, back=False):
            ended = await self._rollouts.actions.clear_override(name, by, reason)
        route = self._standings.routes[name]
        by_what = "its ramp" if route.serve is Serve.RAMP else "the file"
        serve = words.serve_text(route.serve, route.share)
        message = f"The override of {name} is ended: it goes by {by_what} again (`serve: {serve}`)."
        return await self._held({"override": override_report(ended, time())}, message)

    def _does_not_ramp(self, name: str) -> bool:
        journeys = {each.journey for each in self._standings.ramps}
        route = self._standings.routes.get(name)
        return route is not None and route.serve is not Serve.RAMP and name not in journeys

    def _is_back(self, name: str) -> bool:
        """Whether a ramp went back already."""
        position = self._standings.positions.get(self._rollouts.actions.ramp(name).journey)
        return position is not None and position.state is State.ROLLED_BACK

    def _rolled_back(self, name: str) -> str:
        """What was done to a route that does not ramp."""
        message = (
            f"{name} does not ramp, so this is an override without an end: legacy serves all its reads. "
            f"To go back to the file: banyan override {name} --clear --reason ..."
        )
        route = self._standings.routes[name]
        if not only_reads(route) and (self._given(name) or record_of(route)) == NEW:
            message += f" Its writes still go to new: `banyan override {name} legacy --writes` moves them, too."
        return message

    async def _cleared(self, ramp: RampOf, by: str, reason: str) -> str:
        """End the overrides that keep reads of a ramp that was rolled back on new; what is to be told of them. One that
        has given writes away keeps those: whether new's data may be left behind is not decided here."""
        names, told = {route.name for route in ramp.routes}, list[str]()
        for each in self._live(time()):
            if each.route not in names or not (each.share or each.record == NEW):
                continue
            if each.record in (None, record_of(self._standings.routes[each.route])):
                await self._rollouts.actions.clear_override(each.route, by, reason)
                told.append(f" The override of {each.route} is ended, too.")
            else:
                await self._reads_back(each.route, each.until, by, reason)
                told.append(
                    f" Reads of {each.route} are on legacy, and its override keeps the writes on {each.record}: before "
                    f"the ramp can go on, banyan override {each.route} --clear --reason ..."
                )
        return "".join(told)

    async def _held(self, document: Document, message: str) -> Document:
        holds = await self._stands()
        return {"message": message if holds else message + _NOT_YET, "holds": holds, **document}

    # -------------------------------------------------------------------------------------------- comparisons

    async def shadow(self, name: str, hours: float) -> Document:
        """What comparing a route's answers has shown in the last hours. Raises CommandError.

        `store` is "" or why the store could not be asked; then this replica tells what it knows by itself.
        """
        route = self._rollouts.actions.route(name)
        begin = time() - hours * HOUR
        known, why = await known_of(self._rollouts, name, begin)
        return {**shadow_report(route, known), "since": instant(begin), "hours": hours, "store": why}

    # -------------------------------------------------------------------------------------------- events

    async def events(self, limit: int, before: str | None, route: str | None, journey: str | None) -> Document:
        """The latest events first, `before` one's id for older ones; of a route, also those of its ramp.

        `store` is "" or why the store could not be asked; then only what it has not been told yet is here.
        """
        known = self._standings.routes.get(route) if route is not None and journey is None else None
        wanted = [(route, journey)] if known is None else [(route, None), (None, known.journey)]
        untold = [] if before is not None else [*self._rollouts.teller.untold]  # first: it may be told while it is read
        found = {event.id: event for event in untold if _is_about(event, wanted)}
        try:
            store, why = self._rollouts.keeper.opened(), ""
            for one, other in wanted:
                stored = await store.events(limit, before=before, route=one, journey=other)
                found |= {event.id: event for event in stored}
        except StoreUnavailable as error:
            why = str(error)
        latest = sorted(found.values(), key=lambda event: -event.at)[:limit]
        return {"events": [_event(event) for event in latest], "store": why}


def _is_about(event: Event, wanted: Iterable[tuple[str | None, str | None]]) -> bool:
    return any(route in (None, event.route) and journey in (None, event.journey) for route, journey in wanted)


def _event(event: Event) -> Document:
    return {**event._asdict(), "type": TYPES[event.kind], "at": instant(event.at), "details": dict(event.details)}


def _share(serve: str) -> int:
    """The part of the reads that an override gives new."""
    try:
        word = words.serve(serve)
    except Unreadable as error:
        raise CommandError(_OTHER_WORDS.format(serve)) from error
    if word.serve in (Serve.RAMP, Serve.RETIRED):
        raise CommandError(_OTHER_WORDS.format(serve) + f" `banyan flip ROUTE {serve}` changes the file.")
    return {Serve.LEGACY: 0, Serve.NEW: BUCKETS}.get(word.serve, word.share)


_OTHER_WORDS = "{!r} is nothing that an override can serve: write legacy, new, or a share such as 25% new."


def _record(share: int, serve: str) -> Side:
    """The side that an override gives the writes as well."""
    if 0 < share < BUCKETS:
        raise CommandError(f"Writes cannot be shared, they go whole to one side: {serve} leaves them where they are.")
    return NEW if share else LEGACY
