"""`banyan token` and `banyan link` let people in, and show them out again."""

import getpass
import json
import re
from pathlib import Path
from time import time

import pytest

from gateway.access.refusals import Refusal
from gateway.core.access import Principal, Role
from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan
from tests.support.tokens import secret_of

CREATE = ("token", "create", "--name", "Zoë")
WHY = ("--reason", "Zoë has left")


@pytest.fixture(autouse=True)
def _ann(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever types."""
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")


def created(banyan: Banyan, *more: str) -> str:
    ran = banyan(*CREATE, *more)
    assert (ran.code, ran.err) == (0, "")
    return ran.out.strip()


# ------------------------------------------------------------------------------------------------ create


def test_a_token_is_printed_and_nothing_else(banyan: Banyan, stored: FakeSteering) -> None:
    """So that a script can take it; it lets in whom it was made for, for three months, to look."""
    text = created(banyan)
    assert re.fullmatch(r"banyan_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", text)
    [token] = stored.keyring.tokens
    assert stored.keyring.bearer(text, time()) == Principal("Zoë", Role.VIEWER, "token", token.id, proof=token.id)
    assert (token.by, round(token.expires - token.made)) == ("ann", 90 * 86_400)


def test_a_token_is_of_a_role_and_for_a_time(banyan: Banyan, stored: FakeSteering) -> None:
    """As it was asked for; machines get all about it."""
    document = json.loads(banyan(*CREATE, "--role", "approver", "--expires", "12h", "--json").out)
    [token] = stored.keyring.tokens
    assert (token.role, round(token.expires - token.made)) == (Role.APPROVER, 12 * 3_600)
    assert (document["id"], document["role"], document["name"]) == (token.id, "approver", "Zoë")
    assert stored.keyring.bearer(document["token"], time()).role == Role.APPROVER
    assert "secret" not in document


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--role", "owner"), 2, "'owner' is not one of 'viewer', 'operator', 'approver'"),
        (("--expires", "soon"), 2, "'soon' is not a duration"),
        (("--expires", "400d"), 2, "'400d' is more than a year"),
        (("--expires", "0s"), 2, "leaves no time at all"),
        (("--name", " "), 1, "Say whose token it is"),
        (("--reason", " "), 2, "Say why"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(
    banyan: Banyan, stored: FakeSteering, words: tuple[str, ...], code: int, says: str
) -> None:
    """The message says what would."""
    ran = banyan(*CREATE, *words)
    assert (ran.code, ran.out, says in re.sub(r"[\s│]+", " ", ran.err)) == (code, "", True), ran.err
    assert stored.keyring.tokens == []


def test_without_a_store_there_are_no_tokens(banyan: Banyan, steering: FakeSteering) -> None:
    """The commands themselves need none."""
    ran = banyan(*CREATE)
    assert (ran.code, ran.out, "tokens are kept there" in ran.err) == (1, "", True)


# ------------------------------------------------------------------------------------------------ list, revoke


def test_tokens_are_listed_with_what_has_become_of_them(banyan: Banyan, stored: FakeSteering) -> None:
    """The latest first; never what they are shown as."""
    assert banyan("token", "list").out == (
        "There are none. `banyan token create --name NAME --role viewer` makes one.\n"
    )
    texts = [created(banyan, "--expires", expires) for expires in ("1h", "2h", "1ms")]
    first, second, third = stored.keyring.tokens[::-1]
    banyan("token", "revoke", first.id, *WHY)
    ran = banyan("token", "list")
    header, *rows = [re.split(r"  +", line) for line in ran.out.splitlines()]
    assert header == ["id", "name", "role", "made", "by", "expires", "state"]
    assert [(row[0], row[1], row[2], row[4], row[6]) for row in rows] == [
        (third.id, "Zoë", "viewer", "ann", "expired"),
        (second.id, "Zoë", "viewer", "ann", "good"),
        (first.id, "Zoë", "viewer", "ann", "revoked"),
    ]
    listed = banyan("token", "list", "--json").out
    assert [each["id"] for each in json.loads(listed)["tokens"]] == [third.id, second.id, first.id]
    secrets = [secret_of(text) for text in texts] + [each.secret for each in stored.keyring.tokens]
    assert [secret for secret in secrets if secret in ran.out + listed] == []


def test_a_revoked_token_is_over(banyan: Banyan, stored: FakeSteering) -> None:
    """At once, and it is said whose it was."""
    text = created(banyan)
    [token] = stored.keyring.tokens
    ran = banyan("token", "revoke", token.id, *WHY)
    assert (ran.code, ran.out) == (
        0,
        "The token of Zoë is revoked, and who was signed in with it is signed out.\n",
    )
    with pytest.raises(Refusal, match="was revoked"):
        stored.keyring.bearer(text, time())
    again = banyan("token", "revoke", token.id, *WHY)
    assert (again.code, again.err) == (
        1,
        f"There is no token '{token.id}' that could be revoked. `banyan token list` shows them.\n",
    )


def test_a_token_is_not_revoked_without_a_reason(banyan: Banyan, stored: FakeSteering) -> None:
    """The audit has who and why; and a word that is no id reaches no other address."""
    text = created(banyan)
    [token] = stored.keyring.tokens
    assert banyan("token", "revoke", token.id).code == 2
    assert banyan("token", "revoke", token.id, "--reason", " ").code == 2
    assert "'../links?'" in banyan("token", "revoke", "../links?", *WHY).err
    assert stored.keyring.bearer(text, time()).name == "Zoë"
    lines = banyan("audit").out.splitlines()
    assert [line.split()[6:8] for line in lines[1:]] == [["revoke_token", "../links?"], ["create_token", "-"]]


# ------------------------------------------------------------------------------------------------ link


def test_a_link_is_printed_and_opens_once(banyan: Banyan, stored: FakeSteering) -> None:
    """For whoever opens it within a quarter of an hour, who may let stages begin."""
    ran = banyan("link")
    start, _, code = ran.out.strip().partition("?code=")
    assert (ran.code, ran.err, start) == (0, "", "http://127.0.0.1:8081/sign-in")
    link = stored.keyring.peek(code)
    assert (link.name, link.role, round((link.until - time()) / 60)) == ("", Role.APPROVER, 15)


def test_a_link_is_for_somebody(banyan: Banyan, stored: FakeSteering) -> None:
    """With a name, a role and a time; a time that is none is refused."""
    code = banyan("link", "--name", "Zoë", "--role", "viewer", "--for", "1m").out.strip().partition("?code=")[2]
    assert stored.keyring.peek(code)[:2] == ("Zoë", Role.VIEWER)
    assert banyan("link", "--for", "soon").code == 2
    assert "a day at most" in banyan("link", "--for", "25h").err


def test_the_data_folder_may_be_named_in_the_environment(
    banyan: Banyan, stored: FakeSteering, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For these commands as for all others."""
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    for words in (CREATE, ("token", "list"), ("link",), ("audit",), ("audit", "verify")):
        monkeypatch.delenv("BANYAN_DATA", raising=False)
        assert "No gateway is running in the data folder .banyan" in banyan(*words).err
        monkeypatch.setenv("BANYAN_DATA", str(folder / ".banyan"))
        assert banyan(*words).code == 0, words
