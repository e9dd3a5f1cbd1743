"""The tables. What many add to is keyed by what it counts; what one replica says of itself, by the replica as well.

Times are Unix seconds. JSON is kept as text (`json` in PostgreSQL: `jsonb` refuses U+0000). Counts by the minute have
the minute first in their keys, so that what is old lies together and goes quickly.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

from gateway.store.values import LATENCIES

METADATA = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

_Id = BigInteger().with_variant(Integer, "sqlite")
"""Only an INTEGER counts by itself in SQLite."""

LATENCY = tuple(f"latency_{at:02}" for at in range(LATENCIES))
"""The columns of the latency histogram: either database can add up numbers in columns."""

traffic = Table(
    "traffic",
    METADATA,
    Column("minute", BigInteger, primary_key=True, autoincrement=False),
    Column("route", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("status_class", SmallInteger, primary_key=True, autoincrement=False),
    Column("requests", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in LATENCY),
    Index("ix_traffic_route", "route", "minute"),
    sqlite_with_rowid=False,
)

totals = Table(
    "totals",
    METADATA,
    Column("minute", BigInteger, primary_key=True, autoincrement=False),
    Column("side", Text, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in LATENCY),
    sqlite_with_rowid=False,
)
"""What clients were answered by either side, of all routes: a year of it is read at once."""

calls = Table(
    "calls",
    METADATA,
    Column("backend", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("live", SmallInteger, primary_key=True, autoincrement=False),
    Column("requests", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("first_seen", Double, nullable=False),
    Column("last_seen", Double, nullable=False),
    sqlite_with_rowid=False,
)
"""What each backend was asked for, and when last: for clients (`live` 1), or as a copy, a second asking or a probe."""

endpoints = Table(
    "endpoints",
    METADATA,
    Column("route", Text, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("template", Text, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("first_seen", Double, nullable=False),
    Column("last_seen", Double, nullable=False),
    sqlite_with_rowid=False,
)
"""What a catch-all route was asked for, as path templates: values are in none of them."""

verdicts = Table(
    "verdicts",
    METADATA,
    Column("minute", BigInteger, primary_key=True, autoincrement=False),
    Column("route", Text, primary_key=True),
    Column("verdict", Text, primary_key=True),
    Column("samples", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

fields = Table(
    "fields",
    METADATA,
    Column("route", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("differs", BigInteger, nullable=False),
    Column("odd_candidate", BigInteger, nullable=False),
    Column("odd_control", BigInteger, nullable=False),
    Column("all_differ", BigInteger, nullable=False),
    Column("first_seen", Double, nullable=False),
    Column("last_seen", Double, nullable=False),
    sqlite_with_rowid=False,
)

examples = Table(
    "examples",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("route", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("document", JSON, nullable=False),
    Index("ix_examples_field", "route", "field", "kind"),
)

evidence = Table(
    "evidence",
    METADATA,
    Column("journey", Text, primary_key=True),
    Column("generation", Text, primary_key=True),
    Column("stage", Integer, primary_key=True, autoincrement=False),
    Column("replica", Text, primary_key=True),
    Column("at", Double, nullable=False),
    Column("document", JSON, nullable=False),
)

positions = Table(
    "positions",
    METADATA,
    Column("journey", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),
)

overrides = Table(
    "overrides",
    METADATA,
    Column("route", Text, primary_key=True),
    Column("share", Integer, nullable=False),
    Column("record", Text),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("set_at", Double, nullable=False),
    Column("until", Double),
    Column("serve", Text, nullable=False),
)

events = Table(
    "events",
    METADATA,
    Column("number", _Id, primary_key=True),
    Column("id", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("journey", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Index("ix_events_id", "id", unique=True),
    Index("ix_events_at", "at"),
    Index("ix_events_route", "route", "number"),
    sqlite_autoincrement=True,
)
"""`id` is the event's own, `number` their order here."""

deliveries = Table(
    "deliveries",
    METADATA,
    Column("event", Text, primary_key=True),
    Column("webhook", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try", Double),
    Column("last_error", Text, nullable=False),
    Index("ix_deliveries_due", "webhook", "state", "next_try"),
)
"""`event` is its id; it is no foreign key, because what became of a delivery may be noted before its event."""

replicas = Table(
    "replicas",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("last_seen", Double, nullable=False),
    Column("flush", BigInteger, nullable=False),
)

shares = Table(
    "shares",
    METADATA,
    Column("replica", Text, primary_key=True),
    Column("parts", Integer, nullable=False),
    Column("until", Double, nullable=False),
)
"""Gateways that share what backends can bear: of how many parts each uses one, until when by the database's clock."""

writes = Table(
    "writes",
    METADATA,
    Column("number", _Id, primary_key=True),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("copy", SmallInteger, nullable=False),
    Column("repeatable", SmallInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("next_try", Double, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("changed", Double, nullable=False),
    Column("why", Text, nullable=False),
    Column("request", JSON),
    Column("body", LargeBinary),
    Column("answer", JSON),
    Column("answer_body", LargeBinary),
    Index("ix_writes_id", "id", unique=True),
    Index("ix_writes_lane", "lane", "side", "number"),
    Index("ix_writes_state", "state", "next_try"),
    Index("ix_writes_changed", "changed"),
    sqlite_autoincrement=True,
)
"""Writes that are owed to somebody, in the order in which they came. `owner` is the process that a pending one or one
that is being delivered is with; `request` goes once it is done. Of a lane and side one at most is pending."""
Index(
    "ix_writes_pending",
    writes.c.lane,
    writes.c.side,
    unique=True,
    sqlite_where=writes.c.state == "pending",
    postgresql_where=writes.c.state == "pending",
)

crosswalk = Table(
    "crosswalk",
    METADATA,
    Column("number", _Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("legacy", Text),
    Column("new", Text),
    Column("origin", Text, nullable=False),
    Column("write", Text, nullable=False),
    Index("ix_crosswalk_write", "write", unique=True),
    sqlite_autoincrement=True,
)
"""Identifiers of one thing on both sides. A pair that becomes whole gets a new number: who has read up to one finds
it."""

idempotency = Table(
    "idempotency",
    METADATA,
    Column("scope", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("changed", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("write", Text, nullable=False),
    Column("status", Integer),
    Column("lines", LargeBinary),
    Column("body", LargeBinary),
    Index("ix_idempotency_until", "until"),
)
"""What clients were answered under keys of theirs. `state` is busy, answered, queued (as the write that it names), or
unknown."""

tokens = Table(
    "tokens",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("made", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("ended", Double),
)
"""Who may use the admin port. `secret` is a hash: nobody can sign in with what stands here."""

sessions = Table(
    "sessions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("csrf", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("made", Double, nullable=False),
    Column("seen", Double, nullable=False),
    Column("until", Double, nullable=False),
    Index("ix_sessions_until", "until"),
)
"""Browsers that are signed in; `id` is the hash of the cookie."""

audit = Table(
    "audit",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index("ix_audit_id", "id", unique=True),
    Index("ix_audit_subject", "subject", "number"),
)
"""What people did, each record chained to the one before it (`core.auditing`). Nothing of it is ever pruned."""

configurations = Table(
    "configurations",
    METADATA,
    Column("number", _Id, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("changes", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("files", JSON, nullable=False),
    Index("ix_configurations_at", "at"),
    sqlite_autoincrement=True,
)
"""Every file that served, whole: `files` are texts by their names, `counts` how many routes served what."""

marks = Table(
    "marks",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""Numbers that the store keeps about itself: what changed how often, how far old counts were joined."""
