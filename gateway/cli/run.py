"""`banyan run`: the gateway itself."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import CONFIG, DATA

if TYPE_CHECKING:
    from gateway.processes.supervisor import Address


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def run(
    config: Annotated[
        Path, typer.Option(metavar="FILE", envvar="BANYAN_CONFIG", help="The file to serve; it is watched.")
    ] = CONFIG,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", envvar="BANYAN_LISTEN", help="Where front ends call.")
    ] = "127.0.0.1:8080",
    admin: Annotated[
        str, typer.Option(metavar="HOST:PORT", envvar="BANYAN_ADMIN", help="Where probes and metrics are read.")
    ] = "127.0.0.1:8081",
    data: Annotated[
        Path, typer.Option(metavar="DIR", envvar="BANYAN_DATA", help="The data folder, one for each gateway.")
    ] = DATA,
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar="BANYAN_STORE", help="The store; default: a file in the data folder."),
    ] = None,
    log_level: Annotated[LogLevel, typer.Option(envvar="BANYAN_LOG_LEVEL", help="How much to log.")] = LogLevel.INFO,
) -> None:
    """Serve the file, until SIGTERM or Ctrl-C.

    Edits of the file are taken as soon as it is whole and valid; a broken file changes nothing.
    """
    from gateway.app import run_control
    from gateway.processes.options import RunOptions

    addresses = _address("--listen", listen), _address("--admin", admin)
    raise typer.Exit(run_control(RunOptions(config, *addresses, data, log_level.value, store)))


def _address(option: str, text: str) -> "Address":
    from gateway.errors import CommandError
    from gateway.processes.supervisor import parse_address

    try:
        return parse_address(text)
    except CommandError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error
