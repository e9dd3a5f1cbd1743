"""The configurations and requests of benchmarks: many routes, half of them templated, each split 50/50 by cookie."""

from collections.abc import Iterable
from pathlib import Path

COOKIE = "session"
CLIENTS = 512
ACCOUNT = 12_345


PROTECT = "{max_concurrent: 200, rate: 100000/s, breaker: {slow: 5s}}"
"""Everything that protects a backend, with so much room that nothing is held up."""


def routes_yaml(
    count: int, legacy: int, new: int, access_log: Path | str = "off", extra: str = "", protect: str = ""
) -> str:
    """A routes.yaml of `count` routes between two origins, given by their ports; `extra` routes come last. `protect` is
    what protects both."""
    more = f", protect: {protect}" if protect else ""
    lines = [
        "version: 1",
        f'gateway: {{access_log: {{to: "{access_log}"}}, served_by: false, drain_timeout: 10s}}',
        "backends:",
        f'  legacy: {{url: "http://127.0.0.1:{legacy}", host: public{more}}}',
        f'  new: {{url: "http://127.0.0.1:{new}", host: public{more}}}',
        "routes:",
    ]
    sides = f"legacy: legacy, new: new, serve: 50% new, sticky: {{cookie: {COOKIE}}}"
    lines += [f'  - {{name: "route-{n}", match: "GET {pattern_of(n)}", {sides}}}' for n in range(count)]
    return "\n".join(lines) + "\n" + extra


def pattern_of(route: int) -> str:
    """Even routes have a template, odd ones are literal."""
    return f"/svc{route}/summary" if route % 2 else f"/svc{route}/accounts/{{account}}"


def path_of(route: int) -> str:
    """A path that the route takes."""
    return pattern_of(route).replace("{account}", str(ACCOUNT))


def requests(routes: int, count: int = CLIENTS) -> list[bytes]:
    """Requests of as many clients as there are, spread over all routes; the headers are those of a usual client."""
    return [request(path_of(n * routes // count if routes > count else n % routes), n) for n in range(count)]


def request(path: str, client: int = 0) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: banyan-bench/1\r\nAccept: application/json\r\n"
        f"Accept-Encoding: gzip, deflate\r\nAccept-Language: en-GB\r\nCookie: {COOKIE}=client-{client}\r\n\r\n"
    ).encode()


def write_requests(path: Path, made: Iterable[bytes]) -> Path:
    """A file of requests, a NUL between each two, as `load` and `wrk` read it."""
    path.write_bytes(b"\0".join(made))
    return path


def read_requests(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\0")
