"""The part of the lock that an image needs."""

import runpy
import tomllib

import pytest

from benchmarks.common import ROOT

SCRIPT = runpy.run_path(str(ROOT / "deploy" / "runtime_lock.py"))
LOCK = """\
aaa==1 \\
    --hash=sha256:1
    # via banyan-gateway (pyproject.toml)
Bb-b==2 ; sys_platform == 'linux' \\
    --hash=sha256:2 \\
    --hash=sha256:3
    # via
    #   aaa
    #   ddd
ccc==3 \\
    --hash=sha256:4
    # via bb-b
ddd==4 \\
    --hash=sha256:5
    # via banyan-gateway (pyproject.toml)
"""


def test_what_a_package_leads_to_is_kept_with_its_hashes() -> None:
    """And what nobody of them asked for is not."""
    before, _, _ = LOCK.partition("ddd==4")
    assert SCRIPT["wanted"](LOCK, {"aaa"}) == before


def test_a_package_that_is_not_locked_is_refused() -> None:
    """Rather than left out."""
    with pytest.raises(SystemExit, match="does not have eee"):
        SCRIPT["wanted"](LOCK, {"eee"})


def test_the_lock_of_this_project_has_all_that_it_needs_to_run() -> None:
    """Every dependency, and no tool of its developers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    roots = {SCRIPT["canonical"](each) for each in project["dependencies"]}
    found = SCRIPT["entries"](SCRIPT["wanted"]((ROOT / "requirements.lock").read_text(), roots)).keys()
    assert roots <= found
    assert found.isdisjoint({"pytest", "mypy", "ruff", "hypothesis", "hatchling"})
    assert all("--hash=" in SCRIPT["entries"]((ROOT / "requirements.lock").read_text())[name] for name in found)
