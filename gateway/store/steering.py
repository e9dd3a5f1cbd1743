"""What the traffic goes by: where ramps stand, and overrides; and the evidence that ramps go by.

A step of a ramp is taken by whoever finds it as they left it (compare and set), so that of several replicas one takes
it. Each change raises a number, so that asking whether there was one costs next to nothing.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Executable, delete, select, tuple_, update

from gateway.store.events import add_event
from gateway.store.statements import Row, clean_row, execute_sliced, inserting, replacing, slices
from gateway.store.tables import evidence, marks, overrides, positions
from gateway.store.values import Document, Override, StageKey, StoredEvidence, StoredPosition, Told

_CHANGES = "standing"


def changes(connection: Connection) -> int:
    """How often positions and overrides were changed so far."""
    return connection.execute(select(marks.c.number).where(marks.c.name == _CHANGES)).scalar() or 0


def _changed(connection: Connection, told: Told | None) -> None:
    """Every change ends with this: others shall see it, and a person shall be able to ask about it."""
    first = inserting(connection, marks).values(name=_CHANGES, number=1)
    connection.execute(
        first.on_conflict_do_update(index_elements=["name"], set_={"number": marks.c.number + first.excluded.number})
    )
    if told is not None:
        add_event(connection, told)


# ----------------------------------------------------------------------------------------- ramps


def read_positions(connection: Connection) -> list[StoredPosition]:
    return [StoredPosition(*row) for row in connection.execute(select(positions).order_by(positions.c.journey))]


def put_position(
    connection: Connection, journey: str, sequence_before: int, document: Document, told: Told | None, steps: int
) -> bool:
    """Take steps from where the ramp stood after `sequence_before` of them (0: none); False if it stands elsewhere."""
    step: Row = {"journey": journey, "sequence": sequence_before + steps, "document": document}
    statement: Executable
    if sequence_before == 0:
        statement = (
            inserting(connection, positions).values(step).on_conflict_do_nothing().returning(positions.c.journey)
        )
    else:
        found = (positions.c.journey == journey) & (positions.c.sequence == sequence_before)
        statement = update(positions).where(found).values(step).returning(positions.c.journey)
    taken = connection.execute(statement).first() is not None
    if taken:
        _changed(connection, told)
    return taken


def put_evidence(connection: Connection, replica: str, at: float, seen: Sequence[StoredEvidence]) -> None:
    rows = ({**each._asdict(), "replica": replica, "at": at} for each in seen)
    execute_sliced(connection, replacing(connection, evidence), rows)


def read_evidence(connection: Connection, stages: Iterable[StageKey]) -> dict[StageKey, dict[str, Document]]:
    found: dict[StageKey, dict[str, Document]] = {}
    key = tuple_(evidence.c.journey, evidence.c.generation, evidence.c.stage)
    for some in slices(stages):
        rows = connection.execute(select(evidence).where(key.in_(some)).order_by(evidence.c.replica))
        for row in rows:
            found.setdefault((row.journey, row.generation, row.stage), {})[row.replica] = row.document
    return found


# ----------------------------------------------------------------------------------------- overrides


def read_overrides(connection: Connection) -> list[Override]:
    return [Override(*row) for row in connection.execute(select(overrides).order_by(overrides.c.route))]


def set_override(connection: Connection, override: Override, told: Told | None) -> None:
    connection.execute(replacing(connection, overrides), clean_row(override._asdict()))
    _changed(connection, told)


def clear_override(connection: Connection, route: str, set_at: float | None, told: Told | None) -> bool:
    """End an override (with `set_at`: only the one that was set then); False when there was none."""
    query = delete(overrides).where(overrides.c.route == route)
    if set_at is not None:
        query = query.where(overrides.c.set_at == set_at)
    cleared = connection.execute(query.returning(overrides.c.route)).first() is not None
    if cleared:
        _changed(connection, told)
    return cleared
