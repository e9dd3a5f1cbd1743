"""`banyan db`: the store's schema, which `banyan run` otherwise brings up to date by itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import DATA, Data

if TYPE_CHECKING:
    from gateway.store.repository import Store

Url = Annotated[
    str | None,
    typer.Option("--store", metavar="URL", envvar="BANYAN_STORE", help="Default: banyan.db in the data folder."),
]

db = typer.Typer(
    name="db",
    help="The schema of the store: see how it is, bring it up to date.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)


@db.command("upgrade")
def upgrade(store: Url = None, data: Data = DATA) -> None:
    """Bring the store's schema up to date, or make it.

    Make a backup before. Gateways may go on using the store meanwhile; while it is changed, they wait.
    """
    import asyncio

    from gateway.cli.output import say
    from gateway.store.migrations import REVISIONS

    opened = _store(store, data)
    before = asyncio.run(_upgraded(opened))
    done = "is up to date" if before == REVISIONS[-1] else f"was brought from {before or 'nothing'} up to date"
    say(f"{opened.name} {done}: schema {REVISIONS[-1]}.")


@db.command("status")
def status(store: Url = None, data: Data = DATA) -> None:
    """Tell whether the store's schema is the one that this banyan needs: exit code 0 if so, otherwise 1."""
    import asyncio

    from gateway.cli.output import complain, say
    from gateway.store.addresses import address_of
    from gateway.store.migrating import problem_of

    file = address_of(store, data).file
    if file is not None and not file.exists():
        complain(f"There is no store at {file}. `banyan run` makes it, or now: banyan db upgrade")
        raise typer.Exit(1)
    opened = _store(store, data)
    revision = asyncio.run(_revision(opened))
    if problem := problem_of(revision, opened.name):
        complain(problem)
        raise typer.Exit(1)
    say(f"{opened.name} is up to date: schema {revision}.")


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
