"""What only one of several replicas is to do: who raises its number first does it."""

from sqlalchemy import Connection, update

from gateway.store.statements import inserting
from gateway.store.tables import marks


def claim(connection: Connection, name: str, number: int) -> bool:
    """Raise a mark to a number; False when it stands there already, or higher, or when there was none: now there is."""
    first = inserting(connection, marks).values(name=name, number=number).on_conflict_do_nothing()
    if connection.execute(first.returning(marks.c.name)).first() is not None:
        return False
    lower = (marks.c.name == name) & (marks.c.number < number)
    return (
        connection.execute(update(marks).where(lower).values(number=number).returning(marks.c.name)).first() is not None
    )
