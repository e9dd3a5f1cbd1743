"""`banyan flip`: change the one word that says which side serves a route, and see it served."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import CONFIG, DATA, Config, Data, Json, Reason, complete_routes
from gateway.cli.ordering import give, in_path, spoken, user
from gateway.errors import CommandError

if TYPE_CHECKING:
    from gateway.config.edit import Flip

PATIENCE = 3.0
LOOK_AGAIN = 0.1


def flip(
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="Its name.", autocompletion=complete_routes)],
    word: Annotated[str, typer.Argument(metavar="legacy|new|N%|ramp|retired", help="What shall serve it.")],
    reason: Reason,
    config: Config = CONFIG,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Flip a route to legacy, new, N%, ramp or retired.

    Changes just that word in the file, in place, and waits until a running gateway serves it.
    """
    from gateway.cli.output import say_json
    from gateway.cli.remote import is_elsewhere
    from gateway.config.edit import flip as flipped
    from gateway.config.edit import write
    from gateway.config.flips import journal

    why = spoken(reason)
    if is_elsewhere():
        give(data, f"/api/v1/routes/{in_path(route)}/flip", {"serve": word}, why, as_json=as_json)
        return
    change = flipped(config, route, word, os.environ)
    record = _record(route, word, why, change)
    changed = change.old_text != change.new_text
    if changed:
        with journal(data) as noting:
            write(change)
            noting.write(json.dumps(record, ensure_ascii=False) + "\n")
    served = _served(data, config, change.digest)
    if served is False and not changed:  # it says so already, and waits: whoever says it again means it
        give(data, f"/api/v1/routes/{in_path(route)}/flip", {"serve": word}, why, as_json=as_json)
        return
    override = "" if changed or not served else _override(data, route)
    served = False if override else served
    if as_json:
        say_json({**record, "changed": changed, "served": served})
    else:
        _tell(change, record, changed=changed, served=served)
    if override:
        raise CommandError(
            f"The file says so already, but an override holds: {route} serves {override}. "
            f"To end it: banyan override {route} --clear --reason ..."
        )
    if served is False:
        raise CommandError(_not_served(data))


def _record(route: str, word: str, reason: str, change: "Flip") -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "user": user(),
        "route": route,
        "to": word,
        "reason": reason,
        "file": str(change.file),
        "line": change.line,
        "before": change.before.strip(),
        "after": change.after.strip(),
        "digest": change.digest,
    }


# ------------------------------------------------------------------------------------------------ is it served?


def _served(data: Path, config: Path, digest: str) -> bool | None:
    """Whether the running gateway serves this content, within a few seconds; None when none runs on this file."""
    deadline = time.monotonic() + PATIENCE
    while (status := _status(data)) is not None and _is_about(status, config):
        if status["config"]["digest"] == digest and status["data"]["revision"] >= status["config"]["revision"]:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_AGAIN)
    return None


def _status(data: Path) -> dict[str, Any] | None:
    from gateway.cli.remote import ask_if_running

    return ask_if_running(data, "/api/v1/status")


def _override(data: Path, route: str) -> str:
    """The live override of a route, which goes before the file, in words; "" where there is none."""
    status = _status(data)
    return "" if status is None else status["overrides"].get(route, "")


def _is_about(status: dict[str, Any], config: Path) -> bool:
    """Whether a gateway serves this very file. A relative name says nothing about where the gateway was started."""
    file = Path(status["config"]["file"])
    return not file.is_absolute() or file.resolve() == config.resolve()


def _not_served(data: Path) -> str:
    status = _status(data)
    why = [*status["config"]["problems"], *filter(None, [status["config"]["held"]])] if status else []
    because = f": {'; '.join(why)}" if why else "."
    return f"The file is changed, but the gateway in {data} does not serve it{because} See `banyan status`."


def _tell(change: "Flip", record: dict[str, Any], *, changed: bool, served: bool | None) -> None:
    from gateway.cli.output import painted, say

    if not changed:
        say(f"{change.file}:{change.line} says so already: {change.after.strip()}")
    else:
        say(f"{change.file}:{change.line}")
        if change.before:
            say(painted(f"- {change.before}", "red"))
        say(painted(f"+ {change.after}", "green"))
        say(f"Reason: {record['reason']} ({record['user']}, {record['at']})")
    if served:
        say("The running gateway serves it.")
    elif served is None:
        say("No gateway runs on this file here; the next `banyan run` will serve it.")
