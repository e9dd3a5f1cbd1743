"""`banyan routes`: the table of routes, with live counts when a gateway runs."""

from pathlib import Path
from typing import Any

from gateway.cli.options import CONFIG, DATA, Config, Data, Json

COLUMNS = ("route", "match", "serve", "share", "legacy", "new")
COUNTS = ("by legacy", "by new", "errors", "refused")


def routes(config: Config = CONFIG, data: Data = DATA, as_json: Json = False) -> None:
    """List all routes, and what they served.

    What each matches, which side serves, the new side's share, the backends; when a gateway runs, live counts too, and
    where ramps and overrides stand. With --server they are those of the gateway there, and no file is read.
    """
    from gateway.cli.output import say, say_json, say_table
    from gateway.cli.remote import ask_if_running, is_elsewhere

    running = ask_if_running(data, "/api/v1/routes")
    if running and is_elsewhere():
        digest, rows = running["digest"], running["routes"]
    else:
        digest, rows = _of_the_file(config, {row["name"]: row for row in running["routes"]} if running else {})
    same = running is None or running["digest"] == digest
    if as_json:
        say_json({"digest": digest, "running": running["digest"] if running else None, "routes": rows})
        return
    stands = ("standing",) if any(row["standing"] for row in rows) else ()
    cells = [
        [*_cells(row), *(row[each] or "-" for each in stands), *(_counts(row["traffic"]) if running else ())]
        for row in rows
    ]
    say_table([*COLUMNS, *stands, *(COUNTS if running else ())], cells, right=("share", *COUNTS))
    if not same:
        say("The gateway serves another version of this file: see `banyan diff`.")


def _of_the_file(config: Path, live: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The file's digest, and its routes with what the gateway says of them."""
    import os

    from gateway.admin.estate import route_rows
    from gateway.config.check import load

    estate = load(config, os.environ).estate
    return estate.digest, [_joined(row, live.get(row["name"], {})) for row in route_rows(estate)]


def _joined(row: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """A route of the file with what the gateway says of it: the share that holds now, if that is about this `serve`."""
    share = live.get("share", row["share"]) if live.get("serve") == row["serve"] else row["share"]
    return row | {"share": share, "traffic": live.get("traffic"), "standing": live.get("standing")}


def _cells(row: dict[str, Any]) -> list[str]:
    share = "-" if row["share"] is None else f"{row['share']:g} %"
    return [row["name"], row["match"], row["serve"], share, row["legacy"] or "-", row["new"] or "-"]


def _counts(traffic: dict[str, Any] | None) -> list[str]:
    if traffic is None:
        return ["-"] * len(COUNTS)
    legacy, new = traffic["legacy"], traffic["new"]
    numbers = (legacy["requests"], new["requests"], legacy["errors"] + new["errors"], traffic["refused"])
    return [f"{number:,}" for number in numbers]
