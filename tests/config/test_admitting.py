from pathlib import Path

import pytest

from gateway.config.changes import describe_changes
from gateway.core.access import Role
from gateway.core.administering import Administration, Oidc
from gateway.core.model import Gateway
from tests.config.files import estate, problems

ENVIRON = {"OIDC_SECRET": "hunter2", "NOTHING": ""}
LEAST = "issuer: 'https://l.example/r', client_id: banyan, client_secret: '${OIDC_SECRET}', roles: {viewer: [staff]}"


def gateway(folder: Path, text: str) -> Gateway:
    return estate(folder, f"version: 1\ngateway: {{admin: {{{text}}}}}\n", ENVIRON).gateway


def told(folder: Path, text: str) -> list[str]:
    text = f"version: 1\ngateway: {{admin: {{{text}}}}}\n"
    return [each.partition(": ")[2] for each in problems(folder, text, ENVIRON)]


def test_everything_about_the_admin_port(tmp_path: Path) -> None:
    """Its name, its address, how long browsers stay signed in, and who may come in."""
    text = """name: "Thornbeck", timezone: Europe/London, idle: 15m, lasts: 8h, url: "https://banyan.example.org/",
        trusted_proxies: [10.0.0.0/8, "fd00::/8"],
        oidc: {issuer: "https://login.example.org/realm/", client_id: banyan, client_secret: "${OIDC_SECRET}",
               roles: {approver: [leads], viewer: [staff, all], operator: []}, roles_claim: realm_access.roles,
               name_claim: upn, scopes: [openid, groups]}""".replace("\n", " ")
    roles = ((Role.VIEWER, ("staff", "all")), (Role.APPROVER, ("leads",)))
    issuer = "https://login.example.org/realm/"
    oidc = Oidc(issuer, "banyan", "hunter2", roles, "realm_access.roles", "upn", ("openid", "groups"))
    url, proxies = "https://banyan.example.org", ("10.0.0.0/8", "fd00::/8")
    assert gateway(tmp_path, text).admin == Administration(
        "Thornbeck", "Europe/London", 900.0, 28_800.0, url, oidc, proxies
    )


def test_what_is_left_out_keeps_its_default(tmp_path: Path) -> None:
    """Nobody signs in with an organisation unless the file says so; a few keys are enough for that."""
    assert estate(tmp_path, "version: 1\n").gateway.admin == Administration()
    oidc = gateway(tmp_path, f"oidc: {{{LEAST}}}").admin.oidc
    assert oidc == Oidc("https://l.example/r", "banyan", "hunter2", ((Role.VIEWER, ("staff",)),))
    assert oidc.roles_claim == "groups"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("'https://l.example/r'", "'http://l.example/r'", ".issuer: 'http://l.example/r' must be https"),
        ("'https://l.example/r'", "l.example", ".issuer: 'l.example' is not a URL"),
        ("/r'", "/.well-known/openid-configuration'", "must end before /.well-known"),
        ("'https://l.example/r'", "'https://u:p@l.example'", "holds no user and password"),
        ("issuer: 'https://l.example/r', ", "", ": `issuer` is missing"),
        ("client_id: banyan, ", "", ": `client_id` is missing"),
        ("banyan", "''", ".client_id: must not be empty"),
        ("client_secret: '${OIDC_SECRET}', ", "", ": `client_secret` is missing"),
        ("${OIDC_SECRET}", "${NOTHING}", ".client_secret: is empty"),
        (", roles: {viewer: [staff]}", "", ": `roles` is missing"),
        ("{viewer: [staff]}", "{}", ".roles: nobody could come in"),
        ("{viewer: [staff]}", "{viewer: []}", ".roles: nobody could come in"),
        ("{viewer: [staff]}", "{viewer: staff}", ".roles.viewer: must be a list"),
        ("{viewer: [staff]}", "{viewer: ['']}", ".roles.viewer[1]: must not be empty"),
        ("{viewer: [staff]}", "{owner: [staff]}", ".roles: `owner` is not a key here"),
        ("roles:", "scopes: [profile], roles:", ".scopes: must be a list of scopes with openid among them"),
        ("roles:", "scopes: openid, roles:", ".scopes: must be a list of scopes with openid among them"),
        ("roles:", "scopes: [openid, 'a b'], roles:", ".scopes: must be a list of scopes with openid among them"),
    ],
)
def test_what_cannot_be(tmp_path: Path, before: str, after: str, message: str) -> None:
    """Each problem says where it is and what to write, and no secret."""
    assert before in LEAST
    (found,) = told(tmp_path, f"oidc: {{{LEAST.replace(before, after, 1)}}}")
    assert message in found, found
    assert found.startswith("gateway: admin.oidc")


def test_what_comes_back_must_be_private(tmp_path: Path) -> None:
    """With `oidc` browsers come by https, or from this machine; without it by what they will."""
    (found,) = told(tmp_path, f"url: 'http://b.example', oidc: {{{LEAST}}}")
    assert found.startswith("gateway: admin.url: 'http://b.example' must be https")
    assert told(tmp_path, f"url: 'http://127.0.0.1:8081', oidc: {{{LEAST}}}") == []
    assert told(tmp_path, "url: 'http://b.example'") == []
    assert "has a path" in told(tmp_path, "url: 'https://b.example/x'")[0]


def test_a_secret_that_changed_is_noticed_and_never_shown(tmp_path: Path) -> None:
    """`banyan diff` says that it is another one."""
    text = f"version: 1\ngateway: {{admin: {{oidc: {{{LEAST}}}}}}}\n"
    before, after = (estate(tmp_path, text, {"OIDC_SECRET": each}) for each in ("hunter2", "hunter3"))
    (change,) = describe_changes(before, after)
    assert (change.name, change.field) == ("gateway", "admin")
    assert "hunter" not in str(change)
    assert "client_secret: ***" in change.before
    assert change.after == f"{change.before} (changed)"
