"""What differs between two estates, and whether a new one should wait for a person."""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from gateway.config.check import Loaded
from gateway.config.words import serve_text
from gateway.core.model import Estate, Placeholder, Route, Target

_SHOWN_AS_CHANGED = frozenset({"tester"})
_PART_OF_SERVE = frozenset({"share", "place", "name"})


class RouteChange(NamedTuple):
    """One setting that differs. `name` is a route's, or "backend x", or "gateway"; "" stands for "was not there".

    Secrets are never shown: their before and after are words about them.
    """

    name: str
    field: str
    before: str
    after: str


def describe_changes(old: Estate, new: Estate) -> list[RouteChange]:
    """All differences, routes first in the new file's order, then backends, then the gateway."""
    routes = _compared(_routes(old), _routes(new), "route")
    backends = _compared(_backends(old), _backends(new), "backend")
    gateway = _compared({"gateway": _texts(old.gateway)}, {"gateway": _texts(new.gateway)}, "")
    return [*routes, *backends, *gateway]


def reason_to_hold(current: Loaded, candidate: Loaded) -> str | None:
    """Why a valid new configuration waits for `banyan reload --accept`; None when it may be taken."""
    before = dict(current.files)
    for path, data in candidate.files:
        accepted = before.get(path, b"")
        if len(data) < len(accepted) and accepted.startswith(data):
            return f"{path} looks half-written: it is the beginning of the accepted file, and then ends"
    old = {route.id for route in current.estate.routes}
    lost = len(old - {route.id for route in candidate.estate.routes})
    if lost * 2 > len(old):
        return f"{lost} of {len(old)} routes would be gone"
    return None


def _compared(
    old: dict[str, dict[str, str]], new: dict[str, dict[str, str]], kind: str
) -> Iterator[RouteChange]:
    for name in dict.fromkeys(chain(new, old)):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            yield RouteChange(name, kind, _summary(before), _summary(after))
            continue
        for field in dict.fromkeys(chain(after, before)):
            was, is_now = before.get(field, ""), after.get(field, "")
            if was != is_now:
                hidden = field in _SHOWN_AS_CHANGED and was and is_now
                yield RouteChange(name, field, *(("set", "changed") if hidden else (was, is_now)))


def _summary(fields: dict[str, str] | None) -> str:
    if fields is None:
        return ""
    return ", ".join(f"{fields[name]}" for name in ("match", "serve", "url") if name in fields)


def _routes(estate: Estate) -> dict[str, dict[str, str]]:
    return {route.name: _route_texts(route) for route in estate.routes}


def _route_texts(route: Route) -> dict[str, str]:
    return {}


def _backends(estate: Estate) -> dict[str, dict[str, str]]:
    return {}


def _texts(value: object) -> dict[str, str]:
    return {}
