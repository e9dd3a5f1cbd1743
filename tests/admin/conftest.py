"""The admin port and the control socket of a gateway that only remembers what it was told."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application

from gateway.admin.api import admin_app, command_app
from tests.admin.fakes import FakeSteering, written


@pytest.fixture
def steering(tmp_path: Path) -> FakeSteering:
    return FakeSteering(written(tmp_path))


async def client_of(app: Application) -> AsyncIterator[Any]:
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def reading(steering: FakeSteering) -> AsyncIterator[Any]:
    async for client in client_of(admin_app(steering)):
        yield client


@pytest.fixture
async def ordering(steering: FakeSteering) -> AsyncIterator[Any]:
    async for client in client_of(command_app(steering)):
        yield client
