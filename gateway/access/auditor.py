"""Writing the audit: an act is on this machine's disk before it is done and before it is answered, and in the store's
chain as soon as it is known what came of it and the store can be had.

The end of the chain as it was last seen is kept beside it, in the data folder: who cuts records off in the database
does not know that, and `banyan audit verify` does. It is taken forward only while it is still in the chain, so that
records that come later do not hide what was done to earlier ones.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from gateway.core.auditing import BEGINNING, Act, Audit, Head, Record, act_of
from gateway.errors import StoreUnavailable
from gateway.telemetry.logging import log

if TYPE_CHECKING:
    from gateway.store.repository import Store

WAITING, HEAD, DAMAGED = "audit.waiting", "audit.head", "audit.damaged"
AGAIN = 2.0
"""Seconds between tries to tell the store."""
SOON = 1.0
"""Seconds that the store gets before whoever did something is answered without it."""
PAGE = 500
BEGUN = "begun"
"""The outcome of an act until it is known. It stands on the disk alone, for the case that nothing follows it."""
CUT_OFF = "it is not known whether it was done: the gateway ended before that could be written down"
Document = dict[str, Any]


class Auditor:
    """The audit of one gateway, and of the others on its store."""

    def __init__(self, folder: Path, store: "Callable[[], Store | None]") -> None:
        self._folder = folder
        self._store = store
        self._lock = asyncio.Lock()  # of what waits, here and on the disk
        self._turn = asyncio.Lock()  # of whoever tells the store
        self._tasks: set[asyncio.Task[object]] = set()
        self._waiting: list[Act] | None = None
        self._begun: dict[str, Act] = {}
        self._behind = False  # the chain has grown by what somebody else has told the store

    async def run(self) -> None:
        """Tell the store what it does not know yet, for as long as this runs."""
        while True:
            await self._try()
            await asyncio.sleep(AGAIN)

    async def begin(self, act: Act) -> None:
        """Note what somebody is about to do, or what the store is about to be told: should this process die of it, the
        next one tells. `record` follows, with the same id, or `settle`.

        A disk that is full or slow is logged and not waited for: what is to be done may be a rollback.
        """
        await asyncio.wait({self._spawn(self._keep(act._replace(outcome=BEGUN)))}, timeout=SOON)

    async def record(self, act: Act) -> None:
        """Write down what somebody did. It is on the disk when this returns; the store may follow.

        Raises StoreUnavailable where neither takes it now; the store is told all the same when it can be.
        """
        fields = {"who": act.who, "role": act.role, "via": act.via, "address": act.address}
        log().info("audited", action=act.action, subject=act.subject, **fields, why=act.reason, outcome=act.outcome)
        problem = await self._keep(act)
        await asyncio.wait({self._spawn(self._try())}, timeout=SOON)
        untold = self._waiting is None or act in self._waiting
        if untold:
            log().warning("audit_waits", act=act.id)
        if untold and problem:
            raise StoreUnavailable(f"What was done could not be written down: {problem}. The store does not take it.")

    def _spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        """Have something done that goes on when nobody waits for it any more."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _keep(self, act: Act) -> str:
        """Keep an act, here and on the disk; what is wrong with the disk, "" for nothing."""
        async with self._lock:
            try:
                waiting = await self._known()
                if act.outcome == BEGUN:
                    self._begun[act.id] = act
                else:
                    self._begun.pop(act.id, None)
                    waiting.append(act)
                await asyncio.to_thread(_append, self._folder / WAITING, act.text())
            except OSError as error:
                log().error("audit_not_on_disk", why=str(error))
                return f"{self._folder / WAITING}: {error.strerror}"
        return ""

    async def _try(self) -> None:
        """Tell the store, or have it told the next time."""
        try:
            await self.tell()
        except StoreUnavailable:
            pass  # the keeper tells of it
        except OSError as error:
            log().error("audit_not_on_disk", why=str(error))
        except Exception:  # noqa: BLE001 - a defect here must not end the gateway
            log().exception("audit_failed")

    async def settle(self, act: Act) -> None:
        """What was begun is in the store by now, together with what it did, or is not to be told after all."""
        self._begun.pop(act.id, None)
        self._behind = True
        await self._try()

    async def tell(self) -> None:
        """Have the store take what waits. Raises StoreUnavailable."""
        async with self._turn:
            while (some := await self._some()) or self._behind:
                self._behind = False  # whoever tells the store something meanwhile says so again
                told = False
                try:
                    told = await self._tell(some)
                finally:
                    self._behind = self._behind or not told
                if not told:
                    return

    async def _tell(self, some: Sequence[Act]) -> bool:
        """Have the store take these, and keep the end of the chain; False where there is no store yet."""
        store = self._store()
        if store is None:
            return False
        head = await store.add_acts(some)
        whole = await self._is_whole(store)
        async with self._lock:
            self._waiting = rest = (await self._known())[len(some) :]
            if whole:
                await asyncio.to_thread(_write, self._folder / HEAD, f"{head.number} {head.digest}\n")
            await asyncio.to_thread(_write, self._folder / WAITING, _lines([*self._begun.values(), *rest]))
        return True

    async def untold(self) -> list[Act]:
        """What waits for the store; nothing where the disk does not tell."""
        try:
            async with self._lock:
                return [*await self._known()]
        except OSError as error:
            log().error("audit_not_on_disk", why=str(error))
            return []

    async def _some(self) -> list[Act]:
        async with self._lock:
            return (await self._known())[:PAGE]

    async def _is_whole(self, store: "Store") -> bool:
        """Whether the end that was seen last is still in the chain: otherwise it must not be forgotten."""
        try:
            seen = await asyncio.to_thread(seen_head, self._folder)
        except Damaged as error:
            log().error("audit_not_whole", why=str(error))
            return False
        if seen == BEGINNING:
            return True
        found = [Head(each.number, each.digest) for each in await store.audit(seen.number - 1, 1)]
        if found != [seen]:
            log().error("audit_not_whole", why="`banyan audit verify` tells more", seen=seen.number)
        return found == [seen]

    async def _known(self) -> list[Act]:
        if self._waiting is None:
            found, lost = await asyncio.to_thread(_read, self._folder)
            self._waiting = found
            if lost:
                log().error("audit_damaged", lines=lost, kept_in=str(self._folder / DAMAGED))
        return self._waiting

    # -------------------------------------------------------------------------------------------- reading

    async def latest(self, most: int, before: int | None = None, subject: str | None = None) -> Document:
        """The latest records first; those that wait for the store come before them, without a number."""
        async with self._lock:
            waiting = [] if before is not None else [*await self._known()]
        store, why, stored = self._store(), "", list[Record]()
        try:
            if store is None:
                raise StoreUnavailable("The store has not been opened yet.")  # noqa: TRY301 - told in one place
            stored = await store.latest_acts(most, before=before, subject=subject)
        except StoreUnavailable as error:
            why = str(error)
        known = {each.id for each in stored}
        untold = [each for each in reversed(waiting) if each.id not in known and subject in (None, each.subject)]
        acts = [{"number": None, **each._asdict()} for each in untold] + [_told(each) for each in stored]
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


class Damaged(StoreUnavailable):
    """What is kept in the data folder cannot be read."""


def seen_head(folder: Path) -> Head:
    """The end of the chain as this gateway saw it last; the beginning where it has seen none. Raises Damaged."""
    try:
        number, digest = (folder / HEAD).read_text().split()
        return Head(int(number), digest)
    except FileNotFoundError:
        return BEGINNING
    except (ValueError, OSError) as error:
        raise Damaged(f"{folder / HEAD} is damaged: put back a copy of it, or remove it. {error}") from error


def act_now(**fields: Any) -> Act:
    """An act of this moment."""
    return Act(token_hex(16), datetime.now(UTC).isoformat(timespec="milliseconds"), **fields)


def _told(record: Record) -> Document:
    """A record as it is told; one that cannot be read hides none of the others."""
    try:
        act = act_of(record.text)
        datetime.fromisoformat(act.at)
        act = act._replace(before=dict(act.before.items()), after=dict(act.after.items()))
    except (ValueError, TypeError, AttributeError):
        unread = "It cannot be read: see `banyan audit verify`."
        act = Act(record.id, "", "", "", "", "", "", record.subject, "", {}, {}, unread)
    return {"number": record.number, "digest": record.digest, **act._asdict()}


def _lines(acts: Iterable[Act]) -> str:
    return "".join(act.text() + "\n" for act in acts)


def _read(folder: Path) -> tuple[list[Act], int]:
    """What waits, and how many lines cannot be read, such as a last one that was cut off in the writing: they are put
    aside, and whatever is added later begins a line of its own. What was only begun will not be heard of again."""
    try:
        lines = (folder / WAITING).read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], 0
    found, damaged = dict[str, Act](), list[bytes]()
    for line in lines:
        try:
            if line:
                act = act_of(line.decode())
                found.pop(act.id, None)
                found[act.id] = act
        except ValueError:
            damaged.append(line)
    for line in damaged:
        _append(folder / DAMAGED, line.decode("utf-8", "replace"))
    acts = [_ended(each) if each.outcome == BEGUN else each for each in found.values()]
    if damaged or lines[-1]:
        _write(folder / WAITING, _lines(acts))
    return acts, len(damaged)


def _ended(begun: Act) -> Act:
    """An act that was begun, when the process is gone that began it. A file has been taken before that is told."""
    return begun._replace(outcome="done" if begun.via == "file" else CUT_OFF)


def _append(path: Path, text: str) -> None:
    """Add a line and have it on the disk; where that fails, nothing of it is left for later lines to be added to."""
    data = text.encode() + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        try:
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)


def _write(path: Path, text: str) -> None:
    """Put a text in the place of a file's, whole."""
    beside = path.with_suffix(".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
