"""Writes that are owed, asked for by whoever may look, and steered by whoever may act."""

from typing import Any

from tests.admin.fakes import FakeSteering, problem


async def test_writes_are_asked_for(operating: Any, steering: FakeSteering) -> None:
    """By state and route, some at a time; one by its id."""
    steering.writes.told = {"writes": [{"id": "a"}], "counts": []}
    answer = await operating.get("/api/v1/writes?state=dead&state=ready&route=a&limit=5&after=7")
    assert await answer.json() == steering.writes.told
    await operating.get("/api/v1/writes")
    steering.writes.write = {"id": "a", "state": "dead"}
    assert await (await operating.get("/api/v1/writes/a")).json() == steering.writes.write
    assert steering.writes.asked == [(["dead", "ready"], "a", 5, 7), ([], None, 50, 0), ("a",)]
    assert await problem(await operating.get("/api/v1/writes?limit=0"), 400) == (
        "`limit` must be a whole number from 1 to 1000."
    )


async def test_writes_are_steered(reading: Any, ordering: Any, steering: FakeSteering) -> None:
    """With who and why, and not by who may only look."""
    order = {"by": "jo", "reason": "mended"}
    assert (await reading.post("/api/v1/writes/a/retry", json=order)).status == 403
    answer = await ordering.post("/api/v1/writes/a/retry", json=order)
    assert (await answer.json())["message"] == "It is done."
    assert steering.writes.ordered == [("a", "retry", "jo", "mended")]
    assert "`by` and `reason` must say something" in await problem(
        await ordering.post("/api/v1/writes/a/drop", json=order | {"reason": " "}), 400
    )


async def test_keys_are_reconciled(reading: Any, ordering: Any, steering: FakeSteering) -> None:
    """Whoever asks sees what there is to be looked at; whoever orders says who and why."""
    steering.reconciling.found = ["/a/7"]
    assert await (await reading.get("/api/v1/reconcile/list")).json() == {"keys": ["/a/7"]}
    order = {"keys": ["1"], "repair": True, "headers": [], "by": "jo", "reason": "drift"}
    answer = await ordering.post("/api/v1/reconcile/list", json=order)
    assert (await answer.json())["results"][0]["key"] == "1"
    assert steering.reconciling.asked == [("list", ["1"], True, [], "jo: drift")]
    bad = await problem(await ordering.post("/api/v1/reconcile/list", json=order | {"keys": [1]}), 400)
    assert bad == "`keys` and `headers` must be lists of texts."
