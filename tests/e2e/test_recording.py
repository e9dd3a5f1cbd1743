"""Recorded traffic: captured while it passes, with nobody's data in it, and replayed to find what differs."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import gmtime, monotonic, sleep
from typing import Any

import pytest

from tests.support.gateway import ROOT, Gateway
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, eventually

JSON = "Content-Type: application/json"
# No word of hexadecimal digits: the ids of requests are made of them.
SECRETS = ("zoe", "AB123456C", "123456", "s3cret", "Bearer", "tenancy")


def balances(wrong: bool) -> Any:
    """A script that answers `/balance?account=N`: every answer differs by account; `wrong` rounds some down."""

    def talk(each: Talk) -> None:
        account = int(each.request.target.rpartition("=")[2] or 0)
        balance = account * 10.25
        body = {"account": account, "balance": int(balance) if wrong and account % 2 else balance}
        each.body()
        each.send(answer(json.dumps(body).encode(), JSON))

    return talk


@pytest.fixture(scope="module")
def sides() -> Iterator[tuple[Origin, Origin]]:
    with Origin() as legacy, Origin() as new:
        legacy.on("/balance", balances(wrong=False))
        new.on("/balance", balances(wrong=True))
        for each in (legacy, new):
            each.on("/same", answer(b'{"a": [1, 2]}', JSON))
        yield legacy, new


def routes_yaml(sides: tuple[Origin, Origin], more: str = "") -> str:
    legacy, new = sides
    return f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  old: {{url: "{legacy.url}"}}
  fresh: {{url: "{new.url}"}}
routes:
  - {{name: balance, match: ANY /balance, legacy: old, new: fresh}}
  - {{name: same, match: GET /same, legacy: old, new: fresh{more}}}
"""


@pytest.fixture(scope="module")
def gateway(sides: tuple[Origin, Origin], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), routes_yaml(sides)) as gateway:
        yield gateway


def _as_a_terminal_does() -> None:
    """Ctrl-C is heard, also where whoever runs these tests does not hear it (a shell's background, POSIX 2.11)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Capturing:
    """`banyan capture` while traffic passes; `out` is all that it said."""

    def __init__(self, gateway: Gateway, *arguments: str) -> None:
        command = [sys.executable, "-m", "gateway", "capture", *arguments, "--data", str(gateway.data)]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=_as_a_terminal_does,
        )

    def while_passing(self, *requests: Any) -> "Capturing":
        """Send requests again and again until the capture has ended."""
        deadline = monotonic() + 20
        while self.process.poll() is None:
            assert monotonic() < deadline, "the capture does not end"
            for request in requests:
                request()
            sleep(0.02)
        self.out = "".join(self.process.communicate())
        return self


def entries(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text())["log"]["entries"])


def test_nobody_is_in_a_recording(gateway: Gateway, tmp_path: Path) -> None:
    """What was sent in credentials, cookies and addresses is not in the file, which only its owner may read; nor is it
    in anything that the gateway keeps or logs."""
    path = tmp_path / "balance.har"

    def personal() -> None:
        target = "/balance?of=zoe@example.org&ni=AB123456C&account=4"
        gateway.get(target, "Authorization: Bearer s3cret", "Cookie: tenancy=s3cret", "X-Token: s3cret")

    def unsafe() -> None:
        gateway.call("POST", "/balance?account=1", body=b"s3cret")

    done = Capturing(gateway, "balance", "--count", "5", "-o", str(path), "--bodies").while_passing(personal, unsafe)
    assert done.out == f"5 requests in {path}: there are enough.\n"
    assert {entry["request"]["method"] for entry in entries(path)} == {"GET"}
    assert {entry["response"]["status"] for entry in entries(path)} == {200}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = [each.read_bytes() for each in gateway.folder.rglob("*") if each.is_file()] + [path.read_bytes()]
    assert [word for word in SECRETS for content in kept if word.encode() in content] == []


def test_a_replay_finds_what_differs(gateway: Gateway, sides: tuple[Origin, Origin], tmp_path: Path) -> None:
    """Recorded once, sent to both sides with no client: it says where, how often, and ends with 1."""
    path = tmp_path / "balance.har"
    numbers = iter(range(10_000))
    capturing = Capturing(gateway, "balance", "--count", "40", "-o", str(path))
    capturing.while_passing(lambda: gateway.get(f"/balance?account={next(numbers)}"))
    before = [len(each.seen("/balance")) for each in sides]
    done = gateway.banyan("replay", str(path), "--route", "balance", "--rate", "200/s", "--json", seconds=60)
    report = json.loads(done.stdout)
    assert (done.returncode, report["left_out"], report["sent"]) == (1, [], 40)
    assert report["verdicts"] == {"matched": 20, "mismatched": 20}
    assert report["fields"] == [{"field": "/balance", "kind": "value", "answers": 20, "wrong": True}]
    asked = [len(each.seen("/balance")) - count for each, count in zip(sides, before, strict=True)]
    assert asked[1] == 40
    assert 40 <= asked[0] <= 80  # some were asked twice, to see whether the field is noise
    assert gateway.metric('banyan_verdicts_total{route="balance",verdict="mismatched"}') == 20


def test_a_replay_that_matches_is_clean(gateway: Gateway, tmp_path: Path) -> None:
    """Exit code 0, and what is not replayed on this route is listed with the reason."""
    path = tmp_path / "browser.har"
    urls = ["/same", "/same?b=1", "/balance?account=1", "/none"]
    document = {
        "log": {"entries": [{"request": {"method": "GET", "url": f"http://h{url}", "headers": []}} for url in urls]}
    }
    path.write_text(json.dumps(document))
    done = gateway.banyan("replay", str(path), "--route", "same", seconds=30)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "entry 3 is left out: the route balance takes it",
        "entry 4 is left out: the gateway would answer 404: Nothing is served at this address.",
        "same: 2 requests replayed",
        "  matched  2",
        "  answers: 2 × 200 many",
    ]


def test_a_capture_survives_a_reload_and_a_data_process(
    gateway: Gateway, sides: tuple[Origin, Origin], tmp_path: Path
) -> None:
    """It goes on, on the new table and in the new process, until it has what was wanted."""
    path = tmp_path / "same.har"
    capturing = Capturing(gateway, "same", "--count", "3", "-o", str(path), "--for", "20s")
    for number in range(3):
        assert eventually(gateway.is_ready, 5)
        sleep(1.5)  # the order is given anew within a second
        assert gateway.get(f"/same?{number}").status == 200
        if number == 0:
            gateway.edit(routes_yaml(sides, ", serve: new"))
        if number == 1:
            sleep(0.3)  # what passed is handed over
            gateway.kill_data()
            sleep(0.5)
    assert capturing.while_passing().out == f"3 requests in {path}: there are enough.\n"
    assert [entry["request"]["url"].rpartition("?")[2] for entry in entries(path)] == ["0", "1", "2"]
    gateway.edit(routes_yaml(sides))


def test_ctrl_c_keeps_what_there_is(gateway: Gateway, tmp_path: Path) -> None:
    """And ends the capture in the gateway: another can begin at once."""
    path = tmp_path / "same.har"
    capturing = Capturing(gateway, "same", "-o", str(path), "--count", "5000")
    timer = threading.Timer(2.5, lambda: os.kill(capturing.process.pid, 2))
    timer.start()
    capturing.while_passing(lambda: gateway.get("/same"))
    timer.join()
    assert capturing.out.endswith(f"in {path}: it was ended here.\n")
    assert len(entries(path)) > 3
    again = Capturing(gateway, "same", "--count", "1", "-o", str(tmp_path / "2.har")).while_passing(
        lambda: gateway.get("/same")
    )
    assert again.process.returncode == 0


def test_a_replay_on_a_schedule(sides: tuple[Origin, Origin], tmp_path: Path) -> None:
    """At its minute the file is replayed, once, however often the gateway is started again; the log tells of it."""
    (tmp_path / "same.har").write_text(
        json.dumps({"log": {"entries": [{"request": {"method": "GET", "url": "http://h/same", "headers": []}}]}})
    )
    now = gmtime()
    before = f"{now.tm_hour:02}:{now.tm_min:02}"
    replay = f', replay: {{from: same.har, daily: "{before}"}}'
    with Gateway(tmp_path, routes_yaml(sides, replay)) as gateway:
        assert eventually(lambda: _marked(gateway) is not None, 10)
        gateway.terminate()
        gateway.wait()
        _marked(gateway, "UPDATE marks SET number = number - 1 WHERE name = 'daily replay same' RETURNING number")
        gateway.start()
        assert eventually(lambda: bool(_finished(gateway)), 15), gateway.log
        assert [(each["route"], each["sent"], each["matched"]) for each in _finished(gateway)] == [("same", 1, 1)]
        gateway.terminate()
        gateway.wait()
        gateway.start()
        sleep(3)
        assert _finished(gateway) == []


def _finished(gateway: Gateway) -> list[dict[str, Any]]:
    return [each for each in gateway.events if each["event"] == "replay_finished"]


def _marked(
    gateway: Gateway, statement: str = "SELECT number FROM marks WHERE name = 'daily replay same'"
) -> int | None:
    """The day of the last replay, as the store knows it."""
    path = gateway.data / "banyan.db"
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as store:
        try:
            found = store.execute(statement).fetchone()
        except sqlite3.OperationalError:  # its tables are being made
            return None
        store.commit()
    return int(found[0]) if found else None
