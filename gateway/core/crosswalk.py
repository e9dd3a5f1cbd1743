"""Identifiers that two systems gave to the same thing, and which of them a side understands.

Where a write is made on both sides, each invents an identifier. They are kept in pairs, and a request that carries one
of them is sent on with the other. As long as one side has not had the write yet, the thing is only known on the other.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from json import dumps, loads
from typing import Any, NamedTuple
from urllib.parse import quote

from gateway.core.model import LEGACY, NEW, Request, Side
from gateway.core.paths import query_pairs
from gateway.core.planning import PlannedRoute
from gateway.core.policies import Crosswalk, Way
from gateway.core.ways import field, value_in, value_of
from gateway.core.writing import Made
from gateway.errors import ClientError

OTHER: dict[Side, Side] = {LEGACY: NEW, NEW: LEGACY}


class Pair(NamedTuple):
    """One thing of a crosswalk, `name`: its identifier on either side (None: not known there yet). `origin` is the side
    that made it first, whose identifier clients were told."""

    name: str
    legacy: str | None
    new: str | None
    origin: Side

    def of(self, side: Side) -> str | None:
        """Its identifier on a side."""
        return self.legacy if side == LEGACY else self.new


class Found(NamedTuple):
    """A side that knows a thing, and by which identifier."""

    side: Side
    value: str


class Pairs:
    """All pairs that are known, by name and by identifier. It only grows. As long as it is not `complete` nobody can
    tell what an identifier means."""

    def __init__(self, *, complete: bool = True) -> None:
        self.complete = complete
        self._known: dict[tuple[str, Side, str], Pair] = {}
        self._names: set[str] = set()

    def __len__(self) -> int:
        return len(self._known)

    def add(self, pairs: Iterable[Pair]) -> None:
        """Know more pairs; a whole one takes the place of its half."""
        for pair in pairs:
            self._names.add(pair.name)
            for side in (LEGACY, NEW):
                value = pair.of(side)
                if value is not None:
                    known = self._known.get((pair.name, side, value))
                    if known is None or None in (known.legacy, known.new) or None not in (pair.legacy, pair.new):
                        self._known[pair.name, side, value] = pair

    def find(self, name: str, value: str, wanted: Side) -> Found | None:
        """Which side to ask for a thing that a client calls so, `wanted` where it can be had there; None where nothing
        is known of it.

        Clients were told the identifiers of the side that made a thing first, so these go before the others; where
        both sides gave the same one to different things, the side that is asked means its own.
        """
        other = OTHER[wanted]
        own, foreign = self._known.get((name, wanted, value)), self._known.get((name, other, value))
        if own is not None and (own.origin == wanted or foreign is None or foreign.origin != other):
            return Found(wanted, value)
        if foreign is None:
            return None
        translated = foreign.of(wanted)
        return Found(other, value) if translated is None else Found(wanted, translated)

    def are_one(self, legacy: str, new: str) -> bool:
        """Whether two identifiers are one thing's, in any crosswalk."""
        return any(self._known.get((name, LEGACY, legacy), _NONE).new == new for name in self._names)


_NONE = Pair("", None, None, LEGACY)


def half_of(made: Made) -> Pair:
    """What is known of a thing while one side alone has it."""
    legacy = made.side == LEGACY
    return Pair(made.name, made.value if legacy else None, None if legacy else made.value, made.side)


def made_by(crosswalk: Crosswalk, side: Side, fields: Sequence[tuple[bytes, bytes]], body: bytes) -> Made | None:
    """What a side says in its answer to have made; None where it does not."""
    way = crosswalk.legacy if side == LEGACY else crosswalk.new
    value = None if way is None else value_in(body, field(fields, b"content-type"), way.names)
    return Made(crosswalk.name, side, value) if value else None


def side_for(pairs: Pairs, route: PlannedRoute, request: Request, body: bytes, wanted: Side) -> Side:
    """The side that knows everything a request names: `wanted`, unless one of its things is only on the other."""
    crosswalk = route.crosswalk
    for way in crosswalk.at if crosswalk is not None else ():
        value = value_of(way, route, request, body)
        found = pairs.find(crosswalk.name, value, wanted) if crosswalk is not None and value is not None else None
        if found is not None and found.side != wanted:
            return found.side
    return wanted


def translated(
    pairs: Pairs, route: PlannedRoute, request: Request, body: bytes, side: Side
) -> tuple[Request, bytes] | None:
    """A request with the identifiers that a side knows; None where it does not know one of them yet.

    Raises ClientError (422) where one stands in what is no JSON.
    """
    crosswalk = route.crosswalk
    if crosswalk is None:
        return request, body
    for way in crosswalk.at:
        value = value_of(way, route, request, body)
        found = pairs.find(crosswalk.name, value, side) if value is not None else None
        if found is None:
            continue
        if found.side != side:
            return None
        if found.value != value:
            try:
                request, body = WRITERS[way.source](way, route, request, body, found.value)
            except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
                raise ClientError(422, f"{way} holds an identifier that cannot be exchanged there.") from error
    return request, body


# ------------------------------------------------------------------------------------------------ putting them in


def _in_path(way: Way, route: PlannedRoute, request: Request, body: bytes, value: str) -> tuple[Request, bytes]:
    segments = request.path.split(b"/")
    segments[1 + route.places[route.param_names.index(way.names[0].encode())]] = quote(value, safe="").encode()
    path = b"/".join(segments)
    return replace(request, path=path, target=path + request.query), body


def _in_query(way: Way, route: PlannedRoute, request: Request, body: bytes, value: str) -> tuple[Request, bytes]:
    """The first parameter of the name; the others stay as they were."""
    name, parts = way.names[0].encode(), request.query[1:].split(b"&")
    at = next(at for at, part in enumerate(parts) if [key for key, _ in query_pairs(b"?" + part)] == [name])
    parts[at] = parts[at].partition(b"=")[0] + b"=" + quote(value, safe="").encode()
    query = b"?" + b"&".join(parts)
    return replace(request, query=query, target=request.path + query), body


def _in_body(way: Way, route: PlannedRoute, request: Request, body: bytes, value: str) -> tuple[Request, bytes]:
    """A member of a JSON document; a number stays one where it can."""
    document = loads(body, parse_float=lambda text: f"\0{text}\0")
    parent: Any = document
    for name in way.names[:-1]:
        parent = parent[int(name)] if isinstance(parent, list) else parent[name]
    last: Any = int(way.names[-1]) if isinstance(parent, list) else way.names[-1]
    parent[last] = int(value) if isinstance(parent[last], int) and value.isdigit() else value
    changed = _MARKED.sub(r"\1", dumps(document, separators=(",", ":"), ensure_ascii=False)).encode()
    return replace(request, length=len(changed)), changed


_MARKED = re.compile(r'"\\u0000(-?[0-9.eE+-]+)\\u0000"')
"""A number with a fraction, kept as it was written: as a floating point number it would be another one."""


Writer = Callable[[Way, PlannedRoute, Request, bytes, str], tuple[Request, bytes]]
WRITERS: dict[str, Writer] = {"path": _in_path, "query": _in_query, "body": _in_body}
"""How an identifier is put where a way leads."""
