"""The real gateway, as an operator starts it: `banyan run` in a folder of its own, on free ports of the loopback."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any, ClassVar, Self

from benchmarks.ports import free_port
from gateway.cli.remote import ask
from gateway.processes.channel import CONTROL_SOCKET, connect_unix
from tests.support.client import Client
from tests.support.messages import Message
from tests.support.origin import Origin, eventually

ROOT = Path(__file__).parents[2]
START = 15.0


def one_backend(origin: Origin, *, gateway: str = "", backend: str = "", route: str = "") -> str:
    """A routes.yaml that sends everything to one origin; the rest is written in YAML's flow style, without braces."""
    settings = f"gateway: {{access_log: {{to: 'off'}}{', ' if gateway else ''}{gateway}}}"
    comma, more = (", " if backend else ""), (", " if route else "")
    return f"""version: 1
{settings}
backends:
  one: {{url: "{origin.url}"{comma}{backend}}}
routes:
  - {{name: everything, match: ANY /**, legacy: one{more}{route}}}
"""


class _Control(HTTPConnection):
    """HTTP over the control socket of a data folder."""

    def __init__(self, data: Path) -> None:
        super().__init__("localhost", timeout=5)
        self._data = data

    def connect(self) -> None:
        self.sock = connect_unix(self._data / CONTROL_SOCKET)
        self.sock.settimeout(self.timeout)


class Gateway:
    """A running gateway. `port` is where front ends call, `admin` where operators look."""

    running: ClassVar[list["Gateway"]] = []

    def __init__(
        self, folder: Path, routes: str, *, host: str = "127.0.0.1", start: bool = True, **environ: str
    ) -> None:
        self.folder = folder
        self.config = folder / "routes.yaml"
        self.data = folder / "data"
        self.host = host
        self.port = free_port(host)
        self.admin = free_port()
        self.environ = environ
        self.process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._data_pids: set[int] = set()
        self.config.write_text(routes)
        self.running.append(self)
        if start:
            self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -------------------------------------------------------------------------------------------- starting, ending

    def command(self) -> list[str]:
        host = f"[{self.host}]" if ":" in self.host else self.host
        listen, admin = f"{host}:{self.port}", f"127.0.0.1:{self.admin}"
        given = ["--config", str(self.config), "--listen", listen, "--admin", admin, "--data", str(self.data)]
        return [sys.executable, "-m", "gateway", "run", *given]

    def start(self) -> None:
        """Start a control process and wait until the gateway is ready."""
        self._starts += 1
        with self._file("out").open("wb") as out, self._file("err").open("wb") as err:
            self.process = subprocess.Popen(
                self.command(), stdout=out, stderr=err, cwd=ROOT, env={**os.environ, **self.environ}
            )
        deadline = monotonic() + START
        while not self.is_ready():
            if self.process.poll() is not None or monotonic() > deadline:
                raise AssertionError(f"the gateway did not start:\n{self.log}")
            sleep(0.03)
        self._data_pids.add(self.data_pid)

    def run(self, seconds: float = 10.0) -> subprocess.CompletedProcess[str]:
        """`banyan run` where it is expected to end by itself."""
        return subprocess.run(
            self.command(),
            capture_output=True,
            text=True,
            timeout=seconds,
            cwd=ROOT,
            env={**os.environ, **self.environ},
        )

    def banyan(self, *arguments: str, seconds: float = 10.0) -> subprocess.CompletedProcess[str]:
        """Another command, about this gateway."""
        command = [sys.executable, "-m", "gateway", *arguments, "--data", str(self.data)]
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, cwd=ROOT)

    def terminate(self) -> None:
        """SIGTERM to the control process."""
        assert self.process is not None
        self.process.terminate()

    def wait(self, seconds: float = 10.0) -> int:
        """The control process' exit code."""
        assert self.process is not None
        return self.process.wait(seconds)

    def kill_control(self) -> None:
        assert self.process is not None
        self._data_pids.add(self.data_pid)
        self.process.kill()
        self.process.wait(5)

    def kill_data(self) -> int:
        """SIGKILL the data process; its id."""
        pid = self.data_pid
        os.kill(pid, signal.SIGKILL)
        return pid

    def close(self) -> None:
        """End everything that was started here, come what may."""
        if self in self.running:
            self.running.remove(self)
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(OSError, AssertionError, KeyError):
                self._data_pids.add(self.data_pid)
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        for pid in self._data_pids:
            if self._is_ours(pid):
                os.kill(pid, signal.SIGKILL)

    def _is_ours(self, pid: int) -> bool:
        try:
            return str(self.data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    # -------------------------------------------------------------------------------------------- what it says

    def _file(self, name: str) -> Path:
        return self.folder / f"run{self._starts}.{name}"

    @property
    def log(self) -> str:
        """What the control process and its data process wrote on standard error."""
        return self._file("err").read_text(errors="replace")

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    @property
    def access_log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._file("out").read_text().splitlines()]

    def look(self, path: str) -> tuple[int, str]:
        """What the gateway tells: status and text. What needs no token is asked on the admin port, all else here."""
        elsewhere = path.startswith(("/api/", "/openapi.json"))
        connection = _Control(self.data) if elsewhere else HTTPConnection("127.0.0.1", self.admin, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except HTTPException as error:
            raise ConnectionAbortedError(f"no answer to GET {path}") from error
        finally:
            connection.close()

    def is_ready(self) -> bool:
        try:
            return self.look("/readyz")[0] == 200
        except OSError:
            return False

    @property
    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.look("/api/v1/status")[1]))

    @property
    def data_pid(self) -> int:
        return int(self.status["data"]["pid"])

    def metric(self, line: str) -> float | None:
        """The value of a series, by its name and labels as rendered."""
        values = [each for each in self.look("/metrics")[1].splitlines() if each.startswith(line + " ")]
        return float(values[0].rpartition(" ")[2]) if values else None

    def memory(self) -> int:
        """Bytes of the data process that are in memory."""
        text = Path(f"/proc/{self.data_pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) * 1024

    # -------------------------------------------------------------------------------------------- changing it

    def write(self, text: str) -> None:
        """Put a new routes.yaml in the old one's place, as editors do."""
        new = self.config.with_name("routes.yaml.new")
        new.write_text(text)
        new.rename(self.config)

    def reload(self, *, accept: bool = False) -> dict[str, Any]:
        """Have it read the file now, as `banyan reload` does; what came of it."""
        return ask(self.data, "/api/v1/reload", {"accept": accept})

    def edit(self, text: str, within: float = 5.0) -> None:
        """Change routes.yaml and wait until it serves."""
        before = self.status["data"]["revision"]
        self.write(text)
        assert eventually(lambda: self.status["data"]["revision"] > before, within), f"not taken:\n{self.log}"

    # -------------------------------------------------------------------------------------------- calling it

    def client(self, **options: Any) -> Client:
        return Client(self.port, self.host, **options)

    def call(self, method: str, target: str, *fields: str, body: bytes | None = None) -> Message:
        """One request on a connection of its own."""
        with self.client() as client:
            return client.ask(method, target, *fields, body=body)

    def get(self, target: str, *fields: str) -> Message:
        return self.call("GET", target, *fields)
