"""`banyan outbox`: writes that are owed to somebody: list them, look at one, have it delivered again, or drop it."""

from typing import Annotated, Any

import typer

from gateway.cli.options import DATA, Data, Json, MaybeReason, complete_routes
from gateway.cli.ordering import give, in_path, spoken

COLUMNS = ("id", "state", "route", "key", "to", "tries", "since", "next try", "why")
OF_THEM = ("route", "kind", "state", "writes", "oldest")
Identifier = Annotated[str, typer.Argument(metavar="ID", help="Which write: see `banyan outbox`.")]

outbox = typer.Typer(
    name="outbox",
    help="Writes that are owed to somebody: list, show, retry, drop.",
    rich_markup_mode=None,
    invoke_without_command=True,
    add_completion=False,
)


@outbox.callback()
def listing(
    context: typer.Context,
    route: Annotated[
        str | None, typer.Option(metavar="ROUTE", help="Only of this route.", autocompletion=complete_routes)
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATE", help="Only in this state: ready, dead, unresolved ... Default: what is not done."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many, the oldest first.")] = 50,
    after: Annotated[int | None, typer.Option(metavar="NUMBER", min=1, help="Later than this (see --json).")] = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """List the writes that are owed to somebody, the oldest first.

    Those that are dead or unresolved need a person: later writes of their key wait for them.
    """
    if context.invoked_subcommand is not None:
        return
    from urllib.parse import urlencode

    from gateway.cli.output import moment, say, say_json, say_table
    from gateway.cli.remote import ask

    given = [("state", each) for each in state or ()] + [("limit", str(limit))]
    given += [(name, str(value)) for name, value in (("route", route), ("after", after)) if value is not None]
    document = ask(data, f"/api/v1/writes?{urlencode(given)}")
    if as_json:
        say_json(document)
        return
    if not document["writes"]:
        say("Nothing is owed to anybody." if not state else "There is no such write.")
        return
    say_table(COLUMNS, [_cells(each, moment) for each in document["writes"]], right=("tries",))
    say()
    rows = [[*(str(each[name]) for name in OF_THEM[:-1]), moment(each["oldest"])] for each in document["counts"]]
    say_table(OF_THEM, rows, right=("writes",))


def _cells(write: dict[str, Any], moment: Any) -> list[str]:
    due = moment(write["next_try"]) if write["state"] == "ready" else "-"
    told = [write["id"], write["state"], write["route"], write["key"] or "-", write["side"], str(write["tries"])]
    return [*told, moment(write["at"]), due, write["why"] or "-"]


@outbox.command("show")
def show(identifier: Identifier, data: Data = DATA, as_json: Json = False) -> None:
    """Show one write, with what it sends; fields that may be secrets are masked."""
    from gateway.cli.output import say, say_json
    from gateway.cli.remote import ask

    document = ask(data, f"/api/v1/writes/{in_path(identifier)}")
    if as_json:
        say_json(document)
        return
    request = document.pop("request", None)
    for name, value in document.items():
        say(f"{name}: {value}")
    if request is not None:
        say()
        say(f"{request['method']} {request['target']} ({request['bytes']} bytes)")
        for line in request["fields"]:
            say(f"  {line}")


@outbox.command("retry")
def retry(identifier: Identifier, reason: MaybeReason = None, data: Data = DATA, as_json: Json = False) -> None:
    """Have a write delivered (again): one that is dead, or one that is unresolved and was not made."""
    give(data, f"/api/v1/writes/{in_path(identifier)}/retry", {}, spoken(reason), as_json=as_json)


@outbox.command("made")
def made(identifier: Identifier, reason: MaybeReason = None, data: Data = DATA, as_json: Json = False) -> None:
    """Tell that the record has made a write that is unresolved: the other side gets it, if it shall."""
    give(data, f"/api/v1/writes/{in_path(identifier)}/made", {}, spoken(reason), as_json=as_json)


@outbox.command("drop")
def drop(identifier: Identifier, reason: MaybeReason = None, data: Data = DATA, as_json: Json = False) -> None:
    """Give a write up: nobody gets it, and later ones of its key go on."""
    give(data, f"/api/v1/writes/{in_path(identifier)}/drop", {}, spoken(reason), as_json=as_json)
