"""The admin port and the control socket of a gateway that only remembers what it was told."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application

from gateway.admin.api import admin_app, command_app
from gateway.store.repository import Store
from tests.admin.fakes import FakeSteering, written


@pytest.fixture
async def steering(tmp_path: Path) -> AsyncIterator[FakeSteering]:
    """With a store of its own, for tokens and the audit."""
    steering = FakeSteering(written(tmp_path))
    steering.store = await Store.open(None, tmp_path, upgrade=True)
    await steering.keyring.look()
    yield steering
    await steering.store.close()


async def client_of(app: Application, token: str = "") -> AsyncIterator[Any]:
    async with TestClient(TestServer(app), headers={"Authorization": f"Bearer {token}"} if token else {}) as client:
        yield client


@pytest.fixture
async def reading(steering: FakeSteering) -> AsyncIterator[Any]:
    """The admin port, as a viewer meets it."""
    _, token = await steering.keyring.create("Vera", "viewer", 3_600, "the tests")
    async for client in client_of(admin_app(steering), token):
        yield client


@pytest.fixture
async def operating(steering: FakeSteering) -> AsyncIterator[Any]:
    """The admin port, as an operator meets it."""
    _, token = await steering.keyring.create("Olu", "operator", 3_600, "the tests")
    async for client in client_of(admin_app(steering), token):
        yield client


@pytest.fixture
async def ordering(steering: FakeSteering) -> AsyncIterator[Any]:
    async for client in client_of(command_app(steering)):
        yield client
