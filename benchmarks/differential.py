"""The codec beside two others, over every operation of every WSDL of the corpus: `make differential`.

    python -m benchmarks.differential [--corpus FOLDER] [--only SUBSTRING] [--limit N] [--jobs 2]

Values generated from the schema take three legs: JSON to XML and back, unchanged; the XML judged by lxml with the
WSDL's own schema; the XML read by zeep, which must find the same values. An operation holds when all its values do.
What a leg cannot judge is excluded, counted and listed by its cause.
"""

import json
import logging
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from benchmarks.common import ROOT, CannotMeasure, parser, run
from benchmarks.legs import LEGS, Outcome, outcomes
from benchmarks.report import Finding, finish, say
from connectors.soap.documents import WsdlError

CORPUS = ROOT.parent / "shared" / "wsdl"
LEAST = 98.0
MOST_FAILURES = 20
PER_WORKER = 40
"""So many files, and a worker makes room for a new one: compiled schemas are large."""


class Tried(NamedTuple):
    """What became of one WSDL: what its operations did, or why they were not tried."""

    file: str
    outcomes: tuple[Outcome, ...] = ()
    unloaded: str | None = None
    broken: str | None = None


class TooLong(Exception):
    """A WSDL took more than its time."""


def tried(file: str, corpus: Path, seconds: int) -> Tried:
    """Try one WSDL, within its time. What goes wrong is told, whatever it is: it must not end the others."""
    logging.getLogger("zeep").disabled = True
    logging.disable()
    signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(seconds)
    source = corpus / "open"
    try:
        return Tried(file, tuple(outcomes(source / file, source / Path(file).parts[0])))
    except WsdlError as error:
        return Tried(file, unloaded=str(error))
    except TooLong:
        return Tried(file, broken=f"took more than {seconds} s")
    except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
        return Tried(file, broken=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
    finally:
        signal.alarm(0)


def interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise TooLong


def in_processes(files: Sequence[str], corpus: Path, jobs: int, seconds: int) -> Iterator[Tried]:
    """Every file tried, a few at a time."""
    work = partial(tried, corpus=corpus, seconds=seconds)
    for first in range(0, len(files), PER_WORKER * jobs):
        with ProcessPoolExecutor(jobs) as pool:
            yield from pool.map(work, files[first : first + PER_WORKER * jobs])
        say(f"{min(first + PER_WORKER * jobs, len(files))} of {len(files)} files")


def share(leg: str, found: Sequence[Outcome]) -> Finding:
    """How many of the operations that a leg can judge held on it."""
    own = [each for each in found if each.leg == leg]
    counted = [each for each in own if each.excluded is None]
    held = sum(each.failure is None for each in counted)
    note = f"{held:,} of {len(counted):,}; {len(own) - len(counted):,} excluded; {sum(e.values for e in own):,} values"
    return Finding(leg, 100 * held / len(counted) if counted else 0, "%", at_least=LEAST, note=note)


def exclusions(found: Sequence[Outcome]) -> Iterator[str]:
    """Why operations were excluded, the most frequent cause first."""
    for leg in LEGS:
        causes = Counter(cause_of(each.excluded) for each in found if each.leg == leg and each.excluded is not None)
        yield from (f"excluded from '{leg}': {count} operations: {cause}" for cause, count in causes.most_common())
        values: Counter[str] = Counter()
        for cause, count in (pair for each in found if each.leg == leg for pair in each.left_out):
            values[cause_of(cause)] += count
        yield from (f"left out of '{leg}': {count} values: {cause}" for cause, count in values.most_common())


def cause_of(text: str) -> str:
    """A cause without what is peculiar to one file."""
    return re.sub(r"'[^']*'|\{[^}]*\}|'[^']*$", "...", text)


def failures(results: Sequence[Tried]) -> Iterator[str]:
    """What failed: of those that are alike the first, and how many there are."""
    alike: dict[tuple[str, str], list[str]] = {}
    for each in results:
        for outcome in each.outcomes:
            if outcome.failure is not None:
                kind = re.sub(r"/\S+|[0-9]+", "...", cause_of(outcome.failure))
                shown = f"{each.file} {outcome.operation}: {outcome.failure[:300]}"
                alike.setdefault((outcome.leg, kind), []).append(shown)
    for (leg, _), own in sorted(alike.items(), key=lambda item: -len(item[1])):
        yield f"failed '{leg}': {len(own)} operations: {own[0]}"


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "differential")
    made.add_argument("--only", default="", help="only files whose names hold this")
    made.add_argument("--limit", type=int, help="no more files than these")
    made.add_argument("--jobs", type=int, default=2)
    made.add_argument("--seconds", type=int, default=60, help="for one file")
    made.add_argument("--corpus", type=Path, default=CORPUS, metavar="FOLDER", help="the corpus, with its INDEX.jsonl")
    options = made.parse_args(arguments)
    index = options.corpus / "INDEX.jsonl"
    if not index.exists():
        print(f"There is no corpus at {options.corpus}, so nothing was tried. Say where it is with --corpus FOLDER.")
        return 1 if os.environ.get("CI") == "true" else 0
    files = [file for line in index.read_text().splitlines() if options.only in (file := json.loads(line)["file"])]
    results = list(in_processes(files[: options.limit], options.corpus, options.jobs, options.seconds))
    found = [outcome for each in results for outcome in each.outcomes]
    if not found:
        raise CannotMeasure("no operation was tried; see --only and --limit")
    told = list(failures(results))
    print(*exclusions(found), *told[:MOST_FAILURES], sep="\n")
    print(f"... and {len(told) - MOST_FAILURES} more" if len(told) > MOST_FAILURES else "", end="")
    unloaded = sum(each.unloaded is not None for each in results)
    problems = [f"{each.file}: {each.broken}" for each in results if each.broken is not None]
    shares = [share(leg, found) for leg in LEGS]
    shares.append(Finding("WSDLs not loaded", unloaded, note=f"of {len(results)}; see `make corpus`"))
    return finish(
        "differential: the codec beside lxml and zeep", shares, problems, settings=vars(options), out=options.out
    )


if __name__ == "__main__":
    run(main)
