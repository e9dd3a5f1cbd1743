"""`banyan override`: have a route serve something else than the file says, at once and for a while."""

from typing import Annotated, Any

import typer

from gateway.cli.options import DATA, Data, Json, MaybeReason, complete_routes
from gateway.cli.ordering import give, in_path, spoken

COLUMNS = ("route", "serve", "writes", "until", "file", "by", "reason")


def override(
    route: Annotated[
        str | None, typer.Argument(metavar="ROUTE", help="Its name.", autocompletion=complete_routes)
    ] = None,
    serve: Annotated[str | None, typer.Argument(metavar="legacy|new|N%", help="What shall serve it.")] = None,
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="For how long: 2h, 30m. Default: without an end.")
    ] = None,
    writes: Annotated[bool, typer.Option("--writes", help="The writes go there as well.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="End the override: the file holds again.")] = False,
    reason: MaybeReason = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Set a route's override, end it, or list all.

    An override moves the reads at once, on every replica. It ends with its time, when it is cleared, or when the file's
    `serve` changes.
    """
    if route is None:
        if lasting or writes or clear:
            raise typer.BadParameter("Name the route.", param_hint="ROUTE")
        _list(data, as_json=as_json)
        return
    path = f"/api/v1/overrides/{in_path(route)}"
    if clear:
        if serve or lasting or writes:
            raise typer.BadParameter("It ends the override; nothing else goes with it.", param_hint="--clear")
        give(data, f"{path}/clear", {}, reason, as_json=as_json)
        return
    if serve is None:
        raise typer.BadParameter("Say what shall serve: legacy, new or a share such as 25%.", param_hint="SERVE")
    spoken(reason)
    wanted = f"{serve} new" if serve.endswith("%") else serve
    give(data, path, {"serve": wanted, "for": _seconds(lasting), "writes": writes}, reason, as_json=as_json)


def _seconds(lasting: str | None) -> float | None:
    from gateway.config.problems import Unreadable
    from gateway.config.words import duration

    if lasting is None:
        return None
    try:
        return duration(lasting)
    except Unreadable as error:
        raise typer.BadParameter(str(error).replace("{written}", f"'{lasting}'"), param_hint="--for") from error


def _list(data: Any, *, as_json: bool) -> None:
    from gateway.cli.output import moment, say, say_json, say_table
    from gateway.cli.remote import ask

    document = ask(data, "/api/v1/overrides")
    if as_json:
        say_json(document)
        return
    if not document["overrides"]:
        say("There is no override: every route goes by the file, and by its ramp.")
        return
    cells = [
        [
            each["route"],
            each["serve"],
            each["writes"] or "-",
            moment(each["until"]) if each["until"] else "-",
            each["file"],
            each["by"],
            each["reason"],
        ]
        for each in document["overrides"]
    ]
    say_table(COLUMNS, cells)
