"""`banyan capture`: record what passes on a route, masked, as a HAR that `banyan replay` sends again."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any
from urllib.parse import urlencode

import typer

from gateway.cli.options import DATA, Data, MaybeReason, complete_routes
from gateway.cli.ordering import user
from gateway.errors import CommandError

ENDS = {
    "": "it was ended here",
    "enough": "there are enough",
    "time": "its time is up",
    "route_gone": "the route does not serve any more",
}
Document = dict[str, Any]


class Captured:
    """What was captured so far."""

    def __init__(self) -> None:
        self.har: Document = {}
        self.dropped: dict[str, int] = {}
        self.ended = ""

    @property
    def entries(self) -> list[Document]:
        return list(self.har["log"]["entries"]) if self.har else []

    def add(self, line: Document) -> None:
        """Take what the gateway tells."""
        if self.har:
            self.har["log"]["entries"] += line["har"]["log"]["entries"]
        else:
            self.har = line["har"]
        self.dropped, self.ended = line["dropped"], line["ended"]


def capture(
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="Its name.", autocompletion=complete_routes)],
    count: Annotated[int, typer.Option(metavar="N", min=1, help="How many requests at most.")] = 100,
    duration: Annotated[str, typer.Option("--for", metavar="TIME", help="How long at most: 10m.")] = "10m",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to. Default: ROUTE.har.")
    ] = None,
    bodies: Annotated[bool, typer.Option("--bodies", help="Keep the bodies of requests, masked.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Unsafe requests, too; they are never replayed.")] = False,
    reason: MaybeReason = None,
    data: Data = DATA,
) -> None:
    """Record what passes on a route from now on, as a HAR.

    Credentials are left out, and what looks like personal data is masked before it leaves the gateway, which keeps
    nothing of it. Bodies of answers are not recorded. Ctrl-C ends it and keeps what there is.
    """
    from gateway.cli.output import counted, say

    seconds = _seconds(duration)
    captured = Captured()
    path = output or Path(f"{route.replace('/', '-')}.har")
    with _private(path) as file:
        query = {"route": route, "most": count, "seconds": seconds, "every": int(every), "bodies": int(bodies)}
        query |= {"by": user(), "reason": reason or ""}
        try:
            _follow(captured, data, f"/api/v1/capture?{urlencode(query)}", count)
        finally:
            if captured.entries:
                json.dump(captured.har, file, ensure_ascii=False, indent=1)
    if not captured.entries:
        raise CommandError(f"Nothing was captured of {route}: {ENDS[captured.ended]}.{_lost(captured)}")
    say(f"{counted(len(captured.entries), 'request')} in {path}: {ENDS[captured.ended]}.{_lost(captured)}")


def _follow(captured: Captured, data: Path, path: str, count: int) -> None:
    from gateway.cli.progress import Progress
    from gateway.cli.remote import told

    progress = Progress()
    try:
        for line in told(data, path):
            captured.add(line)
            progress.show(f"{len(captured.entries)} of {count} requests; Ctrl-C keeps what there is")
    except KeyboardInterrupt:
        return
    finally:
        progress.clear()


def _seconds(text: str) -> float:
    from gateway.config.problems import Unreadable
    from gateway.config.words import duration

    try:
        return duration(text)
    except Unreadable as error:
        raise typer.BadParameter(str(error).format(written=repr(text)), param_hint="--for") from error


def _lost(captured: Captured) -> str:
    lost = ", ".join(f"{count} ({reason})" for reason, count in sorted(captured.dropped.items()))
    return f" Not captured: {lost}." if lost else ""


@contextmanager
def _private(path: Path) -> Iterator[IO[str]]:
    """A new file that only its owner may read; one that stays empty is taken away again. Raises CommandError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise CommandError(f"{path} is there already. Name another file with -o, or remove it.") from error
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}. Name another file with -o.") from error
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            yield file
    finally:
        if not path.stat().st_size:
            path.unlink()
