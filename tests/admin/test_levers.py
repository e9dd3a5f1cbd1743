"""Whatever is changed is changed in one way: by who may, as they saw it, and written down with what came of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from structlog.testing import capture_logs

from gateway.access.refusals import Refusal
from gateway.admin.admission import COOKIE, CSRF
from gateway.admin.api import admin_app
from gateway.admin.levers import LEVERS, Pull, pull, standing_of, tag_of
from gateway.core.access import Principal, Role
from gateway.core.auditing import Act, act_of
from tests.admin.conftest import client_of
from tests.admin.fakes import FakeSteering, problem
from tests.support.databases import without
from tests.support.tokens import secret_of

WHY = {"reason": "500s since 02:40"}
SERVES = {"serve": "25% new", "share": None, "text": "25% new"}
SECRET = "opensesame-and-more"


class Case(NamedTuple):
    """A lever as it is pulled: where, with which order, what it is about; and what is done by it."""

    path: str
    order: dict[str, Any]
    subject: str
    done: tuple[object, ...] = ()


def ramp(action: str) -> Case:
    return Case(f"/api/v1/ramps/list/{action}", {}, "list", ("act", "list", action, "Ann", WHY["reason"]))


def write(word: str) -> Case:
    return Case(f"/api/v1/writes/w1/{word}", {}, "w1", ("w1", word, "Ann", WHY["reason"]))


CASES = {
    **{action: ramp(action) for action in ("pause", "resume", "approve", "promote", "rollback", "restart")},
    **{word: write(word) for word in ("retry", "made", "drop")},
    "override": Case(
        "/api/v1/overrides/list",
        {"serve": "legacy", "for": 60, "writes": False},
        "list",
        ("override", "list", "legacy", 60, False, "Ann", WHY["reason"]),
    ),
    "clear": Case("/api/v1/overrides/list/clear", {}, "list", ("clear", "list", "Ann", WHY["reason"])),
    "flip": Case("/api/v1/routes/list/flip", {"serve": "new"}, "list", ("list", "new", "Ann", WHY["reason"])),
    "reload": Case("/api/v1/reload", {"accept": True}, "", (True,)),
    "revert": Case("/api/v1/configurations/7/revert", {}, "", (7, "Ann", WHY["reason"])),
    "reconcile": Case(
        "/api/v1/reconcile/list",
        {"keys": ["1"], "repair": True, "headers": [f"X-Key: {SECRET}"]},
        "list",
        ("list", ["1"], True, [f"X-Key: {SECRET}"], f"Ann: {WHY['reason']}"),
    ),
    "create_token": Case("/api/v1/tokens", {"name": "Bob", "role": "viewer", "expires": 60}, ""),
    "revoke_token": Case("/api/v1/tokens/{token}/revoke", {}, "{token}"),
    "make_link": Case("/api/v1/links", {"name": "Bob", "role": "viewer", "for": 60}, ""),
}


@pytest.fixture
async def approving(steering: FakeSteering) -> AsyncIterator[Any]:
    """The admin port, as an approver meets it."""
    _, token = await steering.keyring.create("Ann", "approver", 3_600, "the tests")
    async for client in client_of(admin_app(steering), token):
        yield client


async def filled(case: Case, steering: FakeSteering) -> Case:
    """With the id of a token that is there."""
    token = steering.keyring.tokens[0].id
    return case._replace(path=case.path.format(token=token), subject=case.subject.format(token=token))


def did(steering: FakeSteering) -> list[tuple[object, ...]]:
    """Everything that was done."""
    accepted = [(each,) for each in steering.accepted]
    asked = steering.reconciling.asked
    return [*steering.desk.ordered, *steering.writes.ordered, *steering.flipped, *accepted, *asked]


async def audited(steering: FakeSteering) -> list[dict[str, Any]]:
    """What the audit has, the latest first, without what is another one each time."""
    acts = (await steering.auditor.latest(100))["acts"]
    return [{name: value for name, value in each.items() if name not in ("id", "at", "digest")} for each in acts]


# ------------------------------------------------------------------------------------------------ each of them


def test_each_lever_is_pulled_here() -> None:
    """None is added without a test; and whoever only looks pulls none."""
    assert CASES.keys() == LEVERS.keys()
    assert [action for action, lever in LEVERS.items() if not lever.role.allows(Role.OPERATOR)] == []
    assert [action for action, lever in LEVERS.items() if action != lever.action] == []


@pytest.mark.parametrize("action", LEVERS)
async def test_a_lever_does_what_it_says_and_it_is_written_down(
    approving: Any, steering: FakeSteering, action: str
) -> None:
    """Who, with which role, how and from where, what about what, why, before and after, and what came of it."""
    case = await filled(CASES[action], steering)
    before = standing_of(steering, case.subject)
    answer = await approving.post(case.path, json=case.order | WHY)
    assert answer.status == 200, await answer.text()
    document = await answer.json()
    assert did(steering) == ([case.done] if case.done else [])
    order = {name: value for name, value in case.order.items() if name != "headers"}
    made = {"id": document["id"]} if action == "create_token" else {}
    assert await audited(steering) == [
        {
            "number": 1,
            "who": "Ann",
            "role": "approver",
            "via": "token",
            "address": "127.0.0.1",
            "action": action,
            "subject": case.subject,
            "reason": WHY["reason"],
            "before": before,
            "after": before | ({"order": order} if order else {}) | made,
            "outcome": "done",
        }
    ]


@pytest.mark.parametrize("action", LEVERS)
async def test_who_may_not_pull_it_does_not(steering: FakeSteering, action: str) -> None:
    """Not even where the door has let them in: the lever itself asks for the role."""
    lever, path = LEVERS[action], dict.fromkeys(("name", "id", "route", "number"), "list")
    for role in Role:
        who = Principal("Eve", role, "token")
        if not role.allows(lever.role):
            with pytest.raises(Refusal, match=f"403: {action} needs the role {lever.role}; Eve is {role}"):
                await pull(steering, lever, Pull(who, "Eve", "", path, {}, "why"))
    assert (did(steering), await audited(steering)) == ([], [])


async def test_a_link_signs_in_whom_it_was_made_for(approving: Any, steering: FakeSteering) -> None:
    """Its address is where a browser finds the admin port."""
    answer = await (await approving.post("/api/v1/links", json=CASES["make_link"].order | WHY)).json()
    code = answer["path"].removeprefix("/sign-in?code=")
    assert answer["url"] == f"http://127.0.0.1:8081{answer['path']}"
    assert steering.keyring.peek(code)[:2] == ("Bob", Role.VIEWER)


async def test_a_token_is_told_once(approving: Any, steering: FakeSteering) -> None:
    """It lets in whom it was made for until it is revoked."""
    made = await (await approving.post("/api/v1/tokens", json=CASES["create_token"].order | WHY)).json()
    headers = {"Authorization": f"Bearer {made['token']}"}
    me = await approving.get("/api/v1/me", headers=headers)
    assert await me.json() == {"name": "Bob", "role": "viewer", "via": "token"}
    listed = (await (await approving.get("/api/v1/tokens")).json())["tokens"]
    assert [(each["name"], "token" in each, "secret" in each) for each in listed] == [
        ("Bob", False, False),
        ("Ann", False, False),
    ]
    revoked = await approving.post(f"/api/v1/tokens/{made['id']}/revoke", json=WHY)
    assert "secret" not in await revoked.json()
    assert (await approving.get("/api/v1/me", headers=headers)).status == 401


@pytest.mark.parametrize("number", ["0x1", "-1", "1.5", "٣", "9" * 15, "x"])
async def test_a_configuration_is_named_by_its_number(approving: Any, steering: FakeSteering, number: str) -> None:
    """And by nothing else."""
    answer = await approving.post(f"/api/v1/configurations/{number}/revert", json=WHY)
    assert "named by its number" in await problem(answer, 400)
    assert did(steering) == []


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
async def test_a_link_lasts_a_day_at_most(approving: Any, steering: FakeSteering, seconds: float) -> None:
    """It is opened at once."""
    answer = await approving.post("/api/v1/links", json=CASES["make_link"].order | WHY | {"for": seconds})
    assert "a day at most" in await problem(answer, 400)
    assert steering.keyring._links == {}


# ------------------------------------------------------------------------------------------------ by whom


@pytest.mark.parametrize("action", LEVERS)
async def test_nobody_acts_under_another_name(approving: Any, steering: FakeSteering, action: str) -> None:
    """Whatever somebody says who came with a token: the audit, the events and the ramps have the token's name."""
    case = await filled(CASES[action], steering)
    assert (await approving.post(case.path, json=case.order | WHY | {"by": "Eve"})).status == 200
    assert did(steering) == ([case.done] if case.done else [])
    assert [each["who"] for each in await audited(steering)] == ["Ann"]
    assert [each.by for each in steering.keyring.tokens if each.name == "Bob"] in ([], ["Ann"])


async def test_a_browser_acts_under_the_name_that_it_signed_in_with(steering: FakeSteering) -> None:
    """And the audit says that it was a browser."""
    signed = await steering.keyring.begin("Olu", Role.OPERATOR)
    headers = {"Cookie": f"{COOKIE}={signed.cookie}", CSRF: signed.session.csrf}
    async for client in client_of(admin_app(steering)):
        answer = await client.post("/api/v1/ramps/list/pause", json=WHY | {"by": "Eve"}, headers=headers)
        assert answer.status == 200
    assert [order[3] for order in steering.desk.ordered] == ["Olu"]
    [act] = await audited(steering)
    assert (act["who"], act["role"], act["via"]) == ("Olu", "operator", "session")


async def test_on_the_socket_whoever_acts_says_who_they_are(ordering: Any, steering: FakeSteering) -> None:
    """They could change everything anyway; the audit has the name that they gave, and that it was the owner's way."""
    assert (await ordering.post("/api/v1/ramps/list/pause", json=WHY | {"by": " ann "})).status == 200
    assert (await ordering.post("/api/v1/reload", json={"accept": False})).status == 200
    assert [(each["who"], each["role"], each["via"]) for each in await audited(steering)] == [
        ("owner", "owner", "socket"),
        ("ann", "owner", "socket"),
    ]


@pytest.mark.parametrize("action", sorted(LEVERS.keys() - {"reload"}))
@pytest.mark.parametrize("reason", [{}, {"reason": ""}, {"reason": " \n"}])
async def test_nothing_is_done_without_a_reason(
    approving: Any, steering: FakeSteering, action: str, reason: dict[str, str]
) -> None:
    """For those who will ask later; only the file may be read anew without one."""
    case = await filled(CASES[action], steering)
    tokens = len(steering.keyring.tokens)
    answer = await approving.post(case.path, json=case.order | reason)
    assert "reason" in await problem(answer, 400)
    assert (did(steering), await audited(steering), len(steering.keyring.tokens)) == ([], [], tokens)


async def test_a_reload_may_have_a_reason(approving: Any, steering: FakeSteering) -> None:
    """Then it is written down."""
    await approving.post("/api/v1/reload", json={"accept": False, "reason": " the disk is slow "})
    assert [(each["who"], each["reason"]) for each in await audited(steering)] == [("Ann", "the disk is slow")]


# ------------------------------------------------------------------------------------------------ as they saw it


@pytest.mark.parametrize("action", LEVERS)
async def test_what_has_changed_since_somebody_looked_is_left_alone(
    approving: Any, steering: FakeSteering, action: str
) -> None:
    """412, with how it stands; nothing is done. Who looks again may."""
    steering.desk.standings["list"] = {"share": 10.0, "standing": "10 %, stage 1"}
    case = await filled(CASES[action], steering)
    seen = tag_of(standing_of(steering, case.subject))
    steering.desk.standings["list"] = {"share": 25.0, "standing": "25 %, stage 2"}
    steering.config.write_text(steering.config.read_text() + "# changed\n")
    steering.take()
    tokens = len(steering.keyring.tokens)
    for stale in (seen, '"x"', "x", f"W/{seen}", f'{seen}, "x"'):
        answer = await approving.post(case.path, json=case.order | WHY, headers={"If-Match": stale})
        now = "25 %, stage 2" if case.subject == "list" else "something else serves"
        name = case.subject or "The gateway"
        assert await problem(answer, 412) == f"{name} has changed since you looked ({now}). Nothing was done."
    assert (did(steering), await audited(steering), len(steering.keyring.tokens)) == ([], [], tokens)
    fresh = tag_of(standing_of(steering, case.subject))
    answer = await approving.post(case.path, json=case.order | WHY, headers={"If-Match": fresh})
    assert (answer.status, len(await audited(steering))) == (200, 1)


async def test_of_two_who_saw_the_same_one_does_it(approving: Any, steering: FakeSteering) -> None:
    """Though the first is not done yet when the second comes: to change a file takes a while."""

    async def flip(name: str, serve: str, by: str, why: str) -> dict[str, Any]:
        await asyncio.sleep(0.05)
        steering.config.write_text(steering.config.read_text().replace("serve: 25% new", f"serve: {serve}"))
        steering.take()
        return {"message": f"{name} serves {serve}", "holds": True}

    steering.flip = flip  # type: ignore[method-assign]
    headers = {"If-Match": str((await approving.get("/api/v1/routes/list")).headers["ETag"])}
    answers = await asyncio.gather(
        *(
            approving.post("/api/v1/routes/list/flip", json={"serve": serve, **WHY}, headers=headers)
            for serve in ("new", "legacy", "retired")
        )
    )
    assert sorted(answer.status for answer in answers) == [200, 412, 412]
    assert [act["outcome"] for act in await audited(steering)] == ["done"]


@pytest.mark.parametrize("tags", ["*", '"x", {tag}', '{tag},"x"', ' "x" ,\t{tag} '])
async def test_what_may_be_seen_is_read_as_it_is_written(approving: Any, steering: FakeSteering, tags: str) -> None:
    """Any of several, or whatever it is (RFC 9110, section 13.1.1)."""
    headers = {"If-Match": tags.format(tag=tag_of(standing_of(steering, "list")))}
    assert (await approving.post("/api/v1/ramps/list/pause", json=WHY, headers=headers)).status == 200


async def test_who_looks_is_told_a_tag(approving: Any, steering: FakeSteering) -> None:
    """It is another one when the file or the standing is, and not because somebody called the route."""

    async def tag() -> str:
        return str((await approving.get("/api/v1/routes/list")).headers["ETag"])

    first = await tag()
    assert (await tag(), first[0], first[-1]) == (first, '"', '"')
    steering.desk.standings["list"] = {"share": 0.0, "standing": "legacy by override"}
    second = await tag()
    steering.config.write_text(steering.config.read_text().replace("serve: 25% new", "serve: new"))
    steering.take()
    assert len({first, second, await tag()}) == 3
    headers = {"If-Match": await tag()}
    answer = await approving.post("/api/v1/routes/list/flip", json={"serve": "legacy", **WHY}, headers=headers)
    assert answer.status == 200


async def test_a_ramp_stands_where_its_routes_do(steering: FakeSteering) -> None:
    """A journey is no route, and is named for itself; what is neither has the file."""
    steering.desk.told["ramps"] = [
        {"ramp": "rents", "routes": ["a"], "state": "climbing", "share": 10.0, "stage": 1, "text": "10 %, stage 1"}
    ]
    assert standing_of(steering, "rents") == {"state": "climbing", "share": 10.0, "stage": 1, "text": "10 %, stage 1"}
    assert standing_of(steering, "list") == SERVES
    assert standing_of(steering, "nothing") == standing_of(steering, "") == {"digest": steering.loaded.estate.digest}


# ------------------------------------------------------------------------------------------------ what came of it


def having(steering: FakeSteering, effect: Callable[[], None]) -> None:
    """An override does something to how things stand."""
    done = steering.desk._done

    def carried_out(*order: object) -> dict[str, Any]:
        effect()
        return done(*order)

    steering.desk._done = carried_out  # type: ignore[method-assign]


async def test_the_audit_has_how_it_stood_before_and_after(approving: Any, steering: FakeSteering) -> None:
    """So that one can tell later what an order has changed, and put it back."""
    after = {"share": 0.0, "standing": "legacy by override"}
    having(steering, lambda: steering.desk.standings.update(list=after))
    order = CASES["override"].order
    await approving.post("/api/v1/overrides/list", json=order | WHY)
    [act] = await audited(steering)
    assert (act["before"], act["after"]) == (
        SERVES,
        {"serve": "25% new", "share": 0.0, "text": "legacy by override", "order": order},
    )


async def test_what_is_about_to_be_done_is_written_down_first(
    approving: Any, steering: FakeSteering, tmp_path: Path
) -> None:
    """Should the gateway die of it: who, what, why and how it stood stand on the disk while it is done."""
    found: list[Act] = []
    having(steering, lambda: found.append(act_of((tmp_path / "audit.waiting").read_text())))
    await approving.post("/api/v1/overrides/list", json=CASES["override"].order | WHY)
    [told] = (await steering.auditor.latest(10))["acts"]
    begun = {**told, "outcome": "begun", "after": {"order": CASES["override"].order}}
    assert [each._asdict() for each in found] == [{name: begun[name] for name in Act._fields}]


async def test_what_was_refused_is_written_down(approving: Any, steering: FakeSteering) -> None:
    """Somebody tried it, and was told why not."""
    answer = await approving.post("/api/v1/overrides/list", json=CASES["override"].order | WHY | {"for": -1})
    detail = await problem(answer, 400)
    [act] = await audited(steering)
    assert (act["action"], act["who"], act["outcome"]) == ("override", "Ann", f"not done: {detail}")
    assert (act["before"], act["after"]["order"]["for"]) == (SERVES, -1)
    assert did(steering) == []


async def test_what_the_store_did_not_take_is_written_down(approving: Any, steering: FakeSteering) -> None:
    """On this machine's disk, until it is back."""
    assert steering.store is not None
    async with without(steering.store, "tokens", "audit"):
        answer = await approving.post("/api/v1/tokens", json=CASES["create_token"].order | WHY)
        detail = await problem(answer, 503)
        [act] = await audited(steering)
        assert (act["number"], act["outcome"]) == (None, f"not done: {detail}")
    await steering.auditor.tell()
    [act] = await audited(steering)
    assert (act["number"], act["outcome"]) == (1, f"not done: {detail}")


async def test_what_broke_in_the_middle_is_written_down(approving: Any, steering: FakeSteering) -> None:
    """It may have been done, or half of it: somebody should look."""
    after = {"share": 0.0, "standing": "legacy by override"}

    def breaks() -> None:
        steering.desk.standings["list"] = after
        raise RuntimeError(SECRET)

    having(steering, breaks)
    with capture_logs():
        assert (await approving.post("/api/v1/overrides/list", json=CASES["override"].order | WHY)).status == 500
    [act] = await audited(steering)
    assert act["outcome"] == "it is not known whether it was done: RuntimeError"
    assert (act["before"]["text"], act["after"]["text"]) == ("25% new", "legacy by override")


async def test_what_cannot_be_written_down_is_not_said_to_be_well(
    approving: Any, steering: FakeSteering, tmp_path: Path
) -> None:
    """It was done; whoever did it learns that nobody will be able to tell."""
    assert steering.store is not None
    (tmp_path / "audit.waiting").mkdir()
    answer = await approving.post("/api/v1/ramps/list/pause", json=WHY)
    assert answer.status == 200
    assert "What was done could not be written down" in (await answer.json())["message"]
    assert did(steering) == [("act", "list", "pause", "Ann", WHY["reason"])]


@pytest.mark.parametrize("store", ["store", "disk"])
async def test_no_secret_is_in_the_audit(approving: Any, steering: FakeSteering, tmp_path: Path, store: str) -> None:
    """Neither what orders hold nor what they make: not in the store, on the disk or in the log, and not in answers."""
    opened = steering.store
    assert opened is not None
    with capture_logs() as logs:
        if store == "disk":
            steering.auditor = type(steering.auditor)(tmp_path, lambda: None)
        token = await (await approving.post("/api/v1/tokens", json=CASES["create_token"].order | WHY)).json()
        link = await (await approving.post("/api/v1/links", json=CASES["make_link"].order | WHY)).json()
        await approving.post("/api/v1/reconcile/list", json=CASES["reconcile"].order | WHY)
    kept = str((await opened.audit(None, 100), logs, await steering.auditor.latest(100)))
    kept += (await (await approving.get("/api/v1/audit")).text()) + (tmp_path / "audit.waiting").read_text()
    secrets = (SECRET, secret_of(token["token"]), link["path"].rpartition("=")[2])
    assert len(kept) > 1_000
    assert [secret for secret in secrets if secret in kept] == []


async def test_an_order_in_any_words_is_written_down(approving: Any, steering: FakeSteering) -> None:
    """Half characters from a command line hold up neither this act nor those after it."""
    odd = {"serve": "\udcff", "for": None, "writes": False, "reason": "\ud800\0"}
    assert (await approving.post("/api/v1/overrides/list", json=odd)).status == 200
    assert (await approving.post("/api/v1/ramps/list/pause", json=WHY)).status == 200
    assert [each["number"] for each in await audited(steering)] == [2, 1]
    assert (await (await approving.get("/api/v1/audit/verify")).json())["whole"] is True


async def test_what_is_no_number_is_not_taken(approving: Any, steering: FakeSteering) -> None:
    """Python reads NaN and Infinity where JSON has none, and would tell them to browsers, which cannot."""
    for number in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999"):
        body = f'{{"serve": "legacy", "for": {number}, "writes": false, "reason": "x"}}'
        assert await problem(await approving.post("/api/v1/overrides/list", data=body), 400) == "The body is not JSON."
    deep = "[" * 100_000 + "]" * 100_000
    assert await problem(await approving.post("/api/v1/reload", data=deep), 400) == "The body is not JSON."
    assert (did(steering), await audited(steering)) == ([], [])
