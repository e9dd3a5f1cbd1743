"""Replays: their pace, what came of them, and that they end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from time import time

import pytest

from gateway.core.captured import CapturedAnswer, CapturedRequest, Sample
from gateway.core.comparing.rules import compiled
from gateway.core.har import Recording
from gateway.core.policies import Compare
from gateway.errors import CommandError
from gateway.rollouts import replaying
from gateway.rollouts.asking import Asking
from gateway.rollouts.judging import Judge, Judged, Way
from gateway.rollouts.replaying import AT_ONCE, Finding, Replays, Report, recording_of
from tests.support.recorded import Answering, idle_judge, judged, sent

MANY = [sent(b"/%d" % number) for number in range(20)]
FAST = 10_000.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "TOLD", 0.02)


def replays_of(data: Answering) -> Replays:
    data.replays = Replays(data.send, idle_judge(), lambda: None)
    return data.replays


async def last(reports: AsyncIterator[Report]) -> Report:
    async with asyncio.timeout(10):
        return [each async for each in reports][-1]


async def test_everything_is_sent_in_its_order() -> None:
    """And told once all of it has been judged."""
    data = Answering()
    report = await last(replays_of(data).run("a", MANY, FAST))
    assert data.requests == MANY
    assert report == Report(20, 20, {"matched": 20}, {}, {"200 many": 20}, (), True)
    assert report.is_clean


async def test_a_replay_keeps_its_rate() -> None:
    """Twenty at a hundred a second take a fifth of a second, however quickly they are answered."""
    data = Answering()
    await last(replays_of(data).run("a", MANY, 100.0))
    assert data.when[-1] - data.when[0] >= 0.185


async def test_few_are_under_way_at_once() -> None:
    """A system that is slow is asked no faster; after a pause the rate is not caught up with."""
    data = Answering(0.03)
    await last(replays_of(data).run("a", MANY, FAST))
    assert data.most == AT_ONCE


async def test_a_report_tells_what_was_found() -> None:
    """Verdicts, reasons and shapes are counted; the fields that differ come with the worst first."""
    wrong = frozenset({(("balance",), "value"), (("tenant",), "missing")})
    verdicts = iter(
        [
            judged("mismatched", fields=wrong),
            judged("mismatched", fields=frozenset({(("balance",), "value")}), shape="200 empty"),
            judged("candidate_error", shape="", reason="the candidate answered 500"),
            judged("skipped", shape="", reason="replay_late"),
        ]
    )
    report = await last(replays_of(Answering(verdict=lambda _: next(verdicts))).run("a", MANY[:4], FAST))
    assert report.verdicts == {"mismatched": 2, "candidate_error": 1, "skipped": 1}
    assert report.reasons == {"the candidate answered 500": 1, "replay_late": 1}
    assert report.shapes == {"200 many": 1, "200 empty": 1}
    assert report.fields == (Finding("/balance", "value", 2, False), Finding("/tenant", "missing", 1, False))
    assert report.plain()["fields"][0] == {"field": "/balance", "kind": "value", "answers": 2, "wrong": False}
    assert (report.is_clean, report.plain()["clean"]) == (False, False)


async def test_nothing_replayed_is_nothing_shown() -> None:
    """A replay of no request is not a clean one."""
    report = await last(replays_of(Answering()).run("a", [], FAST))
    assert (report.total, report.ended, report.is_clean) == (0, True, False)


async def test_other_evidence_is_not_taken_for_the_replays() -> None:
    """What a shadow brings meanwhile, what another route does, and what an earlier replay left behind."""
    data = Answering(0.05)
    replays = replays_of(data)
    running = replays.run("a", MANY[:1], FAST)
    await anext(running)
    replays.judged([judged(source="shadow"), judged(route="b"), judged()._replace(at=time() - 60)])
    assert (await last(running)).verdicts == {"matched": 1}


async def test_a_replay_ends_with_whoever_asked_for_it() -> None:
    """Nothing more is sent; the route can be replayed again, but not twice at the same time."""
    data = Answering()
    replays = replays_of(data)
    async with aclosing(replays.run("a", MANY, 1.0)) as running:
        await anext(running)
        assert list(replays.routes) == ["a"]
        with pytest.raises(CommandError, match="already"):
            await anext(replays.run("a", MANY, 1.0))
        assert (await last(replays.run("b", MANY[:1], FAST))).is_clean
    await asyncio.sleep(0.05)
    assert (len(data.requests), list(replays.routes)) == (2, [])
    assert (await last(replays.run("a", MANY, FAST))).is_clean


async def test_what_is_never_answered_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is skipped, and the rest is sent."""
    monkeypatch.setattr(replaying, "PATIENCE", 0.05)
    data = Answering()
    replays = replays_of(data)
    data.lost = AT_ONCE
    report = await last(replays.run("a", MANY, FAST))
    assert (report.sent, report.verdicts) == (20, {"skipped": AT_ONCE, "matched": 16})
    assert report.reasons == {"no_answer": AT_ONCE}


# ------------------------------------------------------------------------------------------------ with a real judge


class Sides:
    """Two sides that answer each request, and a judge that compares them."""

    def __init__(self) -> None:
        self.judge = Judge(b"", self._judged, Asking(lambda *question: False))
        self.replays = Replays(self.send, self.judge, self._compare)

    def _compare(self) -> None:
        self.judge.follow({"a": Way(compiled(Compare()))})

    def _judged(self, found: list[Judged]) -> None:
        self.replays.judged(found)

    async def send(self, route: str, recorded: CapturedRequest, source: str) -> None:
        asyncio.get_running_loop().call_soon(self._answer, recorded, source)

    def _answer(self, request: CapturedRequest, source: str) -> None:
        number = int(request.target[1:])
        control, candidate = (
            CapturedAnswer(200, ((b"Content-Type", b"application/json"),), b'{"sum": %d}' % each)
            for each in (number, number + number % 2)
        )
        samples = [
            Sample(time(), "a", "legacy", request.target, number, control, candidate, each, control)
            for each in (source, "shadow")
        ]
        self.judge.sampled(samples, {}, {}, time())


@pytest.fixture
async def sides() -> AsyncGenerator[Sides, None]:
    sides = Sides()
    judging = asyncio.get_running_loop().create_task(sides.judge.run())
    yield sides
    judging.cancel()
    sides.judge.close()


async def test_a_planted_difference_is_found(sides: Sides) -> None:
    """Where it is, how often, and that it is wrong: the side that serves said the same twice."""
    report = await last(sides.replays.run("a", MANY, FAST))
    assert report.verdicts == {"matched": 10, "mismatched": 10}
    assert report.fields == (Finding("/sum", "value", 10, True),)


async def test_what_cannot_be_told_from_noise_is_unsure(sides: Sides) -> None:
    """Too few differ to say that they are wrong: the replay ends all the same, and is not clean."""
    report = await last(sides.replays.run("a", MANY[:4], FAST))
    assert (report.verdicts, report.is_clean) == ({"matched": 2, "unsure": 2}, False)
    assert report.fields == (Finding("/sum", "value", 2, False),)
    assert report.shapes == {"200 one": 4}


# ------------------------------------------------------------------------------------------------ the file


def test_a_har_is_read() -> None:
    """Its requests, as they are in it."""
    assert recording_of(b'{"log": {"entries": []}}') == Recording((), ())


@pytest.mark.parametrize("data", [b"", b"<html>", b"\xff", b"[" * 100_000, b"{}"])
def test_what_is_no_har_is_refused(data: bytes) -> None:
    """With a sentence, whatever it is."""
    with pytest.raises(CommandError, match="HAR"):
        recording_of(data)
