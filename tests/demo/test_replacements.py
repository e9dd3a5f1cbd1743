"""Legacy and new keep one contract, but for the planted fault: what differs beside it means nothing."""

import json
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from gateway.demo import contract, legacy, replacements
from gateway.demo.rents_soap import NAMESPACE
from gateway.demo.soap import SOAP_11, SOAP_12, write
from tests.demo.support import visiting

COOKIE = {"Cookie": "tenancy=T100042"}


class Question(NamedTuple):
    """A request that both sides take, and who takes it on the new side, where."""

    method: str
    path: str
    service: str
    new_path: str = ""
    body: bytes = b""


def _soap(operation: str, version: object = SOAP_11) -> bytes:
    return write(SOAP_12 if version is SOAP_12 else SOAP_11, NAMESPACE, operation, (("AccountNo", "RA100042"),))


QUESTIONS = [
    Question("GET", "/housing/repairs", "housing-new"),
    Question("GET", "/housing/repairs/R100042-1", "housing-new"),
    Question("GET", "/housing/repairs/nothing", "housing-new"),
    Question("POST", "/housing/repairs", "housing-new", body=b'{"fault": "tap", "room": "hall"}'),
    Question("POST", "/housing/repairs", "housing-new", body=b"no json"),
    Question("POST", "/housing/tenancies/search", "housing-new", body=b'{"street": "Mill"}'),
    Question("POST", "/housing/tenancies/search", "housing-new", body=b"\xff"),
    Question("GET", "/rents/RA100042/balance", "rents-new", "/v2/accounts/RA100042/balance"),
    Question("GET", "/rents/RA100042/charges", "rents-new", "/v2/accounts/RA100042/charges"),
    Question("GET", "/rents/nobody/balance", "rents-new", "/v2/accounts/nobody/balance"),
    Question("POST", "/services/Rents.asmx", "rents-new", "/soap/rents", _soap("GetBalance")),
    Question("POST", "/services/Rents.asmx", "rents-new", "/soap/rents", _soap("GetBalance", SOAP_12)),
    Question("POST", "/services/Rents.asmx", "rents-new", "/soap/rents", _soap("ListCharges")),
    Question("POST", "/services/Rents.asmx", "rents-new", "/soap/rents", _soap("Evict")),
]


async def ask(app: web.Application, method: str, path: str, body: bytes) -> tuple[int, str, bytes, str]:
    """Status, content type and body of an answer, and the side that says it gave it."""
    async with visiting(app) as client, client.request(method, path, data=body, headers=COOKIE) as response:
        return response.status, response.content_type, await response.read(), response.headers["X-Demo-Side"]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: f"{question.method} {question.path}")
async def test_both_sides_give_the_same_answer(question: Question) -> None:
    """Status, type and content are the same on both sides, but for what may differ and the name of the side."""
    old = await ask(legacy.back_office(), question.method, question.path, question.body)
    service = replacements.SERVICES[question.service]()
    new = await ask(service, question.method, question.new_path or question.path, question.body)
    assert (old[0], old[1], plain(old[2]), "legacy") == (new[0], new[1], plain(new[2]), old[3])
    assert new[3] == "new"


def plain(body: bytes) -> Any:
    """A body without what may differ: when it was made, and the order of the trades."""
    try:
        document = json.loads(body)
    except ValueError:
        return body
    document.pop("generatedAt", None)
    return document | {"trades": sorted(document.get("trades", ()))}


async def test_repairs_say_when_they_were_made_and_the_trades_have_no_order() -> None:
    """The two differences that mean nothing, of which `compare:` and the gateway itself must know."""
    trades = set()
    for app in (legacy.back_office(), replacements.housing()):
        for path in ("/housing/repairs", "/housing/repairs/R100044-1"):
            _, _, body, _ = await ask(app, "GET", path, b"")
            document = json.loads(body)
            assert document["generatedAt"] != json.loads((await ask(app, "GET", path, b""))[2])["generatedAt"]
        trades.add(tuple(document["trades"]))
    assert len(trades) == 2
    assert len(set(map(frozenset, trades))) == 1


@pytest.mark.parametrize(("right", "told"), [("4.35", "4.34"), ("-1.16", "-1.15"), ("4.25", "4.25"), ("0.00", "0.00")])
def test_some_balances_are_a_penny_off(right: str, told: str) -> None:
    """The planted fault cuts off where it should round, on either side of nought."""
    assert told == replacements.cut_off(right)


def test_the_fault_is_on_some_accounts_only() -> None:
    """Of the 300 tenants of the demo 17, so that one look at a page would not show it."""
    amounts = [(contract.balance(f"RA{100_000 + number}") or {})["balance"] for number in range(300)]
    assert len(amounts) - 17 == sum(amount == replacements.cut_off(amount) for amount in amounts)


async def test_the_replacement_tells_the_wrong_balance() -> None:
    """The fault is in what clients get."""
    right = (contract.balance("RA100019") or {})["balance"]
    _, _, body, _ = await ask(replacements.rents(), "GET", "/v2/accounts/RA100019/balance", b"")
    assert json.loads(body)["balance"] == replacements.cut_off(right) != right
