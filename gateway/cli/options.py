"""Options that several commands share. A flag beats its variable, which beats the default."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.core.model import Route

CONFIG = Path("routes.yaml")
DATA = Path(".banyan")

Config = Annotated[Path, typer.Option("--config", metavar="FILE", envvar="BANYAN_CONFIG", help="The file to read.")]
Data = Annotated[
    Path, typer.Option("--data", metavar="DIR", envvar="BANYAN_DATA", help="The running gateway's data folder.")
]
StoreUrl = Annotated[
    str | None,
    typer.Option("--store", metavar="URL", envvar="BANYAN_STORE", help="Default: banyan.db in the data folder."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with the time and your name.")]
MaybeReason = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept with the time and your name.")
]


def complete_routes(incomplete: str) -> list[str]:
    """Route names that begin like this, for the shell; none where the file cannot be used."""
    return _beginning(incomplete, [route.name for route in _routes()])


def complete_ramps(incomplete: str) -> list[str]:
    """Names of journeys and routes that ramp."""
    ramping = [route for route in _routes() if route.serve == "ramp"]
    return _beginning(incomplete, [name for route in ramping for name in (route.journey, route.name)])


def complete_moved(incomplete: str) -> list[str]:
    """Names of everything that can be rolled back: routes, and journeys that ramp."""
    return _beginning(incomplete, [*complete_ramps(incomplete), *complete_routes(incomplete)])


def _beginning(incomplete: str, names: list[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _routes() -> "tuple[Route, ...]":
    import os

    from gateway.config.check import load
    from gateway.errors import ConfigError

    try:
        estate = load(Path(os.environ.get("BANYAN_CONFIG", CONFIG)), os.environ).estate
    except ConfigError:  # the shell asks while a person types: there is nobody to tell
        return ()
    return estate.routes
