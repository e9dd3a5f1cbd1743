"""What differs between two estates, and whether a new one should wait for a person.

Values are compared as they are and shown as words, so that a secret that changed is noticed but never printed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from gateway.config.check import Loaded
from gateway.config.told import TOLD, in_one_line, told
from gateway.config.words import serve_text
from gateway.core.model import Backend, Estate, Gateway, Placeholder, Route, Target


class RouteChange(NamedTuple):
    """One setting that differs. `name` is a route's, or "backend x", or "gateway"; "" stands for "not there"."""

    name: str
    field: str
    before: str
    after: str


class _Setting(NamedTuple):
    """A value to compare, and the words it is shown as."""

    value: object
    text: str


Settings = Mapping[str, _Setting]
_ABSENT = _Setting(None, "")


def reason_to_hold(current: Loaded, candidate: Loaded) -> str | None:
    """Why a valid new configuration waits for `banyan reload --accept`; None when it may be taken at once."""
    accepted = dict(current.files)
    for path, data in candidate.files:
        before = accepted.get(path, b"")
        if len(data) < len(before) and before.startswith(data):
            return f"{path} looks half-written: it is the beginning of the accepted file, and ends there"
    old = {route.id for route in current.estate.routes}
    lost = len(old - {route.id for route in candidate.estate.routes})
    return f"{lost} of {len(old)} routes would be gone" if lost * 2 > len(old) else None


def describe_changes(old: Estate, new: Estate) -> list[RouteChange]:
    """All differences: of routes in the new file's order (those gone come last), of backends, of the gateway."""
    pairs = zip(_entries(old), _entries(new), strict=True)
    return [change for before, after in pairs for change in _differences(before, after)]


def _differences(old: Mapping[str, Settings], new: Mapping[str, Settings]) -> Iterator[RouteChange]:
    for name in [*new, *(name for name in old if name not in new)]:
        if name not in old or name not in new:
            kind = "backend" if name.startswith("backend ") else "route"
            yield RouteChange(name, kind, _summary(old.get(name)), _summary(new.get(name)))
            continue
        for field in dict.fromkeys([*new[name], *old[name]]):
            before, after = old[name].get(field, _ABSENT), new[name].get(field, _ABSENT)
            if before.value != after.value:
                hint = " (changed)" if before.text == after.text else ""
                yield RouteChange(name, field, before.text, after.text + hint)


def _entries(estate: Estate) -> tuple[dict[str, Settings], ...]:
    routes = {route.name: _route(route) for route in estate.routes}
    backends = {f"backend {backend.name}": _backend(backend) for backend in estate.backends}
    return routes, backends, {"gateway": _gateway(estate.gateway)}


def _summary(settings: Settings | None) -> str:
    shown = [settings[name].text for name in ("match", "serve", "url") if name in settings] if settings else []
    return ", ".join(shown)


# ------------------------------------------------------------------------------------------------ in words


def _route(route: Route) -> Settings:
    plain = {name: getattr(route, name) for name in Route._fields if name not in _TOLD_OTHERWISE}
    return {
        "match": _Setting(route.match, route.pattern),
        "serve": _Setting((route.serve, route.share), serve_text(route.serve, route.share)),
        "legacy": _Setting(route.legacy, _target(route.legacy)),
        "new": _Setting(route.new, _target(route.new)),
        **{name: _Setting(value, _words(value)) for name, value in plain.items()},
        "tester": _Setting(route.tester, "" if route.tester is None else route.tester.header.decode()),
    }


_TOLD_OTHERWISE = frozenset({"name", "match", "pattern", "serve", "share", "legacy", "new", "tester", "place"})


def _target(target: Target | None) -> str:
    """A target's backend, method and path; header values may be secrets and are left out."""
    if target is None:
        return ""
    path = "".join(
        f"{{{part.source}.{part.name.decode()}}}" if isinstance(part, Placeholder) else part.decode()
        for part in target.path or ()
    )
    return " ".join(word for word in (target.backend, (target.method or b"").decode(), path) if word)


def _backend(backend: Backend) -> Settings:
    scheme = "https://" if backend.tls else "http://"
    url = f"unix:{backend.unix}" if backend.unix else f"{scheme}{backend.authority.decode()}{backend.base.decode()}"
    address = (backend.host, backend.port, backend.unix, backend.base, backend.tls is None)
    rest = {
        name: getattr(backend, name)
        for name in (
            "host_header",
            "tls",
            "timeout",
            "max_idle",
            "idle",
            "protect",
            "retry",
            "maintenance",
            "others",
            "health",
            "cost",
        )
    }
    return {"url": _Setting(address, url), **{name: _Setting(value, _words(value)) for name, value in rest.items()}}


def _gateway(gateway: Gateway) -> Settings:
    return {name: _Setting(value, _words(value)) for name, value in gateway._asdict().items()}


def _words(value: Any) -> str:
    match value:
        case None | ():
            return ""
        case _ if type(value) in TOLD:
            return in_one_line(told(value)).removesuffix("{}")
        case bool():
            return "true" if value else "false"
        case bytes():
            return value.decode()
        case float():
            return f"{value:g}"
        case tuple() if hasattr(value, "_fields"):
            return ", ".join(f"{name} {_words(each)}" for name, each in zip(value._fields, value, strict=True) if each)
        case tuple():
            return ", ".join(
                " ".join(_words(part) for part in each) if type(each) is tuple else _words(each) for each in value
            )
        case _:
            return str(value)


class ReloadResult(NamedTuple):
    """What came of reading the file again; `revision` is the table that serves now."""

    outcome: Literal["accepted", "unchanged", "held", "refused"]
    message: str
    problems: tuple[str, ...]
    revision: int
