"""Delivers what is owed: in the order of each lane, again and again, until it is taken or given up.

Each try is claimed in the store and told there. Whoever sends it is handed in, and so is the chance by which tries are
spread.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import random
from time import time
from typing import TYPE_CHECKING

from gateway.core.captured import CapturedAnswer
from gateway.core.fields import field_lines
from gateway.core.writing import Came, Given, Signal, judged, wait_before
from gateway.errors import CommandError, NotAdmitted, StoreUnavailable
from gateway.store.writes import Owed
from gateway.telemetry.logging import log

if TYPE_CHECKING:
    from gateway.store.repository import Store

MOST = 32
"""Deliveries under way at once."""
LOOK = 1.0
"""Seconds between looks at what is due."""
AGAIN = 1.0
"""Seconds until what came of a delivery is noted anew where the store was away."""
Send = Callable[[Owed], Awaitable[tuple[CapturedAnswer, float]]]
"""Asks a side; the answer, and how many seconds it asked to be left alone. Raises NotAdmitted, and CommandError where
there is no such route any more."""


class Outbox:
    """Delivers, for as long as `run` runs. `owner` is who holds what is under way."""

    def __init__(self, owner: str, store: "Callable[[], Store | None]", send: Send) -> None:
        self._owner = owner
        self._store = store
        self._send = send
        self._due = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def due(self) -> None:
        """There may be something to deliver."""
        self._due.set()

    async def run(self) -> None:
        """Deliver, for as long as this runs."""
        try:
            while True:
                store = self._store()
                more = store is not None and await self._begin(store)
                if not more:
                    try:
                        await asyncio.wait_for(self._due.wait(), LOOK)
                    except TimeoutError:
                        continue
                    self._due.clear()
        finally:
            for task in self._under_way:
                task.cancel()

    async def _begin(self, store: "Store") -> bool:
        """Begin what is due, as far as there is room; whether there may be more."""
        room = MOST - len(self._under_way)
        if room <= 0:
            return False
        try:
            owed = await store.take_writes(self._owner, time(), room)
        except StoreUnavailable:
            return False
        for each in owed:
            task = asyncio.get_running_loop().create_task(self._deliver(store, each))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        return len(owed) == room

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._due.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log().error("delivery_failed", error=repr(error))

    async def _deliver(self, store: "Store", owed: Owed) -> None:
        answer, came = await self._try(owed)
        now = time()
        if came.signal is Signal.AGAIN and now >= owed.until:
            came = Came(Signal.GAVE_UP, f"it could not be delivered in time: {came.why}")
        wait = max(wait_before(owed.tries, random()), came.after)
        given = _given(answer) if answer is not None and owed.kind == "queued" else None
        if came.signal is not Signal.DELIVERED:
            self._tell(owed, came)
        while True:
            try:
                await store.write_delivered(owed, came.signal, came.why, now + wait, given, time())
            except StoreUnavailable:
                await asyncio.sleep(AGAIN)  # nobody else takes it meanwhile
                continue
            return

    async def _try(self, owed: Owed) -> tuple[CapturedAnswer | None, Came]:
        try:
            answer, after = await self._send(owed)
        except NotAdmitted as refused:
            return None, Came(Signal.AGAIN, refused.kind, refused.retry_after)
        except CommandError as error:
            return None, Came(Signal.AGAIN, str(error))
        return answer, judged(answer, repeatable=owed.repeatable, after=after)

    def _tell(self, owed: Owed, came: Came) -> None:
        """What did not go well is worth a line, once at its beginning and once at its end."""
        if came.signal is Signal.AGAIN:
            if owed.tries == 1:
                log().warning("write_not_delivered", id=owed.id, route=owed.route, side=owed.side, why=came.why)
            return
        event = {Signal.UNKNOWN: "write_unresolved", Signal.REFUSED: "write_refused"}.get(came.signal, "write_given_up")
        log().error(event, id=owed.id, route=owed.route, side=owed.side, kind=owed.kind, why=came.why)


def _given(answer: CapturedAnswer) -> Given | None:
    """The record's answer, for whoever asks with the receipt."""
    if answer.error:
        return None
    return Given(answer.status, field_lines(answer.fields), answer.body or b"")
