"""`banyan reconcile`: read both sides key by key, tell what differs, and put it right by what the record says."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated, Any, Literal

import typer

from gateway.cli.options import DATA, Data, Json, MaybeReason, complete_routes
from gateway.cli.ordering import in_path, spoken, user
from gateway.cli.replay import _rate
from gateway.errors import CommandError

CHUNK, LISTED = 10, 50
COLOURS = {"same": "green", "differs": "red"}


def reconcile(
    route: Annotated[
        str, typer.Argument(metavar="ROUTE", help="A route that reads one thing.", autocompletion=complete_routes)
    ],
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="FILE", help="Keys or whole paths, one a line.")
    ] = None,
    from_outbox: Annotated[
        bool, typer.Option("--from-outbox", help="What the unresolved and dead writes of its journey name.")
    ] = False,
    repair: Annotated[
        Literal["record-wins"] | None,
        typer.Option("--repair", help="Put what the record says to the other side, by way of the outbox."),
    ] = None,
    rate: Annotated[str, typer.Option(metavar="N/s", help="How many keys a second, at most.")] = "10/s",
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="LINE", help="A header for both sides.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Begin anew, not where the last run ended.")] = False,
    reason: MaybeReason = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Read both sides of a route key by key, and tell what differs by the route's own rules.

    With a file of keys it goes on where it was ended: what was the same is noted beside it. The exit code is 0 when all
    is the same, and 1 otherwise.
    """
    from gateway.cli.output import say_json
    from gateway.cli.progress import Progress
    from gateway.cli.remote import ask

    if (keys is None) != from_outbox:
        raise typer.BadParameter("Say which keys: --keys FILE, or --from-outbox.", param_hint="--keys")
    order = {"repair": repair is not None, "headers": header or [], "by": user()}
    order["reason"] = spoken(reason) if repair else "looked"
    path = f"/api/v1/reconcile/{in_path(route)}"
    done = Done(keys, again=again)
    wanted = done.left(_keys(keys) if keys is not None else list(ask(data, path)["keys"]))
    results: list[dict[str, Any]] = []
    progress, pause = Progress(), CHUNK / _rate(rate)
    try:
        for some in _chunks(wanted):
            began = monotonic()
            found = ask(data, path, {"keys": some, **order})["results"]
            results += found
            done.note(
                [each["key"] for each in found if each["verdict"] == "same" or each["repair"].startswith("queued")]
            )
            progress.show(f"{len(results):,} of {len(wanted):,} keys; {_told(results)}")
            sleep(max(0.0, pause * len(some) / CHUNK - (monotonic() - began)))
    except KeyboardInterrupt:
        progress.clear()
    finally:
        progress.clear()
    if as_json:
        say_json({"results": results, "left": len(wanted) - len(results)})
    else:
        _show(results, done.skipped, len(wanted) - len(results))
    raise typer.Exit(0 if len(results) == len(wanted) and all(each["verdict"] == "same" for each in results) else 1)


class Done:
    """The keys that need not be looked at again, in a file beside that of the keys."""

    def __init__(self, keys: Path | None, *, again: bool) -> None:
        self._file = None if keys is None else keys.with_name(f"{keys.name}.reconciled")
        self.skipped = 0
        if again and self._file is not None:
            self._file.unlink(missing_ok=True)

    def left(self, keys: Sequence[str]) -> list[str]:
        """Those of the keys that have to be looked at."""
        known: set[str] = set()
        if self._file is not None and self._file.exists():
            known = set(self._file.read_text().splitlines())
        left = [key for key in keys if key not in known]
        self.skipped = len(keys) - len(left)
        return left

    def note(self, keys: Sequence[str]) -> None:
        if self._file is not None and keys:
            with self._file.open("a") as file:
                file.writelines(f"{key}\n" for key in keys)


def _keys(file: Path) -> list[str]:
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}.") from error
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


def _chunks(keys: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), CHUNK):
        yield list(keys[start : start + CHUNK])


def _told(results: Sequence[dict[str, Any]]) -> str:
    counts = Counter(each["verdict"] for each in results)
    return ", ".join(f"{count:,} {verdict.replace('_', ' ')}" for verdict, count in counts.items())


def _show(results: Sequence[dict[str, Any]], skipped: int, left: int) -> None:
    from gateway.cli.output import counted, painted, say

    odd = [each for each in results if each["verdict"] != "same"]
    for each in odd[:LISTED]:
        fields = ", ".join(f"{one['field'] or '(all of it)'} ({one['kind']})" for one in each["fields"])
        verdict = each["verdict"].replace("_", " ")
        told = "; ".join(part for part in (fields, each["reason"], each["repair"]) if part)
        say(
            f"{each['key']}: {painted(verdict, COLOURS.get(each['verdict'], 'yellow'))}" + (f": {told}" if told else "")
        )
    if len(odd) > LISTED:
        say(f"... and {len(odd) - LISTED:,} more; --json lists all")
    say(f"{counted(len(results), 'key')}: {_told(results) or 'nothing to look at'}")
    if skipped:
        say(f"{counted(skipped, 'key')} of an earlier run left out; --again looks at all")
    if left:
        say(f"{counted(left, 'key')} not looked at yet")
