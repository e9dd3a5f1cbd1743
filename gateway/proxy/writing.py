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
from gateway.core.fields import field_lines, fields_of
from gateway.core.model import Acted, Gateway, Outcome
from gateway.core.planning import client_key
from gateway.core.problems import Refusal, problem
from gateway.core.tracing import belated
from gateway.core.ways import field, value_of
from gateway.core.writing import ELSEWHERE, Claim, Ending, Given, Intent, Kept, Signal, claim_of, lane_of
from gateway.errors import BackendError, ClientError, ConnectFailed, NotAcquired, NotAdmitted
from gateway.proxy.answers import write_own
from gateway.proxy.attempts import Attempt
from gateway.proxy.copies import seen_fields, without
from gateway.proxy.durable import Answer, Durable, not_stored
from gateway.proxy.insisting import called
from gateway.proxy.receipts import RECEIPTS
from gateway.wire.body import too_large
from gateway.wire.pool import Judged, Parcel, Pool

BUSY, SOON = 10.0, 0.02
"""Seconds that a write waits for the one before it in its lane, and between two looks."""
LONGEST_KEY = 255
_SOON = ((b"Retry-After", b"1"),)
_OUR_OWN = frozenset({b"content-type", b"content-length", b"date", b"x-request-id", b"via", b"connection"})
_TEMPORARY = frozenset({429, 503})
"""Statuses that say that a request was not taken up (RFC 9110, section 15.6.4; RFC 6585, section 4)."""
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
    if route.crosswalk is not None:  # what it makes is to be read in the answer
        attempt.request = without(attempt.request, frozenset({b"accept-encoding"}))
    queues = route.route.writes.queue
    intent = _intent(attempt, body)
    if queues and _is_away(pool):
        await _queued(attempt, caller, intent, durable)
        return None
    stored = await _begun(intent, durable)
    if stored[0] != "go":
        _told(attempt, stored)
        return None
    try:
        answer = await called(attempt, caller, pool, gateway)
    except ClientError:
        signal = Signal.UNKNOWN if attempt.exposed else Signal.NOTHING
        await _ended(intent, Ending(intent.id, signal, "it was refused, or its client left"), durable)
        raise
    except BackendError as error:
        if queues and not attempt.exposed and _turned_out_to_be_away(error):
            attempt.end()
            attempt.body.replay()
            if intent.copy or intent.claim is not None:
                durable.owe(_scoped(intent, Ending(intent.id, Signal.NOTHING)))  # stored before what follows
            await _queued(attempt, caller, intent._replace(id=token_hex(16)), durable)
            return None
        sent = error.request_sent or attempt.exposed
        ending = Ending(intent.id, Signal.UNKNOWN if sent else Signal.NOTHING, error.kind)
        await _ended(intent, ending._replace(given=_failed(error) if sent else None), durable)
        raise
    except Exception:  # a defect of ours must not leave a write that nobody tells of
        await _ended(intent, Ending(intent.id, Signal.UNKNOWN, "the gateway failed"), durable)
        raise
    await _ended(intent, await _ending(attempt, intent, answer, gateway, pairs), durable)
    return answer


async def _ending(attempt: Attempt, intent: Intent, answer: Judged, gateway: Gateway, pairs: Pairs) -> Ending:
    """What an answer of the record says about the write, with what it has made, and what the client is given."""
    head, body, outcome, acted = answer
    signal, crosswalk = _signal_of(head.status, outcome, acted), attempt.route.crosswalk
    if attempt.exposed and signal is Signal.NOTHING:
        signal = Signal.UNKNOWN  # an earlier try may have done it: this answer may be about that
    data: bytes | None = None
    if intent.claim is not None or (crosswalk is not None and signal is Signal.TOOK):
        try:
            data = await body.capture(gateway.capture)
        except BackendError:  # it breaks off, which the client is told; what was done is done all the same
            data = None
    made = None
    if data is not None and crosswalk is not None and signal is Signal.TOOK:
        made = made_by(crosswalk, attempt.plan.side, head.fields, data)
    if made is not None:
        pairs.add([half_of(made)])
    given = None
    if data is not None and intent.claim is not None and head.status not in _TEMPORARY:
        seen = seen_fields(gateway, attempt, attempt.exchange.connection.peer.scheme, head)
        fields = [each for each in seen if each[0].lower() != b"set-cookie"]  # a session is nobody else's, ever
        given = Given(head.status, field_lines(fields), data)
    why = "" if signal is Signal.TOOK else f"the record answered {head.status}"
    return Ending(intent.id, signal, why, made, given=given)


def _turned_out_to_be_away(error: BackendError) -> bool:
    """Whether a record is away, and has not been sent anything."""
    refused = isinstance(error, NotAdmitted) and error.kind in _AWAY
    return refused or isinstance(error, ConnectFailed | NotAcquired)


def _intent(attempt: Attempt, body: bytes) -> Intent:
    """What is stored of a write before it is done."""
    route, request, asked = attempt.route, attempt.request, attempt.asked
    writes, now = route.route.writes, time()
    key = None if writes.key is None else value_of(writes.key, route, request, body)
    if writes.key is None:
        key = request.path.decode("latin-1")
    kept = Kept(  # as the client calls things: each side is told in its own words when it gets it
        asked.method,
        asked.target,
        asked.path,
        asked.query,
        asked.host,
        asked.lines,
        belated(attempt.lines, attempt.exchange.ids[1]),
        attempt.exchange.connection.peer.scheme,
        body if attempt.asked_body is None else attempt.asked_body,
    )
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
        kept=kept,
        claim=_claim(attempt, kept, now),
    )


def _claim(attempt: Attempt, kept: Kept, now: float) -> Claim | None:
    """What the client's `Idempotency-Key` claims (draft-ietf-httpapi-idempotency-key-header). Raises ClientError (400)
    where there must be one, or it is none."""
    route, request = attempt.route, attempt.request
    policy = route.route.idempotency
    if policy is None:
        return None
    key = field(request.fields, b"idempotency-key")
    if not key:
        if policy.required:
            raise ClientError(400, "This address takes writes with an Idempotency-Key only.")
        return None
    if len(key) > LONGEST_KEY:
        raise ClientError(400, f"The Idempotency-Key is longer than {LONGEST_KEY} bytes.")
    return claim_of(route.route.id, _client(attempt), key, kept, now + policy.keep)


def _client(attempt: Attempt) -> bytes:
    """Who has a key: by its credentials, or else by what the route splits its clients by, or by its address and its
    cookies. One client's keys are nothing to another."""
    request, sticky = attempt.request, attempt.route.route.sticky
    if credentials := field(request.fields, b"authorization"):
        return b"a" + credentials
    if sticky is not None and sticky.source != "address" and (key := client_key(sticky, request, b"")):
        return b"k" + key
    return b"i" + attempt.client + b"\0" + request.cookie


async def _begun(intent: Intent, durable: Durable) -> Answer:
    """Store an intent once those before it in its lane are done: see `store.writes.begin`. Raises ClientError."""
    until = monotonic() + BUSY
    while (answer := await durable.begin(intent))[0] == "busy":
        if monotonic() > until:
            raise not_stored("another write of the same key takes too long")
        await asyncio.sleep(SOON)
    return answer


async def _ended(intent: Intent, ending: Ending, durable: Durable) -> None:
    """Store what came of a write. Where that cannot be had in time the client is answered all the same: what the record
    has done is done, and is told again until it is stored."""
    if intent.copy or intent.claim is not None:
        await durable.end(_scoped(intent, ending))


def _scoped(intent: Intent, ending: Ending) -> Ending:
    return ending if intent.claim is None else ending._replace(scope=intent.claim.scope)


def _signal_of(status: int, outcome: Outcome, acted: Acted) -> Signal:
    """What an answer of the record says about the write."""
    if outcome is Outcome.OK and status < 400 and status not in ELSEWHERE:
        return Signal.TOOK
    if status in _TEMPORARY or status in ELSEWHERE:
        return Signal.NOTHING
    if outcome is Outcome.BUSINESS_FAULT or 400 <= status < 500 or acted == "no":
        return Signal.NOTHING
    return Signal.UNKNOWN


# ------------------------------------------------------------------------------------------------ queueing


def _is_away(pool: Pool) -> bool:
    """Whether it is known already that a record would not be asked."""
    guard = pool.guard
    if guard is None:
        return False
    closed = guard.closed_until(time()) is not None
    return closed or (guard.breaker is not None and guard.breaker.refused_for(monotonic()) > 0)


async def _queued(attempt: Attempt, caller: Caller, intent: Intent, durable: Durable) -> None:
    """Have a write wait for its record, if it could be sent there. Raises ClientError."""
    await _check(attempt, caller, intent.kept.body)
    _told(attempt, await _begun(intent._replace(queue="now"), durable))


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
    except ClientError as error:
        if error.status != 504:  # it has all the time that it takes
            raise


def _prepared(parcel: Parcel) -> Awaitable[Judged]:
    raise _Prepared


# ------------------------------------------------------------------------------------------------ answering


def _told(attempt: Attempt, stored: Answer) -> None:
    """Answer for a write that the record is not asked about now. Raises ClientError."""
    match stored:
        case ("queued", str(write_id)):
            _receipt(attempt, write_id)
        case ("replay", Given() as given):
            _replay(attempt, given)
        case ("moved",):
            raise not_stored("the system of record is just being changed")
        case ("mismatch",):
            raise ClientError(422, "Something else was sent with this Idempotency-Key before.")
        case ("in_flight",):
            raise ClientError(409, "A request with this Idempotency-Key is being worked on.", headers=_SOON)
        case _:
            raise ClientError(409, "What came of the first request with this Idempotency-Key is not known.")


def _receipt(attempt: Attempt, write_id: str) -> None:
    """Answer 202: the write will be made, and where to ask what came of it (RFC 9110, section 15.3.3)."""
    where = RECEIPTS + write_id.encode()
    body = json.dumps({"state": "accepted", "receipt": where.decode()}).encode()
    headers = ((b"Location", where), (b"Cache-Control", b"no-store"))
    write_own(attempt.exchange, Refusal(202, b"application/json", body), headers)


def _replay(attempt: Attempt, given: Given) -> None:
    """Give the first answer once more."""
    fields = fields_of(given.lines)
    content_type = field(fields, b"content-type")
    kept = [each for each in fields if each[0].lower() not in _OUR_OWN]
    headers = (*kept, (b"Idempotency-Replayed", b"true"))
    write_own(attempt.exchange, Refusal(given.status, content_type, given.body), headers)


def _failed(error: BackendError) -> Given:
    """What a client is told of a record that failed, as it is told again."""
    refusal = problem(error.status, error.public_detail, "")
    return Given(refusal.status, b"Content-Type: %b\r\n" % refusal.content_type, refusal.body)
