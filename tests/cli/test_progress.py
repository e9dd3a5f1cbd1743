"""The line that is written over while something goes on."""

import sys

import pytest

from gateway.cli.progress import Progress


def test_progress_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In the same place each time, no longer than the line, and gone at the end."""
    monkeypatch.setenv("COLUMNS", "11")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress()
    for text in ("one", "something long"):
        progress.show(text)
    progress.clear()
    assert capsys.readouterr() == ("", "\rone       \rsomething \r          \r")


def test_nothing_is_shown_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """A file does not get lines that are written over."""
    progress = Progress()
    progress.show("one")
    progress.clear()
    assert capsys.readouterr() == ("", "")
