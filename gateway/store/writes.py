"""Writes that are owed to somebody: the outbox of copies, and the queue of those that wait for their record.

What data asks comes in batches, each one transaction: a statement never fails for another one's sake. Every change of
state goes by `TRANSITIONS`: what comes late or twice changes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, func, select, update

from gateway.core.writing import OPEN, Ending, Given, Intent, Kept, Kind, Made, Receipt, Signal, State, leads
from gateway.store import pairs, promises
from gateway.store.statements import clean, inserting
from gateway.store.tables import writes

ABANDONED = 900.0
"""Seconds after which a write that was with some process is with none: whoever had it would have told by then."""
SHOWN_KEY = 200
Answer = tuple[Any, ...]
KINDS: tuple[Kind, ...] = ("copy", "queued")


class Owed(NamedTuple):
    """A write to be delivered to a side; `copy` tells that the other side gets it then, too."""

    id: str
    kind: Kind
    route: str
    side: str
    copy: bool
    repeatable: bool
    until: float
    tries: int
    kept: Kept


class Tried(NamedTuple):
    """What a try to deliver a write came to: `given` is what the record answered to a queued one, `made` what the side
    says to have made."""

    owed: Owed
    signal: Signal
    why: str = ""
    next_try: float = 0.0
    given: Given | None = None
    made: Made | None = None


class Standing(NamedTuple):
    """Where a write stands, for people: without what was sent. `given` is what the record answered to a queued one."""

    id: str
    kind: Kind
    state: State
    route: str
    key: str
    side: str
    at: float
    until: float
    next_try: float
    tries: int
    changed: float
    why: str
    given: Given | None = None


# ------------------------------------------------------------------------------------------------ what data asks


def store(connection: Connection, asked: Sequence[Intent | Ending | Receipt], owner: str, now: float) -> list[Answer]:
    """Carry out what was asked; an answer for each: see `begin` and `end`.

    First what ended, then what begins, by its lane: of two gateways that are about to wait for each other's lanes one
    goes before the other then.
    """
    begun = {each.id for each in asked if isinstance(each, Intent)}
    answers: dict[int, Answer] = {}

    def turn(at: int) -> tuple[int, str]:
        each = asked[at]
        return (1, each.lane) if isinstance(each, Intent) else (2 if each.id in begun else 0, "")

    for at in sorted(range(len(asked)), key=turn):
        match asked[at]:
            case Intent() as intent:
                answers[at] = begin(connection, intent, owner, now)
            case Ending() as ending:
                answers[at] = end(connection, ending, now)
            case Receipt() as asks:
                answers[at] = receipt(connection, asks)
    return [answers[at] for at in range(len(asked))]


def begin(connection: Connection, intent: Intent, owner: str, now: float) -> Answer:
    """Store an intent. ("go",): the record may be called; ("queued", id): the write waits for it; ("busy",): another
    write of its lane is under way; or what is known of its claim (see `promises.known`)."""
    claim = intent.claim
    if claim is not None and (found := promises.known(connection, claim, now)) is not None:
        return found
    waits = intent.queue == "now" or (intent.queue == "behind" and _waiting(connection, intent))
    if claim is not None and not promises.make(connection, claim, "" if waits else owner, intent.id, now):
        return ("busy",)  # by now it is known
    answer = _begin(connection, intent, waits, owner, now)
    if answer == ("busy",) and claim is not None:
        promises.end(connection, Ending(intent.id, Signal.NOTHING, scope=claim.scope), now)
    return answer


def _begin(connection: Connection, intent: Intent, waits: bool, owner: str, now: float) -> Answer:
    if waits:
        _insert(connection, intent, "queued", State.READY, intent.record, "", now)
        return ("queued", intent.id)
    if not intent.copy:
        return ("go",)
    other = "new" if intent.record == "legacy" else "legacy"
    stored = _insert(connection, intent, "copy", State.PENDING, other, owner, now)
    return ("go",) if stored else ("busy",)


def _waiting(connection: Connection, intent: Intent) -> bool:
    """Whether writes of its lane wait for the record."""
    lane = (writes.c.lane == intent.lane) & (writes.c.side == intent.record) & (writes.c.kind == "queued")
    return connection.execute(select(writes.c.id).where(lane, writes.c.state.in_(OPEN)).limit(1)).first() is not None


def _insert(
    connection: Connection, intent: Intent, kind: Kind, state: State, side: str, owner: str, now: float
) -> bool:
    """Whether it is there now, and was not before."""
    kept = intent.kept
    row = {
        "id": intent.id,
        "kind": kind,
        "state": state,
        "route": intent.route,
        "lane": intent.lane,
        "key": clean(intent.key[:SHOWN_KEY]),
        "side": side,
        "copy": int(intent.copy and kind == "queued"),
        "repeatable": int(intent.repeatable or kind == "copy"),
        "owner": owner,
        "at": intent.at,
        "until": intent.until,
        "next_try": now,
        "tries": 0,
        "changed": now,
        "why": "",
        "request": {name: value.decode("latin-1") for name, value in kept._replace(body=b"")._asdict().items()},
        "body": kept.body,
    }
    insert = inserting(connection, writes).values(**row).on_conflict_do_nothing()
    return connection.execute(insert.returning(writes.c.number)).first() is not None


def end(connection: Connection, ending: Ending, now: float) -> Answer:
    """Note what came of a write; ("done",), also when it is noted already."""
    which = writes.c.id == ending.id
    if ending.signal is Signal.NOTHING:
        which &= (writes.c.kind == "copy") | (writes.c.tries == 0)  # what has been tried once is no longer nothing
    _move(connection, which, ending.signal, now, why=clean(ending.why))
    if ending.made is not None:
        pairs.note(connection, ending.id, ending.made)
    if ending.scope:
        promises.end(connection, ending, now)
    return ("done",)


def receipt(connection: Connection, asked: Receipt) -> Answer:
    """("receipt", state, when it came, `Given` or None) of a queued write; ("none",) where there is none."""
    found = find(connection, asked.id)
    if found is None or found[0].kind != "queued":
        return ("none",)
    return ("receipt", found[0].state, found[0].at, found[0].given)


def _move(connection: Connection, which: ColumnElement[bool], signal: Signal, now: float, **more: Any) -> int:
    """Move writes on by a signal; how many there were to be moved."""
    moved = 0
    for kind in KINDS:
        table = leads(kind, signal)
        gone = [before for before, after in table.items() if after is State.GONE]
        ours = which & (writes.c.kind == kind)
        if gone:
            moved += connection.execute(delete(writes).where(ours, writes.c.state.in_(gone))).rowcount
        stays = {before: after for before, after in table.items() if after is not State.GONE}
        if stays:
            after = case(*((writes.c.state == before, after.value) for before, after in stays.items()))
            values = {"state": after, "owner": "", "changed": now, "next_try": now, **more}
            found = connection.execute(update(writes).where(ours, writes.c.state.in_(stays)).values(**values))
            moved += found.rowcount
    return moved


# ------------------------------------------------------------------------------------------------ delivering


def turn(
    connection: Connection,
    tried: Iterable[Tried],
    owner: str,
    now: float,
    most: int,
    known: Sequence[str] | None = None,
) -> list[Owed]:
    """Note what tries came to, and take so many more. With `known`, what the owner has been given without knowing is
    to be given anew: its answer was lost."""
    for each in tried:
        note(connection, each, now, owner)
    if known is not None:
        lost = (writes.c.state == State.DELIVERING) & (writes.c.owner == owner) & writes.c.id.not_in(list(known))
        _move(connection, lost, Signal.AGAIN, now)
    return take(connection, owner, now, most) if most else []


def take(connection: Connection, owner: str, now: float, most: int) -> list[Owed]:
    """Writes that are due, the first of each lane and side; nobody else is given them until it is told what came."""
    earlier = writes.alias("earlier")
    before = select(earlier.c.number).where(
        earlier.c.lane == writes.c.lane,
        earlier.c.side == writes.c.side,
        earlier.c.number < writes.c.number,
        earlier.c.state.in_(OPEN),
    )
    due = select(writes.c.number).where(writes.c.state == State.READY, writes.c.next_try <= now, ~before.exists())
    numbers = list(connection.execute(due.order_by(writes.c.number).limit(most)).scalars())
    if not numbers:
        return []
    claim = update(writes).where(writes.c.number.in_(numbers), writes.c.state == State.READY)
    claimed = claim.values(state=State.DELIVERING, owner=owner, changed=now, tries=writes.c.tries + 1)
    rows = connection.execute(claimed.returning(writes)).mappings().all()
    return [_owed(row) for row in sorted(rows, key=lambda row: int(row["number"]))]


def _owed(row: Any) -> Owed:
    texts = {name: value.encode("latin-1") for name, value in row["request"].items()}
    kept = Kept(**texts)._replace(body=bytes(row["body"]))
    return Owed(
        row["id"],
        row["kind"],
        row["route"],
        row["side"],
        bool(row["copy"]),
        bool(row["repeatable"]),
        row["until"],
        row["tries"],
        kept,
    )


def note(connection: Connection, tried: Tried, now: float, owner: str = "") -> None:
    """Note what a try to deliver came to. What has been done is copied, where it shall be; and what was sent is
    forgotten."""
    owed, signal, why, next_try, given, made = tried
    more: dict[str, Any] = {"why": clean(why), "next_try": next_try}
    if given is not None:
        more["answer"] = {"status": given.status, "lines": given.lines.decode("latin-1")}
        more["answer_body"] = given.body
    late = writes.c.state == State.UNRESOLVED
    mine = (writes.c.owner == owner) & (writes.c.tries == owed.tries)
    moved = _move(connection, (writes.c.id == owed.id) & (late | mine), signal, now, **more)
    if not moved or signal not in (Signal.DELIVERED, Signal.REFUSED):
        return
    if signal is Signal.DELIVERED and owed.copy:
        _copy(connection, owed, now)
    if signal is Signal.DELIVERED and made is not None:
        pairs.note(connection, f"{owed.id}-copy" if owed.copy else owed.id, made)
    done = (writes.c.id == owed.id) & writes.c.state.in_((State.DELIVERED, State.REFUSED))
    connection.execute(update(writes).where(done).values(request=None, body=None))


def _copy(connection: Connection, owed: Owed, now: float) -> None:
    """A queued write has been done: now it is owed to the other side."""
    row = dict(connection.execute(select(writes).where(writes.c.id == owed.id)).mappings().one())
    other = "new" if owed.side == "legacy" else "legacy"
    fresh = {"kind": "copy", "state": State.READY, "side": other, "copy": 0, "repeatable": 1, "tries": 0, "why": ""}
    row |= fresh | {"id": f"{owed.id}-copy", "next_try": now, "answer": None, "answer_body": None, "owner": ""}
    row["until"] = now + (row["until"] - row["at"])
    del row["number"]
    connection.execute(inserting(connection, writes).values(**row).on_conflict_do_nothing())


def orphaned(connection: Connection, alive: Iterable[str], replica: str, now: float) -> int:
    """Find the writes that were with a process which is no more: of this replica's all but those `alive`, and any
    that have been with one for too long. How many nobody knows of whether they were done."""
    promises.orphaned(connection, alive := list(alive), replica, now - ABANDONED)
    held = writes.c.state.in_((State.PENDING, State.DELIVERING))
    ours = writes.c.owner.startswith(f"{replica} ", autoescape=True) & writes.c.owner.not_in(alive)
    ours &= writes.c.changed < now  # who has come since then is alive, too
    lost = held & (ours | (writes.c.changed < now - ABANDONED))
    repeatable = lost & (writes.c.state == State.DELIVERING) & (writes.c.repeatable == 1)
    _move(connection, repeatable, Signal.AGAIN, now)
    why = "the gateway ended while it was under way"
    return _move(connection, lost, Signal.UNKNOWN, now, why=why)


# ------------------------------------------------------------------------------------------------ for people


def find(connection: Connection, write_id: str) -> tuple[Standing, Kept | None] | None:
    """One write, and what it sends; that is forgotten once it has been done."""
    row = connection.execute(select(writes).where(writes.c.id == write_id)).mappings().first()
    if row is None:
        return None
    return _standing(row), None if row["request"] is None else _owed(row).kept


def listed(
    connection: Connection, states: Sequence[State], route: str | None, limit: int, after: int
) -> list[tuple[int, Standing]]:
    """Writes in these states, the oldest first, each with its number; `after` goes on from one."""
    wanted = [writes.c.state.in_(states), writes.c.number > after]
    if route is not None:
        wanted.append(writes.c.route == route)
    few = _brief().where(and_(*wanted)).order_by(writes.c.number).limit(limit)
    return [(row["number"], _standing(row)) for row in connection.execute(few).mappings()]


def _brief() -> Select[Any]:
    """Without bodies."""
    return select(*(column for column in writes.c if column.name not in ("request", "body", "answer", "answer_body")))


def _standing(row: Any) -> Standing:
    answer = row.get("answer")
    given = None
    if answer is not None:
        given = Given(answer["status"], answer["lines"].encode("latin-1"), bytes(row["answer_body"] or b""))
    names = [name for name in Standing._fields if name not in ("given", "state")]
    return Standing(**{name: row[name] for name in names}, state=State(row["state"]), given=given)


def count_open(connection: Connection, routes: Sequence[str]) -> int:
    """How many writes of these routes are not done."""
    owed = select(func.count()).where(writes.c.state.in_(OPEN), writes.c.route.in_(routes))
    return int(connection.execute(owed).scalar_one())


def counted(connection: Connection, states: Sequence[State]) -> dict[tuple[str, str, str], tuple[int, float]]:
    """How many writes there are of each route, kind and state of these, and when the oldest came."""
    columns = (writes.c.route, writes.c.kind, writes.c.state)
    those = select(*columns, func.count(), func.min(writes.c.at)).where(writes.c.state.in_(states))
    found = connection.execute(those.group_by(*columns))
    return {(route, kind, state): (count, oldest) for route, kind, state, count, oldest in found}


def steer(connection: Connection, write_id: str, signal: Signal, why: str, until: float | None, now: float) -> bool:
    """A person has one delivered (again) or dropped, or tells that it was made; False where it is not in a state for
    that."""
    more: dict[str, Any] = {"why": clean(why)}
    if until is not None:
        more["until"] = until
    moved = _move(connection, writes.c.id == write_id, signal, now, **more) > 0
    return moved or (signal is Signal.TOOK and _made(connection, write_id, clean(why), now))


def _made(connection: Connection, write_id: str, why: str, now: float) -> bool:
    """A queued write of which nobody knew turns out to have been made."""
    unknown = (writes.c.id == write_id) & (writes.c.state == State.UNRESOLVED) & (writes.c.kind == "queued")
    row = connection.execute(select(writes).where(unknown).with_for_update()).mappings().first()
    if row is None:
        return False
    note(connection, Tried(_owed(row), Signal.DELIVERED, why, now), now)
    return True
