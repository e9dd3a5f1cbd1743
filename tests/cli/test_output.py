"""Colour and drawn tables are for terminals; everything else gets plain text."""

import io
import sys

import pytest

from gateway.cli.output import coloured, counted, moment, painted, printable, say_table


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def terminal(patch: pytest.MonkeyPatch) -> Terminal:
    """A terminal in the place of standard output, for the rest of a test."""
    terminal = Terminal()
    patch.setattr(sys, "stdout", terminal)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        patch.delenv(name, raising=False)
    patch.setenv("TERM", "xterm")
    patch.setenv("COLUMNS", "80")
    return terminal


def test_a_terminal_has_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a word may be green."""
    terminal(monkeypatch)
    assert painted("fine", "green") == "\x1b[32mfine\x1b[0m"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_may_want_none(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """NO_COLOR and dumb terminals get plain text."""
    terminal(monkeypatch)
    monkeypatch.setenv(name, value)
    assert painted("fine", "green") == "fine"


def test_a_pipe_has_no_colour() -> None:
    """What another program reads is never coloured."""
    assert coloured(io.StringIO()) is False


def test_a_terminal_gets_a_drawn_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the table is drawn, and nothing in it is taken for markup."""
    drawn = terminal(monkeypatch)
    say_table(["route", "count"], [["[red]a[/red]", "1"], ["b", "20"]], right=["count"])
    text = drawn.getvalue()
    assert "[red]a[/red]" in text
    assert "─" in text


def test_a_table_that_is_too_wide_is_not_cut_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and paths stay whole: on a narrow terminal the table is plain text."""
    drawn = terminal(monkeypatch)
    say_table(["route", "match"], [["a" * 50, "b" * 50]])
    assert drawn.getvalue().splitlines()[1] == f"{'a' * 50}  {'b' * 50}"


def test_a_pipe_gets_an_aligned_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Anywhere else columns are aligned with spaces, numbers to the right."""
    say_table(["route", "count"], [["a", "1"], ["long-name", "20,000"]], right=["count"])
    assert capsys.readouterr().out == "route       count\na               1\nlong-name  20,000\n"


def test_numbers_and_nouns_agree() -> None:
    """One route, many routes."""
    assert [counted(number, "route") for number in (0, 1, 2_000)] == ["0 routes", "1 route", "2,000 routes"]


def test_a_moment_is_read_without_its_seconds() -> None:
    """Times stand in tables to the minute, and say that they are UTC."""
    assert moment("2026-11-22T09:00:59+00:00") == "2026-11-22 09:00 UTC"


def test_text_from_elsewhere_orders_a_terminal_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences, line ends and what turns the direction of writing are shown as text; letters stay letters."""
    assert printable("\x1b[2J\n\u202eé ü 表") == "\\x1b[2J\\n\\u202eé ü 表"
    say_table(("by", "why"), [("ann", "a\tb"), ("\x1b[31m", "c")])
    assert capsys.readouterr().out.splitlines() == ["by        why", "ann       a\\tb", "\\x1b[31m  c"]
