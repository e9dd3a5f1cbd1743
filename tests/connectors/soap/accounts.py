"""A second rent service as a plan, invented: it knows the same business by other names than `samples.py`."""

from typing import Any

from connectors.soap.plan import Field, Message, Operation, Schema, TypeRef
from connectors.soap.target import DECODE, BridgeTarget, SoapTarget
from tests.connectors.soap.samples import DECIMAL, GET_BALANCE, TEXT
from tests.connectors.soap.samples import SCHEMA as CONTRACT
from tests.connectors.soap.samples import complex_type as of

SPACE = "urn:example:accounts"


def field(key: str, type: TypeRef = TEXT, least: int = 1, most: int | None = 1) -> Field:
    return Field(f"{{{SPACE}}}{key}", key, type, least, most)


TYPES = (
    of(field("account")),
    of(field("balance", DECIMAL), field("charge", DECIMAL, 0, None)),
    of(field("AccountNo"), field("ticket", least=0)),
    of(field("Key")),
)
SCHEMA = Schema(TYPES, ((SPACE, "n0"),))
SESSION = field("Session", 3)
FETCH = Operation(
    name="Fetch",
    service="Accounts",
    port="Accounts",
    address="http://accounts.example/Accounts",
    version="1.2",
    action="urn:example:accounts#Fetch",
    input=Message((field("Fetch", 0),), headers=(SESSION,)),
    output=Message((field("Fetched", 1),), headers=(SESSION,)),
    faults=(("NoSuchAccount", field("NoSuchAccountDetail", 2)), ("NotFound", field("NotFoundDetail", 2))),
)


def bridge(faults: tuple[tuple[str, str], ...] = (), operation: Operation = GET_BALANCE, **how: Any) -> BridgeTarget:
    """GetBalance, answered by Fetch."""
    given: dict[str, Any] = {"request": {"account": "body.AccountNo"}, "response": "{Amount: balance}", **how}
    given["faults"] = tuple((name, 422) for name, _ in faults)
    decode = given.pop("decode", DECODE)
    return BridgeTarget(operation, CONTRACT, SoapTarget(FETCH)._replace(**given), faults, decode)
