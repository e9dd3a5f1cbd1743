"""A small rent service as a plan, invented: what the tests of messages speak about."""

from connectors.soap.plan import (
    ArrayOf,
    Complex,
    Derived,
    Facets,
    Field,
    Group,
    Message,
    Operation,
    Schema,
    Simple,
    TypeRef,
)

SPACE = "urn:example:rents"
TEXT = Simple("string", "string", Facets(white_space="preserve"))
INT = Simple("integer", "int")
DECIMAL = Simple("decimal", "decimal")
DATE = Simple("verbatim", "date")


def name(local: str) -> str:
    return f"{{{SPACE}}}{local}"


def field(key: str, type: TypeRef = TEXT, least: int = 1, most: int | None = 1, *, nillable: bool = False) -> Field:
    return Field(name(key), key, type, least, most, nillable)


def complex_type(*fields: Field, called: str | None = None) -> Complex:
    return Complex(called, content=Group("sequence", fields))


LINE = 2
TYPES = (
    complex_type(field("AccountNo"), field("AsAt", DATE, 0)),
    complex_type(field("Amount", DECIMAL), field("Line", LINE, 0, None)),
    complex_type(field("Code"), field("Value", DECIMAL), called=name("Line")),
    complex_type(field("AccountNo")),
    complex_type(field("Key")),
    Complex(name("Lines"), array=ArrayOf(LINE, name("Line"))),
    complex_type(field("Part", 6, 0, None)),
)
SCHEMA = Schema(TYPES, ((SPACE, "n0"),))
ASK, REPLY, NOT_FOUND, SESSION = (
    field("GetBalance", 0),
    field("GetBalanceResponse", 1),
    field("AccountNotFound", 3),
    field("Session", 4),
)
LINES, NEST = 5, field("Nest", 6)

ASKING, REPLYING = Message((ASK,), headers=(SESSION,)), Message((REPLY,), headers=(SESSION,))
GET_BALANCE = Operation(
    name="GetBalance",
    service="Rents",
    port="RentsSoap",
    address="http://rents.example/Rents.asmx?v=2",
    version="1.1",
    action="urn:example:rents#GetBalance",
    input=ASKING,
    output=REPLYING,
    faults=(("NotFound", NOT_FOUND),),
)
RPC = Message((Field("account", "account", TEXT), Field("count", "count", INT)), wrapper=name("Count"))
ENCODED = Message((Field("lines", "lines", LINES), Field("note", "note", TEXT)), name("Add"), encoded=True)
BASE = Complex(name("Base"), derived=(Derived(name("Line"), "Line", LINE),))


def reply_xml(amount: str = "12.50", lines: str = "") -> str:
    """The content of a reply's Body."""
    return f'<r:GetBalanceResponse xmlns:r="{SPACE}"><r:Amount>{amount}</r:Amount>{lines}</r:GetBalanceResponse>'
