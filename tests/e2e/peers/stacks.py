"""The foreign stacks as processes: servers that end with the test, and clients that make their calls and are gone."""

import contextlib
import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

from benchmarks.ports import free_port
from tests.e2e.peers.library import DIALECTS, HERE, Case, Dialect

START = 15.0
PATIENCE = 60.0
Told = dict[str, dict[str, Any]]
"""What a client said came of its calls: by the path of the dialect, and by the name of the case."""


class Stack(NamedTuple):
    """A SOAP stack: how it is started, and what it cannot do as a client."""

    name: str
    client: list[str]
    server: Callable[[int], list[str]]
    missing: Callable[[], str | None]
    skips: Callable[[Dialect, Case], bool]


def _php_missing() -> str | None:
    if shutil.which("php") is None:
        return "PHP is not installed (Debian: php-cli and php-soap)"
    modules = subprocess.run(["php", "-m"], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    return None if "soap" in modules.split() else "PHP has no SOAP (Debian: php-soap)"


def _node_missing() -> str | None:
    if shutil.which("node") is None:
        return "node is not installed (Debian: nodejs and npm)"
    return None if (HERE / "node_modules" / "soap").is_dir() else "run `npm ci` in tests/e2e/peers first"


PHP = Stack(
    "php",
    ["php", str(HERE / "client.php")],
    lambda port: ["php", "-S", f"127.0.0.1:{port}", str(HERE / "server.php")],
    _php_missing,
    lambda dialect, case: False,
)
NODE = Stack(
    "node",
    ["node", str(HERE / "client.mjs")],
    lambda port: ["node", str(HERE / "server.mjs"), str(port)],
    _node_missing,
    lambda dialect, case: not dialect.document and not case.arguments,  # it refuses rpc operations without parts
)
STACKS = {each.name: each for each in (PHP, NODE)}


@contextlib.contextmanager
def served(stack: Stack, log: Path) -> Iterator[str]:
    """The library on this stack, and its address."""
    port = free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(stack.server(port), stdout=out, stderr=out)
    try:
        deadline = monotonic() + START
        while not _listens(port):
            if process.poll() is not None or monotonic() > deadline:
                raise AssertionError(f"the {stack.name} server did not start:\n{log.read_text(errors='replace')}")
            sleep(0.03)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(5)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def cases(stack: Stack, dialect: Dialect) -> list[Case]:
    """The calls that this stack's client makes."""
    return [each for each in dialect.cases if not stack.skips(dialect, each)]


def asked(stack: Stack, base: str) -> Told:
    """What this stack's client gets when it makes all its calls at the library below this address."""
    jobs = json.dumps([_job(stack, each, base) for each in DIALECTS])
    run = subprocess.run(stack.client, input=jobs, capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 0, f"the {stack.name} client failed:\n{run.stdout[-2000:]}{run.stderr[-4000:]}"
    return {
        each.path: {case.name: result for case, result in zip(cases(stack, each), results, strict=True)}
        for each, results in zip(DIALECTS, json.loads(run.stdout), strict=True)
    }


def _job(stack: Stack, dialect: Dialect, base: str) -> dict[str, Any]:
    calls = [{"operation": c.operation, "arguments": c.arguments, "header": c.header} for c in cases(stack, dialect)]
    return {
        "wsdl": dialect.file,
        "address": f"{base}/{dialect.path}",
        "version": dialect.version,
        "document": dialect.document,
        "calls": calls,
    }
