"""`banyan replay`: send recorded requests to both sides of a route, and tell where their answers differ."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from gateway.cli.options import DATA, Data, Json, MaybeReason, complete_routes
from gateway.cli.ordering import user
from gateway.errors import CommandError

Document = dict[str, Any]
LISTED = 20
_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)/s")
COLOURS = {"matched": "green", "mismatched": "red", "candidate_error": "red"}


def replay(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.har", help="Recorded requests: of `banyan capture`, or any HAR.")
    ],
    route: Annotated[
        str, typer.Option(metavar="ROUTE", help="The route they are sent on.", autocompletion=complete_routes)
    ],
    rate: Annotated[str, typer.Option(metavar="N/s", help="How many are sent a second, at most.")] = "20/s",
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="How many are sent at all.")] = None,
    reason: MaybeReason = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Send recorded requests to both sides of a route and compare the answers. No client is involved.

    Only safe requests that the route takes are sent, four at a time at most; what they show counts as evidence like a
    shadow's. The exit code is 0 when every answer matched, but for noise, and 1 otherwise.
    """
    from gateway.cli.output import complain, say, say_json

    query = {"route": route, "rate": _rate(rate), "limit": limit or 0, "by": user(), "reason": reason or ""}
    left_out, report = _follow(data, f"/api/v1/replay?{urlencode(query)}", _content(file))
    if as_json:
        say_json({"left_out": left_out, **report})
    else:
        for line in _lines(route, report, left_out):
            say(line)
        if not report["total"]:
            complain("Nothing was replayed.")
    raise typer.Exit(0 if report["clean"] else 1)


def _follow(data: Path, path: str, content: bytes) -> tuple[list[Document], Document]:
    """What was left out of the recording, and the last report; Ctrl-C ends the replay."""
    from gateway.cli.progress import Progress
    from gateway.cli.remote import told

    progress = Progress()
    left_out: list[Document] = []
    report: Document = {}
    try:
        for line in told(data, path, content):
            if "left_out" in line:
                left_out = line["left_out"]
            else:
                report = line
                progress.show(f"{report['sent']} of {report['total']} sent; {_counts(report['verdicts'])}")
    except KeyboardInterrupt:
        if not report:
            raise
    finally:
        progress.clear()
    return left_out, report


def _lines(route: str, report: Document, left_out: list[Document]) -> Iterator[str]:
    from gateway.cli.output import counted, painted

    for each in left_out[:LISTED]:
        yield f"entry {each['entry']} is left out: {each['why']}"
    if len(left_out) > LISTED:
        yield f"... and {len(left_out) - LISTED:,} more; --json lists all"
    whole = "" if report["sent"] == report["total"] else f" of {report['total']:,}"
    yield f"{route}: {counted(report['sent'], 'request')}{whole} replayed"
    for verdict, count in report["verdicts"].items():
        yield f"  {painted(_named(verdict), COLOURS.get(verdict, 'yellow'))}  {count:,}"
    for title, counts in (("answers", report["shapes"]), ("why not", report["reasons"])):
        if counts:
            yield f"  {title}: {', '.join(f'{count:,} × {_named(name)}' for name, count in counts.items())}"
    for each in report["fields"]:
        known = "wrong" if each["wrong"] else "wrong, or noise: too few answers to tell"
        yield f"  {each['field'] or '(all of it)'} ({each['kind']}): in {counted(each['answers'], 'answer')}, {known}"
    if report["fields"]:
        yield f"Examples, with values masked: banyan shadow {route}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {_named(name)}" for name, count in counts.items()) or "none judged yet"


def _named(word: str) -> str:
    return word.replace("_", " ")


def _rate(text: str) -> float:
    found = _RATE.fullmatch(text)
    if found is None or not float(found[1]):
        raise typer.BadParameter(f"{text!r} is not a rate; write 20/s or 0.5/s", param_hint="--rate")
    return float(found[1])


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
