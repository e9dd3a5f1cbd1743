"""A write that must not be lost: its intent is stored before the record is called, and what came of it afterwards.

The client is answered once both are durable. A record that is away may have the write wait for it; then the client gets
a receipt.
"""

import asyncio
import json
from collections.abc import Awaitable
from secrets import token_hex
from time import monotonic, time

from connectors.base import Caller
from gateway.core.crosswalk import Pairs, half_of, made_by
from gateway.core.fields import Fields
from gateway.core.model import Acted, Gateway, Outcome
from gateway.core.problems import Refusal
from gateway.core.ways import field, value_of
from gateway.core.writing import Ending, Intent, Kept, Made, Signal, lane_of
from gateway.errors import BackendError, ClientError, ConnectFailed, NotAcquired, NotAdmitted
from gateway.proxy.answers import write_own
from gateway.proxy.attempts import Attempt
from gateway.proxy.durable import Durable, not_stored
from gateway.proxy.insisting import called
from gateway.proxy.receipts import RECEIPTS
from gateway.wire.body import Body, too_large
from gateway.wire.pool import Judged, Parcel, Pool

BUSY, SOON = 10.0, 0.02
"""Seconds that a write waits for the one before it in its lane, and between two looks."""
_AWAY = frozenset({"breaker_open", "maintenance"})


class _Prepared(Exception):
    """A request could be made for the backend; nothing was sent."""


async def kept_write(
    attempt: Attempt, caller: Caller, pool: Pool, gateway: Gateway, durable: Durable, pairs: Pairs
) -> Judged | None:
    """Do a write whose route says that it is owed to somebody. None when the client has its receipt. What it makes is
    known in `pairs` at once, before the other side has it.

    Raises BackendError where the record failed, ClientError where the write cannot be kept.
    """
    route, plan = attempt.route, attempt.plan
    limit = plan.max_body or gateway.decode
    body = await attempt.body.capture(limit) if attempt.request.length else b""
    if body is None:
        raise too_large(limit)
    queues = route.route.writes.queue
    intent = _intent(attempt, body)
    if queues and _is_away(pool):
        await _queued(attempt, caller, intent, durable)
        return None
    stored = await _begun(intent, durable)
    if stored == "queued":  # others of its lane wait already
        _receipt(attempt, intent)
        return None
    try:
        answer = await called(attempt, caller, pool, gateway)
    except ClientError:
        await _ended(intent, Signal.NOTHING, "it was refused", durable)
        raise
    except BackendError as error:
        away = (isinstance(error, NotAdmitted) and error.kind in _AWAY) or isinstance(
            error, ConnectFailed | NotAcquired
        )
        if queues and away:
            attempt.end()
            attempt.body.replay()
            if intent.copy:
                durable.owe(Ending(intent.id, Signal.NOTHING))  # stored before what follows
            await _queued(attempt, caller, intent._replace(id=token_hex(16)), durable)
            return None
        await _ended(intent, Signal.UNKNOWN if error.request_sent else Signal.NOTHING, error.kind, durable)
        raise
    head, answer_body, outcome, acted = answer
    signal = _signal_of(head.status, outcome, acted)
    if signal is not Signal.TOOK:
        await _ended(intent, signal, f"the record answered {head.status}", durable)
        return answer
    made = await _made(attempt, head.fields, answer_body, gateway.decode) if route.crosswalk is not None else None
    if made is not None:
        pairs.add([half_of(made)])
    await _ended(intent, signal, "", durable, made)
    return answer


async def _made(attempt: Attempt, fields: Fields, body: Body, limit: int) -> Made | None:
    """The identifier of what the record has just made, where its answer has one."""
    crosswalk, side = attempt.route.crosswalk, attempt.plan.side
    try:
        data = await body.capture(limit)
    except BackendError:  # it breaks off, which the client is told; the write was made all the same
        return None
    return None if data is None or crosswalk is None else made_by(crosswalk, side, fields, data)


def _intent(attempt: Attempt, body: bytes) -> Intent:
    """What is stored of a write before it is done."""
    route, request = attempt.route, attempt.request
    writes, now = route.route.writes, time()
    key = None if writes.key is None else value_of(writes.key, route, request, body)
    if writes.key is None:
        key = request.path.decode("latin-1")
    return Intent(
        id=token_hex(16),
        route=route.name,
        lane=lane_of(route.journey, key or ""),
        key=key or "",
        record=attempt.plan.side,
        copy=writes.copy,
        queue="behind" if writes.queue else "",
        repeatable=request.method in route.idempotent,
        at=now,
        until=now + writes.give_up,
        kept=Kept(
            request.method,
            request.target,
            request.path,
            request.query,
            request.host,
            request.lines,
            attempt.lines,
            attempt.exchange.connection.peer.scheme,
            body,
        ),
    )


async def _begun(intent: Intent, durable: Durable) -> str:
    """Store an intent once those before it in its lane are done: "go", or "queued". Raises ClientError."""
    until = monotonic() + BUSY
    while (answer := await durable.begin(intent))[0] == "busy":
        if monotonic() > until:
            raise not_stored("another write of the same key takes too long")
        await asyncio.sleep(SOON)
    return str(answer[0])


async def _ended(intent: Intent, signal: Signal, why: str, durable: Durable, made: Made | None = None) -> None:
    """Store what came of a write. Where that cannot be had in time the client is answered all the same: what the record
    has done is done, and is told again until it is stored."""
    if intent.copy:
        await durable.end(Ending(intent.id, signal, why, made))


def _signal_of(status: int, outcome: Outcome, acted: Acted) -> Signal:
    """What an answer of the record says about the write."""
    if outcome is Outcome.OK and status < 400:
        return Signal.TOOK
    if outcome is Outcome.BUSINESS_FAULT or 400 <= status < 500 or acted == "no":
        return Signal.NOTHING
    return Signal.UNKNOWN


# ------------------------------------------------------------------------------------------------ queueing


def _is_away(pool: Pool) -> bool:
    """Whether it is known already that a record would not be asked."""
    guard = pool.guard
    return guard is not None and guard.breaker is not None and guard.breaker.refused_for(monotonic()) > 0


async def _queued(attempt: Attempt, caller: Caller, intent: Intent, durable: Durable) -> None:
    """Have a write wait for its record, if it could be sent there. Raises ClientError."""
    await _check(attempt, caller, intent.kept.body)
    await durable.begin(intent._replace(queue="now"))
    _receipt(attempt, intent)


async def _check(attempt: Attempt, caller: Caller, body: bytes) -> None:
    """What could never be delivered is refused at once: the request is made for the backend, and not sent. Raises
    ClientError."""
    content_type = field(attempt.request.fields, b"content-type").partition(b";")[0].strip().lower()
    if content_type == b"application/json" or content_type.endswith(b"+json"):
        try:
            json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ClientError(400, "The body is not JSON.") from error
    try:
        await caller.call(attempt, _prepared)
    except _Prepared:
        attempt.body.replay()


def _prepared(parcel: Parcel) -> Awaitable[Judged]:
    raise _Prepared


def _receipt(attempt: Attempt, intent: Intent) -> None:
    """Answer 202: the write will be made, and where to ask what came of it (RFC 9110, section 15.3.3)."""
    where = RECEIPTS + intent.id.encode()
    body = json.dumps({"state": "accepted", "receipt": where.decode()}).encode()
    headers = ((b"Location", where), (b"Cache-Control", b"no-store"))
    write_own(attempt.exchange, Refusal(202, b"application/json", body), headers)
