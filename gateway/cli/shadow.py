"""`banyan shadow`: what comparing a route's answers has shown, and the rules that would let the noise pass."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from gateway.cli.options import DATA, Data, Json, complete_routes
from gateway.cli.ordering import in_path

Document = dict[str, Any]

COLOURS = {"wrong": "red", "unsure": "yellow", "noise": "green"}
MEANINGS = {
    "wrong": "differs more often than from itself",
    "unsure": "too few answers to tell it from noise",
    "noise": "differs from itself, too",
}
LENGTHS = {"string": "characters", "number": "characters", "array": "items", "object": "members"}
MOST_FIELDS = 20
INDENT = "    "
"""As deep as a route's keys stand in routes.yaml."""


def shadow(
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="Its name.", autocompletion=complete_routes)],
    hours: Annotated[int, typer.Option(metavar="N", min=1, max=9600, help="How far to look back.")] = 24,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Print the `compare:` that would let the noise pass, to paste.")
    ] = False,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Tell how the answers of a route's two sides compare.

    Verdicts, the fields that differ with the worst first, and examples side by side: legacy | new. Values are shown
    only at the places that the route lists under `compare: show`.
    """
    from gateway.cli.output import complain, say, say_json
    from gateway.cli.remote import ask

    document = ask(data, f"/api/v1/shadow/{in_path(route)}?hours={hours}")
    if as_json:
        say_json(document)
        return
    if document["store"]:
        complain(f"Only what the store has not been told yet: {document['store']}")
    for line in _suggested(document) if suggest else _lines(document):
        say(line)


# ------------------------------------------------------------------------------------------------ what was seen


def _lines(document: Document) -> Iterator[str]:
    from gateway.cli.output import counted, moment, printable

    verdicts = {name.replace("_", " "): count for name, count in document["verdicts"].items() if count}
    yield f"{document['route']}, since {moment(document['since'])}"
    if not document["shadow"]:
        yield "  It has no `shadow`, so nothing is copied and compared. Add to the route: shadow: 10%"
    yield "  verdicts   " + (", ".join(f"{count:,} {name}" for name, count in verdicts.items()) or "none")
    if document["agreement"]["of"]:
        yield f"  agreement  {_rate(document['agreement'])}"
    for each in document["reasons"]:
        yield f"  {each['verdict'].replace('_', ' ')}: {each['count']:,}, {printable(each['reason'])}"
    fields = document["fields"]
    for each in fields[:MOST_FIELDS]:
        yield ""
        yield from _field(each)
    if len(fields) > MOST_FIELDS:
        yield ""
        yield f"{counted(len(fields) - MOST_FIELDS, 'field')} more: banyan shadow {document['route']} --json"


def _field(field: Document) -> Iterator[str]:
    from gateway.cli.output import moment, painted, printable

    state = field["state"]
    yield f"{painted(_named(field), COLOURS[state])}: {state}, {MEANINGS[state]}"
    yield f"  {_rate(field['differs'])}, {moment(field['first_seen'])} to {moment(field['last_seen'])}"
    examples = [
        (printable(each["at"]) or "(all of it)", _kept(each["legacy"]), _kept(each["new"]))
        for each in field["examples"]
    ]
    places, olds = (max((len(each[column]) for each in examples), default=0) for column in (0, 1))
    for at, old, new in examples:
        legacy = painted(f"{old:<{olds}}", "cyan")
        yield f"  {at:<{places}}  {legacy}  |  {painted(new, 'magenta')}"


def _named(field: Document) -> str:
    from gateway.cli.output import printable

    return f"{printable(field['pointer']) or '(all of it, or fields beyond the first 500)'} ({field['kind']})"


def _rate(rate: Document) -> str:
    from gateway.core.guards import between, percent
    from gateway.core.statistics import Interval

    interval = between(Interval(rate["low"], rate["high"]))
    return f"{rate['count']:,} of {rate['of']:,} answers, {percent(rate['rate'])} ({interval})"


def _kept(kept: Document) -> str:
    """A value, or what was kept in its place."""
    import json

    if kept["value"] is not None:
        return json.dumps(kept["value"], ensure_ascii=False) if kept["type"] == "string" else str(kept["value"])
    length = f", {kept['length']} {LENGTHS[kept['type']]}" if kept["type"] in LENGTHS else ""
    hashed = f", #{kept['hash'][:8]}" if kept["hash"] else ""
    return f"{kept['type']}{length}{hashed}"


# ------------------------------------------------------------------------------------------------ what would pass


def _suggested(document: Document) -> Iterator[str]:
    """YAML, with what else is to be said in comments, so that it can be pasted as it is."""
    import yaml

    by_state = {state: [_named(each) for each in document["fields"] if each["state"] == state] for state in COLOURS}
    if document["suggestion"]:
        yield f"{INDENT}# differs from itself, too: {', '.join(by_state['noise'])}"
    else:
        yield f"{INDENT}# nothing that differs in {document['route']} is known to be noise"
    for state in ("wrong", "unsure"):
        if by_state[state]:
            yield f"{INDENT}# stays, {MEANINGS[state]}: {', '.join(by_state[state])}"
    if document["suggestion"]:
        text = yaml.safe_dump(
            {"compare": document["suggestion"]},
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=None,
            width=10_000,
        )
        yield from (INDENT + line for line in text.splitlines())
