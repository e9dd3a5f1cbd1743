"""Rows become values by their order: so columns and fields must not drift apart."""

import pytest
from sqlalchemy import Table

from gateway.store.tables import LATENCY, fields, overrides, positions, traffic, verdicts
from gateway.store.values import FieldSeen, Override, StoredPosition, TrafficCount, VerdictCount


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (traffic, (*TrafficCount._fields[:-1], *LATENCY)),
        (verdicts, VerdictCount._fields),
        (fields, FieldSeen._fields),
        (positions, StoredPosition._fields),
        (overrides, Override._fields),
    ],
)
def test_columns_are_the_fields_in_their_order(table: Table, names: tuple[str, ...]) -> None:
    """What is written by name is read by order."""
    assert tuple(table.c.keys()) == names
