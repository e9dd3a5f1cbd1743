"""Runs one coroutine per connection without a task per wake-up.

A `Signal` is what a connection's coroutine waits for: when a callback wakes it, the coroutine goes on at once, inside
that callback, instead of in the loop's next turn (which costs an extra poll of the kernel per wake-up). Ordinary
asyncio futures may be awaited too; they resume in the usual way. Nothing here is ever cancelled: what must end gets an
error.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any


class Signal:
    """A place where one coroutine waits until `wake` is called; waking an unwatched signal is remembered."""

    __slots__ = ("_ready", "waiter")

    def __init__(self) -> None:
        self._ready = False
        self.waiter: Driver | None = None

    def wake(self) -> None:
        self._ready = True
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            waiter.resume()

    def __await__(self) -> Generator[Any, None, None]:
        """Returns once woken since the last wait."""
        while not self._ready:
            yield self
        self._ready = False


class Driver:
    """Carries one coroutine from signal to signal. `finished` is told how it ended."""

    __slots__ = ("_coroutine", "_finished", "_running", "_woken")

    def __init__(self, coroutine: Coroutine[Any, None, None], finished: Callable[[BaseException | None], None]) -> None:
        self._coroutine = coroutine
        self._finished = finished
        self._running = False
        self._woken = False

    def resume(self) -> None:
        """Run the coroutine until it waits again. If it runs already, it will look again before it waits."""
        if self._running:
            self._woken = True
            return
        self._running = True
        try:
            awaited = self._coroutine.send(None)
            while self._woken and awaited.__class__ is Signal:
                self._woken = False
                awaited = self._coroutine.send(None)
            self._woken = False
            if awaited.__class__ is Signal:
                awaited.waiter = self
            else:
                self._await_other(awaited)
        except StopIteration:
            self._finished(None)
        except Exception as error:  # noqa: BLE001 - handed to `finished`, whose owner reports it and closes the connection
            self._finished(error)
        finally:
            self._running = False

    def _await_other(self, awaited: Any) -> None:
        """An asyncio future, or a bare yield (asyncio.sleep(0)): resumed by the loop."""
        if asyncio.isfuture(awaited):
            awaited._asyncio_future_blocking = False
            awaited.add_done_callback(self._future_done)
        else:
            asyncio.get_running_loop().call_soon(self.resume)

    def _future_done(self, _future: "asyncio.Future[Any]") -> None:
        self.resume()
