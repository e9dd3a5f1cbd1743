"""The journal of flips: who changed a word of the file on the command line, and why.

A file does not tell who wrote it. So each flip notes the digest of what comes of it, by which a gateway that takes the
file finds the flip again.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

from gateway.errors import CommandError

FLIPS = "flips.jsonl"
_TAIL = 65_536
"""Bytes from the journal's end that are looked at: some hundred flips."""


class Flipped(NamedTuple):
    """A flip as the journal tells it; `at` in ISO 8601."""

    at: str
    user: str
    route: str
    reason: str
    digest: str


@contextmanager
def journal(folder: Path) -> Iterator[TextIO]:
    """Where reasons are kept; opened before the file is changed, so that no flip goes unrecorded."""
    path = folder / FLIPS
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise CommandError(
            f"The reason cannot be recorded in {path}: {error.strerror}. Nothing was changed; choose another folder "
            "with --data."
        ) from error
    with open(descriptor, "a", encoding="utf-8") as file:
        yield file


def flips(folder: Path) -> list[Flipped]:
    """The latest ones, in their order. What cannot be read is left out: it holds up nobody."""
    try:
        with (folder / FLIPS).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL))
            lines = file.read().splitlines()
    except OSError:
        return []
    return [flip for line in lines if (flip := _flipped(line)) is not None]


def _flipped(line: bytes) -> Flipped | None:
    try:
        told = json.loads(line)
        found = Flipped(*(told[name] for name in Flipped._fields))
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return found if all(isinstance(each, str) for each in found) else None
