"""A write is stored before the record is called, and what came of it before the client is answered."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.core.model import LEGACY, Gateway, Placeholder, Serve, Sticky, Target, Timeouts
from gateway.core.policies import BreakerPolicy, Idempotency, Protect, RetryPolicy, Way, Writes
from gateway.core.writing import Claim, Ending, Given, Intent, Receipt, Signal, State, lane_of
from gateway.proxy import writing
from tests.support.messages import answer
from tests.support.origin import Origin, Script, Talk, hang
from tests.support.serving import Serving
from tests.support.values import route
from tests.wire.test_guarded import seen

ID = "0" * 32
RECEIPT = f"/.banyan/receipts/{ID}"


@pytest.fixture
def legacy() -> Iterator[Origin]:
    with Origin() as found:
        yield found


@asynccontextmanager
async def serving(legacy: Origin, writes: Writes, **more: Any) -> AsyncIterator[Serving]:
    settings = {name: {"office": more.pop(name)} for name in ("protect", "retry") if name in more}
    gateway = Gateway(served_by=False, decode=1_000, timeout=Timeouts(connect=0.5, response=0.3))
    target = more.pop("target", Target("office"))
    given = route("ANY /a/{id}", legacy=target, serve=Serve.LEGACY, writes=writes, name="a", **more)
    with Origin() as new:
        found = Serving({"office": legacy, "repairs": new}, given, gateway=gateway, **settings)
        await found.open()
        try:
            yield found
        finally:
            await found.close()


async def put(serving: Serving, until: bytes, body: bytes = b"hi", *lines: str, method: str = "PUT") -> None:
    fields = "".join(f"{line}\r\n" for line in ("Host: api.example", f"Content-Length: {len(body)}", *lines))
    await serving.ask(f"{method} /a/7 HTTP/1.1\r\n{fields}\r\n".encode() + body, until)


def signals(serving: Serving) -> list[tuple[Signal, str]]:
    return [(each.signal, each.why) for each in serving.asked if isinstance(each, Ending)]


async def test_a_write_is_kept_before_it_is_made(legacy: Origin) -> None:
    """Whole, with what it is sent with; and then that the record took it. Reads are not."""
    async with serving(legacy, Writes(copy=True)) as found:
        order: list[str] = []
        stores = found.stores

        def make(talk: Talk) -> None:
            order.append("made")
            talk.body()
            talk.send(answer(b"ok"))

        def store(asked: Intent | Ending | Receipt) -> tuple[Any, ...] | None:
            order.append(type(asked).__name__)
            return stores(asked)

        legacy.on("/a/7", make)
        found.stores = store
        await put(found, b"ok", b"hi", "X-A: 1")
        await found.get("/a/7", until=b"ok")
        assert order == ["Intent", "made", "Ending", "made"]
        intent, ending = found.asked
        assert isinstance(intent, Intent)
        assert ending == Ending(intent.id, Signal.TOOK)
        assert (intent.route, intent.record, intent.copy, intent.queue, intent.key) == ("a", LEGACY, True, "", "/a/7")
        assert (intent.lane, intent.repeatable) == (lane_of(b"a", "/a/7"), True)
        assert (intent.kept.target, intent.kept.body, intent.until - intent.at) == (b"/a/7", b"hi", 86_400)
        assert b"X-A: 1\r\n" in intent.kept.fields
        assert b"X-Request-ID: " in intent.kept.lines


@pytest.mark.parametrize(
    ("script", "until", "signal", "why"),
    [
        (answer(b"no", status=404), b"no", Signal.NOTHING, "the record answered 404"),
        (answer(b"no", status=500), b"no", Signal.UNKNOWN, "the record answered 500"),
        (hang, b"504", Signal.UNKNOWN, "timeout"),
        (lambda talk: talk.reset(), b"502", Signal.UNKNOWN, "answer_invalid"),
    ],
)
async def test_what_came_of_it_is_kept(legacy: Origin, script: Script, until: bytes, signal: Signal, why: str) -> None:
    """What the record has not done is owed to nobody; what it may have done is not forgotten."""
    legacy.on("/a/7", script)
    async with serving(legacy, Writes(copy=True)) as found:
        await put(found, until)
        [(told, reason)] = signals(found)
        assert told is signal
        assert reason == why or why == "answer_invalid"


@pytest.mark.parametrize(("status", "signal"), [(201, Signal.TOOK), (303, Signal.TOOK), (308, Signal.NOTHING)])
async def test_who_is_sent_elsewhere_has_not_done_anything(legacy: Origin, status: int, signal: Signal) -> None:
    """303 tells where to look at what was done, 308 where to ask for it (RFC 9110, section 15.4)."""
    legacy.on("/a/7", answer(b"there", "Location: /b", status=status))
    async with serving(legacy, Writes(copy=True)) as found:
        await put(found, b"there")
        assert [each for each, _ in signals(found)] == [signal]


async def test_what_an_earlier_try_may_have_done_is_not_forgotten(legacy: Origin) -> None:
    """Though the last one could not be sent, or was refused for now: neither is it queued, to be done twice."""
    came: list[bytes] = []

    def script(talk: Talk) -> None:
        came.append(talk.body())
        if len(came) == 1:
            talk.reset()
        else:
            talk.send(answer(b"busy", status=503))

    legacy.on("/a/7", script)
    async with serving(legacy, Writes(copy=True), retry=RetryPolicy(2, backoff=0.0, budget=1.0)) as found:
        await put(found, b"busy")
        assert came == [b"hi"] * 2
        assert signals(found) == [(Signal.UNKNOWN, "the record answered 503")]


async def test_what_the_record_is_being_changed_for_is_not_made(legacy: Origin) -> None:
    """It would be with the side that has it no longer."""
    async with serving(legacy, Writes(copy=True)) as found:
        found.stores = lambda asked: ("moved",)
        await put(found, b"the system of record is just being changed")
        assert legacy.requests == []


async def test_where_nobody_could_be_asked_nothing_is_owed(legacy: Origin) -> None:
    """A record that cannot be reached has not done it."""
    legacy.stop()
    async with serving(legacy, Writes(copy=True)) as found:
        await put(found, b"502 Bad Gateway")
        assert signals(found) == [(Signal.NOTHING, "connect_failed")]


async def test_a_request_that_fits_no_target_is_owed_to_nobody(legacy: Origin) -> None:
    """It was refused before anything was sent."""
    target = Target("office", (b"/b/", Placeholder("query", b"q")))
    async with serving(legacy, Writes(copy=True), target=target) as found:
        await put(found, b"422")
        assert signals(found) == [(Signal.NOTHING, "it was refused, or its client left")]


async def test_what_cannot_be_kept_is_not_made(legacy: Origin) -> None:
    """Neither without a store, nor where it is larger than may be held."""
    async with serving(legacy, Writes(copy=True)) as found:
        found.stores = lambda asked: ("failed", "the store is away") if isinstance(asked, Intent) else ("done",)
        await put(found, b"The write was not made: the store is away")
        await put(found, b"413", b"x" * 1_001)
        assert legacy.requests == []


async def test_a_write_that_was_made_is_answered(legacy: Origin) -> None:
    """Whatever the store does afterwards: what is done is done."""
    async with serving(legacy, Writes(copy=True)) as found:
        found.stores = lambda asked: ("go",) if isinstance(asked, Intent) else ("failed", "gone")
        await put(found, b"ok")
        assert found.durable.owed == 1


async def test_the_writes_of_a_lane_take_turns(legacy: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that waits too long is refused, and not made."""
    monkeypatch.setattr(writing, "BUSY", 0.1)
    async with serving(legacy, Writes(copy=True)) as found:
        answers = iter([("busy",), ("busy",), ("go",)])
        found.stores = lambda asked: next(answers) if isinstance(asked, Intent) else ("done",)
        await put(found, b"ok")
        assert len({each.id for each in found.asked}) == 1
        found.stores = lambda asked: ("busy",)
        await put(found, b"another write of the same key takes too long")
        assert len(legacy.requests) == 1


@pytest.mark.parametrize(
    ("way", "key"),
    [
        (Way("path", ("id",)), "7"),
        (Way("body", ("no",)), "8"),
        (Way("header", ("x-a",)), ""),
    ],
)
async def test_a_key_says_what_keeps_its_order(legacy: Origin, way: Way, key: str) -> None:
    """Those without one keep their order among themselves."""
    async with serving(legacy, Writes(copy=True, key=way), journey="rents") as found:
        await put(found, b"ok", b'{"no": 8}', "Content-Type: application/json")
        intent = found.asked[0]
        assert isinstance(intent, Intent)
        assert (intent.key, intent.lane) == (key, lane_of(b"rents", key))


async def test_a_write_waits_behind_others(legacy: Origin) -> None:
    """While some of its lane wait for the record, it does, too: its client has a receipt, and nobody is asked."""
    async with serving(legacy, Writes(queue=True)) as found:
        await put(found, b"ok")
        assert [type(each) for each in found.asked] == [Intent]  # only asked whether others wait
        found.stores = lambda asked: ("queued", ID)
        await put(found, b'"state": "accepted"')
        assert len(legacy.requests) == 1
        [_, mine] = seen(found)
        assert (mine.status, mine.backend, mine.error) == (202, "", "")


async def test_a_record_that_is_away_is_waited_for(legacy: Origin) -> None:
    """Once its breaker is open the write is queued at once; what no record could be sent is refused even so."""
    legacy.on("/a/7", answer(b"no", status=500))
    breaker = Protect(breaker=BreakerPolicy(open_after=1, share=0.1, retry_after=30))
    async with serving(legacy, Writes(queue=True, copy=True), protect=breaker) as found:
        await put(found, b"no")
        del found.asked[:]
        await put(found, b'"state": "accepted"')
        [intent] = found.asked
        assert isinstance(intent, Intent)
        assert (intent.queue, intent.copy) == ("now", True)
        await put(found, b"400", b"{", "Content-Type: application/json")
        assert len(found.asked) == 1
        assert len(legacy.requests) == 1


async def test_a_record_that_turns_out_to_be_away_is_waited_for(legacy: Origin) -> None:
    """Nothing was sent, so nothing is owed for the try, and the write is queued in its place."""
    legacy.stop()
    async with serving(legacy, Writes(queue=True, copy=True)) as found:
        await put(found, b'"state": "accepted"', b"{}", "Content-Type: application/json")
        first, over, queued = found.asked
        assert isinstance(first, Intent)
        assert isinstance(queued, Intent)
        assert (first.queue, over, queued.queue) == ("behind", Ending(first.id, Signal.NOTHING), "now")
        assert queued.id != first.id


async def test_a_receipt_tells_what_became_of_a_write(legacy: Origin) -> None:
    """In words, with the record's answer once there is one; it is kept nowhere on the way."""
    async with serving(legacy, Writes(queue=True)) as found:
        found.stores = lambda asked: ("receipt", State.READY, 0.0, None)
        await found.get(RECEIPT, until=b"Cache-Control: no-store\r\n")
        assert found.asked == [Receipt(ID)]
        given = Given(201, b"Location: /b\r\nSet-Cookie: no\r\nContent-Type: application/json\r\n", b'{"a": 1}')
        found.stores = lambda asked: ("receipt", State.DELIVERED, 0.0, given)
        told = {"status": 201, "headers": {"Location": "/b", "Content-Type": "application/json"}, "body": {"a": 1}}
        await found.get(RECEIPT, until=f'"answer": {json.dumps(told)}'.encode())
        found.stores = lambda asked: (
            "receipt",
            State.REFUSED,
            0.0,
            Given(422, b"Content-Type: text/plain\r\n", b"{no"),
        )
        await found.get(RECEIPT, until=b'"body": "{no"')
        found.stores = lambda asked: ("receipt", State.REFUSED, 0.0, Given(422, b"Content-Type: text/json\r\n", b"{no"))
        await found.get(RECEIPT, until=b'"body": "{no"')
        found.stores = lambda asked: ("none",)
        await found.get(RECEIPT, until=b"There is no such receipt")
        found.stores = lambda asked: ("failed", "")
        await found.get(RECEIPT, until=b"503")


@pytest.mark.parametrize("path", ["/.banyan/", "/.banyan/receipts/", "/.banyan/receipts/x", f"{RECEIPT}/"])
async def test_the_gateways_own_place_holds_nothing_else(legacy: Origin, path: str) -> None:
    """Whatever the routes say; and receipts are only read."""
    async with serving(legacy, Writes(queue=True)) as found:
        await found.get(path, until=b"Nothing is served at this address")
        await found.ask(f"DELETE {RECEIPT} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), b"Allow: GET, HEAD")
        assert found.asked == []
        assert legacy.requests == []


# ------------------------------------------------------------------------------------------------ clients' own keys

KEY = 'Idempotency-Key: "k1"'


@asynccontextmanager
async def keyed(legacy: Origin, **policy: Any) -> AsyncIterator[Serving]:
    async with serving(legacy, Writes(), idempotency=Idempotency(**policy)) as found:
        yield found


def claims(serving: Serving) -> list[Claim]:
    return [each.claim for each in serving.asked if isinstance(each, Intent) and each.claim is not None]


async def test_a_key_is_claimed_by_its_client(legacy: Origin) -> None:
    """For what it sends, whatever is around it; another client's key is another one, and so is another write's."""
    async with keyed(legacy, keep=60.0) as found:
        await put(found, b"ok", b"hi", KEY)
        await put(found, b"ok", b"hi", KEY, "X-Other: 1")
        await put(found, b"ok", b"ho", KEY)
        await put(found, b"ok", b"hi", KEY, "Authorization: Bearer x")
        await put(found, b"ok", b"hi", "Idempotency-Key: k2")
        await put(found, b"ok", b"hi")
        first, same, changed, theirs, other = claims(found)
        assert first.scope == same.scope == changed.scope
        assert first.fingerprint == same.fingerprint != changed.fingerprint
        assert len({first.scope, theirs.scope, other.scope}) == 3
        assert 50 < first.until - found.asked[0].at <= 60  # type: ignore[union-attr]


async def test_a_client_is_known_by_what_its_route_is_split_by(legacy: Origin) -> None:
    """Where it shows no credentials."""
    async with serving(legacy, Writes(), idempotency=Idempotency(), sticky=Sticky("cookie", b"c")) as found:
        for cookie in ("c=1; d=1", "c=1; d=2", "c=2", "d=1"):
            await put(found, b"ok", b"hi", KEY, f"Cookie: {cookie}")
        one, same, other, none = claims(found)
        assert one.scope == same.scope
        assert len({one.scope, other.scope, none.scope}) == 3


async def test_the_first_answer_is_kept_as_the_client_saw_it(legacy: Origin) -> None:
    """With its fields and its body, and given again as such; what could not be kept is known to be so."""
    legacy.on("/a/7", answer(b"made", f"Location: http://127.0.0.1:{legacy.port}/b", "Set-Cookie: a=1", status=201))
    async with keyed(legacy) as found:
        await put(found, b"made", b"hi", KEY)
        ending = found.asked[-1]
        assert isinstance(ending, Ending)
        assert (ending.signal, ending.scope) == (Signal.TOOK, claims(found)[0].scope)
        assert ending.given is not None
        assert (ending.given.status, ending.given.body) == (201, b"made")
        assert b"Location: http://api.example/b\r\n" in ending.given.lines
        assert b"Set-Cookie" not in ending.given.lines  # whoever has the key has no session by that
        found.stores = lambda asked: ("replay", ending.given)
        for part in (b"HTTP/1.1 201 Created", b"Location: http://api.example/b\r\n", b"Idempotency-Replayed: true\r\n"):
            await put(found, part, b"hi", KEY)
            await found.ask(b"", b"made")
        assert len(legacy.requests) == 1


async def test_a_failure_is_kept_where_something_may_have_been_done(legacy: Origin) -> None:
    """And forgotten where nothing was: then it may be tried again."""
    legacy.on("/a/7", hang)
    async with keyed(legacy) as found:
        await put(found, b"504", b"hi", KEY)
        ending = found.asked[-1]
        assert isinstance(ending, Ending)
        assert ending.given is not None
        assert (ending.signal, ending.given.status) == (Signal.UNKNOWN, 504)
        legacy.stop()
        await put(found, b"502 Bad Gateway", b"ho", KEY)
        ending = found.asked[-1]
        assert isinstance(ending, Ending)
        assert (ending.signal, ending.given) == (Signal.NOTHING, None)


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        (("mismatch",), b"Something else was sent with this Idempotency-Key before."),
        (("in_flight",), b"A request with this Idempotency-Key is being worked on."),
        (("unknown",), b"What came of the first request with this Idempotency-Key is not known."),
    ],
)
async def test_a_key_that_cannot_be_used_is_refused(legacy: Origin, stored: tuple[Any, ...], told: bytes) -> None:
    """With 422 or 409, and the reason (draft-ietf-httpapi-idempotency-key-header, section 2.7)."""
    async with keyed(legacy) as found:
        found.stores = lambda asked: stored
        await put(found, told, b"hi", KEY)
        assert legacy.requests == []


async def test_a_key_may_be_asked_for(legacy: Origin) -> None:
    """Reads need none; one that is too long is none."""
    async with keyed(legacy, required=True) as found:
        await put(found, b"This address takes writes with an Idempotency-Key only.")
        await put(found, b"The Idempotency-Key is longer than 255 bytes.", b"hi", f"Idempotency-Key: {'k' * 256}")
        await found.get("/a/7", until=b"ok")
        assert len(legacy.requests) == 1
