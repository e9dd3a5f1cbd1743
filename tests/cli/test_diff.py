"""`banyan diff` compares what the file says with what is served."""

import json
from pathlib import Path

from gateway.cli.diff import Change, differences
from tests.admin.fakes import ROUTES, FakeSteering
from tests.cli.conftest import Banyan


def test_the_same_file_is_the_same(banyan: Banyan, steering: FakeSteering) -> None:
    """Exit code 0 when the gateway serves just this file."""
    assert banyan("diff") == (0, "The gateway serves routes.yaml as it is.\n", "")


def test_comments_are_no_difference(banyan: Banyan, folder: Path, steering: FakeSteering) -> None:
    """A file that means the same is the same."""
    (folder / "routes.yaml").write_text("# a word\n" + ROUTES)
    ran = banyan("diff")
    assert (ran.code, "only comments, layout, order or secrets differ" in ran.out) == (0, True)


def test_differences_are_told_route_by_route(banyan: Banyan, folder: Path, steering: FakeSteering) -> None:
    """What is served and what the file says, one below the other; exit code 1."""
    changed = ROUTES.replace("serve: 25% new", "serve: new\n    timeout: {response: 2.5s}\n    safe: true")
    changed = changed.replace("9001", "9003").replace("  - name: balance", "  - name: amount")
    (folder / "routes.yaml").write_text(changed)
    ran = banyan("diff")
    assert (ran.code, ran.out.splitlines()) == (
        1,
        [
            "backend office: url",
            "  - http://127.0.0.1:9001",
            "  + http://127.0.0.1:9003",
            "route list: serve",
            "  - 25% new",
            "  + new",
            "route list: safe",
            "  + true",
            "route list: timeout",
            "  + {response: 2.5}",
            "route amount",
            "  + {match: SOAP /rents#Balance, serve: legacy, legacy: office}",
            "route balance",
            "  - {match: SOAP /rents#Balance, serve: legacy, legacy: office}",
            "6 differences: - is being served, + is in routes.yaml.",
        ],
    )


def test_machines_get_json(banyan: Banyan, folder: Path, steering: FakeSteering) -> None:
    """`--json` tells each difference with both values."""
    assert json.loads(banyan("diff", "--json").out) == {"same": True, "changes": []}
    (folder / "routes.yaml").write_text(ROUTES.replace("25%", "30%"))
    ran = banyan("diff", "--json")
    change = {"kind": "route", "name": "list", "field": "serve", "running": "25% new", "file": "30% new"}
    assert (ran.code, json.loads(ran.out)) == (1, {"same": False, "changes": [change]})


def test_the_gateway_s_own_settings_are_compared() -> None:
    """Lists and mappings of any depth are compared whole."""
    running = {"gateway": {"trusted_proxies": ["10.0.0.0/8"]}, "backends": {}, "routes": {}}
    file = {"gateway": {"trusted_proxies": ["10.0.0.0/8", "::1/128"]}, "backends": {}, "routes": {}}
    change = Change("gateway", "", "trusted_proxies", ["10.0.0.0/8"], ["10.0.0.0/8", "::1/128"])
    assert differences(running, file) == [change]


def test_lists_are_shown_as_lists(banyan: Banyan, folder: Path, steering: FakeSteering) -> None:
    """A list reads as it would in the file."""
    (folder / "routes.yaml").write_text("gateway: {trusted_proxies: [10.0.0.0/8]}\n" + ROUTES)
    assert banyan("diff").out.splitlines()[:2] == ["gateway: trusted_proxies", "  + [10.0.0.0/8]"]


def test_evidence_reads_as_in_the_file(banyan: Banyan, folder: Path, steering: FakeSteering) -> None:
    """Rules and shadows are told in the words by which they were written."""
    (folder / "routes.yaml").write_text(
        ROUTES.replace(
            "serve: 25% new",
            "serve: 25% new\n    shadow: {share: 5%, noise: 0%}\n    compare: {ignore: [/at], case: [/a]}",
        )
    )
    assert banyan("diff").out.splitlines() == [
        "route list: shadow",
        "  + {share: 5%, noise: 0%}",
        "route list: compare",
        "  + {ignore: [/at], case: [/a]}",
        "2 differences: - is being served, + is in routes.yaml.",
    ]
