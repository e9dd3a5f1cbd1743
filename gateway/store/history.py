"""Every configuration that served, and the figures of all routes together: what the ledger is made of."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, cast, func, select

from gateway.core.auditing import Act
from gateway.core.discovering import Endpoint
from gateway.store.access import add_acts
from gateway.store.statements import adding, clean_key, clean_row, execute_sliced, inserting, marked
from gateway.store.tables import LATENCY, calls, configurations, endpoints, totals
from gateway.store.values import Calls, Configuration, Total


def add_configuration(connection: Connection, told: Configuration, act: Act | None) -> bool:
    """Note what serves now, and in the audit the act that brought it: all but the very first change something.

    False where it is the last one noted, by this gateway or by another on the store.
    """
    marked(connection, "configurations")  # of several that serve the same from the same moment on, one notes it
    last = select(configurations.c.digest).order_by(configurations.c.number.desc()).limit(1)
    before = connection.execute(last).scalar()
    if before == told.digest:
        return False
    row = clean_row(told._asdict())
    del row["number"]
    connection.execute(inserting(connection, configurations).values(row))
    if act is not None and before is not None:
        add_acts(connection, [act._replace(before={**act.before, "digest": before})])
    return True


def read_configurations(connection: Connection, most: int, before: int | None) -> list[Configuration]:
    """The latest first, without their files."""
    columns = [configurations.c[name] for name in Configuration._fields if name != "files"]
    query = select(*columns).order_by(configurations.c.number.desc()).limit(most)
    if before is not None:
        query = query.where(configurations.c.number < before)
    return [Configuration(*row) for row in connection.execute(query)]


def read_configuration(connection: Connection, number: int) -> Configuration | None:
    """One of them, with its files."""
    columns = [configurations.c[name] for name in Configuration._fields]
    row = connection.execute(select(*columns).where(configurations.c.number == number)).first()
    return None if row is None else Configuration(*row)


def read_totals(connection: Connection, begin: float, end: float, step: int) -> list[Total]:
    """What either side answered in `begin <= minute < end`, added up over `step` seconds, in order."""
    minute = totals.c.minute - totals.c.minute % step
    sums: list[Any] = [
        cast(func.sum(totals.c[name]), totals.c[name].type) for name in ("requests", "errors", "seconds", *LATENCY)
    ]
    within = (totals.c.minute >= begin) & (totals.c.minute < end)
    query = select(minute.label("at"), totals.c.side, *sums).where(within).group_by("at", totals.c.side)
    rows = connection.execute(query.order_by("at", totals.c.side))
    return [Total._make((*row[:5], tuple(row[5:]))) for row in rows]


def add_endpoints(connection: Connection, route: str, seen: Sequence[Endpoint]) -> None:
    """Add what a catch-all route was asked for to what it was before."""
    rows = [
        {
            "route": route,
            "method": each.method,
            "template": clean_key(each.template),
            "requests": each.requests,
            "errors": each.errors,
            "first_seen": each.first,
            "last_seen": each.last,
        }
        for each in sorted(seen)
    ]
    execute_sliced(connection, adding(connection, endpoints, earliest="first_seen", latest="last_seen"), rows)


def read_endpoints(connection: Connection) -> dict[str, list[Endpoint]]:
    """What catch-all routes were asked for, by route."""
    found: dict[str, list[Endpoint]] = {}
    for row in connection.execute(select(endpoints).order_by(endpoints.c.route, endpoints.c.requests.desc())):
        found.setdefault(row.route, []).append(Endpoint(*row[1:]))
    return found


def read_calls(connection: Connection) -> list[Calls]:
    """All that backends were asked for."""
    query = select(*(calls.c[name] for name in Calls._fields)).order_by(calls.c.backend, calls.c.route, calls.c.side)
    return [Calls(*row) for row in connection.execute(query)]
