"""Whoever asks a gateway learns what went wrong, whatever it was."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli import remote
from gateway.cli.remote import NotRunning, ask, ask_if_running
from gateway.errors import CommandError
from gateway.processes.channel import CONTROL_SOCKET, listen_unix
from tests.admin.fakes import FakeSteering


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[list[bytes]]:
    """A socket that answers each caller with the next of these, whatever it asks; an empty one never answers."""
    answers: list[bytes] = []
    listener = listen_unix(tmp_path / CONTROL_SOCKET)
    listener.settimeout(10)
    released = threading.Event()

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            connection.recv(65_536)
            if answers[0]:
                connection.sendall(answers[0])
            else:
                released.wait(10)

    thread = threading.Thread(target=answer)
    thread.start()
    yield answers
    released.set()
    thread.join(10)
    listener.close()


def test_questions_and_orders_are_answered(folder: Path, steering: FakeSteering) -> None:
    """A question is a GET, an order a POST."""
    assert ask(folder / ".banyan", "/api/v1/status") == steering.status()
    assert ask(folder / ".banyan", "/api/v1/reload", {"accept": True})["outcome"] == "unchanged"


def test_a_refusal_is_told_in_the_gateway_s_words(folder: Path, steering: FakeSteering) -> None:
    """The detail of a problem document is what a person reads."""
    with pytest.raises(CommandError, match="The body must be a JSON object with accept"):
        ask(folder / ".banyan", "/api/v1/reload", {})


def test_nobody_there_says_how_to_start(tmp_path: Path) -> None:
    """No folder, no socket, or a socket that nobody listens on: no gateway runs."""
    for data in (tmp_path / "missing", tmp_path):
        with pytest.raises(NotRunning, match="Start one with `banyan run`"):
            ask(data, "/api/v1/status")
    listen_unix(tmp_path / CONTROL_SOCKET).close()
    assert ask_if_running(tmp_path, "/api/v1/status") is None


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    """A data folder may be deeper than a socket's name may be long."""
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    listen_unix(deep / CONTROL_SOCKET).close()
    assert ask_if_running(deep, "/api/v1/status") is None


def test_another_user_s_gateway_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that may not be opened belongs to somebody else."""

    def refused(path: Path) -> socket.socket:
        raise PermissionError

    monkeypatch.setattr(remote, "connect_unix", refused)
    with pytest.raises(CommandError, match="belongs to another user"):
        ask_if_running(tmp_path, "/api/v1/status")


def test_a_gateway_that_hangs_is_given_up(
    tmp_path: Path, answering: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command never waits for ever."""
    monkeypatch.setattr(remote, "PATIENCE", 0.1)
    answering.append(b"")
    with pytest.raises(CommandError, match="did not answer within"):
        ask(tmp_path, "/api/v1/status")


@pytest.mark.parametrize(
    "answer", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{", b"HTTP/1.1 200 OK\r\n\r\n"]
)
def test_nonsense_is_told(tmp_path: Path, answering: list[bytes], answer: bytes) -> None:
    """An answer that cannot be read is no traceback."""
    answering.append(answer)
    with pytest.raises(CommandError, match="did not answer properly"):
        ask(tmp_path, "/api/v1/status")
