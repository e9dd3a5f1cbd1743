"""Whoever writes a program against the admin port finds everything in its document, and the document is right."""

import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from gateway.admin.api import ASKED, QUESTIONS, admin_app
from gateway.admin.levers import LEVERS
from gateway.admin.published import admin_document
from gateway.core.access import Role
from tests.admin.conftest import client_of
from tests.admin.fakes import FakeSteering

ADDRESSES = {(each.method, each.path): each.role for each in ASKED}
ADDRESSES |= {("POST", each.path): each.role for each in LEVERS.values()}
VALUES = {"string": "x", "integer": 1, "number": 1.5, "boolean": True, "array": [], "null": None}


@pytest.fixture
async def document(steering: FakeSteering) -> dict[str, Any]:
    """As it is served, to anybody."""
    found: dict[str, Any] = {}
    async for client in client_of(admin_app(steering)):
        answer = await client.get("/api/v1/openapi.json")
        assert (answer.status, answer.content_type) == (200, "application/json")
        found = await answer.json()
    return found


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(method.upper(), path): each for path, item in document["paths"].items() for method, each in item.items()}


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """OpenAPI 3.1, by a validator that is not ours."""
    validate(document)
    assert document["openapi"] == "3.1.0"
    assert document == admin_document(ASKED, LEVERS.values())


def test_every_address_is_in_it_and_no_other(document: dict[str, Any], steering: FakeSteering) -> None:
    """What is served is what is published; each with a name of its own, for programs that are made from it."""
    found = operations(document)
    assert found.keys() == ADDRESSES.keys()
    pages = {(each.method, each.path) for each in QUESTIONS} - ADDRESSES.keys()
    served = {
        (route.method, route.resource.canonical)
        for route in admin_app(steering).router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert found.keys() == served - pages
    names = [each["operationId"] for each in found.values()]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"(get|post)_\w+", name)] == []
    assert found["POST", "/api/v1/ramps/{name}/pause"]["operationId"] == "post_v1_ramps_name_pause"


@pytest.mark.parametrize(("method", "path"), sorted(ADDRESSES))
def test_each_says_who_may(document: dict[str, Any], method: str, path: str) -> None:
    """In words, and as programs read it: nothing, or a token, or a browser's session."""
    role, found = ADDRESSES[method, path], operations(document)[method, path]
    assert found["description"] == ("For everybody." if role is None else f"Needs the role {role}.")
    assert found["security"] == ([] if role is None else [{"token": []}, {"session": []}])
    assert found["security"] or role is None
    assert document["components"]["securitySchemes"].keys() == {"token", "session"}
    in_path = [each["name"] for each in found["parameters"] if each["in"] == "path"]
    assert in_path == re.findall(r"\{(\w+)\}", path)


@pytest.mark.parametrize("action", LEVERS)
async def test_an_order_that_is_as_the_document_says_is_taken(
    ordering: Any, steering: FakeSteering, document: dict[str, Any], action: str
) -> None:
    """Its members and their types are those that the gateway asks for; one less or one more is refused."""
    lever = LEVERS[action]
    operation = operations(document)["POST", lever.path]
    assert [each["name"] for each in operation["parameters"] if each["in"] == "header"] == ["If-Match"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    order = {name: value_of(each["type"]) for name, each in schema["properties"].items()}
    path = lever.path.format(name="list", id="x", route="list", number="1")
    malformed = "The body must be"

    async def said(changed: dict[str, Any]) -> str:
        answer = await ordering.post(path, json=changed)
        return "" if answer.status == 200 else str((await answer.json())["detail"])

    assert not (await said(order)).startswith(malformed)
    assert (await said(order | {"more": 1})).startswith(malformed)
    for name in schema["required"]:
        assert (await said({key: value for key, value in order.items() if key != name})).startswith(malformed)
    for name in schema["properties"]:
        assert (await said(order | {name: {}})).startswith(malformed)
    assert set(schema["required"]) == {*lever.takes, *(["reason"] if lever.spoken else [])}


def value_of(types: str | list[str]) -> Any:
    return VALUES[types if isinstance(types, str) else types[0]]


async def test_a_problem_is_as_the_document_says(reading: Any, document: dict[str, Any]) -> None:
    """What went wrong has the same four members everywhere."""
    schema = document["components"]["schemas"]["Problem"]
    for path in ("/api/v1/tokens", "/nothing", "/api/v1/routes/nothing", "/api/v1/explain"):
        told = await (await reading.get(path)).json()
        assert told.keys() == set(schema["required"])
        assert {name: type(value) for name, value in told.items()} == {
            "type": str,
            "title": str,
            "status": int,
            "detail": str,
        }


async def test_a_question_s_parameters_are_in_it(document: dict[str, Any]) -> None:
    """With what they are for."""
    found = operations(document)["GET", "/api/v1/audit"]["parameters"]
    assert [(each["name"], each["in"], "required" in each) for each in found] == [
        ("limit", "query", False),
        ("before", "query", False),
        ("subject", "query", False),
    ]
    assert all(each["description"] for each in found)
    assert Role.OWNER not in ADDRESSES.values()
