"""One log-on for everybody who waits; and what becomes of a call whose session is over."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from connectors.base import Answer, Call
from connectors.soap import logons
from connectors.soap.answers import answer, problem_answer
from connectors.soap.logons import PAUSE, Flight, Given, InSession, flight_of
from connectors.soap.packages import Package
from connectors.soap.security import LogOn, Session
from connectors.soap.sessions import Held, SessionOver
from gateway.core.fields import field_lines
from gateway.core.headers import AnswerHead
from gateway.core.model import LEGACY, Outcome
from gateway.errors import AnswerInvalid, AnswerTimeout, BackendError, ConnectFailed, NotAcquired, NotLoggedOn
from gateway.wire.body import EMPTY
from gateway.wire.driver import Driver, Signal
from gateway.wire.pool import Judged, Outgoing, Parcel, judged
from tests.connectors.soap.samples import GET_BALANCE
from tests.support.values import plan_of, request, route

LOG_ON = LogOn(GET_BALANCE, {"user": "u"}, "Token")
FOREVER = float("inf")


class Time:
    """A clock that stands until it is told to move."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def driven(work: Awaitable[Any]) -> list[Any]:
    """Start a coroutine as the data process does; what it gives, or raises, stands in the list once it has ended."""
    ended: list[Any] = []

    async def run() -> None:
        ended.append(await work)

    Driver(run(), lambda error: ended.append(error) if error is not None else None).resume()
    return ended


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class LoggingOn:
    """Log-ons that end when a test says so."""

    def __init__(self) -> None:
        self.count = 0
        self._signals: list[Signal] = []
        self._result: Any = None

    async def __call__(self) -> Held:
        self.count += 1
        signal = Signal()
        self._signals.append(signal)
        await signal
        if isinstance(self._result, Exception):
            raise self._result
        return self._result  # type: ignore[no-any-return]

    def end(self, result: Any) -> None:
        """The oldest one under way ends so."""
        self._result = result
        self._signals.pop(0).wake()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def flight(time: Time) -> Flight:
    return Flight(LOG_ON, time)


# ------------------------------------------------------------------------------------------------ one flight


async def test_fifty_who_want_a_session_log_on_once(flight: Flight) -> None:
    """They wait for the first one's, and all get the same; who comes later finds it there."""
    begin, held = LoggingOn(), Held("t", FOREVER, {})
    waiting = [driven(flight.session(begin, 60.0)) for _ in range(50)]
    begin.end(held)
    await asyncio.sleep(0.05)
    assert waiting == [[held]] * 50
    assert driven(flight.session(begin, 60.0)) == [held]
    assert begin.count == 1


async def test_those_who_waited_go_on_in_turns(flight: Flight, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many hold nobody else up: each turn of the loop has only some time for them."""
    ticks = iter(range(100))
    monkeypatch.setattr(logons, "monotonic", lambda: float(next(ticks)))
    monkeypatch.setattr(logons, "BURST", 1.5)
    begin, held = LoggingOn(), Held("t", FOREVER, {})
    waiting = [driven(flight.session(begin, 60.0)) for _ in range(4)]
    begin.end(held)
    ended = []
    for _ in range(4):
        ended.append(sum(map(bool, waiting)))
        await asyncio.sleep(0)
    assert ended == [2, 3, 4, 4]


async def test_when_a_log_on_fails_the_next_one_tries(flight: Flight) -> None:
    """The error is the first one's alone; the others wait for the second."""
    begin, held, lost = LoggingOn(), Held("t", FOREVER, {}), ConnectFailed("gone")
    first, second, third = (driven(flight.session(begin, 60.0)) for _ in range(3))
    begin.end(lost)
    await settled()
    assert (first, second, third, begin.count) == ([lost], [], [], 2)
    begin.end(held)
    await settled()
    assert (second, third, begin.count) == ([held], [held], 2)


async def test_after_a_refusal_nobody_tries_for_a_while(flight: Flight, time: Time) -> None:
    """Accounts get locked: those who wait are refused as well, and so is everybody for ten seconds."""
    begin, held = LoggingOn(), Held("t", FOREVER, {})
    first, second = (driven(flight.session(begin, 60.0)) for _ in range(2))
    begin.end(NotLoggedOn("wrong password"))
    await settled()
    time.now += PAUSE - 0.1
    third = driven(flight.session(begin, 60.0))
    assert [type(each[0]) for each in (first, second, third)] == [NotLoggedOn] * 3
    assert begin.count == 1
    time.now += 0.2
    fourth = driven(flight.session(begin, 60.0))
    begin.end(held)
    assert (fourth, begin.count) == ([held], 2)


async def test_a_spent_session_is_renewed_once(flight: Flight) -> None:
    """Two who are told so at the same moment; one who is told late finds the new one there."""
    begin, old, new = LoggingOn(), Held("old", FOREVER, {}), Held("new", FOREVER, {})
    flight.held = old
    first, second = (driven(flight.session(begin, 60.0, old)) for _ in range(2))
    fresh = driven(flight.session(begin, 60.0))
    begin.end(new)
    await settled()
    late = driven(flight.session(begin, 60.0, old))
    assert [first, second, fresh, late] == [[new]] * 4
    assert begin.count == 1


async def test_a_session_ends_by_itself(flight: Flight, time: Time) -> None:
    """After its time a new one is begun."""
    begin = LoggingOn()
    flight.held = old = Held("old", time.now + 5, {})
    assert driven(flight.session(begin, 60.0)) == [old]
    time.now += 5
    again = driven(flight.session(begin, 60.0))
    begin.end(Held("new", FOREVER, {}))
    assert (again[0].token, begin.count) == ("new", 1)


async def test_nobody_waits_longer_than_it_may(flight: Flight, time: Time) -> None:
    """Nothing has been sent then; the log-on under way goes on for the others."""
    begin, held = LoggingOn(), Held("t", FOREVER, {})
    first = driven(flight.session(begin, 60.0))
    hasty, patient = driven(flight.session(begin, 0.02)), driven(flight.session(begin, 60.0))
    time.now += 0.02
    await asyncio.sleep(0.05)
    assert [type(each) for each in hasty] == [NotAcquired]
    begin.end(held)
    await settled()
    assert (first, patient, begin.count) == ([held], [held], 1)


async def test_a_signal_that_is_late_wakes_nobody_twice(flight: Flight) -> None:
    """Whose turn has come no longer waits."""
    flight._give_up(Signal())
    assert not flight._waiting


# ------------------------------------------------------------------------------------------------ what is kept


def test_a_session_is_found_again() -> None:
    """By the next table, although it numbers types anew; not where something about the log-on has changed."""
    kept: dict[str, Any] = {}
    flight = flight_of(Session(LOG_ON), kept)
    renumbered = LOG_ON._replace(operation=GET_BALANCE._replace(input=GET_BALANCE.input._replace(encoded=True)))
    assert flight_of(Session(renumbered, renew_on=("a",)), kept) is flight
    for changed in (
        LOG_ON._replace(request={"user": "v"}),
        LOG_ON._replace(token="Key"),
        LOG_ON._replace(operation=GET_BALANCE._replace(address="http://other")),
    ):
        assert flight_of(Session(changed), dict(kept)) is not flight
    assert flight_of(Session(LOG_ON), None) is not flight


# ------------------------------------------------------------------------------------------------ one call


class Service:
    """Answers in turn: to log-ons with what is in `logs_on`, to calls with what is in `calls`."""

    def __init__(self, logs_on: list[Any], calls: list[Any], time: Time, *, total: float = 0.0) -> None:
        self.planned = plan_of(route("GET /b", timeout=(("total", total),) if total else ()))
        self.lines: list[bytes] = []
        self.tokens: list[Any] = []
        self.sent: list[Outgoing] = []
        self.cookies: list[bytes] = []
        self._logs_on, self._calls = logs_on, calls
        self._time = time
        self.slow = 0.0
        self.status = 200

    async def _send(self, parcel: Parcel) -> Judged:
        outgoing = Outgoing(*parcel)
        self.sent.append(outgoing)
        self._time.now += self.slow
        if not self.status:
            raise AnswerInvalid("the connection closed before an answer came")
        fields = [(b"Set-Cookie", self.cookies.pop(0))] if self.cookies else []
        return judged(AnswerHead(self.status, b"", field_lines(fields), 0, False, False), EMPTY)

    async def _log_on(self, call: Call, given: Given, send: Any, held: Held | None) -> Answer:
        assert (given, held, call.plan) == (Given(b'{"user":"u"}'), None, self.planned.plans[LEGACY])
        self.lines.append(call.lines)
        await send(Outgoing(b"log on", EMPTY, call.plan.timeouts, False, False, True))
        return told(self._logs_on.pop(0))

    async def _exchange(self, call: Call, given: Given, send: Any, held: Held | None = None) -> Answer:
        assert given == Given(b"{}")
        assert held is not None
        self.lines.append(call.lines + held.lines)
        self.tokens.append(held.token)
        await send(Outgoing(b"call", EMPTY, call.plan.timeouts, False, False, True))
        return told(self._calls.pop(0))

    def session(self, time: Time, log_on: LogOn = LOG_ON) -> InSession:
        return InSession(Flight(log_on, time), self.planned.plans[LEGACY], self._log_on)

    async def call(self, session: InSession) -> Answer:
        plan = self.planned.plans[LEGACY]
        lines = b"X-Forwarded-For: 10.0.0.1\r\nX-Request-ID: r-1\r\n"
        return await session.call(
            Call(request("GET /b"), self.planned, plan, lines, EMPTY), Given(b"{}"), self._send, self._exchange
        )


def told(result: Any) -> Answer:
    if isinstance(result, Exception):
        raise result
    return result  # type: ignore[no-any-return]


def ok(data: bytes = b"{}") -> Answer:
    return answer(200, (), data, Outcome.OK, "yes")


def tokens() -> list[Any]:
    return [ok(b'{"Token": "t%d"}' % number) for number in range(1, 4)]


async def test_a_call_logs_on_first_and_the_next_does_not(time: Time) -> None:
    """The log-on is the gateway's own: of the client it brings nothing but the request's id, and it goes out once."""
    service = Service(tokens(), [ok(), ok()], time)
    session = service.session(time)
    assert (await service.call(session)).outcome is Outcome.OK
    assert (await service.call(session)).outcome is Outcome.OK
    assert [each.head for each in service.sent] == [b"log on", b"call", b"call"]
    assert [each.resend for each in service.sent] == [False, True, True]
    assert service.lines[0] == b"X-Request-ID: r-1\r\n"
    assert service.tokens == ["t1", "t1"]


async def test_a_session_that_was_good_for_others_is_renewed_again(time: Time) -> None:
    """A call that meets the end of two sessions fails; the next one is served, because logging on does help."""
    service = Service(tokens(), [SessionOver(), SessionOver(), SessionOver(), ok()], time)
    session = service.session(time)

    async def meanwhile(*given: Any) -> Answer:
        if len(service.tokens) == 1:  # between the two times that the call is sent
            session._good = session._flight.held
        return await service._exchange(*given)

    call = Call(request("GET /b"), service.planned, service.planned.plans[LEGACY], b"X-Request-ID: r\r\n", EMPTY)
    with pytest.raises(NotLoggedOn):
        await session.call(call, Given(b"{}"), service._send, meanwhile)
    assert (await service.call(session)).outcome is Outcome.OK
    assert service.tokens == ["t1", "t2", "t2", "t3"]


async def test_attachments_are_sent_only_once(time: Time) -> None:
    """They have passed when the session turns out to be over: that call fails, and the next one logs on."""
    service = Service(tokens(), [SessionOver(), ok()], time)
    session = service.session(time)
    call = Call(request("GET /b"), service.planned, service.planned.plans[LEGACY], b"X-Request-ID: r\r\n", EMPTY)
    in_parts: Any = Given(b"{}", Package(b"{}", None, True))  # type: ignore[arg-type]

    async def passing(call: Call, given: Given, send: Any, held: Held | None) -> Answer:
        return await service._exchange(call, Given(given.data), send, held)

    with pytest.raises(NotLoggedOn, match="attachments are sent only once"):
        await session.call(call, in_parts, service._send, passing)
    assert (await service.call(session)).outcome is Outcome.OK
    assert service.tokens == ["t1", "t2"]


async def test_cookies_follow_the_session(time: Time) -> None:
    """Those of the log-on go along, those that a call's answer sets replace them, and a new session begins anew."""
    service = Service(tokens(), [ok(), SessionOver(), ok()], time)
    session = service.session(time)
    service.cookies = [b"a=1; Path=/", b"a=2", b"b=3", b"c=4"]
    await service.call(session)
    await service.call(session)
    ends = [lines.partition(b"r-1\r\n")[2] for lines in service.lines]
    assert ends == [b"", b"Cookie: a=1\r\n", b"Cookie: a=2\r\n", b"", b"Cookie: c=4\r\n"]


async def test_a_session_may_be_cookies_alone(time: Time) -> None:
    """Without a token; a log-on that sets none has failed."""
    log_on = LOG_ON._replace(token=None)
    service = Service([answer(202, (), b"", Outcome.OK, "yes")] * 2, [ok()], time)
    service.cookies = [b"a=1"]
    await service.call(service.session(time, log_on))
    assert service.tokens == [None]
    with pytest.raises(NotLoggedOn, match="the log-on set no cookie"):
        await service.call(service.session(time, log_on))


async def test_a_refused_call_goes_once_more(time: Time) -> None:
    """In a new session, and never a third time; then that service's sessions are not renewed for a while."""
    over = SessionOver
    service = Service(tokens(), [over(), ok(), over(), over(), over(), over(), ok()], time)
    session = service.session(time)
    assert (await service.call(session)).outcome is Outcome.OK
    assert service.tokens == ["t1", "t2"]
    with pytest.raises(NotLoggedOn, match="the new session was refused as well"):
        await service.call(session)
    assert service.tokens[2:] == ["t2", "t3"]
    with pytest.raises(NotLoggedOn, match="a new session was refused a moment ago"):
        await service.call(session)
    assert service.tokens[4:] == ["t3"]
    time.now += PAUSE
    service._logs_on += tokens()
    assert (await service.call(session)).outcome is Outcome.OK
    assert len(service.tokens) == 7


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (problem_answer(502, "No such user", "r", Outcome.BACKEND_ERROR, "maybe", {}), "was refused: No such user"),
        (problem_answer(422, "Wrong", "r", Outcome.BUSINESS_FAULT, "yes", {}), "was refused: Wrong"),
        (ok(b'{"Token": ""}'), "gave no token"),
        (ok(b"{}"), "gave no token"),
    ],
)
async def test_a_log_on_that_is_refused(time: Time, result: Answer, words: str) -> None:
    """By any fault, or by a result without a token. The call has not been sent, and why is for the log."""
    service = Service([result], [], time)
    with pytest.raises(NotLoggedOn, match=words) as caught:
        await service.call(service.session(time))
    assert (caught.value.request_sent, caught.value.status) == (False, 502)
    assert "credentials" in caught.value.public_detail


@pytest.mark.parametrize(("status", "kind"), [(200, NotLoggedOn), (302, NotLoggedOn), (503, AnswerInvalid)])
async def test_a_page_is_a_refusal_unless_the_service_is_in_trouble(
    time: Time, status: int, kind: type[BackendError]
) -> None:
    """Some answer a wrong password so; after a real failure the next one may try."""
    service = Service([AnswerInvalid("no envelope")], [], time)
    service.status = status
    with pytest.raises(kind) as caught:
        await service.call(service.session(time))
    assert (type(caught.value), caught.value.request_sent) == (kind, False)


async def test_a_log_on_that_is_not_answered_is_no_refusal(time: Time) -> None:
    """The connection closed: nobody knows what became of it, and the next one tries."""
    service = Service([AnswerInvalid("the connection closed")], [], time)
    service.status = 0
    with pytest.raises(AnswerInvalid):
        await service.call(service.session(time))


async def test_a_token_that_cannot_be_found_is_none(time: Time) -> None:
    """An expression that fails on the result says so."""
    service = Service([ok(b'{"Token": "x"}')], [], time)
    with pytest.raises(NotLoggedOn, match="gave no token: "):
        await service.call(service.session(time, LOG_ON._replace(token="abs(Token)")))


async def test_a_log_on_that_fails_has_sent_nothing_of_the_call(time: Time) -> None:
    """The backend may have acted on the log-on, but not on the call; the next call tries again."""
    service = Service([AnswerTimeout("late"), *tokens()], [ok()], time)
    session = service.session(time)
    with pytest.raises(AnswerTimeout) as caught:
        await service.call(session)
    assert caught.value.request_sent is False
    assert (await service.call(session)).outcome is Outcome.OK


async def test_a_session_lasts_as_long_as_is_said(time: Time) -> None:
    """Counted from the log-on."""
    service = Service(tokens(), [ok(), ok(), ok()], time)
    session = service.session(time, LOG_ON._replace(lasts=30.0))
    await service.call(session)
    time.now += 29.9
    await service.call(session)
    time.now += 0.1
    await service.call(session)
    assert service.tokens == ["t1", "t1", "t2"]


async def test_everything_is_within_the_time_of_the_call(time: Time) -> None:
    """What logging on takes is no longer there for the call."""
    service = Service(tokens(), [ok(), ok()], time, total=10.0)
    service.slow = 4.0
    await service.call(service.session(time))
    assert [each.timeouts.total for each in service.sent] == [10.0, 6.0]
    service.slow = 11.0
    with pytest.raises(NotAcquired, match="logging on took all the time there was"):
        await service.call(service.session(time))


Begin = Callable[[], Awaitable[Held]]


async def test_a_call_waits_no_longer_than_it_may_take(time: Time) -> None:
    """For the log-on of another: `total`, or as long as for an answer."""
    for total, patience in ((10.0, 10.0), (0.0, 60.0)):
        service = Service(tokens(), [ok()], time, total=total)
        session = service.session(time)
        waits: list[float] = []

        async def noting(begin: Begin, patience: float, spent: Held | None = None, waits: Any = waits) -> Held:
            waits.append(patience)
            return await begin()

        session._flight.session = noting  # type: ignore[method-assign]
        await service.call(session)
        assert waits == [patience]


def test_the_error_of_a_refused_log_on_is_one_of_the_backend() -> None:
    """It has a kind of its own for logs and metrics."""
    assert issubclass(NotLoggedOn, BackendError)
    assert NotLoggedOn.kind == "not_logged_on"
