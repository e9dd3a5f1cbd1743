"""Delivers what is owed: in the order of each lane, again and again, until it is taken or given up.

Each try is claimed in the store and told there. Whoever sends it is handed in, and so is the chance by which tries are
spread.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import random
from time import monotonic, time
from typing import TYPE_CHECKING, NamedTuple

from gateway.core.captured import CapturedAnswer
from gateway.core.fields import field_lines
from gateway.core.writing import Came, Given, Made, Signal, judged, wait_before
from gateway.errors import CommandError, NotAdmitted, StoreUnavailable
from gateway.store.writes import Owed, Tried
from gateway.telemetry.logging import log

if TYPE_CHECKING:
    from gateway.store.repository import Store

MOST = 32
"""Deliveries under way at once."""
LOOK = 1.0
"""Seconds between looks at what is due."""
LONGEST = 300.0
"""Seconds that one try may take, whatever the backend's own deadlines say."""
CLOSING, SETTLING = 3.0, 30.0
AGAIN = 1.0
"""Seconds until the store is asked again where it was away."""


class Sent(NamedTuple):
    """What a side answered: `after` seconds that it asked to be left alone, and what it says to have made."""

    answer: CapturedAnswer
    after: float = 0.0
    made: Made | None = None


Send = Callable[[Owed], Awaitable[Sent]]
"""Asks a side. Raises NotAdmitted, and CommandError where it cannot be asked that."""


class Outbox:
    """Delivers, for as long as `run` runs. `owner` is who holds what is under way.

    What came of some and what is to be sent next are one transaction, however many they are. `tries` counts what came
    of them, by route, kind and outcome.
    """

    def __init__(self, owner: str, store: "Callable[[], Store | None]", send: Send) -> None:
        self._owner = owner
        self._store = store
        self._send = send
        self._due = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._tried: list[Tried] = []
        self._known: set[str] = set()
        self._lost = self._closing = False
        self.tries: Counter[tuple[str, str, str]] = Counter()

    def due(self) -> None:
        """There may be something to deliver."""
        self._due.set()

    async def run(self) -> None:
        """Deliver, for as long as this runs."""
        try:
            while True:
                self._due.clear()
                store = self._store()
                if store is None or not await self._turn(store):
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._due.wait(), LOOK)
        finally:
            for task in self._under_way:
                task.cancel()

    async def _turn(self, store: "Store") -> bool:
        """Note what came of tries, and begin what is due; whether there may be more."""
        tried, self._tried = self._tried, []
        room = 0 if self._closing else MOST - len(self._known)
        known = None if not self._lost else list(self._known)
        try:
            owed = await store.turn_writes(tried, self._owner, time(), room, known)
        except StoreUnavailable:
            self._tried = tried + self._tried  # nobody else takes these meanwhile
            self._lost = True  # some may have been given out, and nobody heard of it
            await store.settled(SETTLING)
            await asyncio.sleep(AGAIN)
            return False
        self._lost = False
        self._known.difference_update(each.owed.id for each in tried)
        for each in owed:
            self._known.add(each.id)
            task = asyncio.get_running_loop().create_task(self._deliver(each))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        return len(owed) == room > 0

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._due.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log().error("delivery_failed", error=repr(error))

    async def _deliver(self, owed: Owed) -> None:
        sent, came = await self._try(owed)
        now = time()
        if came.signal is Signal.AGAIN and now >= owed.until:
            came = Came(Signal.GAVE_UP, f"it could not be delivered in time: {came.why}")
        wait = max(wait_before(owed.tries, random()), came.after)
        given = _given(sent.answer) if sent is not None and owed.kind == "queued" else None
        self.tries[owed.route, owed.kind, str(came.signal)] += 1
        if came.signal is not Signal.DELIVERED:
            self._tell(owed, came)
        made = None if sent is None else sent.made
        self._tried.append(Tried(owed, came.signal, came.why, now + wait, given, made))

    async def close(self) -> None:
        """Begin nothing more, and note what comes of what is under way, for a few seconds."""
        self._closing = True
        until = monotonic() + CLOSING
        while self._known and monotonic() < until:
            self._due.set()
            await asyncio.sleep(0.02)

    async def _try(self, owed: Owed) -> tuple[Sent | None, Came]:
        unknown = Signal.AGAIN if owed.repeatable else Signal.UNKNOWN
        try:
            sent = await asyncio.wait_for(self._send(owed), LONGEST)
        except TimeoutError:
            return None, Came(unknown, "it took too long")
        except NotAdmitted as refused:
            return None, Came(Signal.AGAIN, refused.kind, refused.retry_after)
        except CommandError as error:
            return None, Came(Signal.AGAIN, str(error))
        except Exception as error:  # noqa: BLE001 - a defect of ours must not park a lane for ever: it is told, and has an end
            log().exception("delivery_failed", id=owed.id, route=owed.route)
            return None, Came(unknown, f"the gateway failed: {type(error).__name__}")
        return sent, judged(sent.answer, repeatable=owed.repeatable, after=sent.after)

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
