"""Live requests that are to be asked of the other side too, or recorded: kept as they pass, and handed on.

The client never waits for any of it. What it was answered is kept while it goes by; when that is over, request and
answer are given to control, which asks the other side. Control says how many it has room for, and the loop's own
effort how many it can spare the time for: what goes beyond is counted, with the reason.
"""

from collections import Counter
from collections.abc import Callable
from random import getrandbits
from time import perf_counter, time

from gateway.core.captured import CapturedAnswer, CapturedRequest, Passing, Recorded, Skipped
from gateway.core.headers import AnswerHead
from gateway.core.model import BUCKETS, Outcome
from gateway.proxy.attempts import Attempt
from gateway.proxy.capturing import Capture
from gateway.proxy.copies import seen_fields
from gateway.proxy.live import Live
from gateway.proxy.pace import Effort, Spare, Strain
from gateway.wire.body import EMPTY, Body

BATCH, BATCH_BYTES = 64, 512 * 2**10

_BUSINESS_FAULT = Outcome.BUSINESS_FAULT

Deliver = Callable[[list[Passing], Skipped], bool]


class Watched:
    """A live request that is to be copied or captured once it is over; its bodies are kept meanwhile.

    `watch` is None where it is not copied, `capture` where it is not captured.
    """

    __slots__ = ("_attempt", "_body", "_capture", "_head", "_live", "_watch")

    def __init__(self, watch: "Watch | None", capture: Capture | None, live: Live, attempt: Attempt) -> None:
        self._watch = watch
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
        if self._capture is not None:
            self._capture.take(self._recorded(body, answer))
        if self._watch is None:
            return
        if answer is None and not attempt.error:
            self._watch.skip(attempt.route.name, "answer_too_large")
        else:
            self._watch.offer(self._passing(body, answer), len(body) + len(answer or b""))

    def give_up(self, reason: str) -> None:
        """It is of no use, for a reason that is counted."""
        self._lost(reason)

    def _passing(self, body: bytes, answer: bytes | None) -> Passing:
        attempt, head = self._attempt, self._head
        request, exchange = attempt.asked, attempt.exchange
        body = body if attempt.asked_body is None else attempt.asked_body
        return (  # in the order of a Passed
            time(),
            attempt.route.name,
            attempt.plan.side,
            request.method,
            request.target,
            request.path,
            request.query,
            request.host,
            request.lines,
            body,
            attempt.lines,
            exchange.connection.peer.scheme,
            head.status if head is not None else 0,
            head.lines if head is not None else b"",
            head is not None and head.addresses,
            answer,
            attempt.error or ("" if head is not None else "no_answer"),
            attempt.outcome is _BUSINESS_FAULT,
            perf_counter() - exchange.began,
            "shadow",
        )

    def _recorded(self, body: bytes, answer: bytes | None) -> Recorded:
        attempt, head = self._attempt, self._head
        request, exchange = attempt.request, attempt.exchange
        scheme, host = exchange.connection.peer.scheme, request.host or b"localhost"
        seconds = perf_counter() - exchange.began
        if head is None:
            told = CapturedAnswer(0, error=attempt.error or "no_answer", seconds=seconds)
        else:
            fields = seen_fields(self._live.gateway, attempt, scheme, head)
            business = attempt.outcome is _BUSINESS_FAULT
            told = CapturedAnswer(head.status, fields, answer, attempt.error, business, seconds)
        recorded = CapturedRequest(request.method, request.target, request.host, request.fields, body)
        return Recorded(recorded, told, exchange.at, f"{scheme.decode()}://{host.decode('latin-1')}")

    def _lost(self, reason: str) -> None:
        if self._capture is not None:
            self._capture.drop(reason)
        if self._watch is not None:
            self._watch.skip(self._attempt.route.name, reason)


class Watch:
    """Decides which requests are watched, and hands them on. `deliver` tells whether it could."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._spare = Spare(Strain(Effort().part))
        self._room = 0
        self._stopped = False
        self._passed: list[Passing] = []
        self._size = 0
        self._skipped: Counter[tuple[str, str]] = Counter()
        self._full: dict[str, int] = {}

    def of(self, live: Live, attempt: Attempt) -> Watched | None:
        """Keep this request, if it is one to copy or capture.

        What proves whose its connection is proves nothing on another (nor does what follows on that connection), and a
        tunnel has no end. Conditions and ranges are about what the client has of one side's answers: the other side has
        tags and bytes of its own, so a 304 here and a 200 there would be nobody's mistake.
        """
        route, request, shadow = attempt.route, attempt.request, attempt.route.shadow
        watch = None
        if (
            shadow is not None
            and request.method in route.copied
            and (shadow.share == BUCKETS or getrandbits(32) * BUCKETS >> 32 < shadow.share)
            and not (request.conditional or attempt.pinned or request.upgrade)
        ):
            # Keeping answers that nobody has room for costs time that the loop does not have then.
            if self._room > 0:
                self._room -= 1
                watch = self
            else:
                self._full[route.name] = self._full.get(route.name, 0) + 1
                if route.taker is None:
                    return None
        capture: Capture | None = route.taker
        if capture is not None and (attempt.pinned or request.upgrade or not capture.wants(route, request)):
            capture = None
        return Watched(watch, capture, live, attempt) if watch is not None or capture is not None else None

    def has_room(self, count: int) -> None:
        """Control can take so many from now on; this loop has time for a part of them."""
        self._room = 0 if self._stopped else int(count * self._spare.part)

    def offer(self, passing: Passing, size: int) -> None:
        """A request is over, and can be asked of the other side; `size` is that of its bodies."""
        self._passed.append(passing)
        self._size += size
        if len(self._passed) >= BATCH or self._size >= BATCH_BYTES:
            self.flush()

    def skip(self, route: str, reason: str) -> None:
        """A request is not compared."""
        self._skipped[route, reason] += 1

    def flush(self) -> None:
        """Hand on what there is; what nobody takes is lost, and counted."""
        for route, count in self._full.items():
            self._skipped[route, "queue_full"] += count
        self._full.clear()
        passed, skipped = self._passed, self._skipped
        if not passed and not skipped:
            return
        self._passed, self._size, self._skipped = [], 0, Counter()
        if not self._deliver(passed, dict(skipped)):
            self._skipped = skipped
            for each in passed:
                self.skip(each[1], "control_busy")

    def tick(self, late: float = 0.0) -> None:
        """Ten times a second, or `late` seconds later: hand on what there is, and see if there is time for more."""
        self.flush()
        self._spare.tick(late)

    def stop(self) -> None:
        """Watch no more: the process is about to end."""
        self._room, self._stopped = 0, True
        self.flush()
