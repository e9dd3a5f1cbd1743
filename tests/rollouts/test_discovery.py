"""Endpoints behind catch-all routes are learned, kept without anybody's values, and proposed as routes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.config.check import load
from gateway.core.model import Estate, Observation
from gateway.rollouts.discovery import Discovery
from gateway.store.repository import Store
from tests.support.observations import observed

ROUTES = """\
version: 1
backends:
  office: {url: "http://127.0.0.1:9001"}
routes:
  - {name: everything, match: ANY /**, legacy: office}
  - {name: repairs, match: GET /repairs, legacy: office}
"""


def estate(folder: Path) -> Estate:
    (folder / "routes.yaml").write_text(ROUTES)
    return load(folder / "routes.yaml", {}).estate


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(None, tmp_path, upgrade=True)
    yield store
    await store.close()


def asked(path: str, route: str = "everything", role: str = "live", status: int = 200) -> Observation:
    return observed(route=route, path=path.encode(), role=role, status=status, at=1_800_000_000.0)


async def test_what_a_catch_all_route_serves_is_proposed(store: Store, tmp_path: Path) -> None:
    """As routes that the checker takes, with parameters where values were; what has a route of its own is not."""
    discovery = Discovery(lambda: store)
    discovery.follow(estate(tmp_path))
    discovery.observed([asked(f"/tenancies/T{number:06}/letters") for number in range(20)])
    discovery.observed([asked("/repairs", "repairs"), asked("/tenancies/T000001/x", role="shadow")])
    await discovery.tell()
    [found] = (await discovery.found())["routes"]
    [endpoint] = found["endpoints"]
    assert (found["route"], found["backend"], endpoint["requests"]) == ("everything", "office", 20)
    assert endpoint["template"].startswith("/tenancies/{")
    assert "T0000" not in str(found)
    (tmp_path / "routes.yaml").write_text(ROUTES + found["yaml"])
    assert len(load(tmp_path / "routes.yaml", {}).estate.routes) == 3


async def test_gateways_add_up_what_they_learn(store: Store, tmp_path: Path) -> None:
    """Two of them have seen the same endpoint: it is one."""
    for _ in range(2):
        discovery = Discovery(lambda: store)
        discovery.follow(estate(tmp_path))
        discovery.observed([asked("/waste/collections") for _ in range(5)])
        await discovery.tell()
    [found] = (await discovery.found())["routes"]
    assert [(each["template"], each["requests"]) for each in found["endpoints"]] == [("/waste/collections", 10)]


async def test_without_a_store_nothing_is_known(tmp_path: Path) -> None:
    """And it is said why."""
    discovery = Discovery(lambda: None)
    discovery.follow(estate(tmp_path))
    await discovery.tell()
    told = await discovery.found()
    assert (told["routes"][0]["endpoints"], told["store"]) == ([], "The store has not been opened yet.")
