import pickle
from typing import Any

import pytest

from connectors.soap.plan import Addressing
from connectors.soap.security import Basic, LogOn, Session
from connectors.soap.target import DECODE, FacadeTarget, SoapTarget, without_literals
from tests.connectors.soap.accounts import bridge
from tests.connectors.soap.samples import GET_BALANCE, SCHEMA


def test_a_target_is_plain_data() -> None:
    """It crosses to the data process as it is; by itself it asks for nothing special."""
    target = SoapTarget(GET_BALANCE, request={"AccountNo": "path.account"}, auth=(Basic("a", "b"),))
    assert pickle.loads(pickle.dumps(target)) == target
    assert (SoapTarget(GET_BALANCE).strict, SoapTarget(GET_BALANCE).decode, DECODE) == (False, DECODE, 8_388_608)


def test_a_target_tells_what_it_does() -> None:
    """In words for people: `banyan explain` shows them in place of a request's head."""
    assert SoapTarget(GET_BALANCE).told == "GetBalance of Rents, called in SOAP 1.1"
    asking = GET_BALANCE._replace(addressing=Addressing(namespace="urn:wsa"))
    assert SoapTarget(asking).told == "GetBalance of Rents, called in SOAP 1.1 with WS-Addressing"
    assert SoapTarget(asking).document()["addressing"] == "urn:wsa"
    assert FacadeTarget(GET_BALANCE, SCHEMA).told == "GetBalance of Rents, answered from JSON"
    assert bridge().told == "GetBalance of Rents, answered by Fetch of Accounts, called in SOAP 1.2"


def test_a_call_is_told_without_its_secrets() -> None:
    """Who logs on, but not with what; and only what is written."""
    written = SoapTarget(
        GET_BALANCE, headers={"Session.Key": "'k'"}, faults=(("NotFound", 404),), auth=(Basic("a", "b"),)
    )
    assert written.document() == {
        "operation": "GetBalance",
        "version": "1.1",
        "headers": {"Session.Key": "'***'"},
        "faults": {"NotFound": 404},
        "auth": ["Basic"],
    }
    facade = FacadeTarget(GET_BALANCE, SCHEMA, response="{Amount: balance}", reply_headers={"Session.Key": "'k'"})
    told = {"answers": "GetBalance", "response": "{Amount: balance}", "reply_headers": {"Session.Key": "'***'"}}
    assert facade.document() == told
    assert bridge((("NoSuchAccount", "NotFound"),), auth=(Basic("a", "b"),), request=None).document() == {
        "answers": "GetBalance",
        "operation": "Fetch",
        "version": "1.2",
        "response": "{Amount: balance}",
        "faults": {"NoSuchAccount": "NotFound"},
        "auth": ["Basic"],
    }


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("{a: body.a, k: 'it\\'s', n: `5`}", "{a: body.a, k: '***', n: '***'}"),
        ({"a": ["path.a", 5, {"b": True}]}, {"a": ["path.a", "***", {"b": "***"}]}),
        (None, None),
    ],
)
def test_literals_are_masked(given: Any, shown: Any) -> None:
    """Any of them may hold what only the environment knows; the expressions around stay as they are."""
    assert without_literals(given) == shown


def test_a_session_is_told_without_what_begins_it() -> None:
    """How one logs on, where the token goes, when it is renewed; nothing of the log-on's own values."""
    log_on = LogOn(GET_BALANCE, {"password": "hidden"}, "Token || 'hidden'", 60.0, (Basic("a", "hidden"),))
    session = Session(log_on, {"Session.Key": "token"}, {"k": "'hidden'"}, ("InvalidToken",), "Code == 'hidden'")
    target = SoapTarget(GET_BALANCE, error_when="Code", error_status=409, decode=9, session=session)
    assert target.document() == {
        "operation": "GetBalance",
        "version": "1.1",
        "error_when": "Code",
        "error_status": 409,
        "decode": 9,
        "session": {
            "operation": "GetBalance",
            "token": "Token || '***'",
            "header": {"Session.Key": "token"},
            "body": {"k": "'***'"},
            "renew_on": ["InvalidToken"],
            "renew_when": "Code == '***'",
            "lasts": 60.0,
        },
    }
    assert target.told == "GetBalance of Rents, called in SOAP 1.1, logged on by GetBalance"
    assert FacadeTarget(GET_BALANCE, SCHEMA, decode=9).document() == {"answers": "GetBalance", "decode": 9}
