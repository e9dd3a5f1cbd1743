"""Printing: colours and drawn tables on a terminal, plain aligned text anywhere else, JSON where it was asked for."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from typing import Any, TextIO

import typer


def coloured(stream: TextIO) -> bool:
    """Whether a stream is a terminal that wants colour (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Text in a colour, where there are colours."""
    return typer.style(text, fg=colour) if coloured(stream or sys.stdout) else text


def printable(text: str) -> str:
    """Text that comes from elsewhere, without what a terminal would take for an order."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def say(text: str = "") -> None:
    print(text)


def say_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def complain(text: str) -> None:
    """Say on standard error what went wrong."""
    print(painted(text, "red", sys.stderr), file=sys.stderr)


def complain_of(problems: Sequence[object]) -> None:
    """List what is wrong with a configuration."""
    for problem in problems:
        print(problem, file=sys.stderr)
    if len(problems) > 1:
        complain(f"{len(problems)} problems.")


def counted(number: int, noun: str) -> str:
    """`1 route`, `2 routes`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def moment(text: str) -> str:
    """A time as the gateway tells it (ISO 8601 in UTC), to be read: `2026-11-22 09:00 UTC`."""
    return f"{text[:16].replace('T', ' ')} UTC"


def say_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()) -> None:
    """A table; the columns named in `right` hold numbers. One that is too wide to be drawn is told plainly."""
    cells = [[printable(cell) for cell in row] for row in rows]
    numbers = {at for at, column in enumerate(columns) if column in set(right)}
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    if sys.stdout.isatty() and sum(widths) + 2 * len(widths) < get_terminal_size().columns:
        _draw(columns, cells, numbers)
        return
    for row in [list(columns), *cells]:
        padded = [
            cell.rjust(width) if at in numbers else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(padded).rstrip())


def _draw(columns: Sequence[str], cells: list[list[str]], numbers: set[int]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for at, column in enumerate(columns):
        table.add_column(column, justify="right" if at in numbers else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
