"""`banyan capture` writes what passed, as the gateway masked it, for its owner alone."""

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan
from tests.support.recorded import passed


def passing(steering: FakeSteering, *targets: bytes, dropped: dict[str, int] | None = None) -> None:
    """Hand these over to whoever captures, once."""

    def ordered(message: tuple[Any, ...]) -> None:
        if message[0] == "capture" and len(steering.orders) == 1:
            taken = [passed(target) for target in targets]
            asyncio.get_running_loop().call_soon(steering.captures.captured, message[1], taken, dropped or {})

    steering.ordered = ordered


def urls(path: Path) -> list[str]:
    return [entry["request"]["url"] for entry in json.loads(path.read_text())["log"]["entries"]]


def test_what_passed_is_written(banyan: Banyan, steering: FakeSteering, folder: Path) -> None:
    """To a file named after the route, which only its owner may read."""
    passing(steering, b"/1", b"/2", b"/3")
    assert banyan("capture", "list", "--count", "2") == (0, "2 requests in list.har: there are enough.\n", "")
    assert urls(folder / "list.har") == ["http://api.example/1", "http://api.example/2"]
    assert stat.S_IMODE((folder / "list.har").stat().st_mode) == 0o600


def test_what_is_wanted_is_passed_on(banyan: Banyan, steering: FakeSteering, folder: Path) -> None:
    """How many, for how long, whether unsafe ones, too; and where to."""
    passing(steering, b"/1", dropped={"no_room": 3})
    ran = banyan("capture", "list", "--for", "100ms", "--all", "--bodies", "-o", "x.har")
    assert (ran.code, ran.out) == (0, "1 request in x.har: its time is up. Not captured: 3 (no_room).\n")
    assert steering.orders[0][2:] == ("list", 100, True)
    assert urls(folder / "x.har")[0] == "http://api.example/1"


def test_where_nothing_passed_no_file_is_left(banyan: Banyan, steering: FakeSteering, folder: Path) -> None:
    """And the exit code tells."""
    ran = banyan("capture", "list", "--for", "50ms")
    assert (ran.code, ran.err) == (1, "Nothing was captured of list: its time is up.\n")
    assert not (folder / "list.har").exists()


def test_no_file_is_written_over(banyan: Banyan, steering: FakeSteering, folder: Path) -> None:
    """Nor is anything captured then."""
    (folder / "list.har").write_text("mine")
    ran = banyan("capture", "list")
    assert (ran.code, ran.err) == (1, "list.har is there already. Name another file with -o, or remove it.\n")
    assert banyan("capture", "list", "-o", "none/list.har").err.startswith("none/list.har cannot be written: ")
    assert ((folder / "list.har").read_text(), steering.orders) == ("mine", [])


def test_what_came_before_an_error_is_kept(
    banyan: Banyan, steering: FakeSteering, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that ends in the middle takes nothing with it."""
    monkeypatch.setattr("gateway.rollouts.capturing.RENEWED", 0.05)
    passing(steering, b"/1")
    hand_over = steering.ordered

    def ordered(message: tuple[Any, ...]) -> None:
        hand_over(message)
        if message[0] == "capture" and len(steering.orders) == 3:
            raise RuntimeError("the gateway breaks")

    steering.ordered = ordered
    ran = banyan("capture", "list")
    assert (ran.code, "Its log may say why" in ran.err) == (1, True)
    assert urls(folder / "list.har") == ["http://api.example/1"]


def test_the_command_line_is_checked(banyan: Banyan, steering: FakeSteering, folder: Path) -> None:
    """A time that is none is a usage error; a route that is none is the gateway's to refuse."""
    ran = banyan("capture", "list", "--for", "soon")
    assert (ran.code, "'soon' is not a duration" in " ".join(ran.err.split())) == (2, True)
    assert banyan("capture", "lost").err == "There is no route 'lost' that serves. `banyan routes` lists them.\n"
    assert list(folder.glob("*.har")) == []


def test_ctrl_c_keeps_what_there_is(
    banyan: Banyan, steering: FakeSteering, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends the capture and not the command."""
    passing(steering, b"/1")
    shown: list[str] = []

    def interrupted(self: object, text: str) -> None:
        shown.append(text)
        if len(shown) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("gateway.cli.progress.Progress.show", interrupted)
    assert banyan("capture", "list") == (0, "1 request in list.har: it was ended here.\n", "")
    assert shown[-1] == "1 of 100 requests; Ctrl-C keeps what there is"
