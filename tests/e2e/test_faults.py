"""Processes die: traffic goes on without control, and is back within a second when the data process was the one."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.e2e.test_reload import Load, routes_yaml
from tests.support.gateway import Gateway
from tests.support.messages import Incomplete, answer
from tests.support.origin import Origin, eventually


@pytest.fixture
def gateway(origin: Origin, tmp_path: Path) -> Iterator[Gateway]:
    origin.on("/main", answer(b"legacy"))
    origin.on("/new/main", answer(b"new"))
    with Gateway(tmp_path, routes_yaml(origin)) as gateway:
        yield gateway


def test_control_can_die_under_load(gateway: Gateway, origin: Origin) -> None:
    """No request fails; the next `banyan run` adopts the data process that serves, and can flip again."""
    pid = gateway.data_pid
    with Load(gateway) as load:
        sleep(0.3)
        gateway.kill_control()
        sleep(0.7)
        assert gateway.get("/main").body == b"legacy"
        gateway.start()
        assert gateway.data_pid == pid
        gateway.edit(routes_yaml(origin, "new"))
        sleep(0.2)
    assert load.failed == []
    assert load.bodies == {b"legacy", b"new"}
    assert any(event["event"] == "data_process_adopted" for event in gateway.events)


def test_what_was_observed_without_control_is_not_lost(gateway: Gateway) -> None:
    """Observations wait for the next control process, within bounds."""
    gateway.kill_control()
    for _ in range(5):
        assert gateway.get("/main").status == 200
    gateway.start()
    counted = 'banyan_requests_total{backend="old",code_class="2xx",role="live",route="main",side="legacy"}'
    assert eventually(lambda: (gateway.metric(counted) or 0) >= 5)


def test_an_adopting_control_can_stop_the_data_process(gateway: Gateway) -> None:
    """Adopted or started, SIGTERM ends both with exit 0."""
    gateway.kill_control()
    gateway.start()
    gateway.terminate()
    assert gateway.wait(6) == 0
    with pytest.raises(ConnectionRefusedError):
        gateway.get("/main")


def test_a_control_that_listens_elsewhere_takes_over(gateway: Gateway) -> None:
    """Another address at the next start: a new data process serves there, the old one finishes and ends."""
    old_pid = gateway.data_pid
    gateway.kill_control()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        gateway.port = probe.getsockname()[1]
    gateway.start()
    assert gateway.data_pid != old_pid
    assert gateway.get("/main").status == 200
    assert eventually(lambda: not Path(f"/proc/{old_pid}/fd").exists() or _is_zombie(old_pid), 5)


def _is_zombie(pid: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def test_data_is_back_within_a_second(gateway: Gateway) -> None:
    """SIGKILL of the data process: connections made meanwhile wait in the kernel and are served, on the same socket."""
    first = gateway.kill_data()
    began = monotonic()
    while True:
        try:
            assert gateway.get("/main").body == b"legacy"
        except (Incomplete, ConnectionError):
            assert monotonic() - began < 1.0, "not serving again after a second"
            sleep(0.01)
        else:
            break
    assert monotonic() - began < 1.0
    assert gateway.data_pid != first
    assert eventually(lambda: gateway.metric("banyan_data_process_restarts_total") == 1)
    assert any(event["event"] == "data_process_died" for event in gateway.events)


def test_data_comes_back_with_the_table_that_served(gateway: Gateway, origin: Origin) -> None:
    """A new data process gets the accepted table, not whatever lies in the file by then."""
    gateway.edit(routes_yaml(origin, "new"))
    gateway.write(routes_yaml(origin, "newest"))
    assert eventually(lambda: gateway.metric("banyan_config_last_reload_successful") == 0)
    gateway.kill_data()
    assert eventually(lambda: gateway.status["data"]["serving"] and gateway.status["data"]["restarts"] == 1)
    assert gateway.get("/main").body == b"new"


def test_both_can_die(gateway: Gateway) -> None:
    """A machine that lost both: the next start serves, whatever the folder still holds."""
    pid = gateway.data_pid
    gateway.kill_control()
    os.kill(pid, signal.SIGKILL)
    sleep(0.1)
    gateway.start()
    assert gateway.get("/main").body == b"legacy"


def test_control_is_not_overrun_by_what_piled_up(gateway: Gateway) -> None:
    """Thousands of requests without control: the next one gets their observations, and nothing stalls or stops."""
    gateway.kill_control()
    with Load(gateway, clients=4) as load:
        assert eventually(lambda: load.served > 3_000, 9)
    gateway.start()
    counted = 'banyan_requests_total{backend="old",code_class="2xx",role="live",route="main",side="legacy"}'
    assert eventually(lambda: (gateway.metric(counted) or 0) >= load.served, 5)
    assert load.failed == []
