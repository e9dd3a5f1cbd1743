"""One coroutine per connection, carried from signal to signal."""

import asyncio

from gateway.wire.driver import Driver, Signal


class Ended:
    """Notes how a driven coroutine ended."""

    def __init__(self) -> None:
        self.how: list[BaseException | None] = []

    def __call__(self, error: BaseException | None) -> None:
        self.how.append(error)


def test_a_wake_runs_the_coroutine_at_once() -> None:
    """Inside the very call that wakes it, not in the loop's next turn."""
    signal, ended, steps = Signal(), Ended(), []

    async def work() -> None:
        steps.append("before")
        await signal
        steps.append("after")

    Driver(work(), ended).resume()
    assert (steps, ended.how) == (["before"], [])
    signal.wake()
    assert (steps, ended.how) == (["before", "after"], [None])


def test_a_wake_that_nobody_waits_for_is_nothing() -> None:
    """A signal has no memory: whoever waits looks at what it waits for, before and after."""
    signal, ended = Signal(), Ended()
    steps: list[str] = []

    async def work() -> None:
        for number in range(2):
            while len(steps) == number:
                await signal

    signal.wake()
    Driver(work(), ended).resume()
    signal.wake()
    assert ended.how == []
    for _ in range(2):
        steps.append("here")
        signal.wake()
    assert ended.how == [None]


def test_waking_from_within_does_not_nest() -> None:
    """A coroutine that wakes the signal it will wait for next simply goes on until it waits."""
    signal, ended, steps = Signal(), Ended(), []

    async def work() -> None:
        for number in range(1_000):
            signal.wake()
            steps.append(number)
        await signal

    Driver(work(), ended).resume()
    assert (len(steps), ended.how) == (1_000, [])
    signal.wake()
    assert ended.how == [None]


async def test_ordinary_futures_may_be_awaited() -> None:
    """They resume the coroutine in the usual way; so does a bare yield."""
    ended, steps = Ended(), []
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        steps.append(await future)
        await asyncio.sleep(0)
        steps.append("yielded")

    Driver(work(), ended).resume()
    future.set_result("done")
    await asyncio.sleep(0.01)
    assert (steps, ended.how) == (["done", "yielded"], [None])


def test_an_error_is_handed_to_whoever_owns_the_driver() -> None:
    """Nothing is swallowed, nothing is raised into the one who woke it."""
    signal, ended = Signal(), Ended()

    async def work() -> None:
        await signal
        raise ValueError("broken")

    Driver(work(), ended).resume()
    signal.wake()
    assert [type(error) for error in ended.how] == [ValueError]
