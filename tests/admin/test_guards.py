"""Every answer of the admin room is guarded in the same way."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from gateway.admin.admission import NEEDED
from gateway.admin.api import admin_app
from gateway.admin.guards import LOOPBACK_ONLY
from gateway.core.identity import is_loopback
from tests.admin.fakes import FakeSteering, problem, written


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Any]:
    async with TestClient(TestServer(admin_app(FakeSteering(written(tmp_path))))) as client:
        yield client


@pytest.mark.parametrize("path", ["/livez", "/nothing", "/api/v1/status"])
async def test_no_answer_is_cached_or_sniffed(client: Any, path: str) -> None:
    """Fine or not, an answer is fresh, is what it says it is, and tells nothing of what it was made with."""
    answer = await client.get(path)
    assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert answer.headers["Server"] == "banyan"


async def test_an_unknown_address_is_a_problem_document(client: Any) -> None:
    """404 says what there is instead."""
    answer = await client.get("/nothing")
    assert (answer.status, answer.content_type) == (404, "application/problem+json")
    assert "/api/v1/status" in (await answer.json())["detail"]


async def test_a_wrong_method_is_a_problem_document(client: Any) -> None:
    """405 lists what is taken."""
    answer = await client.delete("/livez")
    assert (answer.status, answer.content_type, answer.headers["Allow"]) == (
        405,
        "application/problem+json",
        "GET,HEAD",
    )


@pytest.mark.parametrize("error", [RuntimeError, OSError, ConnectionRefusedError, KeyError])
async def test_a_defect_is_a_problem_document(tmp_path: Path, error: type[Exception]) -> None:
    """What nobody has thought of is logged, and told in the same way as all else."""

    async def broken(request: web.Request) -> web.Response:
        raise error("opensesame")

    app = admin_app(FakeSteering(written(tmp_path)))
    needed = app[NEEDED]
    app[NEEDED] = {**needed, ("GET", "/broken"): None}
    app.router.add_get("/broken", broken)
    with capture_logs() as logs:
        async with TestClient(TestServer(app)) as client:
            answer = await client.get("/broken")
            detail = await problem(answer, 500)
    assert (detail, answer.headers["Server"]) == ("This went wrong in the gateway itself. Its log has more.", "banyan")
    assert [(each["event"], each["log_level"], each["path"]) for each in logs] == [("admin_failed", "error", "/broken")]


async def test_a_body_that_cannot_be_read_is_a_problem_document(ordering: Any) -> None:
    """One that is not what its head says."""
    answer = await ordering.post("/api/v1/reload", data=b"nonsense", headers={"Content-Encoding": "gzip"})
    assert await problem(answer, 400) == "The body is not what its head says."


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8081", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8081", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:8081", 421),
        ("", 421),
    ],
)
async def test_a_foreign_name_is_refused_on_loopback(client: Any, host: str, status: int) -> None:
    """A page that rebinds its own name to loopback learns nothing."""
    assert (await client.get("/livez", headers={"Host": host})).status == status


async def test_any_name_will_do_elsewhere(tmp_path: Path) -> None:
    """On an address that others can reach, the gateway cannot know all its names."""
    app = admin_app(FakeSteering(written(tmp_path)))
    app[LOOPBACK_ONLY] = False
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/livez", headers={"Host": "gateway.example"})).status == 200


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("gateway.example", False),
    ],
)
def test_loopback_is_known_by_name_and_number(host: str, loopback: bool) -> None:
    """Only addresses that this machine alone can reach count as loopback."""
    assert is_loopback(host) is loopback
