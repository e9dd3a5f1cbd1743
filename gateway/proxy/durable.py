"""What must be durable goes to control, and waits for its commit.

Intents are asked for and answered; whoever gets no answer in time has not stored anything, and says so. What came of a
write is told until control has stored it, also by way of another control process.
"""

import asyncio
from collections.abc import Callable
from random import getrandbits
from secrets import token_hex
from typing import Any

from gateway.core.writing import Asked, Ending, Intent, Receipt, Signal
from gateway.errors import ClientError
from gateway.wire.clock import NEVER, Clock
from gateway.wire.driver import Signal as Wake

PATIENCE = 6.0
"""Seconds that control may take to store something: a little more than its own store may."""
AGAIN, SOME = 20, 100
"""Ticks after which what was not acknowledged is told again, and how much of it at once: the next when that has been
answered."""
Answer = tuple[Any, ...]


def not_stored(why: str) -> ClientError:
    """The refusal of a write that cannot be kept: it has not been done."""
    return ClientError(503, f"The write was not made: {why}. Try again later.", headers=((b"Retry-After", b"5"),))


class Waiting:
    """Something that was asked of control; `answer` is what it said."""

    __slots__ = ("answer", "deadline", "wake")

    def __init__(self, deadline: float) -> None:
        self.answer: Answer | None = None
        self.deadline = deadline
        self.wake = Wake()

    def answered(self, answer: Answer) -> None:
        if self.answer is None:
            self.answer = answer
            self.wake.wake()

    def expire(self) -> None:
        self.answered(("failed", "it could not be stored in time"))


class Durable:
    """Asks control to store. `send` hands it a batch, and tells if it could; `session` names this process."""

    def __init__(self, send: Callable[[str, list[Asked]], bool], clock: Clock) -> None:
        self.session = token_hex(8)
        self._send = send
        self._clock = clock
        self._number = getrandbits(48)
        self._batch: list[Asked] = []
        self._waiting: dict[int, Waiting] = {}
        self._owed: dict[str, Ending] = {}
        self._retold: set[int] = set()
        self._ticks = 0

    @property
    def owed(self) -> int:
        """How many outcomes control has not stored yet."""
        return len(self._owed)

    async def begin(self, intent: Intent) -> Answer:
        """Store an intent; what the store says of it. Raises ClientError (503) where it was not stored."""
        answer = await self._ask(intent)
        if answer[0] == "failed":
            scope = "" if intent.claim is None else intent.claim.scope
            self.owe(Ending(intent.id, Signal.NOTHING, scope=scope))  # it may be stored all the same, later
            raise not_stored(answer[1])
        return answer

    async def end(self, ending: Ending) -> bool:
        """Store what came of a write, and wait for that; whether it was stored in time. It is told again if not."""
        self._owed[ending.id] = ending
        return bool((await self._ask(ending))[0] == "done")

    async def receipt(self, write_id: str) -> Answer:
        """What became of a queued write: see `store.writes.receipt`. Raises ClientError (503) where nobody knows."""
        answer = await self._ask(Receipt(write_id))
        if answer[0] == "failed":
            raise ClientError(503, "What became of it cannot be told now.", headers=((b"Retry-After", b"5"),))
        return answer

    def owe(self, ending: Ending) -> None:
        """Store what came of a write, some time: nobody waits for it."""
        self._owed[ending.id] = ending
        self._put(ending, None)

    async def _ask(self, asked: Intent | Ending | Receipt) -> Answer:
        waiting = Waiting(self._clock.after(PATIENCE))
        self._clock.watch(waiting)
        number = self._put(asked, waiting)
        while waiting.answer is None:
            await waiting.wake
        self._clock.forget(waiting)
        waiting.deadline = NEVER
        self._waiting.pop(number, None)
        return waiting.answer

    def _put(self, asked: Intent | Ending | Receipt, waiting: Waiting | None) -> int:
        if not self._batch:
            asyncio.get_running_loop().call_soon(self._flush)
        self._number += 1
        self._batch.append((self._number, asked))
        if waiting is not None:
            self._waiting[self._number] = waiting
        return self._number

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        if batch and not self._send(self.session, batch):
            self.told([(number, ("failed", "the control process is away")) for number, _ in batch])

    # -------------------------------------------------------------------------------------------- from control

    def told(self, answers: list[tuple[int, Answer]], stored: list[str] | None = None) -> None:
        """Control has answered; the writes in `stored` have had their outcomes noted."""
        for write_id in stored or ():
            self._owed.pop(write_id, None)
        for number, answer in answers:
            self._retold.discard(number)
            if (waiting := self._waiting.get(number)) is not None:
                waiting.answered(answer)

    def lost(self) -> None:
        """Control is gone: nobody answers what it was asked."""
        self._retold.clear()
        for waiting in list(self._waiting.values()):
            waiting.answered(("failed", "the control process is away"))

    def tick(self) -> None:
        """Tell again what has not been acknowledged."""
        self._ticks += 1
        if self._owed and not self._retold and self._ticks % AGAIN == 0:
            for ending in list(self._owed.values())[:SOME]:
                self._retold.add(self._put(ending, None))
