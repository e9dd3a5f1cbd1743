"""The rents contract in SOAP: three operations, and the WSDL that describes them. Both are invented.

The legacy system and its replacement keep the same contract, so they share this module: bytes in, status and bytes
out. What differs between them is who answers, and how fast.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from gateway.demo import council
from gateway.demo.soap import Field, Message, SoapFault, read, write, write_fault

NAMESPACE = "urn:fernshire:rents"
_AMOUNT = re.compile(r"([0-9]{1,6})\.([0-9]{2})")
_WSDL = Path(__file__).with_name("rents.wsdl")

Arguments = Mapping[str, str]
Operation = Callable[[Arguments], tuple[Field, ...] | None]


class Answer(NamedTuple):
    """What an HTTP answer is made of."""

    status: int
    content_type: str
    body: bytes


def answer(body: bytes) -> Answer:
    """The answer to a SOAP request: a result, or a fault in the request's envelope version."""
    try:
        message = read(body)
        result = _call(message)
    except SoapFault as fault:
        return Answer(*_faulted(fault))
    content = write(message.version, NAMESPACE, f"{message.operation}Response", result)
    return Answer(200, message.version.content_type, content)


def wsdl(address: str) -> bytes:
    """The description of the service at this address."""
    return _WSDL.read_text(encoding="utf-8").replace("ADDRESS", escape(address, {'"': "&quot;"})).encode()


def get_balance(arguments: Arguments) -> tuple[Field, ...] | None:
    """What an account owes."""
    balance = council.balance(arguments.get("AccountNo", ""))
    if balance is None:
        return None
    return ("AccountNo", balance.account), ("AsAt", balance.as_at), ("Amount", council.pounds(balance.pence))


def list_charges(arguments: Arguments) -> tuple[Field, ...] | None:
    """What an account is charged each week."""
    account = arguments.get("AccountNo", "")
    charges = council.charges(account)
    if charges is None:
        return None
    lines: tuple[Field, ...] = tuple(
        ("Charge", (("Code", one.code), ("Label", one.label), ("Amount", council.pounds(one.pence)))) for one in charges
    )
    return ("AccountNo", account), ("Charges", lines)


def record_payment(arguments: Arguments) -> tuple[Field, ...] | None:
    """The receipt of a payment."""
    receipt = council.payment(arguments.get("AccountNo", ""), _pence(arguments.get("Amount", "")))
    if receipt is None:
        return None
    return (
        ("AccountNo", receipt.account),
        ("Reference", receipt.reference),
        ("Amount", council.pounds(receipt.pence)),
    )


OPERATIONS: dict[str, Operation] = {
    "GetBalance": get_balance,
    "ListCharges": list_charges,
    "RecordPayment": record_payment,
}


def _call(message: Message) -> tuple[Field, ...]:
    operation = OPERATIONS.get(message.operation) if message.namespace == NAMESPACE else None
    if operation is None:
        known = ", ".join(OPERATIONS)
        raise SoapFault(
            f"no operation {message.operation!r} in {NAMESPACE}; there are {known}", version=message.version
        )
    try:
        result = operation(message.arguments)
    except ValueError as error:
        raise SoapFault(str(error), version=message.version) from error
    if result is None:
        raise SoapFault(f"no account {message.arguments.get('AccountNo', '')!r}", version=message.version)
    return result


def _faulted(fault: SoapFault) -> tuple[int, str, bytes]:
    status, content = write_fault(fault)
    return status, fault.version.content_type, content


def _pence(amount: str) -> int:
    found = _AMOUNT.fullmatch(amount)
    if not found:
        raise ValueError(f"{amount!r} is not an amount; write pounds and pence as 12.50")
    return int(found[1]) * 100 + int(found[2])
