"""`banyan check` says whether a file can be served, to people and to machines."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Banyan


def test_a_good_file_is_fine(banyan: Banyan) -> None:
    """A summary tells what was found."""
    assert banyan("check") == (0, "routes.yaml: fine, 3 routes, 2 backends.\n", "")


def test_several_files_are_counted(banyan: Banyan, folder: Path) -> None:
    """Included files belong to the whole."""
    (folder / "more.yaml").write_text("routes:\n  - {name: m, match: GET /m, legacy: office}\n")
    path = folder / "routes.yaml"
    path.write_text("include: more.yaml\n" + path.read_text())
    assert banyan("check").out == "routes.yaml: fine, 4 routes, 2 backends in 2 files.\n"


def test_the_environment_names_the_file(banyan: Banyan, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BANYAN_CONFIG stands for --config, and the flag beats it."""
    monkeypatch.setenv("BANYAN_CONFIG", "missing.yaml")
    assert banyan("check").code == 2
    assert banyan("check", "--config", "routes.yaml").code == 0


def test_machines_get_json(banyan: Banyan, folder: Path) -> None:
    """`--json` lists problems with file, line and column; the exit code is the same."""
    good = banyan("check", "--json")
    assert good.code == 0
    assert {**json.loads(good.out), "digest": ""} == {
        "ok": True,
        "problems": [],
        "digest": "",
        "routes": 3,
        "backends": 2,
        "files": 1,
    }
    (folder / "routes.yaml").write_text("version: 1\nrouts: []\n")
    bad = banyan("check", "--json")
    problem = json.loads(bad.out)["problems"][0]
    assert (bad.code, bad.err) == (2, "")
    assert (problem["file"], problem["line"], problem["column"]) == ("routes.yaml", 2, 1)
    missing = banyan("check", "--json", "--config", "missing.yaml")
    assert json.loads(missing.out)["problems"][0]["line"] is None
