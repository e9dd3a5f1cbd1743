"""How the gateway logs on to SOAP backends, as it is written, and what of it is wrong."""

import re
from pathlib import Path
from typing import Any

import pytest

from connectors.soap.security import Basic, HeaderValues, Session
from connectors.soap.target import DECODE
from gateway.core.model import Estate
from tests.config.files import estate, problems
from tests.support import waste

REQUEST = "request: {user: u, password: p}"
LOG_ON = f"operation: Authenticate, {REQUEST}, token: AuthenticateResult.Token"


def frame(auth: str, *routes: str, gateway: str = "") -> str:
    listed = "".join(f"  - {{{each}}}\n" for each in routes or (COLLECTIONS, MISSED))
    return (
        f"version: 1\ngateway: {{{gateway}}}\nbackends:\n"
        f'  waste: {{type: soap, wsdl: waste.wsdl, url: "http://127.0.0.1:1/S", auth: {{{auth}}}}}\n'
        '  books: {url: "http://127.0.0.1:2"}\n'
        f"routes:\n{listed}"
    )


def calls(name: str, operation: str, more: str = "") -> str:
    return f"name: {name}, match: GET /{name}, legacy: {{backend: waste, operation: {operation}{more}}}"


COLLECTIONS = calls("collections", "GetCollections", ", request: {Address: query.at}")
MISSED = calls("missed", "ReportMissed", ", request: {Address: query.at}")
PING = calls("ping", "Ping", ", request: '`{}`'")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    waste.written(tmp_path)
    return tmp_path


def targets(found: Estate) -> list[Any]:
    return [route.legacy.call for route in found.routes if route.legacy is not None]


def told(folder: Path, text: str) -> list[str]:
    """What is wrong, without the places."""
    return [each.split(": ", 1)[1] for each in problems(folder, text)]


def test_a_session_as_it_is_written(folder: Path) -> None:
    """Each operation gets what it has room for; all log on in the same way."""
    put = "header: {SessionHeader: {Token: token}}, body: {token: token}"
    more = "renew_on: [InvalidToken], renew_when: Errors.Code, lasts: 20m"
    auth = f"session: {{{LOG_ON}, {put}, {more}}}, basic: {{username: a, password: b}}"
    collections, missed, ping = (
        each.session for each in targets(estate(folder, frame(auth, COLLECTIONS, MISSED, PING)))
    )
    log_on = collections.log_on
    assert (log_on.operation.name, log_on.request) == ("Authenticate", {"user": "u", "password": "p"})
    assert (log_on.token, log_on.lasts, log_on.auth) == ("AuthenticateResult.Token", 1200.0, (Basic("a", "b"),))
    assert collections == Session(log_on, {"SessionHeader": {"Token": "token"}}, None, ("InvalidToken",), "Errors.Code")
    assert (missed.header, missed.body, missed.log_on) == (None, {"token": "token"}, log_on)
    assert (ping.header, ping.body, ping.log_on) == (None, None, log_on)


def test_the_least_of_a_session(folder: Path) -> None:
    """The cookies that the log-on sets, for as long as they are good. The log-on itself is part of none."""
    auth = f"session: {{operation: Authenticate, {REQUEST}}}"
    session, own = (each.session for each in targets(estate(folder, frame(auth, PING, calls("on", "Authenticate")))))
    assert (session.log_on.token, session.log_on.lasts, session.renew_on, session.renew_when) == (None, 0.0, (), None)
    assert own is None


def test_values_of_headers_go_where_they_are_declared(folder: Path) -> None:
    """The log-on's among them; an operation without the header gets none."""
    auth = f"header: {{ApiHeader: {{Key: k}}}}, session: {{operation: Authenticate, {REQUEST}}}"
    collections, missed = targets(estate(folder, frame(auth)))
    fixed = (HeaderValues((("ApiHeader", {"Key": "k"}),)),)
    assert (collections.auth, missed.auth, missed.session.log_on.auth) == (fixed, (), fixed)


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (
            "session: {operation: LogOn}",
            "session.operation: the WSDL has no operation 'LogOn'; it has Authenticate, GetCollections, Ping,",
        ),
        ("session: {operation: Authenticate, request: {user: u}}", "session.request: /password: is missing"),
        (
            "session: {operation: Authenticate, request: {user: u, password: p, x: 1}}",
            "session.request: /x: is not in the schema",
        ),
        (f"session: {{operation: Authenticate, {REQUEST}, token: 'a['}}", "session.token: `a[` is not"),
        (f"session: {{{LOG_ON}, header: {{SessionHeader: '('}}}}", "session.header: `(` is not"),
        (f"session: {{{LOG_ON}, renew_when: '('}}", "session.renew_when: `(` is not"),
        (
            f"session: {{operation: Authenticate, {REQUEST}, body: {{token: token}}}}",
            "session: `body` is mapped from a `token`; say where it is",
        ),
        (
            f"session: {{{LOG_ON}, header: {{SesionHeader: {{Token: token}}}}}}",
            "session.header: no operation in use has a header `SesionHeader`",
        ),
        (f"session: {{{LOG_ON}, body: {{Token: token}}}}", "session.body: no operation in use has a member `Token`"),
        (
            f"session: {{{LOG_ON}, header: {{SessionHeader: {{Tokn: token}}}}}}",
            "session.header: GetCollections has no /Tokn there",
        ),
        (f"session: {{{LOG_ON}, body: {{token: {{a: token}}}}}}", None),
        (f"session: {{{LOG_ON}, body: {{token: abs(token)}}}}", None),
        (
            f"header: {{SessionHeader: {{Token: t}}}}, session: {{{LOG_ON}, header: {{SessionHeader.Token: token}}}}",
            "session.header: `SessionHeader.Token` stands under `auth.header` already",
        ),
        ("header: {ApiHeder: {Key: k}}", "header: no operation in use has a header `ApiHeder`"),
        ("header: {ApiHeader: {Kay: k}}", "header.ApiHeader: /Key: is missing; /Kay: is not in the schema"),
        (f"session: {{{LOG_ON}, lasts: 0s}}", "session.lasts: "),
        (f"session: {{{LOG_ON}, tokn: x}}", "session: `tokn` is not a key here; did you mean `token`?"),
    ],
)
def test_what_is_wrong_with_it(folder: Path, auth: str, expected: str | None) -> None:
    """It is said where it stands, in words; what a token will be like is not known yet."""
    found = told(folder, frame(auth))
    if expected is None:
        assert not found
    else:
        assert len(found) == 1
        assert found[0].startswith(f"backend waste: auth.{expected}")


def test_secrets_are_in_no_problem(folder: Path) -> None:
    """Of a request that does not fit only the places are told."""
    auth = 'session: {operation: Authenticate, request: {user: ["${SECRET}"], password: "${SECRET}", "x": "${SECRET}"}}'
    found = problems(folder, frame(auth), {"SECRET": "zebra"})
    assert found
    assert "zebra" not in "".join(found)


def test_a_log_on_that_answers_nothing_gives_no_token(folder: Path) -> None:
    """A one-way operation can only set cookies."""
    text = waste.WSDL.replace('<output message="w:AuthenticateOut"/>', "")
    one_way = re.sub(r'(<operation name="Authenticate"><s11.*?)<output>.*?</output>', r"\1", text)
    (folder / "waste.wsdl").write_text(one_way, encoding="utf-8")
    auth = f"session: {{{LOG_ON}}}"
    assert told(folder, frame(auth)) == [
        "backend waste: auth.session.token: Authenticate answers nothing, so it gives no token"
    ]


def test_a_session_of_a_backend_that_nobody_calls_is_looked_at_too(folder: Path) -> None:
    """As far as that goes: who would carry the token is not known."""
    auth = f"session: {{{LOG_ON}, body: {{anything: token}}}}, header: {{Any: {{}}}}"
    plain = "name: b, match: GET /b, legacy: books"
    assert told(folder, frame(auth, plain)) == []
    (found,) = told(folder, frame(auth.replace("Authenticate,", "Nope,"), plain))
    assert found.startswith("backend waste: auth.session.operation: the WSDL has no operation 'Nope'; it has Auth")


# ------------------------------------------------------------------------------------------------ headers, status, size


def test_headers_come_from_the_request(folder: Path) -> None:
    """Those that the operation declares, each by a mapping."""
    headers = ', soap_headers: {SessionHeader: {Token: header."x-token"}, ApiHeader.Key: path.a}'
    (target,) = targets(estate(folder, frame("", calls("a", "GetCollections", headers))))
    assert target.headers == {"SessionHeader": {"Token": 'header."x-token"'}, "ApiHeader.Key": "path.a"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("{Sesion: token}", "GetCollections has no header `Sesion`; it has SessionHeader, ApiHeader"),
        ("{ApiHeader.Key: path.a}", "the header `ApiHeader` comes from the backend's `auth` already"),
        ("{SessionHeader.Token: path.a}", "the header `SessionHeader` comes from the backend's `auth` already"),
        ("{SessionHeader: '('}", "`(` is not a JMESPath expression"),
    ],
)
def test_headers_that_cannot_be_given(folder: Path, headers: str, expected: str) -> None:
    """None that the operation does not have, and none twice."""
    put = "header: {SessionHeader: {Token: token}}"
    auth = f"header: {{ApiHeader: {{Key: k}}}}, session: {{{LOG_ON}, {put}}}"
    found = told(folder, frame(auth, calls("a", "GetCollections", f", soap_headers: {headers}")))
    assert [each.partition("soap_headers: ")[2][: len(expected)] for each in found][:1] == [expected]


def test_an_operation_without_headers_has_none(folder: Path) -> None:
    """It is said so."""
    found = told(folder, frame("", calls("a", "Ping", ", soap_headers: {A: path.a}")))
    assert found == ["route a: legacy.soap_headers: Ping has no header `A`; it has none"]


def test_the_status_of_results_that_are_errors(folder: Path) -> None:
    """502 unless the route says otherwise, and nothing without an `error_when`."""
    both = estate(folder, frame("", calls("a", "Ping", ", error_when: x, error_status: 409"), calls("b", "Ping")))
    assert [each.error_status for each in targets(both)] == [409, 502]
    assert told(folder, frame("", calls("a", "Ping", ", error_status: 409"))) == [
        "route a: legacy: `error_status` is the status of an `error_when`"
    ]
    assert "is too small" in told(folder, frame("", calls("a", "Ping", ", error_when: x, error_status: 200")))[0]


def test_how_much_is_decoded(folder: Path) -> None:
    """8 MiB, or what the gateway says, or what the route says; in both directions of SOAP."""
    faced = 'name: f, match: "SOAP /f#Ping", legacy: waste, new: {backend: books, method: GET, path: /p}, serve: new'
    routes = (calls("a", "Ping"), f"{calls('b', 'Ping')}, decode: 1MiB", faced)
    usual = estate(folder, frame("", *routes))
    assert [each.decode for each in targets(usual) if each] == [DECODE, 1_048_576]
    assert usual.gateway.decode == DECODE
    other = estate(folder, frame("", *routes, gateway="decode: 2MiB"))
    assert [each.decode for each in targets(other) if each] == [2_097_152, 1_048_576]
    new = other.routes[2].new
    assert new is not None
    assert new.call.decode == 2_097_152


@pytest.mark.parametrize("legacy", ["books", "waste"])
def test_what_streams_has_no_such_bound(folder: Path, legacy: str) -> None:
    """A key that would do nothing is refused."""
    assert told(folder, frame("", f"name: b, match: GET /b, legacy: {legacy}, decode: 1MiB")) == [
        "route b: nothing of this route is decoded, it streams; leave `decode` out (`max_body` bounds requests)"
    ]
