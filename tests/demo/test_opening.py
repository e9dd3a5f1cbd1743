"""What must stand before traffic can flow."""

import socket
from pathlib import Path

import pytest

from gateway.demo.company import Company, free_port
from gateway.demo.opening import demand_ports, flip, free_or_another, open_services, played, rehearsal_copy
from gateway.demo.traffic import Address, Connection
from gateway.errors import CommandError
from tests.demo.support_estate import estate, route

FILE = "backends:\n  housing-legacy: {url: http://127.0.0.1:PORT/}\n  housing-new: {url: http://127.0.0.1:OTHER}\n"


def test_only_the_demos_own_services_are_played() -> None:
    """A backend that a person added is theirs to start."""
    assert [backend.name for backend in played(estate())] == ["housing-legacy", "housing-new"]


def test_a_taken_port_is_replaced_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The gateway may listen elsewhere, and says so; a service has to find the port that the file names."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = Address("127.0.0.1", server.getsockname()[1])
        other = free_or_another(taken, "the gateway")
        free = free_port("127.0.0.1")
        with pytest.raises(CommandError, match=rf"listens on {taken} \(housing-legacy\), where routes.yaml puts"):
            demand_ports(estate(ports=(taken.port, free)), "routes.yaml")
    assert other != taken
    assert capsys.readouterr().out == f"{taken} is taken, so the gateway is {other}.\n"
    assert taken == free_or_another(taken, "the gateway")
    demand_ports(estate(ports=(taken.port, free)), "routes.yaml")


def test_a_rehearsal_moves_out_of_the_way(tmp_path: Path) -> None:
    """In the copy, a taken port is replaced by a free one, and no other byte is touched."""
    path = tmp_path / "routes.yaml"
    folder = tmp_path / "copy"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, other = server.getsockname()[1], free_port("127.0.0.1")
        path.write_text(FILE.replace("PORT", str(port)).replace("OTHER", str(other)))
        copy = rehearsal_copy(path, estate(ports=(port, other)), folder)
    before, after = path.read_text().split(str(port)), copy.read_text()
    assert folder / "routes.yaml" == copy
    assert after.startswith(before[0])
    assert after.endswith(before[1])
    assert f"127.0.0.1:{port}/" not in after


async def test_services_are_processes_that_answer(tmp_path: Path) -> None:
    """Both sides of the housing services start, answer, and end."""
    ports = free_port("127.0.0.1"), free_port("127.0.0.1")
    said = []
    async with Company(tmp_path) as company:
        await open_services(company, estate(ports=ports))
        for port in ports:
            connection = Connection(Address("127.0.0.1", port))
            reply = await connection.exchange(
                b"GET /housing/repairs HTTP/1.1\r\nHost: x\r\nCookie: tenancy=T100001\r\n\r\n"
            )
            connection.close()
            said.append((reply.status, reply.fields["x-demo-side"]))
    assert said == [(200, "legacy"), (200, "new")]


async def test_a_flip_that_fails_says_why(tmp_path: Path) -> None:
    """What the command printed is in the sentence."""
    trouble = await flip(route("repairs-list"), tmp_path / "no-such.yaml", tmp_path)
    assert trouble.startswith("The flip failed, exit code ")
    assert "no-such.yaml" in trouble
