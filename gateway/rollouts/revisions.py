"""Every configuration that served, with who brought it and why: kept whole, so that an earlier one can be put back."""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

from gateway.config.changes import describe_changes
from gateway.config.check import Loaded, load
from gateway.config.edit import Flip, write
from gateway.core.auditing import Act
from gateway.core.model import Estate
from gateway.errors import CommandError, ConfigError, StoreUnavailable
from gateway.rollouts.reports import instant
from gateway.store.values import Configuration
from gateway.telemetry.logging import log

if TYPE_CHECKING:
    from gateway.store.repository import Store

AGAIN = 2.0
MOST = 200
MOST_WAITING = 50
Document = dict[str, Any]


class Revisions:
    """What served, here and on the other gateways of the store."""

    def __init__(self, store: "Callable[[], Store | None]", settled: Callable[[Act], Awaitable[None]]) -> None:
        self._store = store
        self._settled = settled
        self._waiting: list[tuple[Configuration, Act | None]] = []
        self._noted = asyncio.Event()

    def note(self, old: Estate | None, new: Loaded, by: str, why: str, act: Act | None = None) -> None:
        """Something else serves now; the store is told of it when it can be.

        Where nobody has pulled a lever for it, and so nothing is in the audit, `act` is what is to be written there;
        whoever keeps it until then is told when it is `settled`.
        """
        changes = [] if old is None else [change._asdict() for change in describe_changes(old, new.estate)[:MOST]]
        counts = Counter(route.serve.value for route in new.estate.routes)
        files = {os.fspath(file): data.decode("utf-8", "replace") for file, data in new.files}
        told = Configuration(0, new.estate.digest, time(), by, why, changes, dict(counts), files)
        self._waiting.append((told, act))
        del self._waiting[:-MOST_WAITING]
        self._noted.set()

    async def run(self) -> None:
        """Tell the store, for as long as this runs."""
        while True:
            self._noted.clear()
            try:
                await self.tell()
            except StoreUnavailable:
                pass  # the keeper tells of it, and this is tried again
            except Exception:  # noqa: BLE001 - a defect here must not end the gateway
                log().exception("configuration_not_kept")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._noted.wait(), AGAIN if self._waiting else None)

    async def tell(self) -> None:
        """Have the store take what waits. Raises StoreUnavailable."""
        store = self._store()
        while store is not None and self._waiting:
            first = self._waiting[0]
            await store.add_configuration(*first)
            if first in self._waiting:  # more may have come meanwhile than are kept
                self._waiting.remove(first)
            if first[1] is not None:
                await self._settled(first[1])

    async def listed(self, most: int = MOST) -> Document:
        """The latest first."""
        store, why, found = self._store(), "", list[Configuration]()
        try:
            if store is None:
                raise StoreUnavailable("The store has not been opened yet.")  # noqa: TRY301 - told in one place
            found = await store.configurations(most)
        except StoreUnavailable as error:
            why = str(error)
        told = [{**each._asdict(), "at": instant(each.at)} for each in found]
        for each in told:
            del each["files"]
        return {"configurations": told, "store": why}

    async def put_back(self, number: int, path: Path, present: Loaded, environ: Mapping[str, str]) -> str:
        """Write the files of an earlier configuration in the place of the present ones; the digest of what that is.

        It is another one than before where documents that the files refer to have changed since: those are not kept.
        Raises CommandError where that cannot be done, would not be valid today, or would change nothing.
        """
        store = self._store()
        found = None if store is None else await store.configuration(number)
        if found is None:
            raise CommandError(f"There is no configuration {number}: /api/v1/configurations lists them.")
        now = {os.fspath(file): data for file, data in present.files}
        if now.keys() != found.files.keys():
            names = ", ".join(sorted(now.keys() ^ found.files.keys()))
            raise CommandError(f"Other files belonged to it ({names}); put it back where the files are kept.")
        changed = {Path(name): text.encode() for name, text in found.files.items() if now[name] != text.encode()}
        try:
            candidate = await asyncio.to_thread(load, path, environ, changed)
        except ConfigError as error:
            raise CommandError(f"It would not be valid today: {error.problems[0]}") from error
        if not changed and found.digest != present.estate.digest:
            raise CommandError("Only documents that the files refer to were others then; put those back by hand.")
        flips = [Flip(file, 0, "", "", now[os.fspath(file)], data) for file, data in changed.items()]
        await asyncio.to_thread(_write_all, flips)
        return candidate.estate.digest


def _write_all(flips: Iterable[Flip]) -> None:
    """All or none of them: where one cannot be written, those before it are taken back."""
    written: list[Flip] = []
    try:
        for flip in flips:
            write(flip)
            written.append(flip)
    except CommandError:
        for flip in written:
            write(flip._replace(old_text=flip.new_text, new_text=flip.old_text))
        raise
