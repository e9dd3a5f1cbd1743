"""What people ask about writes that are owed, and what they order: plain JSON values."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import time
from typing import TYPE_CHECKING, Any

from gateway.core.secrecy import shown
from gateway.core.writing import OPEN, Kept, Signal, State
from gateway.errors import CommandError, StoreUnavailable
from gateway.store.writes import Standing

if TYPE_CHECKING:
    from gateway.store.repository import Store

Document = dict[str, Any]
LONGER = 86_400.0
"""Seconds for which a write is tried again that a person wants delivered."""
WORDS = {"retry": Signal.RETRY, "drop": Signal.DROP, "made": Signal.TOOK}
_DONE = {
    "retry": "is to be delivered now",
    "drop": "is dropped: nobody gets it",
    "made": "was made: who it is owed to yet gets it",
}


class WritesDesk:
    """Answers and carries out. `due` is called when there is something to deliver."""

    def __init__(self, store: "Callable[[], Store | None]", due: Callable[[], None]) -> None:
        self._store = store
        self._due = due

    async def listed(self, states: Sequence[str], route: str | None, limit: int, after: int) -> Document:
        """Writes in these states (none: all that are not done), the oldest first; and how many there are of each."""
        wanted = [_state(each) for each in states] or list(OPEN)
        try:
            store = self._opened()
            found = await store.list_writes(wanted, route=route, limit=limit, after=after)
            counts = await store.count_writes()
        except StoreUnavailable as error:
            raise CommandError(str(error)) from error
        return {
            "writes": [{"number": number, **_document(each)} for number, each in found],
            "counts": [
                {"route": name, "kind": kind, "state": state, "writes": count, "oldest": _instant(oldest)}
                for (name, kind, state), (count, oldest) in sorted(counts.items())
            ],
        }

    async def one(self, write_id: str) -> Document:
        """One write, with what it sends: fields that may be secrets are masked. Raises CommandError."""
        try:
            found = await self._opened().find_write(write_id)
        except StoreUnavailable as error:
            raise CommandError(str(error)) from error
        if found is None:
            raise CommandError(f"There is no write {write_id!r}: see `banyan outbox`.")
        standing, kept = found
        document = _document(standing)
        if kept is not None:
            document["request"] = _request(kept)
        if standing.given is not None:
            document["answer"] = {"status": standing.given.status, "bytes": len(standing.given.body)}
        return document

    async def steer(self, write_id: str, word: str, by: str, reason: str) -> Document:
        """`retry` or `drop` a write, or tell that the record has `made` it. Raises CommandError."""
        if word not in WORDS:
            raise CommandError(f"{word!r} is nothing that can be done to a write: retry or drop it, or made.")
        now = time()
        until = None if word == "drop" else now + LONGER
        try:
            moved = await self._opened().steer_write(write_id, WORDS[word], f"{by}: {reason}", until, now)
        except StoreUnavailable as error:
            raise CommandError(str(error)) from error
        if not moved:
            standing = await self.one(write_id)
            raise CommandError(f"The write {write_id} is {standing['state']}: there is nothing to {word}.")
        self._due()
        return {"message": f"The write {write_id} {_DONE[word]}.", "holds": True, "write": await self.one(write_id)}

    def _opened(self) -> "Store":
        store = self._store()
        if store is None:
            raise CommandError("The store has not been opened yet: see `banyan status`.")
        return store


def _state(word: str) -> State:
    try:
        return State(word)
    except ValueError as error:
        known = ", ".join(each.value for each in State if each is not State.GONE)
        raise CommandError(f"{word!r} is no state of a write; there are {known}.") from error


def _document(standing: Standing) -> Document:
    times = {name: _instant(getattr(standing, name)) for name in ("at", "until", "next_try", "changed")}
    rest = {name: getattr(standing, name) for name in ("id", "kind", "route", "key", "side", "tries", "why")}
    return {**rest, "state": standing.state.value, **times}


def _request(kept: Kept) -> Document:
    fields = []
    for name, value in kept.request().fields:
        text = name.decode("latin-1")
        fields.append(f"{text}: {shown(text, value.decode('latin-1'))}")
    return {
        "method": kept.method.decode("latin-1"),
        "target": kept.target.decode("latin-1"),
        "fields": fields,
        "bytes": len(kept.body),
    }


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
