"""What the gateway tells of ramps and overrides, and what that means for the board and for the clients."""

import asyncio
import os
import socket
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo import ramps
from gateway.demo.changes import Note, Step
from gateway.demo.ramps import CLIMBING, FINISHED, ROLLED_BACK, SOCKET, Ramp, Standing, look, news, told, turns
from tests.demo.support_ramps import CLIMB, ramp

DOCUMENT = {
    "ramp": "detail",
    "routes": ["detail"],
    "state": "climbing",
    "stage": 1,
    "stages": [{"share": share, "approve": False} for share in (10, 25, 50, 100)],
    "share": 10.0,
    "why": "the first stage begins",
    "sequence": 2,
    "evidence": {"parity": {"count": 90, "of": 100}},
    "missing": [
        {"guard": "every", "sentence": "2 of 6 seconds have passed"},
        {"guard": "samples", "sentence": "100 of 400 judged answers with content"},
    ],
}
BEFORE = Standing((ramp(stage=0, share=0.0, sequence=1),))


async def looked(data: Path, answers: dict[str, Any]) -> Standing | None:
    """What a look at a gateway with these answers finds."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(answers[request.path], status=200 if answers[request.path] else 404)

    app = web.Application()
    app.router.add_get("/api/v1/{what}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, listening(data)).start()
    try:
        return await look(data)
    finally:
        await runner.cleanup()


def listening(data: Path) -> socket.socket:
    """The control socket of a data folder."""
    (data / SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.relpath(data / SOCKET))
    listener.listen()
    return listener


async def test_a_look_finds_ramps_and_overrides(tmp_path: Path) -> None:
    """As the gateway has them; that time has yet to pass is not worth a word."""
    override = {"route": "list", "text": "legacy by override"}
    answers = {"/api/v1/ramps": {"ramps": [DOCUMENT]}, "/api/v1/overrides": {"overrides": [override]}}
    assert await looked(tmp_path, answers) == Standing((CLIMB,), {"list": "legacy by override"})


async def test_a_deep_folder_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder may be deeper than a socket's name may be long."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert await looked(deep, {"/api/v1/ramps": {"ramps": []}, "/api/v1/overrides": {"overrides": []}}) == Standing()


async def test_a_gateway_that_does_not_tell_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody there, an error, silence, or nonsense: then what was known before holds."""

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.close()

    assert await look(tmp_path / "none") is None
    monkeypatch.chdir(tmp_path)
    listening(tmp_path).close()
    assert await look(tmp_path) is None
    assert await looked(tmp_path, {"/api/v1/ramps": {}}) is None
    assert await looked(tmp_path, {"/api/v1/ramps": "[]"}) is None
    monkeypatch.setattr(ramps, "PATIENCE", 0.1)
    async with await asyncio.start_unix_server(silent, sock=listening(tmp_path)):
        assert await look(tmp_path) is None
        await asyncio.sleep(0.3)


@pytest.mark.parametrize(
    ("stands", "sentence"),
    [
        (ramp(), "detail: 10 % on new, stage 1 of 4: the first stage begins"),
        (ramp(state="paused", why="night"), "detail: 10 % on new, stage 1 of 4, paused: night"),
        (ramp(state=FINISHED, stage=4, share=100.0), "detail: 100 % on new, finished: the first stage begins"),
        (ramp(state=ROLLED_BACK, share=0.0, why="parity"), "detail: rolled back: parity"),
    ],
)
def test_a_ramp_says_where_it_stands_and_why(stands: Ramp, sentence: str) -> None:
    """In a sentence, whatever it is doing."""
    assert sentence == told(stands)


def test_each_step_is_news_once() -> None:
    """A step is one while the sequence grows; a ramp that has not begun is none."""
    first = Standing((ramp(),))
    assert list(news(Standing(), BEFORE, 5.0)) == []
    assert list(news(BEFORE, first, 5.0)) == [Step(5.0, "detail", 10.0, told(ramp()))]
    assert list(news(first, Standing((ramp(agreed=99),)), 6.0)) == []


def test_overrides_are_news_when_they_come_change_and_go() -> None:
    """With what they do, by their route."""
    one, other = Standing(overrides={"r": "legacy by override"}), Standing(overrides={"r": "new by override"})
    found = [*news(Standing(), one, 1.0), *news(one, one, 2.0), *news(one, other, 3.0), *news(other, Standing(), 4.0)]
    assert found == [
        Note(1.0, "r: legacy by override"),
        Note(3.0, "r: new by override"),
        Note(4.0, "r: the override is over"),
    ]


def moves(*shares: float) -> list[set[str]]:
    """How often the clients of a ramp that takes these shares may change sides."""
    stands = [Standing((ramp(share=share),)) for share in shares]
    return [each for before, after in pairwise(stands) for each in turns(before, after)]


@given(st.lists(st.floats(0.1, 100.0), min_size=1, max_size=6).map(sorted))
def test_a_climb_moves_each_client_once(climb: list[float]) -> None:
    """However many stages it has."""
    assert moves(0.0, *climb) == [{"detail"}]


def test_going_back_moves_them_once_more() -> None:
    """To legacy, and once more when it begins anew; down to a lower stage, they may also climb again."""
    assert len(moves(0.0, 10.0, 0.0)) == 2
    assert len(moves(0.0, 10.0, 0.0, 10.0, 25.0)) == 3
    assert len(moves(0.0, 50.0, 25.0, 50.0)) == 3
    assert list(turns(Standing(), Standing((ramp(state=CLIMBING),)))) == [{"detail"}]


def test_an_override_moves_each_client_when_it_comes_and_goes() -> None:
    """Whatever it does."""
    one = Standing(overrides={"r": "legacy by override"})
    assert [*turns(Standing(), one), *turns(one, one), *turns(one, Standing())] == [{"r"}, {"r"}]
