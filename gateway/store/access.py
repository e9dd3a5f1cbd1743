"""Who may use the admin port, and what people did there, in the order in which it came."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, or_, select, update

from gateway.core.access import Role, Session, Token
from gateway.core.auditing import BEGINNING, Act, Head, Record, following
from gateway.store.statements import clean_key, clean_row, inserting, marked
from gateway.store.tables import audit, marks, sessions, tokens

_AUDITED = "audit"
_RECORD = [audit.c[name] for name in Record._fields]

# ------------------------------------------------------------------------------------------------ who may


def read_tokens(connection: Connection) -> list[Token]:
    """All of them, also those that have ended: they are to be shown as such."""
    found = connection.execute(select(tokens).order_by(tokens.c.made, tokens.c.id))
    return [Token(*row)._replace(role=Role(row.role)) for row in found]


def add_token(connection: Connection, token: Token) -> None:
    connection.execute(inserting(connection, tokens).values(clean_row(token._asdict())))


def end_token(connection: Connection, token_id: str, at: float) -> bool:
    """Revoke a token, and end what was begun with it; False where there is none that is not revoked."""
    live = (tokens.c.id == token_id) & tokens.c.ended.is_(None)
    if connection.execute(update(tokens).where(live).values(ended=at).returning(tokens.c.id)).first() is None:
        return False
    connection.execute(delete(sessions).where(sessions.c.token == token_id))
    return True


def read_sessions(connection: Connection, now: float) -> list[Session]:
    found = connection.execute(select(sessions).where(sessions.c.until > now))
    return [Session(*row)._replace(role=Role(row.role)) for row in found]


def add_session(connection: Connection, session: Session) -> None:
    """Keep a session that has begun; told again, it is there once."""
    row = clean_row(session._asdict())
    connection.execute(inserting(connection, sessions).values(row).on_conflict_do_nothing())


def use_session(connection: Connection, session_id: str, at: float) -> None:
    """Note that a session was used, if it is still there: what was ended does not begin again."""
    used = (sessions.c.id == session_id) & (sessions.c.seen < at)
    connection.execute(update(sessions).where(used).values(seen=at))


def end_session(connection: Connection, session_id: str, now: float) -> None:
    """End a session, and drop those whose time is over."""
    connection.execute(delete(sessions).where(or_(sessions.c.id == session_id, sessions.c.until <= now)))


# ------------------------------------------------------------------------------------------------ what they did


def add_acts(connection: Connection, acts: Sequence[Act]) -> Head:
    """Put acts at the end of the chain, each once; where it ends now."""
    marked(connection, _AUDITED)  # one at a time does this
    known = set(connection.execute(select(audit.c.id).where(audit.c.id.in_([act.id for act in acts]))).scalars())
    head = read_head(connection)
    for act in acts:
        if act.id in known:
            continue
        clean = Act(**clean_row(act._asdict()))
        record = following(head, clean._replace(subject=clean_key(clean.subject)))
        connection.execute(inserting(connection, audit).values(record._asdict()))
        known.add(act.id)
        head = Head(record.number, record.digest)
    connection.execute(update(marks).where(marks.c.name == _AUDITED).values(number=head.number))
    return head


def read_head(connection: Connection) -> Head:
    """Where the chain ends."""
    last = select(audit.c.number, audit.c.digest).order_by(audit.c.number.desc()).limit(1)
    row = connection.execute(last).first()
    return BEGINNING if row is None else Head(*row)


def read_records(connection: Connection, after: int | None, most: int) -> list[Record]:
    """The records after a number, in order; with None from the very first, whatever its number is."""
    query = select(*_RECORD).order_by(audit.c.number).limit(most)
    if after is not None:
        query = query.where(audit.c.number > after)
    return [Record(*row) for row in connection.execute(query)]


def latest_records(connection: Connection, most: int, before: int | None, subject: str | None) -> list[Record]:
    """The latest records first; `before` a number, to go on from there."""
    query = select(*_RECORD)
    if before is not None:
        query = query.where(audit.c.number < before)
    if subject is not None:
        query = query.where(audit.c.subject == clean_key(subject))
    return [Record(*row) for row in connection.execute(query.order_by(audit.c.number.desc()).limit(most))]
