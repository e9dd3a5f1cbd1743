"""Copies: requests that passed are sent to the side that does not serve, and both answers handed on to be compared.

This is control's work, so that data's loop does nothing but traffic. Copies wait in bounded queues and begin at a pace
that leaves control's loop time for everything else. What is not sent is counted, with the reason.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from functools import partial
from random import getrandbits
from time import time

from gateway.core.captured import (
    GONE,
    REPLAY,
    CapturedAnswer,
    CapturedRequest,
    Passed,
    Sample,
    Seconds,
    Skipped,
    attempt_of,
    reason_of,
)
from gateway.core.crosswalk import Pairs, translated
from gateway.core.forwarding import Peer, forwarding_lines, ids_of
from gateway.core.headers import AnswerHead
from gateway.core.model import BUCKETS, LEGACY, NEW, Observation, Role, Side
from gateway.core.planning import PlannedRoute
from gateway.core.tracing import of_copy
from gateway.errors import NotAdmitted
from gateway.proxy.chance import fresh_digits
from gateway.proxy.copies import Copy, ask, seen_fields
from gateway.proxy.live import Live
from gateway.proxy.pace import Pace
from gateway.wire.body import EMPTY
from gateway.wire.driver import Driver
from gateway.wire.pool import Pool

MOST_UNDER_WAY = 32
"""Copies under way at one backend: one that hangs holds up no other's."""
QUEUED, MANY = 256, 32
"""Copies waiting for one backend; for each so many of them one more begins in a turn."""
HELD = 32 * 2**20
"""Bytes of requests and answers that may wait, for all backends."""
PATIENCE = 2.0
"""Seconds that a copy may wait: answers given at different times say little."""
IN_VAIN, ONE_IN_SIXTEEN = 20, 16
"""Answers in a row that were too large, after which only one copy in sixteen is sent: each costs a connection."""
KEPT, KEPT_BYTES, KEPT_FOR = 4_000, 16 * 2**20, 5.0
"""Requests, their bytes, and seconds for which they can be asked again."""
BATCH, BATCH_BYTES = 64, 512 * 2**10
OTHER: dict[Side, Side] = {LEGACY: NEW, NEW: LEGACY}
OURSELVES = Peer(b"127.0.0.1", b"http", False)

Deliver = Callable[[list[Sample], Skipped, Seconds], object]
Trace = Callable[[Observation], object]


class _NotThere(Exception):
    """A request names something that the other side does not have yet."""


class Waiting:
    """A copy that waits: `control` is what the side that serves has answered, `number` that of the sample to which a
    second answer is wanted, 0 for a first one; `held` is what it counts for."""

    __slots__ = ("control", "held", "number", "passed", "route")

    def __init__(
        self, passed: Passed, route: PlannedRoute, control: CapturedAnswer | None = None, number: int = 0
    ) -> None:
        self.passed = passed
        self.route = route
        self.control = control
        self.number = number
        self.held = passed.size


class Lane:
    """The copies for one backend: those that wait, and how many are under way, of `most`."""

    __slots__ = ("most", "under_way", "waiting")

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting: deque[Waiting] = deque()
        self.under_way = 0


class Shadows:
    """Sends copies, and hands on what came of them, by what serves in `live`.

    `deliver` takes samples, what was skipped, and second answers by the number they were asked for with; `trace` what
    each copy of a request that is traced was.
    """

    def __init__(
        self,
        live: Live,
        deliver: Deliver,
        pace: Pace,
        pairs: Pairs | None = None,
        trace: Trace = lambda observation: None,
    ) -> None:
        self.live = live
        self._trace = trace
        self._pairs = Pairs() if pairs is None else pairs
        self._deliver = deliver
        self._pace = pace
        self._lanes: dict[Pool, Lane] = {}
        self._held = 0
        self._turning = False
        self._samples: list[Sample] = []
        self._size = 0
        self._skipped: Counter[tuple[str, str]] = Counter()
        self._seconds: dict[int, CapturedAnswer] = {}
        self._in_vain: dict[str, int] = {}
        self._number = getrandbits(48)  # not one of those that an earlier process gave
        self._kept: OrderedDict[int, Passed] = OrderedDict()
        self._kept_bytes = 0

    # -------------------------------------------------------------------------------------------- what is asked

    def take(self, requests: Iterable[Passed]) -> None:
        """Ask the other side when there is time for it."""
        for passed in requests:
            route = self._route(passed)
            if route is not None:
                self._offer(passed, route)

    def replay(self, name: str, recorded: CapturedRequest, source: str) -> None:
        """Send a recorded request to both sides; the answer of the one that serves is the control."""
        route = self.live.table.routes.get(name)
        share = 0 if route is None else route.share if route.override is None else route.override
        request = recorded.request()
        _, _, own = ids_of(request, fresh_digits())
        lines = forwarding_lines(OURSELVES, request) + own
        side = NEW if share == BUCKETS else LEGACY
        told = (request.method, request.target, request.path, request.query, request.host, request.lines, recorded.body)
        unasked = (-1, b"", False, b"", "", False, 0.0)
        self.take([Passed(time(), name, side, *told, lines, OURSELVES.scheme, *unasked, source)])

    def ask_again(self, number: int) -> None:
        """Ask the side that served the same once more: it is to be known whether it differs from itself."""
        passed = self._forget(number)
        route = self._route(passed) if passed is not None else None
        if passed is None or route is None:
            self._seconds[number] = GONE
            return
        self._wait(Waiting(passed, route, number=number), route.ready[passed.side].pool)

    def _route(self, passed: Passed) -> PlannedRoute | None:
        route = self.live.table.routes.get(passed.route)
        if route is None or len(route.ready) < 2:
            self.skip(passed.route, reason_of("no_such_route", passed.source))
            return None
        return route

    def _offer(self, passed: Passed, route: PlannedRoute) -> None:
        """What legacy failed at says nothing of new, so new is not asked; where new failed, it is asked whether legacy
        would have, too."""
        control = self._answered(passed, route)
        failed = control is not None and not control.business and (control.error or control.status >= 500)
        if control is not None and failed and passed.side == LEGACY:
            self._finish(passed, control, CapturedAnswer(0, error="not_asked"))
            return
        self._wait(Waiting(passed, route, control), route.ready[OTHER[passed.side]].pool)

    def _answered(self, passed: Passed, route: PlannedRoute) -> CapturedAnswer | None:
        """What the client was answered, as it saw it; None where nobody has been asked yet."""
        if passed.status <= 0:
            return None if passed.status else CapturedAnswer(0, error=passed.error, seconds=passed.seconds)
        head = AnswerHead(passed.status, b"", passed.answer_lines, 0, passed.addresses, False)
        call = Copy(passed.request(), route, route.ready[passed.side].plan, passed.lines, EMPTY)
        fields = seen_fields(self.live.gateway, call, passed.scheme, head, route.compared)
        return CapturedAnswer(passed.status, fields, passed.answer_body, passed.error, passed.business, passed.seconds)

    def _wait(self, waiting: Waiting, pool: Pool) -> None:
        lane = self._lanes.get(pool)
        if lane is None:
            lane = self._lanes[pool] = Lane(_most(pool))
        if len(lane.waiting) >= QUEUED or self._held + waiting.held > HELD:
            self._shed(waiting, "queue_full")
            return
        self._held += waiting.held
        lane.waiting.append(waiting)
        self._turn_soon()

    @property
    def room(self) -> int:
        """How many more may come until the next tick."""
        return max(0, self._pace.allowed - sum(len(lane.waiting) for lane in self._lanes.values()))

    def stop(self) -> None:
        """Begin no more copies: the process is about to end."""
        self._pace.stop()
        for lane in self._lanes.values():
            lane.waiting.clear()
        self.flush()

    def skip(self, route: str, reason: str) -> None:
        """A request is not compared."""
        self._skipped[route, reason] += 1

    def _shed(self, waiting: Waiting, reason: str) -> None:
        if waiting.number:
            self._seconds[waiting.number] = GONE
            return
        self.skip(waiting.passed.route, reason_of(reason, waiting.passed.source))

    # -------------------------------------------------------------------------------------------- sending

    def _turn_soon(self) -> None:
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Begin a copy per backend, or a few where many wait, and leave the loop to everything else again."""
        self._turning = False
        for lane in list(self._lanes.values()):
            for _ in range(1 + len(lane.waiting) // MANY):
                if not lane.waiting or lane.under_way >= lane.most:
                    break
                useless = self._useless(lane.waiting[0])
                if not useless and not self._pace.begin():
                    break
                waiting = lane.waiting.popleft()
                self._held -= waiting.held
                if useless:
                    self._shed(waiting, useless)
                else:
                    lane.under_way += 1
                    Driver(self._run(waiting), partial(self._ended, lane, waiting)).resume()
                if lane.waiting:
                    self._turn_soon()

    def _useless(self, waiting: Waiting) -> str:
        """Why a copy is no use any more; "" where it is."""
        passed = waiting.passed
        if not waiting.number and time() - passed.at > PATIENCE:
            return "late"
        in_vain = self._in_vain.get(passed.route, 0) >= IN_VAIN and getrandbits(8) >= ONE_IN_SIXTEEN
        return "candidate_too_large" if in_vain else ""

    def _ended(self, lane: Lane, waiting: Waiting, error: BaseException | None) -> None:
        lane.under_way -= 1
        if error is not None:  # a defect of ours must not pass for the candidate's
            self._shed(waiting, "defect")
            asyncio.get_running_loop().call_exception_handler({"message": "A copy failed", "exception": error})
        if lane.waiting:
            self._turn_soon()

    async def _run(self, waiting: Waiting) -> None:
        passed = waiting.passed
        try:
            if waiting.number:
                self._seconds[waiting.number] = await self._ask(waiting, passed.side)
                return
            control = waiting.control or await self._ask(waiting, passed.side)
            candidate = await self._ask(waiting, OTHER[passed.side])
        except NotAdmitted as refused:
            self._shed(waiting, refused.kind)
            return
        except _NotThere:
            self._shed(waiting, "not_there_yet")
            return
        if candidate.body is None and not candidate.error:
            self._in_vain[passed.route] = self._in_vain.get(passed.route, 0) + 1
            self._shed(waiting, "candidate_too_large")
            return
        self._in_vain.pop(passed.route, None)
        self._finish(passed, control, candidate)

    async def _ask(self, waiting: Waiting, side: Side) -> CapturedAnswer:
        """One side's answer. Raises NotAdmitted, and _NotThere."""
        passed, route, gateway = waiting.passed, waiting.route, self.live.gateway
        exchanged = translated(self._pairs, route, passed.request(), passed.body, side)
        if exchanged is None or (route.crosswalk is not None and not self._pairs.complete):
            raise _NotThere
        lines, trace = passed.lines, b""
        if passed.source != REPLAY:  # what is replayed is no part of anybody's trace
            lines, trace = of_copy(gateway.otlp, passed.lines, fresh_digits()[1])
        ready, began = route.ready[side], time()
        answer = await ask(*exchanged, route, ready, lines, passed.scheme, gateway)
        if trace:
            role: Role = "probe" if side == passed.side else "shadow"
            seen = attempt_of(route.name, side, role, ready.plan.name, began, answer)
            self._trace(seen._replace(method=passed.method, trace=trace))
        return answer

    # -------------------------------------------------------------------------------------------- handing on

    def _finish(self, passed: Passed, control: CapturedAnswer, candidate: CapturedAnswer) -> None:
        self._size += passed.size + len(candidate.body or b"")
        number = self._keep(passed)
        sample = Sample(
            passed.at, passed.route, passed.side, passed.digest(), number, control, candidate, passed.source
        )
        self._samples.append(sample)
        if len(self._samples) >= BATCH or self._size >= BATCH_BYTES:
            self.flush()

    def _keep(self, passed: Passed) -> int:
        """Keep a request for a while, in case that it is to be asked again; the number to ask by."""
        self._number += 1
        self._kept[self._number] = passed
        self._kept_bytes += passed.size
        while len(self._kept) > KEPT or self._kept_bytes > KEPT_BYTES:
            self._forget(next(iter(self._kept)))
        return self._number

    def _forget(self, number: int) -> Passed | None:
        passed = self._kept.pop(number, None)
        if passed is not None:
            self._kept_bytes -= passed.size
        return passed

    def flush(self) -> None:
        """Hand on what there is."""
        samples, skipped, seconds = self._samples, self._skipped, self._seconds
        if samples or skipped or seconds:
            self._samples, self._size, self._skipped, self._seconds = [], 0, Counter(), {}
            self._deliver(samples, dict(skipped), seconds)

    def tick(self, late: float = 0.0) -> None:
        """Ten times a second, or `late` seconds later: hand on what there is, and see if there is time for more."""
        self.flush()
        self._pace.tick(late)
        oldest = time() - KEPT_FOR
        while self._kept and next(iter(self._kept.values())).at < oldest:
            self._forget(next(iter(self._kept)))
        for pool in [pool for pool, lane in self._lanes.items() if not lane.waiting and not lane.under_way]:
            del self._lanes[pool]
        if self._lanes:
            self._turn_soon()


def _most(pool: Pool) -> int:
    """How many copies may be under way at a backend: what its own gate lets in is another matter."""
    bound = pool.guard.gate.protect.max_concurrent if pool.guard is not None else 0
    return min(bound or MOST_UNDER_WAY, MOST_UNDER_WAY)
