"""The WSDL of a facade, from the gateway: other people's stacks build their clients from it, and call what it names."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
import zeep
from zeep.transports import Transport

from gateway.cli.remote import ask
from tests.e2e.peers.library import HERE
from tests.support.client import HOST
from tests.support.gateway import ROOT, Gateway
from tests.support.messages import answer
from tests.support.origin import Origin

RENTS, LOANS, PLAIN = "/services/Rents.asmx", "/services/Loans", "/plain/Rents.asmx"
BALANCE = {"account": "R1", "as_at": "2026-11-22", "balance": "12.50"}
SECRET = "monolith.internal"


class Estate(NamedTuple):
    gateway: Gateway
    backend: Origin

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.gateway.port}"


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Origin() as backend:
        folder = tmp_path_factory.mktemp("gateway")
        rents = (ROOT / "gateway/demo/rents.wsdl").read_text(encoding="utf-8")
        (folder / "rents.wsdl").write_text(rents.replace("ADDRESS", f"http://{SECRET}:8443/Rents.asmx"))
        for name in ("loans.wsdl", "loans.xsd"):
            (folder / name).write_bytes((HERE / name).read_bytes())
        backend.on(PLAIN, answer(b"<plain/>", "Content-Type: text/xml"))
        backend.on("/v2/R1", answer(json.dumps(BALANCE).encode(), "Content-Type: application/json"))
        with Gateway(folder, routes(backend.url)) as gateway:
            yield Estate(gateway, backend)


def routes(url: str) -> str:
    new = (
        '{backend: rest, method: GET, path: "/v2/{body.AccountNo}", '
        'response: "{AccountNo: account, AsAt: as_at, Amount: balance}"}'
    )
    return f"""version: 1
gateway: {{access_log: {{to: "off"}}, trusted_proxies: [127.0.0.2]}}
backends:
  rents: {{type: soap, wsdl: rents.wsdl, url: "{url}/soap"}}
  loans: {{type: soap, wsdl: loans.wsdl, url: "{url}/loans"}}
  rest: {{url: "{url}"}}
routes:
  - {{name: balance, match: "SOAP {RENTS}#GetBalance", legacy: rents, new: {new}, serve: new}}
  - {{name: charges, match: "SOAP {RENTS}#ListCharges", legacy: rents}}
  - {{name: loans, match: "SOAP {LOANS}#GetLoan", legacy: loans}}
  - {{name: taken, match: "SOAP {PLAIN}#GetBalance", legacy: rents}}
  - {{name: plain, match: "ANY {PLAIN}", legacy: rest}}
"""


# ------------------------------------------------------------------------------------------------ clients


def zeep_client(address: str, session: requests.Session) -> Any:
    transport: Any = Transport
    make: Any = zeep.Client
    return make(address, transport=transport(session=session, timeout=10, operation_timeout=10))


def test_zeep_builds_a_client_and_calls(estate: Estate) -> None:
    """From the gateway's address alone: the WSDL says where to call, and the facade answers there."""
    with requests.Session() as session:
        client = zeep_client(f"{estate.address}{RENTS}?wsdl", session)
        result = client.service.GetBalance(AccountNo="R1")
    assert (result.AccountNo, str(result.Amount)) == ("R1", "12.50")


def test_zeep_finds_what_the_wsdl_imports(estate: Estate) -> None:
    """A schema of its own is served at the same address."""
    with requests.Session() as session:
        client = zeep_client(f"{estate.address}{LOANS}?WSDL", session)
        (service,) = client.wsdl.services.values()
    assert {port.binding_options["address"] for port in service.ports.values()} == {estate.address + LOANS}


def test_php_builds_a_client_and_calls(estate: Estate, tmp_path: Path) -> None:
    """So does PHP's SoapClient, in both versions of SOAP."""
    if shutil.which("php") is None:
        pytest.skip("PHP is not installed (Debian: php-cli and php-soap)")
    script = """<?php
    foreach ([SOAP_1_1, SOAP_1_2] as $version) {
        $how = ['cache_wsdl' => WSDL_CACHE_NONE, 'soap_version' => $version];
        $client = new SoapClient($argv[1] . '?wsdl', $how);
        echo $client->GetBalance(['AccountNo' => 'R1'])->Amount, "\\n";
    }
    $loans = new SoapClient($argv[2] . '?wsdl', ['cache_wsdl' => WSDL_CACHE_NONE]);
    echo count($loans->__getFunctions()) > 0 ? 'loans' : 'nothing';
    """
    (tmp_path / "client.php").write_text(script)
    command = ["php", str(tmp_path / "client.php"), estate.address + RENTS, estate.address + LOANS]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (run.stdout, run.stderr) == ("12.50\n12.50\nloans", "")


# ------------------------------------------------------------------------------------------------ what is served


@pytest.mark.parametrize("query", ["?wsdl", "?WSDL", "?singleWsdl", "?wsdl=rents.wsdl"])
def test_only_the_address_is_changed(estate: Estate, query: str) -> None:
    """Every other byte is the file's."""
    reply = estate.gateway.get(RENTS + query)
    file = (estate.gateway.folder / "rents.wsdl").read_bytes()
    own = f"http://{HOST}{RENTS}".encode()
    assert reply.body == file.replace(f"http://{SECRET}:8443/Rents.asmx".encode(), own)
    assert (reply.status, reply.get("Content-Type")) == (200, "text/xml; charset=utf-8")
    assert SECRET.encode() not in reply.body


def test_a_trusted_proxy_says_what_clients_call(estate: Estate) -> None:
    """Anybody else who says so is not believed."""
    fields = ("X-Forwarded-Proto: https", "X-Forwarded-Host: api.example.org")
    told = estate.gateway.call("GET", f"{RENTS}?wsdl", *fields)
    assert f'"http://{HOST}{RENTS}"'.encode() in told.body
    with estate.gateway.client(source="127.0.0.2") as client:
        told = client.get(f"{RENTS}?wsdl", *fields)
        assert f'"https://api.example.org{RENTS}"'.encode() in told.body


def test_it_is_not_sent_again(estate: Estate) -> None:
    """A client that has it already is told so, and a HEAD says what a GET would."""
    first = estate.gateway.get(f"{RENTS}?wsdl")
    tag = first.get("ETag") or ""
    again = estate.gateway.get(f"{RENTS}?wsdl", f"If-None-Match: {tag}")
    assert (again.status, again.body, again.get("ETag"), again.get("Content-Length")) == (304, b"", tag, None)
    head = estate.gateway.call("HEAD", f"{RENTS}?wsdl")
    assert (head.status, head.get("Content-Length"), head.body) == (200, str(len(first.body)), b"")
    assert first.get("Cache-Control") == "no-cache"


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", RENTS, 405),
        ("GET", f"{RENTS}?wsdl=other.wsdl", 405),
        ("GET", f"{RENTS}?xsd=../routes.yaml", 405),
        ("PUT", f"{RENTS}?wsdl", 405),
        ("GET", "/elsewhere?wsdl", 404),
    ],
)
def test_everything_else_is_as_it_was(estate: Estate, method: str, target: str, status: int) -> None:
    """Only the files of the WSDL are served, and only where its operations have routes."""
    assert estate.gateway.call(method, target).status == status


def test_a_plain_route_comes_first(estate: Estate) -> None:
    """Where one takes the address, it takes `?wsdl` too."""
    assert estate.gateway.get(f"{PLAIN}?wsdl").body == b"<plain/>"


def test_explain_says_who_answers(estate: Estate) -> None:
    """The gateway itself, and with which file."""
    asking = {"method": "GET", "url": f"{LOANS}?xsd=loans.xsd", "headers": [], "address": "127.0.0.1"}
    told = ask(estate.gateway.data, "/api/v1/explain", {**asking, "size": 0, "body": ""})
    assert (told["status"], told["detail"].partition(",")[0]) == (200, "loans.xsd")
