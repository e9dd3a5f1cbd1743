"""Nothing waits for ever: each kind of waiting has its deadline, and each deadline its answer."""

import socket
import threading
from collections.abc import Iterator
from time import monotonic, sleep

import pytest

from tests.support.client import HOST
from tests.support.gateway import Gateway
from tests.support.messages import Incomplete, answer
from tests.support.origin import Origin, Talk, eventually, hang


@pytest.fixture(scope="module")
def deaf() -> Iterator[socket.socket]:
    """A socket that takes no connections: its queue is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = [socket.socket() for _ in range(3)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    yield listener
    for each in (*fillers, listener):
        each.close()


@pytest.fixture(scope="module")
def gateway(origin: Origin, deaf: socket.socket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    routes = f"""version: 1
gateway: {{access_log: {{to: "off"}}, timeout: {{head: 500ms, body_idle: 500ms}}, keep_alive: 1s}}
backends:
  one: {{url: "{origin.url}", timeout: {{connect: 400ms, response: 600ms, answer_idle: 600ms}}}}
  slow: {{url: "{origin.url}", timeout: {{total: 700ms}}}}
  deaf: {{url: "http://127.0.0.1:{deaf.getsockname()[1]}", timeout: {{connect: 400ms}}}}
  nobody: {{url: "http://127.0.0.1:1"}}
routes:
  - {{name: everything, match: ANY /**, legacy: one}}
  - {{name: patient, match: ANY /patient, legacy: one, timeout: {{body_idle: 20s}}}}
  - {{name: total, match: ANY /total/**, legacy: slow}}
  - {{name: deaf, match: ANY /deaf, legacy: deaf}}
  - {{name: nobody, match: ANY /nobody, legacy: nobody}}
"""
    with Gateway(tmp_path_factory.mktemp("gateway"), routes) as gateway:
        yield gateway


def test_a_slow_head_is_408(gateway: Gateway) -> None:
    """A head that does not arrive in time is answered 408, however steadily it trickles."""
    with gateway.client() as client:
        began = monotonic()
        client.send(b"GET / HTTP/1.1\r\n")
        for _ in range(3):
            sleep(0.1)
            client.send(b"X-More: y\r\n")
        reply = client.hear()
        assert client.has_ended()
    assert reply.status == 408
    assert monotonic() - began < 1.5


def test_a_client_that_says_nothing_is_let_go(gateway: Gateway) -> None:
    """A connection without a request ends quietly: there is nothing to answer."""
    with gateway.client() as client:
        assert client.has_ended()


def test_an_idle_connection_ends_quietly(gateway: Gateway) -> None:
    """A kept connection ends after `keep_alive`, without a word that could be taken for an answer."""
    with gateway.client() as client:
        assert client.get("/").status == 200
        began = monotonic()
        assert client.has_ended()
        assert monotonic() - began >= 0.9


def test_a_slow_body_is_408(gateway: Gateway, origin: Origin) -> None:
    """A body that stops coming is answered 408, and the backend never takes what it has for the whole."""
    with gateway.client() as client:
        client.send(f"POST /slow-body HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 10\r\n\r\nhalf".encode())
        reply = client.hear()
        assert client.has_ended()
    assert reply.status == 408
    assert origin.was_cut_off("/slow-body")


def test_a_route_may_be_more_patient_with_bodies(gateway: Gateway, origin: Origin) -> None:
    """A route's own `body_idle` counts on that route."""
    origin.on("/patient", answer(b"late but whole"))
    with gateway.client() as client:
        client.send(f"POST /patient HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 4\r\n\r\nab".encode())
        sleep(1.0)
        client.send(b"cd")
        assert client.hear().body == b"late but whole"


def test_a_trickling_body_is_no_slow_body(gateway: Gateway, origin: Origin) -> None:
    """`body_idle` is about silence: a body that keeps coming may take its time."""
    origin.on("/trickle", lambda talk: talk.send(answer(talk.body())))
    with gateway.client() as client:
        client.send(f"POST /trickle HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 6\r\n\r\n".encode())
        for _ in range(6):
            sleep(0.2)
            client.send(b"x")
        assert client.hear().body == b"xxxxxx"


def test_a_connection_that_is_not_made_in_time_is_504(gateway: Gateway) -> None:
    """A backend that takes no connection costs `connect`, not more."""
    began = monotonic()
    assert gateway.get("/deaf").status == 504
    assert monotonic() - began < 1.5


def test_a_backend_that_is_not_there_is_502(gateway: Gateway) -> None:
    """A refused connection is told at once, without internal detail."""
    reply = gateway.get("/nobody")
    assert reply.status == 502
    assert b"127.0.0.1" not in reply.body
    assert b"nobody" not in reply.body


def test_a_backend_that_does_not_answer_is_504(gateway: Gateway, origin: Origin) -> None:
    """No answer within `response`: 504, the backend's connection ends, the client's goes on."""
    origin.on("/silent", hang)
    with gateway.client() as client:
        began = monotonic()
        assert client.get("/silent").status == 504
        assert monotonic() - began < 1.5
        assert client.get("/next").status == 200
    counted = 'banyan_errors_total{error_type="timeout",role="live",route="everything",side="legacy"}'
    assert eventually(lambda: (gateway.metric(counted) or 0) >= 1)


def test_the_answers_deadline_counts_from_the_requests_last_byte(gateway: Gateway, origin: Origin) -> None:
    """A long upload does not eat the time that its answer may take."""
    origin.on("/long-upload", lambda talk: talk.send(answer(talk.body())))
    with gateway.client() as client:
        client.send(f"POST /long-upload HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\n\r\n".encode())
        for _ in range(5):
            sleep(0.3)
            client.send(b"x")
        assert client.hear().body == b"xxxxx"


def test_an_answer_that_stops_coming_is_cut(gateway: Gateway, origin: Origin) -> None:
    """An answer that falls silent in the middle ends the client's connection: it cannot pass for whole."""

    def script(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        talk.skip_body(1)

    origin.on("/stops", script)
    with gateway.client() as client:
        client.say("GET", "/stops")
        with pytest.raises(Incomplete):
            client.hear()


def test_an_answer_that_trickles_is_not_cut(gateway: Gateway, origin: Origin) -> None:
    """`answer_idle` is about silence: an answer may take its time as long as it keeps coming."""

    def script(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
        for _ in range(6):
            sleep(0.25)
            talk.send(b"x")

    origin.on("/trickles", script)
    assert gateway.get("/trickles").body == b"xxxxxx"


def test_total_bounds_the_whole_exchange(gateway: Gateway, origin: Origin) -> None:
    """With `total`, even an answer that keeps coming is cut when the time is over."""

    def script(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(40):
            sleep(0.1)
            talk.send(b"x")

    origin.on("/total/trickles", script)
    began = monotonic()
    with gateway.client() as client:
        client.say("GET", "/total/trickles")
        with pytest.raises(Incomplete):
            client.hear()
    assert monotonic() - began < 1.5


def test_total_bounds_an_upload_too(gateway: Gateway, origin: Origin) -> None:
    """A client that trickles its body for ever is stopped by `total`."""
    began = monotonic()
    with gateway.client() as client:
        client.send(f"POST /total/upload HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000\r\n\r\n".encode())
        stop = threading.Event()

        def trickle() -> None:
            while not stop.wait(0.1):
                try:
                    client.send(b"x")
                except OSError:
                    return

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            assert client.hear().status == 504
        finally:
            stop.set()
            thread.join()
    assert monotonic() - began < 1.8
    assert origin.was_cut_off("/total/upload")
