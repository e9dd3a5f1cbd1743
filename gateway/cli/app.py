"""The command `banyan`: all commands together, and what their errors look like.

Exit codes: 0 fine, 1 could not do it, 2 the configuration or the command line is wrong. Errors are sentences on
standard error that say what to do next, never a traceback.
"""

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from gateway import __version__
from gateway.cli.audit import audit
from gateway.cli.call import call
from gateway.cli.capture import capture
from gateway.cli.check import check
from gateway.cli.completion import COMPLETE, completion, learn_shells
from gateway.cli.db import db
from gateway.cli.diff import diff
from gateway.cli.discover import discover
from gateway.cli.events import events
from gateway.cli.explain import explain
from gateway.cli.flip import flip
from gateway.cli.importing import importing
from gateway.cli.init import init
from gateway.cli.openapi import openapi
from gateway.cli.outbox import outbox
from gateway.cli.output import complain, complain_of
from gateway.cli.override import override
from gateway.cli.ramp import WORDS, ramp
from gateway.cli.reconcile import reconcile
from gateway.cli.reload import reload
from gateway.cli.replay import replay
from gateway.cli.routes import routes
from gateway.cli.run import run as run_command
from gateway.cli.schema import schema
from gateway.cli.shadow import shadow
from gateway.cli.status import status
from gateway.cli.token import link
from gateway.cli.token import token as token_commands
from gateway.errors import BanyanError, ConfigError

app = typer.Typer(
    name="banyan",
    help="One address in front of legacy and new systems, flipped one endpoint at a time.",
    epilog="Begin with `banyan init`, then `banyan check` and `banyan run`.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run_command)
for command in (check, explain, call, routes, flip, diff, reload, status, shadow, ramp):
    app.command()(command)
for word, moves in WORDS.items():
    app.command(word)(moves)
for further in (override, events, discover, openapi, schema, init, completion):
    app.command()(further)
app.add_typer(importing)
app.add_typer(outbox)
app.add_typer(db)
app.add_typer(token_commands)
app.add_typer(audit)
app.command()(link)
app.command()(capture)
app.command()(replay)
app.command()(reconcile)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"banyan {__version__}")
        raise typer.Exit


@app.callback()
def _whole(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and end.")
    ] = False,
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar="BANYAN_SERVER", help="A gateway's admin port; default: the one here."),
    ] = None,
    token: Annotated[
        str | None, typer.Option(metavar="TOKEN", envvar="BANYAN_TOKEN", help="The token to show there.")
    ] = None,
) -> None:
    from gateway.cli.remote import use

    use(server, token)


def run(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line (default: this process' own); the exit code."""
    if COMPLETE in os.environ:
        learn_shells()
    try:
        app(args=arguments, prog_name="banyan")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except ConfigError as error:
        complain_of(error.problems)
        return 2
    except BanyanError as error:
        complain(str(error))
        return 1
    return 0
