"""From schemas to plans: what xmlschema knows, written down as the codec needs it."""

import pickle

import pytest
from xmlschema import XMLSchema10

from connectors.soap.plan import ANY_TYPE, Complex, Field, Group, Schema, Wild
from connectors.soap.schema import Compiler
from connectors.soap.words import SOAP_ENCODING
from connectors.soap.xmltext import XSD, namespace
from tests.support.soap import MANY, MAYBE, Typed, choice, of, one, sequence, typed

ARRAYS = f"""<xs:import namespace="{SOAP_ENCODING}"/>
<xs:complexType name="Array"><xs:complexContent><xs:restriction base="soapenc:Array" xmlns:soapenc="{SOAP_ENCODING}">
%s</xs:restriction></xs:complexContent></xs:complexType><xs:element name="root" type="t:Array"/>"""
ARRAY_TYPE = '<xs:attribute ref="soapenc:arrayType" xmlns:w="http://schemas.xmlsoap.org/wsdl/" w:arrayType="%s"/>'


def plan(codec: Typed) -> Complex:
    """The plan of the element's type."""
    assert isinstance(codec.field.type, int)
    return codec.schema.types[codec.field.type]


def content(codec: Typed) -> Group:
    found = plan(codec).content
    assert found is not None
    return found


def test_a_plan_is_plain_data() -> None:
    """It goes to another process as it is, and the same schema gives the same plan."""
    xsd = sequence(one("a", "xs:int", MANY), '<xs:any namespace="urn:b urn:a ##local" minOccurs="0"/>')
    schema = of(xsd).schema
    assert pickle.loads(pickle.dumps(schema)) == schema == of(xsd).schema


def test_an_element_is_a_field() -> None:
    """Its name, its key, how often it comes, whether it may be nil, its default and fixed values."""
    codec = of(
        sequence(
            one("a", "xs:int", 'nillable="true" minOccurs="0" maxOccurs="5" default="1"'),
            one("b", "xs:int", 'fixed="2"'),
        )
    )
    first, second = content(codec).parts
    assert isinstance(first, Field)
    assert isinstance(second, Field)
    assert first._replace(type=ANY_TYPE) == Field("{urn:t}a", "a", ANY_TYPE, 0, 5, nillable=True, default="1")
    assert (second.least, second.most, second.fixed) == (1, 1, "2")


def test_types_are_compiled_once() -> None:
    """A type that is used twice, or within itself, has one place."""
    codec = of(
        sequence(one("a", "t:T"), one("b", "t:T")),
        more=f'<xs:complexType name="T">{sequence(one("t", "t:T", MAYBE))}</xs:complexType>',
    )
    assert len(codec.schema.types) == 2


def test_unknown_names_are_key_errors() -> None:
    """The caller knows which file to name."""
    compiler = of("").compiler
    for ask in (compiler.element, compiler.type_named):
        with pytest.raises(KeyError):
            ask("{urn:t}nothing")


def test_parts_of_rpc_messages_have_no_namespace() -> None:
    """Named by the part, of a type of the schema or of any."""
    compiler = typed(f'<xs:complexType name="T"/>{one("root", "t:T")}').compiler
    assert compiler.part("p", "{urn:t}T") == Field("p", "p", 0)
    assert compiler.part("q", f"{{{XSD}}}anyType") == Field("q", "q", ANY_TYPE)


def test_groups_are_taken_as_they_are() -> None:
    """Sequences, choices, all, named groups, with their occurrence."""
    named = f'<xs:group name="g">{choice(one("b"), one("c"))}</xs:group>'
    codec = of(sequence(one("a"), '<xs:group ref="t:g" minOccurs="0" maxOccurs="3"/>', occurs=MAYBE), more=named)
    codec.same({"a": "x", "$items": [{"b": "1"}, {"c": "2"}, {"b": "3"}]})
    codec.same({"$items": []})
    assert (content(codec).kind, content(codec).least) == ("sequence", 0)
    assert content(of(f"<xs:all>{one('a')}</xs:all>")).kind == "all"


def test_what_may_never_come_is_left_out() -> None:
    """maxOccurs="0" is as good as absent."""
    codec = of(sequence(one("a"), one("b", "xs:int", 'minOccurs="0" maxOccurs="0"')))
    assert [part.key for part in content(codec).parts if isinstance(part, Field)] == ["a"]


def test_a_branch_may_be_nothing() -> None:
    """A choice with an empty branch is optional; one with a prohibited branch is not."""
    codec = of(choice(one("a"), sequence()))
    assert codec.same({}) == "<n0:root></n0:root>"
    codec.same({"a": "x"})
    assert of(choice(one("a"), one("b", "xs:int", 'minOccurs="0" maxOccurs="0"'))).problems({}) != []


@pytest.mark.parametrize("inside", ["", sequence(), sequence(sequence())])
def test_a_type_without_content(inside: str) -> None:
    """Nothing, an empty sequence and a sequence of nothing are the same."""
    assert plan(of(inside)).content is None


def test_wildcards() -> None:
    """The namespaces they let in, in a fixed order."""
    codec = of(
        sequence(
            '<xs:any processContents="strict" namespace="urn:b urn:a ##local ##targetNamespace" minOccurs="0"/>',
            one("x"),
            '<xs:any processContents="strict" maxOccurs="unbounded" namespace="##other"/>',
        )
    )
    first, _, last = content(codec).parts
    assert isinstance(last, Wild)
    assert first == Wild(("", "urn:a", "urn:b", "urn:t"), 0, 1, "urn:t", only=("{urn:t}root",))
    assert last._replace(only=None) == Wild(("##other",), 1, None, "urn:t")
    assert {namespace(name) for name in last.only or ()} == {XSD}


def test_wildcards_that_do_not_ask() -> None:
    """Lax ones, those that skip, and those that say nothing (.NET's) let in elements that nobody declares."""
    said = ('processContents="lax"', 'processContents="skip"', "")
    first, _, second, _, third = content(
        of(sequence(f"<xs:any {said[0]}/>", one("x"), f"<xs:any {said[1]}/>", one("y"), f"<xs:any {said[2]}/>"))
    ).parts
    assert first == second == third == Wild(target="urn:t")


STRICT = 'processContents="strict"'


def test_wildcards_share_what_they_ask_for() -> None:
    """The same names are held once, however many wildcards ask for them: a plan is sent to another process."""
    anything = sequence(f'<xs:any {STRICT} minOccurs="0"/>') + f"<xs:anyAttribute {STRICT}/>"
    inner = f'<xs:element name="inner"><xs:complexType>{anything}</xs:complexType></xs:element>'
    outer, other = of(sequence(inner, f"<xs:any {STRICT}/>"), f"<xs:anyAttribute {STRICT}/>").schema.types
    assert outer.content is not None
    assert other.content is not None
    assert outer.any_attribute is other.any_attribute
    first, second = outer.content.parts[1], other.content.parts[0]
    assert isinstance(first, Wild)
    assert isinstance(second, Wild)
    assert first.only is second.only
    assert (first.least, second.least) == (1, 0)


@pytest.mark.parametrize("process", ["strict", "lax", "skip"])
def test_wildcards_for_attributes(process: str) -> None:
    """Their namespaces, and the global attributes they hold; those that skip hold none."""
    wild = f'<xs:anyAttribute namespace="##targetNamespace" processContents="{process}"/>'
    found = plan(of("", wild, '<xs:attribute name="unit" type="xs:int" fixed="1"/>')).any_attribute
    assert found is not None
    assert (found.namespaces, found.target, found.strict) == (("urn:t",), "urn:t", process == "strict")
    declared = [("{urn:t}unit", "integer", "1")] if process != "skip" else []
    assert [(each.name, each.type.kind, each.fixed) for each in found.declared] == declared


SUBSTITUTES = f"""<xs:element name="head" type="xs:string" %s/>
<xs:element name="z" type="xs:string" substitutionGroup="t:head"/>
<xs:element name="b" type="xs:string" substitutionGroup="t:head" abstract="true"/>
<xs:element name="c" type="xs:string" substitutionGroup="t:b"/>
<xs:element name="root"><xs:complexType>{sequence("<xs:element ref='t:head' %s/>", one("end", "xs:int", MAYBE))}
</xs:complexType></xs:element>"""


def test_substitution_groups_are_choices() -> None:
    """The head, unless it is abstract, or those that stand for it, at any level; in a fixed order."""
    codec = typed(SUBSTITUTES % ("", ""))
    for key in ("head", "z", "c"):
        codec.same({key: "x", "end": 1})
    assert codec.problems({}) == [("", "needs one of head, c, z")]
    abstract = typed(SUBSTITUTES % ('abstract="true"', 'minOccurs="0"'))
    abstract.same({"c": "x"})
    abstract.same({})
    assert [each.pointer for each in abstract.problems({"head": "x"})] == ["/head"]


def test_repeated_substitutes_are_a_list() -> None:
    """Several of a substitution group stand in `$items`."""
    typed(SUBSTITUTES % ("", MANY)).same({"$items": [{"c": "x"}, {"head": "y"}], "end": 1})


def test_an_abstract_element_without_substitutes_cannot_come() -> None:
    """It is left out of the content."""
    codec = typed(
        f"""<xs:element name="head" type="xs:string" abstract="true"/><xs:element name="root"><xs:complexType>
        {sequence('<xs:element ref="t:head"/>', one("a"))}</xs:complexType></xs:element>"""
    )
    assert [part.key for part in content(codec).parts if isinstance(part, Field)] == ["a"]


def test_derived_types_are_listed_but_for_abstract_ones() -> None:
    """Extensions and restrictions, at any level, whatever they are derived through."""
    derived = (
        '<xs:complexType name="{}" {}><xs:complexContent><xs:{} base="t:{}"/></xs:complexContent></xs:complexType>'
    )
    codec = typed(
        '<xs:complexType name="Base"/>'
        + derived.format("A", 'abstract="true"', "extension", "Base")
        + derived.format("B", "", "extension", "A")
        + derived.format("C", "", "restriction", "Base")
        + one("root", "t:Base")
    )
    assert [(each.name, each.word) for each in plan(codec).derived] == [("{urn:t}B", "B"), ("{urn:t}C", "C")]


def test_extensions_hold_what_their_bases_hold() -> None:
    """Elements of the base first."""
    codec = typed(
        f"""<xs:complexType name="Base">{sequence(one("a"))}<xs:attribute name="x" type="xs:int"/></xs:complexType>
        <xs:complexType name="More"><xs:complexContent><xs:extension base="t:Base">{sequence(one("b"))}
        </xs:extension></xs:complexContent></xs:complexType>{one("root", "t:More")}"""
    )
    assert codec.same({"b": "1", "a": "2", "@x": 3}) == '<n0:root x="3"><n0:a>2</n0:a><n0:b>1</n0:b></n0:root>'


@pytest.mark.parametrize(
    ("inside", "name", "value"),
    [
        (ARRAY_TYPE % "xs:int[]", f"{{{XSD}}}int", [1, None]),
        (ARRAY_TYPE % "xs:int[,]", f"{{{XSD}}}int", [1]),
        (ARRAY_TYPE % "xs:int[][]", f"{{{XSD}}}int[]", [[1], [], None]),
        (ARRAY_TYPE % "xs:anyType[]", f"{{{XSD}}}anyType", ["x", 1]),
        (sequence(one("it", "xs:int", MANY)), f"{{{XSD}}}int", [1]),
        ("", f"{{{XSD}}}anyType", [True]),
    ],
)
def test_encoded_arrays(inside: str, name: str, value: list[object]) -> None:
    """What an array is of is said by wsdl:arrayType, by its element, or by nobody."""
    codec = typed(ARRAYS % inside, encoded=True)
    array = plan(codec).array
    assert array is not None
    assert (array.name, array.item) == (name, "it" if inside.startswith("<xs:sequence") else "item")
    assert codec.json(codec.xml(value)) == value


def test_an_array_type_without_prefix_is_of_no_namespace() -> None:
    """Unless a default namespace is declared."""
    xsd = f"""<xs:schema xmlns:xs="{XSD}" xmlns:soapenc="{SOAP_ENCODING}">{ARRAYS % (ARRAY_TYPE % "T[]")}
        <xs:complexType name="T"/></xs:schema>""".replace("t:Array", "Array")
    compiler = Compiler(XMLSchema10(xsd, validation="lax").maps)
    compiler.element("root")
    arrays = [each.array for each in compiler.schema().types if each.array is not None]
    assert [array.name for array in arrays] == ["T"]


def test_mixed_content_is_marked() -> None:
    """Its elements are known, but XML it stays."""
    mixed = plan(typed('<xs:element name="root"><xs:complexType mixed="true"/></xs:element>'))
    assert (mixed.mixed, mixed.text, mixed.content) == (True, None, None)


def test_prefixes_are_short_and_none_is_reserved() -> None:
    """n0, n1 and so on for what the schema has; XML's own namespace needs none."""
    schema: Schema = typed(
        """<xs:element name="root"><xs:complexType><xs:sequence><xs:element ref="u:b"/></xs:sequence></xs:complexType>
        </xs:element>""",
        other=one("b"),
    ).schema
    assert dict(schema.prefixes) == {"urn:t": "n0", "urn:u": "n1"}


def test_soaps_own_simple_types_are_simple() -> None:
    """soapenc:string is a string: what it allows beside is for references."""
    codec = typed(
        f"""<xs:import namespace="{SOAP_ENCODING}"/><xs:element name="root" type="soapenc:int"
        xmlns:soapenc="{SOAP_ENCODING}"/>"""
    )
    assert codec.json('<t:root id="a">5</t:root>') == 5
