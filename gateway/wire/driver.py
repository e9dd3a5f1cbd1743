"""Runs one coroutine per connection without a task per wake-up.

A `Signal` is what a connection's coroutine waits for: when a callback sets it, the coroutine goes on at once, inside that
callback, instead of in the loop's next turn (which costs an extra poll of the kernel per wake-up). Ordinary asyncio
futures may be awaited too; they resume in the usual way. Nothing here is ever cancelled: what must end gets an error.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any


class Signal:
    """A place where one coroutine waits until `wake` is called; waking an unwatched signal is remembered."""

    __slots__ = ("_ready", "_waiter")

    def __init__(self) -> None:
        self._ready = False
        self._waiter: Driver | None = None

    def wake(self) -> None:
        self._ready = True
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            waiter.resume()

    def wait(self) -> "Signal":
        """Await this: returns once woken since the last wait."""
        return self

    def __await__(self) -> Generator[Any, None, None]:
        while not self._ready:
            yield self
        self._ready = False

    def watched_by(self, driver: "Driver") -> bool:
        """Called by the driver when its coroutine yields this signal; False when it is already awake."""
        if self._ready:
            return False
        self._waiter = driver
        return True


class Driver:
    """Carries one coroutine from signal to signal."""

    __slots__ = ("_coroutine", "_finished", "_running", "_woken")

    def __init__(self, coroutine: Coroutine[Any, None, None], finished: Callable[[BaseException | None], None]) -> None:
        self._coroutine = coroutine
        self._finished = finished
        self._running = False
        self._woken = False

    def resume(self) -> None:
        """Run the coroutine until it waits again. When it is running already, it only looks again."""
        if self._running:
            self._woken = True
            return
        self._running = True
        try:
            while True:
                self._woken = False
                awaited = self._coroutine.send(None)
                if isinstance(awaited, Signal):
                    if awaited.watched_by(self):
                        return
                elif asyncio.isfuture(awaited):
                    awaited._asyncio_future_blocking = False
                    awaited.add_done_callback(self._future_done)
                    return
                elif not self._woken:
                    asyncio.get_running_loop().call_soon(self.resume)  # a bare yield: asyncio.sleep(0)
                    return
        except StopIteration:
            self._finished(None)
        except Exception as error:  # noqa: BLE001 - handed to `finished`, whose owner reports it and closes the connection
            self._finished(error)
        finally:
            self._running = False

    def _future_done(self, _future: "asyncio.Future[Any]") -> None:
        self.resume()
