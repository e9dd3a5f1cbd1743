"""A backup of a store that a real gateway uses, and another gateway that goes on from it."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import Gateway, one_backend
from tests.support.origin import Origin, eventually


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    """The store's: a server's, or None for a file in the data folder."""
    return None if request.param == "sqlite" else str(request.getfixturevalue("remote").url)


def test_another_gateway_goes_on_from_a_backup(tmp_path: Path, origin: Origin, url: str | None) -> None:
    """What a gateway has stored by then is in it, with the gateway running; under a gateway nothing is replaced."""
    routes = one_backend(origin, route="new: one")
    more: dict[str, Any] = {"BANYAN_STORE": url} if url else {}
    here = ("--store", url) if url else ()
    safe = str(tmp_path / "safe")
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    with Gateway(folders[0], routes, **more) as first, Gateway(folders[1], routes, start=False) as second:
        assert first.banyan("override", "everything", "new", "--reason", "storm").returncode == 0
        assert eventually(lambda: "storm" in first.banyan("events").stdout, 10)
        made = first.banyan("db", "backup", safe, *here)
        assert (made.returncode, made.stderr) == (0, "")
        refused = first.banyan("db", "restore", safe, "--replace", *here)
        by = "is in use by" if url else "Another banyan (process"
        assert (refused.returncode, by in refused.stderr) == (1, True)
        assert first.status["store"]["available"]
        restored = second.banyan("db", "restore", safe)
        assert (restored.returncode, restored.stderr) == (0, "")
        second.start()
        assert eventually(lambda: "storm" in second.banyan("override").stdout, 10)
