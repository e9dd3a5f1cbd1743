"""A call to a backend that is protected: let through by its breaker, which is told what came of it.

A slot is taken where the request is sent (`wire.guarded`), so that every message counts, a log-on, too.
"""

from time import monotonic

from connectors.base import Call, Caller, Send
from gateway.core.breaker import REFUSED, Breaker
from gateway.core.model import Outcome
from gateway.errors import BackendError, NotAdmitted
from gateway.wire.client import Abandoned
from gateway.wire.guard import Guard, Turn
from gateway.wire.pool import Judged

_FAILED = (Outcome.BACKEND_ERROR, Outcome.TIMEOUT)


async def guarded(call: Call, caller: Caller, send: Send, guard: Guard) -> Judged:
    """Call a backend within what protects it. Raises NotAdmitted where it may not be, and what `caller` raises."""
    breaker = guard.breaker
    turn = call.turn = Turn(call.route.name, call.route.route.priority)
    try:
        if breaker is None:
            return await caller.call(call, send)
        return await _watched(call, caller, send, breaker, turn)
    finally:
        if turn.slot is not None:  # nothing was sent with it
            turn.slot.free()


async def _watched(call: Call, caller: Caller, send: Send, breaker: Breaker, turn: Turn) -> Judged:
    """Call a backend if its breaker lets that be, and tell the breaker. The time that a call waited is not the
    backend's, and a call that was given up for the client's sake says only that it was slow, if it was."""
    began = monotonic()
    given = breaker.admit(began)
    if given == REFUSED:
        name = call.plan.name
        raise NotAdmitted("breaker_open", f"{name} fails, and is left alone", breaker.refused_for(began))
    failed: bool | None = None
    try:
        answer = await caller.call(call, send)
    except (NotAdmitted, Abandoned):
        raise
    except BackendError:
        failed = True
        raise
    else:
        failed = answer[2] in _FAILED
        return answer
    finally:
        now = monotonic()
        if 0 < breaker.policy.slow < now - began - turn.waited:
            failed = True
        if failed is None:
            breaker.forgotten(given)
        else:
            breaker.ended(given, failed, now)
