"""`banyan call`: try the operation behind a route, and see the JSON and the envelopes of both directions.

The request goes through the gateway's own connector and wire, so what is shown is what the gateway would send. No
gateway needs to run; routing, shares and overrides have no part in it.
"""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import CONFIG, Config, Json, complete_routes


def call(
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="Its name.", autocompletion=complete_routes)],
    data: Annotated[
        str | None, typer.Option(metavar="JSON|@FILE", help="The request's body (@- for standard input).")
    ] = None,
    path: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="What stands for {NAME} in the route's path.")
    ] = None,
    query: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A query parameter.")] = None,
    header: Annotated[list[str] | None, typer.Option("--header", "-H", metavar="'NAME: VALUE'")] = None,
    side: Annotated[str, typer.Option(metavar="legacy|new", help="Whose backend to call.")] = "legacy",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")] = False,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Call the SOAP operation behind a route, and show JSON and envelopes.

    The backend really is called: try operations that only read, or use --dry-run. The exit code is 0 when the answer
    is a success.
    """
    import os

    from gateway.cli.calling import called, prepared
    from gateway.cli.output import say_json
    from gateway.config.check import load

    estate = load(config, os.environ).estate
    trial = prepared(estate, route, side, _body(data), _pairs("--path", path), _pairs("--query", query), header or [])
    record = called(trial, dry_run=dry_run)
    if as_json:
        say_json(record.document())
    else:
        _show(record.document())
    if record.status >= 400:
        raise typer.Exit(1)


def _body(data: str | None) -> bytes:
    import sys

    from gateway.errors import CommandError

    if data is None or not data.startswith("@"):
        return (data or "").encode()
    if data == "@-":
        return sys.stdin.buffer.read()
    try:
        return Path(data[1:]).read_bytes()
    except OSError as error:
        raise CommandError(f"{data[1:]} cannot be read: {error.strerror}.") from error


def _pairs(option: str, given: list[str] | None) -> list[tuple[str, str]]:
    pairs = [each.partition("=") for each in given or []]
    if not all(equals and name for name, equals, _ in pairs):
        raise typer.BadParameter("Write it as NAME=VALUE.", param_hint=option)
    return [(name, value) for name, _, value in pairs]


# ------------------------------------------------------------------------------------------------ for people


def _show(record: dict[str, object]) -> None:
    from gateway.cli.output import painted, say

    sent, received, answer = record["sent"], record["received"], record["answer"]
    say(painted(f"Request, {record['method']} {record['target']}", "green"))
    _show_json(record["request"])
    if isinstance(sent, dict):
        say(painted(f"Sent to {record['backend']} ({record['side']}), {record['operation']}: {sent['url']}", "green"))
        _show_message(sent)
    if isinstance(received, dict):
        say(painted(f"Received, {received['status']}", "green"))
        _show_message(received)
    if isinstance(answer, dict):
        by = "" if isinstance(received, dict) else ", by the gateway itself"
        say(painted(f"Answer, {answer['status']}{by}", "green" if answer["status"] < 400 else "yellow"))
        _show_json(answer["body"])


def _show_message(message: dict[str, object]) -> None:
    from gateway.cli.output import say

    head = message["head"]
    for line in head if isinstance(head, list) else ():
        say(f"  {line}")
    for line in str(message["envelope"]).splitlines():
        say(f"  {line}")


def _show_json(value: object) -> None:
    import json

    from gateway.cli.output import say

    if value is not None:
        for line in json.dumps(value, indent=2, ensure_ascii=False).splitlines():
            say(f"  {line}")
