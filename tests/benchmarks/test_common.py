"""What is started is waited for, and ended."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.common import CannotMeasure, Crew, accepts, get, needed, wait_until
from benchmarks.estate import request, requests, routes_yaml
from benchmarks.load import Client, ask
from benchmarks.ports import free_port
from benchmarks.proc import command_line, cpu_seconds, on_core, process_tree, resident_kib


def test_nothing_outlives_a_crew() -> None:
    """Leaving it ends the origin and both processes of the gateway, also when control was killed before."""
    with Crew() as crew:
        port = crew.origin("legacy")
        gateway = crew.gateway(routes_yaml(4, port, port))
        pids = gateway.pids()
        assert get(gateway.port, "/svc1/summary").status == 200
        assert len(pids) == 2
        assert gateway.status()["ready"] is True
        gateway.control.kill()
        gateway.control.wait()
        assert gateway.data_pids() != []
    assert [pid for pid in pids if "gateway" in command_line(pid)] == []
    assert not accepts(port)
    assert not crew.folder.exists()


def test_a_server_that_ends_at_once_is_told_with_what_it_wrote() -> None:
    """The message holds the reason that the server gave."""
    with Crew() as crew, pytest.raises(CannotMeasure, match="no such luck"):
        crew.start("broken", [sys.executable, "-c", "raise SystemExit('no such luck')"], free_port())


def test_waiting_has_an_end() -> None:
    """What does not happen is told, with a sentence."""
    with pytest.raises(CannotMeasure, match="it never rains"):
        wait_until(lambda: False, "it never rains", seconds=0.05)


def test_a_missing_program_is_told_with_what_to_install() -> None:
    """The message can be acted upon."""
    with pytest.raises(CannotMeasure, match="apt-get install nothing-of-this-name"):
        needed("nothing-of-this-name")


def test_the_kernel_tells_what_a_process_uses() -> None:
    """CPU time grows with work, memory is there, and the tree begins with the process itself."""
    before = cpu_seconds([os.getpid()])
    while cpu_seconds([os.getpid()]) < before + 0.02:
        sum(range(1_000))
    assert resident_kib([os.getpid()]) > 1_000
    assert process_tree(os.getpid())[0] == os.getpid()


def test_a_core_is_given_back() -> None:
    """What comes after is free to run anywhere again."""
    before = os.sched_getaffinity(0)
    with on_core(min(before)):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before


def test_the_requests_fit_the_routes(tmp_path: Path) -> None:
    """Every request of the benchmarks' estate finds a route, about half of them on each side."""
    with Crew() as crew:
        legacy, new = crew.origin("legacy"), crew.origin("new")
        gateway = crew.gateway(routes_yaml(50, legacy, new))
        tally = ask(Client(gateway.port, requests(50), rate=0, connections=4, total=512))
        served = [get(gateway.port, "/svc1/summary", {"Cookie": f"session=client-{n}"}) for n in range(40)]
    sides = {answer.headers["x-origin"] for answer in served}
    assert (len(tally.good), tally.failures, sides) == (512, {}, {"legacy", "new"})


def test_a_request_ends_its_head() -> None:
    """It is whole, so that it can be sent as it is."""
    assert request("/a", 7).startswith(b"GET /a HTTP/1.1\r\n")
    assert request("/a", 7).endswith(b"Cookie: session=client-7\r\n\r\n")
