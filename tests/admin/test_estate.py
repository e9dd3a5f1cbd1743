"""An estate can be read by people and compared by machines, and gives no secret away."""

import json
from pathlib import Path
from typing import Any

from gateway.admin.estate import estate_document, route_rows
from gateway.config.check import load
from gateway.core.model import Estate
from tests.admin.fakes import written
from tests.config.loans import WSDL

FULL = """\
version: 1
gateway:
  trusted_proxies: [10.0.0.0/8]
  timeout: {connect: 1s}
backends:
  office: {url: "http://127.0.0.1:9001/base", timeout: {response: 5s}, host: public}
  secure: {url: "https://rents.internal", tls: {name: rents}}
  local: {url: "unix:/run/local.sock"}
routes:
  - name: detail
    match: {method: GET, host: api.example, path: "/a/{id}/**", header: {x-flag: s3cret, x-there: null}}
    id: stable
    journey: rents
    legacy: office
    new:
      backend: secure
      path: "/v2/{id}/{query.q}/{header.x-there}/{**}"
      method: POST
      headers: {add: {X-Api-Key: hunter2, X-Council: Fernshire}, remove: [Accept]}
    serve: 12.5% new
    sticky: {cookie: tenancy, issue: true}
    tester: {header: x-banyan-serve, secret: opensesame}
    timeout: {response: 2s}
  - name: call
    match: {path: /s, soap: {operation: Pay, element: "{urn:r}PayIt"}}
    legacy: local
    serve: retired
"""


def estate(folder: Path, text: str = FULL) -> Estate:
    return load(written(folder, text), {}).estate


def document(folder: Path) -> dict[str, Any]:
    return estate_document(estate(folder))


def test_a_route_reads_like_the_file(tmp_path: Path) -> None:
    """What differs from the defaults is told, in the file's own words."""
    assert document(tmp_path)["routes"]["detail"] == {
        "match": {
            "pattern": "GET /a/{id}/** on api.example with x-flag, x-there",
            "host": "api.example",
            "headers": ["x-flag=***", "x-there"],
        },
        "id": "stable",
        "journey": "rents",
        "legacy": "office",
        "new": {
            "backend": "secure",
            "path": "/v2/{id}/{query.q}/{header.x-there}/{**}",
            "method": "POST",
            "request": {"add": ["X-Api-Key: ***", "X-Council: Fernshire"], "remove": ["accept"]},
        },
        "serve": "12.5% new",
        "sticky": {"source": "cookie", "name": "tenancy", "issue": True},
        "tester": {"header": "x-banyan-serve", "secret": "***"},
        "timeout": {"response": 2.0},
    }


def test_a_soap_operation_is_told_where_its_name_is_not_enough(tmp_path: Path) -> None:
    """An element of another name stands beside the pattern."""
    route = document(tmp_path)["routes"]["call"]
    assert route["match"]["soap"] == {"name": "Pay", "element": "PayIt", "namespace": "urn:r"}
    assert (route["legacy"], route["serve"]) == ("local", "retired")


def test_backends_have_one_address(tmp_path: Path) -> None:
    """Scheme, host, port, socket and base are one address, as they are written."""
    backends = document(tmp_path)["backends"]
    assert backends["office"] == {
        "url": "http://127.0.0.1:9001/base",
        "host_header": "public",
        "timeout": {"response": 5.0},
    }
    assert backends["secure"] == {"url": "https://rents.internal", "tls": {"name": "rents"}}
    assert backends["local"] == {"url": "unix:/run/local.sock"}


def test_the_gateway_s_own_settings_are_told(tmp_path: Path) -> None:
    """Settings that were made are told; those left alone are not."""
    assert document(tmp_path)["gateway"] == {"trusted_proxies": ["10.0.0.0/8"], "timeout": {"connect": 1.0}}


EVIDENCE = """\
version: 1
gateway:
  capture: 1KiB
  webhooks: [{url: "https://hooks.example/hunter2", secret: "whsec_aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg=="}]
  store: {url: "postgresql://gw:hunter2@db/banyan?password=hunter2"}
  keep: {traffic: 30d}
backends:
  office: {url: "http://127.0.0.1:9001"}
  repairs: {url: "http://127.0.0.1:9002"}
routes:
  - name: list
    match: GET /list
    legacy: office
    new: repairs
    serve: ramp
    shadow: 25%
    compare: {unordered: [/charges], headers: [etag]}
    ramp: {stages: [1%, 50%], approve_at: [50%], guards: {parity: 99.9%, samples: 4000}}
  - {name: plain, match: GET /plain, legacy: office, new: repairs, compare: {}}
"""


def test_evidence_reads_like_the_file(tmp_path: Path) -> None:
    """Shadow, rules and ramp are told as they were written; a route without them says nothing of them."""
    told = estate_document(estate(tmp_path, EVIDENCE))["routes"]
    assert told["list"] == {
        "match": "GET /list",
        "serve": "ramp",
        "legacy": "office",
        "new": "repairs",
        "shadow": {"share": "25%"},
        "compare": {"unordered": ["/charges"], "headers": ["etag"]},
        "ramp": {
            "stages": ["1%", "50%"],
            "approve_at": ["50%"],
            "guards": {"parity": "99.9%", "samples": 4000},
        },
    }
    assert told["plain"] == {"match": "GET /plain", "serve": "legacy", "legacy": "office", "new": "repairs"}
    assert route_rows(estate(tmp_path, EVIDENCE))[0]["share"] is None


def test_webhooks_and_the_store_are_told_without_secrets(tmp_path: Path) -> None:
    """Where events go and where the store is, but neither what signs nor what logs on."""
    told = estate_document(estate(tmp_path, EVIDENCE))["gateway"]
    assert told == {
        "capture": 1024,
        "webhooks": [{"url": "https://hooks.example/***", "secret": "***"}],
        "keep": {"traffic": "30d"},
        "store": {"url": "postgresql://***@db/banyan?***"},
    }
    assert "hunter2" not in json.dumps(told)


def test_no_secret_is_in_it(tmp_path: Path) -> None:
    """Neither testers' secrets, nor wanted header values, nor keys for backends can be read."""
    text = json.dumps(document(tmp_path))
    assert [secret for secret in ("opensesame", "s3cret", "hunter2") if secret in text] == []


def test_layout_makes_no_difference(tmp_path: Path) -> None:
    """Two files that mean the same give the same document, but for the digest."""
    plain = estate_document(estate(tmp_path))
    commented = estate_document(estate(tmp_path, "# moved\n\n" + FULL))
    assert plain.pop("digest") != commented.pop("digest")
    assert plain == commented


def test_rows_are_what_a_table_needs(tmp_path: Path) -> None:
    """A row has the name, the match, what serves, the new side's share and the backends."""
    first, second = route_rows(estate(tmp_path))
    assert (first["name"], first["serve"], first["share"], first["legacy"], first["new"]) == (
        "detail",
        "12.5% new",
        12.5,
        "office",
        "secure",
    )
    assert (second["name"], second["serve"], second["share"], second["legacy"], second["new"]) == (
        "call",
        "retired",
        None,
        "local",
        None,
    )


def test_calls_of_soap_are_told_without_secrets(tmp_path: Path) -> None:
    """Who logs on and how, never with what; what stands in quotes in an expression may come from the environment."""
    (tmp_path / "loans.wsdl").write_text(WSDL, encoding="utf-8")
    path = tmp_path / "routes.yaml"
    path.write_text(SOAP, encoding="utf-8")
    told = estate_document(load(path, {}).estate)
    assert "hunter2" not in json.dumps(told)
    assert told["backends"]["old"] == {"url": "http://127.0.0.1:9001"}
    assert told["routes"]["a"]["legacy"]["call"] == {
        "operation": "ListLoans",
        "version": "1.2",
        "request": {"Card": "join('***', [path.card])", "Deep": {"Flag": "***", "List": ["'***'", "query.x"]}},
        "response": "{titles: Title}",
        "faults": {"Client": 404},
        "auth": ["Basic", "UsernameToken"],
    }
    assert told["routes"]["b"]["new"]["call"] == {"answers": "ListLoans", "response": "{Title: titles, Why: '***'}"}


SOAP = """\
version: 1
backends:
  old:
    type: soap
    wsdl: loans.wsdl
    url: http://127.0.0.1:9001
    auth: {basic: {username: gw, password: hunter2}, wsse: {username: gw, password: hunter2}}
  new: {url: "http://127.0.0.1:9002"}
routes:
  - name: a
    match: GET /a/{card}
    legacy:
      backend: old
      operation: ListLoans
      request: {Card: "join('hunter2', [path.card])", Deep: {Flag: true, List: ['`{"a": "hunter2"}`', query.x]}}
      response: "{titles: Title}"
      faults: {Client: 404}
  - name: b
    match: "SOAP /b#ListLoans"
    legacy: old
    new: {backend: new, method: GET, path: "/l/{body.Card}", response: "{Title: titles, Why: 'hunter2'}"}
"""
