"""Starting and stopping: what is wrong is said plainly, and nothing in flight is lost."""

import os
import socket
import stat
import threading
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.support.client import HOST
from tests.support.gateway import Gateway, one_backend
from tests.support.messages import Message, answer
from tests.support.origin import Origin, Script, Talk, eventually, hang

WRONG = """version: 1
backends:
  one: {url: "http://127.0.0.1:9", timeout: {response: 10}}
routes:
  - {name: a, match: GET /a, legacy: nobody}
  - {name: a, match: GET a, legacy: one, serve: sometimes}
  - {name: b, match: GET /b, legacy: one, colour: red}
"""


def test_a_wrong_file_ends_the_start_with_everything_that_is_wrong(tmp_path: Path) -> None:
    """Exit 2, every problem with its line, and no process is left behind."""
    gateway = Gateway(tmp_path, WRONG, start=False)
    done = gateway.run()
    gateway.close()
    assert done.returncode == 2
    for place in (":3:", ":5:", ":6:", ":7:"):
        assert f"routes.yaml{place}" in done.stderr, f"no problem at {place}"
    for word in ("nobody", "sometimes", "colour", "10"):
        assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_said_plainly(tmp_path: Path) -> None:
    """Exit 2 and a sentence that names the file."""
    gateway = Gateway(tmp_path, "", start=False)
    gateway.config.unlink()
    done = gateway.run()
    gateway.close()
    assert done.returncode == 2
    assert "routes.yaml" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("taken", ["port", "admin"])
def test_an_address_that_is_taken_ends_the_start(tmp_path: Path, origin: Origin, taken: str) -> None:
    """Exit 1, and a sentence that says which address and which option."""
    gateway = Gateway(tmp_path, one_backend(origin), start=False)
    with socket.create_server(("127.0.0.1", getattr(gateway, taken))):
        done = gateway.run()
    gateway.close()
    assert done.returncode == 1
    assert str(getattr(gateway, taken)) in done.stderr
    assert ("--listen" if taken == "port" else "--admin") in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(_processes(gateway.data))


def test_a_second_gateway_on_one_folder_is_refused(gateway: Gateway, tmp_path: Path) -> None:
    """Exit 1 with the process that has it; the first serves on."""
    second = Gateway(tmp_path, gateway.config.read_text(), start=False)
    second.data = gateway.data
    done = second.run()
    second.close()
    assert done.returncode == 1
    assert gateway.process is not None
    assert str(gateway.process.pid) in done.stderr
    assert "--data" in done.stderr
    assert gateway.get("/").status == 200


def test_the_data_folder_is_private(gateway: Gateway) -> None:
    """Its sockets take orders, so nobody else may reach them."""
    modes = {name: stat.S_IMODE((gateway.data / name).stat().st_mode) for name in ("data.sock", "control.sock")}
    assert modes == {"data.sock": 0o600, "control.sock": 0o600}
    assert stat.S_IMODE(gateway.data.stat().st_mode) == 0o700


def test_a_missing_ca_file_is_refused_at_the_start(tmp_path: Path, origin: Origin) -> None:
    """Exit 2, with the file's name: a backend that could never be verified is no backend."""
    gateway = Gateway(tmp_path, one_backend(origin, backend="tls: {ca: /nowhere/ca.pem}"), start=False)
    gateway.config.write_text(gateway.config.read_text().replace("http://", "https://"))
    done = gateway.run()
    gateway.close()
    assert done.returncode == 2
    assert "/nowhere/ca.pem" in done.stderr


def test_sigterm_lets_requests_in_flight_finish(tmp_path: Path, origin: Origin) -> None:
    """The one under way is answered whole with `Connection: close`; new connections are refused; exit 0."""
    origin.on("/slow", slow(0.8))
    replies: list[Message] = []
    with Gateway(tmp_path, one_backend(origin)) as gateway:
        with gateway.client() as client, gateway.client() as idle:
            assert idle.get("/").status == 200
            client.say("GET", "/slow")
            assert eventually(lambda: origin.busy > 0)
            gateway.terminate()
            sleep(0.2)
            with pytest.raises(ConnectionRefusedError):
                gateway.get("/")
            replies.append(client.hear())
            assert client.has_ended()
            assert idle.has_ended()
        assert gateway.wait(5) == 0
        assert eventually(lambda: not list(_processes(gateway.data)))
    assert [(each.body, each.get("Connection")) for each in replies] == [(b"slow", "close")]


def slow(seconds: float) -> Script:
    def script(talk: Talk) -> None:
        sleep(seconds)
        talk.send(answer(b"slow"))

    return script


def test_drain_timeout_bounds_the_end(tmp_path: Path, origin: Origin) -> None:
    """A request that never ends cannot hold the gateway up for longer than `drain_timeout`."""
    origin.on("/never", hang)
    with Gateway(tmp_path, one_backend(origin, gateway="drain_timeout: 1s")) as gateway, gateway.client() as client:
        client.say("GET", "/never")
        assert eventually(lambda: origin.busy > 0)
        began = monotonic()
        gateway.terminate()
        assert gateway.wait(6) == 0
        assert 0.9 <= monotonic() - began < 3.5
        assert not list(_processes(gateway.data))


def test_sigterm_under_load_fails_no_request(tmp_path: Path, origin: Origin) -> None:
    """Clients that keep their connections: each request they managed to send is answered whole."""
    failed: list[str] = []
    served: list[int] = []
    with Gateway(tmp_path, one_backend(origin)) as gateway:
        threads = [threading.Thread(target=_until_refused, args=(gateway, failed, served)) for _ in range(8)]
        for thread in threads:
            thread.start()
        sleep(0.8)
        gateway.terminate()
        for thread in threads:
            thread.join(10)
        assert gateway.wait(5) == 0
    assert failed == []
    assert sum(served) > 500


def _until_refused(gateway: Gateway, failed: list[str], served: list[int]) -> None:
    """Call on kept connections until the gateway takes no more; what counts as failed is a request without answer."""
    count = 0
    while True:
        try:
            client = gateway.client()
        except ConnectionRefusedError:
            break
        with client:
            while True:
                try:
                    reply = client.get("/")
                except Exception as error:  # noqa: BLE001 - whatever it is, it is a failed request
                    failed.append(f"after {count}: {error!r}")
                    break
                count += 1
                if reply.status != 200:
                    failed.append(f"{reply.status}")
                if reply.get("Connection") == "close":
                    break
    served.append(count)


def test_access_records_name_the_template_not_the_path(tmp_path: Path, origin: Origin) -> None:
    """One record for each request, with all that is needed and no personal data; refusals are recorded too."""
    routes = f"""version: 1
backends:
  one: {{url: "{origin.url}"}}
routes:
  - {{name: person, match: "GET /people/{{id}}", legacy: one}}
"""
    with Gateway(tmp_path, routes) as gateway:
        gateway.get("/people/QQ123456C?secret=1", "X-Request-ID: first")
        gateway.get("/elsewhere/QQ123456C", "X-Request-ID: second")
        assert eventually(lambda: len(gateway.access_log) == 2)
        first, second = gateway.access_log
        served = 'banyan_requests_total{backend="one",code_class="2xx",role="live",route="person",side="legacy"}'
        assert eventually(lambda: gateway.metric(served) == 1)
        assert "QQ123456C" not in gateway.log + str(gateway.access_log) + gateway.look("/metrics")[1]
    assert (first["route"], first["match"], first["side"]) == ("person", "GET /people/{id}", "legacy")
    assert (first["backend"], first["status"], first["request_id"]) == ("one", 200, "first")
    assert (first["outcome"], first["acted"], first["bytes_out"]) == ("ok", "yes", 2)
    assert 0 < first["first_byte_ms"] <= first["duration_ms"]
    assert (second["route"], second["status"], second["request_id"]) == (None, 404, "second")


def test_malformed_requests_are_recorded_and_closed(gateway: Gateway) -> None:
    """400 as a problem document with a request id, and the connection ends."""
    for wrong in (
        b"GET / HTTP/1.1\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {HOST}\r\nHost: {HOST}\r\n\r\n".encode(),
        f"GET / HTTP/1.1\r\nHost: {HOST}\r\nBad Name: x\r\n\r\n".encode(),
        f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX: a\x00b\r\n\r\n".encode(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)),
    ):
        with gateway.client() as client:
            client.send(wrong)
            reply = client.hear()
            assert (reply.status, reply.get("Content-Type")) == (400, "application/problem+json")
            assert client.has_ended()


def _processes(folder: Path) -> list[int]:
    """Data processes that serve from a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"data" in words and str(folder).encode() in words:
                found.append(int(entry.name))
    return found


def test_the_data_process_keeps_memory_for_the_next_large_message(
    tmp_path: Path, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings of the allocator, unless whoever starts the gateway has made them."""
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1048576")
    with Gateway(tmp_path, one_backend(origin)) as gateway:
        pairs = Path(f"/proc/{gateway.data_pid}/environ").read_text().split("\0")
    settings = dict(each.split("=", 1) for each in pairs if each.startswith("MALLOC_"))
    assert settings == {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "1048576"}
