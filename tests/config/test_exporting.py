import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from gateway.config import exporting
from gateway.config.changes import RouteChange, describe_changes
from gateway.core.model import Gateway
from gateway.core.policies import Otlp
from tests.config.files import estate, problems

ENVIRON = {"OTLP_TOKEN": "hunter2"}


def gateway(folder: Path, text: str) -> Gateway:
    return estate(folder, f"version: 1\ngateway: {{otlp: {{{text}}}}}\n", ENVIRON).gateway


def told(folder: Path, text: str) -> list[str]:
    return [
        each.partition(": ")[2] for each in problems(folder, f"version: 1\ngateway: {{otlp: {{{text}}}}}\n", ENVIRON)
    ]


def test_everything_about_exporting(tmp_path: Path) -> None:
    """Where, what is shown there, how much and how often."""
    headers = 'Authorization: "Bearer ${OTLP_TOKEN}", x-scope: "council 1"'
    text = f"endpoint: 'https://otlp.example:4318/base/', headers: {{{headers}}}, traces: 0.5%, metrics: 1m"
    shown = (("Authorization", "Bearer hunter2"), ("x-scope", "council 1"))
    assert gateway(tmp_path, text).otlp == Otlp("https://otlp.example:4318/base", shown, 50, 60.0)


def test_an_address_is_enough(tmp_path: Path) -> None:
    """A part of the traces, and metrics twice a minute; nothing at all where it is left out."""
    assert gateway(tmp_path, "endpoint: 'http://c:4318'").otlp == Otlp("http://c:4318", (), 1_000, 30.0)
    assert estate(tmp_path, "version: 1\n").gateway.otlp is None


def test_either_can_be_left_out(tmp_path: Path) -> None:
    """Only what a client records is something else than nothing."""
    assert gateway(tmp_path, "endpoint: 'http://c', traces: off, metrics: off").otlp == Otlp("http://c", (), None, None)
    assert gateway(tmp_path, "endpoint: 'http://c', traces: 0%").otlp == Otlp("http://c", (), 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("traces: 5%", "gateway: otlp: `endpoint` is missing"),
        (
            "endpoint: 'collector:4318'",
            "gateway: otlp.endpoint: must be an address without user, password and query: http://collector:4318",
        ),
        (
            "endpoint: 'http://c:4318/v1/traces/'",
            "gateway: otlp.endpoint: must end before /v1/traces and /v1/metrics, which are put behind it",
        ),
        (
            "endpoint: 'http://c', traces: 0.1",
            "gateway: otlp.traces: '0.1' is not a share; write 25%, or 0.25% (two decimals at most)",
        ),
        ("endpoint: 'http://c', metrics: 30", "gateway: otlp.metrics: '30' has no unit; write 2s or 200ms"),
        (
            "endpoint: 'http://c', metrics: 500ms",
            "gateway: otlp.metrics: '500ms' is too often; write 1s or more, or off",
        ),
        (
            "endpoint: 'http://c', headers: {a: x, A: y}",
            "gateway: otlp.headers: names one header twice; write it once",
        ),
        (
            "endpoint: 'http://c', headers: {Host: x}",
            "gateway: otlp.headers: `Host` belongs to the connection, which the gateway manages; leave it out",
        ),
    ],
)
def test_problems_are_told_in_the_words_of_the_file(tmp_path: Path, text: str, message: str) -> None:
    """A person reads which key, what is wrong with it, and what to write."""
    assert told(tmp_path, text) == [message]


def test_no_message_repeats_a_secret(tmp_path: Path) -> None:
    """Neither a token in an address, nor one that no header can hold."""
    for endpoint in ("http://gw:hunter2@c", "http://c/?key=hunter2"):
        assert "hunter2" not in "".join(told(tmp_path, f"endpoint: '{endpoint}'"))
    broken = told(tmp_path, 'endpoint: "http://c", headers: {Authorization: hunter2é}')
    assert broken == [
        "gateway: otlp.headers.Authorization: is empty, or holds what no header can: plain ASCII in one line is safe"
    ]


def test_a_new_token_is_noticed_and_not_printed(tmp_path: Path) -> None:
    """As with every other secret."""
    text = 'version: 1\ngateway: {otlp: {endpoint: "http://c", headers: {Authorization: "${OTLP_TOKEN}"}}}\n'
    before, after = estate(tmp_path, text, ENVIRON), estate(tmp_path, text, {"OTLP_TOKEN": "hunter3"})
    shown = "{endpoint: http://c, headers: {Authorization: ***}}"
    assert describe_changes(before, after) == [RouteChange("gateway", "otlp", shown, f"{shown} (changed)")]


@pytest.mark.parametrize("missing", ["opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http", ""])
def test_what_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """With what to install, and only where it is asked for; a part of it or nothing at all."""
    if missing:
        monkeypatch.setitem(sys.modules, missing, None)
    else:
        monkeypatch.setattr(exporting, "find_spec", lambda name: find_spec(f"no_{name}"))
    message = "OpenTelemetry is not installed here: pip install 'banyan-gateway[otlp]'; or leave `otlp` out"
    assert told(tmp_path, "endpoint: 'http://c'") == [f"gateway: {message}"]
    assert problems(tmp_path, "version: 1\n") == []
