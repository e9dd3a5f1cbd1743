"""What the pages take, and what those that are open do to the traffic."""

import asyncio
from pathlib import Path
from time import time

import pytest

from benchmarks import admin, thousands
from benchmarks.common import Answer
from benchmarks.viewers import polled
from benchmarks.year import filled
from gateway.config.check import load
from gateway.store.repository import Store
from tests.benchmarks.smoke import measured, needs_nginx_and_wrk

DAY = 86_400
SIZES = ("--routes", "80", "--days", "3", "--times", "1", "--pause", "0", "--rounds", "1", "--seconds", "1")


@needs_nginx_and_wrk
def test_it_measures_pages_and_pairs(tmp_path: Path) -> None:
    """A short run gives each page's time, and what open pages cost the traffic and control."""
    found = measured(admin.main, *SIZES, "--settle", "0", "--rate", "300", out=tmp_path / "out.json")
    pages = [name for name in found if name.endswith(", the slowest")]
    assert [name.partition(",")[0] for name in pages] == [
        "/",
        "/routes",
        "/routes?q=rents",
        "/routes/NAME",
        "/ledger",
        "/backends",
        "/api/v1/routes",
    ]
    assert all(found[name] > 0 for name in pages)
    assert "ten pages open: CPU of data per request, over that with none" in found


def test_the_routes_are_valid(tmp_path: Path) -> None:
    """All have two sides; some ramp, some are compared, and some are busy."""
    known = thousands.routes(2_000)
    (tmp_path / "routes.yaml").write_text(thousands.yaml(known, 1, 2))
    estate = load(tmp_path / "routes.yaml", {}).estate
    assert all(route.legacy and route.new for route in estate.routes)
    assert {each.kind for each in known} == {"legacy", "shadowed", "new", "split", "ramp"}
    assert 250 < sum(each.every == 1 for each in known) < 350
    assert len(thousands.overrides(known, 0.0)) == thousands.OVERRIDDEN


@pytest.mark.parametrize("minutes", [False, True])
def test_a_store_is_as_a_gateway_would_have_it(tmp_path: Path, *, minutes: bool) -> None:
    """By the minute for two days, by the hour before that, unless minutes were asked for; nothing is left to join."""
    known = thousands.routes(200)
    told = filled(None, tmp_path, known, thousands.yaml(known, 1, 2), 4, minutes=minutes)
    assert told.rows["traffic"] > 1_000
    now = time()
    busy = sorted(each.name for each in known if each.every == 1 and len(each.serves) == 2)

    async def read() -> tuple[set[int], set[int], set[int]]:
        store = await Store.open(None, tmp_path, upgrade=False)
        try:
            old = await store.totals(now - 3.5 * DAY, now - 2.5 * DAY, 60)
            one = await store.traffic(now - 3.5 * DAY, now - 2.5 * DAY, route=busy[0], step=60)
            fresh = await store.traffic(now - DAY, now, route=busy[0], step=60)
        finally:
            await store.close()
        return {each.minute for each in old}, {each.minute for each in one}, {each.minute for each in fresh}

    old, one, fresh = asyncio.run(read())
    assert (len(old) > 1_400, len(one) > 1_400) == (minutes, minutes)
    assert len(fresh) > 1_400


def test_pages_ask_for_what_their_templates_say() -> None:
    """As often as there are parts that ask by themselves, with the order of the rows that was read."""
    text = b'<div hx-get="/routes?as=1&amp;q=a" hx-trigger="every 5s"></div><form hx-get="/routes" hx-trigger="submit">'
    assert polled(Answer(200, {}, text)) == ["/routes?as=1&q=a"]
