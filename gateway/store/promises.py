"""What clients were answered under their own keys (`Idempotency-Key`), so that a write that comes again is made once.

A claim is made in the transaction that stores the intent, and kept or let go with what came of it.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, select, update

from gateway.core.writing import Claim, Ending, Given, Signal
from gateway.store.statements import inserting
from gateway.store.tables import idempotency

Answer = tuple[Any, ...]


def known(connection: Connection, claim: Claim, now: float) -> Answer | None:
    """What is known of a claim; None where nobody has made it.

    ("replay", `Given`), ("queued", the write's id), ("mismatch",) where something else was sent under the key,
    ("in_flight",) while it is being done, ("unknown",) where nobody knows what came of it.
    """
    mine = idempotency.c.scope == claim.scope
    row = connection.execute(select(idempotency).where(mine)).mappings().first()
    if row is None:
        return None
    if row["until"] <= now:
        connection.execute(delete(idempotency).where(mine, idempotency.c.until <= now))
        return None
    if row["fingerprint"] != claim.fingerprint:
        return ("mismatch",)
    match row["state"]:
        case "answered":
            return ("replay", Given(row["status"], bytes(row["lines"]), bytes(row["body"])))
        case "queued":
            return ("queued", row["write"])
        case "busy":
            return ("in_flight",)
        case _:
            return ("unknown",)


def make(connection: Connection, claim: Claim, owner: str, write_id: str, now: float) -> bool:
    """Make a claim, for a write that is under way, or (without an owner) one that is queued; False where somebody else
    has just made it."""
    row = {**claim._asdict(), "state": "busy" if owner else "queued", "owner": owner, "changed": now, "write": write_id}
    insert = inserting(connection, idempotency).values(**row).on_conflict_do_nothing()
    return connection.execute(insert.returning(idempotency.c.scope)).first() is not None


def end(connection: Connection, ending: Ending, now: float) -> None:
    """Keep what the client was answered, or let go of what nobody has done. Told again it is the same."""
    mine = (idempotency.c.scope == ending.scope) & (idempotency.c.write == ending.id)
    ours = mine & idempotency.c.state.in_(("busy", "unknown", "queued"))
    if ending.signal is Signal.NOTHING and ending.given is None:
        connection.execute(delete(idempotency).where(ours))
        return
    values: dict[str, Any] = {"state": "unknown", "owner": "", "changed": now}
    if ending.given is not None:
        status, lines, body = ending.given
        values |= {"state": "answered", "status": status, "lines": lines, "body": body}
    connection.execute(update(idempotency).where(ours).values(**values))


def orphaned(connection: Connection, alive: Iterable[str], replica: str, before: float) -> None:
    """Nobody knows what came of writes whose process is gone: this replica's but those `alive`, and any since
    `before`."""
    ours = idempotency.c.owner.startswith(f"{replica} ", autoescape=True) & idempotency.c.owner.not_in(list(alive))
    lost = (idempotency.c.state == "busy") & (ours | (idempotency.c.changed < before))
    connection.execute(update(idempotency).where(lost).values(state="unknown", owner=""))
