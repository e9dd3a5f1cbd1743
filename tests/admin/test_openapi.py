"""The OpenAPI document of an estate."""

from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.admin.openapi import document
from tests.config.files import estate
from tests.support.library import written

FRAME = """\
version: 1
gateway: {public_url: "https://api.example.org"}
backends:
  library: {type: soap, wsdl: library.wsdl, url: "http://127.0.0.1:1/Library.asmx"}
  books: {url: "http://127.0.0.1:2"}
routes:
"""


def told(folder: Path, *routes: str) -> dict[str, Any]:
    """The document for routes in flow style; it is valid, whatever they are."""
    written(folder)
    found = document(estate(folder, FRAME + "".join(f"  - {{{route}}}\n" for route in routes)))
    assert [error.message for error in OpenAPIV31SpecValidator(found).iter_errors()] == []
    return found


def one(folder: Path, route: str, verb: str = "get") -> dict[str, Any]:
    """The one operation of one route."""
    (item,) = told(folder, route)["paths"].values()
    found: dict[str, Any] = item[verb]
    return found


def test_the_whole_estate_is_told(tmp_path: Path) -> None:
    """Every path with its methods; the address that front ends use; no word about backends and sides."""
    found = told(
        tmp_path,
        "name: all, match: ANY /**, legacy: books",
        "name: list-loans, match: GET /loans, legacy: books, new: library, serve: new",
        "name: borrow, match: POST /loans, legacy: {backend: library, operation: Borrow}",
        'name: retired, match: GET /old, legacy: books, serve: retired, successor: "https://x.example/new"',
    )
    assert {path: [each for each in item if each != "parameters"] for path, item in found["paths"].items()} == {
        "/{rest}": ["get", "put", "post", "delete", "patch"],
        "/loans": ["get", "post"],
        "/old": ["get"],
    }
    assert found["servers"] == [{"url": "https://api.example.org"}]
    assert found["openapi"] == "3.1.0"
    assert not any(word in str(found) for word in ("legacy", "library", "127.0.0.1"))


def test_an_operation_is_named_by_its_route(tmp_path: Path) -> None:
    """A route of several methods has an operation for each; names stay unique."""
    found = told(
        tmp_path,
        "name: loans-get, match: GET /a, legacy: books",
        'name: loans, match: "GET,PUT /b", legacy: books',
    )
    ids = [operation["operationId"] for item in found["paths"].values() for operation in item.values()]
    assert ids == ["loans-get", "loans-get-2", "loans-put"]
    assert found["paths"]["/a"]["get"]["summary"] == "Loans get"


def test_paths_have_their_parameters(tmp_path: Path) -> None:
    """Each is required; the rest of a path is one too, under a name that is free. Literals are percent-encoded."""
    found = told(
        tmp_path,
        'name: a, match: "GET /a%20b/{rest}/**", legacy: books',
        'name: b, match: "GET /loans/{id}", legacy: books',
        'name: c, match: "PUT /loans/{loan}", legacy: books',
    )
    assert list(found["paths"]) == ["/a%20b/{rest}/{rest_of_path}", "/loans/{id}"]
    assert [each["name"] for each in found["paths"]["/a%20b/{rest}/{rest_of_path}"]["parameters"]] == [
        "rest",
        "rest_of_path",
    ]
    assert set(found["paths"]["/loans/{id}"]) == {"parameters", "get", "put"}


def test_routes_of_one_address_are_told_together(tmp_path: Path) -> None:
    """The plainest is shown; the description names the others and what they need."""
    found = told(
        tmp_path,
        "name: any, match: ANY /a, legacy: books",
        "name: beta, match: {method: GET, path: /a, header: {x-beta: null}, query: {v: null}}, legacy: books",
        "name: plain, match: GET /a, legacy: books",
        "name: hosted, match: {path: /a, host: h.example}, legacy: books",
        "name: call, match: SOAP /a#Borrow, legacy: books",
    )
    item = found["paths"]["/a"]
    assert item["get"]["operationId"] == "plain"
    assert item["get"]["description"].split("\n\n") == [
        "Another route, beta, takes requests with the header x-beta and with the query parameter v.",
        "Another route, any, takes requests with any other method.",
        "Another route, hosted, takes requests for the host h.example.",
    ]
    assert item["post"]["description"].startswith("SOAP operations: Borrow.")
    assert "text/xml" in item["post"]["requestBody"]["content"]


def test_a_route_with_conditions_says_so(tmp_path: Path) -> None:
    """When no plainer one stands beside it."""
    operation = one(tmp_path, "name: a, match: {method: GET, path: /a, host: h.example}, legacy: books")
    assert operation["description"] == "Only for the host h.example."


def test_what_the_wsdl_says_is_told(tmp_path: Path) -> None:
    """The operation's documentation is the description."""
    call = "name: a, match: POST /a, legacy: {backend: library, operation: Borrow}"
    assert one(tmp_path, call, "post")["description"] == "Lends things out."


@pytest.mark.parametrize(
    ("deprecated", "expected"),
    [
        ("{since: 2026-01-02}", "Deprecated since 2026-01-02."),
        (
            '{since: 2026-01-02, sunset: 2027-01-02, link: "https://x.example"}',
            "Deprecated since 2026-01-02; it goes away on 2027-01-02. Read more: https://x.example",
        ),
    ],
)
def test_deprecation_is_announced(tmp_path: Path, deprecated: str, expected: str) -> None:
    """With its days and where to read more."""
    operation = one(tmp_path, f"name: a, match: GET /a, legacy: books, deprecated: {deprecated}")
    assert (operation["deprecated"], operation["description"]) == (True, expected)


def test_a_retired_route_names_its_successor(tmp_path: Path) -> None:
    """If it has one."""
    moved = one(tmp_path, 'name: a, match: GET /a, legacy: books, serve: retired, successor: "https://x.example"')
    assert moved["description"] == "Retired: the answer is 410. It has moved: https://x.example"
    gone = one(tmp_path, "name: a, match: GET /a, legacy: books, serve: retired")
    assert gone["description"] == "Retired: the answer is 410."


def test_methods_that_openapi_does_not_know(tmp_path: Path) -> None:
    """They are named in the description of the path."""
    (item,) = told(tmp_path, 'name: a, match: "GET,PROPFIND /a", legacy: books')["paths"].values()
    assert item["description"] == "Also: PROPFIND, which OpenAPI has no words for."
