"""Where large messages are coded: in a process of its own, because the data loop has no time for it.

900 kB take some 20 ms of Python, and a thread would share the interpreter with the loop. The process is started by the
first large message and kept. It is told once how the messages of a target are coded (a `Recipe`), and then only given
bytes.
"""

import asyncio
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cached_property
from hashlib import sha256
from multiprocessing import get_context
from typing import Any, NamedTuple

LARGE = 65_536
"""Bytes beyond which a message is coded elsewhere."""
Make = Callable[[Any, Any], Any]


class Recipe:
    """How the messages of one target are coded: `make(target, schema)` gives an object whose methods do it."""

    def __init__(self, make: Make, target: Any, schema: Any) -> None:
        self._parts = (make, target, schema)

    @cached_property
    def text(self) -> bytes:
        return pickle.dumps(self._parts, protocol=5)

    @cached_property
    def key(self) -> bytes:
        return sha256(self.text).digest()


class Unknown(NamedTuple):
    """The process has not been told a recipe yet."""


class Workshop:
    """One process that codes. It is started when it is first needed, and again when it has died."""

    def __init__(self) -> None:
        self._process: ProcessPoolExecutor | None = None

    async def code(self, recipe: Recipe, method: str, *arguments: Any) -> Any:
        """What a method of the recipe's object returns; raises what it raises."""
        try:
            return await self._code(recipe, method, arguments)
        except BrokenProcessPool:
            self._process = None
            return await self._code(recipe, method, arguments)

    async def _code(self, recipe: Recipe, method: str, arguments: tuple[Any, ...]) -> Any:
        loop = asyncio.get_running_loop()
        if self._process is None:
            self._process = ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))
        done = await loop.run_in_executor(self._process, work, recipe.key, None, method, arguments)
        if isinstance(done, Unknown):
            done = await loop.run_in_executor(self._process, work, recipe.key, recipe.text, method, arguments)
        return done

    def close(self) -> None:
        if self._process is not None:
            self._process.shutdown(wait=True, cancel_futures=True)
            self._process = None


_made: dict[bytes, Any] = {}
_KEPT = 256


def work(key: bytes, text: bytes | None, method: str, arguments: tuple[Any, ...]) -> Any:
    """Done in the process: code one message."""
    made = _made.get(key)
    if made is None:
        if text is None:
            return Unknown()
        make, target, schema = pickle.loads(text)
        if len(_made) >= _KEPT:
            _made.clear()
        made = _made[key] = make(target, schema)
    return getattr(made, method)(*arguments)


WORKSHOP = Workshop()
"""That of this process; all tables share it."""


async def coded(here: Any, recipe: Recipe, data: bytes, method: str, *arguments: Any) -> Any:
    """What a method of a coding makes of `data`: here, or, of a large message, where it holds nobody up."""
    if len(data) > LARGE:
        return await WORKSHOP.code(recipe, method, *arguments)
    return getattr(here, method)(*arguments)
