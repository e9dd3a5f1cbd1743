"""`banyan discover`: endpoints that only a catch-all route serves, as routes to paste into the file."""

from typing import Annotated, Any

import typer

from gateway.cli.options import DATA, Data, Json, complete_routes
from gateway.errors import CommandError


def discover(
    route: Annotated[
        str | None,
        typer.Argument(metavar="[ROUTE]", help="Only of this catch-all route.", autocompletion=complete_routes),
    ] = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Propose routes for what only catch-all routes serve, as YAML, most used first.

    They are learned from the traffic: ids, dates and the like become parameters. Each proposal keeps its endpoint where
    it is.
    """
    from gateway.cli.output import complain, say, say_json
    from gateway.cli.remote import ask

    document = ask(data, "/api/v1/discover")
    found: list[dict[str, Any]] = [each for each in document["routes"] if route in (None, each["route"])]
    if route is not None and not found:
        raise CommandError(f"{route} is no route that takes whatever comes (`/**`). `banyan routes` lists them.")
    if as_json:
        say_json({**document, "routes": found})
        return
    if document["store"]:
        complain(f"The store does not tell: {document['store']}")
    for each in found:
        say(f"# {each['route']}, {each['match']}: {len(each['endpoints']):,} endpoints are known.")
        say(each["yaml"] or "# Nothing to propose yet: what was asked for three times and answered is proposed.\n")
    if not found:
        say("# No route takes whatever comes (`/**`), so every endpoint has a route of its own.")
