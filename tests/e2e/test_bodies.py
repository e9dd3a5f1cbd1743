"""Bodies stream: whatever their size, the gateway holds little of them, and the slower side sets the pace."""

import contextlib
import threading
from hashlib import sha256
from time import sleep

import pytest

from tests.support.client import HOST, Client
from tests.support.gateway import Gateway
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, eventually

MEGABYTE = b"m" * 1_048_576
BIG = 200
GROWTH = 20 * 1_048_576


class Highest:
    """The most memory that the data process had while something went on."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._before = gateway.memory()
        self._most = self._before
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self._most = max(self._most, self._gateway.memory())

    def __enter__(self) -> "Highest":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        return self._most - self._before


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_big_upload_passes_in_little_memory(gateway: Gateway, origin: Origin, chunked: bool) -> None:
    """200 MB up: all of it arrives, and the data process never holds 20 MB of it."""
    counted: list[int] = []

    def plain(talk: Talk) -> None:
        counted.append(talk.skip_body(BIG * len(MEGABYTE)))
        talk.send(answer(b"all of it"))

    def chunks(talk: Talk) -> None:
        total = 0
        while size := int(talk.reader.until(b"\r\n"), 16):
            total += talk.skip_body(size)
            talk.reader.exactly(2)
        talk.reader.until(b"\r\n")
        counted.append(total)
        talk.send(answer(b"all of it"))

    origin.on("/big-up", chunks if chunked else plain)
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {BIG * len(MEGABYTE)}"
    with Highest(gateway) as highest, gateway.client(timeout=20) as client:
        client.send(f"POST /big-up HTTP/1.1\r\nHost: {HOST}\r\n{framing}\r\n\r\n".encode())
        for _ in range(BIG):
            client.send(b"100000\r\n" + MEGABYTE + b"\r\n" if chunked else MEGABYTE)
        if chunked:
            client.send(b"0\r\n\r\n")
        assert client.hear().body == b"all of it"
    assert counted == [BIG * len(MEGABYTE)]
    assert highest.growth < GROWTH


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_big_download_passes_in_little_memory(gateway: Gateway, origin: Origin, chunked: bool) -> None:
    """200 MB down, the same."""

    def script(talk: Talk) -> None:
        framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % (BIG * len(MEGABYTE))
        talk.send(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % framing)
        for _ in range(BIG):
            talk.send(b"100000\r\n" + MEGABYTE + b"\r\n" if chunked else MEGABYTE)
        if chunked:
            talk.send(b"0\r\n\r\n")

    origin.on("/big-down", script)
    with Highest(gateway) as highest, gateway.client(timeout=20) as client:
        client.say("GET", "/big-down")
        client.hear_head()
        if chunked:
            total = 0
            while size := int(client.reader.until(b"\r\n"), 16):
                total += client.reader.count(size)
                client.reader.exactly(2)
        else:
            total = client.reader.count(BIG * len(MEGABYTE))
    assert total == BIG * len(MEGABYTE)
    assert highest.growth < GROWTH


def test_a_slow_client_slows_the_backend_down(gateway: Gateway, origin: Origin) -> None:
    """A client that does not read: the backend gets stuck, instead of the gateway filling up."""
    sent: list[int] = []

    def script(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BIG * len(MEGABYTE)))
        for _ in range(BIG):
            talk.send(MEGABYTE)
            sent.append(1)

    origin.on("/slow-client", script)
    with Highest(gateway) as highest:
        with gateway.client(receive_buffer=8_192) as client:
            client.say("GET", "/slow-client")
            sleep(1.2)
            stuck_at = len(sent)
            sleep(0.4)
            assert len(sent) == stuck_at
            assert stuck_at < 40
            assert client.reader.count(5_000_000) == 5_000_000
        assert origin.was_cut_off("/slow-client")
    assert highest.growth < GROWTH


def test_a_slow_backend_slows_the_client_down(gateway: Gateway, origin: Origin) -> None:
    """A backend that does not read: the client gets stuck, instead of the gateway filling up."""
    go_on = threading.Event()
    got: list[int] = []

    def script(talk: Talk) -> None:
        go_on.wait(8)
        got.append(talk.skip_body(BIG * len(MEGABYTE)))

    origin.on("/slow-backend", script)
    with Highest(gateway) as highest, gateway.client(timeout=1.0) as client:
        client.send(
            f"POST /slow-backend HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {BIG * len(MEGABYTE)}\r\n\r\n".encode()
        )
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < BIG * len(MEGABYTE):
                sent += client.sock.send(MEGABYTE)
    go_on.set()
    assert sent < 40 * len(MEGABYTE)
    assert highest.growth < GROWTH
    assert eventually(lambda: len(got) == 1)
    assert got[0] < 40 * len(MEGABYTE)


@pytest.mark.parametrize("size", [0, 1, 2_047, 2_048, 2_049, 5_000, 16_383, 16_384, 16_385, 65_535, 262_145, 3_000_000])
def test_bodies_of_every_size_arrive_as_they_were_sent(gateway: Gateway, origin: Origin, size: int) -> None:
    """No size is a boundary at which bytes are lost or doubled, in either direction."""
    origin.on("/sizes", lambda talk: talk.send(answer(talk.body())))
    body = bytes(number * 7 % 251 for number in range(min(size, 65_536))) * (size // 65_536 + 1)
    reply = gateway.call("POST", "/sizes", body=body[:size])
    assert (len(reply.body), sha256(reply.body).digest()) == (size, sha256(body[:size]).digest())


@pytest.mark.parametrize("size", [1, 3, 700, 5_000, 30_000])
def test_chunks_of_every_size_arrive_as_they_were_sent(gateway: Gateway, origin: Origin, size: int) -> None:
    """The same for chunks, all in one packet or each in its own."""
    origin.on("/chunk-sizes", lambda talk: talk.send(answer(talk.body())))
    body = bytes(number * 11 % 251 for number in range(60_000 if size > 3 else 600))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    head = f"POST /chunk-sizes HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with gateway.client() as client:
        client.send(head + b"".join(chunks) + b"0\r\n\r\n")
        assert client.hear().body == body
        client.send(head)
        for chunk in chunks:
            client.send(chunk)
        client.send(b"0\r\n\r\n")
        assert client.hear().body == body


def test_a_body_may_come_byte_by_byte(gateway: Gateway, origin: Origin) -> None:
    """Wherever packets end, a request is the same."""
    origin.on("/bytes", lambda talk: talk.send(answer(talk.body())))
    head = f"POST /bytes HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n"
    request = head.encode() + b"4\r\nwhat\r\n6\r\n comes\r\n0\r\n\r\n"
    with Client(gateway.port) as client:
        for at in range(len(request)):
            client.send(request[at : at + 1])
        assert client.hear().body == b"what comes"
    assert eventually(lambda: len(origin.seen("/bytes")) == 1)
