"""SOAP to SOAP with other names, through the real gateway: an old client cannot tell who answers it."""

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lxml import etree

from tests.e2e.peers.library import DIALECTS, operations
from tests.e2e.peers.stacks import PHP, asked, served
from tests.e2e.rents import ONE, TWO, TYPES, envelope, escaped, open_accounts, open_rents
from tests.e2e.test_peers import essentials
from tests.support.gateway import Gateway
from tests.support.messages import Message, answer
from tests.support.origin import Origin
from tests.support.rents import ACCOUNTS, NEW, OLD, RENTS

PASSED, BRIDGED, FACED, MIXED = "/passed", "/bridged", "/faced", "/mixed"
BRIDGE = """{
      backend: accounts, operation: FetchAccountBalance, faults: {NoSuchAccount: AccountNotFound},
      request: {account: body.AccountNo, on: body.AsAt},
      response: "{AccountNo: account, Amount: balance, AsAt: on, Line: charge[].{Code: code, Value: amount}}"}"""
ROUTES = """version: 1
gateway: {{access_log: {{to: stdout}}}}
backends:
  rents: {{type: soap, wsdl: rents.wsdl, url: "{old}/Rents"}}
  accounts: {{type: soap, wsdl: accounts.wsdl, url: "{new}/Accounts"}}
  rest: {{url: "{rest}"}}
routes:
  - {{name: passed, match: "SOAP /passed#GetBalance", legacy: rents}}
  - name: bridged
    match: SOAP /bridged#GetBalance
    contract: rents
    new: {bridge}
  - {{name: mixed, match: "SOAP /mixed#GetBalance", safe: true, legacy: rents, new: {bridge}, serve: 50% new}}
  - name: faced
    match: SOAP /faced#GetBalance
    contract: rents
    new:
      backend: rest
      method: POST
      path: "/balances/{{body.AccountNo}}"
      request: {{account: body.AccountNo, key: soap_header.Session.Key}}
      response: body
      reply_headers: {{Session: {{Key: key}}}}
  - name: both
    match: SOAP /both#GetBalance
    contract: rents
    safe: true
    legacy: {bridge}
    new: {{backend: rest, method: GET, path: "/both/{{body.AccountNo}}"}}
    serve: 50% new
  - name: arrival
    match: SOAP /bridged#NoteArrival
    contract: rents
    new: {{backend: accounts, operation: Arrived, request: {{account: body.AccountNo}}}}
"""


class Estate(NamedTuple):
    gateway: Gateway
    old: Origin
    new: Origin
    rest: Origin
    folder: Path


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "rents.wsdl").write_text(RENTS)
    (folder / "accounts.wsdl").write_text(ACCOUNTS)
    with Origin() as old, Origin() as new, Origin() as rest:
        open_rents(old)
        open_accounts(new)
        routes = ROUTES.format(old=old.url, new=new.url, rest=rest.url, bridge=BRIDGE)
        with Gateway(folder, routes) as gateway:
            yield Estate(gateway, old, new, rest, folder)


def balance(account: str = "R1", version: str = ONE, more: str = "", headers: str = "") -> bytes:
    content = f'<GetBalance xmlns="{OLD}"><AccountNo>{escaped(account)}</AccountNo>{more}</GetBalance>'
    return envelope(content, version, headers)


def send(estate: Estate, path: str, body: bytes, *fields: str) -> Message:
    typed = TYPES[TWO] if TWO.encode() in body else TYPES[ONE]
    return estate.gateway.call("POST", path, f"Content-Type: {typed}", *fields, body=body)


def infoset(reply: Message) -> Any:
    """What a reply says: elements by their names, attributes and texts; of a fault its code, reason and detail."""
    root = etree.fromstring(reply.body)
    assert TYPES[etree.QName(root).namespace or ""] == reply.get("Content-Type")
    return reply.status, _shown(root)


def _shown(element: etree._Element) -> Any:
    inside = [_shown(each) for each in element]
    text = (element.text or "").partition(" (request ")[0].strip()
    return element.tag, dict(element.attrib), _local(text) if element.tag in _CODES else text, inside


_CODES = ("faultcode", f"{{{TWO}}}Value")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


@pytest.mark.parametrize("version", [ONE, TWO])
@pytest.mark.parametrize(
    ("account", "more"),
    [("R1", ""), ("R1", "<AsAt>2026-11-22</AsAt>"), ("R2", ""), ("é&<", ""), ("HUGE", "")],
)
def test_a_client_cannot_tell_who_answers(estate: Estate, version: str, account: str, more: str) -> None:
    """Values, lists of none, two and thousands, nil: the same infoset in the client's own envelope version."""
    asked = balance(account, version, more)
    assert infoset(send(estate, PASSED, asked)) == infoset(send(estate, BRIDGED, asked))


@pytest.mark.parametrize("version", [ONE, TWO])
def test_a_declared_fault_goes_by_its_name_in_the_contract(estate: Estate, version: str) -> None:
    """With the members of its detail that the contract knows, and the words of whoever answered."""
    asked = balance("R9", version)
    passed, bridged = send(estate, PASSED, asked), send(estate, BRIDGED, asked)
    assert b"AccountNotFound" in bridged.body
    assert b"T-1" not in bridged.body
    assert parts_of_fault(passed) == parts_of_fault(bridged)


def parts_of_fault(reply: Message) -> tuple[str, str, list[Any]]:
    root = etree.fromstring(reply.body)
    code = root.xpath("string(//faultcode | //*[local-name() = 'Value'])")
    reason = root.xpath("string(//faultstring | //*[local-name() = 'Text'])")
    details = root.xpath("//detail/* | //*[local-name() = 'Detail']/*")
    return _local(code), reason, [_shown(each) for each in details]


def test_an_undeclared_fault_blames_the_same_side(estate: Estate) -> None:
    """The client's with its words; a failing backend's without, for they may be a stack trace."""
    assert parts_of_fault(send(estate, BRIDGED, balance("VAGUE"))) == ("Client", "There is no such account.", [])
    code, reason, details = parts_of_fault(send(estate, BRIDGED, balance("BROKEN")))
    assert (code, reason.partition(" (request ")[0]) == ("Server", "The service behind this address cannot answer now.")
    assert details == []


def test_a_message_that_the_contract_does_not_know_is_refused(estate: Estate) -> None:
    """Nothing is sent; the fault says where."""
    before = len(estate.new.requests)
    code, reason, _ = parts_of_fault(send(estate, BRIDGED, balance("R1", more="<Colour>red</Colour>")))
    assert (code, "Colour" in reason) == ("Client", True)
    assert len(estate.new.requests) == before


def test_what_is_called_is_the_other_operation(estate: Estate) -> None:
    """In its own version and namespace, by its own action."""
    send(estate, BRIDGED, balance("R1", more="<AsAt>2026-11-22</AsAt>"))
    sent = estate.new.seen("/Accounts")[-1]
    assert sent.get("Content-Type") == f'{TYPES[TWO]}; action="{NEW}/FetchAccountBalance"'
    (asked,) = etree.fromstring(sent.body)[-1]
    assert _shown(asked) == (
        f"{{{NEW}}}FetchAccountBalance",
        {},
        "",
        [(f"{{{NEW}}}account", {}, "R1", []), (f"{{{NEW}}}on", {}, "2026-11-22", [])],
    )


def test_a_split_goes_across_both(estate: Estate) -> None:
    """Half passes and half is bridged, and every client reads the same."""
    before = len(estate.old.seen("/Rents")), len(estate.new.seen("/Accounts"))
    told = [infoset(send(estate, MIXED, balance())) for _ in range(40)]
    after = len(estate.old.seen("/Rents")), len(estate.new.seen("/Accounts"))
    assert [told[0]] * 40 == told
    assert sum(after) - sum(before) == 40
    assert after[0] > before[0]
    assert after[1] > before[1]


def test_a_split_goes_across_json_and_another_soap(estate: Estate) -> None:
    """Neither side passes the message on; the contract is that of a third, and its client reads the same."""
    said = {"AccountNo": "R2", "Amount": "0.00", "AsAt": None}
    estate.rest.on("/both/R2", answer(json.dumps(said).encode(), "Content-Type: application/json"))
    expected = infoset(send(estate, PASSED, balance("R2")))
    before = len(estate.new.seen("/Accounts"))
    assert [expected] * 40 == [infoset(send(estate, "/both", balance("R2"))) for _ in range(40)]
    bridged, faced = len(estate.new.seen("/Accounts")) - before, len(estate.rest.seen("/both/R2"))
    assert bridged + faced == 40
    assert min(bridged, faced) > 0


def test_a_large_request_is_bridged(estate: Estate) -> None:
    """Beyond what the data loop codes itself, both ways."""
    reply = send(estate, BRIDGED, balance("HUGE" + "x" * 200_000))
    assert reply.status == 200
    assert reply.body.count(b"Line>") == 8_000


def test_packed_requests_are_unpacked(estate: Estate) -> None:
    """As old .NET and PHP clients send them; one that unpacks to too much is refused with little memory spent."""
    expected = infoset(send(estate, PASSED, balance()))
    assert expected == infoset(send(estate, BRIDGED, gzip.compress(balance()), "Content-Encoding: gzip"))
    bomb = gzip.compress(balance("R" * 60_000_000))
    before = estate.gateway.memory()
    assert send(estate, BRIDGED, bomb, "Content-Encoding: gzip").status >= 400
    assert estate.gateway.memory() - before < 30_000_000


def test_a_one_way_operation_is_taken(estate: Estate) -> None:
    """202 and no envelope."""
    reply = send(estate, BRIDGED, envelope(f'<NoteArrival xmlns="{OLD}"><AccountNo>R1</AccountNo></NoteArrival>'))
    assert (reply.status, reply.body) == (202, b"")
    assert b"Arrived" in estate.new.seen("/Accounts")[-1].body


def test_headers_come_from_json(estate: Estate) -> None:
    """The client's declared headers are in reach of mappings, and `reply_headers` gives those of the reply."""
    estate.rest.on("/balances/R1", answer(b'{"body": {"AccountNo": "R1", "Amount": "1", "AsAt": null}, "key": "k2"}'))
    asked = balance(headers=f'<Session xmlns="{OLD}"><Key>k1</Key></Session>')
    reply = etree.fromstring(send(estate, FACED, asked).body)
    assert json.loads(estate.rest.seen("/balances/R1")[-1].body) == {"account": "R1", "key": "k1"}
    assert reply.findtext(f"{{{ONE}}}Header/{{{OLD}}}Session/{{{OLD}}}Key") == "k2"


CLIENT = """
ini_set('soap.wsdl_cache_enabled', '0');
$told = [];
foreach (['R1', 'R2', 'R9'] as $account) {
    try {
        $options = ['location' => $argv[2], 'connection_timeout' => 5, 'compression' => (int) $argv[3]];
        $client = new SoapClient($argv[1], $options);
        $told[] = $client->GetBalance(['AccountNo' => $account]);
    } catch (SoapFault $fault) {
        $told[] = [$fault->faultcode, $fault->getMessage(), $fault->detail];
    }
}
echo json_encode($told, JSON_THROW_ON_ERROR);
"""


@pytest.mark.parametrize("compression", [0, 5])
def test_php_does_not_notice(estate: Estate, compression: int) -> None:
    """An old client on PHP's SoapClient gets the same objects and faults; also when it packs what it sends."""
    if shutil.which("php") is None:
        pytest.skip("PHP is not installed (Debian: php-cli and php-soap)")
    passed, bridged = php(estate, PASSED, 0), php(estate, BRIDGED, compression)
    assert passed == bridged
    assert [line["Code"] for line in bridged[0]["Line"]] == ["A", "B"]
    code, reason, detail = bridged[2]
    assert (code.rpartition(":")[2], reason) == ("Client", "There is no such account.")
    assert detail == {"AccountNotFound": {"AccountNo": "R9"}}


def php(estate: Estate, path: str, compression: int) -> Any:
    address = f"http://127.0.0.1:{estate.gateway.port}{path}"
    command = ["php", "-r", CLIENT, "--", str(estate.folder / "rents.wsdl"), address, str(compression)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)


# ------------------------------------------------------------------------------------------------ across styles

OTHERS = {
    "loans": "loans-rpc",
    "loans12": "loans-rpc",
    "loans-rpc": "loans12",
    "loans-encoded": "loans-encoded",
}
"""Which dialect of the library (`peers/`) answers the clients of which: other versions, and other styles."""


def test_php_does_not_notice_another_style(tmp_path: Path) -> None:
    """PHP's clients of one style, its servers of another: attributes, choices, nil, bytes, faults.

    Both know the same values, so no mapping is needed, and a declared fault goes by its own name.
    """
    if (reason := PHP.missing()) is not None:
        pytest.skip(reason)
    with served(PHP, tmp_path / "php.log") as base:
        backends = {
            each.path: {"type": "soap", "url": f"{base}/{each.path}", "wsdl": each.file, "port": each.port}
            for each in DIALECTS
        }
        routes = [
            {
                "name": f"{each.path}-{operation}",
                "match": f"SOAP /bridged/{each.path}#{operation}",
                "contract": each.path,
                "new": {"backend": OTHERS[each.path], "operation": operation},
            }
            for each in DIALECTS
            for operation in operations(each)
        ]
        (tmp_path / "gateway").mkdir()
        text = json.dumps({"version": 1, "backends": backends, "routes": routes})  # JSON is YAML, too
        with Gateway(tmp_path / "gateway", text) as gateway:
            direct = asked(PHP, base)
            bridged = asked(PHP, f"http://127.0.0.1:{gateway.port}/bridged")
    assert essentials(direct) == essentials(bridged)
