"""A file that was cut off must never serve: every beginning of a routes.yaml through the loader, and some of them live.

A beginning is either refused with its problems, or valid and held, because it is the beginning of what serves already.
"""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from gateway.config.changes import reason_to_hold
from gateway.config.check import load
from gateway.errors import ConfigError


class Judged(NamedTuple):
    """What the loader made of each beginning; `wrong` are the lengths that would have been served, or broke it."""

    refused: int
    held: int
    wrong: tuple[str, ...]


def judge(path: Path, lengths: Iterable[int]) -> Judged:
    """Load beginnings of a file, each of so many bytes. The file on disk stays as it is."""
    whole = load(path, os.environ)
    text = path.read_bytes()
    verdicts: Counter[str] = Counter()
    wrong: list[str] = []
    for length in lengths:
        try:
            candidate = load(path, os.environ, {path: text[:length]})
        except ConfigError as error:
            verdicts["refused"] += 1
            if not error.problems:
                wrong.append(f"{length} bytes: refused without a reason")
        except Exception as error:  # noqa: BLE001 - whatever else is raised is what this looks for
            wrong.append(f"{length} bytes: {error!r}")
        else:
            verdicts["held"] += 1
            if reason_to_hold(whole, candidate) is None:
                wrong.append(f"{length} bytes: would be served")
    return Judged(verdicts["refused"], verdicts["held"], tuple(wrong))


def spread_over(size: int, count: int) -> list[int]:
    """As many lengths, all shorter than `size` and evenly apart, as there are, or `count`."""
    step = max(1, size // count)
    return list(range(0, size, step))[:count]
