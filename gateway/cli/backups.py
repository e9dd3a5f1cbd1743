"""`banyan db backup` and `restore`: all that is in a store as one file, which fits either kind of database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import DATA, Data, StoreUrl
from gateway.errors import CommandError

if TYPE_CHECKING:
    from gateway.store.addresses import Address
    from gateway.store.backups import Contents
    from gateway.store.whole import Filled

WORD = "replace"


def backup(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; it must not be there yet.")],
    store: StoreUrl = None,
    data: Data = DATA,
) -> None:
    """Write all that is in the store into a file.

    Gateways go on meanwhile. The backup is of one moment, and fits SQLite and PostgreSQL alike: `banyan db restore`
    puts it back into either. Writes that are owed are in it whole, with the credentials that their clients sent: keep
    it like a password. Only its owner may read it.
    """
    import asyncio

    from gateway.cli.output import counted, say
    from gateway.store.addresses import address_of
    from gateway.store.backups import writing
    from gateway.store.whole import Whole

    whole = Whole(existing(address_of(store, data)))
    with writing(path) as made, _told("written") as told:
        revision = asyncio.run(whole.save(made, told))
    what = f"{counted(sum(made.rows.values()), 'row')} of {counted(len(made.rows), 'table')}"
    say(f"{path} is a backup of {whole.name}: {what}, {made.size / 1e6:,.1f} MB, schema {revision}.")
    say("Keep it like a password: writes that are owed are in it with the credentials of their clients.")


def restore(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="What `banyan db backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help=f"Replace all that is there; asks for the word `{WORD}`.")
    ] = False,
    hold: Annotated[
        bool,
        typer.Option("--hold-writes", help="Leave owed writes to a person: some may have been delivered since."),
    ] = False,
    store: StoreUrl = None,
    data: Data = DATA,
) -> None:
    """Fill an empty store from a backup, or replace one.

    The file is looked through before anything is changed; then all of it is put back, or nothing. No gateway may be
    using the store. A backup of an older schema is brought up to date.
    """
    import asyncio

    from gateway.cli.output import say
    from gateway.store.addresses import address_of
    from gateway.store.reading import reading
    from gateway.store.whole import Whole

    address = address_of(store, data)
    whole = Whole(address)
    with reading(path) as there:
        with _told("read") as told:
            contents = there.verified(told)
        with kept_free(address, data):
            if asyncio.run(whole.look(contents, replace=replace)):
                _ask(whole.name, contents)
            with _told("restored") as told:
                filled = asyncio.run(whole.load(there, contents, told, replace=replace, hold=hold))
    for line in _lines(whole.name, contents, filled):
        say(line)


def existing(address: "Address") -> "Address":
    """The store, if there is one: to look is not to make it. Raises CommandError."""
    if address.file is not None and not address.file.exists():
        raise CommandError(f"There is no store at {address.file}. `banyan run` makes it, or now: banyan db upgrade")
    return address


@contextmanager
def kept_free(address: "Address", data: Path) -> Iterator[None]:
    """Keep gateways from starting in the folder of a store that is a file. Raises CommandError while one runs there."""
    from gateway.processes.supervisor import LOCK, FolderLock

    folder = address.file.parent if address.file is not None else None
    if folder is None or (folder != data and not (folder / LOCK).exists()):
        yield  # who has the store open is found out by opening it
        return
    try:
        lock = FolderLock(folder)
    except OSError as error:
        raise CommandError(
            f"The folder {folder} cannot be used: {error.strerror or error}. Run this as the gateway's user."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _told(what: str) -> Iterator[Callable[[int], None]]:
    """Tell on the terminal how many rows are done."""
    from gateway.cli.output import counted
    from gateway.cli.progress import Progress

    progress = Progress()
    try:
        yield lambda rows: progress.show(f"{counted(rows, 'row')} {what}")
    finally:
        progress.clear()


def _ask(name: str, contents: "Contents") -> None:
    from gateway.cli.output import say

    say(f"All that is in {name} would be deleted, and {_what(contents)} put in its place.")
    if typer.prompt(f"Write `{WORD}` to do it").strip() != WORD:
        raise CommandError("Nothing was changed.")


def _what(contents: "Contents") -> str:
    from gateway.cli.output import counted, moment

    at = moment(datetime.fromtimestamp(contents.head.at, UTC).isoformat())
    return f"{counted(sum(contents.rows.values()), 'row')} of {contents.head.origin}, {at}"


def _lines(name: str, contents: "Contents", filled: "Filled") -> Iterator[str]:
    from gateway.store.migrations import REVISIONS

    yield f"{name} has been filled: {_what(contents)}."
    up = "" if filled.schema == REVISIONS[-1] else f"; {filled.schema} in the backup"
    yield f"Its schema is {REVISIONS[-1]}{up}."
    if filled.owed and filled.held:
        yield f"Writes that were owed and wait for a person: {filled.owed:,}. See `banyan outbox` once a gateway runs."
    elif filled.owed:
        yield (
            f"Writes that are owed: {filled.owed:,}. The next gateway delivers them. If some have been delivered since "
            "the backup, restore it again before that: --replace --hold-writes"
        )
