"""Processes that are started together and end together."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from gateway.demo import company
from gateway.demo.company import Company, Member, free_port, is_free, listening, ready
from gateway.demo.traffic import Address
from gateway.errors import CommandError

SLEEP = "import time; print('good night', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
LISTENER = "import socket; held = socket.socket(socket.AF_UNIX); held.bind('data.sock'); held.listen(); " + SLEEP
WITH_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {LISTENER!r}], start_new_session=True)"


async def start(company: Company, code: str, name: str = "sleeper") -> Member:
    return await company.start(name, [sys.executable, "-c", code], os.environ)


async def printed(member: Member) -> str:
    """What a process printed first, within ten seconds."""
    for _ in range(500):
        if member.last_words:
            return member.last_words
        await asyncio.sleep(0.02)
    raise AssertionError(f"{member.name} printed nothing")


async def test_leaving_ends_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that listens to SIGTERM is asked; one that does not is stopped after a while."""
    monkeypatch.setattr(company, "PATIENCE", 0.2)
    async with Company(tmp_path) as crew:
        polite, stubborn = await start(crew, SLEEP), await start(crew, STUBBORN, "stubborn")
        await printed(stubborn)
    assert (polite.process.returncode, stubborn.process.returncode) == (-15, -9)


async def test_nothing_that_a_process_left_behind_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that outlives its parent and still listens in the company's folder ends with the company."""
    monkeypatch.chdir(tmp_path)
    async with Company(tmp_path) as crew:
        parent = await start(crew, WITH_CHILD)
        await parent.process.wait()
        await printed(parent)
        child = company._listener(tmp_path / "data.sock")
        assert _runs(child)
    await asyncio.sleep(0.1)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_a_process_that_ends_early_says_why(tmp_path: Path) -> None:
    """The message has the exit code and what was printed."""
    async with Company(tmp_path) as crew:
        member = await start(crew, "raise SystemExit('no such file: routes.yaml')")
        with pytest.raises(CommandError, match=r"(?s)ended by itself: exit code 1\..*no such file: routes.yaml"):
            await ready(member, Address("127.0.0.1", free_port("127.0.0.1")))


async def test_a_process_that_never_listens_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting is bounded, and the message says what was waited for."""
    monkeypatch.setattr(company, "PATIENCE", 0.2)
    async with Company(tmp_path) as crew:
        member = await start(crew, SLEEP)
        with pytest.raises(CommandError, match=r"did not take connections on 127\.0\.0\.1:\d+ within"):
            await listening(member, Address("127.0.0.1", free_port("127.0.0.1")))


def test_a_port_in_use_is_not_free() -> None:
    """Free ports can be bound; a port with a listener cannot."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(Address("127.0.0.1", server.getsockname()[1]))
    assert is_free(Address("127.0.0.1", free_port("127.0.0.1")))
