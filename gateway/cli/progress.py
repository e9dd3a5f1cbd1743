"""A line on the terminal that is written over while something goes on; nothing where nobody looks."""

import sys
from shutil import get_terminal_size


class Progress:
    """The line. It stands on standard error, so that results can be piped on."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Write it anew."""
        if self._watched:
            width = get_terminal_size().columns - 1
            print(f"\r{text[:width]:<{width}}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take it away."""
        if self._watched:
            print(f"\r{' ' * (get_terminal_size().columns - 1)}\r", end="", file=sys.stderr, flush=True)
