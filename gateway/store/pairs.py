"""The crosswalk: identifiers of one thing on both sides, made by a write that both get."""

from typing import Any, cast

from sqlalchemy import Connection, delete, select

from gateway.core.crosswalk import Pair
from gateway.core.model import Side
from gateway.core.writing import Made
from gateway.store.statements import clean, inserting
from gateway.store.tables import crosswalk

AGAIN = 1_000
"""Numbers that are read again: transactions may come to their end in another order than that of their numbers."""


def note(connection: Connection, write_id: str, made: Made) -> None:
    """A write has made something on one side. Told again, or by one that is delivered again, the first word holds."""
    mine = crosswalk.c.write == write_id
    there = connection.execute(select(crosswalk).where(mine).with_for_update()).mappings().first()
    value = clean(made.value)
    if there is None:
        row: dict[str, Any] = {"name": made.name, "origin": made.side, "write": write_id, made.side: value}
        connection.execute(inserting(connection, crosswalk).values(**row).on_conflict_do_nothing())
    elif there[made.side] is None:
        row = {key: each for key, each in there.items() if key != "number"} | {made.side: value}
        connection.execute(delete(crosswalk).where(mine))
        connection.execute(inserting(connection, crosswalk).values(**row))


def read(connection: Connection, after: int, most: int) -> list[tuple[int, Pair]]:
    """Pairs with numbers above `after`, with their numbers, in order."""
    found = connection.execute(
        select(crosswalk).where(crosswalk.c.number > after).order_by(crosswalk.c.number).limit(most)
    )
    return [
        (row["number"], Pair(row["name"], row["legacy"], row["new"], cast(Side, row["origin"])))
        for row in found.mappings()
    ]
