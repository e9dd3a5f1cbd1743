"""Files that routes.yaml names: where they are, and whether they can be read."""

import json
import os
from functools import lru_cache
from pathlib import Path

from gateway.config.problems import Problem
from gateway.config.wording import Entry
from gateway.config.yamlmarks import Pointer

LARGEST_HAR = 64 * 2**20


def absolute(name: str, entry: Entry) -> str:
    """A file name, seen from the folder of the file that it stands in. Links are kept: what they lead to may change."""
    return os.path.abspath(os.path.join(os.path.dirname(entry.document.file), name))


def readable(name: str | None, entry: Entry, keys: Pointer, problems: list[Problem]) -> str | None:
    """The absolute path of a file that can be read; None (and a problem) when it cannot."""
    if name is None:
        return None
    path = absolute(name, entry)
    try:
        with Path(path).open("rb") as file:
            file.read(1)
    except OSError as error:
        problems.append(entry.problem(keys, f"the file {{written}} cannot be read: {error.strerror}"))
        return None
    return path


def recorded(name: str, entry: Entry, keys: Pointer, problems: list[Problem]) -> str:
    """The absolute path of recorded requests, an HTTP archive; what is wrong with it is a problem."""
    path = absolute(name, entry)
    try:
        status = os.stat(path)
        wrong = _wrong_with(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        wrong = f"the file {{written}} cannot be read: {error.strerror}"
    if wrong:
        problems.append(entry.problem(keys, wrong))
    return path


@lru_cache(maxsize=256)
def _wrong_with(path: str, changed: int, size: int) -> str:
    """Why a file, as it was when it had changed at that time, is no HTTP archive; "" when it is one."""
    if size > LARGEST_HAR:
        return f"the file {{written}} is larger than {LARGEST_HAR // 2**20} MiB; record fewer requests"
    try:
        document = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError):  # brackets nested by the thousand are no archive either
        return "the file {written} is not JSON; `banyan capture` records one"
    log = document.get("log") if isinstance(document, dict) else None
    if not isinstance(log, dict) or not isinstance(log.get("entries"), list):
        return (
            "the file {written} is JSON, but no HTTP archive (HAR): it has no log.entries; `banyan capture` records one"
        )
    return ""
