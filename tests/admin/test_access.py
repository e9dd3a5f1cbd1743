"""Who may come in and what they did is told, and never what they come in with."""

from typing import Any

import pytest

from gateway.admin.admission import COOKIE, LIVE
from gateway.admin.api import admin_app
from gateway.core.access import Role
from tests.admin.conftest import client_of
from tests.admin.fakes import FakeSteering, problem
from tests.support.acts import act
from tests.support.databases import meddled, without


async def test_whoever_asks_learns_who_they_are(reading: Any, ordering: Any, steering: FakeSteering) -> None:
    """With a token, in a browser, and on the control socket."""
    assert await (await reading.get("/api/v1/me")).json() == {"name": "Vera", "role": "viewer", "via": "token"}
    assert await (await ordering.get("/api/v1/me")).json() == {"name": "owner", "role": "owner", "via": "socket"}
    signed = await steering.keyring.begin("Zoë", Role.APPROVER)
    headers = {"Cookie": f"{COOKIE}={signed.cookie}", LIVE: "1"}
    async for client in client_of(admin_app(steering)):
        found = await (await client.get("/api/v1/me", headers=headers)).json()
        assert found == {"name": "Zoë", "role": "approver", "via": "session"}


async def test_tokens_are_told_without_what_is_kept_of_them(ordering: Any, steering: FakeSteering) -> None:
    """The latest first."""
    made = [(await steering.keyring.create(name, "viewer", 60, "root"))[0] for name in ("Ann", "Bob")]
    document = await (await ordering.get("/api/v1/tokens")).json()
    assert document == {
        "tokens": [
            {name: value for name, value in each._asdict().items() if name != "secret"} for each in reversed(made)
        ]
    }


async def test_acts_are_told_as_they_are_asked_for(reading: Any, steering: FakeSteering) -> None:
    """So many, earlier ones, about something; fifty at first."""
    assert steering.store is not None
    await steering.store.add_acts([act(number, subject="ab"[number % 2]) for number in range(60)])

    async def numbers(query: str) -> list[int]:
        return [each["number"] for each in (await (await reading.get(f"/api/v1/audit{query}")).json())["acts"]]

    assert await numbers("") == [*range(60, 10, -1)]
    assert await numbers("?limit=2&before=10") == [9, 8]
    assert await numbers("?limit=2&subject=a") == [59, 57]
    assert await numbers("?subject=nothing") == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "before=0", "before=-1", "before=1.5", "before="]
)
async def test_a_question_that_makes_no_sense_is_a_problem(reading: Any, query: str) -> None:
    """Within its bounds, or nothing is asked."""
    assert "must be a whole number from 1 to" in await problem(await reading.get(f"/api/v1/audit?{query}"), 400)


async def test_whether_the_audit_is_whole_is_told(reading: Any, steering: FakeSteering) -> None:
    """Or what is wrong with it, or that it cannot be read now."""
    assert steering.store is not None
    await steering.auditor.record(act(1))
    found = await (await reading.get("/api/v1/audit/verify")).json()
    assert (found["whole"], found["records"], found["seen"]) == (True, 1, 1)
    await meddled(steering.store, "UPDATE audit SET subject = 'x'")
    found = await (await reading.get("/api/v1/audit/verify")).json()
    assert (found["whole"], "listed under 'x'" in found["problem"]) == (False, True)
    async with without(steering.store, "audit"):
        answer = await reading.get("/api/v1/audit/verify")
        assert (await problem(answer, 503)).startswith("The audit cannot be read. The store")
