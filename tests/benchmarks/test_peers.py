"""The configurations of other proxies."""

import json
from pathlib import Path

import pytest

from benchmarks.common import CannotMeasure
from benchmarks.peers import Site, beginning_of, envoy, haproxy, nginx
from tests.benchmarks.smoke import needs_nginx_and_wrk


def site(folder: Path) -> Site:
    return Site(folder, port=1, legacy=2, new=3, routes=7)


def test_templates_are_matched_by_their_beginning() -> None:
    """Peers get less work than the gateway, never more."""
    assert [beginning_of(0), beginning_of(1)] == ["/svc0/accounts/", "/svc1/summary"]


@needs_nginx_and_wrk
def test_nginx_has_all_routes(tmp_path: Path) -> None:
    """One location for each."""
    nginx(site(tmp_path))
    assert (tmp_path / "nginx.conf").read_text().count("proxy_pass") == 7


def test_envoy_has_all_routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a tree, each with its own name."""
    program = tmp_path / "envoy"
    program.touch()
    monkeypatch.setenv("ENVOY_BIN", str(program))
    assert envoy(site(tmp_path))[0] == str(program)
    text = (tmp_path / "envoy.json").read_text()
    assert json.loads(text)["static_resources"]["listeners"]
    assert all(f'"name": "route-{n}"' in text for n in range(7))


def test_a_missing_peer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it can be left out, with a reason."""
    monkeypatch.setenv("ENVOY_BIN", str(tmp_path / "nowhere"))
    with pytest.raises(CannotMeasure, match="ENVOY_BIN"):
        envoy(site(tmp_path))
    monkeypatch.setattr("benchmarks.common.shutil.which", lambda *_, **__: None)
    with pytest.raises(CannotMeasure, match="haproxy"):
        haproxy(site(tmp_path))
