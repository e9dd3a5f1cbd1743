"""Legacy and new keep one contract: only who answers, and the path behind the gateway, differ."""

from typing import NamedTuple

import pytest
from aiohttp import web

from gateway.demo import legacy, replacements
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
    """Status, type and content are the same on both sides; only the name of the side differs."""
    old = await ask(legacy.back_office(), question.method, question.path, question.body)
    service = replacements.SERVICES[question.service]()
    new = await ask(service, question.method, question.new_path or question.path, question.body)
    assert (*old[:3], "legacy") == old
    assert (*old[:3], "new") == new
