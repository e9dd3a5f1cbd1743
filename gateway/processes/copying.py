"""Copies, as control sends them: in a thread with a loop of its own, which stands back for everything else.

Control keeps a table for this, of the routes that are copied or replayed and of no others, with connections and
sessions of its own. Where there is no such route there is no thread either, and nothing ticks. Data is told how many
requests may come until the next tick.
"""

import asyncio
import os
import ssl
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from threading import Thread, get_native_id
from time import monotonic
from typing import Any, Protocol, TypeVar

import uvloop

from gateway.core.captured import CapturedAnswer, CapturedRequest, Passed, Passing, Sample, Seconds, Skipped, reason_of
from gateway.core.crosswalk import Pairs, translated
from gateway.core.forwarding import forwarding_lines, ids_of
from gateway.core.model import LEGACY, NEW, Estate, Route, Side
from gateway.core.policies import Standing
from gateway.core.writing import Kept
from gateway.errors import ClientError, CommandError, NotAdmitted
from gateway.proxy.chance import fresh_digits
from gateway.proxy.copies import ask, deliver
from gateway.proxy.live import LiveBuilder
from gateway.proxy.pace import Effort, Pace, Strain
from gateway.proxy.parts import Parts
from gateway.proxy.shadows import OURSELVES, Shadows, Trace
from gateway.telemetry.logging import log
from gateway.wire.clock import NEVER, Clock
from gateway.wire.driver import Driver

T = TypeVar("T")
LATE = 0.02
"""Seconds by which the thread's loop may be late on average: it shares its interpreter with the rest of control."""
AGAIN = 10
"""Ticks after which data is told anew how many may come: it may be another data process by then."""
NICE = 19
"""How far the thread stands back, once it has begun."""
ENDING = 5.0
"""Seconds that the thread may take to end."""


class Judging(Protocol):
    """Whoever compares: how many samples it has room for."""

    @property
    def room(self) -> int: ...


class Copying:
    """Copies of one estate after the other, as control's loop sees them.

    `sampled` takes what they brought, `order` reaches the data process, `trace` takes what those were that are traced;
    all are called in control's loop. `pairs` are the identifiers that are exchanged.
    """

    def __init__(
        self,
        sampled: Callable[[list[Sample], Skipped, Seconds], None],
        judging: Judging,
        order: Callable[..., bool],
        pairs: Pairs,
        trace: Trace = lambda observation: None,
    ) -> None:
        self._sampled = sampled
        self._trace = trace
        self._judging = judging
        self._order = order
        self._pairs = pairs
        self._estate: Estate | None = None
        self._replayed: set[str] = set()
        self._standings: Mapping[str, Standing] = {}
        self._copier: Copier | None = None
        self._parts: tuple[int, float] = (0, NEVER)

    async def follow(self, estate: Estate) -> None:
        """Another table serves: go by it from the next copy on."""
        self._estate = estate
        self._replayed = set()
        try:
            await self._build(estate)
        except CommandError as error:
            log().error("nothing_is_copied", why=str(error))
            self.close()

    async def _build(self, estate: Estate) -> None:
        """Raises CommandError where a backend's certificates cannot be read."""
        routes = [route for route in estate.routes if _is_copied(route) or route.name in self._replayed]
        if not routes:
            self.close()
            return
        _check_bounds(estate, routes)
        if self._copier is None:
            loop = asyncio.get_running_loop()
            self._copier = Copier(
                lambda *found: loop.call_soon_threadsafe(self._sampled, *found),
                lambda room: loop.call_soon_threadsafe(self._order, "room", room),
                self._judging,
                self._pairs,
                lambda seen: loop.call_soon_threadsafe(self._trace, seen),
            )
            self._copier.share(*self._parts)
        await self._copier.follow(estate, routes, self._standings)

    def stand(self, standings: Mapping[str, Standing]) -> None:
        """Go by these overrides and positions of ramps."""
        self._standings = dict(standings)  # the thread's, too: nobody may change it
        if self._copier is not None:
            self._copier.stand(self._standings)

    def share(self, count: int, until: float | None) -> None:
        """Use one of so many parts of what copies have of backends' bounds, until then (monotonic seconds)."""
        self._parts = (count, NEVER if until is None else until)
        if self._copier is not None:
            self._copier.share(*self._parts)

    def uses(self) -> bool:
        """Whether copies use no more than that."""
        return self._copier is None or self._copier.uses == self._parts[0]

    def slots(self) -> dict[str, tuple[int, int]]:
        """Copies and deliveries under way at each protected backend, and waiting for it."""
        return {} if self._copier is None else self._copier.slots()

    def take(self, requests: list[Passing]) -> None:
        """Requests that passed, from the data process."""
        if self._copier is not None and requests:
            self._copier.take(requests)

    def ask_again(self, number: int) -> bool:
        """Have the request of a sample asked once more of the side that served it; whether that can be."""
        if self._copier is None:
            return False
        self._copier.ask_again(number)
        return True

    async def deliver(self, route: str, side: Side, key: str, kept: Kept) -> CapturedAnswer:
        """Send a side of a route a write that it is owed; its answer. Raises NotAdmitted, and CommandError where there
        is no such side any more."""
        copier = self._copier
        if copier is None:
            raise CommandError(f"There is no route {route} that owes anything.")
        return await copier.deliver(route, side, key, kept)

    async def read(
        self, route: str, recorded: CapturedRequest, sides: Sequence[Side] = (LEGACY, NEW)
    ) -> tuple[CapturedAnswer, ...]:
        """What these sides say to a request. Raises CommandError where they cannot be asked."""
        await self._know(route)
        if self._copier is None:
            raise CommandError(f"There is no route {route} any more.")
        return await self._copier.read(route, recorded, sides)

    async def replay(self, route: str, recorded: CapturedRequest, source: str) -> None:
        """Send a recorded request to both sides of a route. Raises CommandError where that cannot be done."""
        await self._know(route)
        if self._copier is not None:
            self._copier.replay(route, recorded, source)
        else:
            self._sampled([], {(route, reason_of("no_such_route", source)): 1}, {})

    async def _know(self, route: str) -> None:
        """Have a route in the table of what is copied. Raises CommandError."""
        known = self._replayed if self._copier is None else self._replayed | self._copier.routes
        if self._estate is not None and route not in known:
            self._replayed.add(route)
            try:
                await self._build(self._estate)
            except CommandError:
                self._replayed.discard(route)  # to be tried anew: a certificate may be there by then
                raise

    def close(self) -> None:
        """Copy nothing any more."""
        copier, self._copier = self._copier, None
        if copier is not None:
            copier.close()


def _check_bounds(estate: Estate, routes: list[Route]) -> None:
    """Copies may only go where they have a part of what protects the backend. Raises CommandError."""
    named = {target.backend for route in routes for target in (route.legacy, route.new) if target}
    for backend in estate.backends:
        protect = backend.protect
        if backend.name in named and protect is not None and protect.bounded and not protect.copies:
            message = f"Copies have no part of what {backend.name} can bear. Add `copies: 10%` to its `protect`."
            raise CommandError(message)


def _is_copied(route: Route) -> bool:
    """Whether something of a route is sent that no client waits for."""
    both = route.legacy is not None and route.new is not None
    return (both and (route.shadow is not None or route.writes.copy)) or route.writes.queue


async def driven(work: Coroutine[Any, Any, T]) -> T:
    """What something comes to that waits for signals, for whoever is a task."""
    found: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    async def run() -> None:
        found.set_result(await work)

    def ended(error: BaseException | None) -> None:
        if error is not None:
            found.set_exception(error)

    Driver(run(), ended).resume()
    return await found


class Copier:
    """The thread. What control's loop calls is done in the thread's own; `deliver`, `tell` and `trace` are called
    there."""

    def __init__(
        self,
        deliver: Callable[[list[Sample], Skipped, Seconds], object],
        tell: Callable[[int], object],
        judging: Judging,
        pairs: Pairs,
        trace: Trace,
    ) -> None:
        self.routes: frozenset[str] = frozenset()
        self.uses = -1
        self._parts = Parts(0)
        self._pairs = pairs
        self._trace = trace
        self._deliver = deliver
        self._tell = tell
        self._judging = judging
        self._loop = uvloop.new_event_loop()
        self._clock = Clock(self._tick)
        self._shadows: Shadows | None = None
        self._told = -1
        self._quiet = 0
        self._thread = Thread(target=self._run, name="copies", daemon=True)
        self._thread.start()

    # -------------------------------------------------------------------------------------------- from control's loop

    async def follow(self, estate: Estate, routes: list[Route], standings: Mapping[str, Standing]) -> None:
        """Go by these routes. Raises CommandError."""
        work = asyncio.run_coroutine_threadsafe(self._follow(estate, routes, standings), self._loop)
        await asyncio.wrap_future(work)
        self.routes = frozenset(route.name for route in routes)

    def stand(self, standings: Mapping[str, Standing]) -> None:
        self._soon(lambda shadows: shadows.live.table.stand(standings))

    def share(self, count: int, until: float) -> None:
        self._loop.call_soon_threadsafe(self._parts.use, count, until)

    def slots(self) -> dict[str, tuple[int, int]]:
        guards = () if self._shadows is None else self._shadows.live.guards  # a tuple that nobody changes
        return {guard.gate.name: (guard.gate.under_way, guard.gate.waiting) for guard in guards}

    def take(self, requests: list[Passing]) -> None:
        self._soon(lambda shadows: self._take(shadows, requests))

    def ask_again(self, number: int) -> None:
        self._soon(lambda shadows: shadows.ask_again(number))

    def replay(self, route: str, recorded: CapturedRequest, source: str) -> None:
        self._soon(lambda shadows: shadows.replay(route, recorded, source))

    async def deliver(self, route: str, side: Side, key: str, kept: Kept) -> CapturedAnswer:
        """A side's answer to a write. Raises NotAdmitted, and CommandError where there is no such side."""
        work = asyncio.run_coroutine_threadsafe(self._send(route, side, key, kept), self._loop)
        return await asyncio.wrap_future(work)

    async def read(self, route: str, recorded: CapturedRequest, sides: Sequence[Side]) -> tuple[CapturedAnswer, ...]:
        """What these sides say to a request. Raises CommandError."""
        work = asyncio.run_coroutine_threadsafe(self._read(route, recorded, sides), self._loop)
        return await asyncio.wrap_future(work)

    def close(self) -> None:
        """End the thread; copies under way are cut."""
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(ENDING)

    def _soon(self, work: Callable[[Shadows], None]) -> None:
        self._loop.call_soon_threadsafe(self._do, work)

    # -------------------------------------------------------------------------------------------- in the thread

    def _run(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, get_native_id(), NICE)
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def _do(self, work: Callable[[Shadows], None]) -> None:
        if self._shadows is not None:
            work(self._shadows)

    async def _follow(self, estate: Estate, routes: list[Route], standings: Mapping[str, Standing]) -> None:
        old = self._shadows.live if self._shadows is not None else None
        names = {target.backend for route in routes for target in (route.legacy, route.new) if target}
        names |= {route.contract for route in routes if route.contract}
        backends = [backend for backend in estate.backends if backend.name in names]
        try:
            builder = LiveBuilder(0, estate.digest, estate.gateway, backends, old, self._clock, copies=True)
            await builder.add(routes)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise CommandError(f"No copies can be sent: {error}. See `tls` of the backends.") from error
        builder.live.table.stand(standings)
        if self._shadows is None:
            self._shadows = Shadows(
                builder.live, self._deliver, Pace(Strain(Effort().part, LATE)), self._pairs, self._trace
            )
            self._clock.start()
            self._tell_room(self._shadows)
        else:
            self._shadows.live = builder.live
        builder.retire_old()
        self._divide(self._shadows)

    async def _send(self, route: str, side: Side, key: str, kept: Kept) -> CapturedAnswer:
        live = self._shadows.live if self._shadows is not None else None
        planned = live.table.routes.get(route) if live is not None else None
        if live is None or planned is None or side not in planned.ready:
            raise CommandError(f"There is no {side} side of {route} any more.")
        if planned.crosswalk is not None and not self._pairs.complete:
            raise CommandError("It is not known yet what its identifiers mean.")
        try:
            exchanged = translated(self._pairs, planned, kept.request(), kept.body, side)
        except ClientError as error:
            raise CommandError(error.detail) from error
        if exchanged is None:
            raise CommandError(f"It names something that {side} does not have yet.")
        request, body = exchanged
        return await driven(deliver(request, body, kept, planned, planned.ready[side], key, live.gateway))

    async def _read(self, route: str, recorded: CapturedRequest, sides: Sequence[Side]) -> tuple[CapturedAnswer, ...]:
        live = self._shadows.live if self._shadows is not None else None
        planned = live.table.routes.get(route) if live is not None else None
        if live is None or planned is None or len(planned.ready) < 2:
            raise CommandError(f"There is no route {route} with two sides any more.")
        try:
            request = recorded.request()
        except ClientError as error:
            raise CommandError(f"That cannot be asked: {error.detail}") from error
        _, _, own = ids_of(request, fresh_digits())
        lines = forwarding_lines(OURSELVES, request) + own
        answers = []
        for side in sides:
            exchanged = translated(self._pairs, planned, request, recorded.body, side)
            if exchanged is None:
                answers.append(CapturedAnswer(404))  # it does not have it yet
                continue
            asked = ask(*exchanged, planned, planned.ready[side], lines, OURSELVES.scheme, live.gateway)
            try:
                answers.append(await driven(asked))
            except NotAdmitted as refused:
                answers.append(CapturedAnswer(0, error=refused.kind))
        return tuple(answers)

    def _take(self, shadows: Shadows, requests: list[Passing]) -> None:
        self._told = -1
        shadows.take(map(Passed._make, requests))

    def _tick(self, late: float) -> None:
        shadows = self._shadows
        if shadows is not None:
            shadows.tick(late)
            self._divide(shadows)
            self._quiet += 1
            if self._room(shadows) != self._told or self._quiet >= AGAIN:
                self._tell_room(shadows)

    def _divide(self, shadows: Shadows) -> None:
        if self._parts.apply(shadows.live.guards, monotonic()):
            self.uses = self._parts.count

    def _tell_room(self, shadows: Shadows) -> None:
        self._quiet = 0
        self._told = self._room(shadows)
        self._tell(self._told)

    def _room(self, shadows: Shadows) -> int:
        return min(shadows.room, self._judging.room)

    def _end(self) -> None:
        if self._shadows is not None:
            self._shadows.stop()
            self._clock.stop()
            for pool in self._shadows.live.pools.values():
                pool.retire()
        self._loop.call_soon(self._loop.stop)
