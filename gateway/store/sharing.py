"""Which gateways there are, and which part each of them uses of what backends can bear: see `core.sharing`.

All of them go by the database's clock, and one after the other.
"""

from time import time

from sqlalchemy import Connection, delete, func, inspect, select

from gateway.core.sharing import LASTS, NOTHING, Wanted, wanted
from gateway.store.statements import inserting, replacing
from gateway.store.tables import marks, replicas, shares

_TURN = "shares"


def renew(connection: Connection, replica: str, parts: int, lasts: float) -> Wanted:
    """Tell that a gateway is there and uses one of so many parts; what it may use from now on, for `lasts` seconds.

    One that knows of none (NOTHING) has what it had before: a process of it may still be using that.
    """
    _alone(connection)
    now = _now(connection)
    connection.execute(delete(shares).where(shares.c.until < now))
    known = {row.replica: row.parts for row in connection.execute(select(shares.c.replica, shares.c.parts))}
    before = known.pop(replica, NOTHING)
    found = wanted(parts or before, known.values())
    connection.execute(replacing(connection, shares), {"replica": replica, "parts": found.parts, "until": now + lasts})
    return found


def leave(connection: Connection, replica: str) -> None:
    """A gateway uses no part any more."""
    connection.execute(delete(shares).where(shares.c.replica == replica))


def seen(connection: Connection, within: float) -> dict[str, float]:
    """The gateways that have used the store within so many seconds, and how many seconds ago each did last.

    Of one that was stopped in good order its last flush is left; one that has only just begun has a share at first. The
    schema may be an older one, or none.
    """
    now = _now(connection)
    there = inspect(connection)
    last: dict[str, float] = {}
    if there.has_table(replicas.name):
        last |= {row.id: row.last_seen for row in connection.execute(select(replicas.c.id, replicas.c.last_seen))}
    if there.has_table(shares.name):
        for row in connection.execute(select(shares.c.replica, shares.c.until)):
            last[row.replica] = max(row.until - LASTS, last.get(row.replica, 0.0))
    # a clock that is far ahead must not keep a gateway here for ever
    return {replica: max(now - at, 0.0) for replica, at in last.items() if abs(now - at) <= within}


def _alone(connection: Connection) -> None:
    """Wait for others that renew: a row that all of them change is whose turn it is."""
    turn = inserting(connection, marks).values(name=_TURN, number=1)
    connection.execute(turn.on_conflict_do_update(index_elements=["name"], set_={"number": marks.c.number + 1}))


def _now(connection: Connection) -> float:
    """The time by the clock that all gateways share: that of a server, or of this machine."""
    if connection.dialect.name == "sqlite":
        return time()
    return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())
