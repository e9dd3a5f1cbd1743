"""One connection of the load client: asks one thing at a time, and says how it ended, well or in which way badly."""

import asyncio
from time import monotonic
from typing import Protocol, cast

from benchmarks.tally import Good, Tally


class Owner(Protocol):
    """Who gives a line something to ask, and is told what became of it."""

    tally: Tally

    def opened(self, line: "Line") -> None: ...

    def free(self, line: "Line") -> None: ...

    def gone(self, line: "Line") -> None: ...


class Line(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._answer = bytearray()
        self._due = 0.0
        self.sent = 0.0
        self.busy = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._owner.opened(self)

    def ask(self, request: bytes, due: float) -> None:
        self.busy, self._due, self.sent = True, due, monotonic()
        self._answer.clear()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if not self.busy:
            self._owner.tally.failures["unasked"] += 1
            self.transport.abort()
            return
        self._answer += data
        try:
            answer = read_answer(self._answer)
        except ValueError:
            self.fail("unreadable")
            self.transport.abort()
            return
        if answer is not None:
            self._answered(*answer)

    def _answered(self, status: int, closes: bool) -> None:
        self.busy = False
        if 200 <= status < 300:
            self._owner.tally.good.append(Good(self._due, self.sent, monotonic()))
        else:
            self._owner.tally.failures[f"status_{status}"] += 1
        if closes:
            self.transport.close()
        elif not self.transport.is_closing():
            self._owner.free(self)

    def fail(self, kind: str) -> None:
        self.busy = False
        self._owner.tally.failures[kind] += 1

    def connection_lost(self, error: Exception | None) -> None:
        if self.busy:
            self.fail("cut_short" if self._answer else "reset_unanswered" if error else "closed_unanswered")
        self._owner.gone(self)


def read_answer(data: bytes | bytearray) -> tuple[int, bool] | None:
    """The status of a whole answer, and whether the connection ends with it; None while bytes are missing.

    Every answer of these benchmarks has a Content-Length. Raises ValueError when it has none, or too much came.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(data[:end]).lower()
    before, name, after = head.partition(b"\r\ncontent-length:")
    if not before.startswith(b"http/1.1 ") or not name:
        raise ValueError("not an answer with a length")
    missing = int(after.partition(b"\r\n")[0]) - (len(data) - end - 4)
    if missing < 0:
        raise ValueError("more than one answer")
    return None if missing else (int(head[9:12]), b"\r\nconnection: close" in head)
