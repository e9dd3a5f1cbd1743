"""Copies: what is sent to the side that does not serve, what is compared, and what is shed instead."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from gateway.core import model
from gateway.core.captured import GONE, CapturedRequest, Seconds
from gateway.core.model import BUCKETS, Gateway, Route, Serve
from gateway.core.policies import Otlp, Shadow, Standing
from gateway.core.tracing import traced_of
from gateway.proxy import pace, shadows
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, hang
from tests.support.serving import Serving
from tests.support.values import route

ALL = Shadow(BUCKETS)


async def answered(serving: Serving) -> Seconds:
    """The second answers, once there is one more."""
    known = len(serving.seconds)
    async with asyncio.timeout(5):
        while len(serving.seconds) == known:
            serving.shadows.flush()
            await asyncio.sleep(0.01)
    return serving.seconds


Start = Callable[..., Awaitable[Serving]]


def copied(pattern: str = "ANY /a", serve: Serve = Serve.LEGACY, shadow: Shadow = ALL, **more: Any) -> Route:
    return route(pattern, serve, shadow=shadow, **more)


@pytest.fixture
def legacy() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
def new() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
async def start(legacy: Origin, new: Origin) -> AsyncIterator[Start]:
    running: list[Serving] = []

    async def begin(*routes: Route, gateway: Gateway | None = None) -> Serving:
        serving = Serving({"office": legacy, "repairs": new}, *routes, gateway=gateway)
        await serving.open()
        running.append(serving)
        return serving

    yield begin
    for serving in running:
        await serving.close()


async def test_both_answers_are_handed_on(start: Start, legacy: Origin, new: Origin) -> None:
    """As the client saw the one, and would have seen the other, as far as it is compared."""
    legacy.on("/a", answer(b"old", "Content-Type: text/plain"))
    new.on("/a", answer(b"fresh", "Content-Type: text/plain", "X-Other: 1", status=201))
    serving = await start(copied())
    await serving.get("/a?x=1", "Accept: text/plain", until=b"old")
    (sample,) = await serving.compared()
    assert (sample.route, sample.control_side, sample.source) == ("ANY /a", "legacy", "shadow")
    assert (sample.control.status, sample.control.body) == (200, b"old")
    assert (sample.candidate.status, sample.candidate.body) == (201, b"fresh")
    assert sample.candidate.fields == ((b"Content-Type", b"text/plain"),)
    assert sample.second is None


async def test_a_copy_says_that_it_is_one(start: Start, legacy: Origin, new: Origin) -> None:
    """The candidate sees the client's request with one field more; the side that serves does not."""
    serving = await start(copied())
    await serving.get("/a", "Cookie: session=1", until=b"ok")
    await serving.compared()
    assert [each.get("X-Banyan-Shadow") for each in legacy.seen("/a")] == [None]
    assert [(each.get("X-Banyan-Shadow"), each.get("Cookie")) for each in new.seen("/a")] == [("1", "session=1")]


async def test_after_the_cut_over_legacy_gets_the_copies(start: Start, legacy: Origin, new: Origin) -> None:
    """Whichever side serves, the other one is the candidate; a live override turns it round at once."""
    serving = await start(copied(serve=Serve.NEW))
    await serving.get("/a", until=b"ok")
    assert [each.control_side for each in await serving.compared()] == ["new"]
    serving.live.table.stand({"ANY /a": Standing(override=0)})
    await serving.get("/a", until=b"ok")
    assert [each.control_side for each in await serving.compared(2)] == ["new", "legacy"]


async def test_only_safe_requests_are_copied(start: Start, new: Origin) -> None:
    """Unless the route says that its candidate is a sandbox; then the copy has the whole body."""
    serving = await start(copied("ANY /a"), copied("ANY /b", shadow=ALL._replace(sandbox=True)))
    await serving.ask(b"POST /a HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\n\r\none", b"ok")
    await serving.ask(b"POST /b HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\n\r\ntwo", b"ok")
    await serving.compared()
    assert new.seen("/a") == []
    assert [each.body for each in new.seen("/b")] == [b"two"]
    assert [each.route for each in serving.samples] == ["ANY /b"]


@pytest.mark.parametrize(
    "line", ['If-None-Match: "1"', "if-modified-since: Sat, 28 Nov 2026 12:00:00 GMT", "Range: bytes=1-"]
)
async def test_what_is_about_one_sides_answer_is_not_asked_of_the_other(start: Start, new: Origin, line: str) -> None:
    """Each side has tags of its own: that one knows the client's and the other does not is no difference."""
    serving = await start(copied())
    await serving.get("/a?1", line)
    await serving.get("/a?2")
    assert len(await serving.compared()) == 1
    assert [each.target for each in new.requests] == ["/a?2"]
    assert serving.skipped == {}


async def test_what_follows_a_proof_on_its_connection_is_not_copied(start: Start, legacy: Origin, new: Origin) -> None:
    """Later requests are the same person's without saying so; elsewhere they would be nobody's."""
    serving = await start(copied(), copied("ANY /b"))
    await serving.get("/a", "Authorization: NTLM abc")
    await serving.get("/a")
    await asyncio.sleep(0.2)
    assert await serving.compared(0) == []
    assert (len(legacy.requests), new.requests) == (2, [])


async def test_a_share_of_requests_is_copied(start: Start) -> None:
    """About as many as the route says, drawn one by one."""
    serving = await start(copied(shadow=Shadow(BUCKETS // 4)))
    for _ in range(400):
        await serving.get("/a", until=b"ok")
    await serving.compared(1)
    await asyncio.sleep(0.2)
    serving.watch.flush()
    await asyncio.sleep(0.2)
    serving.shadows.flush()
    assert 60 <= len(serving.samples) <= 145


async def test_the_client_never_waits_for_a_copy(start: Start, new: Origin) -> None:
    """A candidate that hangs costs the copy its deadline, and is a timeout; live answers come as ever."""
    new.on("/a", hang)
    serving = await start(copied(shadow=ALL._replace(timeout=0.3)))
    for _ in range(5):
        await serving.get("/a", until=b"ok")
    samples = await serving.compared(5)
    assert {each.candidate.error for each in samples} == {"timeout"}
    assert {each.control.status for each in samples} == {200}


async def test_a_hanging_candidate_holds_up_no_other(
    start: Start, new: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies under way are bounded per backend; what finds the queue full is counted as skipped."""
    monkeypatch.setattr(shadows, "MOST_UNDER_WAY", 2)
    monkeypatch.setattr(shadows, "QUEUED", 3)
    new.on("/a", hang)
    serving = await start(copied(shadow=ALL._replace(timeout=0.5)), copied("ANY /b", serve=Serve.NEW))
    for _ in range(10):
        await serving.get("/a", until=b"ok")
        serving.watch.flush()
        await asyncio.sleep(0.001)
    await serving.get("/b", until=b"ok")
    (sample,) = await serving.compared(6)
    assert sample.route == "ANY /b"
    assert serving.skipped == {("ANY /a", "queue_full"): 5}


async def test_a_route_without_a_shadow_is_not_copied(start: Start, new: Origin) -> None:
    """Nothing is sent, kept or counted."""
    serving = await start(route("ANY /a"))
    await serving.get("/a", until=b"ok")
    serving.watch.tick()
    serving.shadows.tick()
    assert (new.requests, serving.samples, serving.skipped) == ([], [], {})


async def test_a_testers_request_is_no_evidence(start: Start, new: Origin) -> None:
    """It is not copied, and is observed as a tester's."""
    serving = await start(copied(tester=model.Tester(b"x-banyan-serve", b"s3cret")), copied("ANY /b"))
    await serving.get("/a", "X-Banyan-Serve: legacy s3cret", until=b"ok")
    await serving.get("/b", until=b"ok")
    await serving.compared()
    serving.recorder.flush()
    assert new.seen("/a") == []
    assert sorted((each.path, each.role) for each in serving.seen) == [(b"/a", "tester"), (b"/b", "live")]


async def test_what_is_larger_than_is_captured_is_not_compared(start: Start, legacy: Origin, new: Origin) -> None:
    """Whichever of the three it is; each is skipped for its own reason, and the client gets all of its answer."""
    large = b"x" * 2_000 + b"end"
    small = Gateway(served_by=False, capture=1_000)
    serving = await start(
        copied("ANY /a"), copied("ANY /b"), copied("ANY /c", shadow=ALL._replace(sandbox=True)), gateway=small
    )
    legacy.on("/a", answer(large))
    new.on("/b", answer(large))
    await serving.get("/a", until=large)
    await serving.get("/b", until=b"ok")
    head = b"POST /c HTTP/1.1\r\nHost: api.example\r\nContent-Length: %d\r\n\r\n" % len(large)
    await serving.ask(head + large, b"ok")
    await serving.compared(3)
    assert serving.samples == []
    assert serving.skipped == {
        ("ANY /a", "answer_too_large"): 1,
        ("ANY /b", "candidate_too_large"): 1,
        ("ANY /c", "request_too_large"): 1,
    }


async def test_a_candidate_whose_answers_are_too_large_is_asked_less_often(start: Start, new: Origin) -> None:
    """Each would cost it an answer, and us a connection, for nothing; one in some is sent, in case that it changes."""
    new.on("/a", answer(b"x" * 2_000))
    serving = await start(copied(), gateway=Gateway(served_by=False, capture=1_000))
    for count in range(1, 121):
        await serving.get("/a", until=b"ok")
        await serving.compared(count)
    assert serving.skipped == {("ANY /a", "candidate_too_large"): 120}
    assert 20 <= len(new.seen("/a")) <= 45


async def test_an_answer_in_pieces_is_captured_whole(start: Start, legacy: Origin) -> None:
    """However it comes; chunks are no part of it."""

    def in_pieces(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        talk.body()
        talk.send(b"3\r\ntwo\r\n0\r\n\r\n")

    legacy.on("/a", in_pieces)
    serving = await start(copied())
    await serving.get("/a", until=b"0\r\n\r\n")
    assert [each.control.body for each in await serving.compared()] == [b"onetwo"]


async def test_where_legacy_fails_new_is_not_asked(start: Start, legacy: Origin, new: Origin) -> None:
    """There is nothing to hold its answer against; the sample says that the control failed."""
    legacy.on("/a", answer(b"no", status=503))
    legacy.on("/b", lambda talk: talk.reset())
    serving = await start(copied("ANY /a"), copied("ANY /b"))
    await serving.get("/a", until=b"no")
    await serving.get("/b", until=b"}")
    samples = await serving.compared(2)
    assert [(each.control.status, bool(each.control.error)) for each in samples] == [(503, False), (0, True)]
    assert {each.candidate.error for each in samples} == {"not_asked"}
    assert new.requests == []


async def test_where_new_fails_legacy_is_asked_whether_it_would_have_too(
    start: Start, legacy: Origin, new: Origin
) -> None:
    """Otherwise what both fail at would count against new as soon as that serves."""
    legacy.on("/a", answer(b"no", status=500))
    new.on("/a", answer(b"no", status=503))
    serving = await start(copied(serve=Serve.NEW))
    await serving.get("/a", until=b"no")
    (sample,) = await serving.compared()
    assert (sample.control.status, sample.candidate.status) == (503, 500)


async def test_a_fault_that_only_passes_is_an_answer_if_it_blames_the_client(
    start: Start, legacy: Origin, new: Origin
) -> None:
    """SOAP 1.1 has the status 500 for "no such account", too: what new says then is compared."""
    fault = (
        b"<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body><e:Fault><faultcode>%b</faultcode>"
    )
    fault += b"</e:Fault></e:Body></e:Envelope>"
    serving = await start(copied("SOAP /a#Get", safe=True))
    call = b"<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body><Get/></e:Body></e:Envelope>"
    head = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(call)
    for code in (b"e:Client", b"e:Server"):
        legacy.on("/a", answer(fault % code, "Content-Type: text/xml", status=500))
        await serving.ask(head + call, b"</e:Envelope>")
    samples = await serving.compared(2)
    assert {(each.control.business, each.candidate.error) for each in samples} == {(True, ""), (False, "not_asked")}


async def test_one_side_may_be_asked_the_same_again(start: Start, legacy: Origin, new: Origin) -> None:
    """With the same fields as before, also those by which the gateway told of the client; the answer has its number."""
    serving = await start(copied())
    await serving.get("/a", "Cookie: session=1", until=b"ok")
    (sample,) = await serving.compared()
    legacy.on("/a", answer(b"again"))
    serving.shadows.ask_again(sample.number)
    assert {number: each.body for number, each in (await answered(serving)).items()} == {sample.number: b"again"}
    first, second = legacy.seen("/a")
    told = ("Cookie", "X-Forwarded-For", "X-Request-ID", "traceparent")
    assert [second.get(name) for name in told] == [first.get(name) for name in told]
    assert (first.get("X-Banyan-Shadow"), second.get("X-Banyan-Shadow")) == (None, "1")
    assert len(new.seen("/a")) == 1


async def test_copies_of_a_traced_request_are_attempts_of_it(start: Start, legacy: Origin, new: Origin) -> None:
    """Each with a span of its own, which the side that is asked is told of."""
    serving = await start(copied(), gateway=Gateway(served_by=False, otlp=Otlp("http://collector", traces=BUCKETS)))
    await serving.get("/a", until=b"ok")
    (sample,) = await serving.compared()
    serving.shadows.ask_again(sample.number)
    await answered(serving)
    serving.recorder.flush()
    served = traced_of(serving.seen[0].trace)
    copies = [traced_of(each.trace) for each in serving.traced]
    assert [(each.role, each.side, each.backend, each.method) for each in serving.traced] == [
        ("shadow", "new", "repairs", b"GET"),
        ("probe", "legacy", "office", b"GET"),
    ]
    assert served is not None
    assert [each and (each.request, each.finished) for each in copies] == [(served.request, False)] * 2
    told = [each.get("traceparent") for each in (*legacy.seen("/a"), *new.seen("/a"))]
    spans = [each and each.attempt.decode() for each in (served, copies[1], copies[0])]
    assert told == [f"00-{served.trace.decode()}-{span}-01" for span in spans]


async def test_a_replay_is_no_part_of_a_trace(start: Start, legacy: Origin) -> None:
    """Whatever its recording says: who recorded it has long ended."""
    serving = await start(copied(), gateway=Gateway(served_by=False, otlp=Otlp("http://collector", traces=BUCKETS)))
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    recorded = CapturedRequest(b"GET", b"/a", b"api.example", ((b"traceparent", trace.encode()),))
    serving.shadows.replay("ANY /a", recorded, "replay")
    await serving.compared()
    assert serving.traced == []
    assert [each.get("traceparent") for each in legacy.seen("/a")] == [trace]


async def test_requests_are_kept_for_a_while(start: Start, legacy: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for one that is gone is told so at once, and nobody is asked."""
    monkeypatch.setattr(shadows, "KEPT", 1)
    serving = await start(copied())
    for _ in range(2):
        await serving.get("/a", until=b"ok")
    first, second = sorted(await serving.compared(2), key=lambda each: each.number)
    monkeypatch.setattr(shadows, "KEPT_FOR", 0.0)
    serving.shadows.ask_again(first.number)
    assert await answered(serving) == {first.number: GONE}
    serving.shadows.tick()
    serving.shadows.ask_again(second.number)
    assert await answered(serving) == {first.number: GONE, second.number: GONE}
    assert len(legacy.seen("/a")) == 2


async def test_requests_are_told_apart(start: Start) -> None:
    """By method, host, target and body; a thousand answers to one request are one piece of evidence."""
    serving = await start(copied(shadow=ALL._replace(sandbox=True)))
    asked = ["GET /a", "GET /a", "HEAD /a", "GET /a?x=1", "POST /a"]
    for line in asked:
        await serving.ask(f"{line} HTTP/1.1\r\nHost: api.example\r\n\r\n".encode(), b"\r\n\r\n")
    await serving.ask(b"GET /a HTTP/1.1\r\nHost: other\r\n\r\n", b"\r\n\r\n")
    await serving.ask(b"POST /a HTTP/1.1\r\nHost: api.example\r\nContent-Length: 1\r\n\r\n1", b"\r\n\r\n")
    samples = await serving.compared(7)
    assert len({each.request for each in samples}) == 6
    assert len({each.number for each in samples}) == 7


async def test_what_control_does_not_take_is_counted(start: Start) -> None:
    """Nothing piles up; once control listens again it is told how much it missed."""
    serving = await start(copied())
    serving.deaf = True
    for _ in range(3):
        await serving.get("/a", until=b"ok")
    serving.watch.flush()
    serving.deaf = False
    await serving.get("/a", until=b"ok")
    await serving.compared(4)
    assert (len(serving.samples), serving.skipped) == (1, {("ANY /a", "control_busy"): 3})


async def test_copies_give_way_to_traffic(start: Start, new: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the loop that serves is at work all the time none is kept; and none that nobody has room for."""
    monkeypatch.setattr(pace, "BUSY", -1.0)
    serving = await start(copied())
    for _ in range(10):
        serving.watch.tick()
    serving.watch.has_room(100)
    await serving.get("/a", until=b"ok")
    assert await serving.compared() == []
    monkeypatch.setattr(pace, "BUSY", 1.1)
    for _ in range(30):
        serving.watch.tick()
    serving.watch.has_room(1)
    for _ in range(3):
        await serving.get("/a", until=b"ok")
    assert len(await serving.compared(4)) == 1
    assert (len(new.requests), serving.skipped) == (1, {("ANY /a", "queue_full"): 3})


async def test_copies_give_way_to_control(start: Start, new: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the loop that sends them is at work all the time none begins; those that waited too long are skipped."""
    monkeypatch.setattr(shadows, "PATIENCE", 0.1)
    serving = await start(copied())
    monkeypatch.setattr(pace, "BUSY", -1.0)
    serving.shadows.tick()
    assert serving.shadows.room == 0
    await serving.get("/a", until=b"ok")
    serving.watch.flush()
    await asyncio.sleep(0.2)
    assert new.requests == []
    monkeypatch.setattr(pace, "BUSY", 1.1)
    serving.shadows.tick()
    await serving.compared()
    assert (new.requests, serving.skipped) == ([], {("ANY /a", "late"): 1})
    assert serving.shadows.room > 0
    await serving.get("/a", until=b"ok")
    assert len(await serving.compared(2)) == 1


async def test_a_recorded_request_goes_to_both_sides(start: Start, legacy: Origin, new: Origin) -> None:
    """Nobody waits for either answer; the side that serves gives the control."""
    legacy.on("/a", answer(b"old"))
    new.on("/a", answer(b"fresh"))
    serving = await start(route("ANY /a", Serve.NEW))
    recorded = CapturedRequest(b"POST", b"/a?x=1", b"api.example", ((b"Accept", b"text/plain"),), b"body")
    serving.shadows.replay("ANY /a", recorded, "replay")
    (sample,) = await serving.compared()
    assert (sample.source, sample.control_side, sample.control.body, sample.candidate.body) == (
        "replay",
        "new",
        b"fresh",
        b"old",
    )
    for origin in (legacy, new):
        asked = origin.seen("/a")[0]
        assert (asked.method, asked.target, asked.body, asked.get("Accept")) == (
            "POST",
            "/a?x=1",
            b"body",
            "text/plain",
        )
        assert asked.get("X-Banyan-Shadow") == "1"


async def test_a_process_that_ends_begins_no_copies(start: Start, new: Origin) -> None:
    """Those that wait are forgotten; those that are under way come to their end."""
    serving = await start(copied())
    await serving.get("/a", until=b"ok")
    await serving.compared()
    serving.watch.stop()
    serving.shadows.stop()
    await serving.get("/a", until=b"ok")
    for _ in range(10):
        serving.watch.tick()
        serving.shadows.tick()
        await asyncio.sleep(0.01)
    assert len(new.seen("/a")) == 1


async def test_what_is_shed_of_a_replay_is_told_apart(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever replays learns what became of each request; a shadow's own are counted for themselves."""
    monkeypatch.setattr(shadows, "MOST_UNDER_WAY", 0)
    monkeypatch.setattr(shadows, "QUEUED", 0)
    serving = await start(copied())
    recorded = CapturedRequest(b"GET", b"/a", b"api.example", ())
    serving.shadows.replay("ANY /a", recorded, "replay")
    await serving.get("/a", until=b"ok")
    await serving.compared(2)
    assert serving.skipped == {("ANY /a", "replay_queue_full"): 1, ("ANY /a", "queue_full"): 1}
