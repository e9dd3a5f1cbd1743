"""A port that was chosen for a server is still free when the server wants it."""

import socket

import pytest

from benchmarks.ports import free_port


def test_nobody_is_given_a_port_twice_or_one_of_the_kernel_s() -> None:
    """Connections that are made meanwhile come from 32768 on."""
    ports = [free_port() for _ in range(500)]
    assert len({*ports}) == 500
    assert all(12_000 <= port < 32_000 for port in ports)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_that_is_taken_is_passed_over(host: str) -> None:
    """Whoever listens there, also on the next ones."""
    first = free_port(host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = [socket.create_server((host, first + more), family=family) for more in (1, 2)]
    assert free_port(host) == first + 3
    for each in taken:
        each.close()
