"""Addresses, the listening socket and the folder: what cannot be had is said with what to do next."""

import os
import socket
from pathlib import Path

import pytest

from gateway.errors import CommandError
from gateway.processes.supervisor import Address, FolderLock, bind, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", Address("127.0.0.1", 8080)),
        ("localhost:0", Address("localhost", 0)),
        ("[::1]:8080", Address("::1", 8080)),
        (":8080", Address("::", 8080)),
    ],
)
def test_addresses_are_read(text: str, address: Address) -> None:
    """Names, numbers, IPv6 in brackets, and all addresses for none."""
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "8080", "localhost", "localhost:http", "localhost:70000", "localhost:-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """The message shows how one is written."""
    with pytest.raises(CommandError, match=r"127\.0\.0\.1:8080"):
        parse_address(text)


def test_an_address_is_written_as_it_is_read() -> None:
    """IPv6 gets its brackets back."""
    assert [str(parse_address(text)) for text in ("[::1]:80", "localhost:80")] == ["[::1]:80", "localhost:80"]


def test_a_taken_address_is_said_with_what_to_do() -> None:
    """The option is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CommandError, match="--listen"):
        bind(Address("127.0.0.1", taken.getsockname()[1]))


def test_an_unknown_host_is_said_with_what_to_do() -> None:
    """A name that leads nowhere is no address."""
    with pytest.raises(CommandError, match="--listen"):
        bind(Address("no-such-host.invalid", 8080))


@pytest.mark.parametrize(
    ("host", "reached"), [("127.0.0.1", ["127.0.0.1"]), ("::1", ["::1"]), ("::", ["127.0.0.1", "::1"])]
)
def test_the_socket_listens_where_it_was_told(host: str, reached: list[str]) -> None:
    """`::` takes both families; others only their own."""
    with bind(Address(host, 0)) as listener:
        assert not listener.getblocking()
        port = listener.getsockname()[1]
        for each in reached:
            socket.create_connection((each, port), timeout=2).close()


def test_a_folder_belongs_to_one_process(tmp_path: Path) -> None:
    """The second learns who has it; once released, it is free again."""
    folder = tmp_path / "new" / "data"
    first = FolderLock(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(CommandError, match=rf"process {os.getpid()}\b.*--data"):
        FolderLock(folder)
    first.release()
    FolderLock(folder).release()
