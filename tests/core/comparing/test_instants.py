"""Moments are the same however they are written."""

from datetime import UTC, datetime

import pytest

from gateway.core.comparing.instants import instant

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T12:00:00Z",
        "2026-11-22T12:00:00",
        "2026-11-22 12:00",
        "2026-11-22T13:00:00.000+01:00",
        "20261122T120000Z",
        " 2026-11-22T07:00:00-05:00 ",
        "2026-11-22T12:00:00.0000000Z",
        "Sun, 22 Nov 2026 12:00:00 GMT",
        "Sunday, 22-Nov-26 12:00:00 GMT",
        "Sun Nov 22 12:00:00 2026",
    ],
)
def test_one_moment_is_written_in_many_ways(text: str) -> None:
    """ISO 8601 with and without a zone, which means UTC, and the three dates of HTTP."""
    assert instant(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22",
        "2026-11-22Z",
        "2026-11-22+00:00",
        "2026-11-21T24:00:00",
        "2026-11-21T24:00:00Z",
        "2026-11-22T01:00:00+01:00",
    ],
)
def test_a_day_begins_at_midnight(text: str) -> None:
    """Dates of XML Schema may have a zone, and a day may end with 24:00."""
    assert instant(text) == DAY


@pytest.mark.parametrize(
    "text", ["", "soon", "2026", "2026-13-01", "12", None, 20261122, "0001-01-01T00:00:00+14:00", "9999-12-31T24:00:00"]
)
def test_what_names_no_moment_is_none(text: object) -> None:
    """Numbers are none, and moments beyond the calendar are not guessed."""
    assert instant(text) is None
