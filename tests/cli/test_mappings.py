"""Mappings drafted from an operation change nothing until somebody prunes them."""

from typing import Any

import pytest
import yaml

from connectors.mapping import Expression, Mapped
from connectors.soap.fields import Node
from connectors.soap.plan import Simple
from gateway.cli.mappings import get_lines, identifier, is_apart, request_lines, response_lines, scalar

TEXT = Simple("string", "string")


def field(key: str, *children: Node, kind: str = "string", **more: Any) -> Node:
    simple = None if children or more.get("whole") else TEXT._replace(kind=kind)  # type: ignore[arg-type]
    return Node(key, "", children, simple=simple, **more)


ROOT = Node(
    "",
    "object",
    (
        field("Account", field("No"), field("@id")),
        field("Lines", field("Line", field("Code"), field("Amount"), many=True)),
        field("Notes", many=True),
        field("Extra", field("$items"), whole=True),
    ),
)
VALUE = {
    "Account": {"No": "1", "@id": 5},
    "Lines": {"Line": [{"Code": "a", "Amount": "1.0"}]},
    "Notes": ["x"],
    "Extra": {"$items": [{"a": 1}]},
}


def as_yaml(lines: Any) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load("\n".join(lines))
    return found


def test_the_request_is_given_field_by_field() -> None:
    """Objects are taken apart, arrays and what cannot be are given whole; the value arrives as it was."""
    given = as_yaml(request_lines(ROOT))["request"]
    assert given == {
        "Account": {"No": "body.Account.No", "@id": 'body.Account."@id"'},
        "Lines": {"Line": "body.Lines.Line"},
        "Notes": "body.Notes",
        "Extra": "body.Extra",
    }
    assert Mapped(given)({"body": VALUE}) == VALUE


def test_the_result_is_taken_field_by_field() -> None:
    """In one expression, on several lines when it is long; the value comes out as it was."""
    lines = list(response_lines(ROOT))
    assert lines[0] == "response: '{"
    assert max(map(len, lines)) < 100
    assert Expression(as_yaml(lines)["response"])(VALUE) == VALUE
    assert list(response_lines(Node("", "", (field("A"),)))) == ["response: '{A: A}'"]


def test_what_has_no_fields_is_taken_whole() -> None:
    """A plain value, a list of items, or a name with a dot, which would mean an object."""
    assert list(request_lines(TEXT_NODE := field("x"))) == ["request: body"]
    assert list(response_lines(TEXT_NODE)) == ['response: "@"']
    assert list(response_lines(field("x", field("$items"), whole=True))) == ['response: "@"']
    assert not is_apart(field("x", field("a.b")))


def test_a_large_result_is_taken_by_its_outermost_fields() -> None:
    """An expression is at most so long; where even those are too many, none is written."""
    inner = [field(f"name{n}") for n in range(600)]
    lines = list(response_lines(Node("", "", (field("a", *inner), field("b")))))
    assert lines == ["response: '{a: a, b: b}'"]
    assert list(response_lines(Node("", "", tuple(inner)))) == []


def test_quotes_are_doubled() -> None:
    """A name that holds a quote does not end the text."""
    lines = list(response_lines(Node("", "", (field("{urn:it's}a"),))))
    assert as_yaml(lines) == {"response": '{"{urn:it\'s}a": "{urn:it\'s}a"}'}


# ------------------------------------------------------------------------------------------------ a GET instead


def test_an_operation_with_plain_fields_may_become_a_get() -> None:
    """What is needed stands in the path, the rest in the query; texts become truths and numbers where it takes them."""
    root = Node(
        "",
        "object",
        (
            field("No"),
            field("All", kind="boolean", optional=True),
            field("Most", kind="float", optional=True),
        ),
    )
    assert list(get_lines("/Rents/Get", root)) == [
        "If it only reads: match: GET /Rents/Get/{No}",
        "with, under legacy: request: {No: path.No, All: \"query.All == 'true'\", Most: to_number(query.Most)}",
    ]
    assert list(get_lines("/Rents/Get", Node("", "object"))) == ["If it only reads: match: GET /Rents/Get"]


@pytest.mark.parametrize(
    "child",
    [field("a", field("b")), field("a", many=True), field("@a"), field("a", kind="list"), field("a", whole=True)],
)
def test_an_operation_with_more_stays_a_post(child: Node) -> None:
    """Objects, arrays and odd names do not fit an address."""
    assert list(get_lines("/x", Node("", "object", (child,)))) == []


def test_a_plain_request_stays_a_post() -> None:
    """A request that is one value has no names."""
    assert list(get_lines("/x", field("x"))) == []
    assert list(get_lines("/x", Node("", "any value", whole=True))) == []


# ------------------------------------------------------------------------------------------------ small things


@pytest.mark.parametrize(
    "text",
    ["a", "a.b-c_d/e", "true", "null", "a: b", "@a", "http://h:80/x.asmx", "$value", "{x}", "é", "a.", "../w.wsdl"],
)
def test_texts_survive_yaml(text: str) -> None:
    """Whatever a text is, YAML gives it back."""
    assert yaml.safe_load(f"k: {scalar(text)}") == {"k": text}


def test_names_in_expressions() -> None:
    """Odd ones are quoted."""
    assert (identifier("a_1"), identifier("a-b"), identifier("1a")) == ("a_1", '"a-b"', '"1a"')
