"""`banyan replay` tells what was replayed, what was not and why, and where the answers differ."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from gateway.rollouts.judging import Judged
from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan
from tests.support.recorded import har, judged


@pytest.fixture
def recorded(folder: Path) -> str:
    """Two requests that the route takes, and one that it does not."""
    (folder / "list.har").write_text(json.dumps(har("/repairs", "/elsewhere", "/repairs?page=2")))
    return "list.har"


def verdicts(steering: FakeSteering, found: Iterable[Judged]) -> None:
    """What the replayed requests are worth, one after another."""
    left = iter(found)

    def ordered(message: tuple[Any, ...]) -> None:
        if message[0] == "replay":
            loop = asyncio.get_running_loop()
            loop.call_later(0.01, lambda: steering.replays.judged([judged()._replace(**_worth(next(left)))]))

    steering.ordered = ordered


def _worth(found: Judged) -> dict[str, Any]:
    return {"route": "list", "verdict": found.verdict, "fields": found.fields, "reason": found.reason}


def test_a_replay_that_matches(banyan: Banyan, steering: FakeSteering, recorded: str) -> None:
    """Exit code 0; what was left out is listed with its number in the file."""
    verdicts(steering, [judged(), judged()])
    ran = banyan("replay", recorded, "--route", "list")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "entry 2 is left out: the route everything takes it",
        "list: 2 requests replayed",
        "  matched  2",
        "  answers: 2 × 200 many",
    ]


def test_a_replay_that_differs(banyan: Banyan, steering: FakeSteering, recorded: str) -> None:
    """Exit code 1, and the fields that differed."""
    fields = frozenset({(("balance",), "value")})
    verdicts(steering, [judged("mismatched", fields=fields), judged("skipped", reason="replay_late")])
    ran = banyan("replay", recorded, "--route", "list", "--rate", "100/s")
    assert (ran.code, ran.out.splitlines()[1:]) == (
        1,
        [
            "list: 2 requests replayed",
            "  mismatched  1",
            "  skipped  1",
            "  answers: 2 × 200 many",
            "  why not: 1 × replay late",
            "  /balance (value): in 1 answer, wrong, or noise: too few answers to tell",
            "Examples, with values masked: banyan shadow list",
        ],
    )


def test_a_replay_for_machines(banyan: Banyan, steering: FakeSteering, recorded: str) -> None:
    """The last report, and what was left out."""
    verdicts(steering, [judged()])
    ran = banyan("replay", recorded, "--route", "list", "--limit", "1", "--json")
    report = json.loads(ran.out)
    assert (ran.code, report["sent"], report["verdicts"], report["clean"]) == (0, 1, {"matched": 1}, True)
    assert report["left_out"] == [{"entry": 2, "why": "the route everything takes it"}]


def test_much_that_is_left_out_is_cut_short(banyan: Banyan, steering: FakeSteering, folder: Path) -> None:
    """And a replay of nothing is not a good one."""
    (folder / "x.har").write_text(json.dumps(har(*["/elsewhere"] * 25)))
    ran = banyan("replay", "x.har", "--route", "list")
    assert (ran.code, ran.err) == (1, "Nothing was replayed.\n")
    assert ran.out.splitlines()[19:] == [
        "entry 20 is left out: the route everything takes it",
        "... and 5 more; --json lists all",
        "list: 0 requests replayed",
    ]


def test_the_command_line_is_checked(banyan: Banyan, steering: FakeSteering, recorded: str) -> None:
    """A rate that is none is a usage error; a file that cannot be read, or a wrong route, is told."""
    for rate in ("20", "0/s", "fast"):
        assert banyan("replay", recorded, "--route", "list", "--rate", rate).code == 2
    ran = banyan("replay", "lost.har", "--route", "list")
    assert (ran.code, ran.err) == (1, "lost.har cannot be read: No such file or directory.\n")
    assert (
        banyan("replay", recorded, "--route", "lost").err == "There is no route 'lost'. `banyan routes` lists them.\n"
    )
    assert steering.orders == []


def test_a_replay_that_fails_says_so(banyan: Banyan, steering: FakeSteering, recorded: str) -> None:
    """Also in the middle."""
    steering.serving = False
    ran = banyan("replay", recorded, "--route", "list")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "Nothing can be asked: see `banyan status`.\n"


def test_ctrl_c_ends_a_replay(
    banyan: Banyan, steering: FakeSteering, recorded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has been found by then is told; it is not the whole, so the exit code is 1."""

    def interrupted(self: object, text: str) -> None:
        assert text == "1 of 2 sent; none judged yet"
        raise KeyboardInterrupt

    monkeypatch.setattr("gateway.cli.progress.Progress.show", interrupted)
    ran = banyan("replay", recorded, "--route", "list", "--rate", "1/s")
    assert (ran.code, ran.out.splitlines()[1:]) == (1, ["list: 1 request of 2 replayed"])
    monkeypatch.setattr("gateway.cli.remote.told", _interrupted)
    assert banyan("replay", recorded, "--route", "list").out == ""


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt
