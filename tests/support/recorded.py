"""Recorded traffic, written short, and whoever answers when it is sent again."""

import asyncio
from collections.abc import Callable
from time import time
from typing import Any

from gateway.core.captured import REPLAY, CapturedAnswer, CapturedRequest, Recorded
from gateway.core.evidence import Verdict
from gateway.core.model import LEGACY
from gateway.rollouts.asking import Asking
from gateway.rollouts.judging import Judge, Judged
from gateway.rollouts.replaying import Replays

ORIGIN = "http://api.example"


def sent(target: bytes = b"/a", method: bytes = b"GET", **more: Any) -> CapturedRequest:
    """A request that was recorded."""
    return CapturedRequest(method, target, b"api.example", **{"fields": (), **more})


def passed(target: bytes = b"/a", **more: Any) -> Recorded:
    """A request that passed, and was answered."""
    return Recorded(sent(target, **more), CapturedAnswer(200, (), b"{}", seconds=0.01), 0.5, ORIGIN)


def har(*targets: str, method: str = "GET") -> dict[str, Any]:
    """A HAR document of plain requests."""
    entries = [{"request": {"method": method, "url": ORIGIN + target, "headers": []}} for target in targets]
    return {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}}


def judged(verdict: Verdict = "matched", route: str = "a", **more: Any) -> Judged:
    """What one replayed request was worth."""
    return Judged(route, verdict, LEGACY, time(), **{"shape": "200 many", "source": REPLAY, **more})


def idle_judge() -> Judge:
    """A judge that has nothing to do."""
    return Judge(b"", lambda found: None, Asking(lambda *question: False))


class Answering:
    """Takes the requests of a replay, and answers each after `seconds` by `verdict`.

    `lost` is how many it takes and never answers; `under_way` is how many are, `most` how many were at once; `when` the
    loop's times at which they came.
    """

    def __init__(self, seconds: float = 0.0, verdict: Callable[[CapturedRequest], Judged] | None = None) -> None:
        self.replays: Replays
        self.seconds = seconds
        self.verdict = verdict or (lambda recorded: judged())
        self.lost = 0
        self.under_way = self.most = 0
        self.when: list[float] = []
        self.requests: list[CapturedRequest] = []

    async def send(self, route: str, recorded: CapturedRequest, source: str) -> None:
        assert source == REPLAY
        loop = asyncio.get_running_loop()
        self.when.append(loop.time())
        self.requests.append(recorded)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.lost:
            self.lost -= 1
        else:
            loop.call_later(self.seconds, self._answer, route, recorded)

    def _answer(self, route: str, recorded: CapturedRequest) -> None:
        self.under_way -= 1
        self.replays.judged([self.verdict(recorded)._replace(route=route, at=time())])
