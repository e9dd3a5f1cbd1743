"""`banyan import wsdl` drafts a file that can be served at once."""

import os
import re
from pathlib import Path
from shlex import split

import pytest
from aiohttp import web

from gateway.config.check import load
from gateway.core.model import Estate
from tests.cli.conftest import Banyan
from tests.cli.serving import served
from tests.support.library import library, written

DRAFT = "routes.d/lib.yaml"
OTHER = '<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:other"/>'


@pytest.fixture(autouse=True)
def wsdl(folder: Path) -> Path:
    """A WSDL in the current folder, and no routes.yaml."""
    (folder / "routes.yaml").unlink()
    return written(folder)


def whole(folder: Path) -> Estate:
    return load(folder / "routes.yaml", os.environ).estate


def test_the_draft_is_ready_to_be_served(banyan: Banyan, folder: Path) -> None:
    """A backend, a route for each operation, and a main file around them where there is none."""
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "lib")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        f"Wrote {DRAFT}: 2 routes for lib. Wrote routes.yaml, which includes it.\nThen try:\n  banyan check\n"
        """  banyan call Library.Borrow --data '{"Card": "text", "Kind": "book", "Reserve": true}' --dry-run\n"""
        "  banyan openapi\n"
    )
    estate = whole(folder)
    assert [(route.name, route.pattern, route.serve.value) for route in estate.routes] == [
        ("Library.Borrow", "POST /Library/Borrow", "legacy"),
        ("Library.Ping", "POST /Library/Ping", "legacy"),
    ]
    assert [(each.name, each.host, each.base) for each in estate.backends] == [("lib", "127.0.0.1", b"/Library.asmx")]
    assert [route.legacy and route.legacy.call.request for route in estate.routes] == [None, None]


def test_the_example_that_is_told_works(banyan: Banyan, folder: Path) -> None:
    """The command can be pasted; an example that is too long is a file to be written."""
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "lib")
    line = next(line for line in ran.out.splitlines() if "banyan call" in line)
    assert "<n0:Kind>book</n0:Kind>" in banyan(*split(line)[1:]).out
    many = "".join(f'<s:element name="Card{n}" type="s:string"/>' for n in range(30))
    written(folder, library().replace('<s:element name="Card" type="s:string"/>', many))
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "long", "--out", "other/long.yaml")
    assert "  banyan call Library.Borrow --data @FILE --dry-run\n" in ran.out


def test_the_draft_tells_everything_about_an_operation(banyan: Banyan, folder: Path) -> None:
    """Its documentation, every field with its type, the faults, how to make it a GET, and mappings as comments."""
    banyan("import", "wsdl", "library.wsdl", "--backend", "lib", "--operation", "Borrow")
    assert (folder / DRAFT).read_text() == DRAFTED


def test_mappings_can_be_written_as_such(banyan: Banyan, folder: Path) -> None:
    """They are valid, and so are the comments without their marks."""
    banyan("import", "wsdl", "library.wsdl", "--backend", "lib", "--mappings")
    first = whole(folder).routes[0].legacy
    assert first is not None
    assert first.call.request == {"Card": "body.Card", "Kind": "body.Kind", "Reserve": "body.Reserve"}
    active = (folder / DRAFT).read_text()
    (folder / DRAFT).unlink()
    banyan("import", "wsdl", "library.wsdl", "--backend", "lib")
    assert re.sub("(?m)^(      )# ", r"\1", (folder / DRAFT).read_text()) == active


def test_a_port_can_be_chosen(banyan: Banyan, folder: Path) -> None:
    """SOAP 1.1 where the operator wants it; a port that is not there is named."""
    banyan("import", "wsdl", "library.wsdl", "--backend", "lib", "--port", "Old")
    assert "port: Old   # SOAP 1.1; there is also New (SOAP 1.2)\n" in (folder / DRAFT).read_text()
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "x", "--port", "Olds")
    assert (ran.code, ran.err) == (1, "library.wsdl has no SOAP port Olds; it has Old, New.\n")


def test_only_what_is_asked_for_is_imported(banyan: Banyan, folder: Path) -> None:
    """An operation that the WSDL has not is named, with those it has."""
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "lib", "--operation", "Lend")
    assert (ran.code, ran.err) == (1, "library.wsdl has no operation Lend; it has Borrow, Ping.\n")
    assert not (folder / DRAFT).exists()


def test_each_called_port_is_a_backend(banyan: Banyan, folder: Path) -> None:
    """Operations that only another port offers are called there."""
    text = library().replace('<operation name="Ping"><s12:operation', '<operation name="Pong"><s12:operation')
    text = text.replace('  </portType>\n  <binding name="Library-s11"', '  </portType>\n  <binding name="Library-s11"')
    first, second = text.split('<binding name="Library-s12"')
    binding = '<binding name="Library-s12"' + second.split("</binding>")[0] + "</binding>"
    pinged = binding.replace('<operation name="Pong">', '<operation name="Ping">')
    only = pinged[: pinged.index('<operation name="Ping">')] + "</binding>"
    written(folder, first + only + second.split("</binding>", 1)[1])
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "lib")
    assert ran.code == 0
    assert [(each.name, each.base) for each in whole(folder).backends] == [
        ("lib-New", b"/Library.asmx"),
        ("lib-Old", b"/Library.asmx"),
    ]


def test_an_address_that_cannot_be_used_is_left_to_the_operator(banyan: Banyan, folder: Path) -> None:
    """The draft says where to write it."""
    written(folder, library("SERVER_ADDRESS"))
    banyan("import", "wsdl", "library.wsdl", "--backend", "lib")
    draft = (folder / DRAFT).read_text()
    assert '    url: http://localhost:8080   # the WSDL says "SERVER_ADDRESS": write the address here\n' in draft


def test_a_root_may_be_named(banyan: Banyan, folder: Path) -> None:
    """For WSDLs whose schemas lie beside their own folder; the draft names it too."""
    (folder / "schemas").mkdir()
    (folder / "schemas" / "o.xsd").write_text(
        '<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:other"/>'
    )
    (folder / "wsdls").mkdir()
    written(folder / "wsdls", library(imports='<s:import namespace="urn:other" schemaLocation="../schemas/o.xsd"/>'))
    assert banyan("import", "wsdl", "wsdls/library.wsdl", "--backend", "lib").code == 1
    ran = banyan("import", "wsdl", "wsdls/library.wsdl", "--backend", "lib", "--root", ".")
    assert (ran.code, ran.err) == (0, "")
    assert "    wsdl: ../wsdls/library.wsdl\n    wsdl_root: ..\n" in (folder / DRAFT).read_text()


def test_defects_of_the_wsdl_are_told(banyan: Banyan, folder: Path) -> None:
    """Those that were mended, the first few of them."""
    written(folder, library(imports='<s:include/><s:import namespace="urn:library" schemaLocation="o.xsd"/>'))
    (folder / "o.xsd").write_text(OTHER)
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "lib")
    assert (ran.code, ran.err) == (0, "")
    assert "of the WSDL had to be mended:\n  " in ran.out


def test_a_main_file_that_does_not_include_the_draft_is_named(banyan: Banyan, folder: Path) -> None:
    """With the line to add; one that does is left alone."""
    (folder / "routes.yaml").write_text("version: 1\n")
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "lib")
    assert "routes.yaml does not include it yet; add:\n  include: routes.d/*.yaml\n" in ran.out
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "beside", "--out", "beside.yaml")
    assert "add:\n  include: beside.yaml\n" in ran.out  # `*.yaml` would be no YAML, and take in too much
    (folder / "routes.yaml").write_text("version: 1\ninclude: more/*.yaml\n")
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "lib", "--out", "more/lib.yaml")
    assert "does not include" not in ran.out
    assert len(whole(folder).routes) == 2


def test_a_draft_that_does_not_fit_the_others_is_written_all_the_same(banyan: Banyan, folder: Path) -> None:
    """What is wrong with the whole is listed."""
    banyan("import", "wsdl", "library.wsdl", "--backend", "lib")
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "lib", "--out", "routes.d/again.yaml")
    assert (ran.code, (folder / "routes.d/again.yaml").exists()) == (2, True)
    assert "another backend has this name" in ran.err


def test_nothing_is_overwritten(banyan: Banyan, folder: Path) -> None:
    """Neither a draft nor a name that is none is taken."""
    (folder / "lib.yaml").write_text("")
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "lib", "--out", "lib.yaml")
    assert (ran.code, ran.err) == (1, "lib.yaml exists already. Name another with --out, or remove it.\n")
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "a b")
    assert (ran.code, ran.err.startswith("'a b' cannot be a backend's name")) == (1, True)


def test_what_cannot_be_written_is_said(banyan: Banyan, folder: Path) -> None:
    """A folder that is a file, and a file that cannot be made."""
    (folder / "routes.d").write_text("")
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "lib")
    assert (ran.code, ran.err) == (1, "routes.d cannot be written: File exists.\n")
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "lib", "--out", "x" * 300)
    assert (ran.code, "cannot be written: File name too long" in ran.err) == (1, True)


def test_a_wsdl_without_soap_is_refused(banyan: Banyan, folder: Path) -> None:
    """There is nothing to call."""
    written(folder, library().split("  <service")[0] + "</definitions>")
    ran = banyan("import", "wsdl", "library.wsdl", "--backend", "lib")
    assert (ran.code, ran.err) == (1, "library.wsdl offers no SOAP operation.\n")


def test_an_address_is_fetched_into_a_copy(banyan: Banyan, folder: Path) -> None:
    """With what it imports; the copy is what the routes go by. A copy that is there is not overwritten."""

    async def answer(request: web.Request) -> web.Response:
        other = '<s:import namespace="urn:other" schemaLocation="/o.xsd?x=1"/>'
        return web.Response(text=OTHER if request.path == "/o.xsd" else library(imports=other))

    with served(answer) as address:
        ran = banyan("import", "wsdl", f"{address}/Library.asmx?wsdl", "--backend", "lib")
        again = banyan("import", "wsdl", f"{address}/Library.asmx?wsdl", "--backend", "lib", "--out", "b.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert sorted(each.name for each in (folder / "wsdl" / "lib").iterdir()) == ["Library.wsdl", "o-1.xsd"]
    assert "    wsdl: ../wsdl/lib/Library.wsdl\n" in (folder / DRAFT).read_text()
    assert (again.code, "wsdl/lib is there already" in again.err) == (1, True)


DRAFTED = """\
# Written by `banyan import wsdl` from library.wsdl.
# Every route serves legacy. Delete those that no front end needs, and prune the mappings of the others.

backends:
  lib:
    type: soap
    wsdl: ../library.wsdl
    port: New   # SOAP 1.2; there is also Old (SOAP 1.1)
    url: http://127.0.0.1:1/Library.asmx
    # auth: {basic: {username: gateway, password: "${LIB_PASSWORD}"}}   # or wsse, for WS-Security

routes:
  # Borrow: Lends things out.
  #   takes
  #     Card     string
  #     Kind     string, one of book, film, optional
  #     Reserve  true or false, optional
  #   gives
  #     Loan     array of objects, may be empty
  #       @id    whole number, optional
  #       Title  string
  #       Due    date
  #     Fee      decimal, optional
  #   may answer 422 with the fault NotAllowed
  - name: Library.Borrow
    match: POST /Library/Borrow
    # If it only reads: match: GET /Library/Borrow/{Card}
    # with, under legacy: request: {Card: path.Card, Kind: query.Kind, Reserve: "query.Reserve == 'true'"}
    legacy:
      backend: lib
      operation: Borrow
      # request:
      #   Card: body.Card
      #   Kind: body.Kind
      #   Reserve: body.Reserve
      # response: '{Loan: Loan[].{"@id": "@id", Title: Title, Due: Due}, Fee: Fee}'
    serve: legacy
"""
