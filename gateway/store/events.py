"""Events, and their way to webhooks. An event and what it is owed to are written together, so neither is lost.

A delivery is taken for a while: whoever took it and died leaves it to the next one after that. So a receiver may get an
event twice, and never not at all.
"""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Column, Connection, Select, insert, select, update

from gateway.store.statements import clean_row, inserting
from gateway.store.tables import deliveries, events
from gateway.store.values import Delivery, Event

_TOLD = ("kind", "at", "route", "journey", "by", "why", "details", "key")
_COLUMNS = (*_TOLD, "id")
_PENDING, _DELIVERED, _GIVEN_UP = "pending", "delivered", "given_up"


def add_event(connection: Connection, event: Event) -> Event:
    """Note an event, and that each of its webhooks is to be sent it at once; the event with its id and key."""
    event = event._replace(key=event.key or uuid4().hex)
    values = clean_row({name: value for name, value in event._asdict().items() if name in _TOLD})
    noted = inserting(connection, events).values(values).on_conflict_do_nothing().returning(events.c.id)
    number = connection.execute(noted).scalar()
    if number is None:
        return event._replace(id=connection.execute(_id_of(event.key)).scalar_one())
    for webhook in dict.fromkeys(event.webhooks):
        first = {"state": _PENDING, "attempts": 0, "next_try": event.at, "last_error": ""}
        connection.execute(insert(deliveries).values(event=number, webhook=webhook, **first))
    return event._replace(id=number)


def read_events(
    connection: Connection, limit: int, before: int | None, route: str | None, journey: str | None
) -> list[Event]:
    """The latest events first; `before` is the last one's id of the page before."""
    query = _reading().order_by(events.c.id.desc()).limit(limit)
    for column, wanted in ((events.c.route, route), (events.c.journey, journey)):
        query = query if wanted is None else query.where(column == wanted)
    if before is not None:
        query = query.where(events.c.id < before)
    return [_event(row) for row in connection.execute(query)]


def take_deliveries(connection: Connection, webhook: str, now: float, lease: float, limit: int) -> list[Delivery]:
    """What is to be sent to a webhook by now, the oldest first; nobody else is given it within `lease` seconds."""
    due = (deliveries.c.webhook == webhook) & (deliveries.c.state == _PENDING) & (deliveries.c.next_try <= now)
    query = (
        _reading(deliveries.c.attempts, deliveries.c.next_try)
        .join(deliveries, deliveries.c.event == events.c.id)
        .where(due)
    )
    mine = query.order_by(events.c.id).limit(limit)
    mine = mine.with_for_update(of=deliveries, skip_locked=True)  # SQLite has no such words: who writes is alone
    taken = [Delivery(_event(row[:-2]), webhook, row.attempts, row.next_try) for row in connection.execute(mine).all()]
    chosen = deliveries.c.event.in_([each.event.id for each in taken])
    connection.execute(update(deliveries).where(due, chosen).values(next_try=now + lease))
    return taken


def delivered(connection: Connection, key: str, webhook: str) -> None:
    _tried(connection, key, webhook, state=_DELIVERED, last_error="")


def delivery_failed(connection: Connection, key: str, webhook: str, next_try: float | None, why: str) -> None:
    """Try again at `next_try`; None: never."""
    if next_try is None:
        _tried(connection, key, webhook, state=_GIVEN_UP, last_error=why)
    else:
        _tried(connection, key, webhook, next_try=next_try, last_error=why)


def _tried(connection: Connection, key: str, webhook: str, **changed: str | float) -> None:
    one = (deliveries.c.event == _id_of(key).scalar_subquery()) & (deliveries.c.webhook == webhook)
    connection.execute(update(deliveries).where(one).values(attempts=deliveries.c.attempts + 1, **clean_row(changed)))


def _id_of(key: str) -> Select[int]:
    return select(events.c.id).where(events.c.key == key)


def _reading(*more: Column[Any]) -> Select[*tuple[Any, ...]]:
    return select(*(events.c[name] for name in _COLUMNS), *more)


def _event(row: Sequence[Any]) -> Event:
    return Event(**dict(zip(_COLUMNS, row, strict=True)))
