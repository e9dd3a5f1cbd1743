"""`banyan diff`: the file against what is being served."""

from typing import Any, NamedTuple

import typer

from gateway.cli.options import CONFIG, DATA, Config, Data, Json

Document = dict[str, Any]


class Change(NamedTuple):
    """One setting that differs: of a route, a backend or the gateway; None where it is not there."""

    kind: str
    name: str
    field: str
    running: Any
    file: Any


def diff(config: Config = CONFIG, data: Data = DATA, as_json: Json = False) -> None:
    """Compare the file with what is being served.

    Route by route, against the table of the running gateway. The exit code is 0 when they say the same, and 1 when they
    differ. Values that may be secrets are not compared.
    """
    import os

    from gateway.admin.estate import estate_document
    from gateway.cli.output import counted, say, say_json
    from gateway.cli.remote import ask
    from gateway.config.check import load

    file = estate_document(load(config, os.environ).estate)
    running = ask(data, "/api/v1/estate")
    changes = differences(running, file)
    if as_json:
        say_json({"same": not changes, "changes": [change._asdict() for change in changes]})
    elif changes:
        for change in changes:
            _say(change)
        say(f"{counted(len(changes), 'difference')}: - is being served, + is in {config}.")
    elif running["digest"] == file["digest"]:
        say(f"The gateway serves {config} as it is.")
    else:
        say(f"The gateway serves what {config} says; only comments, layout, order or secrets differ.")
    raise typer.Exit(1 if changes else 0)


def differences(running: Document, file: Document) -> list[Change]:
    """What differs between two estates, as `estate_document` tells them: the gateway, backends, then routes."""
    changes = _between("gateway", "", running["gateway"], file["gateway"])
    for kind, key in (("backend", "backends"), ("route", "routes")):
        for name in dict.fromkeys([*file[key], *running[key]]):
            changes += _between(kind, name, running[key].get(name), file[key].get(name))
    return changes


def _between(kind: str, name: str, running: Document | None, file: Document | None) -> list[Change]:
    if running is None or file is None:
        return [Change(kind, name, "", running, file)]
    fields = dict.fromkeys([*file, *running])
    return [
        Change(kind, name, field, running.get(field), file.get(field))
        for field in fields
        if running.get(field) != file.get(field)
    ]


def _say(change: Change) -> None:
    from gateway.cli.output import painted, say
    from gateway.config.told import in_one_line

    title = f"{change.kind} {change.name}".rstrip()
    say(f"{title}: {change.field}" if change.field else title)
    for sign, colour, value in (("-", "red", change.running), ("+", "green", change.file)):
        if value is not None:
            say(painted(f"  {sign} {in_one_line(value)}", colour))
