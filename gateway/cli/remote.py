"""Reaching a running gateway: HTTP over the Unix socket in its data folder, which only its own user may open."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.errors import CommandError
from gateway.processes.channel import CONTROL_SOCKET, connect_unix

PATIENCE = 30.0
"""Seconds: reading a file of 10,000 routes takes a few."""


class NotRunning(CommandError):
    """No gateway can be reached in this data folder."""


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
        connection.request("GET" if order is None else "POST", path, body, {"Content-Type": "application/json"})
        return _document(connection.getresponse())


def told(data: Path, path: str, body: bytes = b"") -> Iterator[dict[str, Any]]:
    """What the gateway tells while it carries out an order, line by line. Who stops listening ends it.

    The last line says that it `ended`. Raises NotRunning, or CommandError with what the gateway says.
    """
    with _asked(data) as connection:
        connection.request("POST", path, body)
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
            raise CommandError(f"The gateway in {data} stopped in the middle. Its log may say why.")


@contextmanager
def _asked(data: Path) -> Iterator[_Connection]:
    """A connection to the gateway; what fails on it is a CommandError."""
    connection = _Connection(data / CONTROL_SOCKET)
    try:
        yield connection
    except PermissionError as error:
        raise CommandError(f"The gateway in {data} belongs to another user. Run this as that user.") from error
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError) as error:
        raise NotRunning(
            f"No gateway is running in the data folder {data}. Start one with `banyan run`, or name its folder "
            "with --data."
        ) from error
    except TimeoutError as error:
        raise CommandError(f"The gateway in {data} did not answer within {PATIENCE:g} seconds.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CommandError(f"The gateway in {data} did not answer properly: {error}. Its log may say why.") from error
    finally:
        connection.close()


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
