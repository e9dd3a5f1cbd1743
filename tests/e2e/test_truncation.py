"""What breaks off never looks whole; what may have been done is not done twice; who has left is forgotten properly."""

from time import sleep

import pytest

from tests.support.client import HOST
from tests.support.gateway import Gateway
from tests.support.messages import Incomplete, answer
from tests.support.origin import Origin, Script, Talk, eventually

HALVES = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly a part",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nchunk\r\n",
    "inside a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nonly a part",
}


def broken(told: bytes, *, reset: bool) -> Script:
    def script(talk: Talk) -> None:
        talk.body()
        talk.send(told)
        if reset:
            sleep(0.05)
            talk.reset()
        else:
            talk.close()

    return script


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("kind", HALVES)
def test_a_truncated_answer_never_looks_whole(gateway: Gateway, origin: Origin, kind: str, reset: bool) -> None:
    """A backend that dies in the middle of its answer: the client can tell that it has not got all."""
    origin.on("/half", broken(HALVES[kind], reset=reset))
    with gateway.client() as client:
        client.say("GET", "/half")
        with pytest.raises(Incomplete):
            client.hear()


@pytest.mark.parametrize("kind", ["chunked", "inside a chunk"])
def test_a_truncated_answer_resets_a_client_that_could_not_tell(gateway: Gateway, origin: Origin, kind: str) -> None:
    """For an HTTP/1.0 client the end of the connection is the end of the answer, so it ends with a reset."""
    origin.on("/half-old", broken(HALVES[kind], reset=False))
    with gateway.client() as client:
        client.send(b"GET /half-old HTTP/1.0\r\n\r\n")
        with pytest.raises(Incomplete):
            client.hear()


def test_an_answer_that_ends_with_a_reset_is_not_whole(gateway: Gateway, origin: Origin) -> None:
    """An answer delimited by the connection's end is whole only if that end is orderly."""
    origin.on("/until-close", broken(b"HTTP/1.1 200 OK\r\n\r\nwhatever", reset=True))
    with gateway.client() as client:
        client.say("GET", "/until-close")
        with pytest.raises(Incomplete):
            client.hear()


def test_a_backend_that_dies_before_answering_is_502(gateway: Gateway, origin: Origin) -> None:
    """No byte of an answer: 502, and the client's connection goes on."""
    origin.on("/dies", lambda talk: talk.close())
    with gateway.client() as client:
        assert client.get("/dies").status == 502
        assert client.get("/lives").status == 200


# ------------------------------------------------------------------------------------------------ once, or twice


def stale(origin: Origin, gateway: Gateway, path: str) -> None:
    """Leave the gateway one kept connection, which the backend will close when the next request comes on it."""
    used: set[int] = set()

    def script(talk: Talk) -> None:
        talk.body()
        if talk.connection in used:
            talk.close()
            return
        used.add(talk.connection)
        talk.send(answer(b"connection %d" % talk.connection))

    origin.on(path, script)
    assert gateway.get(path).status == 200


def test_a_read_on_a_stale_connection_is_sent_again(gateway: Gateway, origin: Origin) -> None:
    """A kept connection that the backend has given up: a GET goes again on a new one, once."""
    stale(origin, gateway, "/stale-get")
    assert gateway.get("/stale-get").status == 200
    assert len(origin.seen("/stale-get")) == 3


def test_an_idempotent_write_on_a_stale_connection_is_sent_again_with_its_body(
    gateway: Gateway, origin: Origin
) -> None:
    """A PUT may go twice; when it does, its body is whole both times, or it is not sent again."""
    stale(origin, gateway, "/stale-put")
    reply = gateway.call("PUT", "/stale-put", body=b"the body")
    bodies = [each.body for each in origin.seen("/stale-put")[1:]]
    assert set(bodies) == {b"the body"}
    assert (reply.status, len(bodies)) in ((200, 2), (502, 1))


def test_an_unsafe_request_is_never_sent_twice(gateway: Gateway, origin: Origin) -> None:
    """A POST that may have reached the backend is answered 502; the backend has seen it once."""
    stale(origin, gateway, "/stale-post")
    assert gateway.call("POST", "/stale-post", body=b"pay").status == 502
    assert [each.method for each in origin.seen("/stale-post")] == ["GET", "POST"]


def test_a_read_that_was_half_answered_is_not_sent_again(gateway: Gateway, origin: Origin) -> None:
    """One byte of an answer is enough: then even a GET is not repeated."""
    used: set[int] = set()

    def script(talk: Talk) -> None:
        if talk.connection in used:
            talk.send(b"HTTP/1.1 2")
            talk.close()
            return
        used.add(talk.connection)
        talk.send(answer())

    origin.on("/half-head", script)
    assert gateway.get("/half-head").status == 200
    assert gateway.get("/half-head").status == 502
    assert len(origin.seen("/half-head")) == 2


# ------------------------------------------------------------------------------------------------ the client has left


def test_a_read_is_given_up_when_its_client_leaves(gateway: Gateway, origin: Origin) -> None:
    """Nobody waits any more, so the backend is told by the end of the connection."""
    ended: list[bool] = []

    def script(talk: Talk) -> None:
        sleep(0.1)
        ended.append(talk.reader.some() == b"")

    origin.on("/left", script)
    with gateway.client() as client:
        client.say("GET", "/left")
        assert eventually(lambda: origin.busy > 0)
    assert eventually(lambda: ended == [True])


def test_a_write_is_finished_when_its_client_leaves(gateway: Gateway, origin: Origin) -> None:
    """A write goes on to its end: the connection stays until the backend has answered, and is used again."""
    finished: list[bool] = []

    def script(talk: Talk) -> None:
        talk.body()
        sleep(0.4)
        talk.send(answer(b"done"))
        finished.append(True)

    origin.on("/left-write", script)
    with gateway.client() as client:
        client.say("POST", "/left-write", body=b"order")
        assert eventually(lambda: origin.busy > 0)
    assert eventually(lambda: finished == [True])
    assert "/left-write" not in origin.cut_off


def test_an_upload_that_breaks_off_never_looks_whole(gateway: Gateway, origin: Origin) -> None:
    """A client that dies in the middle of its body: the backend can tell that it has not got all."""
    for name, framing, part in (
        ("/cut-length", "Content-Length: 100", b"only a part"),
        ("/cut-chunked", "Transfer-Encoding: chunked", b"5\r\nchunk\r\n"),
    ):
        with gateway.client() as client:
            client.send(f"POST {name} HTTP/1.1\r\nHost: {HOST}\r\n{framing}\r\n\r\n".encode() + part)
            assert eventually(lambda: origin.busy > 0)
        assert origin.was_cut_off(name)
        assert origin.seen(name) == []
