"""A thousand secrets pass through a gateway that compares everything, and none of them is kept, logged or told."""

import json
from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import quote

import pytest

from tests.support.gateway import Gateway
from tests.support.messages import answer
from tests.support.origin import Origin, eventually
from tests.support.secrets import names, patterned, tokens

ROUTES = """version: 1
gateway: {{webhooks: [{{url: "{hook}/hook", secret: {secret}}}]}}
backends: {{legacy: {{url: "{legacy}"}}, new: {{url: "{new}"}}}}
routes:
  - name: people
    match: ANY /people/**
    safe: true
    legacy: legacy
    new: new
    shadow: {{share: 100%, noise: 100%}}
    compare:
      show: [/note, /notes/*/text, /person/note]
      redact: [/owner]
      headers: [content-type, location, x-reference]
    sticky: {{cookie: session}}
    serve: ramp
    ramp: {{stages: [50%, 100%], every: 1h, guards: {{parity: 95%, samples: 100, errors: off, latency: off}}}}
"""
SECRET = "whsec_" + b64encode(b"what signs the webhooks here").decode()
PATIENCE = 15.0
PAGES = ("status", "routes", "estate", "ramps", "overrides", "events", "shadow/people")
COMMANDS = (("shadow", "people", "--json"), ("shadow", "people", "--suggest"), ("shadow", "people"), ("ramp", "people"))


class Planted(NamedTuple):
    """A request that has secrets in all its parts, and the answers that both sides give."""

    method: str
    target: str
    fields: tuple[str, ...]
    body: bytes | None
    legacy: bytes
    new: bytes


class Secrets:
    """A thousand of them, each to be planted once. `known` are those that patterns know."""

    def __init__(self, chance: Random) -> None:
        self.known = deque(patterned(chance, 125))
        self.others = deque([*names(chance, 120), *tokens(chance, 130)])
        chance.shuffle(self.known)
        chance.shuffle(self.others)
        self.all = [*self.known, *self.others]

    def one(self) -> str:
        """One of any kind."""
        return (self.others or self.known).popleft() if self.others or self.known else "nobody"

    def numbers(self) -> str:
        """One that patterns know: for places that are shown, and for names of members."""
        return self.known.popleft() if self.known else "0"


def answers(secrets: Secrets) -> Iterator[bytes]:
    """Answers of every kind, again and again, with secrets wherever an answer may hold something."""
    one, known = secrets.one, secrets.numbers
    while True:
        yield _json(
            {"owner": one(), "name": one(), "note": f"call {known()}", "notes": [{"text": known()}], "by": {known(): 1}}
        )
        xml = f'<person id="{one()}"><name>{one()}</name><note>{known()}</note></person>'
        yield answer(xml.encode(), "Content-Type: application/xml")
        yield answer(f"{one()}\n{one()}".encode(), "Content-Type: text/plain")
        yield answer(f"name={quote(one())}".encode(), "Content-Type: application/x-www-form-urlencoded")
        yield answer(f'{{"name": "{one()}"'.encode(), "Content-Type: application/json")
        yield answer(b"{}", f'Content-Type: application/json; name="{one()}"', f"X-Reference: {one()}")
        yield answer(b"{}", f"Location: /people/{quote(one())}?of={quote(one())}", status=302)
        yield answer(f"{one()} failed".encode(), f"Set-Cookie: session={quote(one())}", status=500)
        yield answer(one().encode(), f"Content-Encoding: {one()}")


def _json(document: object) -> bytes:
    return answer(json.dumps(document).encode(), "Content-Type: application/json")


def planted(secrets: Secrets) -> Iterator[Planted]:
    """Requests until all secrets are planted. Both sides answer in the same way, with other secrets each."""
    one = secrets.one
    legacy, new = answers(secrets), answers(secrets)
    number = 0
    while secrets.known:
        number += 1
        fields = (
            f"Cookie: session={number}; person={quote(one())}",
            f"Authorization: Bearer {quote(one())}",
            f"X-Citizen: {one()}",
            "Content-Type: application/json",
        )
        target = f"/people/{quote(one())}/{number}?of={quote(one())}"
        body = None if number % 2 else json.dumps({"name": one(), secrets.numbers(): 1}).encode()
        yield Planted("GET" if body is None else "POST", target, fields, body, next(legacy), next(new))


def leaks(secrets: list[str], where: str, text: bytes) -> list[str]:
    """The secrets that stand in a text, however they are written there."""
    lower = text.lower()
    return [
        f"{secret} in {where}"
        for secret in secrets
        if any(form.lower().encode() in lower for form in {secret, quote(secret), secret.replace(" ", "")})
    ]


class Passed(NamedTuple):
    """What is left of the traffic: everything that somebody may read later, by where it stands; and the secrets."""

    secrets: list[str]
    found: dict[str, bytes]


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Passed:
    """The traffic has passed, the ramp has gone back, and the gateway has ended."""
    secrets = Secrets(Random(20261128))
    with ExitStack() as stack:
        legacy, new, hook = (stack.enter_context(Origin()) for _ in range(3))
        text = ROUTES.format(hook=hook.url, secret=SECRET, legacy=legacy.url, new=new.url)
        folder = tmp_path_factory.mktemp("redaction")
        gateway = stack.enter_context(Gateway(folder, text, BANYAN_LOG_LEVEL="debug"))
        assert eventually(lambda: "ramp_promoted" in gateway.log, PATIENCE), "the ramp did not begin"
        client = stack.enter_context(gateway.client())
        for each in planted(secrets):
            path = each.target.partition("?")[0]
            legacy.on(path, each.legacy)
            new.on(path, each.new)
            client.ask(each.method, each.target, *each.fields, body=each.body)
        assert eventually(lambda: "ramp_rolled_back" in gateway.log, PATIENCE), "nothing was found out"
        assert eventually(lambda: b"ramp.rolled_back" in hook.received(), PATIENCE), "nobody was told"
        assert eventually(lambda: b"call " in _everything(gateway.data), PATIENCE), "no example is in the store"
        found = {f"/api/v1/{page}": gateway.look(f"/api/v1/{page}")[1].encode() for page in PAGES}
        found |= {"/metrics": gateway.look("/metrics")[1].encode(), "the webhook": hook.received()}
        for command in COMMANDS:
            done = gateway.banyan(*command)
            assert done.returncode == 0, done.stderr
            found["banyan " + " ".join(command)] = (done.stdout + done.stderr).encode()
        found["the data folder"] = _everything(gateway.data)
        gateway.terminate()
        gateway.wait()
        found |= {"the closed data folder": _everything(gateway.data), "the logs": _everything(folder, "run*")}
    return Passed(secrets.all, found)


def _everything(folder: Path, pattern: str = "**/*") -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.glob(pattern)) if path.is_file())


def test_a_thousand_secrets_leave_no_trace(passed: Passed) -> None:
    """None is in the store's files, in logs, in what webhooks got, or in what the gateway tells of its comparisons."""
    assert len(set(passed.secrets)) == 1_000
    assert [leak for where, text in passed.found.items() for leak in leaks(passed.secrets, where, text)] == []


def test_what_is_kept_is_still_of_use(passed: Passed) -> None:
    """Without this the other promise would be easy to keep: fields, kinds and masked examples are all there."""
    shown = json.loads(passed.found["banyan shadow people --json"])
    fields = {each["pointer"] for each in shown["fields"]}
    assert {"/name", "/note", "/notes/*/text", "/by/*", "/person/name", "/:header/location"} <= fields
    assert b"call ***" in passed.found["the closed data folder"]
    assert shown["verdicts"]["mismatched"] > 0
