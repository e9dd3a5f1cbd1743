"""The judge takes what comes from outside, within bounds, and goes on whatever it was."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.core.comparing import judging as comparing
from gateway.core.comparing.judging import Judgement
from gateway.core.comparing.rules import Rules
from gateway.rollouts import asking, judging
from gateway.rollouts.asking import Ask, Asking
from gateway.rollouts.judging import Judge, Judged, Way
from tests.core.comparing.answers import as_json, sample
from tests.rollouts.running import until

ROUTE = "rent-balance"
SAME = sample(as_json({"a": 1}), as_json({"a": 1}))
DIFFERENT = sample(as_json({"a": 1}), as_json({"a": 2}))


@asynccontextmanager
async def judge(found: list[Judged], ask: Ask = lambda *question: False, noise: int = 0) -> AsyncIterator[Judge]:
    """A judge at work, of one route; what it says is put into `found`."""
    working = Judge(b"key", found.extend, Asking(ask))
    working.follow({ROUTE: Way(Rules(), None, noise)})
    task = asyncio.get_running_loop().create_task(working.run())
    try:
        yield working
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        working.close()


def fails_at_a_difference(do: Callable[..., Judgement]) -> Callable[..., Judgement]:
    def judge(each: Any, *more: Any) -> Judgement:
        if each is DIFFERENT:
            raise ZeroDivisionError("AB123456C")
        return do(each, *more)

    return judge


async def test_an_answer_that_the_comparer_fails_at_is_not_comparable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends neither the judge nor what is judged with it, and the log names the defect and nothing of the answer."""
    monkeypatch.setattr(judging, "judge", fails_at_a_difference(comparing.judge))
    found: list[Judged] = []
    with capture_logs() as logs:
        async with judge(found) as working:
            working.sampled([DIFFERENT, SAME], {}, {}, 0.0)
            await until(lambda: len(found) == 2)
            working.sampled([SAME], {}, {}, 0.0)
            await until(lambda: len(found) == 3)
    assert [each.verdict for each in found] == ["incomparable", "matched", "matched"]
    assert [(each["event"], each["route"], each["error"]) for each in logs] == [
        ("sample_not_judged", ROUTE, "ZeroDivisionError")
    ]
    assert "AB123456C" not in str(logs)


async def test_second_answers_that_do_not_come_leave_the_bound_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the bytes that may wait, those of samples that have waited long are given back once, not twice."""
    monkeypatch.setattr(asking, "PATIENCE", 0.0)
    monkeypatch.setattr(judging, "LOOK", 0.01)
    found: list[Judged] = []
    async with judge(found, lambda *question: True, noise=10_000) as working:
        working.sampled([DIFFERENT._replace(number=number) for number in range(20)], {}, {}, 0.0)
        await until(lambda: len(working.of(ROUTE).in_hand) == 20)
        monkeypatch.setattr(judging, "WAITING_BYTES", 10_000)
        working.sampled([SAME] * 20, {}, {}, 0.0)
        await until(lambda: len(found) == 20)
    assert sum(each.reason == "control_busy" for each in found) > 10
