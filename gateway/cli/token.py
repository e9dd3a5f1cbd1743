"""`banyan token` and `banyan link`: who may use the admin port and its pages, and for how long."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from gateway.cli.options import DATA, Data, Json
from gateway.cli.ordering import in_path, spoken, user

COLUMNS = ("id", "name", "role", "made", "by", "expires", "state")


class Given(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"


AsRole = Annotated[Given, typer.Option("--role", help="viewer sees, operator acts, approver lets stages begin.")]

token = typer.Typer(
    name="token",
    help="Tokens for the admin port and its pages: create, list, revoke.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)


@token.command("create")
def create(
    name: Annotated[str, typer.Option(metavar="NAME", help="Whose it is: the audit has this name.")],
    role: AsRole = Given.VIEWER,
    expires: Annotated[str, typer.Option(metavar="TIME", help="For how long: 90d, 12h. A year at most.")] = "90d",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why.")] = "a token was asked for",
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Make a token and print it, this once: only its hash is kept."""
    from gateway.cli.output import say, say_json
    from gateway.cli.remote import ask

    order = {"name": name, "role": role.value, "expires": _seconds(expires, "--expires")}
    made = ask(data, "/api/v1/tokens", {**order, "by": user(), "reason": spoken(reason)})
    if as_json:
        say_json(made)
        return
    say(made["token"])


@token.command("list")
def listing(data: Data = DATA, as_json: Json = False) -> None:
    """List the tokens, the latest first; never their secrets."""
    from datetime import UTC, datetime

    from gateway.cli.output import moment, say, say_json, say_table
    from gateway.cli.remote import ask

    document = ask(data, "/api/v1/tokens")
    if as_json:
        say_json(document)
        return
    if not document["tokens"]:
        say("There are none. `banyan token create --name NAME --role viewer` makes one.")
        return

    def told(at: float) -> str:
        return moment(datetime.fromtimestamp(at, UTC).isoformat())

    now = datetime.now(UTC).timestamp()
    rows = [
        [
            each["id"],
            each["name"],
            each["role"],
            told(each["made"]),
            each["by"],
            told(each["expires"]),
            _state(each, now),
        ]
        for each in document["tokens"]
    ]
    say_table(COLUMNS, rows)


@token.command("revoke")
def revoke(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Which: see `banyan token list`.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with the time and your name.")],
    data: Data = DATA,
) -> None:
    """End a token at once, and sign out every browser that came with it."""
    from gateway.cli.output import say
    from gateway.cli.remote import ask

    order = {"by": user(), "reason": spoken(reason)}
    say(ask(data, f"/api/v1/tokens/{in_path(identifier)}/revoke", order)["message"])


def link(
    name: Annotated[str, typer.Option(metavar="NAME", help="Whose it is; default: whoever opens it says.")] = "",
    role: AsRole = Given.APPROVER,
    lasting: Annotated[str, typer.Option("--for", metavar="TIME", help="For how long it can be opened.")] = "15m",
    data: Data = DATA,
) -> None:
    """Print a link that signs a browser in to the pages, once."""
    from gateway.cli.output import say
    from gateway.cli.remote import ask

    order = {"name": name, "role": role.value, "for": _seconds(lasting, "--for")}
    made = ask(data, "/api/v1/links", {**order, "by": user(), "reason": "a link was asked for"})
    say(made["url"])


def _state(each: dict[str, Any], now: float) -> str:
    if each["ended"] is not None:
        return "revoked"
    return "expired" if each["expires"] <= now else "good"


def _seconds(text: str, option: str) -> float:
    from gateway.config.problems import Unreadable
    from gateway.config.words import duration

    try:
        return duration(text)
    except Unreadable as error:
        raise typer.BadParameter(str(error).replace("{written}", f"'{text}'"), param_hint=option) from error
