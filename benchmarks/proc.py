"""What the kernel says about processes: who belongs to whom, the CPU they used, the memory they hold (Linux only).

CPU is user and system time, which the kernel counts exactly and shows in steps of 10 ms.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_CORES = sorted(os.sched_getaffinity(0))
PROXY_CORE = _CORES[0]
LOAD_CORE = _CORES[1] if len(_CORES) > 1 else _CORES[0]
"""What is measured runs on one core, and everything that loads it on another, if there are two."""


def process_tree(root: int) -> list[int]:
    """A process and everything below it."""
    children: dict[int, list[int]] = {}
    for pid in processes():
        with suppress(OSError):
            children.setdefault(int(_stat(pid)[1]), []).append(pid)
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def command_line(pid: int) -> list[str]:
    """The words a process was started with; none when it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    return []


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of the processes that live."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            fields = _stat(pid)
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def resident_kib(pids: Iterable[int]) -> int:
    """Resident memory, KiB; pages that two processes share count twice."""
    return sum(_status_kib(pid, "VmRSS") for pid in pids)


def _status_kib(pid: int, name: str) -> int:
    with suppress(OSError):
        found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) if found else 0
    return 0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may hold anything: the state comes first."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


# ------------------------------------------------------------------------------------------------ cores


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """What is started meanwhile stays on one core; None leaves it free."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def pin(pid: int, core: int) -> None:
    """Keep every thread of a running process on one core."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread), {core})
