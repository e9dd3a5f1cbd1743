"""The first schema: counts, evidence, where ramps stand, overrides, events and their deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_counts()
    _create_findings()
    _create_steering()
    _create_events()


def downgrade() -> None:
    for table in (
        *("traffic", "verdicts", "fields", "examples", "evidence", "positions", "overrides"),
        *("events", "deliveries", "replicas", "marks"),
    ):
        op.drop_table(table)


def _create_counts() -> None:
    op.create_table(
        "traffic",
        sa.Column("minute", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("route", sa.Text(), primary_key=True),
        sa.Column("side", sa.Text(), primary_key=True),
        sa.Column("role", sa.Text(), primary_key=True),
        sa.Column("status_class", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        *(sa.Column(f"latency_{at:02}", sa.BigInteger(), nullable=False) for at in range(14)),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "verdicts",
        sa.Column("minute", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("route", sa.Text(), primary_key=True),
        sa.Column("verdict", sa.Text(), primary_key=True),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )


def _create_findings() -> None:
    op.create_table(
        "fields",
        sa.Column("route", sa.Text(), primary_key=True),
        sa.Column("field", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("differs", sa.BigInteger(), nullable=False),
        sa.Column("odd_candidate", sa.BigInteger(), nullable=False),
        sa.Column("odd_control", sa.BigInteger(), nullable=False),
        sa.Column("all_differ", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.Double(), nullable=False),
        sa.Column("last_seen", sa.Double(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "examples",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
    )
    op.create_index("ix_examples_field", "examples", ["route", "field", "kind"])


def _create_steering() -> None:
    op.create_table(
        "evidence",
        sa.Column("journey", sa.Text(), primary_key=True),
        sa.Column("generation", sa.Text(), primary_key=True),
        sa.Column("stage", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("replica", sa.Text(), primary_key=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
    )
    op.create_table(
        "positions",
        sa.Column("journey", sa.Text(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
    )
    op.create_table(
        "overrides",
        sa.Column("route", sa.Text(), primary_key=True),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("record", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double()),
        sa.Column("serve", sa.Text(), nullable=False),
    )
    op.create_table(
        "replicas",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("last_seen", sa.Double(), nullable=False),
        sa.Column("flush", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("number", _ID, primary_key=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_id", "events", ["id"], unique=True)
    op.create_index("ix_events_at", "events", ["at"])
    op.create_index("ix_events_route", "events", ["route", "number"])
    op.create_table(
        "deliveries",
        sa.Column("event", sa.Text(), primary_key=True),
        sa.Column("webhook", sa.Text(), primary_key=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.Double()),
        sa.Column("last_error", sa.Text(), nullable=False),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["webhook", "state", "next_try"])
