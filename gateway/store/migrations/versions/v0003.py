"""Writes that are owed to somebody, the identifiers that two sides gave to one thing, and the keys of clients."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "writes",
        sa.Column("number", _ID, primary_key=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("copy", sa.SmallInteger(), nullable=False),
        sa.Column("repeatable", sa.SmallInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("next_try", sa.Double(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Double(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("request", sa.JSON()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("answer", sa.JSON()),
        sa.Column("answer_body", sa.LargeBinary()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_writes_id", "writes", ["id"], unique=True)
    op.create_index("ix_writes_lane", "writes", ["lane", "side", "number"])
    op.create_index("ix_writes_state", "writes", ["state", "next_try"])
    op.create_index("ix_writes_changed", "writes", ["changed"])
    pending = sa.text("state = 'pending'")
    op.create_index(
        "ix_writes_pending", "writes", ["lane", "side"], unique=True, sqlite_where=pending, postgresql_where=pending
    )

    op.create_table(
        "crosswalk",
        sa.Column("number", _ID, primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("legacy", sa.Text()),
        sa.Column("new", sa.Text()),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("write", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_crosswalk_write", "crosswalk", ["write"], unique=True)
    op.create_table(
        "idempotency",
        sa.Column("scope", sa.Text(), primary_key=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("changed", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("write", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("lines", sa.LargeBinary()),
        sa.Column("body", sa.LargeBinary()),
    )
    op.create_index("ix_idempotency_until", "idempotency", ["until"])


def downgrade() -> None:
    op.drop_table("idempotency")
    op.drop_table("crosswalk")
    op.drop_table("writes")
