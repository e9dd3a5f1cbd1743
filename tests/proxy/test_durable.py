"""What must be durable is told to control until it is stored; who cannot have that is told so."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from gateway.core.writing import Asked, Ending, Receipt, Signal
from gateway.errors import ClientError
from gateway.proxy import durable as module
from gateway.proxy.durable import Durable
from gateway.wire.clock import Clock
from gateway.wire.driver import Driver
from tests.store.owing import intent

DONE = Ending("a", Signal.TOOK)


class Control:
    """Whoever stores: it notes what it is asked, and answers when the test says so."""

    def __init__(self) -> None:
        self.batches: list[list[Asked]] = []
        self.there = True
        self.clock = Clock()
        self.durable = Durable(self._send, self.clock)

    def _send(self, session: str, batch: list[Asked]) -> bool:
        assert session == self.durable.session
        if self.there:
            self.batches.append(batch)
        return self.there

    @property
    def asked(self) -> list[object]:
        return [each for batch in self.batches for _, each in batch]

    def answer(self, *answers: tuple[Any, ...], done: tuple[str, ...] = ()) -> None:
        """Answer the latest batch."""
        numbers = [number for number, _ in self.batches[-1]]
        self.durable.told(list(zip(numbers, answers, strict=True)), list(done))


def driven(work: Coroutine[Any, Any, Any]) -> "asyncio.Future[Any]":
    """Run something as a connection runs it."""
    found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def run() -> None:
        found.set_result(await work)

    Driver(run(), lambda error: found.set_exception(error) if error is not None else None).resume()
    return found


@pytest.fixture
async def control() -> Control:
    return Control()


async def test_what_is_asked_at_once_goes_at_once(control: Control) -> None:
    """Each is told its own answer."""
    one, other = driven(control.durable.begin(intent("a"))), driven(control.durable.receipt("b"))
    await asyncio.sleep(0)
    assert control.asked == [intent("a"), Receipt("b")]
    control.answer(("go",), ("none",))
    assert (await one, await other) == (("go",), ("none",))


async def test_what_came_is_told_until_it_is_stored(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where control was away, and to the one that comes next."""
    monkeypatch.setattr(module, "AGAIN", 1)
    control.there = False
    ended = driven(control.durable.end(DONE))
    assert await ended is False
    assert control.durable.owed == 1
    control.there = True
    for _ in range(2):  # it is told once, and again only where that was not done
        control.durable.tick()
        await asyncio.sleep(0)
    assert control.asked == [DONE]
    control.answer(("failed", "the store is away"))
    control.durable.tick()
    await asyncio.sleep(0)
    assert control.asked == [DONE, DONE]
    control.answer(("done",), done=("a",))
    assert control.durable.owed == 0
    control.durable.tick()
    await asyncio.sleep(0)
    assert len(control.asked) == 2


async def test_an_intent_that_is_not_stored_is_none(control: Control) -> None:
    """The client is told to try again; should it be stored later, it is taken back."""
    begun = driven(control.durable.begin(intent("a")))
    await asyncio.sleep(0)
    control.answer(("failed", "the store is away"))
    with pytest.raises(ClientError, match="503: The write was not made: the store is away") as caught:
        await begun
    assert caught.value.headers == ((b"Retry-After", b"5"),)
    await asyncio.sleep(0)
    assert control.asked == [intent("a"), Ending("a", Signal.NOTHING)]


async def test_nobody_waits_for_ever(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control that does not answer in time is as good as none, and so is one that goes."""
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    control.clock.start()
    with pytest.raises(ClientError, match="it could not be stored in time"):
        await driven(control.durable.begin(intent("a")))
    begun = driven(control.durable.begin(intent("b")))
    asked = driven(control.durable.receipt("c"))
    await asyncio.sleep(0)
    control.durable.lost()
    with pytest.raises(ClientError, match="the control process is away"):
        await begun
    with pytest.raises(ClientError, match="503: What became of it cannot be told now"):
        await asked
    control.answer(*[("go",)] * len(control.batches[-1]))  # nobody waits for it
    control.clock.stop()
