"""What the tenants of the demo ask for: reads and writes, REST and SOAP.

A call knows which route should take it and a piece of text that only the right answer contains, so an answer that was
meant for somebody else, or came from nowhere, is found out. Who asks for a balance knows what it should be.
"""

import json
from collections.abc import Callable
from random import Random
from typing import NamedTuple
from xml.sax.saxutils import escape

from gateway.demo import council
from gateway.demo.rents_soap import NAMESPACE
from gateway.demo.serving import TENANCY_COOKIE
from gateway.demo.soap import SOAP_11, SOAP_12, Version, write

OK, CREATED, GONE = 200, 201, 410


class Call(NamedTuple):
    """One request: the route that should take it, the request, and what the right answer looks like.

    `amount` is the balance that it should tell, b"" for other calls.
    """

    route: str
    method: str
    path: str
    proof: bytes
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    status: int = OK
    amount: bytes = b""

    def message(self, authority: str, tenancy: str) -> bytes:
        """The request as bytes, asked of this host by this tenancy."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {authority}", f"Cookie: {TENANCY_COOKIE}={tenancy}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.method == "POST":
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


Ask = Callable[[council.Tenancy, Random], Call]
"""What a tenant asks for, drawn from this source of chance."""


def page(home: council.Tenancy, chance: Random) -> Call:
    """An old page of the back office, or the tenancy's own."""
    if chance.random() < 0.5:
        return Call("housing", "GET", f"/housing/tenancies/{home.id}", home.tenant.encode())
    name = chance.choice(("opening-hours", "contacts", "allocations/points"))
    return Call("housing", "GET", f"/housing/{name}", name.replace("/", " ").encode())


def repair_list(home: council.Tenancy, _: Random) -> Call:
    return Call("repairs-list", "GET", "/housing/repairs", home.id.encode())


def repair_detail(home: council.Tenancy, chance: Random) -> Call:
    id = chance.choice(council.repairs(home.id) or ()).id
    return Call("repair-detail", "GET", f"/housing/repairs/{id}", id.encode())


LOFTS = 0.005
"""The part of reports that are about lofts, which new does not know."""


def repair_report(home: council.Tenancy, chance: Random) -> Call:
    rooms = ("loft",) if chance.random() < LOFTS else ("roof", "porch", "garage", "shed", "hall", "kitchen")
    report = {"fault": "Gutter overflows", "room": chance.choice(rooms)}
    return _json("repair-report", "/housing/repairs", report, home.id, CREATED)


def tenancy_search(_: council.Tenancy, chance: Random) -> Call:
    street = chance.choice(("Alder Row", "Mill Terrace", "Station Road"))
    return _json("tenancy-search", "/housing/tenancies/search", {"street": street}, street)


def rent_balance(home: council.Tenancy, _: Random) -> Call:
    path, proof = f"/rents/{home.account}/balance", home.account.encode()
    return Call("rent-balance", "GET", path, proof, amount=_owed(home))


def rent_charges(home: council.Tenancy, _: Random) -> Call:
    return Call("rent-charges", "GET", f"/rents/{home.account}/charges", home.account.encode())


def soap_balance(home: council.Tenancy, chance: Random) -> Call:
    call = _soap("rents-soap-balance", "GetBalance", {"AccountNo": home.account}, chance)
    return call._replace(amount=_owed(home))


def soap_charges(home: council.Tenancy, chance: Random) -> Call:
    return _soap("rents-soap-charges", "ListCharges", {"AccountNo": home.account}, chance)


def soap_other(home: council.Tenancy, chance: Random) -> Call:
    """A payment, or a look at the WSDL."""
    if chance.random() < 0.2:
        return Call("rents-soap", "GET", "/services/Rents.asmx?wsdl", b"RecordPaymentResponse")
    payment = {"AccountNo": home.account, "Amount": council.pounds(chance.randrange(500, 20_000))}
    return _soap("rents-soap", "RecordPayment", payment, chance)


def letter(home: council.Tenancy, _: Random) -> Call:
    return Call("letters", "GET", f"/letters/{home.id}", home.id.encode(), status=OK)


MIX: dict[Ask, int] = {
    page: 10,
    repair_list: 20,
    repair_detail: 15,
    repair_report: 5,
    tenancy_search: 8,
    rent_balance: 12,
    rent_charges: 8,
    soap_balance: 10,
    soap_charges: 6,
    soap_other: 4,
    letter: 2,
}
"""Who asks for what, in parts of a hundred."""


def draw(home: council.Tenancy, chance: Random) -> Call:
    """The next call of a tenant."""
    (ask,) = chance.choices(list(MIX), list(MIX.values()))
    return ask(home, chance)


def _owed(home: council.Tenancy) -> bytes:
    found = council.balance(home.account)
    assert found is not None, f"{home.account} has no balance"
    return council.pounds(found.pence).encode()


def _json(route: str, path: str, content: object, proof: str, status: int = OK) -> Call:
    headers = (("Content-Type", "application/json"),)
    return Call(route, "POST", path, proof.encode(), json.dumps(content).encode(), headers, status)


def _soap(route: str, operation: str, arguments: dict[str, str], chance: Random) -> Call:
    """A call of an operation, in either envelope version."""
    version = chance.choice((SOAP_11, SOAP_12))
    body = write(version, NAMESPACE, operation, tuple(arguments.items()))
    proof = f"AccountNo>{escape(arguments['AccountNo'])}</".encode()  # whatever its prefix
    return Call(route, "POST", "/services/Rents.asmx", proof, body, _soap_headers(version, operation))


def _soap_headers(version: Version, operation: str) -> tuple[tuple[str, str], ...]:
    action = f'"{NAMESPACE}#{operation}"'
    if version is SOAP_11:
        return ("Content-Type", version.content_type), ("SOAPAction", action)
    return (("Content-Type", f"{version.content_type}; action={action}"),)
