"""Loading a WSDL, whole."""

import sys
from pathlib import Path

import pytest

from connectors.soap import wsdl as module
from connectors.soap.bound import Body, Bound, Part
from connectors.soap.documents import Library
from connectors.soap.linking import Linker
from connectors.soap.wsdl import Transport, WsdlError, check, load
from tests.connectors.soap.wsdls import SCHEMA, put, schema, wsdl


def test_loaded(tmp_path: Path) -> None:
    """A WSDL is what it offers, its types, its files as they were, and what was repaired."""
    text = wsdl()
    loaded = load(put(tmp_path, text))
    assert loaded.name == "rents.wsdl"
    assert loaded.path == tmp_path / "rents.wsdl"
    assert loaded.documents == {"rents.wsdl": text.encode()}
    assert loaded.warnings == ()
    assert loaded.left_out == ()
    assert [each.operation for each in loaded.bound] == ["GetBalance"]
    assert loaded.schemas.maps.elements["{urn:rents}Answer"].type.local_name == "decimal"


def test_higher_root(tmp_path: Path) -> None:
    """A higher root may be named; without it, a file in a higher folder is refused."""
    put(tmp_path, schema("", "urn:other"), "o.xsd")
    head = '<xs:import namespace="urn:other" schemaLocation="../o.xsd"/>'
    path = put(tmp_path, wsdl(SCHEMA.replace('qualified">', f'qualified">{head}')), "deep/rents.wsdl")
    assert load(path, tmp_path).name == "deep/rents.wsdl"
    with pytest.raises(WsdlError, match=r"^rents\.wsdl:3 names \.\./o\.xsd, which lies outside"):
        load(path)


def test_nothing_but_wsdl(tmp_path: Path) -> None:
    """A WSDL without any types loads."""
    assert load(put(tmp_path, wsdl("", messages="", port_type="", binding="", service=""))).bound == ()


def test_not_compiled(tmp_path: Path) -> None:
    """What the compilers cannot make sense of is one sentence, without the addresses that only we know."""
    path = put(tmp_path, wsdl(SCHEMA.replace("</xs:schema>", "<xs:element/></xs:schema>")))
    with pytest.raises(WsdlError) as caught:
        load(path)
    assert str(caught.value).startswith("rents.wsdl cannot be compiled: ")
    assert "wsdl.invalid" not in str(caught.value)


def test_types_not_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same when it is xmlschema that cannot."""

    def refuse(*_: object, **__: object) -> None:
        raise ValueError("odd")

    monkeypatch.setattr(module, "XMLSchema10", refuse)
    with pytest.raises(WsdlError, match=r"^The schemas of the WSDL cannot be compiled: odd\.$"):
        load(put(tmp_path, wsdl()))


def test_defects_are_told(tmp_path: Path) -> None:
    """A defect of a schema that harms no operation is a warning."""
    twice = '<xs:element name="Note" type="xs:string"/>' * 2
    loaded = load(put(tmp_path, wsdl(SCHEMA.replace("</xs:schema>", f"{twice}</xs:schema>"))))
    assert loaded.warnings == ("global xs:element with name='{urn:rents}Note' is already loaded",)


def test_deep_imports(tmp_path: Path) -> None:
    """A chain of imports too long to follow is an error, not a crash."""
    for number in range(400):
        head = f'<xs:import namespace="urn:{number + 1}" schemaLocation="{number + 1}.xsd"/>'
        put(tmp_path, schema(head, f"urn:{number}"), f"{number}.xsd")
    text = wsdl(SCHEMA.replace('qualified">', 'qualified"><xs:import namespace="urn:0" schemaLocation="0.xsd"/>'))
    assert sys.getrecursionlimit() == 1000
    with pytest.raises(WsdlError, match=r"^rents\.wsdl imports too deeply"):
        load(put(tmp_path, text))


def test_only_what_was_handed_out(tmp_path: Path) -> None:
    """zeep gets the documents there are, and no other."""
    library = Library(tmp_path)
    transport = Transport(Linker(library).link(library.open(put(tmp_path, wsdl()))))
    assert b"RentService" in transport.load("http://wsdl.invalid/rents.wsdl")
    with pytest.raises(WsdlError, match=r"^The WSDL refers to http://a\.test/, which is not among its documents\.$"):
        transport.load("http://a.test/")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Part("a", element="{urn:rents}Gone"), "{urn:rents}Gone"),
        (Part("a", type="{urn:rents}Gone"), "{urn:rents}Gone"),
        (Part("a"), "no type for a"),
    ],
)
def test_named_but_not_declared(part: Part, said: str, tmp_path: Path) -> None:
    """An operation that names what no schema declares is an error."""
    schemas = load(put(tmp_path, wsdl())).schemas
    operation = Bound("S", "P", "", "1.1", "Op", None, "document", Body((part,)), None)
    with pytest.raises(WsdlError) as caught:
        check(operation, schemas)
    assert str(caught.value) == f"P.Op names {said}, which no schema declares."
