"""Small estates for tests of the core, written short."""

from typing import Any

from gateway.core.fields import names_and_values
from gateway.core.headers import read_request
from gateway.core.matching import RoutingTable, compiled
from gateway.core.model import (
    Backend,
    Estate,
    Gateway,
    Match,
    Place,
    Predicate,
    Request,
    Route,
    Segment,
    Serve,
    SoapOperation,
    Target,
)

OLD = Backend("old", "old.internal", 8080, authority=b"old.internal:8080")
NEW = Backend("new", "new.internal", 80, authority=b"new.internal")


def segments(path: str) -> tuple[Segment, ...]:
    """`/a/{b}/**` as a template."""
    found = []
    for part in path[1:].split("/"):
        if part == "**":
            found.append(Segment("rest", b""))
        elif part.startswith("{"):
            found.append(Segment("one", part.strip("{}").encode()))
        else:
            found.append(Segment("literal", part.encode()))
    return tuple(found)


def match(pattern: str, host: str = "", headers: str = "", query: str = "", element: str = "") -> Match:
    """`GET,POST /a/{b}`, `ANY /**`, `SOAP /s#Op`; predicates as `name` or `name=value`."""
    verb, _, path = pattern.partition(" ")
    path, _, operation = path.partition("#")
    methods = {"ANY": (), "SOAP": (b"POST",)}.get(verb, tuple(each.encode() for each in verb.split(",")))
    soap = SoapOperation(operation, element or operation) if operation else None
    return Match(methods, segments(path), host.encode() or None, _predicates(headers), _predicates(query), soap)


def _predicates(text: str) -> tuple[Predicate, ...]:
    pairs = [each.partition("=") for each in text.split()]
    return tuple(Predicate(name.encode(), value.encode() if equals else None) for name, equals, value in pairs)


def route(name: str, pattern: str, serve: Serve = Serve.LEGACY, **more: Any) -> Route:
    """A route with both sides; `host`, `headers`, `query` and `element` are the match's."""
    known = {key: more.pop(key) for key in ("host", "headers", "query", "element") if key in more}
    sides = {"legacy": Target("old"), "new": Target("new"), "place": Place("routes.yaml", 7, 5)}
    return Route(name, name, match(pattern, **known), pattern, serve, **{**sides, **more})


def table(*routes: Route, gateway: Gateway | None = None, backends: tuple[Backend, ...] = (OLD, NEW)) -> RoutingTable:
    return compiled(Estate(gateway or Gateway(), backends, routes, "d1ge57"), 3)


def request(method: str = "GET", target: str = "/", **fields: str) -> Request:
    """A request head; `content_type="x"` is the field Content-Type."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in {"host": "localhost", **fields}.items()]
    return read_request(method.encode(), target.encode(), *names_and_values(raw), False)
