"""From one WSDL to all it needs, with nothing left to open."""

import re
from pathlib import Path

import pytest
from lxml import etree

from connectors.soap.documents import Library, WsdlError
from connectors.soap.linking import Linked, Linker
from connectors.soap.repairs import XML, XSD
from connectors.soap.wsdl import Wsdl, load
from tests.connectors.soap.wsdls import (
    BINDING,
    ELEMENTS,
    MESSAGES,
    PORT_TYPE,
    SCHEMA,
    SERVICE,
    definitions,
    put,
    schema,
    wsdl,
)

OTHER = '<xs:simpleType name="Code"><xs:restriction base="xs:string"/></xs:simpleType>'
SOAP_ARRAY = (
    '<xs:complexType name="List"><xs:complexContent><xs:restriction base="e:Array" '
    'xmlns:e="http://schemas.xmlsoap.org/soap/encoding/"/></xs:complexContent></xs:complexType>'
)


def linked(folder: Path, text: str) -> Linked:
    """What a WSDL links to."""
    library = Library(folder)
    return Linker(library).link(library.open(put(folder, text)))


def whole(folder: Path, head: str, **others: str) -> Wsdl:
    """A WSDL whose schema of types begins with `head`, loaded."""
    return load(put(folder, wsdl(SCHEMA.replace('qualified">', f'qualified">\n{head}'), **others)))


def test_nothing_is_left_to_open(tmp_path: Path) -> None:
    """Imports keep their namespace and lose their place; includes are gone, and what they name is there."""
    put(tmp_path, schema(OTHER, "urn:other"), "o.xsd")
    put(tmp_path, schema(OTHER, "urn:rents"), "r.xsd")
    head = '<xs:import namespace="urn:other" schemaLocation="o.xsd"/><xs:include schemaLocation="r.xsd"/>'
    found = linked(tmp_path, wsdl(SCHEMA.replace('qualified">', f'qualified">{head}')))
    assert found.warnings == ()
    assert [source.namespace for source in found.schemas] == ["urn:rents", "urn:other", "urn:rents"]
    text = b"".join(etree.tostring(source.root) for source in found.schemas)
    assert re.findall(rb"schemaLocation|include", text) == []


def test_definitions_import_definitions(tmp_path: Path) -> None:
    """A WSDL in several files is one WSDL, even where they import each other."""
    back = '<w:import namespace="urn:rents" location="../rents.wsdl"/>'
    put(tmp_path, definitions(back, f"<w:types>{SCHEMA}</w:types>", MESSAGES, PORT_TYPE), "parts/abstract.wsdl")
    imports = '<w:import namespace="urn:rents" location="parts/abstract.wsdl"/><w:import namespace="urn:nothing"/>'
    loaded = load(put(tmp_path, definitions(imports, BINDING, SERVICE)))
    assert [each.operation for each in loaded.bound] == ["GetBalance"]
    assert sorted(loaded.documents) == ["parts/abstract.wsdl", "rents.wsdl"]
    assert loaded.warnings == ()


def test_definitions_import_a_schema(tmp_path: Path) -> None:
    """A schema that wsdl:import names is taken, and that is told."""
    put(tmp_path, schema(ELEMENTS, "urn:rents"), "r.xsd")
    loaded = load(put(tmp_path, wsdl("", imports='<w:import namespace="urn:rents" location="r.xsd"/>')))
    assert loaded.warnings == ("rents.wsdl:2: wsdl:import of a schema is taken as an xs:import",)
    assert len(loaded.bound) == 1


def test_definitions_import_the_well_known(tmp_path: Path) -> None:
    """A wsdl:import of a well-known namespace needs no file."""
    namespace = "http://www.w3.org/2005/08/addressing"
    found = linked(tmp_path, wsdl(imports=f'<w:import namespace="{namespace}" location="http://a.test/"/>'))
    assert namespace in {source.namespace for source in found.schemas}


def test_definitions_import_what_is_not_there(tmp_path: Path) -> None:
    """A wsdl:import that leads nowhere is an error."""
    with pytest.raises(WsdlError, match=r"^rents\.wsdl:2 needs a\.wsdl, which is not there"):
        linked(tmp_path, wsdl(imports='<w:import namespace="urn:a" location="a.wsdl"/>'))


def test_neither_schema_nor_wsdl(tmp_path: Path) -> None:
    """What is imported must be a schema or a WSDL."""
    put(tmp_path, "<a/>", "a.xsd")
    with pytest.raises(WsdlError, match=r"^rents\.wsdl:2 imports a\.xsd, which is neither a schema nor a WSDL\."):
        linked(tmp_path, wsdl(imports='<w:import namespace="urn:a" location="a.xsd"/>'))


def test_not_a_wsdl(tmp_path: Path) -> None:
    """What is asked for must be a WSDL."""
    with pytest.raises(WsdlError, match=r"^rents\.wsdl is not a WSDL 1\.1 file"):
        linked(tmp_path, "<a/>")


def test_import_of_a_wsdl(tmp_path: Path) -> None:
    """An xs:import may name a WSDL: its types are meant."""
    put(tmp_path, definitions(f"<w:types>{schema(OTHER, 'urn:other')}</w:types>"), "o.wsdl")
    loaded = whole(tmp_path, '<xs:import namespace="urn:other" schemaLocation="o.wsdl"/>')
    assert "{urn:other}Code" in loaded.schemas.maps.types
    assert loaded.warnings == ()


def test_import_of_another_namespace(tmp_path: Path) -> None:
    """The namespace that the imported file really has counts, and that is told."""
    put(tmp_path, schema(OTHER, "urn:other"), "o.xsd")
    loaded = whole(tmp_path, '<xs:import namespace="urn:wrong" schemaLocation="o.xsd"/>')
    assert loaded.warnings == ("rents.wsdl:4: o.xsd is of the namespace urn:other, not urn:wrong",)
    assert "{urn:other}Code" in loaded.schemas.maps.types


def test_import_of_the_own_namespace(tmp_path: Path) -> None:
    """An import of the own namespace is an include."""
    put(tmp_path, schema(OTHER, "urn:rents"), "r.xsd")
    loaded = whole(tmp_path, '<xs:import namespace="urn:rents" schemaLocation="r.xsd"/>')
    assert loaded.warnings == ("rents.wsdl:4: r.xsd is of the schema's own namespace; taken as an include",)
    assert "{urn:rents}Code" in loaded.schemas.maps.types


def test_chameleon(tmp_path: Path) -> None:
    """A schema without a namespace takes that of each who includes it, its references too."""
    content = f'{OTHER}<xs:element name="Of" type="Code"/>'
    put(tmp_path, schema(content), "c.xsd")
    put(tmp_path, schema('<xs:include schemaLocation="c.xsd"/>', "urn:other"), "o.xsd")
    loaded = whole(
        tmp_path,
        '<xs:include schemaLocation="c.xsd"/><xs:import namespace="urn:other" schemaLocation="o.xsd"/>',
    )
    assert loaded.warnings == ()
    for namespace in ("urn:rents", "urn:other"):
        assert loaded.schemas.maps.elements[f"{{{namespace}}}Of"].type.name == f"{{{namespace}}}Code"


def test_include_of_another_namespace(tmp_path: Path) -> None:
    """An include of another namespace is an import."""
    put(tmp_path, schema(OTHER, "urn:other"), "o.xsd")
    loaded = whole(tmp_path, '<xs:include schemaLocation="o.xsd"/>')
    assert loaded.warnings == ("rents.wsdl:4: the included o.xsd is of the namespace urn:other; taken as an import",)


def test_include_of_nothing(tmp_path: Path) -> None:
    """An include that names no file is left out."""
    loaded = whole(tmp_path, "<xs:include/>")
    assert loaded.warnings == ("rents.wsdl:4: the include names no schemaLocation; it is left out",)


def test_include_of_what_is_not_there(tmp_path: Path) -> None:
    """An include that leads nowhere is an error."""
    with pytest.raises(WsdlError, match=r"^rents\.wsdl:4 needs a\.xsd, which is not there"):
        whole(tmp_path, '<xs:include schemaLocation="a.xsd"/>')


def test_inline_namespaces(tmp_path: Path) -> None:
    """An import without a place finds the namespace among the WSDL's own schemas, whatever their order."""
    schemas = SCHEMA.replace('qualified">', 'qualified"><xs:import namespace="urn:other"/>') + schema(
        OTHER, "urn:other"
    )
    loaded = load(put(tmp_path, wsdl(schemas)))
    assert loaded.warnings == ()


def test_known_namespace_without_its_file(tmp_path: Path) -> None:
    """An import whose file is not there does with what is known of its namespace, and that is told."""
    head = '<xs:import namespace="urn:other" schemaLocation="gone.xsd"/>'
    schemas = SCHEMA.replace('qualified">', f'qualified">{head}') + schema(OTHER, "urn:other")
    loaded = load(put(tmp_path, wsdl(schemas)))
    assert loaded.warnings == ("rents.wsdl:3: gone.xsd is not there; what is known of its namespace is taken",)


def test_import_of_what_is_not_there(tmp_path: Path) -> None:
    """An import that leads nowhere is an error."""
    with pytest.raises(WsdlError, match=r"^rents\.wsdl:4 needs gone\.xsd, which is not there"):
        whole(tmp_path, '<xs:import namespace="urn:other" schemaLocation="gone.xsd"/>')


@pytest.mark.parametrize("location", ["", 'schemaLocation="http://www.w3.org/2001/xml.xsd"', 'schemaLocation="x.xsd"'])
def test_xml_namespace(location: str, tmp_path: Path) -> None:
    """The attributes of XML itself are always known, and always the same."""
    put(tmp_path, "not even XML", "x.xsd")
    head = f'<xs:import namespace="{XML}" {location}/>'
    attribute = '<xs:complexType name="Note"><xs:attribute ref="xml:lang"/></xs:complexType>'
    loaded = whole(tmp_path, head + attribute)
    assert getattr(loaded.schemas.maps.types["{urn:rents}Note"], "attributes", {}).keys() == {f"{{{XML}}}lang"}
    assert loaded.warnings == ()


def test_built_in_namespace(tmp_path: Path) -> None:
    """An import of XML Schema itself is nothing to be read."""
    loaded = whole(tmp_path, f'<xs:import namespace="{XSD}" schemaLocation="http://a.test/XMLSchema.xsd"/>')
    assert loaded.warnings == ()


def test_schema_of_schemas(tmp_path: Path) -> None:
    """A WSDL that carries the schema of schemas does not need it."""
    loaded = load(put(tmp_path, wsdl(SCHEMA + schema("", XSD))))
    assert loaded.warnings == ()


def test_well_known_without_import(tmp_path: Path) -> None:
    """A well-known namespace may be used without being imported; that is told."""
    loaded = whole(tmp_path, SOAP_ARRAY)
    assert loaded.warnings == (
        "rents.wsdl:3: the namespace http://schemas.xmlsoap.org/soap/encoding/ is used but not imported; it is now",
    )


def test_well_known_part(tmp_path: Path) -> None:
    """A part of a well-known type brings its schema."""
    part = '<w:part name="list" type="e:Array" xmlns:e="http://schemas.xmlsoap.org/soap/encoding/"/>'
    rpc = BINDING.replace('"document"', '"rpc"')
    messages = f'<w:message name="AskIn">{part}</w:message><w:message name="AskOut"/>'
    loaded = load(put(tmp_path, wsdl("", messages=messages, binding=rpc)))
    assert loaded.bound[0].input.parts[0].type == "{http://schemas.xmlsoap.org/soap/encoding/}Array"


def test_well_known_by_its_address(tmp_path: Path) -> None:
    """A well-known schema may be named by its address alone."""
    head = '<xs:import namespace="urn:odd" schemaLocation="http://www.w3.org/2006/03/addressing/ws-addr.xsd"/>'
    assert "{http://www.w3.org/2005/08/addressing}To" in whole(tmp_path, head).schemas.maps.elements


def test_beside(tmp_path: Path) -> None:
    """An import without a place finds the schema in the WSDL's folder, and that is told."""
    put(tmp_path, schema(OTHER, "urn:other"), "o.xsd")
    loaded = whole(tmp_path, '<xs:import namespace="urn:other"/>')
    assert loaded.warnings == ("o.xsd is taken for the namespace urn:other, which rents.wsdl imports from nowhere",)


def test_nothing_known(tmp_path: Path) -> None:
    """An import of which nothing is known is no error by itself."""
    loaded = whole(tmp_path, '<xs:import namespace="urn:other"/>')
    assert loaded.warnings == ("rents.wsdl:4: nothing is known of the imported namespace urn:other",)


def test_higher_folder(tmp_path: Path) -> None:
    """A file named from a higher folder is found, and that is told."""
    put(tmp_path, schema(ELEMENTS, "urn:rents"), "r.xsd")
    head = '<xs:schema><xs:import namespace="urn:rents" schemaLocation="r.xsd"/></xs:schema>'
    loaded = load(put(tmp_path, wsdl(head), "deep/rents.wsdl"), tmp_path)
    assert loaded.warnings == ("deep/rents.wsdl:3: r.xsd is not there; the one in a higher folder is taken",)
    assert loaded.name == "deep/rents.wsdl"
