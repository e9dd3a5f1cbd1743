"""The schema's version: read at every start, moved when a newer program comes.

Alembic (https://alembic.sqlalchemy.org) is imported only where there is something to move. All of it happens in one
transaction, alone: several gateways may start on one database at once.
"""

from typing import Literal

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.sql import column, table

from gateway.store.migrations import REVISIONS

Standing = Literal["current", "behind", "ahead"]
_LOCK = 0x62616E79616E
"""The number of the advisory lock: "banyan" in ASCII."""


def revision_of(connection: Connection) -> str | None:
    """The version of the schema that is there; None in an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(select(column("version_num")).select_from(table("alembic_version"))).scalar()


def standing_of(revision: str | None) -> Standing:
    """How a schema stands to this program."""
    if revision == REVISIONS[-1]:
        return "current"
    return "behind" if revision is None or revision in REVISIONS else "ahead"


def problem_of(revision: str | None, store: str) -> str:
    """What is wrong with a schema of this version, and what to do; "" when nothing is."""
    match standing_of(revision):
        case "current":
            return ""
        case "behind":
            there = "is empty" if revision is None else f"has schema {revision}, and this banyan needs {REVISIONS[-1]}"
            return f"The store ({store}) {there}. Bring it up to date: banyan db upgrade"
        case "ahead":  # pragma: no branch - mypy knows that there is no other
            return (
                f"The store ({store}) has schema {revision}, which this banyan does not know: a newer one made it. Run "
                f"that, or put back a backup from before."
            )


def upgrade(connection: Connection) -> str | None:
    """Bring the schema to this program's version, if it is behind; the version that was there."""
    alone(connection)
    before = revision_of(connection)
    if standing_of(before) == "behind":
        move(connection, "head")
    return before


def move(connection: Connection, revision: str) -> None:
    """Bring the schema to a version, upwards (`head`: the latest) or downwards (`base`: nothing is left)."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "gateway.store:migrations")
    config.attributes["connection"] = connection
    down = revision == "base" or revision in earlier_than(revision_of(connection))
    (command.downgrade if down else command.upgrade)(config, revision)


def earlier_than(revision: str | None) -> tuple[str, ...]:
    """The versions before one; none where that is not known."""
    return REVISIONS[: REVISIONS.index(revision)] if revision in REVISIONS else ()


def alone(connection: Connection) -> None:
    """Wait for others that migrate, until the transaction ends. In SQLite whoever writes is alone."""
    _lock(connection, "SELECT pg_advisory_xact_lock(:number)")


def still(connection: Connection) -> None:
    """Have nobody migrate for as long as this connection is open. In SQLite whoever reads sees nothing of it."""
    _lock(connection, "SELECT pg_advisory_lock_shared(:number)")


def _lock(connection: Connection, statement: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(statement), {"number": _LOCK})
