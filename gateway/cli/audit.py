"""`banyan audit`: what people did, and whether all of it is still there as it was written."""

from typing import Annotated, Any

import typer

from gateway.cli.options import DATA, Data, Json

COLUMNS = ("number", "at", "who", "from", "did", "about", "why", "outcome")

audit = typer.Typer(
    name="audit",
    help="What people did: list it, verify it.",
    rich_markup_mode=None,
    invoke_without_command=True,
    add_completion=False,
)


@audit.callback()
def listing(
    context: typer.Context,
    subject: Annotated[
        str | None, typer.Option("--about", metavar="NAME", help="Only about this route, ramp, write or token.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many, the latest first.")] = 50,
    before: Annotated[int | None, typer.Option(metavar="NUMBER", min=1, help="Earlier than this one.")] = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """List what people did, the latest first."""
    if context.invoked_subcommand is not None:
        return
    from urllib.parse import urlencode

    from gateway.cli.output import complain, say, say_json, say_table
    from gateway.cli.remote import ask

    given = {"limit": limit, "subject": subject, "before": before}
    query = urlencode({name: value for name, value in given.items() if value is not None})
    document = ask(data, f"/api/v1/audit?{query}")
    if as_json:
        say_json(document)
        return
    if document["store"]:
        complain(f"Only what the store has not been told yet: {document['store']}")
    if not document["acts"]:
        say("Nobody has done anything.")
        return
    say_table(COLUMNS, [_cells(each) for each in document["acts"]], right=("number",))


def _cells(act: dict[str, Any]) -> list[str]:
    from gateway.cli.output import moment

    number = "waits" if act["number"] is None else str(act["number"])
    where = act["address"] or act["via"]
    told = (act["who"], where, act["action"], act["subject"] or "-", act["reason"] or "-", act["outcome"])
    return [number, moment(act["at"]), *told]


@audit.command("verify")
def verify(data: Data = DATA, as_json: Json = False) -> None:
    """Prove that no record was altered, moved or removed: exit code 0 if so, otherwise 1.

    The chain is walked from its beginning, and has to hold the end that this gateway has seen last.
    """
    from gateway.cli.output import complain, counted, say, say_json
    from gateway.cli.remote import ask

    found = ask(data, "/api/v1/audit/verify")
    if as_json:
        say_json(found)
    elif found["whole"]:
        say(f"The audit is whole: {counted(found['records'], 'record')}, up to {found['digest'][:16]}.")
    else:
        complain(f"The audit is NOT whole. {found['problem']}")
    if not found["whole"]:
        raise typer.Exit(1)
