"""The load client counts every failure, by its kind."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from benchmarks import load
from benchmarks.common import wait_until
from benchmarks.estate import request, write_requests
from benchmarks.load import Client, Load, ask
from benchmarks.ports import free_port

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
Answers = Callable[[int], bytes]


@contextmanager
def serving(answer: Answers) -> Iterator[int]:
    """A server that answers the nth request with `answer(n)`, and closes after what does not ask to stay; its port."""
    count = iter(range(1_000_000))

    def converse(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while connection.recv(65_536):
                data = answer(next(count))
                connection.sendall(data)
                if data not in (GOOD, BUSY):
                    return

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                thread = threading.Thread(target=converse, args=(connection,), daemon=True)
                threads.append(thread)
                thread.start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join(5)
    for thread in threads:
        thread.join(5)


def client(port: int, total: int, rate: float = 0) -> Client:
    return Client(port, [request("/")], rate=rate, connections=3, total=total)


@pytest.mark.parametrize("rate", [0, 1_000])
def test_all_good_answers_are_counted(rate: float) -> None:
    """As many as were asked for, and no failure, at a rate and as fast as it goes."""
    with serving(lambda _: GOOD) as port:
        tally = ask(client(port, 40, rate))
    assert (len(tally.good), tally.failures, tally.unsent) == (40, {}, 0)
    assert all(good.due <= good.sent <= good.answered for good in tally.good)


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (b"", "closed_unanswered"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nno", "cut_short"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "unreadable"),
        (BUSY, "status_503"),
    ],
)
def test_each_failure_is_counted_by_kind(bad: bytes, kind: str) -> None:
    """Every tenth request fails: those and no others are failures, and the client goes on on another connection."""
    with serving(lambda n: bad if n % 10 == 0 else GOOD) as port:
        tally = ask(client(port, 40))
    assert dict(tally.failures) == {kind: 4}
    assert len(tally.good) == 36


def test_an_answer_that_ends_its_connection_is_good() -> None:
    """`Connection: close` is no failure: the next request goes on another connection."""
    with serving(lambda n: LAST if n % 3 == 0 else GOOD) as port:
        tally = ask(client(port, 30))
    assert (len(tally.good), tally.failures) == (30, {})


def test_a_server_that_goes_away_refuses_connections() -> None:
    """No request is sent then, so none has failed: refused connections are counted apart."""
    refused = free_port()
    with serving(lambda _: GOOD) as port:
        good = Client(port, [request("/")], rate=100, connections=2)
        with Load(good):
            wait_until(lambda: bool(good.tally.good), "nothing is answered")
    bad = Client(refused, [request("/")], rate=100, connections=2)
    with Load(bad):
        wait_until(lambda: len(bad.tally.refused) > 3, "nothing is refused")
    assert (good.tally.failures, good.tally.refused) == ({}, [])
    assert (bad.tally.failures, bad.tally.good) == ({}, [])


def test_as_a_program_it_says_what_came_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON with counts and latencies."""
    file = write_requests(tmp_path / "requests", [request("/a"), request("/b")])
    with serving(lambda _: GOOD) as port:
        code = load.main(["--port", str(port), "--requests", str(file), "--rate", "200", "--seconds", "0.2"])
    result = json.loads(capsys.readouterr().out)
    assert (code, result["asked"], result["good"], result["failures"]) == (0, 40, 40, {})
    assert 0 < result["p50_us"] <= result["p99_us"]
