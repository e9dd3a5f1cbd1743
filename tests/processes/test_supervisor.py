"""Addresses, the listening socket and the folder: what cannot be had is said with what to do next; and standings."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import pytest

from gateway.core.policies import Standing
from gateway.errors import CommandError
from gateway.processes import supervisor
from gateway.processes.channel import Channel, Message
from gateway.processes.supervisor import Address, FolderLock, Supervisor, bind, parse_address


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


# ------------------------------------------------------------------------------------------------ standings

BACK = {"rents": Standing(ramp=0, why="rolled_back")}


class Data:
    """The data process as control hears it: it says that it stands as it was told, when it `answers`."""

    def __init__(self) -> None:
        self.answers = True
        self.told: list[Message] = []
        self.channel = Channel(self._told, lambda _channel: None)

    def _told(self, channel: Channel, message: Message) -> None:
        self.told.append(message)
        if self.answers:
            channel.send(("stands", message[1]))


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    """A supervisor that has no data process yet, and waits for one a tenth of a second."""
    monkeypatch.setattr(supervisor, "STANDING", 0.1)
    nothing = {f"on_{what}": lambda *_, **__: None for what in ("observations", "passed", "captured", "store", "event")}
    return Supervisor(tmp_path, Address("127.0.0.1", 0), **nothing)  # type: ignore[arg-type]


@pytest.fixture
async def data(control: Supervisor) -> AsyncIterator[Data]:
    """A data process that has been attached."""
    found = Data()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    await asyncio.get_running_loop().create_unix_connection(lambda: found.channel, sock=theirs)
    await control._attach(ours, "5e5510")
    yield found
    control._stopping = True
    found.channel.close()
    await control._gone.wait()


async def test_it_is_known_that_the_traffic_goes_where_it_was_told(control: Supervisor, data: Data) -> None:
    """Each order has a number: the answer to an earlier one is none to this."""
    control.stand(BACK)
    assert await control.stands() is True
    data.answers = False
    control.stand({})
    assert await control.stands() is False
    assert data.told == [("stand", 1, BACK), ("stand", 2, {})]
    data.channel.send(("stands", 2))
    assert await control.stands() is True


async def test_without_a_data_process_nothing_stands(control: Supervisor) -> None:
    """It is not waited for: the next one is told before it serves."""
    control.stand(BACK)
    async with asyncio.timeout(0.05):
        assert await control.stands() is False


async def test_a_later_change_of_the_standings_is_not_a_change_of_the_order(control: Supervisor, data: Data) -> None:
    """What the next data process is told is what was ordered."""
    ordered = dict(BACK)
    control.stand(ordered)
    ordered.clear()
    assert control._standings == BACK


async def test_it_is_known_that_no_more_than_a_part_is_used(control: Supervisor, data: Data) -> None:
    """Each part has a number, and renewing it has none of its own."""
    data.answers = False
    control.share(2, None)
    control.share(2, monotonic() + 60)
    assert not control.uses()
    control.share(3, monotonic() + 60)
    await asyncio.sleep(0.05)
    assert [message[:3] for message in data.told] == [("parts", 1, 2), ("parts", 1, 2), ("parts", 2, 3)]
    assert data.told[0][3] is None
    assert 50 < data.told[1][3] <= 60
    data.channel.send(("uses", 1))
    await asyncio.sleep(0.05)
    assert not control.uses()
    data.channel.send(("uses", 2))
    await asyncio.sleep(0.05)
    assert control.uses()


async def test_without_a_data_process_it_is_not_known_what_is_used(control: Supervisor) -> None:
    """One that was killed may have left requests behind."""
    control.share(1, None)
    assert not control.uses()


async def test_a_data_process_that_was_adopted_is_told_no_part_that_is_not_known(
    control: Supervisor, data: Data
) -> None:
    """It goes by what the last control process told, until the store has said more."""
    control._send_share()
    await asyncio.sleep(0.05)
    assert data.told == []
