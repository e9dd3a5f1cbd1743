"""What a route takes and answers, as the OpenAPI document tells it."""

from pathlib import Path
from typing import Any

import pytest

from connectors.soap.security import LogOn, Session
from gateway.admin.contracts import Contracts, expressions, problem_responses, uses_body, written
from gateway.core.model import Estate, Route
from tests.config.files import estate
from tests.support.library import written as library_in

CALL = "backend: library, operation: Borrow"


def frame(route: str, gateway: str = "") -> str:
    return f"""\
version: 1
gateway: {{{gateway}}}
backends:
  library: {{type: soap, wsdl: library.wsdl, url: "http://127.0.0.1:1/Library.asmx"}}
  books: {{url: "http://127.0.0.1:2"}}
routes:
  - {{name: it, {route}}}
"""


class Told:
    """One route's contract."""

    def __init__(self, folder: Path, route: str, gateway: str = "") -> None:
        library_in(folder)
        self.estate: Estate = estate(folder, frame(route, gateway))
        self.route: Route = self.estate.routes[0]
        self.contracts = Contracts(self.estate)

    def exchange(self, verb: str = "post", calls: bool = False) -> dict[str, Any]:
        return self.contracts.exchange(verb, self.route, [self.route] if calls else [])

    def answer(self, status: str, verb: str = "post") -> dict[str, Any]:
        found: dict[str, Any] = self.exchange(verb)["responses"][status]
        return found


def statuses(exchange: dict[str, Any]) -> list[str]:
    return list(exchange["responses"])


# ------------------------------------------------------------------------------------------------ calls of operations


def test_what_the_gateway_fills_in_itself_is_not_asked_for(tmp_path: Path) -> None:
    """Members that carry a session's token; the component of the whole message stays as it is."""
    told = Told(tmp_path, f"match: POST /b, legacy: {{{CALL}}}")
    log_on = LogOn(told.route.legacy.call.operation, {}, "Token")  # type: ignore[union-attr]
    call = told.route.legacy.call._replace(session=Session(log_on, body={"Card": "token"}))  # type: ignore[union-attr]
    told.route = told.route._replace(legacy=told.route.legacy._replace(call=call))  # type: ignore[union-attr]
    body = told.exchange()["requestBody"]["content"]["application/json"]
    assert (list(body["schema"]["properties"]), body["schema"]["required"]) == (["Kind", "Reserve"], [])
    assert body["example"] == {"Kind": "book", "Reserve": True}
    assert told.contracts.schemas["Borrow"]["required"] == ["Card"]


def test_an_operation_without_mappings_has_the_shapes_of_the_wsdl(tmp_path: Path) -> None:
    """Request and result are the operation's own, each with an example."""
    told = Told(tmp_path, f"match: POST /b, legacy: {{{CALL}}}")
    body = told.exchange()["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/Borrow"}
    assert body["example"] == {"Card": "text", "Kind": "book", "Reserve": True}
    result = told.answer("200")["content"]["application/json"]
    assert result["schema"] == {"$ref": "#/components/schemas/BorrowResponse"}
    assert result["example"]["Fee"] == "1.50"
    assert {"Borrow", "BorrowResponse", "Problem"} <= told.contracts.schemas.keys()
    assert list(told.contracts.documentation(told.route)) == ["Lends things out."]


def test_a_declared_fault_is_an_answer(tmp_path: Path) -> None:
    """With its detail's shape, beside the gateway's own 422 or with the status that the route gives it."""
    usual = Told(tmp_path, f"match: POST /b, legacy: {{{CALL}}}").answer("422")
    assert usual["description"].endswith("Or a fault: NotAllowed.")
    schemas = usual["content"]["application/problem+json"]["schema"]["anyOf"]
    assert schemas[1] == {"$ref": "#/components/schemas/InvalidRequest"}
    detail = schemas[0]["properties"]["soap"]["properties"]["detail"]["properties"]
    assert detail == {"NotAllowed": {"$ref": "#/components/schemas/NotAllowed"}}
    given = Told(tmp_path, f"match: POST /b, legacy: {{{CALL}, faults: {{NotAllowed: 409}}}}").answer("409")
    assert given["description"] == "A fault: NotAllowed."
    own = Told(tmp_path, f"match: POST /b, legacy: {{{CALL}, faults: {{NotAllowed: 504}}}}").answer("504")
    assert own["description"].startswith("The service behind this address did not answer in time. Or")


def test_a_fault_that_only_the_route_knows_is_an_answer_too(tmp_path: Path) -> None:
    """By the code that the service gives it; nothing is known of its detail."""
    told = Told(tmp_path, f"match: POST /b, legacy: {{{CALL}, faults: {{NoSuchCard: 404}}}}")
    schema = told.answer("404")["content"]["application/problem+json"]["schema"]
    assert schema["properties"]["soap"]["properties"]["detail"]["properties"] == {"NoSuchCard": {}}
    assert told.answer("422")["description"].endswith("Or a fault: NotAllowed.")


def test_a_mapping_is_told_by_its_expression(tmp_path: Path) -> None:
    """What is made by an expression may be anything; the expression stands in the description."""
    told = Told(tmp_path, f'match: POST /b, legacy: {{{CALL}, request: {{Card: body.card}}, response: "Loan[0]"}}')
    body = told.exchange()["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"description": 'The service\'s own request is made of it by `{"Card": "body.card"}`.'}
    result = told.answer("200")["content"]["application/json"]
    assert result == {"schema": {"description": "Made of the service's own answer by `Loan[0]`."}}


def test_a_mapping_from_the_address_takes_no_body(tmp_path: Path) -> None:
    """What it takes from query and headers is asked for instead; a GET without a mapping has no body either."""
    told = Told(
        tmp_path,
        f'match: "GET /b/{{card}}", legacy: {{{CALL}, '
        'request: {Card: path.card, Kind: query.kind, Reserve: "header.\\"x-reserve\\" == \'header.no\'"}}',
    )
    assert "requestBody" not in told.exchange("get")
    assert "415" not in statuses(told.exchange("get"))
    assert [(each["in"], each["name"]) for each in told.contracts.parameters(told.route)] == [
        ("query", "kind"),
        ("header", "x-reserve"),
    ]
    assert "requestBody" not in Told(tmp_path, f"match: GET /b, legacy: {{{CALL}}}").exchange("get")


def test_a_one_way_operation_answers_nothing(tmp_path: Path) -> None:
    """It is taken: 202."""
    told = Told(tmp_path, "match: POST /b, legacy: {backend: library, operation: Ping}")
    assert "content" not in told.answer("202")
    assert list(told.contracts.documentation(told.route)) == []


def test_the_contract_is_that_of_the_side_that_calls(tmp_path: Path) -> None:
    """Whichever side serves; where both call, that of the legacy one."""
    route = f"match: POST /b, legacy: books, new: {{{CALL}}}"
    first, second = Told(tmp_path, f"{route}, serve: legacy"), Told(tmp_path, f"{route}, serve: new")
    assert first.exchange() == second.exchange()
    assert first.answer("200")["content"]["application/json"]["schema"]["$ref"].endswith("BorrowResponse")


# ------------------------------------------------------------------------------------------------ what passes


def test_what_passes_has_no_shape(tmp_path: Path) -> None:
    """Anything is taken and answered, beside the gateway's own refusals; a bound and a filled path add theirs."""
    told = Told(tmp_path, "match: ANY /b, legacy: books")
    assert told.exchange("get") == {"responses": told.exchange("get")["responses"]}
    assert statuses(told.exchange("get")) == ["2XX", "400", "408", "502", "504"]
    assert told.exchange("post")["requestBody"] == {"content": {"*/*": {}}}
    bounded = Told(tmp_path, "match: ANY /b, legacy: books, max_body: 1KiB")
    assert "413" in statuses(bounded.exchange())
    assert "413" in statuses(Told(tmp_path, "match: ANY /b, legacy: books", "max_body: 1KiB").exchange())
    filled = Told(tmp_path, 'match: GET /b, legacy: {backend: books, path: "/v2/{query.id}"}')
    assert "422" in statuses(filled.exchange("get"))
    assert [each["name"] for each in filled.contracts.parameters(filled.route)] == ["id"]


def test_predicates_are_parameters(tmp_path: Path) -> None:
    """They are required, and their values are nobody's business. Headers that OpenAPI ignores are not listed."""
    told = Told(
        tmp_path,
        "match: {path: /b, header: {x-key: secret, authorization: null}, query: {v: null}}, legacy: books",
    )
    parameters = told.contracts.parameters(told.route)
    assert [(each["in"], each["name"], each["required"]) for each in parameters] == [
        ("query", "v", True),
        ("header", "x-key", True),
    ]
    assert "secret" not in str(parameters)


def test_a_soap_route_takes_envelopes(tmp_path: Path) -> None:
    """In either version; a fault is an answer too. Where a plain route shares the address, both are told."""
    told = Told(tmp_path, "match: SOAP /b#Borrow, legacy: books")
    assert list(told.exchange(calls=True)["requestBody"]["content"]) == ["text/xml", "application/soap+xml"]
    assert statuses(told.exchange())[:2] == ["200", "500"]
    plain = Told(tmp_path, "match: POST /b, legacy: books")
    assert list(plain.exchange(calls=True)["requestBody"]["content"]) == ["*/*", "text/xml", "application/soap+xml"]


@pytest.mark.parametrize(
    "side",
    [
        "{backend: books, method: POST, request: {a: query.site}}",
        "{backend: library, operation: Borrow, request: {Card: query.site}}",
    ],
)
def test_an_answered_soap_route_has_its_parameters(tmp_path: Path, side: str) -> None:
    """What its mapping takes of the address, whoever answers; and what the WSDL says of its operation."""
    told = Told(tmp_path, f"match: SOAP /b#Borrow, contract: library, new: {side}")
    assert [each["name"] for each in told.contracts.parameters(told.route)] == ["site"]
    assert list(told.contracts.documentation(told.route)) == ["Lends things out."]


def test_a_retired_route_answers_410(tmp_path: Path) -> None:
    """And nothing else."""
    told = Told(tmp_path, "match: GET /b, legacy: books, serve: retired")
    assert told.exchange("get") == {"responses": {"410": {"$ref": "#/components/responses/Gone"}}}


def test_refusals_are_problem_documents() -> None:
    """Each of the gateway's own answers is a component."""
    responses = problem_responses()
    schemas = {name: each["content"]["application/problem+json"]["schema"]["$ref"] for name, each in responses.items()}
    assert schemas.pop("Unprocessable") == "#/components/schemas/InvalidRequest"
    assert set(schemas.values()) == {"#/components/schemas/Problem"}


# ------------------------------------------------------------------------------------------------ mappings


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ("body.a", True),
        ("path.body_", False),
        ("'body.a'", False),
        ({"a": {"b": ['`"body"`', "body"]}}, True),
        ({"a": 5}, False),
        (None, False),
    ],
)
def test_whether_a_mapping_uses_the_body(mapping: object, expected: bool) -> None:
    """Literals do not count."""
    assert uses_body(mapping) is expected


def test_a_literal_of_a_mapping_is_not_told() -> None:
    """A key that a mapping sends along may be a secret of the environment: the document hides it."""
    assert (
        written({"Key": "'s3cret'", "No": "path.no", "Mode": 7}) == '{"Key": "\'***\'", "No": "path.no", "Mode": "***"}'
    )


def test_a_mapping_as_text() -> None:
    """Expressions are shown as they are, and objects of them as JSON."""
    assert written("a.b") == "a.b"
    assert written({"é": "body"}) == '{"é": "body"}'
    assert list(expressions(["a", {"b": "c"}])) == ["a", "c"]
