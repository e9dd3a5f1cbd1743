"""Loads every WSDL of a corpus, and says of each that does not load why not, in one plain sentence.

    python -m benchmarks.corpus --corpus FOLDER [--only TEXT] [--limit N]

FOLDER has an INDEX.jsonl (a line of JSON per WSDL, `file` being its path below `open/`); a WSDL may read what lies in
its project's folder. Two processes load, each file in a bounded time. While one loads, any use of a socket raises, and
a file opened outside its root (the catalogue and Python's own aside) counts against it. Where there is no corpus, this
says so, and fails only in CI.
"""

import asyncio
import json
import os
import resource
import sys
import time
import warnings
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.common import parser, run

WORKERS = 2
LONGEST = 60.0
LONGEST_LINE = 4 * 1024 * 1024
REQUIRED = 600
SLOWEST = 10


class Outcome(NamedTuple):
    """What came of one WSDL: the reason when it did not load, and what it did that it must not."""

    file: str
    seconds: float
    reason: str | None = None
    operations: int = 0
    warnings: int = 0
    forbidden: tuple[str, ...] = ()


class Guard:
    """Hears of every file opened and every socket used, through Python's audit hooks, while a WSDL loads."""

    def __init__(self) -> None:
        here = Path(__file__).resolve().parent.parent
        installed = {Path(each).resolve() for each in (sys.prefix, sys.base_prefix)}
        self._always = (*installed, here / "connectors", here / "gateway")
        self._root: Path | None = None
        self._found: list[str] = []
        sys.addaudithook(self._hear)

    def watch(self, root: Path) -> None:
        """Watches from now on; only files below `root` may be opened."""
        self._root, self._found = root.resolve(), []

    def done(self) -> tuple[str, ...]:
        """Watches no longer; what was done that must not be."""
        self._root = None
        return tuple(self._found)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._root is None:
            return
        if event.startswith("socket."):
            self._found.append(f"used a socket ({event})")
            raise PermissionError("no sockets while a WSDL loads")
        if event == "open" and isinstance(arguments[0], str | bytes):
            path = Path(os.fsdecode(arguments[0])).resolve()
            if not any(path.is_relative_to(allowed) for allowed in (self._root, *self._always)):
                self._found.append(f"opened {path.name} outside its root")


def loaded(file: str, path: Path, root: Path, guard: Guard) -> Outcome:
    """Loads one WSDL."""
    from connectors.soap.bound import NOWHERE
    from connectors.soap.wsdl import WsdlError, load

    started = time.perf_counter()
    reason, operations, warned = None, 0, 0
    guard.watch(root)
    try:
        wsdl = load(path, root)
    except WsdlError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001  (whatever else comes is what this looks for)
        reason = f"not a WsdlError but {error!r}"
    else:
        operations, warned = len(wsdl.bound), len(wsdl.warnings)
        reason = next((each for each in wsdl.left_out if NOWHERE not in each), None)
    return Outcome(file, time.perf_counter() - started, reason, operations, warned, guard.done())


def work(folder: Path) -> int:
    """A worker: reads names of files, a line each, and writes what came of them."""
    import connectors.soap.wsdl  # before the guard listens: importing reads files

    assert connectors.soap.wsdl is not None
    warnings.simplefilter("ignore")
    guard = Guard()
    for line in sys.stdin:
        file = line.strip()
        outcome = loaded(file, folder / "open" / file, folder / "open" / file.split("/")[0], guard)
        print(json.dumps(outcome), flush=True)
    return 0


async def worker(folder: Path) -> Process:
    """Starts a worker."""
    command = ["-m", "benchmarks.corpus", "--corpus", str(folder), "--work"]
    return await asyncio.create_subprocess_exec(sys.executable, *command, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE)


async def ask(process: Process, file: str) -> Outcome | None:
    """What a worker makes of a file; None when it did not survive it, or did not finish in time."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(file.encode() + b"\n")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), LONGEST)
    except TimeoutError:
        return None
    if not line:
        return None
    outcome = Outcome(*json.loads(line))
    return outcome._replace(forbidden=tuple(outcome.forbidden))


async def one_after_another(folder: Path, files: list[str], outcomes: list[Outcome]) -> None:
    """One worker's life: takes the next file until none is left; is replaced when it hangs or dies."""
    process = await worker(folder)
    try:
        while files:
            file = files.pop(0)
            started = time.perf_counter()
            outcome = await ask(process, file)
            if outcome is None:
                seconds = time.perf_counter() - started
                outcome = Outcome(file, seconds, f"did not come to an end ({seconds:.0f} s)")
                await stop(process)
                process = await worker(folder)
            outcomes.append(outcome)
    finally:
        await stop(process)


async def stop(process: Process) -> None:
    """Ends a worker, at once if need be."""
    if process.returncode is None:
        process.kill()
    await process.wait()


async def all_of(folder: Path, files: Sequence[str]) -> list[Outcome]:
    """Loads all files, with a few workers."""
    waiting, outcomes = list(files), list[Outcome]()
    async with asyncio.TaskGroup() as group:
        for _ in range(min(WORKERS, len(waiting))):
            group.create_task(one_after_another(folder, waiting, outcomes))
    return sorted(outcomes)


def told(outcomes: Sequence[Outcome], seconds: float) -> str:
    """The whole result, as text."""
    good = [each for each in outcomes if each.reason is None]
    lines = [f"{each.file}\n    {each.reason}" for each in outcomes if each.reason is not None]
    lines += [f"{each.file}\n    FORBIDDEN: it {what}" for each in outcomes for what in each.forbidden]
    lines += ["", "the slowest:"]
    slowest = sorted(outcomes, key=lambda each: -each.seconds)[:SLOWEST]
    lines += [f"{each.seconds:8.2f} s  {each.file}" for each in slowest]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    operations, warned = sum(each.operations for each in good), sum(each.warnings > 0 for each in good)
    lines += [
        "",
        f"loaded {len(good)} of {len(outcomes)} (zeep alone 501 of 684, with a catalogue 579; required {REQUIRED}),",
        f"{operations} operations; {warned} files with warnings;",
        f"{sum(len(each.forbidden) for each in outcomes)} sockets or files used that must not be,",
        f"{seconds:.0f} s in all, {WORKERS} workers, the larger {peak:.0f} MB",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "corpus")
    made.add_argument("--corpus", type=Path, required=True, metavar="FOLDER", help="the corpus, with its INDEX.jsonl")
    made.add_argument("--only", default="", metavar="TEXT", help="only files whose name contains this")
    made.add_argument("--limit", type=int, default=None, metavar="N", help="only the first N of them")
    made.add_argument("--work", action="store_true", help="be a worker (this starts them by itself)")
    options = made.parse_args(arguments)
    if options.work:
        return work(options.corpus)
    index = options.corpus / "INDEX.jsonl"
    if not index.exists():
        print(f"There is no corpus at {options.corpus}, so no WSDL was loaded. Say where it is with --corpus FOLDER.")
        return 1 if os.environ.get("CI") == "true" else 0
    names = [json.loads(line)["file"] for line in index.read_text(encoding="utf-8").splitlines()]
    files = [name for name in names if options.only in name][: options.limit]
    started = time.perf_counter()
    outcomes = asyncio.run(all_of(options.corpus, files))
    text = told(outcomes, time.perf_counter() - started)
    print(text)
    if options.out:
        options.out.write_text(json.dumps([each._asdict() for each in outcomes], indent=1) + "\n", encoding="utf-8")
    forbidden = any(each.forbidden for each in outcomes)
    enough = len(files) < len(names) or sum(each.reason is None for each in outcomes) >= REQUIRED
    return 0 if enough and not forbidden else 1


if __name__ == "__main__":
    run(main)
