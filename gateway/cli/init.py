"""`banyan init`: a commented file to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import CONFIG


def init(path: Annotated[Path, typer.Argument(metavar="[PATH]", help="Where to write it.")] = CONFIG) -> None:
    """Write a commented starter file.

    A file that exists is never overwritten."""
    from gateway.cli.output import say
    from gateway.config.edit import starter
    from gateway.errors import CommandError

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(starter())
    except FileExistsError as error:
        raise CommandError(f"{path} exists already. Name another: banyan init PATH.") from error
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    say(f"Wrote {path}. Name your systems in it, then try:")
    say(f"  banyan check --config {path}")
    say(f"  banyan run --config {path}")
