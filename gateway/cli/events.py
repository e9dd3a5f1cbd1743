"""`banyan events`: what happened to ramps and overrides, when, by whom and why."""

from typing import Annotated, Any

import typer

from gateway.cli.options import DATA, Data, Json, complete_ramps, complete_routes

COLUMNS = ("at", "event", "about", "by", "why")


def events(
    route: Annotated[
        str | None,
        typer.Option(metavar="ROUTE", help="Only of this route, and of its ramp.", autocompletion=complete_routes),
    ] = None,
    journey: Annotated[
        str | None, typer.Option(metavar="JOURNEY", help="Only of this ramp.", autocompletion=complete_ramps)
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many, the latest first.")] = 50,
    before: Annotated[str | None, typer.Option(metavar="ID", help="Older than this event (see --json).")] = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Tell what happened to ramps, overrides and the store.

    The latest comes first.
    """
    from urllib.parse import urlencode

    from gateway.cli.output import complain, moment, say, say_json, say_table
    from gateway.cli.remote import ask

    asked = {"limit": limit, "route": route, "journey": journey, "before": before}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    document = ask(data, f"/api/v1/events?{query}")
    if as_json:
        say_json(document)
        return
    if document["store"]:
        complain(f"Only what the store has not been told yet: {document['store']}")
    found = document["events"]
    if found:
        say_table(COLUMNS, [[moment(each["at"]), *_cells(each)] for each in found])
    else:
        say("Nothing has happened.")


def _cells(event: dict[str, Any]) -> list[str]:
    about = event["route"] or event["journey"] or "-"
    return [event["type"], about, event["by"] or "-", event["why"] or "-"]
