"""An estate as plain JSON values: for people to read, and for `diff` to compare with another.

Only what differs from the defaults is told. Values that may be secrets are masked, so two estates that differ in
nothing else look the same; their digests do not.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

from gateway.config.told import TOLD, told
from gateway.config.words import serve_text
from gateway.core.model import (
    Backend,
    Estate,
    HeaderEdit,
    Match,
    Placeholder,
    Predicate,
    Route,
    SoapOperation,
    Target,
    Tester,
)
from gateway.core.secrecy import MASK, shown

Document = dict[str, Any]


def estate_document(estate: Estate) -> Document:
    """Everything that routes.yaml says: `gateway`, and `backends` and `routes` by name."""
    return {
        "digest": estate.digest,
        "gateway": plain(estate.gateway),
        "backends": {backend.name: backend_document(backend) for backend in estate.backends},
        "routes": {route.name: route_document(route) for route in estate.routes},
    }


def route_rows(estate: Estate) -> list[Document]:
    """One row per route, for tables: its match, what serves, the new side's share in per cent, the backends."""
    return [route_row(route) for route in estate.routes]


def route_row(route: Route) -> Document:
    """A route's row."""
    return {
        "name": route.name,
        "match": route.pattern,
        "serve": serve_text(route.serve, route.share),
        "share": _share(route),
        "legacy": route.legacy.backend if route.legacy else None,
        "new": route.new.backend if route.new else None,
    }


def _share(route: Route) -> float | None:
    """Per cent of the reads that the new side takes; None where there is nothing to share."""
    return {"legacy": 0.0, "new": 100.0, "split": route.share / 100, "ramp": None, "retired": None}[route.serve.value]


def plain(value: Any) -> Any:
    """Any value of the model as JSON has it."""
    render = RENDERED.get(type(value))
    if render is not None:
        return render(value)
    match value:
        case bytes():
            return value.decode("utf-8", "replace")
        case Enum():
            return value.value
        case tuple() if hasattr(value, "_fields"):
            return _fields(value)
        case tuple() if value and all(type(each) is tuple for each in value):
            return {plain(name): plain(each) for name, each in value}
        case tuple():
            return [plain(each) for each in value]
        case _:
            return value


def _fields(value: Any) -> Document:
    """A named tuple's fields, without those that have their default."""
    defaults = value._field_defaults
    told = {name: each for name, each in value._asdict().items() if name not in defaults or each != defaults[name]}
    return {name: plain(each) for name, each in told.items()}


def route_document(route: Route) -> Document:
    """What routes.yaml says of a route."""
    usual = {"name": route.name, "id": route.name, "journey": route.id}
    told = {
        key: value for key, value in _fields(route._replace(place=None, share=0)).items() if usual.get(key) != value
    }
    match = _match(route.match, told.pop("pattern"))
    return told | {"match": match, "serve": serve_text(route.serve, route.share)}


def _match(match: Match, pattern: str) -> Document | str:
    """The match as written; what that does not tell stands beside it."""
    operation = match.soap and SoapOperation(match.soap.name, match.soap.name)
    told = match._replace(methods=(), segments=(), soap=None if match.soap == operation else match.soap)
    details = {key: value for key, value in _fields(told).items() if value}
    return {"pattern": pattern, **details} if details else pattern


def backend_document(backend: Backend) -> Document:
    """What routes.yaml says of a backend."""
    scheme = "https" if backend.tls else "http"
    where = f"unix:{backend.unix}" if backend.unix else f"{scheme}://{backend.authority.decode()}"
    told = plain(backend._replace(unix=None, base=b"", authority=b"", types=None, published=None))
    rest = {key: value for key, value in told.items() if key not in ("name", "host", "port")}
    return {"url": where + backend.base.decode(), **rest}


def _target(target: Target) -> Document | str:
    told = _fields(target._replace(call=None))
    if target.call is not None:
        told["call"] = target.call.document()
    if target.path is not None:
        told["path"] = "".join(plain(part) for part in target.path)
    return target.backend if len(told) == 1 else told


def _placeholder(place: Placeholder) -> str:
    name = place.name.decode("utf-8", "replace")
    return {"path": f"{{{name}}}", "rest": "{**}"}.get(place.source, f"{{{place.source}.{name}}}")


def _edit(edit: HeaderEdit) -> Document:
    added = [f"{plain(name)}: {shown(plain(name), plain(value))}" for name, value in edit.add]
    return {key: value for key, value in (("add", added), ("remove", plain(edit.remove))) if value}


def _tester(tester: Tester) -> Document:
    return {"header": plain(tester.header), "secret": MASK}


def _predicate(predicate: Predicate) -> str:
    """A predicate without its value, which may be a secret."""
    name = predicate.name.decode("utf-8", "replace")
    return name if predicate.value is None else f"{name}={MASK}"


RENDERED: dict[type, Callable[[Any], Any]] = {
    Target: _target,
    Placeholder: _placeholder,
    HeaderEdit: _edit,
    Tester: _tester,
    Predicate: _predicate,
    **dict.fromkeys(TOLD, told),
}
