"""Writes that are owed to somebody, with real processes: copies in order, receipts, and what a person can do."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gateway import Gateway
from tests.support.messages import Message, answer
from tests.support.origin import Origin, eventually

DOWN = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
NO = b"HTTP/1.1 422 No\r\nContent-Length: 2\r\n\r\nno"
JSON = "Content-Type: application/json"


@pytest.fixture
def old() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
def new() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
def gateway(old: Origin, new: Origin, tmp_path: Path) -> Iterator[Gateway]:
    text = f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  old: {{url: "{old.url}", protect: {{breaker: {{open_after: 1, share: 1%, retry_after: 1s}}}}}}
  new: {{url: "{new.url}"}}
routes:
  - {{name: copied, match: "ANY /copied/{{id}}", legacy: old, new: new, writes: {{copy: true}}}}
  - {{name: queued, match: "ANY /queued/{{id}}", legacy: old, writes: {{when_down: queue, key: path.id}}}}
"""
    with Gateway(tmp_path, text) as gateway:
        yield gateway


def sent(origin: Origin, path: str) -> list[Message]:
    return [each for each in origin.requests if each.start.split(b" ")[1] == path.encode()]


def owed(gateway: Gateway, *more: str) -> list[dict[str, object]]:
    return list(json.loads(gateway.banyan("outbox", *more, "--json").stdout)["writes"])


def test_the_other_side_gets_what_the_record_took(gateway: Gateway, old: Origin, new: Origin) -> None:
    """In order, with a key of its own each; reads are nobody else's business."""
    for number in range(5):
        done = gateway.call("PUT", "/copied/1", JSON, "Idempotency-Key: theirs", body=b"%d" % number)
        assert done.status == 200
    assert gateway.get("/copied/1").status == 200
    assert eventually(lambda: len(sent(new, "/copied/1")) == 5)
    assert [each.body for each in sent(new, "/copied/1")] == [b"0", b"1", b"2", b"3", b"4"]
    keys = [each.get("Idempotency-Key") for each in sent(new, "/copied/1")]
    assert len(set(keys)) == 5
    assert [each.get("Idempotency-Key") for each in sent(old, "/copied/1")] == ["theirs"] * 5 + [None]
    assert eventually(lambda: not owed(gateway))


def test_what_is_owed_shows_in_the_metrics(gateway: Gateway, new: Origin) -> None:
    """Zero for what owes nothing yet, and what came of each try."""
    assert eventually(lambda: gateway.metric('banyan_writes_owed{kind="copy",route="copied",state="dead"}') == 0)
    assert gateway.metric('banyan_writes_owed{kind="queued",route="queued",state="ready"}') == 0
    new.on("/copied/1", NO)
    gateway.call("PUT", "/copied/1", body=b"a")
    tries = 'banyan_deliveries_total{kind="copy",outcome="refused",route="copied"}'
    assert eventually(lambda: gateway.metric(tries) == 1)


def test_what_the_record_refused_is_owed_to_nobody(gateway: Gateway, old: Origin, new: Origin) -> None:
    """And what it may have done is listed, until a person has it delivered."""
    old.on("/copied/1", NO)
    assert gateway.call("PUT", "/copied/1", body=b"a").status == 422
    assert owed(gateway) == []
    old.on("/copied/1", b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    assert gateway.call("PUT", "/copied/1", body=b"b").status == 500
    [unresolved] = owed(gateway)
    assert (unresolved["state"], unresolved["key"], unresolved["why"]) == (
        "unresolved",
        "/copied/1",
        "the record answered 500",
    )
    assert sent(new, "/copied/1") == []
    assert gateway.banyan("outbox", "retry", str(unresolved["id"]), "--reason", "legacy has it").returncode == 0
    assert eventually(lambda: [each.body for each in sent(new, "/copied/1")] == [b"b"])


def test_a_dead_letter_parks_its_own_key_alone(gateway: Gateway, new: Origin) -> None:
    """Later writes of the key wait for a person; those of others go on."""
    new.on("/copied/1", NO)
    gateway.call("PUT", "/copied/1", body=b"a")
    assert eventually(lambda: [each["state"] for each in owed(gateway)] == ["dead"])
    new.on("/copied/1", answer(b"ok"))
    gateway.call("PUT", "/copied/1", body=b"b")
    gateway.call("PUT", "/copied/2", body=b"c")
    assert eventually(lambda: [each.body for each in sent(new, "/copied/2")] == [b"c"])
    assert [each["state"] for each in owed(gateway)] == ["dead", "ready"]
    dead = str(owed(gateway, "--state", "dead")[0]["id"])
    assert gateway.banyan("outbox", "drop", dead, "--reason", "was a test").returncode == 0
    assert eventually(lambda: [each.body for each in sent(new, "/copied/1")] == [b"a", b"b"])
    assert eventually(lambda: not owed(gateway))


def test_a_write_waits_for_a_record_that_is_away(gateway: Gateway, old: Origin) -> None:
    """The client has a receipt, which tells what the record answered when it was back; the order is kept."""
    old.on("/queued/9", b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    assert gateway.call("POST", "/queued/9", body=b"x").status == 500  # the breaker opens
    old.on("/queued/1", DOWN)
    receipts = []
    for number in range(3):
        taken = gateway.call("POST", "/queued/1", JSON, body=b"%d" % number)
        assert taken.status == 202
        receipts.append(taken.get("Location") or "")
    assert gateway.call("POST", "/queued/1", JSON, body=b"{").status == 400
    assert json.loads(gateway.get(receipts[0]).body)["state"] == "accepted"
    old.on("/queued/1", b"HTTP/1.1 201 Made\r\nLocation: /made\r\nContent-Length: 2\r\n\r\nok")
    assert eventually(lambda: json.loads(gateway.get(receipts[2]).body)["state"] == "delivered", 10)
    bodies = [each.body for each in sent(old, "/queued/1")]
    assert list(dict.fromkeys(bodies)) == [b"0", b"1", b"2"]
    found = json.loads(gateway.get(receipts[0]).body)
    assert found["answer"]["status"] == 201
    assert found["answer"]["body"] == "ok"
    assert gateway.get("/.banyan/receipts/" + "0" * 32).status == 404


def test_without_control_nothing_is_promised(gateway: Gateway, old: Origin, new: Origin) -> None:
    """A write that cannot be kept is not made; reads go on. What was under way is told to the next control."""
    gateway.kill_control()
    refused = gateway.call("PUT", "/copied/1", body=b"a")
    assert (refused.status, refused.get("Retry-After")) == (503, "5")
    assert sent(old, "/copied/1") == []
    assert gateway.get("/copied/1").status == 200
    gateway.start()
    assert gateway.call("PUT", "/copied/1", body=b"b").status == 200
    assert eventually(lambda: [each.body for each in sent(new, "/copied/1")] == [b"b"])


def test_a_file_that_moves_the_record_waits_until_nothing_is_owed(gateway: Gateway, old: Origin, new: Origin) -> None:
    """It is held, with the reason, and taken by itself then."""
    new.on("/copied/1", DOWN)
    gateway.call("PUT", "/copied/1", body=b"a")
    gateway.config.write_text(
        gateway.config.read_text().replace("writes: {copy: true}", "writes: {copy: true, record: new}")
    )
    held = gateway.banyan("reload")
    assert held.returncode == 1
    assert "the record of copied would move, and 1 of its writes are not delivered" in held.stdout + held.stderr
    refused = gateway.banyan("override", "copied", "new", "--writes", "--reason", "now")
    assert "1 of them are not delivered yet" in refused.stderr
    new.on("/copied/1", answer(b"ok"))
    assert eventually(lambda: not owed(gateway), 10)
    assert eventually(lambda: any(each["event"] == "configuration_accepted" for each in gateway.events), 10)
    assert gateway.call("PUT", "/copied/1", body=b"b").get("X-Banyan-Served-By") == "new; new; copied"
    assert eventually(lambda: [each.body for each in sent(old, "/copied/1")] == [b"a", b"b"])
