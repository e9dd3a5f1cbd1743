"""SOAP routes whose target calls an operation by another name, and the contract that their clients go by."""

from pathlib import Path
from typing import Any

import pytest

from connectors.soap.target import BridgeTarget, FacadeTarget, SoapTarget
from gateway.core.model import Estate, Target
from tests.config.files import estate, problems
from tests.support.rents import ACCOUNTS, RENTS

SOAP = 'name: a, match: "SOAP /a#GetBalance"'
CALL = (
    "backend: accounts, operation: FetchAccountBalance, request: {account: body.AccountNo}, "
    "response: '{Amount: balance}'"
)
BRIDGE = f"{SOAP}, legacy: rents, new: {{{CALL}, faults: {{NoSuchAccount: AccountNotFound}}}}"
FACADE = "backend: books, method: POST, path: /b"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rents.wsdl").write_text(RENTS, encoding="utf-8")
    (tmp_path / "accounts.wsdl").write_text(ACCOUNTS, encoding="utf-8")
    return tmp_path


def frame(route: str) -> str:
    return (
        "version: 1\nbackends:\n"
        '  rents: {type: soap, wsdl: rents.wsdl, url: "http://127.0.0.1:9001/Rents"}\n'
        '  accounts: {type: soap, wsdl: accounts.wsdl, url: "http://127.0.0.1:9002/Accounts"}\n'
        '  books: {url: "http://127.0.0.1:9003"}\n'
        f"routes:\n  - {{{route}}}\n"
    )


def loaded(folder: Path, route: str) -> Estate:
    return estate(folder, frame(route))


def side(found: Estate, name: str = "new") -> Target:
    target: Target = getattr(found.routes[0], name)
    return target


def told(folder: Path, route: str) -> list[str]:
    """What is wrong, without the places."""
    return [each.split(": ", 1)[1] for each in problems(folder, frame(route))]


# ------------------------------------------------------------------------------------------------ bridges


def test_a_target_may_call_an_operation_by_another_name(folder: Path) -> None:
    """Behind the contract's operation stands a call of the target's; its faults go by the contract's names."""
    found = loaded(folder, BRIDGE)
    target: BridgeTarget = side(found).call
    assert (target.operation.name, target.call.operation.name) == ("GetBalance", "FetchAccountBalance")
    assert (target.call.request, target.call.response) == ({"account": "body.AccountNo"}, "{Amount: balance}")
    assert (target.faults, target.call.faults) == (
        (("NoSuchAccount", "AccountNotFound"),),
        (("NoSuchAccount", 422),),
    )
    assert side(found, "legacy").call is None
    accounts = next(each for each in found.backends if each.name == "accounts")
    assert target.schema is not accounts.types
    assert len(accounts.types.types) > 0


def test_the_message_is_known_by_the_contract(folder: Path) -> None:
    """Its element and action, not those of the operation that is called."""
    soap = loaded(folder, BRIDGE).routes[0].match.soap
    assert soap is not None
    assert (soap.element, soap.namespace, soap.action) == (
        "GetBalance",
        "urn:example:rents",
        "urn:example:rents/GetBalance",
    )


def test_both_sides_may_call(folder: Path) -> None:
    """Each its own operation, behind one contract."""
    call = f"{SOAP}, contract: rents, legacy: {{backend: rents, operation: GetBalance}}, new: {{{CALL}}}"
    found = loaded(folder, call)
    names = [side(found, name).call.call.operation.name for name in ("legacy", "new")]
    assert names == ["GetBalance", "FetchAccountBalance"]


# ------------------------------------------------------------------------------------------------ the contract


def test_the_contract_outlives_the_legacy_side(folder: Path) -> None:
    """A backend may be there for its WSDL alone."""
    for target, kind in ((CALL, BridgeTarget), (FACADE, FacadeTarget)):
        call: Any = side(loaded(folder, f"{SOAP}, contract: rents, new: {{{target}}}")).call
        assert isinstance(call, kind)
        assert (call.operation.name, call.operation.service) == ("GetBalance", "Rents")


def test_the_contract_stands_in_the_route(folder: Path) -> None:
    """So that its WSDL can be served where its system is no side any more."""
    found = loaded(folder, f"{SOAP}, contract: rents, new: {{{CALL}}}")
    assert found.routes[0].contract == "rents"
    assert next(each for each in found.backends if each.name == "rents").published is not None


def test_a_contract_may_stand_above_messages_that_pass(folder: Path) -> None:
    """They go to each system's one address, whichever of them the contract is."""
    found = loaded(folder, f"{SOAP}, contract: rents, legacy: accounts, new: books")
    assert (side(found, "legacy").path, side(found).path, found.routes[0].match.soap is not None) == ((), None, True)
    found = loaded(folder, f"{SOAP}, legacy: rents, new: accounts")
    assert (side(found, "legacy").path, side(found).path) == ((), ())


def test_rest_calls_as_before(folder: Path) -> None:
    """A route of another kind has statuses for faults, and no contract but its own."""
    route = f"name: a, match: GET /a, new: {{{CALL}, faults: {{NoSuchAccount: 404}}}}"
    call: SoapTarget = side(loaded(folder, route)).call
    assert (call.operation.name, call.faults) == ("FetchAccountBalance", (("NoSuchAccount", 404),))


# ------------------------------------------------------------------------------------------------ headers


def test_headers_of_the_reply_are_those_it_declares(folder: Path) -> None:
    """Mapped whole or by member."""
    target = f"{FACADE}, reply_headers: {{Session.Key: key}}"
    call: FacadeTarget = side(loaded(folder, f"{SOAP}, legacy: rents, new: {{{target}}}")).call
    assert call.reply_headers == {"Session.Key": "key"}


# ------------------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("route", "message"),
    [
        (
            f"{SOAP}, legacy: rents, new: {{backend: books, operation: Fetch}}",
            "route a: new.operation: books is no backend of `type: soap`, so it has no operations",
        ),
        (
            f"{SOAP}, legacy: rents, new: {{backend: accounts, operation: Fetch}}",
            "route a: new.operation: the WSDL has no operation 'Fetch'; it has Arrived, FetchAccountBalance",
        ),
        (
            f"{SOAP}, new: {{{CALL}}}",
            (
                "route a: match: the WSDL has no operation GetBalance; it has Arrived, FetchAccountBalance; "
                "`contract: BACKEND` says whose WSDL clients go by"
            ),
        ),
        (
            f"{SOAP}, contract: accounts, new: {{{CALL}}}",
            "route a: match: the WSDL has no operation GetBalance; it has Arrived, FetchAccountBalance",
        ),
        (
            f"{SOAP}, contract: none, new: {{{CALL}}}",
            "route a: contract: there is no backend 'none'; add it under `backends:`",
        ),
        (
            f"{SOAP}, contract: books, new: {{{FACADE}}}",
            "route a: contract: 'books' is no backend of `type: soap`, so it has no WSDL",
        ),
        (
            "name: a, match: GET /a, legacy: books, contract: rents",
            "route a: `contract` belongs to a SOAP route: it says by which WSDL its clients go",
        ),
        (
            f"{SOAP}, legacy: rents, new: {{{CALL}, faults: {{NoSuchAccount: NotFound}}}}",
            "route a: new.faults.NoSuchAccount: GetBalance declares no fault 'NotFound'; it declares AccountNotFound",
        ),
        (
            f"{SOAP}, legacy: rents, new: {{{CALL}, faults: {{NoSuchAccount: 404}}}}",
            (
                "route a: new.faults.NoSuchAccount: '404' must be the name of a fault that the contract declares; "
                "statuses are for REST"
            ),
        ),
        (
            f"name: a, match: GET /a, new: {{{CALL}, faults: {{NoSuchAccount: AccountNotFound}}}}",
            (
                "route a: new.faults.NoSuchAccount: 'AccountNotFound' must be a status, 400 to 599; "
                "names are for a SOAP route whose target calls an `operation`"
            ),
        ),
        (
            f"{SOAP}, legacy: rents, new: {{{FACADE}, faults: {{AccountNotFound: Gone}}}}",
            (
                "route a: new.faults.AccountNotFound: 'Gone' must be a status, 400 to 599; "
                "names are for a SOAP route whose target calls an `operation`"
            ),
        ),
        (
            f"{SOAP}, legacy: rents, new: {{{FACADE}, faults: {{AccountNotFound: 200}}}}",
            "route a: new.faults.AccountNotFound: '200' is too small; 400 is the least",
        ),
        (
            f"{SOAP}, legacy: rents, new: {{{CALL}, path: /x}}",
            "route a: new: a call of an `operation` has no `path` of its own",
        ),
        (
            f"{SOAP}, legacy: rents, new: {{{CALL}, reply_headers: {{Session: key}}}}",
            (
                "route a: new: `reply_headers` belongs to a SOAP route whose target has a `method`: "
                "it is answered by JSON then"
            ),
        ),
        (
            f"{SOAP}, legacy: rents, new: {{{FACADE}, reply_headers: {{Other: key}}}}",
            "route a: new.reply_headers: the reply of GetBalance declares no header `Other`; it declares Session",
        ),
        (
            'name: a, match: "SOAP /a#NoteArrival", legacy: rents, new: {' + FACADE + ", reply_headers: {Other: key}}",
            "route a: new.reply_headers: the reply of NoteArrival declares no header `Other`; it declares none",
        ),
        (
            'name: a, match: "SOAP /a#NoteArrival", legacy: rents, new: {' + CALL + ", faults: {NoSuchAccount: Gone}}",
            "route a: new.faults.NoSuchAccount: NoteArrival declares no fault 'Gone'; it declares none",
        ),
    ],
)
def test_what_does_not_fit_is_told(folder: Path, route: str, message: str) -> None:
    """With what to write instead."""
    assert told(folder, route) == [message]


@pytest.mark.parametrize("key", ["request", "response", "error_when"])
def test_expressions_of_a_bridge_are_checked(folder: Path, key: str) -> None:
    """As those of any call."""
    call = f"{{backend: accounts, operation: FetchAccountBalance, {key}: 'a..b'}}"
    (message,) = told(folder, f"{SOAP}, legacy: rents, new: {call}")
    assert message.startswith(f"route a: new.{key}: `a..b` is not a JMESPath expression: ")


def test_expressions_of_headers_are_checked(folder: Path) -> None:
    """With their place."""
    (message,) = told(folder, f"{SOAP}, legacy: rents, new: {{{FACADE}, reply_headers: {{Session: 'a..b'}}}}")
    assert message.startswith("route a: new.reply_headers: `a..b` is not a JMESPath expression: ")


@pytest.mark.parametrize("file", ["rents.wsdl", "accounts.wsdl"])
def test_a_broken_wsdl_is_told_once(folder: Path, file: str) -> None:
    """Whatever stands on it says nothing more."""
    (folder / file).write_text("<no", encoding="utf-8")
    (message,) = told(folder, BRIDGE)
    assert message.startswith(f"backend {file.removesuffix('.wsdl')}: wsdl: ")
