"""Reconciling: both sides are read key by key, and what differs is told, and repaired if a person wants it.

The record wins: what it says is put to the other side by way of the outbox, as a copy of a write that it took.
"""

from collections.abc import Awaitable, Callable, Sequence
from secrets import token_hex
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from gateway.core.captured import CapturedAnswer, CapturedRequest, Sample
from gateway.core.comparing.judging import Judgement, failure
from gateway.core.comparing.values import pointer_text
from gateway.core.forwarding import Peer, forwarding_lines, ids_of
from gateway.core.matching import RoutingTable
from gateway.core.model import LEGACY, NEW, Side
from gateway.core.planning import PlannedRoute
from gateway.core.ways import field
from gateway.core.writing import Ending, Intent, Kept, Signal, State, lane_of
from gateway.errors import ClientError, CommandError, StoreUnavailable

if TYPE_CHECKING:
    from gateway.store.repository import Store

MOST = 100
"""Keys of one order."""
OURSELVES = Peer(b"127.0.0.1", b"http", False)
Document = dict[str, Any]
Read = Callable[[str, CapturedRequest], Awaitable[tuple[CapturedAnswer, ...]]]
"""Asks legacy and new the same. Raises CommandError."""
Compare = Callable[[Sample], Judgement]


class Shell(NamedTuple):
    """What reconciling needs of the control process. `fresh` gives the ids of a request."""

    table: Callable[[], RoutingTable]
    store: "Callable[[], Store | None]"
    read: Read
    compare: Compare
    due: Callable[[], None]
    fresh: Callable[[], tuple[bytes, bytes]]


class Reconciling:
    """Reads, compares and repairs what keys name."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def keys(self, name: str) -> Document:
        """The paths of a journey's writes that are unresolved or dead: what there is to be looked at."""
        route = self._route(name)
        store = self._opened()
        journey = {each.name for each in self._shell.table().routes.values() if each.journey == route.journey}
        found: dict[str, None] = {}
        try:
            for _, standing in await store.list_writes([State.UNRESOLVED, State.DEAD], limit=1_000):
                whole = await store.find_write(standing.id) if standing.route in journey else None
                if whole is not None and whole[1] is not None:
                    found[whole[1].path.decode("latin-1")] = None
        except StoreUnavailable as error:
            raise CommandError(str(error)) from error
        return {"keys": list(found)}

    async def run(self, name: str, keys: Sequence[str], repair: bool, fields: Sequence[str], by: str) -> Document:
        """Read both sides for some keys; a result for each. Raises CommandError."""
        route = self._route(name)
        if len(keys) > MOST:
            raise CommandError(f"At most {MOST} keys at a time.")
        lines = tuple(_field(each) for each in fields)
        return {"results": [await self._one(route, key, lines, by if repair else "") for key in keys]}

    def _route(self, name: str) -> PlannedRoute:
        route = self._shell.table().routes.get(name)
        if route is None:
            raise CommandError(f"There is no route {name!r}. `banyan routes` lists them.")
        methods = route.route.match.methods
        reads = b"GET" in route.safe and (not methods or b"GET" in methods)
        if len(route.plans) < 2 or not reads or route.route.match.soap is not None:
            raise CommandError(f"{name} cannot be read on both sides: it takes a route with two sides and a GET.")
        return route

    def _opened(self) -> "Store":
        store = self._shell.store()
        if store is None:
            raise CommandError("The store has not been opened yet: see `banyan status`.")
        return store

    async def _one(self, route: PlannedRoute, key: str, fields: tuple[tuple[bytes, bytes], ...], by: str) -> Document:
        target = target_of(route, key)
        asked = CapturedRequest(b"GET", target, route.route.match.host or b"localhost", fields)
        legacy, new = await self._shell.read(route.name, asked)
        served: Side = route.record
        control, candidate = (legacy, new) if served == LEGACY else (new, legacy)
        sample = Sample(time(), route.name, served, b"", 0, control, candidate, "reconcile")
        found = self._shell.compare(sample)
        verdict, listed = _verdict(found, legacy, new)
        result: Document = {"key": key, "verdict": verdict, "reason": found.reason, "fields": listed, "repair": ""}
        if verdict == "differs" and by:
            result["repair"] = await self._repair(route, target, fields, control, candidate)
        return result

    async def _repair(
        self,
        route: PlannedRoute,
        target: bytes,
        fields: tuple[tuple[bytes, bytes], ...],
        control: CapturedAnswer,
        candidate: CapturedAnswer,
    ) -> str:
        """Put what the record says to the other side; what was done about it, in words."""
        if control.status != 200 or control.body is None:
            return f"not repaired: the record answered {control.status}, which cannot be put to the other side"
        content_type = field(control.fields, b"content-type") or b"application/octet-stream"
        told = (*fields, (b"Content-Type", content_type))
        put = CapturedRequest(b"PUT", target, route.route.match.host or b"localhost", told, control.body)
        try:
            request = put.request()
        except ClientError as error:
            return f"not repaired: {error.detail}"
        takes = self._shell.table().take(request)
        if takes is None or not takes.route.writes.copy or b"PUT" in takes.safe:
            return "not repaired: no route with `writes: {copy: true}` takes a PUT there"
        now, other = time(), NEW if route.record == LEGACY else LEGACY
        _, _, own = ids_of(request, self._shell.fresh())
        lines = forwarding_lines(OURSELVES, request) + own
        told_of = (request.method, request.target, request.path, request.query, request.host, request.lines)
        kept = Kept(*told_of, lines, OURSELVES.scheme, control.body)
        lane = lane_of(takes.journey, request.path.decode("latin-1"))
        until = now + takes.route.writes.give_up
        intent = Intent(
            token_hex(16),
            takes.name,
            lane,
            request.path.decode("latin-1"),
            route.record,
            True,
            "",
            True,
            now,
            until,
            kept,
        )
        try:
            answers = await self._opened().store_writes([intent, Ending(intent.id, Signal.TOOK)], "reconcile -", now)
        except StoreUnavailable as error:
            raise CommandError(str(error)) from error
        if answers[0] != ("go",):
            return "not repaired: a write of it is under way; look again"
        self._shell.due()
        return f"queued for {other} as {intent.id}"


def target_of(route: PlannedRoute, key: str) -> bytes:
    """The address that a key names: a whole path, or what stands in the one place of the route's own.

    Raises CommandError.
    """
    if key.startswith("/"):
        return quote(key, safe="/%?&=:@!$'()*+,;~-._").encode()
    places = [segment for segment in route.route.match.segments if segment.kind != "literal"]
    if len(places) != 1 or places[0].kind == "rest":
        raise CommandError(f"{route.name} has no single place for a key: write whole paths, such as /a/b/7.")
    parts = [
        quote(segment.text, safe="") if segment.kind == "literal" else quote(key, safe="")
        for segment in route.route.match.segments
    ]
    return ("/" + "/".join(parts)).encode()


def _verdict(found: Judgement, legacy: CapturedAnswer, new: CapturedAnswer) -> tuple[str, list[Document]]:
    """In a word what was found, and the fields that differ."""
    for side, answer in (("legacy", legacy), ("new", new)):
        if failure(answer):
            return f"{side}_error", []
    if found.verdict != "compared":
        return found.verdict, []
    listed = [{"field": pointer_text(each.field), "kind": each.kind} for each in found.differences]
    return ("differs" if listed else "same"), listed


def _field(line: str) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise CommandError(f"{line!r} is no header; write 'Name: value'.")
    return name.strip().encode("latin-1", "replace"), value.strip().encode("latin-1", "replace")
