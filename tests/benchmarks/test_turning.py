"""Origins that turn bad when they are told to, and note when."""

from time import time

import pytest

from benchmarks.common import get
from benchmarks.turning import Bad, Sides

SHADOW = {"X-Banyan-Shadow": "1"}


GOOD = (200, b'{"account":"7","balance":"123.45","currency":"GBP"}')
BAD: dict[Bad, tuple[int, bytes]] = {"wrong": (200, GOOD[1].replace(b"45", b"46")), "fails": (500, GOOD[1])}


@pytest.mark.parametrize("how", BAD)
def test_a_side_turns_bad_where_it_is_told(how: Bad) -> None:
    """Elsewhere, and on the other side, answers stay as they were; the first bad one to each account is noted."""
    with Sides() as sides:
        sides.new.turn("rents", how)
        began = time()
        asked = [(sides.new, "/rents/7"), (sides.new, "/repairs/7"), (sides.legacy, "/rents/7")]
        answers = [get(side.port, path) for side, path in asked]
        noted = time()
        get(sides.new.port, "/rents/7")
    assert [(each.status, each.body) for each in answers] == [BAD[how], GOOD, GOOD]
    assert (list(sides.new.bad), sides.legacy.bad) == (["rents"], {})
    assert began <= sides.new.bad["rents"]["7"] <= noted


def test_copies_are_no_live_requests() -> None:
    """Only what clients asked counts as traffic of a side."""
    with Sides() as sides:
        get(sides.new.port, "/rents/7", SHADOW)
        assert sides.new.live == {}
        get(sides.new.port, "/rents/7")
    assert (list(sides.new.live), sides.new.count["rents"]) == (["rents"], 1)
