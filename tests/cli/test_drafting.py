"""A drafted file is readable, and can be served, whatever the WSDL."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
import yaml

from connectors.soap.plan import Complex, Facets, Field, Group, Message, Operation, Schema, Simple
from connectors.soap.service import service_of
from connectors.soap.wsdl import Wsdl, WsdlError, load
from gateway.admin.openapi import document
from gateway.cli.drafting import Draft, Port, route_name, written
from gateway.config.check import load as load_routes
from tests.support.library import written as library_in

TEXT = Simple("string", "string", Facets())
CORPUS = Path(__file__).parents[3] / "shared" / "wsdl" / "open"
SOME = ("bcgov-jag", "moj-laa-ccms", "zeep")


def drafted(*fields: Field, name: str = "Get", documentation: str = "", mapped: bool = False) -> str:
    """The draft of one operation that takes an object of these fields, and answers nothing."""
    types = (Complex(None, content=Group("sequence", fields)),)
    message = Message((Field(name, name, 0),))
    operation = Operation(name, "Service", "Port", "", "1.1", None, message, None, (), documentation)
    port = Port("b", None, "1.1", "", (operation,))
    return written(Draft("x.wsdl", "x.wsdl", None, (port,), Schema(types)), mapped=mapped)


def test_a_port_is_named_only_where_there_are_several() -> None:
    """And an address is asked for where the WSDL has none."""
    draft = drafted(Field("A", "A", TEXT))
    assert "port:" not in draft
    assert "    url: http://localhost:8080   # the WSDL says nothing: write the address here\n" in draft


def test_an_operation_without_fields_says_so() -> None:
    """And one that answers nothing, too."""
    draft = drafted()
    assert "  #   takes no fields\n" in draft
    assert "  #   gives nothing: the answer is 202\n" in draft
    assert "      # request: body\n" in draft


def test_long_lists_end_somewhere() -> None:
    """Nobody reads thousands of fields in a comment."""
    draft = drafted(*(Field(f"F{n}", f"F{n}", TEXT) for n in range(250)))
    assert "  #     and 50 more\n" in draft


def test_long_documentation_is_wrapped() -> None:
    """Every line of it is a comment."""
    draft = drafted(documentation="word " * 60)
    assert max(map(len, draft.splitlines())) <= 110
    assert draft.count("  # word") > 1


def test_odd_names_are_made_fit() -> None:
    """A route's name holds plain characters, a path encoded ones."""
    operation = Operation("Gét", "My Service", "P", "", "1.1", None, Message(()), None)
    assert route_name(operation) == "My_Service.G_t"
    assert "    match: POST /Service/G%C3%A9t\n" in drafted(name="Gét")


@pytest.mark.parametrize("mapped", [True, False])
def test_a_draft_is_yaml(tmp_path: Path, mapped: bool) -> None:
    """With a route for each operation; mappings are there when they are asked for."""
    wsdl = load(library_in(tmp_path))
    service = service_of(wsdl)
    port = Port("lib", None, "1.2", service.operations[0].address, service.operations)
    draft = yaml.safe_load(written(Draft("w", "library.wsdl", None, (port,), service.schema), mapped=mapped))
    assert [route["match"] for route in draft["routes"]] == ["POST /Library/Borrow", "POST /Library/Ping"]
    assert [("request" in route["legacy"]) for route in draft["routes"]] == [mapped, mapped]


def loadable(project: Path) -> Iterator[Wsdl]:
    """The WSDLs of a project that can be used and offer something."""
    for path in sorted(project.rglob("*.wsdl")):
        try:
            wsdl = load(path, project)
        except WsdlError:
            continue
        if wsdl.bound:
            yield wsdl


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the collection of public WSDLs is not here")
@pytest.mark.parametrize("project", SOME)
def test_drafts_of_public_wsdls_can_be_served(tmp_path: Path, project: str) -> None:
    """With their mappings as such, too, they are valid; and their OpenAPI document is JSON."""
    loaded = list(islice(loadable(CORPUS / project), 3))
    assert loaded
    for wsdl in loaded:
        path, service = wsdl.path, service_of(wsdl)
        port = Port("b", None, "1.1", service.operations[0].address, service.operations)
        draft = written(Draft("w", str(path), str(CORPUS / project), (port,), service.schema), mapped=True)
        file = tmp_path / "routes.yaml"
        estate = load_routes(file, {}, {file: f"{draft}\nversion: 1\n".encode()}).estate
        assert len(estate.routes) == len(service.operations)
        assert json.dumps(document(estate))
