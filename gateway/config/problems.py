"""What is wrong with a configuration, and where.

Everything that reads a part of routes.yaml notes its problems in one list and goes on, so that a person sees all of
them at once.
"""

from typing import NamedTuple

from gateway.core.model import Place


class Problem(NamedTuple):
    """One thing wrong, in a sentence that says what to do; `place` None where there is no line to point at."""

    place: Place | None
    message: str

    def __str__(self) -> str:
        return self.message if self.place is None else f"{self.place}: {self.message}"


class Unreadable(ValueError):
    """A value cannot be read. The reason never quotes the value itself, which may be a secret from the environment:
    `{written}` stands for it as the file has it."""
