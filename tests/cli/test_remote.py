"""Whoever asks a gateway learns what went wrong, whatever it was."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.cli import remote
from gateway.cli.remote import NotRunning, ask, ask_if_running
from gateway.errors import CommandError
from gateway.processes.channel import CONTROL_SOCKET, listen_unix
from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan, Elsewhere
from tests.cli.serving import served
from tests.support.recorded import passed


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


# ------------------------------------------------------------------------------------------------ elsewhere

WHY = ("--reason", "500s since 02:40")


def test_a_gateway_elsewhere_is_asked_with_a_token(banyan: Banyan, elsewhere: Elsewhere) -> None:
    """Named on the command line; nothing of this machine's own is looked at."""
    ran = banyan(*elsewhere("viewer"), "status", "--json")
    assert (ran.code, json.loads(ran.out)) == (0, elsewhere.steering.status())
    assert banyan("status").err.startswith("No gateway is running in the data folder .banyan.")


def test_a_gateway_elsewhere_may_be_named_in_the_environment(
    banyan: Banyan, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a token is seen by fewer people than on a command line; spaces around it come from files."""
    monkeypatch.setenv("BANYAN_SERVER", elsewhere.url)
    monkeypatch.setenv("BANYAN_TOKEN", f" {elsewhere.tokens['viewer']}\r\n")
    assert banyan("status").code == 0
    assert "--token or BANYAN_TOKEN" in banyan("--token", "", "status").err


def test_the_gateway_elsewhere_goes_before_the_one_here(
    banyan: Banyan, steering: FakeSteering, elsewhere: Elsewhere
) -> None:
    """Whoever names one means that one; the next command is about the one here again."""
    assert banyan(*elsewhere(), "pause", "list", *WHY).out == "It is done.\n"
    assert (len(elsewhere.steering.desk.ordered), len(steering.desk.ordered)) == (1, 0)
    assert banyan("pause", "list", *WHY).out == "It is done.\n"
    assert (len(elsewhere.steering.desk.ordered), len(steering.desk.ordered)) == (1, 1)


def test_elsewhere_whoever_acts_is_whose_token_it_is(banyan: Banyan, elsewhere: Elsewhere) -> None:
    """Not who is logged on to this machine."""
    assert banyan(*elsewhere(), "override", "list", "legacy", "--for", "1h", *WHY).code == 0
    assert banyan(*elsewhere(), "rollback", "list", *WHY).code == 0
    assert banyan(*elsewhere(), "reload").code == 0
    assert [order[-2:] for order in elsewhere.steering.desk.ordered] == [("Olu", WHY[1])] * 2
    told = json.loads(banyan(*elsewhere("viewer"), "audit", "--json").out)
    assert [(each["action"], each["who"], each["role"], each["via"], each["address"]) for each in told["acts"]] == [
        (action, "Olu", "operator", "token", "127.0.0.1") for action in ("reload", "rollback", "override")
    ]


def test_a_role_that_is_too_low_is_told(banyan: Banyan, elsewhere: Elsewhere) -> None:
    """And nothing is done."""
    ran = banyan(*elsewhere("viewer"), "rollback", "list", *WHY)
    assert (ran.code, ran.out, ran.err) == (1, "", "This needs the role operator; Vera is a viewer.\n")
    assert banyan(*elsewhere(), "approve", "list", *WHY).err == "This needs the role approver; Olu is an operator.\n"
    assert banyan(*elsewhere("approver"), "approve", "list", *WHY).code == 0
    assert [order[2] for order in elsewhere.steering.desk.ordered] == ["approve"]


def test_a_token_that_is_no_good_is_told(banyan: Banyan, elsewhere: Elsewhere) -> None:
    """With what to do."""
    ran = banyan("--server", elsewhere.url, "--token", f"banyan_{'0' * 12}_{'x' * 43}", "status")
    assert (ran.code, ran.out, "`banyan token create` makes one" in ran.err) == (1, "", True)
    for none in ((), ("--token", ""), ("--token", " ")):
        ran = banyan("--server", elsewhere.url, *none, "status")
        assert (ran.code, "wants a token: --token or BANYAN_TOKEN" in ran.err) == (1, True)


@pytest.mark.parametrize("token", ["banyan_\nX-Evil: 1", "banyan_\x00", "banyan_\u00e9", "banyan_\udcff"])
def test_a_token_is_never_shown(banyan: Banyan, elsewhere: Elsewhere, token: str) -> None:
    """Not in what is said of one with characters in it that no token has."""
    ran = banyan("--server", elsewhere.url, "--token", token, "status")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "The token is not one: it has characters in it that no token has. Copy it again.\n"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8081",
        "ftp://localhost",
        "http://",
        "http://:8081",
        "http://localhost:99999",
        "http://localhost:0",
        "http://localhost:x",
        "http://[::1",
        "http://localhost/api",
        "http://localhost?x=1",
        "http://localhost#x",
        "http://ann:opensesame@localhost",
    ],
)
def test_what_is_no_address_is_told(banyan: Banyan, folder: Path, url: str) -> None:
    """Without a traceback, and without the password that somebody wrote into it."""
    ran = banyan("--server", url, "--token", "x", "status")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "--server wants the address of a gateway's admin port, such as http://127.0.0.1:8081.\n"


def test_a_gateway_elsewhere_that_is_not_there_is_told(banyan: Banyan, folder: Path) -> None:
    """By its address, for questions, orders and whatever goes on for a while."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    for words in (("status",), ("routes",), ("pause", "list", *WHY), ("capture", "list", "-o", "x.har")):
        ran = banyan("--server", url, "--token", "x", *words)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith(f"The gateway at {url} cannot be reached: ")
    assert list(folder.glob("*.har")) == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_is_no_gateway_is_told(banyan: Banyan, folder: Path, scheme: str) -> None:
    """A server that speaks something else, or whose certificate nobody knows."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    with served(page) as url:
        ran = banyan("--server", url.replace("http", scheme), "--token", "x", "status")
    assert (ran.code, ran.out, "Is that its admin port?" in ran.err) == (1, "", True)


def test_what_goes_on_for_a_while_is_told_elsewhere_too(banyan: Banyan, elsewhere: Elsewhere, folder: Path) -> None:
    """A capture, line by line; who may not is told why."""

    def ordered(message: tuple[Any, ...]) -> None:
        if message[0] == "capture":
            taken = elsewhere.steering.captures.captured
            asyncio.get_running_loop().call_soon(taken, message[1], [passed(b"/1")], {})

    elsewhere.steering.ordered = ordered
    ran = banyan(*elsewhere(), "capture", "list", "--count", "1")
    assert ran == (0, "1 request in list.har: there are enough.\n", "")
    ran = banyan(*elsewhere("viewer"), "capture", "list", "-o", "other.har")
    assert (ran.code, ran.err) == (1, "This needs the role operator; Vera is a viewer.\n")
    acts = json.loads(banyan(*elsewhere("viewer"), "audit", "--json").out)["acts"]
    assert [(each["action"], each["subject"], each["who"]) for each in acts] == [("capture", "list", "Olu")]
