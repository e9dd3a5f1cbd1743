"""Rows become values by their order: so columns and fields must not drift apart."""

import pytest
from sqlalchemy import Table

from gateway.core.access import Session, Token
from gateway.store.tables import (
    LATENCY,
    calls,
    fields,
    overrides,
    positions,
    sessions,
    tokens,
    totals,
    traffic,
    verdicts,
)
from gateway.store.values import Calls, FieldSeen, Override, StoredPosition, Total, TrafficCount, VerdictCount


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (traffic, (*TrafficCount._fields[:-1], *LATENCY)),
        (verdicts, VerdictCount._fields),
        (fields, FieldSeen._fields),
        (positions, StoredPosition._fields),
        (overrides, Override._fields),
        (totals, (*Total._fields[:-1], *LATENCY)),
        (calls, Calls._fields),
        (tokens, Token._fields),
        (sessions, Session._fields),
    ],
)
def test_columns_are_the_fields_in_their_order(table: Table, names: tuple[str, ...]) -> None:
    """What is written by name is read by order."""
    assert tuple(table.c.keys()) == names
