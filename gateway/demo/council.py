"""Fernshire Council. It is invented: no such council, tenant, home or debt exists.

Everything that is known about a tenancy follows from its number, without a store, a clock or chance: the legacy system
and its replacements therefore know the same, and a client can tell a right answer from a wrong one.
"""

import hashlib
import re
from typing import NamedTuple

COUNCIL = "Fernshire Council (invented)"
AS_AT = "2026-11-16"

_STREETS = ("Alder Row", "Beck Lane", "Chapel Street", "Fern Bank", "Mill Terrace", "Orchard Close", "Station Road")
_SURNAMES = ("Abara", "Begum", "Carter", "Dale", "Evans", "Fisher", "Gill", "Hughes", "Iqbal", "Jones", "Kaur", "Lowe")
_FAULTS = (
    ("Dripping kitchen tap", "kitchen"),
    ("No hot water", "boiler"),
    ("Front door will not lock", "hall"),
    ("Damp patch on the ceiling", "bedroom"),
    ("Broken window catch", "living room"),
    ("Extractor fan is silent", "bathroom"),
)
_TRADES = ("carpenter", "electrician", "plasterer", "plumber", "roofer")
_STATES = ("reported", "appointment made", "work ordered", "completed")
_CHARGES = (("RENT", "Weekly rent", 9_450), ("SERV", "Service charge", 615), ("WATR", "Water rates", 480))

_REPORTED = 10_000
"""Repairs that tenants report are numbered from here on."""

_TENANCY = re.compile(r"T([1-9][0-9]{5})")
_ACCOUNT = re.compile(r"RA([1-9][0-9]{5})")
_REPAIR = re.compile(r"R([1-9][0-9]{5})-([1-9][0-9]{0,7})")


class Tenancy(NamedTuple):
    """A home and who rents it."""

    id: str
    tenant: str
    address: str
    account: str
    since: str


class Repair(NamedTuple):
    """One thing to mend in the home of a tenancy."""

    id: str
    tenancy: str
    fault: str
    room: str
    state: str
    reported: str


class Charge(NamedTuple):
    """What a rent account is charged each week, in pence."""

    code: str
    label: str
    pence: int


class Balance(NamedTuple):
    """What a rent account owes, in pence; negative means paid ahead."""

    account: str
    as_at: str
    pence: int


class Receipt(NamedTuple):
    """The proof of a payment, in pence."""

    account: str
    reference: str
    pence: int


def tenancy_id(number: int) -> str:
    """The tenancy of the client with this number, counted from 0."""
    return f"T{100_000 + number}"


def tenancy(id: str) -> Tenancy | None:
    """A tenancy by its id, such as T100042; None when there is none."""
    number = _number(_TENANCY, id)
    if number is None:
        return None
    return Tenancy(
        id=id,
        tenant=f"{chr(65 + number % 26)}. {_pick(_SURNAMES, id, 'name')}",
        address=f"{1 + number % 97} {_pick(_STREETS, id, 'street')}, Fernshire",
        account=f"RA{number}",
        since=f"{1998 + number % 25}-{1 + number % 12:02}-01",
    )


def repairs(tenancy_id: str) -> tuple[Repair, ...] | None:
    """The repairs of a tenancy, one to four; None when there is no such tenancy."""
    number = _number(_TENANCY, tenancy_id)
    if number is None:
        return None
    return tuple(_repair(number, nth) for nth in range(1, 2 + _draw(tenancy_id, "repairs") % 4))


def repair(id: str) -> Repair | None:
    """A repair by its id, such as R100042-1; None when there is none."""
    found = _REPAIR.fullmatch(id)
    return _repair(int(found[1]), int(found[2])) if found else None


def trades(id: str) -> tuple[str, ...]:
    """Who has to come for a repair, two or three, in the order of the work."""
    first = _draw(id, "trades") % len(_TRADES)
    return tuple(_TRADES[(first - nth) % len(_TRADES)] for nth in range(2 + first % 2))


def report(tenancy_id: str, fault: str, room: str) -> Repair | None:
    """The repair that comes of a report; the same report again is the same repair. None: no such tenancy."""
    number = _number(_TENANCY, tenancy_id)
    if number is None:
        return None
    nth = _REPORTED + _draw(fault, room) % 90_000
    return Repair(f"R{number}-{nth}", tenancy_id, fault, room, "reported", AS_AT)


def search(street: str) -> tuple[Tenancy, ...]:
    """Up to five tenancies in a street, found by looking at the first hundred."""
    found = (tenancy(tenancy_id(number)) for number in range(100))
    return tuple(home for home in found if home and street.lower() in home.address.lower())[:5]


def balance(account: str) -> Balance | None:
    """What an account such as RA100042 owes; None when there is no such account."""
    if _number(_ACCOUNT, account) is None:
        return None
    return Balance(account, AS_AT, _draw(account, "balance") % 90_000 - 20_000)


def charges(account: str) -> tuple[Charge, ...] | None:
    """The weekly charges of an account; None when there is no such account."""
    number = _number(_ACCOUNT, account)
    if number is None:
        return None
    return tuple(Charge(code, label, pence + number % 7 * 5) for code, label, pence in _CHARGES)


def payment(account: str, pence: int) -> Receipt | None:
    """The receipt of a payment; None when there is no such account."""
    if _number(_ACCOUNT, account) is None:
        return None
    return Receipt(account, f"P{_draw(account, str(pence)) % 10**8:08}", pence)


def pounds(pence: int) -> str:
    """Pence as people write them, "-3.07" for -307."""
    sign = "-" if pence < 0 else ""
    return f"{sign}{abs(pence) // 100}.{abs(pence) % 100:02}"


def _repair(number: int, nth: int) -> Repair:
    id = f"R{number}-{nth}"
    if nth >= _REPORTED:  # nothing is stored, so what the tenant wrote is not known here
        return Repair(id, f"T{number}", "As reported", "as reported", "reported", AS_AT)
    fault, room = _FAULTS[_draw(id, "fault") % len(_FAULTS)]
    day = f"2026-{1 + _draw(id, 'month') % 10:02}-{1 + _draw(id, 'day') % 28:02}"
    return Repair(id, f"T{number}", fault, room, _pick(_STATES, id, "state"), day)


def _number(shape: re.Pattern[str], id: str) -> int | None:
    found = shape.fullmatch(id)
    return int(found[1]) if found else None


def _draw(id: str, what: str) -> int:
    """A number that looks drawn by lot and is always the same for the same id."""
    return int.from_bytes(hashlib.blake2b(f"{id} {what}".encode(), digest_size=6).digest())


def _pick(choices: tuple[str, ...], id: str, what: str) -> str:
    return choices[_draw(id, what) % len(choices)]
