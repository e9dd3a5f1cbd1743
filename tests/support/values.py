"""The core's values, written short: a request as it arrives, a route as a person writes it, a table of routes."""

from typing import Any

from gateway.core.fields import names_and_values
from gateway.core.headers import read_request
from gateway.core.matching import RoutingTable, compiled
from gateway.core.model import (
    Backend,
    Estate,
    Gateway,
    Match,
    Request,
    Route,
    Segment,
    Serve,
    SoapOperation,
    Target,
)
from gateway.core.planning import PlannedRoute, planned

OFFICE = Backend("office", "office.internal", 8080, authority=b"office.internal:8080")
REPAIRS = Backend("repairs", "repairs.internal", 80, authority=b"repairs.internal")
BOTH = (OFFICE, REPAIRS)


def fields(*lines: str | bytes) -> list[tuple[bytes, bytes]]:
    """Fields out of lines: `"Cookie: a=1"`."""
    split = [(line if isinstance(line, bytes) else line.encode()).partition(b":") for line in lines]
    return [(name, value.strip()) for name, _, value in split]


def request(start: str | bytes = "GET /", *lines: str | bytes, host: str = "api.example", old: bool = False) -> Request:
    """The request that `GET /path?query` and its field lines make; `old` is HTTP/1.0, host "" leaves the Host out."""
    method, _, target = (start if isinstance(start, bytes) else start.encode()).partition(b" ")
    hosts = [(b"Host", host.encode())] if host else []
    return read_request(method, target, *names_and_values([*hosts, *fields(*lines)]), old)


def segments(path: str) -> tuple[Segment, ...]:
    """`/a/{b}/**` as a template."""
    return tuple(_segment(part) for part in path[1:].split("/"))


def _segment(part: str) -> Segment:
    if part == "**":
        return Segment("rest", b"")
    return Segment("one", part[1:-1].encode()) if part.startswith("{") else Segment("literal", part.encode())


def match(pattern: str, **more: Any) -> Match:
    """`GET,POST /a/{b}`, `ANY /**`, `SOAP /s#Operation`."""
    verb, _, path = pattern.partition(" ")
    path, _, operation = path.partition("#")
    methods = {"ANY": (), "SOAP": (b"POST",)}.get(verb, tuple(each.encode() for each in verb.split(",")))
    soap = SoapOperation(operation, operation) if operation else None
    return Match(methods, segments(path), **{"soap": soap, **more})


def route(
    pattern: str = "GET /a", serve: Serve = Serve.LEGACY, *, where: dict[str, Any] | None = None, **more: Any
) -> Route:
    """A route with both sides, named by its pattern; `where` is more of its match."""
    sides: dict[str, Any] = {"legacy": Target("office"), "new": Target("repairs")}
    name = more.pop("name", pattern)
    return Route(name, more.pop("id", name), match(pattern, **(where or {})), pattern, serve, **(sides | more))


def split(pattern: str = "GET /a", share: int = 5_000, **more: Any) -> Route:
    """A route whose reads are divided: `share` of 10,000 go to the new side."""
    return route(pattern, Serve.SPLIT, share=share, **more)


def plan_of(given: Route, backends: tuple[Backend, ...] = BOTH, gateway: Gateway | None = None) -> PlannedRoute:
    """A route ready to serve."""
    return planned(given, {backend.name: backend for backend in backends}, gateway or Gateway())


def table(*routes: Route) -> RoutingTable:
    """These routes, compiled in this order."""
    return compiled(Estate(Gateway(), BOTH, routes, "d1ge57"), 3)
