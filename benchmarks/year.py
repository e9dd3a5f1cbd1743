"""A store as it is after a year: two days by the minute, hours joined from them before that, few routes busy.

A template has a row for each way that requests take; the database itself multiplies it by the year's hours and minutes,
so that millions of rows take a minute or two. What the gateway would join is marked as joined.
"""

import asyncio
from collections.abc import Iterator
from itertools import count
from math import sin, tau
from pathlib import Path
from time import monotonic, time
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    cast,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.thousands import Known, overrides
from gateway.core.comparing.redaction import Example, Kept
from gateway.store import tables
from gateway.store.addresses import address_of
from gateway.store.engines import open_engine
from gateway.store.keeping import FINE, HOUR
from gateway.store.repository import Store
from gateway.store.values import Configuration

DAY, EVIDENCE = 86_400, 90 * 86_400
WAITS = 600.0
EVENTS, CONFIGURATIONS, BY_THE_MINUTE = 20_000, 100, 5
_TEMPORARY = ["TEMPORARY"]
_METADATA = MetaData()
ways = Table(
    "bench_ways",
    _METADATA,
    *(Column(name, Text) for name in ("route", "side", "role")),
    *(
        Column(name, Integer)
        for name in ("status_class", "requests", "failing", "every", "hours", "often", "shift", "minutes")
    ),
    prefixes=_TEMPORARY,
)
"""What a route does in a minute in which it is called, in every so many of them (or in every so many `hours`, so
`often` in each); `minutes` 1: kept so for the year."""
moments = Table(
    "bench_moments",
    _METADATA,
    *(Column(name, BigInteger) for name in ("at", "number", "weight")),
    prefixes=_TEMPORARY,
)
SPREAD = (2, 3, 5, 8, 12, 40, 20, 8, 1, 1, 0, 0, 0, 0)
"""How 100 latencies lie in the histogram."""


class Filled(NamedTuple):
    """How many rows there are of what is counted by the minute, how large it all is, and how long it took."""

    rows: dict[str, int]
    megabytes: float
    seconds: float

    def __str__(self) -> str:
        told = ", ".join(f"{number:,} rows of {name}" for name, number in self.rows.items())
        return f"{told}; {self.megabytes:,.0f} MB, filled in {self.seconds:.0f} s"


def filled(url: str | None, data: Path, known: list[Known], text: str, days: int, *, minutes: bool) -> Filled:
    """Make the store and fill it. `text` is the file that served; with `minutes` the totals and a few routes are by the
    minute over all of the time."""
    return asyncio.run(_fill(url, data, known, text, days, minutes=minutes))


async def _fill(url: str | None, data: Path, known: list[Known], text: str, days: int, *, minutes: bool) -> Filled:
    began = monotonic()
    await (await Store.open(url, data, upgrade=True)).close()
    address = address_of(url, data)
    engine = open_engine(address, WAITS)
    try:
        async with engine.writing.connect() as connection:
            await _rest(connection, known, text)
            await _counts(connection, known, days, minutes=minutes)
            rows = {
                each.name: (await connection.execute(select(func.count()).select_from(each))).scalar_one()
                for each in (tables.traffic, tables.verdicts, tables.totals)
            }
            size = address.file.stat().st_size if address.file else await _size(connection)
    finally:
        await engine.reading.dispose()
    return Filled(rows, size / 1e6, monotonic() - began)


async def _size(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.pg_database_size(func.current_database())))).scalar_one())


# ------------------------------------------------------------------------------------------------ counts


async def _counts(connection: AsyncConnection, known: list[Known], days: int, *, minutes: bool) -> None:
    """Traffic, verdicts and totals; the index is made when all rows are there."""
    routes = [dict(row) for each in known for row in _ways(each)]
    steady = {each.name for each in known if each.every == 1 and len(each.serves) == 2}
    for row in routes:
        row["minutes"] = int(minutes and row["route"] in sorted(steady)[:BY_THE_MINUTE])
    (index,) = tables.traffic.indexes
    await connection.run_sync(_METADATA.create_all)
    await connection.execute(insert(ways), routes)
    await connection.run_sync(index.drop)
    now = int(time())
    fine, begin = (now - FINE) // HOUR * HOUR + HOUR, (now - days * DAY) // HOUR * HOUR
    await _multiplied(connection, begin, fine, HOUR, minutes=minutes)
    if minutes:
        await _multiplied(connection, begin, fine, 60, minutes=True)
    marks = [{"name": f"joined_{name}", "number": fine} for name in ("traffic", "totals", "verdicts")]
    await connection.execute(insert(tables.marks), marks)
    await _multiplied(connection, fine, int(time()), 60, minutes=None)
    await connection.run_sync(index.create)
    await connection.run_sync(_METADATA.drop_all)
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql("ANALYZE")  # as its autovacuum would have, long ago
    await connection.commit()


async def _multiplied(connection: AsyncConnection, begin: int, end: int, step: int, *, minutes: bool | None) -> None:
    """Rows for each `step` of that time; a piece of a month, or a day of minutes, in each transaction. `minutes` None:
    of all routes, otherwise of those that are kept by the minute (step 60) or of the others."""
    piece = 30 * DAY if step == HOUR else DAY
    for at in range(begin, end, piece):
        until = min(at + piece, end)
        rows = [{"at": each, "number": each // step, "weight": _weight(each)} for each in range(at, until, step)]
        await connection.execute(moments.delete())
        await connection.execute(insert(moments), rows)
        await _traffic(connection, step, minutes=minutes)
        if until > end - EVIDENCE and (step == HOUR or minutes is None):
            await _verdicts(connection, step)
        if not (minutes and step == HOUR):
            await _totals(connection, step)
        await connection.commit()


def _weight(at: int) -> int:
    """A council's day: 1 at night to 9 at noon."""
    return round(5 - 4 * sin(tau * (at % DAY / DAY + 0.25)))


def _taken(step: int, *values: Any) -> Select[Any]:
    """Values of each moment and way that is taken in it."""
    every = ways.c.every if step == 60 else ways.c.hours
    there = moments.join(ways, (moments.c.number + ways.c.shift) % every == 0)
    return select(moments.c.at, *values).select_from(there)


def _requests(step: int) -> Any:
    return ways.c.requests * moments.c.weight * (1 if step == 60 else ways.c.often)


def _measured(requests: Any) -> list[Any]:
    """Seconds, and the histogram, of so many requests."""
    return [cast(requests, Double) * 0.18, *(requests * part // 100 for part in SPREAD)]


async def _traffic(connection: AsyncConnection, step: int, *, minutes: bool | None) -> None:
    requests, keys = _requests(step), [ways.c.route, ways.c.side, ways.c.role, ways.c.status_class]
    rows = _taken(step, *keys, requests, ways.c.failing * requests, *_measured(requests))
    if minutes is not None:
        rows = rows.where(ways.c.minutes == int(minutes and step == 60))
    order = rows.order_by(moments.c.at, *keys)
    await connection.execute(insert(tables.traffic).from_select(list(tables.traffic.c.keys()), order))


async def _verdicts(connection: AsyncConnection, step: int) -> None:
    copies = _taken(step, ways.c.route, literal("matched"), _requests(step)).where(ways.c.role == "shadow")
    order = copies.order_by(moments.c.at, ways.c.route)
    await connection.execute(insert(tables.verdicts).from_select(list(tables.verdicts.c.keys()), order))


async def _totals(connection: AsyncConnection, step: int) -> None:
    """What both sides answered: rising for the new one."""
    for side, share in (("legacy", 70), ("new", 30)):
        requests = moments.c.weight * (step // 60) * share * 10
        rows = select(moments.c.at, literal(side), requests, requests // 500, *_measured(requests))
        await connection.execute(insert(tables.totals).from_select(list(tables.totals.c.keys()), rows))


def _ways(known: Known) -> Iterator[dict[str, Any]]:
    """What a route's requests do: they are answered by its sides, fail now and then, and are copied."""
    if not known.every:
        return
    for side in known.serves:
        requests = 2 if known.every > 1 else 1 if side == "new" and known.kind != "new" else 9
        yield _way(known, side, "live", 2, requests, known.every)
        yield _way(known, side, "live", 5, 1, known.every * 37)
    if known.is_compared:
        yield _way(known, "new", "shadow", 2, 1, known.every)


def _way(known: Known, side: str, role: str, status: int, requests: int, every: int) -> dict[str, Any]:
    way = {"route": known.name, "side": side, "role": role, "status_class": status, "requests": requests}
    often = {"every": every, "hours": max(1, every // 60), "often": max(1, 60 // every)}
    return way | often | {"failing": int(status == 5), "shift": len(known.name) * 7 % every, "minutes": 0}


# ------------------------------------------------------------------------------------------------ the rest


async def _rest(connection: AsyncConnection, known: list[Known], text: str) -> None:
    now, numbers = time(), count(1)
    columns = {
        tables.calls: [row for each in known for row in _calls(each, now)],
        tables.fields: [row for each in known if each.is_compared for row in _fields(each, now)],
        tables.examples: [row for each in known if each.is_compared for row in _examples(each, now)],
        tables.events: [_event(known, next(numbers), now) for _ in range(EVENTS)],
        tables.overrides: [each._asdict() for each in overrides(known, now)],
        tables.configurations: [_configuration(n, text, now) for n in range(CONFIGURATIONS)],
    }
    for table, rows in columns.items():
        if rows:
            await connection.execute(insert(table), rows)
    await connection.commit()


def _calls(known: Known, now: float) -> Iterator[dict[str, Any]]:
    if known.every:
        times = {"requests": 400_000 // known.every, "errors": 7, "first_seen": now - 300 * DAY}
        for side in known.serves:
            backend = known.new if side == "new" else known.legacy
            last = now - 60.0 * known.every
            yield {"backend": backend, "route": known.name, "side": side, "live": 1, "last_seen": last, **times}
        if known.is_compared:
            yield {"backend": known.new, "route": known.name, "side": "new", "live": 0, "last_seen": now, **times}


def _fields(known: Known, now: float) -> Iterator[dict[str, Any]]:
    for field in ("/at", "/balance", "/lines/*/value", "/name", "/tenant/since"):
        counts = {"differs": 7, "odd_candidate": 0, "odd_control": 0, "all_differ": 0}
        usual = {"route": known.name, "field": field, "kind": "value"}
        yield usual | counts | {"first_seen": now - 30.0 * DAY, "last_seen": now - 600.0}


def _examples(known: Known, now: float) -> Iterator[dict[str, Any]]:
    kept = Kept("string", 7, "0" * 16)
    document = Example("/balance", "/balance", "value", kept, kept).plain()
    for n in range(5):
        at = now - n * 600
        yield {"route": known.name, "field": "/balance", "kind": "value", "at": at, "document": document}


def _event(known: list[Known], number: int, now: float) -> dict[str, Any]:
    name = known[number % len(known)].name
    kinds = ("promoted", "held", "approval_needed", "approved", "config_changed")
    at = now - (EVENTS - number) * 365 * DAY / EVENTS
    about = {"kind": kinds[number % len(kinds)], "route": name, "journey": name, "by": "Ada", "why": "All guards met."}
    return {"id": f"bench-{number}", "at": at, "details": {}, **about}


def _configuration(n: int, text: str, now: float) -> dict[str, Any]:
    at, counts = now - (CONFIGURATIONS - n) * 3 * DAY, {"legacy": 1_000 - n, "new": 500 + n}
    told = Configuration(0, f"{n:064x}", at, "Ada", "the next ones", [], counts, {"routes.yaml": text})
    return {key: value for key, value in told._asdict().items() if key != "number"}
