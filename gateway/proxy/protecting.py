"""A call to a backend that is protected: let through by its breaker, which is told what came of it.

A slot is taken where the request is sent (`wire.guarded`), so that every message counts, a log-on, too.
"""

from time import monotonic, time

from connectors.base import Call, Caller, Send
from gateway.core.breaker import REFUSED
from gateway.core.model import Outcome
from gateway.errors import BackendError, Closed, NotAdmitted
from gateway.wire.client import Abandoned
from gateway.wire.guard import Guard, Turn
from gateway.wire.pool import Judged

_FAILED = (Outcome.BACKEND_ERROR, Outcome.TIMEOUT)


async def guarded(call: Call, caller: Caller, send: Send, guard: Guard) -> Judged:
    """Call a backend within what protects it. Raises NotAdmitted where it may not be, and what `caller` raises.

    The time that a call waited for its turn is not the backend's.
    """
    if guard.maintenance is not None and (until := guard.closed_until(now := time())) is not None:
        raise Closed(f"{call.plan.name} is closed for maintenance", until - now)
    turn = call.turn = Turn(call.route)
    breaker = guard.breaker
    if breaker is None:
        try:
            return await caller.call(call, send)
        except BaseException:
            turn.give_back()
            raise
    began, slow = guard.clock.now, breaker.policy.slow
    if slow:
        began = monotonic()  # the clock's own hand moves ten times a second
    given = breaker.admit(began)
    if given == REFUSED:
        name = call.plan.name
        raise NotAdmitted("breaker_open", f"{name} fails, and is left alone", breaker.refused_for(began))
    try:
        answer = await caller.call(call, send)
    except BaseException as error:
        turn.give_back()
        if _is_failure(error) or 0 < slow < monotonic() - began - turn.waited:
            breaker.ended(given, True, guard.clock.now)
        else:
            breaker.forgotten(given)
        raise
    failed = answer[2] in _FAILED or 0 < slow < monotonic() - began - turn.waited
    breaker.ended(given, failed, guard.clock.now)
    return answer


def _is_failure(error: BaseException) -> bool:
    """Whether an error is the backend's failure. Otherwise it says nothing of the backend: that was not asked, or the
    call was given up for the client's sake."""
    return isinstance(error, BackendError) and not isinstance(error, NotAdmitted | Abandoned)
