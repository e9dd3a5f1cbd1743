"""People come in with tokens, move traffic from elsewhere, and everything they did can be proved afterwards."""

import getpass
import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import sleep, time
from typing import Any, NamedTuple

import pytest

from gateway.access import keyring
from tests.support.databases import Place
from tests.support.gateway import Gateway
from tests.support.messages import answer
from tests.support.origin import Origin, eventually
from tests.support.tokens import secret_of

WHY = ("--reason", "500s since 02:40")
REASON = {"reason": WHY[1]}
LOOK = 6.0
"""Seconds within which a gateway has looked at what others have changed, on a busy machine."""


def routes_yaml(origin: Origin) -> str:
    return f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  old: {{url: "{origin.url}"}}
  new: {{url: "{origin.url}/new"}}
routes:
  - {{name: list, match: GET /list, legacy: old, new: new, serve: legacy}}  # who asks for all of it
  - name: balance
    match: GET /balance/**
    legacy: old
    new: new
    serve: ramp
    journey: rents
    shadow: 100%
    ramp: {{stages: [50%, 100%], guards: {{parity: off, samples: 1000}}}}
"""


@pytest.fixture
def gateway(origin: Origin, tmp_path: Path) -> Iterator[Gateway]:
    origin.on("/list", answer(b"legacy"))
    origin.on("/new/list", answer(b"new"))
    with Gateway(tmp_path, routes_yaml(origin)) as gateway:
        yield gateway


class Told(NamedTuple):
    """What the admin port answers."""

    status: int
    document: dict[str, Any]
    tag: str | None


def call(gateway: Gateway, path: str, token: str = "", order: dict[str, Any] | None = None, **fields: str) -> Told:
    """Over TCP, as a script does: a question, or an order."""
    connection = HTTPConnection("127.0.0.1", gateway.admin, timeout=20)
    if token:
        fields["Authorization"] = f"Bearer {token}"
    try:
        body = None if order is None else json.dumps(order)
        connection.request("GET" if order is None else "POST", path, body, fields)
        told = connection.getresponse()
        return Told(told.status, json.loads(told.read()), told.headers["ETag"])
    finally:
        connection.close()


def said(gateway: Gateway, *words: str, code: int = 0) -> str:
    """What a command of the gateway's own user says."""
    done = gateway.banyan(*words, seconds=30)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def token_of(gateway: Gateway, role: str, name: str = "Olu") -> str:
    """A new token, by the command."""
    return said(gateway, "token", "create", "--name", name, "--role", role).strip()


def elsewhere(gateway: Gateway, token: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command on another machine: no file and no data folder of the gateway's is there."""
    folder = gateway.folder / "elsewhere"
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "gateway", "--server", f"http://127.0.0.1:{gateway.admin}", *words]
    environ = {**os.environ, "BANYAN_TOKEN": token}
    return subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=folder, env=environ)


def audited(gateway: Gateway) -> list[tuple[str, str, str, str]]:
    """The first first: who did what about what, and what came of it."""
    acts = json.loads(said(gateway, "audit", "--json"))["acts"]
    return [(each["who"], each["action"], each["subject"], each["outcome"]) for each in reversed(acts)]


@contextmanager
def meddling(gateway: Gateway) -> Iterator[sqlite3.Connection]:
    """The store's file, as somebody opens it who may write to it."""
    with closing(sqlite3.connect(gateway.data / "banyan.db", isolation_level=None, timeout=10)) as connection:
        yield connection


# ------------------------------------------------------------------------------------------------ coming in


def test_a_token_made_by_the_command_moves_the_traffic_from_elsewhere(gateway: Gateway) -> None:
    """One word of the file changes, the next request goes there, and the audit has who, from where and why."""
    before = gateway.config.read_text()
    assert call(gateway, "/api/v1/status").status == 401
    assert gateway.look("/livez")[0] == gateway.look("/metrics")[0] == 200
    token = token_of(gateway, "operator")
    assert call(gateway, "/api/v1/me", token).document == {"name": "Olu", "role": "operator", "via": "token"}
    done = call(gateway, "/api/v1/routes/list/flip", token, {"serve": "new", **REASON})
    assert (done.status, done.document["holds"]) == (200, True)
    assert gateway.get("/list").body == b"new"
    assert gateway.config.read_text() == before.replace("serve: legacy", "serve: new")
    [flip, create] = call(gateway, "/api/v1/audit", token).document["acts"]
    assert {
        name: flip[name] for name in ("who", "role", "via", "address", "action", "subject", "reason", "outcome")
    } == {
        "who": "Olu",
        "role": "operator",
        "via": "token",
        "address": "127.0.0.1",
        "action": "flip",
        "subject": "list",
        "reason": WHY[1],
        "outcome": "done",
    }
    assert (flip["before"]["serve"], flip["after"]["serve"]) == ("legacy", "new")
    assert (create["action"], create["role"], create["via"], create["address"]) == (
        "create_token",
        "owner",
        "socket",
        "",
    )
    assert said(gateway, "audit", "verify").startswith("The audit is whole: 2 records, up to ")
    assert call(gateway, "/api/v1/audit/verify", token).document["whole"] is True
    assert secret_of(token) not in gateway.log + json.dumps([flip, create])


def test_what_comes_by_way_of_the_file_is_in_the_audit(gateway: Gateway) -> None:
    """A flip on this machine with its name and reason, an editor's save as the file's, also what was changed while no
    gateway ran; each once, with what served before and after."""

    def shown() -> list[tuple[str, ...]]:
        acts = json.loads(said(gateway, "audit", "--json"))["acts"]
        names = ("who", "via", "action", "subject", "reason")
        return [(*(each[name] for name in names), each["after"].get("text", "")) for each in reversed(acts)]

    def digests() -> list[str]:
        acts = json.loads(said(gateway, "audit", "--json"))["acts"]
        return [each[side]["digest"] for each in reversed(acts) for side in ("before", "after")]

    said(gateway, "flip", "list", "new", "--config", str(gateway.config), *WHY)
    expected = [(getpass.getuser(), "file", "flip", "list", WHY[1], "new")]
    assert eventually(lambda: shown() == expected, within=10)
    gateway.config.write_text(gateway.config.read_text().replace("serve: new", "serve: 10% new"))
    expected.append(("the file", "file", "edit", "list", "the file was changed", "10% new"))
    assert eventually(lambda: shown() == expected, within=10)
    assert gateway.process is not None
    gateway.process.terminate()
    gateway.process.wait(10)
    gateway.config.write_text(gateway.config.read_text() + "# looked at\n")
    gateway.start()
    expected.append(("the file", "file", "edit", "", "read as the gateway began", ""))
    assert eventually(lambda: shown() == expected, within=10)
    found = digests()
    assert (found[1:-1:2], len({*found})) == (found[2::2], 4)
    assert said(gateway, "audit", "verify").startswith("The audit is whole: 3 records")
    with meddling(gateway) as connection:
        connection.execute("DELETE FROM audit WHERE number = 3")
    assert "what came after it was removed" in said(gateway, "audit", "verify", code=1)


def test_a_role_is_no_more_than_it_is(gateway: Gateway) -> None:
    """A viewer looks; an operator moves traffic and lets no stage begin; and nobody makes a token but an approver."""
    viewer, operator = token_of(gateway, "viewer"), token_of(gateway, "operator")
    assert eventually(lambda: "climbing" in json.dumps(call(gateway, "/api/v1/ramps", viewer).document))
    refused = [
        call(gateway, path, token, order).status
        for token, path, order in (
            (viewer, "/api/v1/routes/list/flip", {"serve": "new", **REASON}),
            (viewer, "/api/v1/ramps/rents/rollback", REASON),
            (viewer, "/api/v1/reload", {"accept": True}),
            (operator, "/api/v1/ramps/rents/promote", REASON),
            (operator, "/api/v1/tokens", {"name": "Eve", "role": "approver", "expires": 60, **REASON}),
            (operator, "/api/v1/links", {"name": "Eve", "role": "approver", "for": 60, **REASON}),
        )
    ]
    assert refused == [403] * 6
    assert call(gateway, "/api/v1/tokens", operator).status == 403
    assert [action for _, action, _, _ in audited(gateway)] == ["create_token"] * 2
    assert gateway.get("/list").body == b"legacy"
    assert call(gateway, "/api/v1/ramps/rents/rollback", operator, REASON).status == 200


def test_a_revoked_token_is_over_on_every_gateway(origin: Origin, remote: Place, tmp_path: Path) -> None:
    """Here with the command's return, and on another gateway of the same store within a few seconds."""
    folders = tmp_path / "one", tmp_path / "other"
    for folder in folders:
        folder.mkdir()
    with (
        Gateway(folders[0], routes_yaml(origin), BANYAN_STORE=str(remote.url)) as one,
        Gateway(folders[1], routes_yaml(origin), BANYAN_STORE=str(remote.url)) as other,
    ):
        assert eventually(lambda: one.status["store"]["available"] and other.status["store"]["available"], LOOK)
        token = token_of(one, "operator")
        sleep(2 * keyring.LOOK)  # whoever asks again and again has to wait for longer
        assert call(other, "/api/v1/me", token).status == 200
        said(other, "token", "revoke", token.split("_")[1], *WHY)
        assert call(other, "/api/v1/me", token).status == 401
        assert eventually(lambda: call(one, "/api/v1/me", token).status == 401, LOOK)
        assert "was revoked" in call(one, "/api/v1/me", token).document["detail"]
        for gateway in (one, other):
            assert [action for _, action, _, _ in audited(gateway)] == ["create_token", "revoke_token"]
            assert "is whole: 2 records" in said(gateway, "audit", "verify")
        assert len(json.loads(gateway.look("/api/v1/configurations")[1])["configurations"]) == 1


def test_a_restart_keeps_who_may_come_in(gateway: Gateway) -> None:
    """Tokens, and browsers that are signed in, also by another gateway of the store; after a crash, too."""
    token = token_of(gateway, "operator")
    now, cookie = time(), "c" * 43
    with meddling(gateway) as store:
        session = (keyring.hashed(cookie), "Zoë", "viewer", "csrf", "", now, now, now + 600)
        store.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", session)

    def both() -> list[str | None]:
        found = (
            call(gateway, "/api/v1/me", token),
            call(gateway, "/api/v1/me", Cookie=f"banyan_session={cookie}"),
        )
        return [each.document.get("name") for each in found]

    assert eventually(lambda: both() == ["Olu", "Zoë"], LOOK), both()
    gateway.terminate()
    assert gateway.wait() == 0
    gateway.start()
    assert eventually(lambda: both() == ["Olu", "Zoë"], LOOK), both()
    gateway.kill_control()
    gateway.start()
    assert eventually(lambda: both() == ["Olu", "Zoë"], LOOK), both()


# ------------------------------------------------------------------------------------------------ elsewhere


def test_commands_work_from_elsewhere(gateway: Gateway) -> None:
    """With an address and a token, and without a file or folder of the gateway's."""
    token = token_of(gateway, "operator")
    assert eventually(lambda: "climbing" in elsewhere(gateway, token, "routes").stdout)
    assert elsewhere(gateway, token, "status").stdout.startswith("gateway        ready")
    assert re.search(r"list +GET /list +legacy", elsewhere(gateway, token, "routes").stdout)
    steps = [
        (("override", "list", "new", "--for", "1h", *WHY), b"new"),
        (("override", "list", "--clear", *WHY), b"legacy"),
        (("flip", "list", "new", *WHY), b"new"),
        (("rollback", "list", *WHY), b"legacy"),
    ]
    for words, body in steps:
        done = elsewhere(gateway, token, *words)
        assert (done.returncode, done.stderr) == (0, ""), words
        assert gateway.get("/list").body == body, words
    refused = elsewhere(gateway, token, "promote", "rents", *WHY)
    assert (refused.returncode, refused.stderr) == (1, "This needs the role approver; Olu is an operator.\n")
    wrong = elsewhere(gateway, token[:-1] + "x", "status")
    assert (wrong.returncode, "is not known here" in wrong.stderr) == (1, True)
    whole = elsewhere(gateway, token, "audit", "verify")
    assert (whole.returncode, whole.stdout.startswith("The audit is whole: 5 records")) == (0, True)
    assert audited(gateway)[1:] == [
        ("Olu", action, "list", "done") for action in ("override", "clear", "flip", "rollback")
    ]


def test_who_decided_on_something_else_does_nothing(gateway: Gateway) -> None:
    """Two people look; the second to act is told that the first has acted."""
    token = token_of(gateway, "operator")
    seen = call(gateway, "/api/v1/routes/list", token).tag
    assert seen is not None
    order = {"serve": "new", "for": None, "writes": False, **REASON}
    assert call(gateway, "/api/v1/overrides/list", token, order, **{"If-Match": seen}).status == 200
    late = call(gateway, "/api/v1/routes/list/flip", token, {"serve": "retired", **REASON}, **{"If-Match": seen})
    assert (late.status, "new by override" in late.document["detail"]) == (412, True)
    assert (gateway.get("/list").body, "serve: legacy" in gateway.config.read_text()) == (b"new", True)


def test_an_earlier_file_is_put_back(gateway: Gateway) -> None:
    """Whoever brought it and why is told beside it, and so is who put it back."""
    token, before = token_of(gateway, "operator"), gateway.config.read_text()
    call(gateway, "/api/v1/routes/list/flip", token, {"serve": "new", **REASON})
    assert gateway.get("/list").body == b"new"

    def listed() -> list[tuple[int, str, str]]:
        found = call(gateway, "/api/v1/configurations", token).document["configurations"]
        return [(each["number"], each["by"], each["why"]) for each in found]

    first = (1, "the file", "read as the gateway began")
    assert eventually(lambda: listed() == [(2, "Olu", WHY[1]), first], LOOK), listed()
    back = call(gateway, "/api/v1/configurations/1/revert", token, {"reason": "worse"})
    assert (back.status, back.document["holds"]) == (200, True)
    assert (gateway.get("/list").body, gateway.config.read_text()) == (b"legacy", before)
    assert eventually(lambda: listed() == [(3, "Olu", "worse"), (2, "Olu", WHY[1]), first], LOOK), listed()
    assert call(gateway, "/api/v1/configurations/9/revert", token, {"reason": "worse"}).status == 400


# ------------------------------------------------------------------------------------------------ the audit


def test_what_was_done_while_the_store_was_away_is_in_the_audit_afterwards(gateway: Gateway) -> None:
    """Once, also where the gateway crashed meanwhile; and nobody waited for it."""
    token = token_of(gateway, "operator")
    with meddling(gateway) as store:
        store.execute("BEGIN IMMEDIATE")
        begin = time()
        order = {"serve": "new", "for": None, "writes": False, **REASON}
        assert call(gateway, "/api/v1/overrides/list", token, order).status == 200
        assert (gateway.get("/list").body, time() - begin < 2.4) == (b"new", True)
        [waits, made] = call(gateway, "/api/v1/audit", token).document["acts"]
        assert (waits["number"], waits["action"], made["number"]) == (None, "override", 1)
        gateway.kill_control()
        store.execute("ROLLBACK")
    gateway.start()
    expected = [("Olu", "override", "list", "done")]
    assert eventually(lambda: "is whole: 2 records" in gateway.banyan("audit", "verify").stdout, LOOK)
    assert audited(gateway)[1:] == expected
    gateway.terminate()
    gateway.wait()
    gateway.start()
    assert eventually(lambda: gateway.status["store"]["available"], LOOK)
    assert audited(gateway)[1:] == expected
    assert "is whole: 2 records" in said(gateway, "audit", "verify")


def test_whoever_meddles_with_the_audit_is_found_out(gateway: Gateway) -> None:
    """By the one word that they changed, and by what they removed: after later acts, and after a restart."""
    for reason in "abc":
        said(gateway, "override", "list", "new", "--reason", reason)
    assert "is whole: 3 records" in said(gateway, "audit", "verify")
    with meddling(gateway) as store:
        store.execute("UPDATE audit SET text = replace(text, '\"b\"', '\"x\"') WHERE number = 2")
        assert "NOT whole. Record 2 is not what it was" in said(gateway, "audit", "verify", code=1)
        store.execute("UPDATE audit SET text = replace(text, '\"x\"', '\"b\"') WHERE number = 2")
        assert "is whole" in said(gateway, "audit", "verify")
        store.execute("DELETE FROM audit WHERE number > 1")
    for found in ("there were 3: what came after it was removed", "there were 3", "the chain was written anew"):
        assert found in said(gateway, "audit", "verify", code=1)
        said(gateway, "override", "list", "new", "--reason", "later")
    gateway.terminate()
    gateway.wait()
    gateway.start()
    assert eventually(lambda: gateway.status["store"]["available"], LOOK)
    assert "the chain was written anew" in said(gateway, "audit", "verify", code=1)
    assert [each for each in gateway.data.glob("audit.*") if stat.S_IMODE(each.stat().st_mode) != 0o600] == []
