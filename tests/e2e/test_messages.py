"""Messages cross whole and in order, whatever their framing."""

import gzip
import threading
import zlib
from time import monotonic, sleep

import pytest

from tests.support.client import HOST, Client
from tests.support.gateway import Gateway
from tests.support.messages import answer
from tests.support.origin import Origin, Talk


def head(method: str, target: str, *fields: str) -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {HOST}", *fields, "", ""]).encode()


def test_one_connection_serves_many_requests(gateway: Gateway, origin: Origin) -> None:
    """A client keeps its connection, and so does the backend."""
    origin.on("/keep", lambda talk: talk.send(answer(b"connection %d" % talk.connection)))
    with gateway.client() as client:
        bodies = {client.get("/keep").body for _ in range(5)}
    assert len(bodies) == 1


def test_pipelined_requests_are_answered_in_order(gateway: Gateway, origin: Origin) -> None:
    """Thirty requests in one packet get thirty answers, in their order, however late the first one is."""

    def slow_first(talk: Talk) -> None:
        if talk.request.target.endswith("?0"):
            sleep(0.3)
        talk.send(answer(talk.request.target.encode()))

    origin.on("/pipe", slow_first)
    with gateway.client() as client:
        client.send(b"".join(head("GET", f"/pipe?{number}") for number in range(30)))
        bodies = [client.hear().body for _ in range(30)]
    assert bodies == [f"/pipe?{number}".encode() for number in range(30)]


def test_pipelining_is_bounded(gateway: Gateway, origin: Origin) -> None:
    """A client that pipelines without end is read only as fast as it is answered."""
    release = threading.Event()

    def wait(talk: Talk) -> None:
        release.wait(8)
        talk.send(answer())

    origin.on("/endless", wait)
    request = head("GET", "/endless", "X-Padding: " + "x" * 4000)
    before = gateway.memory()
    with gateway.client(timeout=1.0) as client:
        sent = 0
        try:
            while sent < 100_000_000:
                sent += client.sock.send(request * 16)
        except TimeoutError:
            pass
        grown = gateway.memory() - before
        release.set()
    assert sent < 30_000_000
    assert grown < 5_000_000


def test_a_body_between_pipelined_requests_is_not_lost(gateway: Gateway, origin: Origin) -> None:
    """Bodies, chunked and not, stand between pipelined requests, and each reaches its own request."""
    origin.on("/mixed", lambda talk: talk.send(answer(talk.body())))
    with gateway.client() as client:
        client.send(
            head("POST", "/mixed", "Content-Length: 3")
            + b"one"
            + head("POST", "/mixed", "Transfer-Encoding: chunked")
            + b"3\r\ntwo\r\n0\r\n\r\n"
            + head("POST", "/mixed", "Content-Length: 5")
            + b"three"
        )
        bodies = [client.hear().body for _ in range(3)]
    assert bodies == [b"one", b"two", b"three"]


def test_chunks_cross_both_ways(gateway: Gateway, origin: Origin) -> None:
    """A chunked request arrives chunked, a chunked answer too, and their bytes are the same."""

    def echo(talk: Talk) -> None:
        body = talk.body()
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(body), 3):
            piece = body[at : at + 3]
            talk.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        talk.send(b"0\r\n\r\n")

    origin.on("/chunks", echo)
    with gateway.client() as client:
        client.send(
            head("POST", "/chunks", "Transfer-Encoding: chunked") + b"5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        )
        reply = client.hear()
    assert reply.body == b"hello world"
    assert origin.seen("/chunks")[-1].body == b"hello world"
    assert origin.seen("/chunks")[-1].get("Transfer-Encoding") == "chunked"


def test_trailers_cross_both_ways(gateway: Gateway, origin: Origin) -> None:
    """Trailers reach the other side after the body, except those that could reframe or reroute the message."""

    def script(talk: Talk) -> None:
        talk.body()
        talk.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n"
        )

    origin.on("/trailers", script)
    with gateway.client() as client:
        client.send(
            head("POST", "/trailers", "Transfer-Encoding: chunked", "TE: trailers", "Connection: TE")
            + b"2\r\nhi\r\n0\r\nX-Count: 2\r\nHost: elsewhere\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n"
        )
        reply = client.hear()
    assert reply.trailers == [(b"X-Sum", b"7")]
    assert origin.seen("/trailers")[-1].trailers == [(b"X-Count", b"2")]


def test_trailers_are_left_out_for_a_client_that_does_not_take_them(gateway: Gateway, origin: Origin) -> None:
    """Without `TE: trailers` the body ends without them (RFC 9110, section 6.5.1)."""
    origin.on("/quiet", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n")
    reply = gateway.get("/quiet")
    assert (reply.body, reply.trailers) == (b"hi", [])


# ------------------------------------------------------------------------------------------------ Expect: 100-continue


def test_continue_comes_from_the_backend(gateway: Gateway, origin: Origin) -> None:
    """A client that waits for 100 gets it when the backend says so, and no sooner."""

    def script(talk: Talk) -> None:
        sleep(0.3)
        talk.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        talk.send(answer(b"got " + talk.body()))

    origin.on("/expect", script)
    with gateway.client() as client:
        began = monotonic()
        client.send(head("PUT", "/expect", "Expect: 100-continue", "Content-Length: 4"))
        assert client.hear().status == 100
        assert monotonic() - began >= 0.25
        client.send(b"body")
        assert client.hear().body == b"got body"
    assert origin.seen("/expect")[-1].get("Expect") == "100-continue"


def test_a_refused_expectation_gets_the_final_answer(gateway: Gateway, origin: Origin) -> None:
    """A backend that refuses before the body is heard: its answer comes instead of the 100."""

    def script(talk: Talk) -> None:
        talk.send(answer(b"no", "Connection: close", status=413))
        talk.close()
        talk.body_read = True

    origin.on("/refuse", script)
    with gateway.client() as client:
        client.send(head("PUT", "/refuse", "Expect: 100-continue", "Content-Length: 400000"))
        reply = client.hear()
    assert (reply.status, reply.body) == (413, b"no")


def test_early_hints_cross_and_unasked_continue_does_not(gateway: Gateway, origin: Origin) -> None:
    """103 reaches the client; a 100 that nobody asked for does not."""
    origin.on(
        "/hints",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
        + answer(b"page"),
    )
    with gateway.client() as client:
        client.say("GET", "/hints")
        first, second = client.hear(), client.hear()
    assert (first.status, first.get("Link")) == (103, "</a.css>; rel=preload")
    assert (second.status, second.body) == (200, b"page")


# ------------------------------------------------------------------------------------------------ without a body


def test_head_then_get_on_one_connection(gateway: Gateway, origin: Origin) -> None:
    """A HEAD answer has the length of the body it does not have, and the next answer is the next request's."""

    def script(talk: Talk) -> None:
        whole = answer(b"the body")
        talk.send(whole[: -len(b"the body")] if talk.request.method == "HEAD" else whole)

    origin.on("/head", script)
    with gateway.client() as client:
        first = client.ask("HEAD", "/head")
        second = client.get("/head")
        third = client.ask("HEAD", "/head")
    assert [each.get("Content-Length") for each in (first, second, third)] == ["8"] * 3
    assert (first.body, second.body, third.body) == (b"", b"the body", b"")


def test_a_body_behind_a_head_answer_reaches_nobody(gateway: Gateway, origin: Origin) -> None:
    """A backend that wrongly sends a body after HEAD cannot put it before another client's answer."""

    def script(talk: Talk) -> None:
        talk.send(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"))

    origin.on("/wrong-head", script)
    origin.on("/right", answer(b"right"))
    with gateway.client() as client:
        assert client.ask("HEAD", "/wrong-head").status == 200
        assert client.get("/right").body == b"right"
    assert gateway.get("/right").body == b"right"


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body_end_at_their_head(gateway: Gateway, origin: Origin, status: int) -> None:
    """204 and 304 have no body, and the connection goes on."""
    origin.on("/empty", f'HTTP/1.1 {status} Empty\r\nETag: "a"\r\n\r\n'.encode())
    origin.on("/after", answer(b"after"))
    with gateway.client() as client:
        empty = client.get("/empty")
        after = client.get("/after")
    assert (empty.status, empty.body, empty.get("ETag"), empty.get("Transfer-Encoding")) == (status, b"", '"a"', None)
    assert after.body == b"after"


def test_a_second_answer_never_reaches_another_client(gateway: Gateway, origin: Origin) -> None:
    """A backend that answers twice loses its connection; the second answer is nobody's."""
    origin.on("/twice", answer(b"first") + answer(b"second"))
    origin.on("/innocent", answer(b"mine"))
    assert gateway.get("/twice").body == b"first"
    assert [gateway.get("/innocent").body for _ in range(4)] == [b"mine"] * 4


def test_a_late_second_answer_never_reaches_another_client(gateway: Gateway, origin: Origin) -> None:
    """The same when the second answer comes while the connection is idle."""

    def script(talk: Talk) -> None:
        talk.send(answer(b"first"))
        sleep(0.15)
        talk.send(answer(b"second"))

    origin.on("/twice-late", script)
    origin.on("/innocent", answer(b"mine"))
    assert gateway.get("/twice-late").body == b"first"
    sleep(0.3)
    assert [gateway.get("/innocent").body for _ in range(4)] == [b"mine"] * 4


def test_an_answer_before_the_upload_is_over_is_passed_on(gateway: Gateway, origin: Origin) -> None:
    """A backend that answers early is heard at once; the client is told that the connection ends."""

    def script(talk: Talk) -> None:
        talk.send(answer(b"too much", status=413))
        talk.skip_body(1_000)
        sleep(0.2)

    origin.on("/early", script)
    with gateway.client() as client:
        client.send(head("POST", "/early", "Content-Length: 1000000") + b"x" * 1000)
        reply = client.hear()
    assert (reply.status, reply.body, reply.get("Connection")) == (413, b"too much", "close")


def test_a_connection_with_half_a_request_on_it_carries_no_other(gateway: Gateway, origin: Origin) -> None:
    """After an early answer the rest of the request is still owed: the next request must not take its place."""

    def script(talk: Talk) -> None:
        talk.send(answer(b"too much", status=413))
        sleep(0.5)

    origin.on("/half", script)
    origin.on("/next", answer(b"mine"))
    with gateway.client() as client:
        client.send(head("POST", "/half", "Content-Length: 1000000") + b"x" * 1000)
        assert client.hear().status == 413
        assert [gateway.get("/next").body for _ in range(3)] == [b"mine"] * 3
    assert b"GET" not in origin.seen("/half")[-1].body


# ------------------------------------------------------------------------------------------------ HTTP/1.0


def test_http_1_0_clients_are_served(gateway: Gateway, origin: Origin) -> None:
    """An HTTP/1.0 client gets its answer unchunked, and the connection ends with it."""
    origin.on("/old", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n again\r\n0\r\n\r\n")
    with gateway.client() as client:
        client.send(b"GET /old HTTP/1.0\r\n\r\n")
        reply = client.hear()
        assert client.has_ended()
    assert (reply.body, reply.get("Transfer-Encoding")) == (b"hello again", None)


def test_http_1_0_backends_are_understood(gateway: Gateway, origin: Origin) -> None:
    """An answer that ends with the connection becomes a chunked one that ends by itself."""

    def script(talk: Talk) -> None:
        talk.send(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold but whole")
        talk.close()

    origin.on("/old-backend", script)
    reply = gateway.get("/old-backend")
    assert (reply.body, reply.get("Transfer-Encoding")) == (b"old but whole", "chunked")


# ------------------------------------------------------------------------------------------------ bytes as they came


def test_bytes_arrive_as_they_came(gateway: Gateway, origin: Origin) -> None:
    """Two cookies stay two, `%c3`, `[]` and a trailing `?` stay, gzip is passed on unopened."""
    packed = gzip.compress(b"something to read " * 20)
    origin.on("/caf%c3/[x]", answer(packed, "Content-Encoding: gzip", "Set-Cookie: a=1", "Set-Cookie: b=2; Path=/"))
    with gateway.client() as client:
        first = client.get("/caf%c3/[x]?")
        second = client.get("/caf%c3/[x]?q=%c3&r=[]&s=a+b%20c", "Accept-Encoding: gzip")
    assert first.body == second.body == packed
    assert zlib.decompress(first.body, wbits=31).startswith(b"something")
    assert first.all("Set-Cookie") == ["a=1", "b=2; Path=/"]
    assert [each.target for each in origin.seen("/caf%c3/[x]")] == ["/caf%c3/[x]?", "/caf%c3/[x]?q=%c3&r=[]&s=a+b%20c"]


def test_events_arrive_one_by_one(gateway: Gateway, origin: Origin) -> None:
    """Server-sent events reach the client when they are sent, not when the stream ends."""
    told = threading.Event()

    def script(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            event = b"data: %d\n\n" % number
            talk.send(b"%x\r\n%b\r\n" % (len(event), event))
            assert told.wait(5), "the client did not hear the event"
            told.clear()
        talk.send(b"0\r\n\r\n")

    origin.on("/events", script)
    with gateway.client() as client:
        client.say("GET", "/events", "Accept: text/event-stream")
        assert client.hear_head().get("Content-Type") == "text/event-stream"
        heard = b""
        for number in range(5):
            while b"data: %d\n\n" % number not in heard:
                heard += client.reader.some()
            told.set()
        while not heard.endswith(b"0\r\n\r\n"):
            heard += client.reader.some()


def test_many_clients_at_once_get_their_own_answers(gateway: Gateway, origin: Origin) -> None:
    """Forty clients at once: no answer goes to the wrong one."""
    origin.on("/mine", lambda talk: talk.send(answer(talk.request.target.encode())))
    wrong: list[bytes] = []

    def one(number: int) -> None:
        with Client(gateway.port) as client:
            for turn in range(10):
                body = client.get(f"/mine?{number}.{turn}").body
                if body != f"/mine?{number}.{turn}".encode():
                    wrong.append(body)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ------------------------------------------------------------------------------------------------ its own word


def test_a_refusal_before_the_head_was_read_can_be_quoted(gateway: Gateway) -> None:
    """Every answer of the gateway's own has a request id, also to what it could not read."""
    with gateway.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        reply = client.hear()
    assert reply.status == 400
    assert len(reply.get("X-Request-ID") or "") == 32


def test_options_goes_one_hop_further(gateway: Gateway, origin: Origin) -> None:
    """Max-Forwards of an OPTIONS request counts down, and at 0 the gateway answers itself (RFC 9110, section 7.6.2)."""
    origin.on("/hops", answer(b"from the backend"))
    assert gateway.call("OPTIONS", "/hops", "Max-Forwards: 3").body == b"from the backend"
    assert origin.seen("/hops")[-1].get("Max-Forwards") == "2"
    assert gateway.call("OPTIONS", "/hops", "Max-Forwards: 0").status == 204
    assert len(origin.seen("/hops")) == 1
