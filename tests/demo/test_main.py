"""The demo as people run it, and the file that they read first."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.config.check import load
from gateway.demo.calls import MIX
from gateway.demo.company import free_port
from gateway.demo.opening import SERVICES

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "gateway.demo", "--clients", "40", "--rate", "150"]


def places() -> list[str]:
    """Free addresses for the gateway."""
    return [f"--{name}=127.0.0.1:{free_port('127.0.0.1')}" for name in ("listen", "admin")]


def test_the_file_is_right_and_names_all_services_and_all_traffic() -> None:
    """routes.yaml loads without a problem; each of its backends is played, and every route has its traffic."""
    estate = load(ROOT / "routes.yaml", {}).estate
    played = {backend.authority for backend in estate.backends if backend.name in SERVICES}
    assert len(played) == len(SERVICES)
    assert {backend.authority for backend in estate.backends} == played
    assert len(MIX) == len(estate.routes)


@pytest.mark.parametrize(("flip", "seconds"), [("--flip", "5"), ("--no-flip", "3")])
def test_a_rehearsal_succeeds(tmp_path: Path, flip: str, seconds: str) -> None:
    """A few seconds of traffic through the real gateway, with and without a flip; nothing is lost, or left behind."""
    command = [*COMMAND, *places(), "--seconds", seconds, flip]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert ", 0 failed; every client stayed on its side." in done.stdout
    assert ("repairs-list: legacy -> new, seen after" in done.stdout) == (flip == "--flip")
    assert "repair-detail: 10 % on new, stage 1 of 4: the first stage begins" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_sigterm_ends_everything(tmp_path: Path) -> None:
    """Told to end, the demo ends its services and its gateway, and says what it saw."""
    config = tmp_path / "routes.yaml"
    text = (ROOT / "routes.yaml").read_text(encoding="utf-8")
    for port in (9301, 9302, 9303):
        text = text.replace(f":{port}", f":{free_port('127.0.0.1')}")
    text = text.replace("wsdl: ", f"wsdl: {ROOT}/")
    config.write_text(text, encoding="utf-8")
    command = [*COMMAND, *places(), "--config", str(config)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        assert demo.stdout is not None
        try:
            assert "Fernshire" in demo.stdout.readline()
            time.sleep(1)
            children = Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text(encoding="ascii").split()
            demo.send_signal(signal.SIGTERM)
            said, _ = demo.communicate(timeout=30)
        finally:
            demo.kill()
    assert demo.returncode == 0
    assert "every client stayed on its side" in said
    assert len(children) == 4
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_a_file_that_cannot_be_used_is_told_plainly(tmp_path: Path) -> None:
    """No traceback: where the problem is, and exit code 1."""
    config = tmp_path / "routes.yaml"
    config.write_text("version: 1\nroutez: []\n")
    command = [*COMMAND, *places(), "--config", str(config)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"{config}:2:1" in done.stderr
    assert "Traceback" not in done.stderr
