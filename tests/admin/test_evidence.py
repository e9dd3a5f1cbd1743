"""Ramps, overrides, comparisons and events can be asked for on both ports, and moved on the control socket."""

from typing import Any

import pytest

from tests.admin.fakes import FakeSteering, problem

WHO = {"by": "ann", "reason": "500s since 02:40"}
RENTS = {"ramp": "rents", "routes": ["rent-balance"]}


# ------------------------------------------------------------------------------------------------ questions


async def test_ramps_are_told(reading: Any, steering: FakeSteering) -> None:
    """All of them, or one by its own name or by that of one of its routes."""
    steering.desk.told["ramps"] = [RENTS]
    assert await (await reading.get("/api/v1/ramps")).json() == {"ramps": [RENTS]}
    assert await (await reading.get("/api/v1/ramps/rents")).json() == RENTS
    assert await (await reading.get("/api/v1/ramps/rent-balance")).json() == RENTS


async def test_a_ramp_that_is_none_is_a_problem(reading: Any) -> None:
    """Whoever mistypes a name is told so."""
    assert "no journey 'rentz'" in await problem(await reading.get("/api/v1/ramps/rentz"), 400)


async def test_overrides_are_told(reading: Any, steering: FakeSteering) -> None:
    """Those that are live."""
    steering.desk.told["overrides"] = [{"route": "list"}]
    assert await (await reading.get("/api/v1/overrides")).json() == {"overrides": [{"route": "list"}]}


async def test_comparisons_are_told(reading: Any, steering: FakeSteering) -> None:
    """Of a day, unless another time is asked for."""
    steering.desk.shadow_told = {"route": "list", "verdicts": {}}
    assert await (await reading.get("/api/v1/shadow/list")).json() == steering.desk.shadow_told
    await reading.get("/api/v1/shadow/list?hours=2")
    assert steering.desk.asked == [("shadow", "list", 24), ("shadow", "list", 2)]


async def test_events_are_told(reading: Any, steering: FakeSteering) -> None:
    """The latest 50, or those asked for."""
    steering.desk.events_told = {"events": [{"id": "evt_1"}], "store": ""}
    assert await (await reading.get("/api/v1/events")).json() == steering.desk.events_told
    await reading.get("/api/v1/events?limit=5&before=evt_9&route=list&journey=rents")
    assert steering.desk.asked == [("events", 50, None, None, None), ("events", 5, "evt_9", "list", "rents")]


# ------------------------------------------------------------------------------------------------ orders


async def test_a_ramp_is_moved(ordering: Any, steering: FakeSteering) -> None:
    """The order is passed on with who and why, and its answer is told whole."""
    answer = await ordering.post("/api/v1/ramps/rents/rollback", json=WHO)
    assert await answer.json() == {"message": "It is done.", "holds": True}
    assert steering.desk.ordered == [("act", "rents", "rollback", "ann", "500s since 02:40")]


@pytest.mark.parametrize("seconds", [7_200, 0.5, None])
async def test_an_override_is_set(ordering: Any, steering: FakeSteering, seconds: float | None) -> None:
    """For seconds, or without an end."""
    order = {"serve": "25% new", "for": seconds, "writes": True, **WHO}
    assert (await ordering.post("/api/v1/overrides/list", json=order)).status == 200
    assert steering.desk.ordered == [("override", "list", "25% new", seconds, True, "ann", "500s since 02:40")]


@pytest.mark.parametrize("seconds", [0, -1, 366 * 86_400])
async def test_an_override_lasts_some_time_and_a_year_at_most(
    ordering: Any, steering: FakeSteering, seconds: float
) -> None:
    """A time that is over already, or never will be, is refused."""
    order = {"serve": "legacy", "for": seconds, "writes": False, **WHO}
    assert "null is without an end" in await problem(await ordering.post("/api/v1/overrides/list", json=order), 400)
    assert steering.desk.ordered == []


async def test_an_override_is_cleared(ordering: Any, steering: FakeSteering) -> None:
    """With who and why, as it was set."""
    assert (await ordering.post("/api/v1/overrides/list/clear", json=WHO)).status == 200
    assert steering.desk.ordered == [("clear", "list", "ann", "500s since 02:40")]
