from base64 import b64encode
from pathlib import Path

import pytest

from gateway.core.model import Gateway
from gateway.core.policies import Keep, StoreSettings, Webhook
from tests.config.files import estate, problems

WEBHOOK = "{url: 'https://h', secret: '${WEBHOOK_SECRET}'}"
SECRET = bytes(range(32))
ENVIRON = {"WEBHOOK_SECRET": "whsec_" + b64encode(SECRET).decode(), "DATABASE_URL": "postgresql://gw:hunter2@db/banyan"}


def gateway(folder: Path, text: str) -> Gateway:
    return estate(folder, f"version: 1\ngateway: {{{text}}}\n", ENVIRON).gateway


def test_everything_about_keeping(tmp_path: Path) -> None:
    """Every setting arrives: bodies, webhooks, how long, and where."""
    found = gateway(
        tmp_path,
        """capture: 1MiB, keep: {traffic: 30d, evidence: 12h, examples: 0, events: 3650d},
        store: {url: "${DATABASE_URL}", upgrade: manual},
        webhooks: [{url: "https://hooks.example/b", secret: "${WEBHOOK_SECRET}", events: [rolled_back, finished]},
                   {url: "http://hooks.internal/b", secret: "${WEBHOOK_SECRET}"}]""".replace("\n", " "),
    )
    assert found == Gateway(
        capture=2**20,
        keep=Keep(30 * 86_400.0, 43_200.0, 0, 3650 * 86_400.0),
        store=StoreSettings("postgresql://gw:hunter2@db/banyan", False),
        webhooks=(
            Webhook("https://hooks.example/b", SECRET, ("rolled_back", "finished")),
            Webhook("http://hooks.internal/b", SECRET),
        ),
    )


def test_what_is_left_out_keeps_its_default(tmp_path: Path) -> None:
    """Mappings may be written in part."""
    assert gateway(tmp_path, "keep: {evidence: 1d}").keep == Keep(evidence=86_400.0)
    assert gateway(tmp_path, "store: {upgrade: auto}, webhooks: []") == Gateway()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("capture: 0", "gateway: capture: '0' lets nothing through; write 8KiB or more"),
        ("keep: {events: 0s}", "gateway: keep.events: '0s' cannot be kept to; write 90d, or 36500d at most"),
        ("keep: {events: 36501d}", "gateway: keep.events: '36501d' cannot be kept to; write 90d, or 36500d at most"),
        ("keep: {traffic: 7}", "gateway: keep.traffic: '7' has no unit; write 2s or 200ms"),
        ("store: {upgrade: never}", "gateway: store.upgrade: 'never' is not possible here; write 'auto' or 'manual'"),
        (
            f"webhooks: [{WEBHOOK}, {WEBHOOK}]",
            "gateway: webhooks[2].url: events go to this address already; write one entry with the events of both",
        ),
        ("webhooks: [{url: 'https://h'}]", "gateway: webhooks[1]: `secret` is missing"),
        (
            "webhooks: [{url: 'https://h', secret: '${WEBHOOK_SECRET}', events: []}]",
            "gateway: webhooks[1].events: must not be empty",
        ),
    ],
)
def test_problems_are_told_in_the_words_of_the_file(tmp_path: Path, text: str, message: str) -> None:
    """A person reads which key, what is wrong with it, and what to write."""
    (told,) = problems(tmp_path, f"version: 1\ngateway: {{{text}}}\n", ENVIRON)
    assert told.partition(": ")[2] == message


def test_kinds_of_events_are_named(tmp_path: Path) -> None:
    """A misspelt kind would never be heard of."""
    webhook = "{url: 'https://h', secret: '${WEBHOOK_SECRET}', events: [rolled-back]}"
    (told,) = problems(tmp_path, f"version: 1\ngateway: {{webhooks: [{webhook}]}}\n", ENVIRON)
    assert "webhooks[1].events[1]: 'rolled-back' is not possible here; write 'started', 'promoted'" in told


def test_no_message_repeats_a_secret(tmp_path: Path) -> None:
    """Not even one that stands in the file itself."""
    told = problems(
        tmp_path,
        """\
        version: 1
        gateway:
          store: {url: "mysql://gw:hunter2@db/banyan"}
          webhooks: [{url: "https://gw:hunter2@hooks.example/hunter2", secret: whsec_hunter2}]
        """,
    )
    assert len(told) == 3
    assert "hunter2" not in "\n".join(told)
