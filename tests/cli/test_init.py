"""`banyan init` writes a file to begin with, and never over another."""

from pathlib import Path

from tests.admin.fakes import ROUTES
from tests.cli.conftest import Banyan


def test_the_starter_is_a_valid_file(banyan: Banyan, folder: Path) -> None:
    """What is written can be checked at once, and the next commands are named."""
    ran = banyan("init", "fresh.yaml")
    assert (ran.code, "banyan check --config fresh.yaml" in ran.out) == (0, True)
    assert banyan("check", "--config", "fresh.yaml").code == 0


def test_a_file_is_never_overwritten(banyan: Banyan, folder: Path) -> None:
    """A routes.yaml that exists stays as it is."""
    ran = banyan("init")
    assert (ran.code, ran.err) == (1, "routes.yaml exists already. Name another: banyan init PATH.\n")
    assert (folder / "routes.yaml").read_text() == ROUTES


def test_a_folder_that_is_missing_is_told(banyan: Banyan) -> None:
    """Nothing is made up on the way to a file."""
    ran = banyan("init", "missing/routes.yaml")
    assert (ran.code, ran.err) == (1, "missing/routes.yaml cannot be written: No such file or directory.\n")
