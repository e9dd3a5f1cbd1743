"""Options that several commands share. A flag beats its variable, which beats the default."""

from pathlib import Path
from typing import Annotated

import typer

CONFIG = Path("routes.yaml")
DATA = Path(".banyan")

Config = Annotated[Path, typer.Option("--config", metavar="FILE", envvar="BANYAN_CONFIG", help="The file to read.")]
Data = Annotated[
    Path, typer.Option("--data", metavar="DIR", envvar="BANYAN_DATA", help="The running gateway's data folder.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def complete_routes(incomplete: str) -> list[str]:
    """Route names that begin like this, for the shell; none where the file cannot be used."""
    import os

    from gateway.config.check import load
    from gateway.errors import ConfigError

    try:
        estate = load(Path(os.environ.get("BANYAN_CONFIG", CONFIG)), os.environ).estate
    except ConfigError:  # the shell asks while a person types: there is nobody to tell
        return []
    return [route.name for route in estate.routes if route.name.startswith(incomplete)]
