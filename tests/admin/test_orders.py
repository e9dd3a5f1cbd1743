"""An order is taken when it is exactly right, and refused with what it should be."""

from typing import Any

import pytest

from tests.admin.fakes import FakeSteering, problem


@pytest.mark.parametrize("order", [b"{", b"[]", b"", b'{"accept": 1}', b'{"accept": true, "more": 1}'])
async def test_a_malformed_order_changes_nothing(ordering: Any, steering: FakeSteering, order: bytes) -> None:
    """An order that is not exactly right is refused with what it should be."""
    detail = await problem(await ordering.post("/api/v1/reload", data=order), 400)
    assert detail in ("The body is not JSON.", "The body must be a JSON object with accept (bool).")
    assert steering.accepted == []


async def test_what_may_be_left_open_is_told(ordering: Any) -> None:
    """A key of several kinds is named with all of them; none may be missing, since silence could mean anything."""
    detail = await problem(await ordering.post("/api/v1/overrides/list", json={"serve": "legacy"}), 400)
    assert detail == (
        "The body must be a JSON object with serve (str), for (int or float or null), writes (bool), by (str), "
        "reason (str)."
    )


@pytest.mark.parametrize("missing", ["by", "reason"])
async def test_nobody_moves_traffic_without_a_name_and_a_reason(
    ordering: Any, steering: FakeSteering, missing: str
) -> None:
    """Blank is not a name, and not a reason."""
    order = {"by": "ann", "reason": "500s"} | {missing: "  "}
    detail = await problem(await ordering.post("/api/v1/ramps/rents/pause", json=order), 400)
    assert detail == "`by` and `reason` must say something: who and why, for those who will ask later."
    assert steering.desk.ordered == []


@pytest.mark.parametrize("hours", ["0", "-1", "1.5", "x", "", "9601", "9999999999", "\u0663"])
async def test_a_number_out_of_range_is_refused(reading: Any, steering: FakeSteering, hours: str) -> None:
    """A query's number is whole and within its bounds, or nothing is asked."""
    detail = await problem(await reading.get("/api/v1/shadow/list", params={"hours": hours}), 400)
    assert detail == "`hours` must be a whole number from 1 to 9600."
    assert steering.desk.asked == []
