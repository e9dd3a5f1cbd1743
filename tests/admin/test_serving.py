"""The admin room on real sockets."""

import json
import socket
from pathlib import Path

import pytest
from aiohttp import ClientSession, UnixConnector

from gateway.admin.api import admin_app, command_app
from gateway.admin.serving import serve, serve_unix
from gateway.errors import CommandError
from tests.admin.fakes import FakeSteering, written


@pytest.mark.parametrize(("host", "name", "status"), [("127.0.0.1", "evil.example", 421), ("::", "evil.example", 200)])
async def test_the_port_answers(tmp_path: Path, host: str, name: str, status: int) -> None:
    """Port 0 finds a free one; names are only checked where loopback is all that can reach it."""
    runner = await serve(admin_app(FakeSteering(written(tmp_path))), (host, 0))
    try:
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/livez"
        async with ClientSession() as session:
            assert (await session.get(address)).status == 200
            assert (await session.get(address, headers={"Host": name})).status == status
    finally:
        await runner.cleanup()


async def test_a_taken_port_is_explained(tmp_path: Path) -> None:
    """A port that another process has is an error that says how to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CommandError, match="--admin HOST:PORT"):
        await serve(admin_app(FakeSteering(written(tmp_path))), taken.getsockname())


async def test_the_control_socket_answers_whatever_its_name(tmp_path: Path) -> None:
    """On the Unix socket the Host field means nothing."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "control.sock"))
    listener.listen()
    runner = await serve_unix(command_app(FakeSteering(written(tmp_path))), listener)
    try:
        async with ClientSession(connector=UnixConnector(str(tmp_path / "control.sock"))) as session:
            answer = await session.get("http://anything/api/v1/status")
            assert json.loads(await answer.text())["ready"] is True
    finally:
        await runner.cleanup()
