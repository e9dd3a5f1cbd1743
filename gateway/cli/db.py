"""`banyan db`: the store as a whole: its schema, which `banyan run` otherwise brings up to date, and its backups."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.backups import backup, existing, kept_free, restore
from gateway.cli.options import DATA, Data, StoreUrl
from gateway.errors import CommandError

if TYPE_CHECKING:
    from gateway.store.repository import Store
    from gateway.store.whole import Loss

db = typer.Typer(
    name="db",
    help="The store as a whole: its schema, and backups of it.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)
db.command("backup")(backup)
db.command("restore")(restore)


@db.command("status")
def status(store: StoreUrl = None, data: Data = DATA) -> None:
    """Tell whether the store's schema is right.

    The exit code is 0 when it is the one that this banyan needs, otherwise 1.
    """
    import asyncio

    from gateway.cli.output import say
    from gateway.store.addresses import address_of
    from gateway.store.migrating import problem_of

    existing(address_of(store, data))
    opened = _store(store, data)
    revision = asyncio.run(_revision(opened))
    if problem := problem_of(revision, opened.name):
        raise CommandError(problem)
    say(f"{opened.name} is up to date: schema {revision}.")


@db.command("upgrade")
def upgrade(store: StoreUrl = None, data: Data = DATA) -> None:
    """Bring the store's schema up to date, or make it.

    Make a backup before (banyan db backup). Gateways may go on using the store meanwhile; while it is changed, they
    wait.
    """
    import asyncio

    from gateway.cli.output import say
    from gateway.store.migrations import REVISIONS

    opened = _store(store, data)
    before = asyncio.run(_upgraded(opened))
    done = "is up to date" if before == REVISIONS[-1] else f"was brought from {before or 'nothing'} up to date"
    say(f"{opened.name} {done}: schema {REVISIONS[-1]}.")


@db.command("downgrade")
def downgrade(
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="An earlier schema: 0001, 0002 ...")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it: what the earlier schema has no place for is lost.")
    ] = False,
    store: StoreUrl = None,
    data: Data = DATA,
) -> None:
    """Take the schema back, for an earlier banyan.

    Without --yes it only tells what would be lost. Make a backup before (banyan db backup). No gateway may be using the
    store.
    """
    import asyncio

    from gateway.cli.output import say
    from gateway.store.addresses import address_of
    from gateway.store.whole import Whole

    address = existing(address_of(store, data))
    whole = Whole(address)
    if not yes:
        loss = asyncio.run(whole.loss(revision))
        raise CommandError(
            f"Going back to schema {revision} deletes {_named(loss)}, for good. Make a backup before (banyan db backup "
            "FILE). Nothing was changed; say --yes to do it."
        )
    with kept_free(address, data):
        loss = asyncio.run(whole.lower(revision))
    say(f"{whole.name} was taken back to schema {revision}. Deleted: {_named(loss)}.")
    say("Start the earlier banyan now: this one brings the schema up again, unless `store.upgrade` is manual.")


def _named(loss: "Loss") -> str:
    from gateway.cli.output import counted

    tables = (f"{name} ({counted(rows, 'row')})" for name, rows in loss.tables.items())
    return ", ".join([*tables, *(f"{table}.{column}" for table, column in loss.columns)]) or "nothing"


def _store(url: str | None, data: Path) -> "Store":
    from gateway.store.addresses import address_of
    from gateway.store.repository import Store

    return Store(address_of(url, data))


async def _upgraded(store: "Store") -> str | None:
    try:
        before = await store.upgrade()
        await store.check(upgrade=False)
    finally:
        await store.close()
    return before


async def _revision(store: "Store") -> str | None:
    try:
        return await store.revision()
    finally:
        await store.close()
