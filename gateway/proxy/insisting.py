"""A request is sent once more where the first try failed and it can do no harm: see `core.retrying`.

Nothing of an answer has reached the client by then: the next try answers for all of them.
"""

import asyncio
from random import random

from connectors.base import Caller
from gateway.core.policies import RetryPolicy
from gateway.core.retrying import Failure, failure_of, pause, seconds_of
from gateway.errors import BackendError, ClientGone
from gateway.proxy.attempts import Attempt
from gateway.proxy.protecting import guarded
from gateway.wire.guard import Guard
from gateway.wire.pool import Judged


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
            failure = Failure(str(answer[0].status), True) if answer[0].status >= 500 else None
        except BackendError as found:
            error, failure = found, failure_of(found)
        wait = None
        if failure is not None:
            if error is None:
                failure = failure._replace(after=_asked(answer))
            wait = pause(policy, tries, failure, repeatable=repeatable, draw=random())
        if wait is None or not guard.budget.spend():
            if error is not None:
                raise error
            return answer
        guard.retries += 1
        attempt.end()
        await asyncio.sleep(wait)
        if attempt.exchange.connection.gone:
            raise ClientGone
        body.replay()


def _asked(answer: Judged) -> float:
    """Seconds that an answer asks to wait before the next try."""
    return next((seconds_of(value) for name, value in answer[0].fields if name.lower() == b"retry-after"), 0.0)
