"""Reaching a running gateway: over the Unix socket in its data folder, which only its own user may open, or from
anywhere at its admin port, with a token (`--server`, `--token`)."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from gateway.errors import CommandError
from gateway.processes.channel import CONTROL_SOCKET, connect_unix

PATIENCE = 30.0
"""Seconds: reading a file of 10,000 routes takes a few."""


class NotRunning(CommandError):
    """No gateway can be reached in this data folder."""


class Server(NamedTuple):
    """A gateway's admin port, and the token to show there."""

    url: str
    token: str


_SERVER: list[Server] = []
"""The one that the command line names, if it does."""


def use(url: str | None, token: str | None) -> None:
    """Ask this gateway from now on, not the one in the data folder. Raises CommandError for what is no address."""
    _SERVER.clear()
    if url is None:
        return
    if not _is_plain(url):
        raise CommandError("--server wants the address of a gateway's admin port, such as http://127.0.0.1:8081.")
    if not token or not token.strip():
        raise CommandError(
            "A gateway elsewhere wants a token: --token or BANYAN_TOKEN. `banyan token create` makes one."
        )
    if not (token.strip().isascii() and token.strip().isprintable()):  # an error of the connection's would show it
        raise CommandError("The token is not one: it has characters in it that no token has. Copy it again.")
    _SERVER.append(Server(url, token.strip()))


def _is_plain(url: str) -> bool:
    """Whether an address says nothing but which server it is."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        return False
    return (
        known
        and bool(parts.hostname)
        and "@" not in url
        and not (parts.path.strip("/") or parts.query + parts.fragment)
    )


def is_elsewhere() -> bool:
    """Whether the command line names a gateway by its address."""
    return bool(_SERVER)


class _Connection(http.client.HTTPConnection):
    """An HTTP connection that goes through a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock: socket.socket = connect_unix(self._path)
        self.sock.settimeout(self.timeout)


def ask(data: Path, path: str, order: dict[str, Any] | None = None) -> dict[str, Any]:
    """The gateway's answer to a question, or to an order. Raises NotRunning, or CommandError with what it says."""
    with _asked(data) as connection:
        body = None if order is None else json.dumps(order)
        fields = {"Content-Type": "application/json", **_shown()}
        connection.request("GET" if order is None else "POST", path, body, fields)
        return _document(connection.getresponse())


def told(data: Path, path: str, body: bytes = b"") -> Iterator[dict[str, Any]]:
    """What the gateway tells while it carries out an order, line by line. Who stops listening ends it.

    The last line says that it `ended`. Raises NotRunning, or CommandError with what the gateway says.
    """
    with _asked(data) as connection:
        connection.request("POST", path, body, _shown())
        answer = connection.getresponse()
        if answer.status >= 400:
            _document(answer)
        line: dict[str, Any] = {}
        for text in answer:
            line = json.loads(text)
            if "error" in line:
                raise CommandError(line["error"])
            yield line
        if not line.get("ended"):
            raise CommandError(f"{_named(data)} stopped in the middle. Its log may say why.")


def _shown() -> dict[str, str]:
    return {"Authorization": f"Bearer {_SERVER[0].token}"} if _SERVER else {}


def _named(data: Path) -> str:
    return f"The gateway at {_SERVER[0].url}" if _SERVER else f"The gateway in {data}"


def _connection(data: Path) -> http.client.HTTPConnection:
    if not _SERVER:
        return _Connection(data / CONTROL_SOCKET)
    parts = urlsplit(_SERVER[0].url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=PATIENCE)


@contextmanager
def _asked(data: Path) -> Iterator[http.client.HTTPConnection]:
    """A connection to the gateway; what fails on it is a CommandError."""
    connection = _connection(data)
    try:
        yield connection
    except (OSError, http.client.HTTPException, ValueError) as error:
        if _SERVER:
            raise CommandError(f"{_named(data)} cannot be reached: {error}. Is that its admin port?") from error
        raise _explained(data, error) from error
    finally:
        connection.close()


def _explained(data: Path, error: Exception) -> CommandError:
    """What it means that the socket does not answer."""
    match error:
        case PermissionError():
            return CommandError(f"The gateway in {data} belongs to another user. Run this as that user.")
        case FileNotFoundError() | NotADirectoryError() | ConnectionRefusedError():
            return NotRunning(
                f"No gateway is running in the data folder {data}. Start one with `banyan run`, or name its folder "
                "with --data."
            )
        case TimeoutError():
            return CommandError(f"The gateway in {data} did not answer within {PATIENCE:g} seconds.")
        case _:
            return CommandError(f"The gateway in {data} did not answer properly: {error}. Its log may say why.")


def _document(answer: http.client.HTTPResponse) -> dict[str, Any]:
    document = json.loads(answer.read())
    if answer.status >= 400:
        raise CommandError(str(document.get("detail") or document.get("title")))
    return dict(document)


def ask_if_running(data: Path, path: str) -> dict[str, Any] | None:
    """The same, or None when there is nobody to ask."""
    try:
        return ask(data, path)
    except NotRunning:
        return None
