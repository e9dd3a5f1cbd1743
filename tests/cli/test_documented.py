"""Every command has its place in the table of commands and pages, and the table names no other."""

import re
from pathlib import Path

from typer.main import get_command

from gateway.cli.app import app

OPERATE = Path(__file__).parents[2] / "docs" / "operate.md"


def test_commands_and_pages_are_held_against_each_other() -> None:
    """What can be commanded can be found on a page, or the table says why not."""
    section = OPERATE.read_text().partition("### Commands and pages")[2].partition("### ")[0]
    rows = re.findall(r"^\| (`[^|]*`) \| ([^|]+) \|", section, re.MULTILINE)
    named = [name for commands, place in rows for name in re.findall(r"`(\w+)`", commands) if place.strip()]
    assert sorted(named) == sorted(get_command(app).commands)  # type: ignore[attr-defined]
