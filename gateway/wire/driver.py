"""Runs one coroutine per connection without a task per wake-up.

A `Signal` is what a connection's coroutine waits for: when a callback wakes it, the coroutine goes on at once, inside
that callback, instead of in the loop's next turn (which costs an extra poll of the kernel per wake-up). Ordinary
asyncio futures may be awaited too; they resume in the usual way. Nothing here is ever cancelled: what must end gets an
error.

A signal carries no state: whoever waits looks at what it waits for, waits, and looks again (`while not ...: await`).
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, cast

_once = cast(Callable[[tuple[object]], Generator[Any, None, None]], iter)
"""An iterator of C gives itself once and is done: a generator would be one more frame to go through per wake-up."""


class Signal:
    """A place where one coroutine waits until `wake` is called."""

    __slots__ = ("waiter",)

    def __init__(self) -> None:
        self.waiter: Driver | None = None

    def wake(self) -> None:
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            waiter.resume()

    def __await__(self) -> Generator[Any, None, None]:
        return _once((self,))


class Driver:
    """Carries one coroutine from signal to signal. `finished` is told how it ended."""

    __slots__ = ("_finished", "_send")

    def __init__(self, coroutine: Coroutine[Any, None, None], finished: Callable[[BaseException | None], None]) -> None:
        self._send = coroutine.send
        self._finished = finished

    def resume(self) -> None:
        """Run the coroutine until it waits again."""
        try:
            awaited = self._send(None)
        except StopIteration:
            self._finished(None)
        except Exception as error:  # noqa: BLE001 - handed to `finished`, whose owner reports it and closes the connection
            self._finished(error)
        else:
            if type(awaited) is Signal:
                awaited.waiter = self
            else:
                self._await_other(awaited)

    def _await_other(self, awaited: Any) -> None:
        """An asyncio future, or a bare yield (asyncio.sleep(0)): resumed by the loop."""
        if asyncio.isfuture(awaited):
            awaited._asyncio_future_blocking = False
            awaited.add_done_callback(self._future_done)
        else:
            asyncio.get_running_loop().call_soon(self.resume)

    def _future_done(self, _future: "asyncio.Future[Any]") -> None:
        self.resume()
