"""Copies of requests go to the side that does not serve, and both answers to control, which compares them.

The client never waits for any of it. What it was answered is kept as it passes; only when that is over does the copy
join a bounded queue. It begins in a turn of its own, at a pace that leaves the loop time to spare: so copies are the
first thing that is shed. What is not sent is counted, with the reason.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Set
from functools import partial
from random import getrandbits
from time import perf_counter, time

from gateway.core.captured import GONE, CapturedAnswer, CapturedRequest, Recorded, Sample, Seconds, Skipped, reason_of
from gateway.core.forwarding import Peer, forwarding_lines, ids_of
from gateway.core.headers import AnswerHead
from gateway.core.model import BUCKETS, LEGACY, NEW, Outcome, Request, Side
from gateway.core.planning import PlannedRoute
from gateway.proxy.attempts import Attempt
from gateway.proxy.capturing import Capture
from gateway.proxy.chance import fresh_digits
from gateway.proxy.copies import Kept, Pair, ask, is_passing_fault, kept_of, seen_fields
from gateway.proxy.live import Live
from gateway.proxy.pace import Effort, Pace
from gateway.wire.body import EMPTY, Body
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
_CONDITIONAL = (b"\r\nif-", b"\r\nrange:")
"""How fields begin that are about what the client has of one side's answers (RFC 9110, sections 13 and 14). The other
side has tags and bytes of its own, so a 304 here and a 200 there would be nobody's mistake."""
OTHER: dict[Side, Side] = {LEGACY: NEW, NEW: LEGACY}
OURSELVES = Peer(b"127.0.0.1", b"http", False)

Deliver = Callable[[list[Sample], Skipped, Seconds], bool]


class Watched:
    """A live request that is to be copied or captured once it is over; its bodies are kept meanwhile.

    `shadows` is None where it is not copied, `capture` where it is not captured.
    """

    __slots__ = ("_attempt", "_body", "_capture", "_head", "_live", "_shadows")

    def __init__(self, shadows: "Shadows | None", capture: Capture | None, live: Live, attempt: Attempt) -> None:
        self._shadows = shadows
        self._capture = capture
        self._live = live
        self._attempt = attempt
        self._head: AnswerHead | None = None
        self._body: Body = EMPTY
        attempt.body.keep(live.gateway.capture)

    def answered(self, head: AnswerHead, body: Body) -> None:
        """The answer has begun; the client gets it now."""
        self._head, self._body = head, body
        body.keep(self._live.gateway.capture)

    def over(self) -> None:
        """The client has its answer, or there is none."""
        attempt, exchange = self._attempt, self._attempt.exchange
        body = attempt.body.kept
        answer = b"" if attempt.request.method == b"HEAD" else self._body.kept
        if exchange.error or body is None:
            self._lost(exchange.error or "request_too_large")
            return
        side = attempt.plan.side
        pair = Pair(self._live, attempt.route, attempt.request, body, side, attempt.lines, exchange.ids)
        pair.scheme = exchange.connection.peer.scheme
        pair.control = self._answer(answer, pair, attempt.route.compared)
        if self._capture is not None:
            origin = f"{pair.scheme.decode()}://{(attempt.request.host or b'localhost').decode('latin-1')}"
            self._capture.take(Recorded(pair.recorded(), self._answer(answer, pair), exchange.at, origin))
        if self._shadows is not None:
            if answer is None and not attempt.error:
                self._shadows.skip(attempt.route.name, "answer_too_large")
            else:
                self._shadows.offer(pair)

    def _answer(self, body: bytes | None, pair: Pair, names: Set[bytes] | None = None) -> CapturedAnswer:
        """What the client was answered, with the fields of these names, or all."""
        attempt, head = self._attempt, self._head
        seconds = perf_counter() - attempt.exchange.began
        if head is None:
            return CapturedAnswer(0, error=attempt.error or "no_answer", seconds=seconds)
        fields = seen_fields(self._live.gateway, attempt, pair.scheme, head, names)
        business = attempt.outcome is Outcome.BUSINESS_FAULT or is_passing_fault(attempt, head, body)
        return CapturedAnswer(head.status, fields, body, attempt.error, business, seconds)

    def _lost(self, reason: str) -> None:
        if self._capture is not None:
            self._capture.drop(reason)
        if self._shadows is not None:
            self._shadows.skip(self._attempt.route.name, reason)


def _is_conditional(request: Request) -> bool:
    lines = b"\r\n" + request.lines.lower()
    return any(each in lines for each in _CONDITIONAL)


class Lane:
    """The copies for one backend: those that wait, and how many are under way."""

    __slots__ = ("under_way", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Pair] = deque()
        self.under_way = 0


class Shadows:
    """Sends copies, and hands on what came of them.

    `deliver` takes samples, what was skipped, and second answers by the number they were asked for with; it tells
    whether it could.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._lanes: dict[Pool, Lane] = {}
        self._held = 0
        self._turning = False
        self._pace = Pace(Effort().part)
        self._samples: list[Sample] = []
        self._size = 0
        self._skipped: Counter[tuple[str, str]] = Counter()
        self._seconds: dict[int, CapturedAnswer] = {}
        self._in_vain: dict[str, int] = {}
        self._number = getrandbits(48)  # not one of those that an earlier process gave
        self._kept: OrderedDict[int, Kept] = OrderedDict()
        self._kept_bytes = 0

    # -------------------------------------------------------------------------------------------- what is copied

    def watch(self, live: Live, attempt: Attempt) -> Watched | None:
        """Keep this request, if it is one to copy or capture.

        What proves whose its connection is proves nothing on another (nor does what follows on that connection), and a
        tunnel has no end.
        """
        route, request, shadow = attempt.route, attempt.request, attempt.route.shadow
        shadows = None
        if (
            shadow is not None
            and (shadow.share == BUCKETS or getrandbits(32) * BUCKETS >> 32 < shadow.share)
            and request.method in route.copied
        ):
            # Keeping answers of which no copy would find a place costs time that the loop does not have then.
            lane = self._lanes.get(route.ready[OTHER[attempt.plan.side]].pool)
            if lane is None or len(lane.waiting) < QUEUED:
                shadows = None if _is_conditional(request) else self
            else:
                self._skipped[route.name, "queue_full"] += 1
        capture: Capture | None = route.taker
        if capture is not None and not capture.wants(route, request):
            capture = None
        if (shadows is None and capture is None) or attempt.pinned or request.upgrade:
            return None
        return Watched(shadows, capture, live, attempt)

    def replay(self, live: Live, route: PlannedRoute, recorded: CapturedRequest, source: str) -> None:
        """Send a recorded request to both sides; the answer of the one that serves is the control."""
        share = route.share if route.override is None else route.override
        request = recorded.request()
        ids = ids_of(request, fresh_digits())
        lines = forwarding_lines(OURSELVES, request) + ids[2]
        pair = Pair(live, route, request, recorded.body, NEW if share == BUCKETS else LEGACY, lines, ids)
        pair.source = source
        self.offer(pair)

    def ask_again(self, number: int) -> None:
        """Ask the side that served the same once more: control wants to know whether it differs from itself."""
        kept = self._forget(number)
        if kept is None:
            self._seconds[number] = GONE
            return
        pair = kept.pair()
        pair.number, pair.again = number, True
        self._wait(pair, pair.route.ready[pair.side].pool)

    def _keep(self, pair: Pair) -> int:
        """Keep a request for a while, in case that it is to be asked again; the number to ask by."""
        self._number += 1
        kept = self._kept[self._number] = kept_of(pair)
        self._kept_bytes += kept.size
        while len(self._kept) > KEPT or self._kept_bytes > KEPT_BYTES:
            self._forget(next(iter(self._kept)))
        return self._number

    def _forget(self, number: int) -> Kept | None:
        kept = self._kept.pop(number, None)
        if kept is not None:
            self._kept_bytes -= kept.size
        return kept

    def offer(self, pair: Pair) -> None:
        """Have a request copied when there is time for it.

        What legacy failed at says nothing of new, so new is not asked; where new failed, it is asked whether legacy
        would have, too.
        """
        control = pair.control
        failed = control is not None and not control.business and (control.error or control.status >= 500)
        if failed and pair.side == LEGACY:
            self._finish(pair, CapturedAnswer(0, error="not_asked"))
            return
        self._wait(pair, pair.route.ready[OTHER[pair.side]].pool)

    def _wait(self, pair: Pair, pool: Pool) -> None:
        """Have a copy wait for a turn of its own: what has come for clients by now goes first."""
        lane = self._lanes.get(pool)
        if lane is None:
            lane = self._lanes[pool] = Lane()
        if len(lane.waiting) >= QUEUED or self._held + pair.size > HELD:
            self._shed(pair, "queue_full")
            return
        self._held += pair.size
        lane.waiting.append(pair)
        self._turn_soon()

    def stop(self) -> None:
        """Begin no more copies: the process is about to end."""
        self._pace.stop()
        for lane in self._lanes.values():
            lane.waiting.clear()
        self.flush()

    def skip(self, route: str, reason: str) -> None:
        """A request is not compared."""
        self._skipped[route, reason] += 1

    def _shed(self, pair: Pair, reason: str) -> None:
        if pair.again:
            self._seconds[pair.number] = GONE
            return
        self.skip(pair.route.name, reason_of(reason, pair.source))

    # -------------------------------------------------------------------------------------------- sending

    def _turn_soon(self) -> None:
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Begin a copy per backend, or a few where many wait, and leave the loop to traffic again."""
        self._turning = False
        for lane in list(self._lanes.values()):
            for _ in range(1 + len(lane.waiting) // MANY):
                if not lane.waiting or lane.under_way >= MOST_UNDER_WAY or not self._pace.begin():
                    break
                pair = lane.waiting.popleft()
                self._held -= pair.size
                self._begin(lane, pair)
                if lane.waiting:
                    self._turn_soon()

    def _begin(self, lane: Lane, pair: Pair) -> None:
        """Send a copy, unless it is no use any more."""
        if time() - pair.at > PATIENCE:
            self._shed(pair, "late")
        elif self._in_vain.get(pair.route.name, 0) >= IN_VAIN and getrandbits(8) >= ONE_IN_SIXTEEN:
            self._shed(pair, "candidate_too_large")
        else:
            lane.under_way += 1
            Driver(self._run(pair), partial(self._ended, lane, pair)).resume()

    def _ended(self, lane: Lane, pair: Pair, error: BaseException | None) -> None:
        lane.under_way -= 1
        if error is not None:  # a defect of ours must not pass for the candidate's
            self._shed(pair, "defect")
            asyncio.get_running_loop().call_exception_handler({"message": "A copy failed", "exception": error})
        if lane.waiting:
            self._turn_soon()

    async def _run(self, pair: Pair) -> None:
        ready = pair.route.ready
        if pair.again:
            self._seconds[pair.number] = await ask(pair, ready[pair.side])
            return
        if pair.control is None:
            pair.control = await ask(pair, ready[pair.side])
        candidate = await ask(pair, ready[OTHER[pair.side]])
        if candidate.body is None and not candidate.error:
            self._in_vain[pair.route.name] = self._in_vain.get(pair.route.name, 0) + 1
            self._shed(pair, "candidate_too_large")
            return
        self._in_vain.pop(pair.route.name, None)
        self._finish(pair, candidate)

    # -------------------------------------------------------------------------------------------- handing on

    def _finish(self, pair: Pair, candidate: CapturedAnswer) -> None:
        control = pair.control
        assert control is not None, "the control has been asked by now"
        self._size += pair.size + len(candidate.body or b"")
        at, route, side = pair.at, pair.route.name, pair.side
        sample = Sample(at, route, side, pair.digest(), self._keep(pair), control, candidate, pair.source)
        self._samples.append(sample)
        if len(self._samples) >= BATCH or self._size >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand on what there is; what nobody takes is lost, and counted."""
        samples, skipped, seconds = self._samples, self._skipped, self._seconds
        if not samples and not skipped and not seconds:
            return
        self._samples, self._size, self._skipped, self._seconds = [], 0, Counter(), {}
        if not self._deliver(samples, dict(skipped), seconds):
            self._skipped = skipped
            for sample in samples:
                self.skip(sample.route, reason_of("control_busy", sample.source))

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
