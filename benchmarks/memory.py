"""What the gateway holds in memory: after few and many requests, while large bodies pass, and for idle connections.

Sections of `benchmarks.scale`. Resident memory is read from /proc; the kernel's socket buffers are not in it.
"""

import socket
from argparse import Namespace
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import sleep

from benchmarks import estate
from benchmarks.common import CannotMeasure, Crew, Gateway, allow_many_files
from benchmarks.load import Client, ask
from benchmarks.proc import LOAD_CORE, PROXY_CORE, resident_kib
from benchmarks.report import Finding, say
from benchmarks.wrk import run_wrk

ROUTES = 1_000
WARM = 10_000
CONNECTIONS = 64
BLOCK = 262_144
SETTLE = 1.5
"""Seconds until observations have been handed on and connections put by."""

LARGE = """\
  - {name: down, match: "GET /bytes/{count}", legacy: legacy}
  - {name: up, match: "POST /take", legacy: legacy}
"""


def growth(crew: Crew, options: Namespace) -> list[Finding]:
    """Memory at 1,000 routes after 10,000 requests, and how much more there is after a million."""
    legacy, new = crew.origin("legacy", LOAD_CORE), crew.origin("new", LOAD_CORE)
    gateway = crew.gateway(estate.routes_yaml(ROUTES, legacy, new, crew.folder / "log"), core=PROXY_CORE)
    made = estate.requests(ROUTES)
    warm(gateway, made, min(WARM, options.requests))
    file = estate.write_requests(crew.folder / "requests", made)
    data, tree = _data_mb(gateway), _tree_mb(gateway)
    sent = min(WARM, options.requests)
    while sent < options.requests:
        seconds = 1 if options.requests < 10 * WARM else 10
        result = run_wrk(gateway.port, file, seconds, core=LOAD_CORE, folder=crew.folder)
        if result.failures or not result.requests:
            raise CannotMeasure(f"requests failed: {result.failures}")
        sent += result.requests
        say(f"growth: {sent:,} requests")
    sleep(SETTLE)
    more = max(_data_mb(gateway) - data, _tree_mb(gateway) - tree)
    return [
        Finding("memory of the data process, 1,000 routes", data, "MB", 60),
        Finding("memory of the tree, 1,000 routes", tree, "MB", 160),
        Finding(f"growth from {WARM:,} to {sent:,} requests", more, "MB", 5, note="the tree's, or the data process'"),
    ]


def bodies(crew: Crew, options: Namespace) -> list[Finding]:
    """How much the tree grows at most while a large body passes, down and then up. Either reader rests at first."""
    legacy = crew.origin("legacy")
    gateway = crew.gateway(estate.routes_yaml(ROUTES, legacy, legacy, extra=LARGE))
    warm(gateway, estate.requests(ROUTES), 2_000)
    gigabytes = options.bytes / 1e9
    found = []
    for name, work in (("down", download), ("up", upload)):
        more = _peak_growth_mb(gateway, lambda work=work: work(gateway.port, options.bytes))  # type: ignore[misc]
        found.append(Finding(f"{gigabytes:g} GB {name}: memory at its peak", more, "MB more", 20))
    return found


def idle(crew: Crew, options: Namespace) -> list[Finding]:
    """Connections that have asked once and stay open."""
    allow_many_files(options.connections + 1_000)
    legacy = crew.origin("legacy")
    gateway = crew.gateway(estate.routes_yaml(ROUTES, legacy, legacy))
    warm(gateway, estate.requests(ROUTES), 2_000)
    before = _data_mb(gateway)
    held: list[socket.socket] = []
    try:
        for n in range(options.connections):
            connection = socket.create_connection(("127.0.0.1", gateway.port), 10)
            held.append(connection)
            connection.sendall(estate.request(estate.path_of(n % ROUTES), n))
            if not connection.recv(65_536).startswith(b"HTTP/1.1 200 "):
                raise CannotMeasure(f"idle connection {n} was not answered")
        sleep(SETTLE)
        each = (_data_mb(gateway) - before) * 1e6 / 1024 / len(held)
        closed = sum(not _is_open(connection) for connection in held)
    finally:
        for connection in held:
            connection.close()
    return [
        Finding(f"each of {len(held):,} idle connections", each, "KiB", 10),
        Finding("idle connections that were closed", closed, "", 0),
    ]


# ------------------------------------------------------------------------------------------------ asking


def warm(gateway: Gateway, requests: list[bytes], count: int) -> None:
    """Ask so often, on many connections, and wait until it is over. Raises CannotMeasure when one fails."""
    tally = ask(Client(gateway.port, requests, rate=0, connections=CONNECTIONS, total=count))
    if tally.failed or len(tally.good) != count:
        raise CannotMeasure(f"{len(tally.good)} of {count} requests were answered, failures {dict(tally.failures)}")
    sleep(SETTLE)


def download(port: int, size: int) -> None:
    """Take a body of `size` bytes, after a rest in which a proxy could take it all in."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(estate.request(f"/bytes/{size}"))
        sleep(0.5)
        missing = size - len(_rest_after_head(connection))
        while missing:
            got = len(connection.recv(min(BLOCK, missing)))
            if not got:
                raise CannotMeasure(f"{missing} bytes of the download are missing")
            missing -= got


def upload(port: int, size: int) -> None:
    """Send a body of `size` bytes to an origin that rests before it reads."""
    head = f"POST /take HTTP/1.1\r\nHost: bench.test\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n"
    block = b"u" * BLOCK
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(head.encode())
        for at in range(0, size, BLOCK):
            connection.sendall(block[: size - at])
        answer = connection.recv(65_536)
    if f"x-got: {size}\r\n".encode() not in answer.lower():
        raise CannotMeasure(f"the upload did not arrive whole: {answer[:200]!r}")


def _rest_after_head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(BLOCK)
        if not more:
            raise CannotMeasure(f"the download was refused: {data[:200]!r}")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise CannotMeasure(f"the download was refused: {head[:200]!r}")
    return rest


def _is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


# ------------------------------------------------------------------------------------------------ looking


def _peak_growth_mb(gateway: Gateway, work: Callable[[], None]) -> float:
    """The most that resident memory grows while something is done, looked at every few milliseconds."""
    pids = gateway.pids()
    before = peak = resident_kib(pids)
    with ThreadPoolExecutor(1) as thread:
        doing = thread.submit(work)
        while not doing.done():
            peak = max(peak, resident_kib(pids))
            sleep(0.005)
        doing.result()
    return (peak - before) * 1024 / 1e6


def _data_mb(gateway: Gateway) -> float:
    return resident_kib(gateway.data_pids()) * 1024 / 1e6


def _tree_mb(gateway: Gateway) -> float:
    return resident_kib(gateway.pids()) * 1024 / 1e6
