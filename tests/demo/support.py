"""Services of the demo, listening for the length of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import DummyCookieJar, web
from aiohttp.test_utils import TestClient, TestServer

Client = TestClient[web.Request, web.Application]


@asynccontextmanager
async def visiting(app: web.Application) -> AsyncIterator[Client]:
    """A client of a service, without a memory for cookies."""
    async with TestClient(TestServer(app), cookie_jar=DummyCookieJar()) as client:
        yield client
