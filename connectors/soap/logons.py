"""Logging on, once for everybody: whoever calls without a session waits for the one log-on that is under way.

What is known of a backend's session lives beside its connections and survives a reload. Nothing here is ever cancelled:
who logs on may fail, or lose its client, and then the next who waits tries for itself. After a refusal nobody tries for
a while, because accounts get locked.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import NamedTuple

import orjson

from connectors.base import Answer, Call, Kept, Send
from connectors.mapping import Expression, MappingFailed, is_true
from connectors.soap.incoming import request_id
from connectors.soap.packages import Package
from connectors.soap.security import LogOn, Session
from connectors.soap.sessions import Held, SessionOver, joined_cookies
from gateway.core.headers import AnswerHead
from gateway.core.model import Outcome
from gateway.core.planning import Plan
from gateway.errors import AnswerInvalid, BackendError, NotAcquired, NotLoggedOn
from gateway.wire.body import EMPTY
from gateway.wire.driver import Signal
from gateway.wire.pool import Judged, Outgoing, Parcel

PAUSE = 10.0
"""Seconds after a refusal in which nobody logs on."""
IN_TROUBLE = 500
"""From this status on an answer says that it is the service that failed."""
BURST = 0.005
"""Seconds of a turn of the loop that those who waited may take."""
Now = Callable[[], float]
Begin = Callable[[], Awaitable[Held]]


class Given(NamedTuple):
    """What a request brings: its JSON, and the package that it came in, if there is more in that."""

    data: bytes
    package: Package | None = None


Exchange = Callable[[Call, Given, Send, Held | None], Awaitable[Answer]]
"""Sends a message with what belongs to a session, and reads its reply. Raises SessionOver."""


class Flight:
    """The session of one backend: there, being begun by one caller, or refused."""

    def __init__(self, log_on: LogOn, now: Now = monotonic) -> None:
        self.log_on = log_on
        self.held: Held | None = None
        self.now = now
        self._under_way = False
        self._no_use_until = 0.0
        self._waiting: deque[Signal] = deque()

    async def session(self, begin: Begin, patience: float, spent: Held | None = None) -> Held:
        """The session: the one there is, unless it is the one that is `spent`, or a new one.

        Raises NotLoggedOn, NotAcquired when others take longer than `patience` seconds over it, and what `begin` does.
        """
        last = self.now() + patience
        self.drop(spent)
        while True:
            held = self.held
            if held is not None and self.now() < held.until:
                return held
            if self.now() < self._no_use_until:
                raise NotLoggedOn("the log-on was refused a moment ago")
            if not self._under_way:
                return await self._begun(begin)
            await self._turn(last - self.now())

    def drop(self, spent: Held | None) -> None:
        """Forget a session that is over, unless another has begun meanwhile."""
        if self.held is spent:
            self.held = None

    async def _begun(self, begin: Begin) -> Held:
        self._under_way = True
        try:
            held = self.held = await begin()
        except NotLoggedOn:
            self._no_use_until = self.now() + PAUSE
            raise
        finally:
            self._under_way = False
            self._wake()
        return held

    async def _turn(self, left: float) -> None:
        """Wait until something has come of the log-on under way. Raises NotAcquired when no time is left."""
        if left <= 0:
            raise NotAcquired("no session was begun in time")
        signal = Signal()
        self._waiting.append(signal)
        timer = asyncio.get_running_loop().call_later(left, self._give_up, signal)
        await signal
        timer.cancel()

    def _give_up(self, signal: Signal) -> None:
        if signal in self._waiting:
            self._waiting.remove(signal)
            signal.wake()

    def _wake(self) -> None:
        """Those who wait go on, some in each turn of the loop: a thousand of them hold nobody else up."""
        enough = monotonic() + BURST
        while self._waiting and not self._under_way:
            if monotonic() >= enough:
                asyncio.get_running_loop().call_soon(self._wake)
                return
            self._waiting.popleft().wake()


def flight_of(session: Session, kept: Kept | None) -> Flight:
    """What is known of a backend's session: a reload finds it again, unless something about the log-on has changed."""
    known = None if kept is None else kept.get("session")
    if isinstance(known, Flight) and known.log_on.is_same(session.log_on):
        return known
    flight = Flight(session.log_on)
    if kept is not None:
        kept["session"] = flight
    return flight


class InSession:
    """Carries out one route's calls in its backend's session. `plan` and `log_on` are how one logs on."""

    def __init__(self, flight: Flight, plan: Plan, log_on: Exchange) -> None:
        self._flight = flight
        self._plan = plan
        self._log_on = log_on
        self._request = Given(orjson.dumps(flight.log_on.request))
        token = flight.log_on.token
        self._token = None if token is None else Expression(token)
        self._good: Held | None = None
        self._no_use_until = 0.0

    async def call(self, call: Call, given: Given, send: Send, exchange: Exchange) -> Answer:
        """What comes of a request. Refused for its session it goes once more, in a new one, and never again.

        With attachments it does not: they have passed by then.

        Raises what an exchange does, and NotLoggedOn.
        """
        flight, timed = self._flight, _Timed(call.plan, send, self._flight.now)

        async def begin() -> Held:
            return await self._begin(call, timed.send)

        held = await flight.session(begin, timed.left)
        try:
            return await self._within(held, call, given, timed.send, exchange)
        except SessionOver as over:
            if given.package is not None:
                flight.drop(held)
                raise NotLoggedOn(
                    f"{call.plan.name}: the session was over, and attachments are sent only once"
                ) from over
            if flight.now() < self._no_use_until:
                raise NotLoggedOn(f"{call.plan.name}: a new session was refused a moment ago") from over
        held = await flight.session(begin, timed.left, spent=held)
        try:
            return await self._within(held, call, given, timed.send, exchange)
        except SessionOver as over:
            if self._good is not held:  # nobody's call has been let in with it
                self._no_use_until = flight.now() + PAUSE
            raise NotLoggedOn(f"{call.plan.name}: the new session was refused as well") from over

    async def _within(self, held: Held, call: Call, given: Given, send: Send, exchange: Exchange) -> Answer:
        """An exchange with the session's cookies, which keeps those that its answer sets."""

        async def noting(parcel: Parcel) -> Judged:
            answer = await send(parcel)
            held.note(answer[0].fields)
            return answer

        answer = await exchange(call, given, noting, held)
        self._good = held
        return answer

    async def _begin(self, call: Call, send: Send) -> Held:
        """Log on. Nothing of the call itself is sent, so it has done nothing when this fails.

        An answer that cannot be used is a refusal too (a page, a redirect), unless the service is in trouble itself.
        """
        heads: list[AnswerHead] = []

        async def noting(parcel: Parcel) -> Judged:
            answer = await send(Outgoing(*parcel)._replace(resend=False))
            heads.append(answer[0])
            return answer

        lines = f"X-Request-ID: {request_id(call.lines)}\r\n".encode("latin-1")
        ours = Call(call.request, call.route, self._plan, lines, EMPTY)
        try:
            answer = await self._log_on(ours, self._request, noting, None)
        except BackendError as error:
            if isinstance(error, AnswerInvalid) and heads and heads[0].status < IN_TROUBLE:
                raise NotLoggedOn(f"{self._plan.name}: the log-on was not answered as one: {error}") from error
            error.request_sent = False
            raise
        return self._read(answer, joined_cookies({}, [field for head in heads for field in head.fields]))

    def _read(self, answer: Answer, cookies: dict[bytes, bytes]) -> Held:
        """The session that an answer to the log-on gives. Raises NotLoggedOn."""
        data, name = answer.body.take(), self._plan.name
        found = orjson.loads(data) if data else {}
        if answer.outcome is not Outcome.OK:
            raise NotLoggedOn(f"{name}: the log-on was refused: {found['detail']}")
        try:
            token = None if self._token is None else self._token(found)
        except MappingFailed as failed:
            raise NotLoggedOn(f"{name}: the log-on gave no token: {failed}") from failed
        if self._token is not None and not is_true(token):
            raise NotLoggedOn(f"{name}: the log-on gave no token")
        if self._token is None and not cookies:
            raise NotLoggedOn(f"{name}: the log-on set no cookie")
        lasts = self._flight.log_on.lasts
        return Held(token, self._flight.now() + lasts if lasts else float("inf"), cookies)


class _Timed:
    """Everything that is sent for one call, within the time that the call has (`total`)."""

    def __init__(self, plan: Plan, send: Send, now: Now) -> None:
        self._send = send
        self._now = now
        self._timeouts = plan.timeouts
        self._last = now() + plan.timeouts.total

    @property
    def left(self) -> float:
        """Seconds in which the call may wait for the log-on of another."""
        return self._last - self._now() if self._timeouts.total else self._timeouts.response

    async def send(self, parcel: Parcel) -> Judged:
        if not self._timeouts.total:
            return await self._send(parcel)
        left = self._last - self._now()
        if left <= 0:
            raise NotAcquired("logging on took all the time there was")
        outgoing = Outgoing(*parcel)
        return await self._send(outgoing._replace(timeouts=outgoing.timeouts._replace(total=left)))
