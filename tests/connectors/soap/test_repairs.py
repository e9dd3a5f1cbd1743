"""What is wrong in many schemas and harms nobody."""

from pathlib import Path

from lxml import etree

from connectors.soap.documents import Document
from connectors.soap.repairs import WSDL, XSD, straightened
from connectors.soap.wsdl import Wsdl, load
from tests.connectors.soap.wsdls import SCHEMA, put, schema, wsdl


def whole(folder: Path, content: str) -> Wsdl:
    """A WSDL with this in its schema."""
    return load(put(folder, wsdl(SCHEMA.replace("</xs:schema>", f"\n{content}</xs:schema>"))))


def straight(text: str, namespace: str = "urn:a") -> etree._Element:
    """A schema, straightened."""
    source, _ = straightened(Document("a.xsd", None, root := etree.fromstring(text)), root, namespace)
    return source.root


def meaning(root: etree._Element, path: str, name: str) -> str:
    """What a qualified name means at the root of its schema."""
    node = root.find(path, {"xs": XSD})
    assert node is not None
    prefix, _, local = node.get(name, "").rpartition(":")
    return f"{{{root.nsmap[prefix or None]}}}{local}"


def test_prefixes_declared_inside() -> None:
    """A prefix that means one thing here and another there means the same at the root, under other names."""
    root = straight(
        schema(
            '<xs:element name="a" xmlns:q="urn:1" type="q:T"/><xs:element name="b" xmlns:q="urn:2" type="q:T"/>'
            '<xs:element name="c" xmlns="urn:3" type="T"/><xs:element name="d" xmlns="urn:3" type="T"/>'
            '<xs:element name="e" type="a:T"/>',
            "urn:a",
            'xmlns:a="urn:a"',
        )
    )
    meanings = [meaning(root, f"xs:element[@name='{name}']", "type") for name in "abcde"]
    assert meanings == ["{urn:1}T", "{urn:2}T", "{urn:3}T", "{urn:3}T", "{urn:a}T"]


def test_prefixes_declared_around() -> None:
    """A prefix declared around the schema is declared at its root."""
    inside = schema('<xs:element type="q:T"/>', "urn:a")
    around = etree.fromstring(f'<w xmlns:q="urn:1">{inside}</w>')
    source, warnings = straightened(Document("a.wsdl", None, around), around[0], "urn:a")
    assert meaning(source.root, "xs:element", "type") == "{urn:1}T"
    assert source.root.getparent() is None
    assert warnings == []


def test_lists_and_array_types() -> None:
    """Lists of names, and the types of array items, are names as well."""
    root = straight(
        schema(
            '<xs:simpleType name="u"><xs:union xmlns:q="urn:1" memberTypes="q:A\n q:B"/></xs:simpleType>'
            f'<xs:attribute xmlns:q="urn:1" xmlns:w="{WSDL}" w:arrayType="q:A[]"/>',
            "urn:a",
        )
    )
    assert [root.find(".//{*}union").get("memberTypes"), root.nsmap["q"]] == ["q:A q:B", "urn:1"]
    assert root.find("{*}attribute").get(f"{{{WSDL}}}arrayType") == "q:A[]"


def test_identity_constraints_are_left_out() -> None:
    """What must be unique among elements says nothing about their shape."""
    key = '<xs:key name="k"><xs:selector xpath="q:a"/><xs:field xpath="@b"/></xs:key>'
    assert straight(schema(f'<xs:element name="a">{key}</xs:element>', "urn:a")).find(".//{*}key") is None


def test_undeclared_prefix(tmp_path: Path) -> None:
    """A prefix that everybody uses for XML Schema may be missing; that is told."""
    loaded = whole(tmp_path, '<xs:element name="Note" type="xsd:string"/>')
    assert loaded.warnings == ("rents.wsdl:3: the prefix xsd is not declared; its usual meaning is taken",)
    assert loaded.schemas.maps.elements["{urn:rents}Note"].type.local_name == "string"


def test_names_without_a_prefix(tmp_path: Path) -> None:
    """A name without a prefix, where none has no namespace, is of the schema's own."""
    loaded = whole(tmp_path, '<xs:element name="Note" type="T"/><xs:complexType name="T"/>')
    assert loaded.warnings == ("rents.wsdl:3: names without a prefix are taken to be of the schema's own namespace",)
    assert loaded.schemas.maps.elements["{urn:rents}Note"].type.name == "{urn:rents}T"


def test_names_without_a_namespace(tmp_path: Path) -> None:
    """Where a schema has no namespace, a name without a prefix is of that schema."""
    put(tmp_path, schema('<xs:complexType name="T"/>'), "t.xsd")
    first = SCHEMA.replace("</xs:schema>", '<xs:element name="Note" type="T"/></xs:schema>')
    other = '<xs:schema targetNamespace="urn:other"><xs:import schemaLocation="t.xsd"/></xs:schema>'
    loaded = load(put(tmp_path, wsdl(first + other)))
    assert loaded.warnings == ("rents.wsdl:3: the namespace without a name is used but not imported; it is now",)
    assert loaded.schemas.maps.elements["{urn:rents}Note"].type.name == "T"


def test_unknown_types(tmp_path: Path) -> None:
    """An element or attribute of a type that nobody declares may be anything; that is told with its line."""
    loaded = whole(
        tmp_path,
        '<xs:element name="Note" type="t:Gone"/>\n<xs:complexType name="T"><xs:attribute name="a" type="xs:Gone"/>'
        '</xs:complexType><xs:element name="Fine" type="t:T"/>',
    )
    assert loaded.warnings == (
        "rents.wsdl:8: no schema declares the type t:Gone; Note may be anything",
        "rents.wsdl:9: no schema declares the type xs:Gone; a may be anything",
    )
    assert loaded.schemas.maps.elements["{urn:rents}Note"].type.local_name == "anyType"


def test_unknown_types_where_xml_schema_has_no_prefix(tmp_path: Path) -> None:
    """The same where XML Schema is the default namespace."""
    spaces = f'xmlns="{XSD}" targetNamespace="urn:other" xmlns:o="urn:other"'
    put(tmp_path, f'<schema {spaces}><element name="a" type="o:Gone"/></schema>', "o.xsd")
    loaded = load(put(tmp_path, wsdl(SCHEMA + '<xs:schema><xs:include schemaLocation="o.xsd"/></xs:schema>')))
    assert loaded.warnings[1:] == ("o.xsd:1: no schema declares the type o:Gone; a may be anything",)
