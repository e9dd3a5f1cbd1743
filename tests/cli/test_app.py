"""The command as a whole: help, version, exit codes, and how errors look."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway import __version__
from tests.cli.conftest import Banyan

HEAVY = ("aiohttp", "pydantic", "rich", "yaml", "asyncio", "structlog", "http.client", "sqlalchemy")
COMMANDS = (
    *("run", "check", "explain", "call", "routes", "flip", "diff", "reload", "status", "openapi", "schema"),
    *("shadow", "ramp", "pause", "resume", "approve", "promote", "rollback", "restart", "override", "events"),
    *("init", "completion", "import", "db"),
    *("capture", "replay"),
)


def test_the_commands_import_nothing_heavy() -> None:
    """`banyan --help` is instant: what a command needs is imported when it runs."""
    code = f"import gateway.cli, gateway.cli.app, sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"


def test_help_lists_every_command(banyan: Banyan) -> None:
    """Help names all commands, and so does calling banyan with nothing at all."""
    ran = banyan("--help")
    assert ran.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in ran.out] == []
    nothing = banyan()
    assert nothing.code == 2
    assert "Usage: banyan" in nothing.out + nothing.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(banyan: Banyan, command: str) -> None:
    """Each command explains itself."""
    ran = banyan(command, "-h")
    assert (ran.code, f"Usage: banyan {command}" in ran.out) == (0, True)


def test_the_version_is_told(banyan: Banyan) -> None:
    """`--version` prints the version and does nothing else."""
    assert banyan("--version") == (0, f"banyan {__version__}\n", "")


def test_a_wrong_option_is_a_usage_error(banyan: Banyan) -> None:
    """A mistyped option ends with exit code 2 and how to get help."""
    ran = banyan("check", "--confg", "x")
    assert ran.code == 2
    assert "--confg" in ran.err


def test_a_problem_is_a_sentence(banyan: Banyan, folder: Path) -> None:
    """What cannot be done is said on standard error, with exit code 1 and no traceback."""
    ran = banyan("status")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "No gateway is running in the data folder .banyan. Start one with `banyan run`, or name its folder with "
        "--data.\n"
    )


def test_a_broken_file_is_listed(banyan: Banyan, folder: Path) -> None:
    """Whatever the command, a broken file ends with exit code 2 and all its problems, each with its line."""
    (folder / "routes.yaml").write_text("version: 1\nrouts: []\nbackend: {}\n")
    ran = banyan("routes")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[0].startswith("routes.yaml:2:1: ")
    assert ran.err.splitlines()[-1] == "2 problems."


def test_the_module_is_the_command(folder: Path) -> None:
    """`python -m gateway` is `banyan`, and its exit code is the process'."""
    command = [sys.executable, "-m", "gateway", "check", "--config", "missing.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stdout) == (2, "")
    assert "missing.yaml cannot be read" in done.stderr
