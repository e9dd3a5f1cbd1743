"""Backends that want a log-on: it happens once, is renewed once, and nobody who calls notices."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.support.gateway import ROOT, Gateway
from tests.support.messages import Message
from tests.support.origin import eventually
from tests.support.waste import PASSWORD, Waste, written

TOKEN = "token: AuthenticateResult.Token, header: {SessionHeader: {Token: token}}, body: {token: token}"
RENEW = "renew_on: [InvalidToken], renew_when: \"Errors.Code == 'SESSION'\""
KEY = "the-key-of-the-api"


def routes(url: str, session: str = f"{TOKEN}, {RENEW}", *, more: str = "", other: str = "") -> str:
    log_on = f'operation: Authenticate, request: {{user: gateway, password: "${{WASTE_PASSWORD}}"}}, {session}'
    described = f"type: soap, wsdl: waste.wsdl, auth: {{session: {{{log_on}}}, header: {{ApiHeader: {{Key: {KEY}}}}}}}"
    same = described.replace(", body: {token: token}", "")
    beside = f'  other: {{{same}, url: "{other}"}}\n' if other else ""
    elsewhere = (
        '  - {name: elsewhere, match: "GET /elsewhere", legacy: '
        "{backend: other, operation: GetCollections, request: {Address: query.at}}}\n"
        if other
        else ""
    )
    return f"""version: 1
gateway: {{access_log: {{to: stdout}}}}
backends:
  waste: {{{described}, url: "{url}"}}
{beside}routes:
  - name: collections
    match: GET /collections
    legacy: {{backend: waste, operation: GetCollections, request: {{Address: query.at}}, response: "{{days: Day}}"}}
  - name: missed
    match: POST /missed
    legacy: {{backend: waste, operation: ReportMissed, request: {{Address: body.at}}}}
{elsewhere}{more}"""


PING = "  - {name: ping, match: GET /ping, legacy: {backend: waste, operation: Ping, request: '`{}`'}}\n"


def started(folder: Path, text: str, password: str = PASSWORD) -> Gateway:
    written(folder)
    return Gateway(folder, text, WASTE_PASSWORD=password)


def banyan(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command about the routes.yaml in a folder."""
    command = [sys.executable, "-m", "gateway", *arguments, "--config", str(folder / "routes.yaml")]
    environ = {**os.environ, "WASTE_PASSWORD": PASSWORD}
    return subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=ROOT, env=environ)


def ask(gateway: Gateway, _number: int = 0) -> Message:
    return gateway.get("/collections?at=1")


def many(gateway: Gateway, count: int) -> list[int]:
    """The statuses of so many calls at once."""
    with ThreadPoolExecutor(count) as pool:
        return [answer.status for answer in pool.map(lambda number: ask(gateway, number), range(count))]


Usual = tuple[Waste, Gateway]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Usual]:
    """A service and a gateway for tests that only count what comes on top."""
    with Waste(pause=0.1) as waste, started(tmp_path_factory.mktemp("usual"), routes(waste.url)) as gateway:
        yield waste, gateway


def test_fifty_first_calls_log_on_once(tmp_path: Path) -> None:
    """All wait for the one log-on under way; the token goes along in a header, and in the message of a write."""
    with Waste(pause=0.3) as waste, started(tmp_path, routes(waste.url)) as gateway:
        assert many(gateway, 50) == [200] * 50
        assert (waste.log_ons, waste.served, waste.refused) == (1, 50, 0)
        assert json.loads(ask(gateway).body) == {"days": ["Monday"]}
        missed = gateway.call("POST", "/missed", "Content-Type: application/json", body=b'{"at": "1"}')
        assert (missed.status, json.loads(missed.body)) == (200, {"Number": "7"})
        assert (waste.log_ons, waste.served) == (1, 52)
        assert all(KEY in message for message in waste.messages if "GetCollections" in message)


@pytest.mark.parametrize("refusal", ["fault", "status", "security", "result"])
def test_a_session_that_is_over_is_renewed(usual: Usual, refusal: str) -> None:
    """However the service says so; what was refused is sent once more."""
    waste, gateway = usual
    waste.refusal = refusal
    assert ask(gateway).status == 200
    before = waste.since()
    waste.expire()
    assert ask(gateway).status == 200
    assert waste.since(*before) == (1, 1, 1)


def test_expiry_under_load_is_renewed_once(usual: Usual) -> None:
    """Everybody is told at the same moment, one logs on, and no call fails."""
    waste, gateway = usual
    assert ask(gateway).status == 200
    before = waste.since()
    statuses: list[int] = []
    last = monotonic() + 1.5

    def load() -> None:
        with gateway.client() as client:
            while monotonic() < last:
                statuses.append(client.get("/collections?at=1").status)

    threads = [threading.Thread(target=load) for _ in range(16)]
    for thread in threads:
        thread.start()
    assert eventually(lambda: waste.served > before[1] + 50, 5)
    waste.expire()
    for thread in threads:
        thread.join(10)
    log_ons, served, refused = waste.since(*before)
    assert set(statuses) == {200}
    assert (log_ons, served) == (1, len(statuses))
    assert 1 <= refused <= 16


def test_a_wrong_password_is_tried_once(tmp_path: Path) -> None:
    """Accounts get locked: calls are answered at once for ten seconds, and the log says why."""
    with Waste(pause=0.1) as waste, started(tmp_path, routes(waste.url), password="wrong") as gateway:
        assert many(gateway, 20) == [502] * 20
        began = monotonic()
        answer = ask(gateway)
        assert monotonic() - began < 1
        assert (answer.status, waste.log_ons, waste.served) == (502, 1, 0)
        assert "did not accept the gateway's own credentials" in answer.body.decode()
        assert eventually(lambda: len(gateway.access_log) == 21)
        told = {(each["outcome"], each["acted"], each["error"]) for each in gateway.access_log}
        assert told == {("backend_error", "no", "not_logged_on")}


def test_a_new_session_that_is_refused_as_well_ends_it(tmp_path: Path) -> None:
    """A call is sent twice at most, and a service that accepts no session is not logged on to with every call."""
    with Waste(loyal=False) as waste, started(tmp_path, routes(waste.url)) as gateway:
        assert [ask(gateway).status for _ in range(5)] == [502] * 5
        assert (waste.log_ons, waste.refused) == (2, 6)


def test_a_session_survives_a_reload(tmp_path: Path) -> None:
    """Also when another operation comes into use; other credentials begin a new one."""
    with Waste() as waste, started(tmp_path, routes(waste.url)) as gateway:
        assert ask(gateway).status == 200
        gateway.edit(routes(waste.url, more=PING))
        assert [ask(gateway).status, gateway.get("/ping").status] == [200, 200]
        assert waste.log_ons == 1
        gateway.edit(routes(waste.url).replace("user: gateway", "user: other"))
        assert ask(gateway).status == 200
        assert waste.log_ons == 2


def test_two_backends_share_no_session(tmp_path: Path) -> None:
    """Although both log on in the same way."""
    with (
        Waste() as waste,
        Waste() as other,
        started(tmp_path, routes(waste.url, other=other.url)) as gateway,
    ):
        assert [ask(gateway).status, gateway.get("/elsewhere?at=2").status] == [200, 200]
        assert (waste.log_ons, other.log_ons, waste.served, other.served) == (1, 1, 1, 1)


def test_cookies_are_the_session(tmp_path: Path) -> None:
    """Those that the log-on sets, name and value only, and none of the client's."""
    with Waste(cookies=True, refusal="status") as waste, started(tmp_path, routes(waste.url, "lasts: 1h")) as gateway:
        assert gateway.get("/collections?at=1", "Cookie: ASP.NET_SessionId=mine").status == 200
        assert "\r\nCookie: ASP.NET_SessionId=T-1; farm=b\r\n" in waste.heads[-1]
        assert "Cookie" not in waste.heads[0]
        waste.expire()
        assert gateway.get("/collections?at=1").status == 200
        assert "\r\nCookie: ASP.NET_SessionId=T-2; farm=b\r\n" in waste.heads[-1]


def test_a_session_that_lasts_so_long_is_renewed_unasked(tmp_path: Path) -> None:
    """No call is refused for it."""
    with Waste() as waste, started(tmp_path, routes(waste.url, f"{TOKEN}, lasts: 1s")) as gateway:
        assert ask(gateway).status == 200
        assert eventually(lambda: ask(gateway).status == 200 and waste.log_ons == 2, 5)
        assert waste.refused == 0


@pytest.mark.parametrize(("keep", "connections", "idle"), [(True, 1, 1.0), (False, 5, 0.0)])
def test_a_connection_is_given_back_before_it_is_used_again(
    tmp_path: Path, keep: bool, connections: int, idle: float
) -> None:
    """One carries the log-on and the call, and is counted once; one that the service closes is left alone."""
    with Waste(keep=keep) as waste, started(tmp_path, routes(waste.url)) as gateway:
        assert ask(gateway).status == 200
        waste.expire()
        assert ask(gateway).status == 200
        assert waste.connections == connections
        series = 'banyan_backend_connections{backend="waste",state="%s"}'
        assert eventually(lambda: gateway.metric(series % "busy") == 0.0 and gateway.metric(series % "idle") == idle)


def test_when_who_logs_on_leaves_the_next_one_does(tmp_path: Path) -> None:
    """Its log-on is given up with it; who waited is answered all the same."""
    with Waste(pause=0.5) as waste, started(tmp_path, routes(waste.url)) as gateway:
        with gateway.client() as client:
            client.send(b"GET /collections?at=1 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert eventually(lambda: waste.log_ons == 1)
            with ThreadPoolExecutor(3) as pool:
                waiting = [pool.submit(ask, gateway) for _ in range(3)]
                sleep(0.2)
                client.close()
                assert [each.result(10).status for each in waiting] == [200] * 3
        assert waste.log_ons == 2


def test_large_messages_are_in_the_session_too(tmp_path: Path) -> None:
    """They are coded in a process of their own, which gets the token with each; `decode` bounds them."""
    with Waste() as waste, started(tmp_path, routes(waste.url)) as gateway:
        body = json.dumps({"at": "x" * 200_000}).encode()
        assert ask(gateway).status == 200
        waste.expire()
        assert gateway.call("POST", "/missed", "Content-Type: application/json", body=body).status == 200
        assert (waste.log_ons, waste.served) == (2, 2)
        gateway.edit(routes(waste.url).replace("name: missed\n", "name: missed\n    decode: 100KiB\n"))
        refused = gateway.call("POST", "/missed", "Content-Type: application/json", body=body)
        assert (refused.status, waste.log_ons, waste.served) == (413, 2, 2)


def test_a_service_that_is_away_is_tried_by_each_who_waits(tmp_path: Path) -> None:
    """A log-on that fails is no refusal, so nobody hangs, and nobody is kept from trying."""
    with Waste() as waste:
        url = waste.url
    with started(tmp_path, routes(url)) as gateway:
        assert many(gateway, 10) == [502] * 10
        assert eventually(lambda: len(gateway.access_log) == 10)
        assert {(each["acted"], each["error"]) for each in gateway.access_log} == {("no", "connect_failed")}


def test_nothing_of_it_is_shown(usual: Usual) -> None:
    """Neither what the gateway logs on with, nor the token, nor fixed headers: not to operators, and in no log."""
    _, gateway = usual
    assert ask(gateway).status == 200
    explained = banyan(gateway.folder, "explain", "GET", "/collections?at=1")
    looked = [gateway.look(path)[1] for path in ("/api/v1/estate", "/api/v1/status", "/metrics", "/openapi.json")]
    assert "logged on by Authenticate" in explained.stdout
    call = json.loads(looked[0])["routes"]["collections"]["legacy"]["call"]
    assert call["session"]["operation"] == "Authenticate"
    for secret in ("zebra", "T-1", KEY):
        assert not [text for text in (*looked, explained.stdout, gateway.log) if secret in text], secret
        assert secret not in json.dumps(gateway.access_log)


def test_a_call_by_hand_logs_on_too(tmp_path: Path) -> None:
    """`banyan call` shows the call and not what it was begun with; a dry run calls nobody."""
    written(tmp_path)
    with Waste() as waste:
        (tmp_path / "routes.yaml").write_text(routes(waste.url))
        dry = banyan(tmp_path, "call", "collections", "--query", "at=1", "--dry-run")
        assert (dry.returncode, waste.log_ons, "GetCollections" in dry.stdout) == (0, 0, True)
        done = banyan(tmp_path, "call", "collections", "--query", "at=1")
        assert (done.returncode, waste.log_ons, waste.served) == (0, 1, 1)
        assert "Monday" in done.stdout
        for secret in ("zebra", "T-1", KEY):
            assert secret not in done.stdout + done.stderr + dry.stdout
