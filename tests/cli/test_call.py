"""`banyan call` tries an operation, and shows JSON and envelopes of both directions."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import web

from tests.cli.conftest import Banyan
from tests.cli.serving import served
from tests.support.library import written

REPLY = (
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><BorrowResponse xmlns="urn:library">'
    '<Loan id="7"><Title>Emma</Title><Due>2026-12-01</Due></Loan></BorrowResponse></e:Body></e:Envelope>'
)
FAULT = (
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value>'
    '</e:Code><e:Reason><e:Text xml:lang="en">No.</e:Text></e:Reason><e:Detail><NotAllowed xmlns="urn:library">'
    "<Why>fees</Why></NotAllowed></e:Detail></e:Fault></e:Body></e:Envelope>"
)
DATA = '{"Card": "a & b"}'


class Library:
    """A backend that gives one answer and keeps what it was sent."""

    def __init__(self) -> None:
        self.answer, self.status = REPLY, 200
        self.bodies: list[bytes] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        return web.Response(text=self.answer, status=self.status, content_type="application/soap+xml")


def routes(folder: Path, address: str, auth: str = "") -> None:
    """A route that calls the library on one side and passes on to it on the other."""
    written(folder)
    (folder / "routes.yaml").write_text(
        f"""\
version: 1
backends:
  library: {{type: soap, wsdl: library.wsdl, url: "{address}/Library.asmx"{auth}}}
routes:
  - {{name: borrow, match: POST /borrow, legacy: {{backend: library, operation: Borrow}}}}
  - {{name: ping, match: POST /ping, new: {{backend: library, operation: Ping}}}}
"""
    )


def test_a_call_shows_both_directions(banyan: Banyan, folder: Path) -> None:
    """The request's JSON, the envelope sent, the envelope received, and the answer's JSON."""
    library = Library()
    with served(library.handle) as address:
        routes(folder, address)
        ran = banyan("call", "borrow", "--data", DATA)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "Request, POST /borrow"
    assert f"Sent to library (legacy), Borrow: {address}/Library.asmx" in lines
    assert "      <n0:Borrow>" in lines
    assert "        <n0:Card>a &amp; b</n0:Card>" in lines
    assert "Received, 200" in lines
    assert "        <Title>Emma</Title>" in "\n".join(lines)
    assert lines[lines.index("Answer, 200") + 1 :][0] == "  {"
    assert b"<n0:Card>a &amp; b</n0:Card>" in library.bodies[0]


def test_machines_get_json(banyan: Banyan, folder: Path) -> None:
    """`--json` tells the same."""
    library = Library()
    with served(library.handle) as address:
        routes(folder, address)
        ran = banyan("call", "borrow", "--data", DATA, "--json")
    record = json.loads(ran.out)
    assert record["request"] == json.loads(DATA)
    assert (record["route"], record["side"], record["backend"], record["operation"]) == (
        "borrow",
        "legacy",
        "library",
        "Borrow",
    )
    assert record["received"]["status"] == "200"
    assert record["answer"] == {
        "status": 200,
        "body": {"Loan": [{"@id": 7, "Title": "Emma", "Due": "2026-12-01"}]},
    }


def test_a_dry_run_sends_nothing(banyan: Banyan, folder: Path) -> None:
    """The envelope is shown; passwords are not."""
    routes(folder, "http://127.0.0.1:1", ", auth: {wsse: {username: gw, password: s3cret}}")
    ran = banyan("call", "borrow", "--data", DATA, "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert "Password" in ran.out
    assert "s3cret" not in ran.out
    assert "Received" not in ran.out
    assert "Answer" not in ran.out


def test_a_fault_is_shown_as_the_problem_it_becomes(banyan: Banyan, folder: Path) -> None:
    """The exit code tells that it was no success."""
    library = Library()
    library.answer, library.status = FAULT, 400
    with served(library.handle) as address:
        routes(folder, address)
        ran = banyan("call", "borrow", "--data", DATA)
    assert ran.code == 1
    assert "Answer, 422\n" in ran.out
    assert '"Why": "fees"' in ran.out


def test_what_the_gateway_refuses_is_not_sent(banyan: Banyan, folder: Path) -> None:
    """A body that does not fit is answered with every problem, one that is no JSON with why."""
    routes(folder, "http://127.0.0.1:1")
    ran = banyan("call", "borrow", "--data", "{}")
    assert (ran.code, "Sent" in ran.out) == (1, False)
    assert "Answer, 422, by the gateway itself\n" in ran.out
    assert '"pointer": "/Card"' in ran.out
    ran = banyan("call", "borrow", "--data", "{")
    assert "Answer, 400, by the gateway itself\n" in ran.out


def test_a_backend_that_cannot_be_reached(banyan: Banyan, folder: Path) -> None:
    """The answer is what a client would get, with the reason that a client would not."""
    routes(folder, "http://127.0.0.1:1")
    ran = banyan("call", "borrow", "--data", DATA)
    assert ran.code == 1
    assert "Answer, 502, by the gateway itself\n" in ran.out
    assert "library: " in ran.out


def test_the_body_may_come_from_a_file_or_the_standard_input(
    banyan: Banyan, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`@FILE` and `@-`; a file that is not there is named."""
    routes(folder, "http://127.0.0.1:1")
    (folder / "data.json").write_text(DATA)
    assert "a &amp; b" in banyan("call", "borrow", "--data", "@data.json", "--dry-run").out
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(DATA.encode())))
    assert "a &amp; b" in banyan("call", "borrow", "--data", "@-", "--dry-run").out
    ran = banyan("call", "borrow", "--data", "@none.json")
    assert (ran.code, ran.err) == (1, "none.json cannot be read: No such file or directory.\n")


def test_the_other_side_can_be_called(banyan: Banyan, folder: Path) -> None:
    """A one-way operation has no answer to show."""
    library = Library()
    library.answer, library.status = "", 202
    with served(library.handle) as address:
        routes(folder, address)
        ran = banyan("call", "ping", "--side", "new", "--data", '"hello"')
    assert (ran.code, ran.out.endswith("Answer, 202\n")) == (0, True)


def test_pairs_are_written_with_an_equals_sign(banyan: Banyan, folder: Path) -> None:
    """Anything else is a usage error."""
    routes(folder, "http://127.0.0.1:1")
    ran = banyan("call", "borrow", "--path", "card")
    assert (ran.code, "Write it as NAME=VALUE." in ran.err) == (2, True)
