"""The backend of benchmarks."""

import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from benchmarks.common import Crew, get
from benchmarks.memory import download, upload
from benchmarks.origin import SMALL


@pytest.fixture(scope="module")
def origin() -> Iterator[int]:
    with Crew() as crew:
        yield crew.origin("legacy")


def test_it_says_who_answered(origin: int) -> None:
    """250 bytes of JSON, and its name."""
    answer = get(origin, "/anything")
    assert (answer.status, answer.headers["x-origin"], answer.body, len(SMALL)) == (200, "legacy", SMALL, 250)


def test_large_bodies_arrive_whole(origin: int) -> None:
    """Down and up; a body that arrives in part is noticed by whoever asked."""
    download(origin, 3_000_000)
    upload(origin, 3_000_000)


def test_requests_on_one_connection_are_answered_in_order(origin: int) -> None:
    """Also when a body comes in pieces, with the next request behind it."""
    connection = HTTPConnection("127.0.0.1", origin, timeout=5)
    for size in (0, 10, 100_000):
        connection.request("POST", "/take", body=b"x" * size)
        answer = connection.getresponse()
        assert (answer.getheader("X-Got"), answer.read()) == (str(size), SMALL)
    connection.close()


def test_pipelined_requests_are_both_answered(origin: int) -> None:
    """Nothing of the second is lost when it comes with the first."""
    with socket.create_connection(("127.0.0.1", origin), 5) as connection:
        connection.sendall(b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nxxGET /b HTTP/1.1\r\n\r\n")
        data = b""
        while data.count(b"HTTP/1.1 200 OK") < 2:
            data += connection.recv(65_536)
    assert data.count(b"X-Got: 2") == 1
