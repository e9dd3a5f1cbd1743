"""What the demo shows."""

import io

import pytest
from rich.console import Console

from gateway.core.model import Estate, Serve
from gateway.demo import board
from gateway.demo.board import BAR, Scene
from gateway.demo.changes import Edit, Entry
from gateway.demo.ramps import FINISHED, ROLLED_BACK, Standing
from gateway.demo.tally import Figures, Seen, Tally
from tests.demo.support_estate import estate, route
from tests.demo.support_ramps import SENTENCE, ramp

BESIDE = Standing()
ESTATE = estate(route("repairs-list"), route("detail", Serve.SPLIT, 1000))


def scene(
    estate: Estate = ESTATE,
    *entries: Entry,
    strays: int = 0,
    seconds: float | None = None,
    standing: Standing = BESIDE,
    off: bool = False,
) -> Scene:
    """Two seconds after the start: one legacy answer on each route, and one by the new side on `detail`."""
    tally = Tally(100.0)
    for client, name, side in (("a", "repairs-list", "legacy"), ("a", "detail", "legacy"), ("b", "detail", "new")):
        tally.note(Seen(101.0, client, name, side, 0.012, off=off and side == "new"))
    places = ("127.0.0.1:8080", "routes.yaml", "banyan", "/tmp/data")
    return Scene(102.0, *places, seconds, estate, tally, strays, standing, entries)


def shown(scene: Scene, width: int = 120, height: int = 30) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False)
    with console.capture() as capture:
        console.print(board.board(scene, width, height))
    return capture.get()


def test_the_board_says_where_what_and_who() -> None:
    """Address, what to edit, each route with its serve and its live split, the totals, and the story."""
    text = shown(scene(ESTATE, Edit(101.0, "repairs-list", "legacy", "new", 0)))
    for part in (
        "invented",
        "http://127.0.0.1:8080",
        "export BANYAN_DATA=/tmp/data",
        "under `repairs-list` change `serve: legacy` to `serve: new`",
        "banyan flip repairs-list new --reason",
        "GET /detail",
        "10% new",
        "50% new",
        "12.0 ms",
        "3 right answers, 0 failed; every client stayed on its side.",
        "1 s  repairs-list: legacy -> new, not seen in the traffic yet",
    ):
        assert part in text


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 24), (200, 50)])
def test_the_board_fits_the_terminal(width: int, height: int) -> None:
    """No line is wider than the terminal, and a long story keeps to the lines that are left beside ramps and totals."""
    entries = [Edit(101.0, "repairs-list", "legacy", "new", 0)] * 50
    many = estate(route("repairs-list"), *(route(f"route-{number}") for number in range(10)))
    beside = Standing((ramp(), ramp(name="balances", state=ROLLED_BACK, share=0.0, why=SENTENCE)))
    lines = shown(scene(many, *entries, standing=beside), width, height).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= height


def test_the_hint_follows_the_file() -> None:
    """Once flipped, the way back is shown; without that route, any serve will do; a rehearsal says what it is."""
    assert "change `serve: new` to `serve: legacy`" in board.hint(scene(estate(route("repairs-list", Serve.NEW))))[0]
    assert board.hint(scene(estate())) == ["Edit routes.yaml: change a `serve:` and save."]
    assert "rehearsal of 20 s on a copy" in board.hint(scene(seconds=20.0))[0]


def test_a_ramp_that_climbs_is_a_line() -> None:
    """Which of its stages it has reached, its share, how many answers agree, and what the next stage waits for."""
    beside = Standing((ramp(stage=2, stages=4, share=25.0, agreed=199, compared=200, waits="200 of 400 answers"),))
    assert "detail: ▰▰▱▱ 25 %, 99.5 % agree; 200 of 400 answers" in shown(scene(standing=beside), 80)
    new = ramp(stage=0, stages=4, share=0.0, compared=0, agreed=0, state="not begun", waits="the store")
    assert board.climb(new) == "detail: ▱▱▱▱ 0 %, not begun; the store"
    done = ramp(stage=4, stages=4, share=100.0, agreed=3, compared=3, state=FINISHED)
    assert board.climb(done) == "detail: ▰▰▰▰ 100 %, finished, 100 % agree"


def test_what_was_rolled_back_says_why_to_the_last_word() -> None:
    """However narrow the terminal, the sentence is whole; overrides follow it."""
    beside = Standing((ramp(state=ROLLED_BACK, share=0.0, why=SENTENCE),), {"repairs-list": "new by override"})
    lines = [line.rstrip() for line in shown(scene(standing=beside), 80).splitlines()]
    first = next(at for at, line in enumerate(lines) if line.startswith("detail: rolled back"))
    assert " ".join(line.strip() for line in lines[first : first + 2]) == f"detail: rolled back: {SENTENCE}"
    assert lines[first + 2] == "repairs-list: new by override"


def test_balances_that_are_off_are_counted_apart() -> None:
    """A wrong penny is neither a right answer nor a failed request."""
    assert board.summary(scene(off=True)).startswith("2 right answers, 1 a penny off, 0 failed;")
    assert "detail        1 legacy, 1 new; 0 failed; 1 a penny off" in board.final(scene(off=True))


@pytest.mark.parametrize(
    ("sides", "word"),
    [
        ({}, "-"),
        ({"legacy": 9}, "legacy"),
        ({"legacy": 999, "new": 1}, "0% new"),
        ({"legacy": 1, "new": 3}, "75% new"),
        ({"new": 1, "retired": 5}, "retired"),
        ({"": 2}, "unknown"),
    ],
)
def test_a_bar_has_its_length_and_its_word(sides: dict[str, int], word: str) -> None:
    """However small a side is, its bar shows, and all bars are equally long."""
    bar = board.bar(Figures(sides, 1.0, 0, 0.0, 0.0), BAR).plain
    assert word == bar[BAR:].strip()
    assert bar[:BAR] == ("█" if sides else " ") * BAR


def test_a_plain_line_says_pace_failures_and_shares() -> None:
    """One line for a log, without colour."""
    assert board.plain(scene()) == "   2 s     2 requests/s, 0 failed; on new: repairs-list 0%, detail 50%"


def test_the_final_account_names_every_route() -> None:
    """Totals per side and route, strays included; also for a route that nobody asked for."""
    text = board.final(scene(estate(*ESTATE.routes, route("idle")), strays=2))
    assert "detail        1 legacy, 1 new; 0 failed" in text
    assert "idle          no answers; 0 failed" in text
    assert "2 changes of side without an edit" in text
