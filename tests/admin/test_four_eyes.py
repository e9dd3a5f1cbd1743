"""A route may ask for a second person before more of its traffic goes to new, and never before it goes back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.admin.api import admin_app
from gateway.store.repository import Store
from tests.admin.fakes import ROUTES, FakeSteering, written

CAREFUL = ROUTES.replace("    serve: 25% new\n", "    serve: 25% new\n    four_eyes: true\n")


@pytest.fixture
async def careful(tmp_path: Path) -> AsyncIterator[FakeSteering]:
    steering = FakeSteering(written(tmp_path, CAREFUL))
    steering.store = await Store.open(None, tmp_path, upgrade=True)
    await steering.keyring.look()
    yield steering
    await steering.store.close()


async def asked(steering: FakeSteering, name: str, path: str, order: dict[str, Any]) -> dict[str, Any]:
    """What an operator of this name is answered."""
    _, token = await steering.keyring.create(name, "operator", 60, "the tests")
    async with TestClient(TestServer(admin_app(steering)), headers={"Authorization": f"Bearer {token}"}) as client:
        answer = await client.post(path, json={"reason": f"{name} wants it", **order})
        assert answer.status == 200, await answer.text()
        return dict(await answer.json())


async def test_a_second_person_lets_it_happen(careful: FakeSteering) -> None:
    """The first one is told to wait; what is done has both reasons, and the audit has both people."""
    first = await asked(careful, "Ann", "/api/v1/routes/list/flip", {"serve": "new"})
    assert (first["waits"], careful.flipped) == (True, [])
    again = await asked(careful, "Ann", "/api/v1/routes/list/flip", {"serve": "new"})
    assert (again["waits"], careful.flipped) == (True, [])
    done = await asked(careful, "Ben", "/api/v1/routes/list/flip", {"serve": "new"})
    assert "waits" not in done
    assert careful.flipped == [("list", "new", "Ben", "Ben wants it (with Ann: Ann wants it)")]
    acts = (await careful.auditor.latest(10))["acts"]
    assert [(act["who"], act["outcome"]) for act in acts if act["action"] == "flip"] == [
        ("Ben", "done"),
        ("Ann", "waits for a second person"),
        ("Ann", "waits for a second person"),
    ]


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/api/v1/ramps/list/rollback", {}),
        ("/api/v1/ramps/list/pause", {}),
        ("/api/v1/overrides/list", {"serve": "legacy", "for": None, "writes": False}),
        ("/api/v1/routes/list/flip", {"serve": "legacy"}),
    ],
)
async def test_going_back_waits_for_nobody(careful: FakeSteering, path: str, order: dict[str, Any]) -> None:
    """The safe direction asks least."""
    assert "waits" not in await asked(careful, "Ann", path, order)


async def test_other_routes_do_not_wait(careful: FakeSteering) -> None:
    """Only a route that asks for it has four eyes on it."""
    assert "waits" not in await asked(careful, "Ann", "/api/v1/routes/everything/flip", {"serve": "legacy"})
