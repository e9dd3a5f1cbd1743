"""Whatever a client sends too much of is refused while it arrives, long before it can fill the memory."""

from collections.abc import Iterator

import pytest

from tests.support.client import HOST, Client
from tests.support.gateway import Gateway, one_backend
from tests.support.messages import Incomplete, Message, answer
from tests.support.origin import Origin

START = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n".encode()
LIMITS = "target: 1KiB, header_bytes: 8KiB, header_count: 20, chunk_line: 256, trailer_bytes: 2KiB"


@pytest.fixture(scope="module")
def gateway(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    routes = one_backend(origin, gateway=f"limits: {{{LIMITS}}}", route="max_body: 10KiB")
    with Gateway(tmp_path_factory.mktemp("gateway"), routes) as gateway:
        yield gateway


def flood(client: Client, piece: bytes, times: int) -> int:
    """Send a piece again and again until the gateway will have no more; bytes sent."""
    sent = 0
    try:
        for _ in range(times):
            client.send(piece)
            sent += len(piece)
    except (ConnectionError, TimeoutError):
        pass
    return sent


def answered(client: Client) -> int:
    """The status of the answer; 0 when the connection was reset before it could be read."""
    try:
        return client.hear().status
    except Incomplete:
        return 0


def test_what_is_within_the_limits_passes(gateway: Gateway) -> None:
    """A target, a head and a body just below their limits are served."""
    fields = [f"X-{number}: {'y' * 300}" for number in range(18)]
    assert gateway.call("POST", "/" + "a" * 1000, *fields, body=b"b" * 10_240).status == 200


def test_a_long_target_is_414(gateway: Gateway, origin: Origin) -> None:
    """A target over its limit is refused, whether it comes at once or never ends."""
    assert gateway.get("/" + "a" * 1100).status == 414
    with gateway.client(timeout=3) as client:
        client.send(b"GET /" + b"a" * 30_000)
        assert client.hear().status == 414
    assert not any(b"aaaaaaaaaa" * 105 in bytes(reader.log) for reader in origin.readers)


def test_many_header_bytes_are_431(gateway: Gateway) -> None:
    """A head over its limit is refused, in one field or in several."""
    assert gateway.get("/", "X-Long: " + "y" * 8_300).status == 431
    assert gateway.get("/", *[f"X-{number}: {'y' * 1_000}" for number in range(9)]).status == 431


def test_many_header_fields_are_431(gateway: Gateway) -> None:
    """So is one with more fields than allowed, however short."""
    assert gateway.get("/", *[f"X-{number}: y" for number in range(30)]).status == 431


def test_a_refusal_closes_the_connection(gateway: Gateway) -> None:
    """After a head that was not read to its end, nothing more is read from that client."""
    with gateway.client() as client:
        reply = client.get("/", "X-Long: " + "y" * 8_300)
        assert reply.get("Connection") == "close"
        assert client.has_ended()


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (START + b"X-Long: ", b"y" * 65_536),
        (START, b"X-Name: value\r\n" * 4_096),
        (START + b"X-Name-", b"n" * 65_536),
        (b"GET /", b"a" * 65_536),
        (b"", b"\r\n" * 32_768),
        (b"", b"G" * 65_536),
    ],
    ids=["value", "fields", "name", "target", "blank lines", "method"],
)
def test_a_head_without_end_is_cut_off_early(gateway: Gateway, begin: bytes, piece: bytes) -> None:
    """64 MB of a head: the gateway stops reading after a little and holds almost none of it."""
    before = gateway.memory()
    with gateway.client(timeout=2) as client:
        client.send(begin)
        sent = flood(client, piece, 1_024)
        assert answered(client) in (0, 400, 414, 431, 501)
    assert sent < 30_000_000
    assert gateway.memory() - before < 4_000_000


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"5;ext=", b"e" * 65_536),
        (b"5;" + b"a=b;" * 20, b"c=d;" * 16_384),
        (b"0\r\nX-Trailer: ", b"t" * 65_536),
        (b"0\r\n", b"X-Trailer: t\r\n" * 4_096),
        (b"0\r\nX-", b"n" * 65_536),
    ],
    ids=["extension", "extensions", "trailer value", "trailers", "trailer name"],
)
def test_chunk_lines_and_trailers_without_end_are_cut_off(gateway: Gateway, begin: bytes, piece: bytes) -> None:
    """Chunk extensions and trailers are bounded too, though the parser is silent while they come."""
    before = gateway.memory()
    with gateway.client(timeout=2) as client:
        client.send(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + begin)
        sent = flood(client, piece, 512)
        assert answered(client) in (0, 400)
    assert sent < 16_000_000
    assert gateway.memory() - before < 4_000_000


def test_small_chunks_with_long_extensions_are_cut_off(gateway: Gateway, origin: Origin) -> None:
    """An extension longer than its limit is refused even on a chunk that is complete."""
    with gateway.client(timeout=2) as client:
        client.send(f"POST /ext HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        client.send(b"1;" + b"e" * 60_000 + b"\r\nx\r\n0\r\n\r\n")
        assert answered(client) in (0, 400)
    assert origin.seen("/ext") == []


def test_a_long_body_is_413_before_it_is_sent(gateway: Gateway, origin: Origin) -> None:
    """A Content-Length over the route's bound is refused, and the backend hears nothing of it."""
    reply = gateway.call("POST", "/long-body", body=b"x" * 10_241)
    assert (reply.status, reply.get("Connection")) == (413, "close")
    assert origin.seen("/long-body") == []


def test_a_long_chunked_body_is_413_and_never_whole_at_the_backend(gateway: Gateway, origin: Origin) -> None:
    """A chunked body is counted as it comes; the backend never sees the end of one that is too long."""
    with gateway.client() as client:
        client.send(f"POST /long-chunks HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(11):
            client.send(b"400\r\n" + b"x" * 1024 + b"\r\n")
        reply = client.hear()
    assert (reply.status, reply.get("Connection")) == (413, "close")
    assert origin.seen("/long-chunks") == []


def test_an_answer_head_without_end_is_502(gateway: Gateway, origin: Origin) -> None:
    """A backend whose answer's head never ends is given up early."""
    origin.on("/endless-head", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 3_000_000)
    before = gateway.memory()
    assert gateway.get("/endless-head").status == 502
    assert gateway.memory() - before < 4_000_000


@pytest.mark.parametrize(
    "told",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nBad Name: x\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
)
def test_answers_that_break_http_are_502(gateway: Gateway, origin: Origin, told: bytes) -> None:
    """An answer that cannot be trusted is not passed on; the client learns no detail of it."""
    origin.on("/broken", told)
    reply: Message = gateway.get("/broken")
    assert (reply.status, reply.get("Content-Type")) == (502, "application/problem+json")
    assert b"127.0.0.1" not in reply.body
    origin.on("/fine", answer(b"fine"))
    assert gateway.get("/fine").body == b"fine"
