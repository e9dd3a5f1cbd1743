"""What the front ends are promised, whichever side answers: the JSON documents of the council's endpoints."""

from typing import Any

from gateway.demo import council

Document = dict[str, Any]


def repair_list(tenancy: str) -> Document | None:
    """All repairs of a tenancy; None when there is no such tenancy."""
    repairs = council.repairs(tenancy)
    if repairs is None:
        return None
    return {"tenancy": tenancy, "repairs": [repair._asdict() for repair in repairs]}


def repair(id: str) -> Document | None:
    """One repair, with who has to come for it, or None."""
    found = council.repair(id)
    return {**found._asdict(), "trades": list(council.trades(id))} if found else None


def reported(tenancy: str, report: object) -> Document | None:
    """The repair that comes of a report `{"fault": ..., "room": ...}`; None: the report cannot be used."""
    fault, room = _text(report, "fault"), _text(report, "room")
    repair = council.report(tenancy, fault, room) if fault and room else None
    return repair._asdict() if repair else None


def tenancy(id: str) -> Document | None:
    """One tenancy, or None."""
    found = council.tenancy(id)
    return found._asdict() if found else None


def tenancies_found(query: object) -> Document | None:
    """The tenancies that a search `{"street": ...}` finds; None: the search cannot be used."""
    street = _text(query, "street")
    if not street:
        return None
    return {"street": street, "tenancies": [home._asdict() for home in council.search(street)]}


def balance(account: str) -> Document | None:
    """What a rent account owes, or None."""
    found = council.balance(account)
    if found is None:
        return None
    return {"account": account, "as_at": found.as_at, "balance": council.pounds(found.pence)}


def charges(account: str) -> Document | None:
    """What a rent account is charged each week, or None."""
    found = council.charges(account)
    if found is None:
        return None
    lines = [{"code": one.code, "label": one.label, "amount": council.pounds(one.pence)} for one in found]
    return {"account": account, "charges": lines}


def _text(document: object, name: str) -> str:
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""
