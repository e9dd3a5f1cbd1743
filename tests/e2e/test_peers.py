"""Other people's SOAP stacks on both sides: as legacy servers behind REST routes, and as old clients in front.

PHP's and node's own servers and clients speak about an invented library (`peers/`). Whatever is done to their messages
on the way, nobody may notice: JSON is what the schema says, and an old client gets what it gets without the gateway.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import pytest

from tests.e2e.peers.library import DIALECTS, NOT_FOUND, Case, Dialect, operations
from tests.e2e.peers.rest import open_library
from tests.e2e.peers.stacks import STACKS, Told, asked, cases, served
from tests.support.gateway import Gateway
from tests.support.messages import Message
from tests.support.origin import Origin, eventually

BY_PATH = {each.path: each for each in DIALECTS}


class Estate(NamedTuple):
    """A gateway in front of the servers of both stacks, and of a JSON service.

    `direct` is what each client gets from each server without the gateway, by their names.
    """

    gateway: Gateway
    direct: dict[tuple[str, str], Told]

    @property
    def through(self) -> str:
        return f"http://127.0.0.1:{self.gateway.port}"


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    missing = [reason for stack in STACKS.values() if (reason := stack.missing()) is not None]
    if missing:
        pytest.skip("; ".join(missing))
    folder = tmp_path_factory.mktemp("peers")
    with ExitStack() as running:
        rest = running.enter_context(Origin())
        open_library(rest)
        servers = {name: running.enter_context(served(stack, folder / f"{name}.log")) for name, stack in STACKS.items()}
        gateway = running.enter_context(Gateway(tmp_path_factory.mktemp("gateway"), routes_of(servers, rest.url)))
        direct = {(name, at): asked(STACKS[name], base) for name in STACKS for at, base in servers.items()}
        yield Estate(gateway, direct)


def routes_of(servers: dict[str, str], rest: str) -> str:
    """A routes.yaml with every operation of every server: for REST clients, for old ones, and moved to JSON."""
    backends: dict[str, Any] = {"rest": {"url": rest}}
    routes: list[dict[str, Any]] = []
    for stack, base in servers.items():
        backends[stack] = {"url": base}
        for each in DIALECTS:
            name = f"{stack}-{each.path}"
            backends[name] = {"type": "soap", "url": f"{base}/{each.path}", "wsdl": each.file, "port": each.port}
            for operation in operations(each):
                routes += [rest_route(name, each, operation), old_route(stack, each, operation)]
    routes += [moved_route("php", each, operation) for each in DIALECTS for operation in operations(each)]
    return json.dumps({"version": 1, "backends": backends, "routes": routes})  # JSON is YAML, too


def rest_route(backend: str, dialect: Dialect, operation: str) -> dict[str, Any]:
    """JSON outside, the legacy server inside; without a mapping."""
    legacy: dict[str, Any] = {"backend": backend, "operation": operation}
    if operation == "GetLoan" and dialect.version == "1.2":
        legacy["faults"] = {"LoanNotFound": 404}
    return {"name": f"rest-{backend}-{operation}", "match": f"POST /rest/{backend}/{operation}", "legacy": legacy}


def old_route(stack: str, dialect: Dialect, operation: str) -> dict[str, Any]:
    """The same operation for old clients, whose envelopes pass through."""
    return {
        "name": f"old-{stack}-{dialect.path}-{operation}",
        "match": f"SOAP /{stack}/{dialect.path}#{operation}",
        "legacy": {"backend": stack, "path": f"/{dialect.path}"},
    }


def moved_route(stack: str, dialect: Dialect, operation: str) -> dict[str, Any]:
    """The operation after its move: old clients are answered by the JSON service."""
    new: dict[str, Any] = {"backend": "rest", "method": "POST", "path": f"/{operation}"}
    if operation == "GetLoan":
        new["faults"] = {"LoanNotFound": 404}
    name, match = f"moved-{dialect.path}-{operation}", f"SOAP /moved/{dialect.path}#{operation}"
    return {"name": name, "match": match, "legacy": f"{stack}-{dialect.path}", "new": new, "serve": "new"}


# ------------------------------------------------------------------------------------------------ as legacy servers


@pytest.mark.parametrize("path", BY_PATH)
@pytest.mark.parametrize("stack", STACKS)
def test_a_legacy_server_answers_in_json(estate: Estate, stack: str, path: str) -> None:
    """Every operation of a foreign server is a REST endpoint: lists stay lists, decimals exact, nil null."""
    calls = {each.name: each for each in BY_PATH[path].cases if each.answer is not None}
    replies = {name: posted(estate, stack, path, each) for name, each in calls.items()}
    expected = {name: (200, each.answer) for name, each in calls.items()}
    actual = {name: (reply.status, json.loads(reply.body)) for name, reply in replies.items()}
    if stack == "node":  # it reads decimals as numbers, so those it sends back are spelled differently
        expected, actual = by_value(expected), by_value(actual)
    assert expected == actual
    if stack == "php" or BY_PATH[path].document:  # node writes the parts of rpc in a namespace that they do not have
        assert [name for name, reply in replies.items() if reply.get("X-Banyan-Schema") is not None] == []


@pytest.mark.parametrize(("path", "status"), [("loans", 422), ("loans12", 404), ("loans-rpc", 422)])
@pytest.mark.parametrize("stack", STACKS)
def test_a_declared_fault_is_a_problem(estate: Estate, stack: str, path: str, status: int) -> None:
    """Its status is the route's, or 422; its detail comes by name, as JSON; the reason is told."""
    reply = posted(estate, stack, path, next(each for each in BY_PATH[path].cases if each.answer is None))
    problem = json.loads(reply.body)
    assert (status, "application/problem+json") == (reply.status, reply.get("Content-Type"))
    assert (status, "There is no such loan.") == (problem["status"], problem["detail"])
    assert problem["soap"]["detail"] == {"LoanNotFound": NOT_FOUND}
    assert problem["soap"]["code"] in ("Client", "Sender")


def posted(estate: Estate, stack: str, path: str, case: Case) -> Message:
    """What a REST client gets."""
    target, body = f"/rest/{stack}-{path}/{case.operation}", json.dumps(case.arguments).encode()
    return estate.gateway.call("POST", target, "Content-Type: application/json", body=body)


def by_value(told: Any) -> Any:
    """The same, with decimals for texts that are some."""
    if isinstance(told, dict):
        return {key: by_value(each) for key, each in told.items()}
    if isinstance(told, list | tuple):
        return [by_value(each) for each in told]
    try:
        return Decimal(told) if isinstance(told, str) else told
    except InvalidOperation:
        return told


# ------------------------------------------------------------------------------------------------ as old clients


@pytest.mark.parametrize("server", STACKS)
@pytest.mark.parametrize("client", STACKS)
def test_an_old_client_does_not_notice(estate: Estate, client: str, server: str) -> None:
    """Every operation through the gateway gives an old client what it gets directly: values, faults and headers."""
    direct = estate.direct[client, server]
    assert faults_declared() == faults_seen(direct)
    before = taken(estate, server)
    assert direct == asked(STACKS[client], f"{estate.through}/{server}")
    expected = before + to_be_taken(client, server)
    eventually(lambda: taken(estate, server) == expected, 5)
    assert expected == taken(estate, server)


def faults_declared() -> dict[str, list[str]]:
    """The cases that answer with a fault, by dialect."""
    return {each.path: [case.name for case in each.cases if case.answer is None] for each in DIALECTS}


def faults_seen(told: Told) -> dict[str, list[str]]:
    return {path: [name for name, result in results.items() if "fault" in result] for path, results in told.items()}


def to_be_taken(client: str, server: str) -> Counter[str]:
    """How often each route is taken when a client makes all its calls."""
    made = [(dialect.path, case.operation) for dialect in DIALECTS for case in cases(STACKS[client], dialect)]
    return Counter(f"old-{server}-{path}-{operation}" for path, operation in made)


def taken(estate: Estate, server: str) -> Counter[str]:
    """How often each route to a server was taken by old clients."""
    names = [str(each["route"]) for each in estate.gateway.access_log]
    return Counter(name for name in names if name.startswith(f"old-{server}-"))


@pytest.mark.parametrize("client", STACKS)
def test_an_old_client_does_not_notice_the_move(estate: Estate, client: str) -> None:
    """Answered by the JSON service, it gets what a legacy server gives it: the same values, the same typed faults.

    That server is one of the two: clients make more or less of the same values by how a server spells its envelopes.
    """
    actual = essentials(asked(STACKS[client], f"{estate.through}/moved"))
    first, second = (essentials(estate.direct[client, server]) for server in STACKS)
    expected = {each: second[each] if second[each] == told else first[each] for each, told in actual.items()}
    assert expected == actual


def essentials(told: Told) -> dict[tuple[str, str], Any]:
    """What matters to a client's owner, by dialect and case: values, and the code and the detail of a fault."""
    return {(path, name): essential(result) for path, results in told.items() for name, result in results.items()}


def essential(result: dict[str, Any]) -> Any:
    if "fault" not in result:
        return bare(result["result"])
    code = result["fault"]["code"] or ""  # PHP finds none in a fault of 1.1 within 1.2, which is how node writes it
    return code.rpartition(":")[2], result["fault"]["detail"]  # its prefix may be any


def bare(value: Any) -> Any:
    """A value without what node's client shows of its XML: attributes such as xsi:type."""
    if isinstance(value, list):
        return [bare(each) for each in value]
    if not isinstance(value, dict):
        return value
    own = {key: each for key, each in value.get("attributes", {}).items() if ":" not in key}
    rest = {key: bare(each) for key, each in value.items() if key != "attributes"}
    if own:
        return {"attributes": own, **rest}
    return rest["$value"] if rest.keys() == {"$value"} else rest or None
