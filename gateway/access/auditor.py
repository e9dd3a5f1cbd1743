"""Writing the audit: an act is on this machine's disk before it is answered, and in the store's chain as soon as that
can be had.

The end of the chain as it was last seen is kept beside it, in the data folder: who cuts records off in the database
does not know that, and `banyan audit verify` does.
"""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from gateway.core.auditing import BEGINNING, Act, Audit, Head, Record, act_of
from gateway.errors import StoreUnavailable
from gateway.telemetry.logging import log

if TYPE_CHECKING:
    from gateway.store.repository import Store

WAITING, HEAD = "audit.waiting", "audit.head"
AGAIN = 2.0
"""Seconds between tries to tell the store."""
PAGE = 500
Document = dict[str, Any]


class Auditor:
    """The audit of one gateway, and of the others on its store."""

    def __init__(self, folder: Path, store: "Callable[[], Store | None]") -> None:
        self._folder = folder
        self._store = store
        self._lock = asyncio.Lock()
        self._waiting: list[Act] | None = None

    async def run(self) -> None:
        """Tell the store what it does not know yet, for as long as this runs."""
        while True:
            try:
                await self.tell()
            except StoreUnavailable:
                pass  # the keeper tells of it, and this is tried again
            except Exception:  # noqa: BLE001 - a defect here must not end the gateway
                log().exception("audit_failed")
            await asyncio.sleep(AGAIN)

    async def record(self, act: Act) -> None:
        """Write down what somebody did. It is on the disk when this returns; the store may follow."""
        fields = {"who": act.who, "role": act.role, "via": act.via, "address": act.address}
        log().info("audited", action=act.action, subject=act.subject, **fields, why=act.reason, outcome=act.outcome)
        async with self._lock:
            waiting = await self._known()
            waiting.append(act)
            await asyncio.to_thread(_append, self._folder / WAITING, act.text())
        try:
            await self.tell()
        except StoreUnavailable as error:
            log().warning("audit_waits", why=str(error))

    async def tell(self) -> None:
        """Have the store take what waits. Raises StoreUnavailable."""
        async with self._lock:
            waiting = await self._known()
            store = self._store()
            if store is None or not waiting:
                return
            head = await store.add_acts(waiting)
            waiting.clear()
            await asyncio.to_thread(_write, self._folder / HEAD, f"{head.number} {head.digest}\n")
            await asyncio.to_thread(_write, self._folder / WAITING, "")

    async def _known(self) -> list[Act]:
        if self._waiting is None:
            self._waiting = await asyncio.to_thread(_read, self._folder / WAITING)
        return self._waiting

    # -------------------------------------------------------------------------------------------- reading

    async def latest(self, most: int, before: int | None = None, subject: str | None = None) -> Document:
        """The latest records first; those that wait for the store come before them, without a number."""
        waiting = [] if before is not None else [*await self._known()]
        acts: list[Document] = [
            {"number": None, **act._asdict()} for act in reversed(waiting) if subject in (None, act.subject)
        ]
        store, why = self._store(), ""
        try:
            if store is None:
                raise StoreUnavailable("The store has not been opened yet.")  # noqa: TRY301 - told in one place
            acts += [_told(each) for each in await store.latest_acts(most, before=before, subject=subject)]
        except StoreUnavailable as error:
            why = str(error)
        return {"acts": acts[:most], "store": why}

    async def verify(self) -> Document:
        """Walk the whole chain. Raises StoreUnavailable."""
        store = self._store()
        if store is None:
            raise StoreUnavailable("The store has not been opened yet.")
        seen = await asyncio.to_thread(seen_head, self._folder)
        return await verified(store, seen)


async def verified(store: "Store", seen: Head) -> Document:
    """Whether the chain in a store is whole, as far as `seen` at least. Raises StoreUnavailable."""
    audit, after = Audit(seen), None
    while records := await store.audit(after, PAGE):
        await asyncio.to_thread(audit.walk, records)
        after = audit.head.number
        if audit.problem:
            break
    problem = audit.end()
    return {
        "whole": not problem,
        "problem": problem,
        "records": audit.head.number,
        "digest": audit.head.digest,
        "seen": seen.number,
    }


def seen_head(folder: Path) -> Head:
    """The end of the chain as this gateway saw it last; the beginning where it has seen none."""
    try:
        number, digest = (folder / HEAD).read_text().split()
        return Head(int(number), digest)
    except FileNotFoundError:
        return BEGINNING
    except ValueError as error:
        raise StoreUnavailable(f"{folder / HEAD} is damaged: put back a copy of it, or remove it. {error}") from error


def act_now(**fields: Any) -> Act:
    """An act of this moment."""
    return Act(token_hex(16), datetime.now(UTC).isoformat(timespec="milliseconds"), **fields)


def _told(record: Record) -> Document:
    return {"number": record.number, "digest": record.digest, **act_of(record.text)._asdict()}


def _read(path: Path) -> list[Act]:
    """What waits; a last line that was cut off in the writing was never answered."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        return []
    return [act_of(line) for line in lines if line]


def _append(path: Path, line: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def _write(path: Path, text: str) -> None:
    """Put a text in the place of a file's, whole."""
    beside = path.with_suffix(".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
