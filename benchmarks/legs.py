"""Three legs on which a WSDL's messages are tried: there and back, by the schema's own judgement, and beside zeep.

Values are made from the plan, every one is written as XML, and each leg says of each value whether it held, why it does
not count, or what was wrong.
"""

import importlib.resources
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import zeep.exceptions
from lxml import etree

from benchmarks.agreeing import Walk
from benchmarks.tidying import tidied
from connectors.soap.bound import Bound, Part
from connectors.soap.codec import Codec, needs_names
from connectors.soap.documents import Library
from connectors.soap.envelope import Frame, opened
from connectors.soap.linking import Linked, Linker
from connectors.soap.plan import Field, Message, Schema
from connectors.soap.problems import Invalid
from connectors.soap.repairs import XML
from connectors.soap.schema import Compiler
from connectors.soap.service import fields
from connectors.soap.words import JSON
from connectors.soap.wsdl import Wsdl, compiled_by_zeep, load
from connectors.soap.xmltext import XSD, XmlRefused, local, namespace
from tests.support.generated import OTHER, Generator

LEGS = ("there and back", "valid", "as zeep reads it")
PARTS = "urn:example:parts"
ANYTHING_GOES = f"""<xs:schema xmlns:xs="{XSD}" targetNamespace="{OTHER}">
<xs:element name="any" type="xs:string"/><xs:attribute name="note" type="xs:string"/></xs:schema>"""


class Piece(NamedTuple):
    """An element of an operation's messages, as a message of its own; `where` is what it is called there."""

    where: str
    part: Part
    message: Message

    @property
    def field(self) -> Field:
        return self.message.parts[0]


class Outcome(NamedTuple):
    """What one leg says of one operation: it held, it does not count (`excluded` tells why), or it failed.

    `left_out` are the causes for which some of its values did not count, and how many.
    """

    operation: str
    leg: str
    values: int
    failure: str | None = None
    excluded: str | None = None
    left_out: tuple[tuple[str, int], ...] = ()


class Excluded(str):
    """Why a value does not count on a leg."""

    __slots__ = ()


class Unreadable(str):
    """Why zeep could not read a value."""

    __slots__ = ()


def outcomes(path: Path, root: Path) -> Iterator[Outcome]:
    """What the legs say of each operation of a WSDL."""
    wsdl = load(path, root)
    compiler = Compiler(wsdl.schemas.maps)
    operations = [(f"{each.port}.{each.operation}", list(pieces(each, compiler))) for each in wsdl.bound]
    schema = compiler.schema()
    legs = Legs(wsdl, root, schema, [piece for _, own in operations for piece in own])
    generator = Generator(schema)
    for name, own in operations:
        legs.passed.clear()
        for outcome in judged(name, own, generator, legs):
            in_part = tuple((f"in part: {cause}", count) for cause, count in legs.passed.items())
            yield outcome._replace(left_out=outcome.left_out + in_part) if outcome.leg == LEGS[2] else outcome


def pieces(bound: Bound, compiler: Compiler) -> Iterator[Piece]:
    """Every element that messages of an operation are made of."""
    for where, body in (("input", bound.input), ("output", bound.output)):
        if body is not None:
            for part, field in zip(body.parts, fields(body.parts, compiler), strict=True):
                encoded = body.use == "encoded"
                wrapper = f"{{{body.namespace or PARTS}}}wrapper" if encoded else None
                yield Piece(f"{where} {field.key}", part, Message((field,), wrapper, encoded=encoded))
            for part, field in zip(body.headers, fields(body.headers, compiler), strict=True):
                yield Piece(f"{where} header {field.key}", part, Message((field,)))
    for fault in bound.faults:
        yield Piece(f"fault {fault.name}", fault.part, Message(fields([fault.part], compiler)))


def judged(name: str, own: list[Piece], generator: Generator, legs: "Legs") -> Iterator[Outcome]:
    """What the legs say of one operation: a failure counts before an exclusion, and that only if no value held."""
    held, failed = Counter[str](), dict[str, str]()
    excluded = {leg: Counter[str]() for leg in LEGS}
    for piece in own:
        values = list(generator.values(piece.field))
        for value in values:
            for leg, verdict in legs.judge(piece, value):
                if verdict is None:
                    held[leg] += 1
                elif isinstance(verdict, Excluded):
                    excluded[leg][verdict] += 1
                else:
                    failed.setdefault(leg, f"{piece.where}: {verdict}")
        for leg in () if values else LEGS:
            excluded[leg]["no finite value of an element is known"] += 1
    for leg in LEGS:
        cause = None if held[leg] or leg in failed else next(iter(excluded[leg]), "nothing in its messages")
        yield Outcome(name, leg, held[leg], failed.get(leg), cause, tuple(excluded[leg].items()) if not cause else ())


class Legs:
    """The judges of one WSDL's messages."""

    def __init__(self, wsdl: Wsdl, root: Path, schema: Schema, own: list[Piece]) -> None:
        linked = Linker(library := Library(root)).link(library.open(wsdl.path))
        self._schema = schema
        self._codec = Codec(schema)
        self._frames = {encoded: Frame("1.1", schema, encoded=encoded) for encoded in (False, True)}
        self._typed = list(dict.fromkeys(each.part.type for each in own if each.part.type))
        self._valid: etree.XMLSchema | Excluded = compiled_by_lxml(linked, self._typed)
        self._zeep = compiled_by_zeep(linked)
        self._walk = Walk(schema)
        self.passed = Counter[str]()
        self._substitutes = {each.name for group in wsdl.schemas.maps.substitution_groups.values() for each in group}

    def judge(self, piece: Piece, value: JSON) -> Iterator[tuple[str, "str | Excluded | None"]]:
        """For each leg None where it held, why it does not count, or what was wrong."""
        message = piece.message
        try:
            body = self._codec.encode(message, {piece.field.key: value} if message.encoded else value)
        except Invalid as invalid:
            yield LEGS[0], f"writing: {invalid}"
            return
        data = self._frames[message.encoded].around(body)
        yield LEGS[0], self._there_and_back(piece, value, data)
        found = etree.fromstring(data)[0][0]
        root = etree.fromstring(etree.tostring(found[0] if message.encoded else found, encoding="utf-8"))
        as_zeep = self._as_zeep(piece, value, root)
        valid = Excluded("encoded messages have no schema") if message.encoded else self._validated(piece, root)
        yield LEGS[1], valid
        unreadable = isinstance(as_zeep, Unreadable) and valid is None
        yield LEGS[2], Excluded(f"zeep cannot read what lxml finds valid ({as_zeep})") if unreadable else as_zeep

    def _there_and_back(self, piece: Piece, value: JSON, data: bytes) -> str | None:
        message = piece.message
        try:
            body = opened(data, names=needs_names(self._schema, message)).body
            back, problems = self._codec.decode(message, body)
        except (XmlRefused, Invalid) as error:
            return f"reading: {error}"
        if problems:
            return f"reading: {problems[0].pointer or '/'} {problems[0].reason}"
        ours = {piece.field.key: value} if message.encoded else value
        return None if back == ours else first_difference(ours, back)

    def _validated(self, piece: Piece, root: etree._Element) -> str | Excluded | None:
        if isinstance(self._valid, Excluded):
            return self._valid
        if piece.part.type is not None:
            root.tag = f"{{{PARTS}}}p{self._typed.index(piece.part.type)}"
        if self._valid.validate(root):
            return None
        error = self._valid.error_log[0]
        return f"{error.message} (line {error.line}, {error.type_name})"

    def _as_zeep(self, piece: Piece, value: JSON, root: etree._Element) -> str | Excluded | None:
        walk, types = self._walk, self._zeep.types
        walk.passed.clear()
        try:
            if piece.part.element is not None:
                theirs = types.get_element(piece.part.element).parse(root, types)
            else:
                theirs = types.get_type(piece.part.type).parse_xmlelement(root, types)
        except (zeep.exceptions.Error, ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
            if any(each.tag in self._substitutes for each in root.iter()):
                return Excluded("a substitution group, which zeep does not model")
            return Unreadable(f"{type(error).__name__}: {error}")
        found = next(walk.compare(piece.field.type, value, theirs), None)
        self.passed.update(walk.passed)
        return None if found is None else str(found)


def first_difference(ours: JSON, back: JSON, at: str = "") -> str:
    """Where a value that came back is not what was sent."""
    if isinstance(ours, dict) and isinstance(back, dict) and ours.keys() == back.keys():
        return next(first_difference(ours[key], back[key], f"{at}/{key}") for key in ours if ours[key] != back[key])
    if isinstance(ours, list) and isinstance(back, list) and len(ours) == len(back):
        pairs = zip(ours, back, strict=True)
        return next(first_difference(*pair, f"{at}/{n}") for n, pair in enumerate(pairs) if pair[0] != pair[1])
    return f"{at or '/'}: {ours!r:.100} came back as {back!r:.100}"


def compiled_by_lxml(linked: Linked, typed: list[str]) -> "etree.XMLSchema | Excluded":
    """The schemas as lxml takes them: a file each, one per namespace that includes them, and one that imports all."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files(linked, typed).items():
            Path(folder, name).write_text(text)
        try:
            return etree.XMLSchema(etree.parse(Path(folder, "all.xsd")))
        except (etree.XMLSchemaParseError, etree.XMLSyntaxError) as error:
            return Excluded(f"lxml does not compile its schema ({' '.join(str(error).split())[:160]})")


def files(linked: Linked, typed: list[str]) -> Mapping[str, str]:
    xml = importlib.resources.files("xmlschema") / "schemas" / "XML" / "xml.xsd"
    made = {"xml.xsd": xml.read_text(), "other.xsd": ANYTHING_GOES}
    hubs: dict[str, list[str]] = {}
    for number, source in enumerate(tidied(each for each in linked.schemas if each.namespace != XML)):
        made[f"{number}.xsd"] = etree.tostring(source.root, encoding="unicode")
        hubs.setdefault(source.namespace, []).append(f"{number}.xsd")
    imports = [(XML, "xml.xsd"), (OTHER, "other.xsd")]
    for number, (space, names) in enumerate(hubs.items()):
        included = "".join(f'<xs:include schemaLocation="{name}"/>' for name in names)
        target = f' targetNamespace="{space}"' if space else ""
        made[f"hub{number}.xsd"] = f'<xs:schema xmlns:xs="{XSD}"{target}>{included}</xs:schema>'
        imports.append((space, f"hub{number}.xsd"))
    made["all.xsd"] = "".join(
        [
            f'<xs:schema xmlns:xs="{XSD}" targetNamespace="{PARTS}">',
            *(
                f'<xs:import{f" namespace={chr(34)}{n}{chr(34)}" if n else ""} schemaLocation="{f}"/>'
                for n, f in imports
            ),
            *(
                f'<xs:element name="p{number}" type="t:{local(name)}" xmlns:t="{namespace(name)}"/>'
                for number, name in enumerate(typed)
            ),
            "</xs:schema>",
        ]
    )
    return made
