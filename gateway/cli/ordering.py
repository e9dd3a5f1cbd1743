"""Orders to the running gateway that are remembered with who gave them, and why."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import typer


def user() -> str:
    """Who gives the order."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user often has no name
        return f"uid {os.getuid()}"


def spoken(reason: str | None) -> str:
    """A reason that says something."""
    if reason is None or not reason.strip():
        raise typer.BadParameter("Say why, for those who will ask later.", param_hint="--reason")
    return reason.strip()


def in_path(name: str) -> str:
    """A name as one segment of an address."""
    return quote(name, safe="")


def give(data: Path, path: str, order: dict[str, Any], reason: str | None, *, as_json: bool) -> None:
    """Give an order and tell what was done. Ends with 1 when the traffic does not go by it yet."""
    from gateway.cli.output import complain, say, say_json
    from gateway.cli.remote import ask

    done = ask(data, path, {**order, "by": user(), "reason": spoken(reason)})
    if as_json:
        say_json(done)
    else:
        (say if done["holds"] else complain)(done["message"])
    if not done["holds"]:
        raise typer.Exit(1)
