"""What a version of the schema consists of is found out by making it, so that nothing has to be listed twice."""

import pytest
from sqlalchemy import DateTime

from gateway.store.migrations import REVISIONS
from gateway.store.shapes import kind_of, lost_between, shape_in, shape_of
from gateway.store.tables import METADATA


def test_the_latest_version_is_the_tables() -> None:
    """Every table and column of this program is found; a backup of what is not found would be a backup without it."""
    assert shape_of(REVISIONS[-1]) == shape_in(METADATA)


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_version_has_a_shape(revision: str) -> None:
    """Each version can be made in a database of its own, and holds nothing that a backup cannot."""
    shape = shape_of(revision)
    assert shape["events"]["details"] == "json"
    assert "alembic_version" not in shape


def test_a_type_that_no_backup_can_hold_is_refused() -> None:
    """Who adds a column of another type learns that backups would not have it."""
    with pytest.raises(TypeError, match=r"A backup cannot hold DateTime\(\): teach"):
        kind_of(DateTime())


def test_what_is_lost_is_tables_and_columns() -> None:
    """A column of a table that goes is not told of once more."""
    before = shape_of(REVISIONS[-1])
    after = {name: dict(columns) for name, columns in before.items() if name != "writes"}
    del after["events"]["why"]
    assert lost_between(before, after) == (["writes"], [("events", "why")])
    assert lost_between(after, before) == ([], [])
