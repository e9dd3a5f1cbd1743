"""`banyan ramp`: where ramps stand, on what evidence, and what they wait for; and the words that move them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer

from gateway.cli.options import DATA, Data, Json, Reason, complete_moved, complete_ramps
from gateway.cli.ordering import give, in_path

Document = dict[str, Any]

COLUMNS = ("ramp", "state", "stage", "share", "judged", "parity", "waits for")
COLOURS = {"climbing": "green", "finished": "green", "rolled back": "red"}
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="The name of a journey, or of one of its routes.", autocompletion=complete_ramps
    ),
]


def ramp(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="One ramp: a journey, or a route of it.", autocompletion=complete_ramps),
    ] = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Tell where ramps stand, and what they wait for.

    All of them in a table; or one, with its evidence and everything that is missing for its next stage.
    """
    from gateway.cli.output import say, say_json, say_table
    from gateway.cli.remote import ask

    document = ask(data, "/api/v1/ramps" if name is None else f"/api/v1/ramps/{in_path(name)}")
    if as_json:
        say_json(document)
    elif name is not None:
        for line in _lines(document):
            say(line)
    elif document["ramps"]:
        say_table(COLUMNS, map(_cells, document["ramps"]), right=("stage", "share", "judged", "parity"))
    else:
        say("Nothing ramps. `serve: ramp` in routes.yaml lets a route climb by evidence.")


def _cells(each: Document) -> list[str]:
    from gateway.core.guards import percent

    parity, missing = each["evidence"]["parity"]["rate"], each["missing"]
    more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    return [
        each["ramp"],
        each["state"],
        f"{each['stage']}/{len(each['stages'])}",
        f"{each['share']:g} %",
        f"{each['evidence']['judged']:,}",
        "-" if parity is None else percent(parity),
        missing[0]["sentence"] + more if missing else "-",
    ]


# ------------------------------------------------------------------------------------------------ one of them


def _lines(each: Document) -> Iterator[str]:
    from gateway.cli.output import moment, painted, printable

    state = painted(each["state"], COLOURS.get(each["state"], "yellow"))
    since = f", since {moment(each['since'])}" if each["since"] else ""
    yield f"{each['ramp']}: {state}, {each['share']:g} % of reads on new{since}"
    for name, text in _facts(each):
        yield f"  {name:<9} {printable(text)}"


def _facts(each: Document) -> Iterator[tuple[str, str]]:
    yield "routes", ", ".join(each["routes"])
    yield "stages", ", ".join(_stages(each))
    if each["why"]:
        yield "last step", f"{each['why']} ({each['by'] or 'the gateway itself'})"
    if each["hours"]:
        yield "hours", ", ".join(_text(value) for value in each["hours"].values())
    yield from _evidence(each["evidence"])
    if each["next"]:
        yield "next", _next(each)
    for at, missing in enumerate(each["missing"]):
        yield "" if at else "missing", missing["sentence"]


def _stages(each: Document) -> Iterator[str]:
    for number, stage in enumerate(each["stages"], 1):
        approve = " by approval" if stage["approve"] and number not in each["approved"] else ""
        here = " <- here" if number == each["stage"] else ""
        yield f"{stage['share']:g} %{approve}{here}"


def _next(each: Document) -> str:
    from gateway.cli.output import moment

    following = each["next"]
    what = f"{following['share']:g} %" if following["stage"] else "finished"
    when = f"{moment(following['earliest'])} at the earliest" if following["earliest"] else "not within a week"
    return f"{what}, {when}"


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _evidence(evidence: Document) -> Iterator[tuple[str, str]]:
    from gateway.core.guards import duration, percent, signed

    verdicts = {name.replace("_", " "): count for name, count in evidence["verdicts"].items() if count}
    told = ", ".join(f"{count:,} {name}" for name, count in verdicts.items())
    yield "judged", f"{evidence['judged']:,}" + (f" ({told})" if told else "")
    parity, requests = evidence["parity"], evidence["requests"]
    if parity["of"]:
        needed = f"; {percent(parity['needed'])} needed" if parity["needed"] is not None else ""
        yield "parity", f"{parity['count']:,} of {parity['of']:,} answers with content agree: {_rate(parity)}{needed}"
        yield "requests", f"{requests['different']:,} different ones, {requests['wrong']:,} of them answered wrongly"
        shapes = (f"{count:,} x {shape}" for shape, count in evidence["shapes"].items())
        yield "agreed on", ", ".join(shapes) or "nothing yet"
    new, legacy, errors = evidence["new"], evidence["legacy"], evidence["errors"]
    if new["attempts"] or legacy["attempts"]:
        sides = f"new {new['errors']:,} of {new['attempts']:,}, legacy {legacy['errors']:,} of {legacy['attempts']:,}"
        allowed = f"; {signed(errors['allowed'])} allowed" if errors["allowed"] is not None else ""
        apart = f": {signed(errors['low'])} to {signed(errors['high'])} against legacy{allowed}"
        yield "errors", sides + (apart if new["attempts"] and legacy["attempts"] else "")
    latency = evidence["latency"]
    if latency["ratio"] is not None:
        high = f"{latency['high']:.2f}" if latency["high"] is not None else "more"
        allowed = f"; {latency['allowed']:g} allowed" if latency["allowed"] is not None else ""
        within = f"{latency['ratio']:.2f} times ({latency['low']:.2f} to {high}){allowed}"
        yield latency["percentile"], f"new {duration(new['latency'])}, legacy {duration(legacy['latency'])}: {within}"


def _rate(rate: Document) -> str:
    from gateway.core.guards import between, percent
    from gateway.core.statistics import Interval

    return f"{percent(rate['rate'])} ({between(Interval(rate['low'], rate['high']))})"


# ------------------------------------------------------------------------------------------------ the words


def _word(action: str, text: str, name_type: Any) -> Callable[..., None]:
    """The command for an action."""

    def command(name: name_type, reason: Reason, data: Data = DATA, as_json: Json = False) -> None:
        give(data, f"/api/v1/ramps/{in_path(name)}/{action}", {}, reason, as_json=as_json)

    command.__doc__ = text
    return command


_Moved = Annotated[
    str,
    typer.Argument(metavar="NAME", help="The name of a route, or of a journey.", autocompletion=complete_moved),
]
_TEXTS: Mapping[str, str] = {
    "pause": """Keep a ramp at its share until it is resumed.

    Its guards still watch: a broken one turns it back.""",
    "resume": """Let a ramp go on that was paused or rolled back.

    It goes on at the stage where it was, and its evidence counts anew.""",
    "approve": """Approve the next stage of a ramp (`approve_at`).

    It begins as soon as nothing else is missing.""",
    "promote": """Move a ramp to its next stage now, whatever its evidence says.

    From the last stage, that finishes it.""",
    "rollback": """Send all reads back to legacy, at once.

    They stay there until a person says otherwise. Of a route that does not ramp, this is an override to legacy without
    an end. The store need not be there.""",
    "restart": """Begin a ramp with its first stage again.""",
}
WORDS: Mapping[str, Callable[..., None]] = {
    action: _word(action, text, _Moved if action == "rollback" else Name) for action, text in _TEXTS.items()
}
"""The commands that move a ramp, by name."""
