"""One side is called, within what protects its backend, and asked once more where that can do no harm.

Where it fails for good, the other side may answer. Nothing has reached the client by then: the last try answers for all
of them.
"""

import asyncio
from collections.abc import Awaitable
from random import random

from connectors.base import Caller
from gateway.core.model import Gateway, Outcome
from gateway.core.planning import PlannedRoute, may_fall_back
from gateway.core.policies import RetryPolicy
from gateway.core.retrying import Failure, failure_of, pause, seconds_of
from gateway.errors import BackendError, ClientGone
from gateway.proxy.attempts import Attempt
from gateway.proxy.protecting import guarded
from gateway.wire.client import Abandoned
from gateway.wire.guard import Guard
from gateway.wire.pool import Judged, Pool

_FAILED = (Outcome.BACKEND_ERROR, Outcome.TIMEOUT)


def called(attempt: Attempt, caller: Caller, pool: Pool, gateway: Gateway) -> Awaitable[Judged]:
    """Call one side. Raises BackendError when it fails."""
    guard = pool.guard
    if guard is None:
        return caller.call(attempt, attempt.send)
    if guard.retry is None:
        return guarded(attempt, caller, attempt.send, guard)
    return insistent(attempt, caller, guard, guard.retry, gateway.capture)


def holds_bodies(route: PlannedRoute, pool: Pool) -> bool:
    """Whether a request's body is held before it is sent: it may be needed twice."""
    return route.fallback or route.owed or (pool.guard is not None and pool.guard.retry is not None)


async def first_answer(attempt: Attempt, caller: Caller, pool: Pool, gateway: Gateway) -> Judged | None:
    """Call one side; None when it failed and the other may be asked: `attempt` knows how.

    A body is held for that if it has at most as many bytes as are captured.
    """
    request = attempt.request
    falls_back = may_fall_back(attempt.route, request) and attempt.role == "live"
    if falls_back and request.length:
        falls_back = await attempt.body.capture(gateway.capture) is not None
    if not falls_back:
        return await called(attempt, caller, pool, gateway)
    try:
        answer = await called(attempt, caller, pool, gateway)
    except Abandoned:
        raise
    except BackendError as error:
        attempt.failed(error)
        return None
    if answer[2] not in _FAILED:
        return answer
    attempt.status, attempt.outcome, attempt.acted = answer[0].status, answer[2], answer[3]
    return None


async def insistent(attempt: Attempt, caller: Caller, guard: Guard, policy: RetryPolicy, capture: int) -> Judged:
    """Call a protected backend, a few times if need be. Raises what the last try failed with.

    A body is held for that if it has at most `capture` bytes; with a larger one there is one try.
    """
    guard.budget.earn()
    request, body = attempt.request, attempt.body
    if request.length and await body.capture(capture) is None:
        return await guarded(attempt, caller, attempt.send, guard)
    repeatable, tries = request.method in attempt.route.idempotent and not request.upgrade, 0
    while True:
        tries += 1
        error: BackendError | None = None
        try:
            answer = await guarded(attempt, caller, attempt.send, guard)
            failure = _failure_in(answer)
        except BackendError as found:
            error, failure = found, failure_of(found)
        wait = failure and pause(policy, tries, failure, repeatable=repeatable, draw=random())
        if wait is None or not guard.budget.spend():
            if error is not None:
                raise error
            return answer
        guard.retries += 1
        attempt.exposed = attempt.exposed or error is None or error.request_sent
        attempt.end()
        await asyncio.sleep(wait)
        if attempt.exchange.connection.gone:
            raise ClientGone
        body.replay()


def _failure_in(answer: Judged) -> Failure | None:
    """What an answer means for trying again; None for one that is no failure."""
    head = answer[0]
    if head.status < 500:
        return None
    asked = next((seconds_of(value) for name, value in head.fields if name.lower() == b"retry-after"), 0.0)
    return Failure(str(head.status), True, asked)
