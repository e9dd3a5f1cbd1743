"""What the library is asked and what it answers, in the JSON of the mapping rules.

The answers stand in library.json, which both servers read too; what they make of it on the wire is their own affair.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent


class Case(NamedTuple):
    """A call and its answer; None where a fault is declared for it. `header` is what old clients send beside it."""

    name: str
    operation: str
    arguments: dict[str, Any]
    answer: dict[str, Any] | None
    header: dict[str, Any] | None = None


class Dialect(NamedTuple):
    """A port of one of the WSDLs. `path` is where both servers have it."""

    path: str
    wsdl: str
    port: str
    version: str
    document: bool
    cases: tuple[Case, ...]

    @property
    def file(self) -> str:
        return str(HERE / self.wsdl)


_data = json.loads((HERE / "library.json").read_text())
_titles: list[dict[str, Any]] = _data["titles"]
_loans: dict[str, dict[str, Any]] = _data["loans"]
_items = [{key: each[key] for key in ("name", "price", "published")} for each in _titles]
_cover = bytes(at * 31 % 256 for at in range(50_000))
_image = base64.b64encode(_cover).decode()
_by_phone = {"name": "Flo Ng", "phone": "020 7946 0000"}
NOT_FOUND = {"id": 404, "reason": "no such loan", "checkedOn": "2026-03-01"}
"""The detail of the declared fault."""

CASES = (
    Case("an empty list", "FindTitles", {"text": "Zebra"}, {"titles": {"title": []}}),
    Case("a list of one", "FindTitles", {"text": "Moss"}, {"titles": {"title": _titles[:1]}}),
    Case("a list of several", "FindTitles", {"text": "North"}, {"titles": {"title": _titles[1:]}}),
    Case("everything there", "GetLoan", {"id": 7}, {"loan": _loans["7"]}),
    Case("much left out", "GetLoan", {"id": 8}, {"loan": _loans["8"]}),
    Case("a declared fault", "GetLoan", {"id": 404}, None),
    Case("everything sent", "RecordLoan", {"loan": _loans["7"]}, {"loan": _loans["7"]}),
    Case("much not sent", "RecordLoan", {"loan": _loans["8"]}, {"loan": _loans["8"]}),
    Case(
        "another choice",
        "RecordLoan",
        {"loan": _loans["8"] | {"borrower": _by_phone}},
        {"loan": _loans["8"] | {"borrower": _by_phone}},
    ),
    Case(
        "headers",
        "RenewLoan",
        {"id": 7, "until": "2026-03-28"},
        {"until": "2026-03-28"},
        header={"Counter": {"desk": "East & West"}},
    ),
    Case("bytes received", "GetCover", {"isbn": "978-0-00-000001-1"}, {"image": _image}),
    Case(
        "bytes sent",
        "PutCover",
        {"isbn": "978-0-00-000001-1", "image": _image},
        {"digest": hashlib.sha1(_cover, usedforsecurity=False).hexdigest()},
    ),
    Case("nothing asked", "OpenUntil", {}, {"at": _data["open_until"]}),
)
ENCODED = (
    Case("an empty array", "FindItems", {"text": "Zebra"}, {"items": []}),
    Case("an array of one", "FindItems", {"text": "Moss"}, {"items": _items[:1]}),
    Case("an array of several", "FindItems", {"text": "North"}, {"items": _items[1:]}),
    Case("a struct sent", "PriceItem", {"item": _items[1]}, {"price": _items[1]["price"]}),
)
DIALECTS = (
    Dialect("loans", "loans.wsdl", "Loans11", "1.1", True, CASES),
    Dialect("loans12", "loans.wsdl", "Loans12", "1.2", True, CASES),
    Dialect("loans-rpc", "loans-rpc.wsdl", "LoansRpc", "1.1", False, CASES),
    Dialect("loans-encoded", "loans-encoded.wsdl", "LoansEncoded", "1.1", False, ENCODED),
)


def operations(dialect: Dialect) -> list[str]:
    """The names of a dialect's operations, once each."""
    return list(dict.fromkeys(each.operation for each in dialect.cases))
