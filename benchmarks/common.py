"""What every benchmark needs: processes that are started, waited for, and ended with it, all on loopback.

A Crew owns a folder and everything that was started in it; leaving it ends them all, by their own ids, come what may.
"""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic, sleep
from types import FrameType
from typing import Any, NamedTuple, Self

from benchmarks.ports import free_port
from benchmarks.proc import command_line, on_core, process_tree, processes

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 30.0
"""Seconds that anything may take to start or to end."""


class CannotMeasure(Exception):
    """Something a measurement needs is missing or broken. The message says what to do."""


class Answer(NamedTuple):
    """What came back for one request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Crew:
    """A folder, and the processes that were started in it."""

    def __init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="banyan-bench-")
        self.folder = Path(self._temporary.name)
        self._started: list[subprocess.Popen[bytes]] = []
        self._gateways: list[Gateway] = []

    def __enter__(self) -> Self:
        self.folder.chmod(0o755)
        return self

    def __exit__(self, *_: object) -> None:
        for gateway in self._gateways:
            gateway.end()
        for process in self._started:
            end(process)
        self._temporary.cleanup()

    def start(self, name: str, command: Sequence[str | Path], port: int, core: int | None = None) -> int:
        """Start a server and wait until it listens; its process id. Raises CannotMeasure."""
        output = self.folder / f"{name}.out"
        with output.open("wb") as file, on_core(core):
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=ROOT)
        self._started.append(process)
        wait_until(lambda: accepts(port), f"{name} does not listen", process, output)
        return process.pid

    def origin(self, name: str, core: int | None = None, delay_ms: float = 0.0) -> int:
        """A backend of our own (`benchmarks.origin`); its port."""
        port = free_port()
        options = ("--name", name, "--port", str(port), "--delay-ms", str(delay_ms))
        self.start(f"origin-{name}", [sys.executable, "-m", "benchmarks.origin", *options], port, core)
        return port

    def fragile(self, name: str, core: int | None = None) -> int:
        """A backend that counts what it has to bear (`benchmarks.fragile`); its port."""
        port = free_port()
        self.start(f"fragile-{name}", [sys.executable, "-m", "benchmarks.fragile", "--port", str(port)], port, core)
        return port

    def gateway(
        self,
        routes: str,
        name: str = "gateway",
        core: int | None = None,
        files: Mapping[str, str] | None = None,
        *,
        store: str = "",
        data: Path | None = None,
    ) -> "Gateway":
        """A gateway that serves this routes.yaml, and is ready; `files` are those that it names, beside it.

        `store` is its store's URL and `data` its data folder, where they are not the usual ones.
        """
        gateway = Gateway(self.folder / name, core, store, data)
        self._gateways.append(gateway)
        gateway.config.write_text(routes)
        for file, text in (files or {}).items():
            (gateway.config.parent / file).write_text(text)
        gateway.start()
        gateway.wait_ready()
        return gateway


class Gateway:
    """One `banyan run`, with its configuration and its data folder."""

    def __init__(self, folder: Path, core: int | None = None, store: str = "", data: Path | None = None) -> None:
        folder.mkdir()
        self.config = folder / "routes.yaml"
        self.data = data or folder / "data"
        self.log = folder / "log"
        self._core = core
        self._store = store
        self._process: subprocess.Popen[bytes] | None = None
        self.port, self.admin = free_port(), free_port()

    def start(self) -> None:
        """Start it, without waiting for anything; again, when the control process was killed."""
        options = ["--config", str(self.config), "--listen", f"127.0.0.1:{self.port}"]
        options += ["--admin", f"127.0.0.1:{self.admin}", "--data", str(self.data)]
        options += ["--store", self._store] if self._store else []
        environ = {name: value for name, value in os.environ.items() if not name.startswith("BANYAN_")}
        with self.log.open("ab") as file, on_core(self._core):
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "run", *options],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=ROOT,
                env=environ,
            )

    def wait_ready(self) -> None:
        wait_until(self.ready, "the gateway does not get ready", self._process, self.log)

    def ready(self) -> bool:
        with suppress(OSError, HTTPException):
            return get(self.admin, "/readyz").status == 200
        return False

    @property
    def control(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not started"
        return self._process

    def data_pids(self) -> list[int]:
        """The data processes of this gateway's folder, whoever their parent is by now."""
        wanted = str(self.data)
        return [pid for pid in processes() if wanted in (words := command_line(pid)) and "data" in words]

    def pids(self) -> list[int]:
        """All its processes."""
        return sorted({*process_tree(self.control.pid), *self.data_pids()})

    def status(self) -> dict[str, Any]:
        return self.ask("/api/v1/status")

    def ask(self, path: str) -> dict[str, Any]:
        """Ask it something, by its control socket."""
        return self._json("GET", path, None)

    def order(self, path: str, document: Mapping[str, object]) -> dict[str, Any]:
        """Tell it to do something, by its control socket."""
        return self._json("POST", path, document)

    def _json(self, method: str, path: str, document: Mapping[str, object] | None) -> dict[str, Any]:
        connection = _UnixConnection(self.data / "control.sock")
        try:
            connection.request(method, path, None if document is None else json.dumps(document))
            response = connection.getresponse()
            text = response.read()
        except (OSError, HTTPException) as error:
            raise CannotMeasure(f"the gateway's control socket: {method} {path}: {error!r}{tail(self.log)}") from error
        finally:
            connection.close()
        if response.status != 200:
            raise CannotMeasure(f"the gateway's control socket: {method} {path}: {response.status} {text!r}")
        return dict(json.loads(text))

    def end(self) -> None:
        """End it and wait; what is left of it afterwards is killed."""
        if self._process is not None:
            end(self._process)
        for pid in self.data_pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(str(self._path))


# ------------------------------------------------------------------------------------------------ small things


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process: politely first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def get(port: int, path: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Ask once, on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def accepts(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_until(
    true: Callable[[], bool],
    otherwise: str,
    process: subprocess.Popen[bytes] | None = None,
    output: Path | None = None,
    seconds: float = PATIENCE,
) -> None:
    """Wait until something is true. Raises CannotMeasure after a while, or when the process that it needs has ended."""
    deadline = monotonic() + seconds
    while not true():
        ended = process is not None and process.poll() is not None
        if ended or monotonic() > deadline:
            raise CannotMeasure(f"{otherwise}{tail(output)}")
        sleep(0.02)


def tail(output: Path | None) -> str:
    """The end of what a process wrote, to be put behind a message."""
    text = output.read_text(errors="replace")[-1_500:].strip() if output is not None and output.exists() else ""
    return f"; it wrote:\n{text}" if text else ""


def needed(command: str, package: str = "") -> str:
    """The path of a program. Raises CannotMeasure with what to install."""
    found = shutil.which(command) or shutil.which(command, path="/usr/sbin:/sbin")
    if found is None:
        raise CannotMeasure(f"`{command}` is not installed. On Debian: apt-get install {package or command}")
    return found


def allow_many_files(wanted: int = 16_384) -> None:
    """Each connection is a file. Raises CannotMeasure when the system allows too few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise CannotMeasure(f"{wanted} open files are needed and {hard} are allowed; raise it with ulimit -n {wanted}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def parser(story: str | None, name: str) -> ArgumentParser:
    """A command line that every benchmark has in common: its story as help, and `--out`."""
    made = ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=story, formatter_class=RawDescriptionHelpFormatter
    )
    made.add_argument("--out", type=Path, metavar="FILE", help="write the result to this file, as JSON")
    return made


def run(main: Callable[[], int]) -> None:
    """The process' whole life: end tidily on SIGTERM, and say in a sentence why something cannot be measured."""

    def leave(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    try:
        sys.exit(main())
    except CannotMeasure as error:
        sys.exit(f"cannot measure: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
