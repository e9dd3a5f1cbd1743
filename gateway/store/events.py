"""Events, and their way to webhooks. An event and what it is owed to are written together, so neither is lost.

Whoever told an event sends it at once, and whoever takes a delivery has it for a while: who died meanwhile leaves it to
the next one after that. So a receiver may get an event twice, and never not at all. What became of a delivery may be
noted before its event: sending it waits for no store.
"""

from typing import Any

from sqlalchemy import Column, Connection, Select, select, update

from gateway.core.events import Event
from gateway.store.statements import clean_key, clean_row, inserting
from gateway.store.tables import deliveries, events
from gateway.store.values import Delivery, Told

LEASE = 60.0
"""Seconds from an event for which its deliveries are left to the replica that told it."""
_PENDING, _DELIVERED, _GIVEN_UP = "pending", "delivered", "given_up"


def add_event(connection: Connection, told: Told) -> None:
    """Note an event, and what it is owed to; what the store has of it already stays."""
    event, webhooks = told
    texts = clean_row(event._asdict())
    values = {**texts, "details": dict(event.details)}
    added = inserting(connection, events).values(values).on_conflict_do_nothing(index_elements=["id"])
    if connection.execute(added.returning(events.c.id)).first() is None:
        return
    for webhook in webhooks:
        first = {"state": _PENDING, "attempts": 0, "next_try": event.at + LEASE, "last_error": ""}
        owed = inserting(connection, deliveries).values(event=event.id, webhook=webhook, **first)
        connection.execute(owed.on_conflict_do_nothing())


def read_events(
    connection: Connection, limit: int, before: str | None, route: str | None, journey: str | None
) -> list[Event]:
    """The latest events first; `before` is the last one's id of the page before."""
    query = _reading().order_by(events.c.number.desc()).limit(limit)
    for column, wanted in ((events.c.route, route), (events.c.journey, journey)):
        query = query if wanted is None else query.where(column == wanted)
    if before is not None:
        query = query.where(events.c.number < select(events.c.number).where(events.c.id == before).scalar_subquery())
    return [Event(*row) for row in connection.execute(query)]


def take_deliveries(connection: Connection, webhook: str, now: float, lease: float, limit: int) -> list[Delivery]:
    """What is to be sent to a webhook by now, the oldest first; nobody else is given it within `lease` seconds."""
    due = (deliveries.c.webhook == webhook) & (deliveries.c.state == _PENDING) & (deliveries.c.next_try <= now)
    query = _reading(deliveries.c.attempts).join(deliveries, deliveries.c.event == events.c.id).where(due)
    mine = query.order_by(events.c.number).limit(limit)
    locked = mine.with_for_update(of=deliveries, skip_locked=True)  # left out by SQLite
    taken = [Delivery(Event(*row[:-1]), row.attempts) for row in connection.execute(locked).all()]
    chosen = deliveries.c.event.in_([each.event.id for each in taken])
    connection.execute(update(deliveries).where(due, chosen).values(next_try=now + lease))
    return taken


def delivered(connection: Connection, event: str, webhook: str) -> None:
    """A webhook has an event, whatever else is said of this delivery before or after."""
    ended = {"state": _DELIVERED, "next_try": None, "last_error": ""}
    note = inserting(connection, deliveries).values(event=event, webhook=webhook, attempts=0, **ended)
    connection.execute(note.on_conflict_do_update(index_elements=["event", "webhook"], set_=ended))


def delivery_failed(
    connection: Connection, event: str, webhook: str, attempts: int, next_try: float | None, why: str
) -> None:
    """So many attempts failed; another is due at `next_try`, none for None. Nothing later is undone by it."""
    state = _GIVEN_UP if next_try is None else _PENDING
    failed = {"state": state, "attempts": attempts, "next_try": next_try, "last_error": clean_key(why)}
    note = inserting(connection, deliveries).values(event=event, webhook=webhook, **failed)
    going = (deliveries.c.state == _PENDING) & (deliveries.c.attempts <= attempts)
    connection.execute(note.on_conflict_do_update(index_elements=["event", "webhook"], set_=failed, where=going))


def _reading(*more: Column[Any]) -> Select[*tuple[Any, ...]]:
    return select(*(events.c[name] for name in Event._fields), *more)
