"""Answers that are kept and given again: within this process, bounded in bytes, the least recently used go first.

Of requests that would ask the same at once, one does, and the others wait for what it brings. What may be kept and
given says `core.caching`.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import time

from gateway.core.caching import (
    KEPT,
    Directives,
    Key,
    Stored,
    asked,
    freshened,
    given,
    is_fresh,
    kept,
    key_of,
    may_stand_in,
    shows_who,
    suits,
    validating,
)
from gateway.core.fields import field_lines
from gateway.core.headers import AnswerHead
from gateway.core.model import Outcome, Request
from gateway.core.policies import CachePolicy
from gateway.errors import BackendError, ClientError, ClientGone
from gateway.proxy.attempts import Attempt
from gateway.wire.body import Body, whole
from gateway.wire.client import Abandoned
from gateway.wire.driver import Signal
from gateway.wire.pool import Judged

VARIANTS = 16
"""Answers under one key, which differ in what they depend on."""
HOPELESS, MOST_REMEMBERED = 5.0, 10_000
"""Seconds for which nobody waits for another one's answer after one that was no good to others; and how many such, and
addresses of writes, are remembered."""
_CONDITIONS = frozenset(
    {b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since", b"if-range", b"range"}
)
Answered = tuple[Attempt, Judged]
Ask = Callable[[], Awaitable[Answered]]
"""Asks a backend: the attempt that brought an answer, and the answer. Raises BackendError."""


class Cache:
    """What is kept, `most` bytes of it at the most."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = 0
        self.used = False  # whether anything was ever looked for: until then nobody minds what is written
        self._entries: OrderedDict[Key, list[Stored]] = OrderedDict()
        self._places: dict[bytes, set[Key]] = {}
        self._writes: OrderedDict[bytes, float] = OrderedDict()
        self._flights: dict[Key, list[Signal]] = {}
        self._hopeless: OrderedDict[int, float] = OrderedDict()

    # -------------------------------------------------------------------------------------------- what is kept

    def find(self, key: Key, request: Request, *, shows: bool) -> Stored | None:
        """The kept answer to a request, fresh or not; `shows` tells that it shows who asks."""
        variants = self._entries.get(key)
        if variants is None:
            return None
        self._entries.move_to_end(key)
        return next((each for each in variants if suits(each, request, shows=shows)), None)

    def put(self, key: Key, request: Request, stored: Stored, asked_at: float) -> None:
        """Keep an answer, in the place of the one that there was to such a request. One that was asked for before the
        latest write at its address says nothing any more."""
        self.drop(key, request)
        if stored.size + key.size > self.most or self._writes.get(_place(key), 0.0) >= asked_at:
            return
        variants = self._entries.setdefault(key, [])
        self._entries.move_to_end(key)
        self._places.setdefault(_place(key), set()).add(key)
        variants.insert(0, stored)
        self.size += stored.size + key.size
        while len(variants) > VARIANTS:
            self.size -= variants.pop().size + key.size
        while self.size > self.most:
            self._remove(next(iter(self._entries)))

    def drop(self, key: Key, request: Request) -> None:
        """Forget the answer to a request."""
        variants = self._entries.get(key, [])
        for each in [each for each in variants if suits(each, request, shows=False)]:
            variants.remove(each)
            self.size -= each.size + key.size
        if not variants:
            self._remove(key)

    def written(self, path: bytes) -> None:
        """Something was written at an address: what was kept of it, or is being asked for, says nothing any more (RFC
        9111, section 4.4)."""
        self._writes[path] = time()
        self._writes.move_to_end(path)
        if len(self._writes) > MOST_REMEMBERED:
            self._writes.popitem(last=False)
        for key in list(self._places.get(path, ())):
            self._remove(key)

    def resize(self, most: int) -> None:
        """Keep so many bytes from now on."""
        self.most = most
        while self.size > most:
            self._remove(next(iter(self._entries)))

    def _remove(self, key: Key) -> None:
        for each in self._entries.pop(key, ()):
            self.size -= each.size + key.size
        keys = self._places.get(_place(key))
        if keys is not None:
            keys.discard(key)
            if not keys:
                del self._places[_place(key)]

    # -------------------------------------------------------------------------------------------- one flight

    async def board(self, key: Key) -> bool:
        """Wait for whoever asks the same already; True where nobody does, so that the others wait for this one."""
        flight = self._flights.get(key)
        if flight is None:
            self._flights[key] = []
            return True
        signal = Signal()
        flight.append(signal)
        while self._flights.get(key) is flight:
            await signal
        return False

    def land(self, key: Key) -> None:
        """What was asked has come, or will not."""
        for signal in self._flights.pop(key, ()):
            signal.wake()

    def is_hopeless(self, key: Key, now: float) -> bool:
        """Whether an answer of this kind could not be kept a moment ago."""
        until = self._hopeless.get(hash(key))
        return until is not None and until > now

    def give_up(self, key: Key, now: float) -> None:
        """Nobody needs to wait for another one's answer of this kind, for a while."""
        self._hopeless[hash(key)] = now + HOPELESS
        self._hopeless.move_to_end(hash(key))
        if len(self._hopeless) > MOST_REMEMBERED:
            self._hopeless.popitem(last=False)


def _place(key: Key) -> bytes:
    """The path: whatever the host and the query, a write says something of it."""
    return key.target.partition(b"?")[0]


class Look:
    """One request, and the kept answer to it if there is one; `origin` is the scheme and host that it was sent to.

    `over` is to be called once it has been answered, and `failed` is called with an attempt that failed though the
    client does not notice.
    """

    def __init__(
        self, cache: Cache, policy: CachePolicy, attempt: Attempt, origin: bytes, failed: Callable[[Attempt], None]
    ) -> None:
        self._cache = cache
        cache.used = True
        self._failed = failed
        self._policy = policy
        self._request = attempt.request
        self._wants: Directives = asked(attempt.request)
        self._shows = shows_who(policy, attempt.request)
        self._key = key_of(policy, attempt.plan.tag, attempt.plan.side, origin, attempt.request)
        self._leads = False
        self._asked_at = 0.0
        self._awaited: tuple[AnswerHead, Body] | None = None

    async def answer(self, attempt: Attempt, ask: Ask, capture: int) -> Answered:
        """The answer: a kept one, or what `ask` brings. Raises what `ask` raises, unless a kept one may stand in.

        `capture` is the most bytes of a body that are kept. Who asks the same as somebody else waits for that answer,
        once: if it is no good the next ones ask for themselves.
        """
        cache, request = self._cache, self._request
        shared = request.method == b"GET" and not (request.conditional or b"no-store" in self._wants)
        while True:
            now = time()
            stored = cache.find(self._key, request, shows=self._shows)
            if stored is not None and is_fresh(stored, self._wants, now):
                return self._give(attempt, stored, b"hit; ttl=%d" % (stored.lifetime - stored.age_at(now)), now)
            if b"only-if-cached" in self._wants:
                raise ClientError(504, "Nothing is kept of this (only-if-cached).")
            if not shared or cache.is_hopeless(self._key, now):
                break
            shared = False
            if await cache.board(self._key):
                self._leads = True
                break
            if attempt.exchange.connection.gone:
                raise ClientGone
        return await self._ask(attempt, ask, stored, capture)

    async def _ask(self, attempt: Attempt, ask: Ask, stored: Stored | None, capture: int) -> Answered:
        self._asked_at = time()
        validated = stored if stored is not None and self._request.method == b"GET" else None
        validates = validated is not None and bool(validated.etag or validated.modified)
        if validated is not None and validates:
            attempt.request = validating(_unconditional(self._request), validated)
        try:
            last, answer = await ask()
        except Abandoned:
            raise
        except BackendError as error:
            now = time()
            self._no_good(now)
            if stored is None or not may_stand_in(stored, self._wants, now):
                raise
            attempt.failed(error)
            return self._stand_in(attempt, stored, now)
        finally:
            attempt.request = self._request
        now, head = time(), answer[0]
        if last is not attempt:  # the other side has answered: nothing of this one's changes by that
            self._no_good(now)
            return last, answer
        if head.status >= 500 and stored is not None and may_stand_in(stored, self._wants, now):
            attempt.status, attempt.outcome, attempt.acted = head.status, answer[2], answer[3]
            attempt.end()
            self._no_good(now)
            return self._stand_in(attempt, stored, now)
        if head.status == 304 and validates and stored is not None:
            attempt.end()
            return self._still_holds(attempt, stored, head, now)
        return attempt, await self._passed_on(answer, stored, capture, now)

    def _still_holds(self, attempt: Attempt, stored: Stored, head: AnswerHead, now: float) -> Answered:
        """A kept answer was asked after, and holds."""
        fresh = freshened(stored, head, self._policy, self._request, now)
        if fresh is not None:
            self._cache.put(self._key, self._request, fresh, self._asked_at)
        else:
            self._cache.drop(self._key, self._request)
        if fresh is None or not is_fresh(fresh, {}, now):
            self._no_good(now)  # the others have to ask after it as well
        status = b"fwd=stale; fwd-status=304" + (b"; stored" if fresh is not None else b"")
        return self._give(attempt, fresh or stored, status, now, asked=True)

    async def _passed_on(self, answer: Judged, stored: Stored | None, capture: int, now: float) -> Judged:
        """An answer that goes to the client, and is kept if it may be: at once where its length is known, or else on
        the way, for which nobody else waits. Raises BackendError where it breaks off."""
        head, body, outcome, acted = answer
        keeps = head.length <= capture and self._may_keep(head, now)
        if keeps and head.length >= 0:
            self._keep(head, await body.capture(capture), now)
        elif keeps:
            body.keep(capture)
            self._awaited = head, body
            self._no_good(now)
        else:
            whole_one = self._request.method == b"GET" and not self._request.conditional
            if whole_one and head.status in KEPT:
                self._cache.drop(self._key, self._request)
            self._no_good(now)
        why = b"stale" if stored is not None else b"uri-miss"
        told = b"Cache-Status: banyan; fwd=%b%b\r\n" % (why, b"; stored" if keeps else b"")
        return replace(head, lines=head.lines + told), body, outcome, acted

    def _may_keep(self, head: AnswerHead, now: float) -> bool:
        return kept(self._policy, self._request, self._wants, head, b"", now) is not None

    def _keep(self, head: AnswerHead, data: bytes | None, now: float) -> None:
        stored = None if data is None else kept(self._policy, self._request, self._wants, head, data, now)
        if stored is not None:
            self._cache.put(self._key, self._request, stored, self._asked_at)
        if stored is None or not is_fresh(stored, {}, now) or stored.varies:
            self._no_good(now)
        self._land()

    def over(self) -> None:
        """The client has been answered: keep what came whole on the way."""
        awaited, self._awaited = self._awaited, None
        if awaited is not None:
            head, body = awaited
            self._keep(head, body.kept, time())
        self._land()

    def _no_good(self, now: float) -> None:
        """What comes is no good to the others: they need not wait, now and for a while."""
        if self._leads:
            self._cache.give_up(self._key, now)
        self._land()

    def _land(self) -> None:
        if self._leads:
            self._leads = False
            self._cache.land(self._key)

    def _stand_in(self, attempt: Attempt, stored: Stored, now: float) -> Answered:
        self._failed(attempt)
        attempt.status, attempt.error = 0, ""
        status = b"hit; ttl=%d; detail=stale-if-error" % (stored.lifetime - stored.age_at(now))
        return self._give(attempt, stored, status, now)

    def _give(self, attempt: Attempt, stored: Stored, status: bytes, now: float, *, asked: bool = False) -> Answered:
        """A kept answer, as if a backend had given it."""
        self._land()
        if not asked:
            attempt.role = "cached"
        part = given(stored, self._request, b"banyan; " + status, now)
        length = -1 if part.status == 304 else len(part.body)
        head = AnswerHead(part.status, b"", part.lines, length, stored.head.addresses, False)
        return attempt, (head, whole(part.body), Outcome.OK, "yes" if asked else "no")


def _unconditional(request: Request) -> Request:
    """Without the client's own conditions: they are about its copy, and are looked at afterwards."""
    if not request.conditional:
        return request
    fields = [each for each in request.fields if each[0].lower() not in _CONDITIONS]
    return replace(request, lines=field_lines(fields), conditional=False)
